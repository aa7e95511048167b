// typeid.h: types that blobs may hold. CAFFE_KNOWN_TYPE makes them known, in namespace caffe2.
#pragma once

#include <cstdint>

namespace caffe2 {

class TypeIdentifier final {
 public:
  // By a type's own place: two libraries' classes of one mangled name are one.
  template <class T>
  static TypeIdentifier Get() noexcept {
    static char place;
    return TypeIdentifier(&place);
  }
  static TypeIdentifier uninitialized() noexcept { return TypeIdentifier(nullptr); }

  friend bool operator<(TypeIdentifier left, TypeIdentifier right) noexcept {
    return left.id_ < right.id_;
  }
  friend bool operator==(TypeIdentifier left, TypeIdentifier right) noexcept {
    return left.id_ == right.id_;
  }

 private:
  explicit TypeIdentifier(const char *id) noexcept : id_(id) {}
  const char *id_;
};

class TypeMeta final {
 public:
  TypeMeta() noexcept
      : id_(TypeIdentifier::uninitialized()), name_("nothing"), delete_(nullptr) {}

  TypeIdentifier id() const noexcept { return id_; }
  const char *name() const noexcept { return name_; }
  void Delete(void *object) const {
    if (delete_ != nullptr) {
      delete_(object);
    }
  }

  template <class T>
  bool Match() const noexcept {
    return id_ == Id<T>();
  }
  template <class T>
  static TypeIdentifier Id() noexcept {
    return TypeIdentifier::Get<T>();
  }
  // Only for known types.
  template <class T>
  static const char *TypeName() noexcept;
  template <class T>
  static TypeMeta Make() {
    TypeMeta meta;
    meta.id_ = Id<T>();
    meta.name_ = TypeName<T>();
    meta.delete_ = [](void *object) { delete static_cast<T *>(object); };
    return meta;
  }

 private:
  TypeIdentifier id_;
  const char *name_;
  void (*delete_)(void *);
};

#define CAFFE_KNOWN_TYPE(T) \
  template <> \
  inline const char *TypeMeta::TypeName<T>() noexcept { \
    return #T; \
  }

}  // namespace caffe2
