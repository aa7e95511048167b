// blob_serializer_base.h: what serializers derive from.
#pragma once

#include <functional>

#include "c10/util/Registry.h"
#include "c10/util/typeid.h"
#include "caffe2/core/common.h"
#include "caffe2/proto/caffe2_pb.h"

namespace caffe2 {

class Blob;

constexpr int kDefaultChunkSize = -1;

class BlobSerializerBase {
 public:
  virtual ~BlobSerializerBase() {}
  using SerializationAcceptor =
      std::function<void(const std::string &blobName, const std::string &data)>;
  virtual void Serialize(const void *pointer, TypeMeta typeMeta, const std::string &name,
                         SerializationAcceptor acceptor) = 0;
  virtual void SerializeWithChunkSize(const void *pointer, TypeMeta typeMeta,
                                      const std::string &name, SerializationAcceptor acceptor,
                                      int /*chunk_size*/) {
    Serialize(pointer, typeMeta, name, acceptor);
  }
};

class BlobDeserializerBase {
 public:
  virtual ~BlobDeserializerBase() {}
  virtual void Deserialize(const BlobProto &proto, Blob *blob) = 0;
};

C10_DECLARE_TYPED_REGISTRY(BlobSerializerRegistry, TypeIdentifier, BlobSerializerBase);
C10_DECLARE_TYPED_REGISTRY(BlobDeserializerRegistry, std::string, BlobDeserializerBase);

#define REGISTER_BLOB_SERIALIZER(id, ...) \
  C10_REGISTER_TYPED_CLASS(BlobSerializerRegistry, id, __VA_ARGS__)
#define REGISTER_BLOB_DESERIALIZER(name, ...) \
  C10_REGISTER_TYPED_CLASS(BlobDeserializerRegistry, #name, __VA_ARGS__)

}  // namespace caffe2
