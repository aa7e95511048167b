// blob.h: an object of any known type.
#pragma once

#include "c10/util/typeid.h"
#include "caffe2/core/common.h"
#include "caffe2/core/logging.h"
#include "caffe2/core/tensor.h"

namespace caffe2 {

class Blob final {
 public:
  Blob() noexcept : pointer_(nullptr) {}
  ~Blob() { Reset(); }
  Blob(const Blob &) = delete;
  Blob &operator=(const Blob &) = delete;

  template <class T>
  bool IsType() const noexcept {
    return meta_.Match<T>();
  }
  TypeMeta meta() const noexcept { return meta_; }
  const void *GetRaw() const noexcept { return pointer_; }

  template <class T>
  const T &Get() const {
    CAFFE_ENFORCE(IsType<T>(), "wrong type for the Blob instance. Blob contains ", meta_.name());
    return *static_cast<const T *>(pointer_);
  }
  template <class T>
  T *GetMutable() {
    return IsType<T>() ? static_cast<T *>(pointer_) : Reset<T>(new T());
  }
  template <class T>
  T *Reset(T *allocated) {
    Reset();
    meta_ = TypeMeta::Make<T>();
    pointer_ = allocated;
    return allocated;
  }
  void Reset() {
    meta_.Delete(pointer_);
    pointer_ = nullptr;
    meta_ = TypeMeta();
  }

 private:
  TypeMeta meta_;
  void *pointer_;
};

}  // namespace caffe2
