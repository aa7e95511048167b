// blob_serializer_base.h: what serializers derive from.
#ifndef CAFFE2_2017_BLOB_SERIALIZER_BASE_H
#define CAFFE2_2017_BLOB_SERIALIZER_BASE_H

#include <functional>

#include "caffe2/core/registry.h"
#include "caffe2/core/typeid.h"
#include "caffe2/proto/caffe2.pb.h"

namespace caffe2 {

class Blob;

constexpr int kDefaultChunkSize = -1;

class BlobSerializerBase {
 public:
  virtual ~BlobSerializerBase() {}
  using SerializationAcceptor =
      std::function<void(const std::string &blobName, const std::string &data)>;
  virtual void Serialize(const Blob &blob, const std::string &name,
                         SerializationAcceptor acceptor) = 0;
  virtual void SerializeWithChunkSize(const Blob &blob, const std::string &name,
                                      SerializationAcceptor acceptor, int /*chunk_size*/) {
    Serialize(blob, name, acceptor);
  }
};

class BlobDeserializerBase {
 public:
  virtual ~BlobDeserializerBase() {}
  virtual void Deserialize(const BlobProto &proto, Blob *blob) = 0;
};

CAFFE_DECLARE_TYPED_REGISTRY(BlobSerializerRegistry, CaffeTypeId, BlobSerializerBase);
CAFFE_DECLARE_TYPED_REGISTRY(BlobDeserializerRegistry, std::string, BlobDeserializerBase);

#define REGISTER_BLOB_SERIALIZER(id, ...) \
  CAFFE_REGISTER_TYPED_CLASS(BlobSerializerRegistry, id, __VA_ARGS__)
#define REGISTER_BLOB_DESERIALIZER(name, ...) \
  CAFFE_REGISTER_TYPED_CLASS(BlobDeserializerRegistry, #name, __VA_ARGS__)

}  // namespace caffe2

#endif
