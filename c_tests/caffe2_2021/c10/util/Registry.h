// Registry.h: makers of objects by key. A higher priority replaces a lower one; a key registered
// twice with one priority is an error.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "c10/util/Exception.h"

namespace c10 {

enum RegistryPriority {
  REGISTRY_FALLBACK = 1,
  REGISTRY_DEFAULT = 2,
  REGISTRY_PREFERRED = 3,
};

template <class Key, class ObjectPtr>
class Registry {
 public:
  typedef std::function<ObjectPtr()> Creator;

  void Register(const Key &key, Creator creator, RegistryPriority priority = REGISTRY_DEFAULT) {
    const auto found = entries_.find(key);
    CAFFE_ENFORCE(found == entries_.end() || found->second.priority != priority,
                  "Key already registered with the same priority.");
    if (found == entries_.end() || found->second.priority < priority) {
      entries_[key] = Entry{creator, priority};
    }
  }
  ObjectPtr Create(const Key &key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? ObjectPtr() : found->second.creator();
  }

 private:
  struct Entry {
    Creator creator;
    RegistryPriority priority;
  };
  std::map<Key, Entry> entries_;
};

template <class Key, class ObjectPtr>
class Registerer {
 public:
  Registerer(const Key &key, Registry<Key, ObjectPtr> *registry,
             typename Registry<Key, ObjectPtr>::Creator creator, const std::string & = "") {
    registry->Register(key, creator);
  }
  Registerer(const Key &key, RegistryPriority priority, Registry<Key, ObjectPtr> *registry,
             typename Registry<Key, ObjectPtr>::Creator creator, const std::string & = "") {
    registry->Register(key, creator, priority);
  }
  template <class Derived>
  static ObjectPtr DefaultCreator() {
    return ObjectPtr(new Derived);
  }
};

#define C10_JOIN_AGAIN(left, right) left##right
#define C10_JOIN(left, right) C10_JOIN_AGAIN(left, right)

#define C10_DECLARE_TYPED_REGISTRY(Name, Key, Object) \
  inline ::c10::Registry<Key, std::unique_ptr<Object>> *Name() { \
    static ::c10::Registry<Key, std::unique_ptr<Object>> registry; \
    return &registry; \
  } \
  typedef ::c10::Registerer<Key, std::unique_ptr<Object>> Registerer##Name

#define C10_REGISTER_TYPED_CLASS(Name, key, ...) \
  static Registerer##Name C10_JOIN(g_##Name, __LINE__)( \
      key, Name(), Registerer##Name::DefaultCreator<__VA_ARGS__>)

}  // namespace c10
