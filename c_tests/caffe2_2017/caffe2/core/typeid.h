// typeid.h: types that blobs may hold. Each is made known by CAFFE_KNOWN_TYPE in namespace caffe2.
#ifndef CAFFE2_2017_TYPEID_H
#define CAFFE2_2017_TYPEID_H

#include <cstdint>

namespace caffe2 {

typedef std::intptr_t CaffeTypeId;

class TypeMeta {
 public:
  TypeMeta() : id_(0), name_("nothing"), dtor_(nullptr) {}

  CaffeTypeId id() const { return id_; }
  const char *name() const { return name_; }
  void Destroy(void *object) const {
    if (dtor_ != nullptr) {
      dtor_(object);
    }
  }

  // Only for known types.
  template <class T>
  static CaffeTypeId Id();
  template <class T>
  static const char *Name();
  template <class T>
  bool Match() const {
    return id_ == Id<T>();
  }
  template <class T>
  static TypeMeta Make() {
    TypeMeta meta;
    meta.id_ = Id<T>();
    meta.name_ = Name<T>();
    meta.dtor_ = [](void *object) { delete static_cast<T *>(object); };
    return meta;
  }

 private:
  CaffeTypeId id_;
  const char *name_;
  void (*dtor_)(void *);
};

#define CAFFE_KNOWN_TYPE(T) \
  template <> \
  inline CaffeTypeId TypeMeta::Id<T>() { \
    static char place; \
    return reinterpret_cast<CaffeTypeId>(&place); \
  } \
  template <> \
  inline const char *TypeMeta::Name<T>() { \
    return #T; \
  }

}  // namespace caffe2

#endif
