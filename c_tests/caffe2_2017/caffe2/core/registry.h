// registry.h: makers of objects by key. A key is registered once.
#ifndef CAFFE2_2017_REGISTRY_H
#define CAFFE2_2017_REGISTRY_H

#include <functional>

#include "caffe2/core/common.h"
#include "caffe2/core/logging.h"

namespace caffe2 {

template <class Key, class Object>
class Registry {
 public:
  typedef std::function<unique_ptr<Object>()> Creator;

  void Register(const Key &key, Creator creator) {
    CAFFE_ENFORCE(creators_.count(key) == 0, "Key already registered.");
    creators_[key] = creator;
  }
  bool Has(const Key &key) const { return creators_.count(key) != 0; }
  unique_ptr<Object> Create(const Key &key) const {
    return Has(key) ? creators_.at(key)() : unique_ptr<Object>();
  }

 private:
  std::map<Key, Creator> creators_;
};

template <class Key, class Object>
class Registerer {
 public:
  Registerer(const Key &key, Registry<Key, Object> *registry,
             typename Registry<Key, Object>::Creator creator) {
    registry->Register(key, creator);
  }
  template <class Derived>
  static unique_ptr<Object> DefaultCreator() {
    return unique_ptr<Object>(new Derived);
  }
};

#define CAFFE_JOIN_AGAIN(left, right) left##right
#define CAFFE_JOIN(left, right) CAFFE_JOIN_AGAIN(left, right)

#define CAFFE_DECLARE_TYPED_REGISTRY(Name, Key, Object) \
  inline Registry<Key, Object> *Name() { \
    static Registry<Key, Object> registry; \
    return &registry; \
  } \
  typedef Registerer<Key, Object> Registerer##Name

#define CAFFE_REGISTER_TYPED_CLASS(Name, key, ...) \
  static Registerer##Name CAFFE_JOIN(g_##Name, __LINE__)( \
      key, Name(), Registerer##Name::DefaultCreator<__VA_ARGS__>)

}  // namespace caffe2

#endif
