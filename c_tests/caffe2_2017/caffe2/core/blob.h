// blob.h: an object of any known type.
#ifndef CAFFE2_2017_BLOB_H
#define CAFFE2_2017_BLOB_H

#include "caffe2/core/blob_serializer_base.h"
#include "caffe2/core/common.h"
#include "caffe2/core/logging.h"
#include "caffe2/core/typeid.h"

namespace caffe2 {

class Blob {
 public:
  Blob() : pointer_(nullptr) {}
  ~Blob() { Reset(); }
  Blob(const Blob &) = delete;
  Blob &operator=(const Blob &) = delete;

  template <class T>
  bool IsType() const {
    return meta_.Match<T>();
  }
  const TypeMeta &meta() const { return meta_; }

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
    meta_.Destroy(pointer_);
    pointer_ = nullptr;
    meta_ = TypeMeta();
  }

  void Serialize(const string &name, BlobSerializerBase::SerializationAcceptor acceptor,
                 int chunk_size = kDefaultChunkSize) const {
    const unique_ptr<BlobSerializerBase> serializer(BlobSerializerRegistry()->Create(meta_.id()));
    CAFFE_ENFORCE(serializer, "No known serializer for ", meta_.name());
    serializer->SerializeWithChunkSize(*this, name, acceptor, chunk_size);
  }
  string Serialize(const string &name) const {
    string bytes;
    Serialize(name, [&bytes](const std::string &, const std::string &data) { bytes = data; });
    return bytes;
  }
  void Deserialize(const string &content) {
    BlobProto proto;
    CAFFE_ENFORCE(proto.ParseFromString(content), "Cannot parse content into a BlobProto.");
    Deserialize(proto);
  }
  void Deserialize(const BlobProto &proto) {
    const unique_ptr<BlobDeserializerBase> deserializer(
        BlobDeserializerRegistry()->Create(proto.type()));
    CAFFE_ENFORCE(deserializer, "No registered deserializer for ", proto.type());
    deserializer->Deserialize(proto, this);
  }

 private:
  TypeMeta meta_;
  void *pointer_;
};

}  // namespace caffe2

#endif
