// blob_serialization.h: serialization, through the registered serializers.
#pragma once

#include "caffe2/core/blob.h"
#include "caffe2/core/blob_serializer_base.h"
#include "caffe2/core/tensor.h"

// Caffe2's own sources include its headers by quotes, and so past any other folder. This must
// find the include guard set.
#ifdef CAFFE2_CORE_QTENSOR_SERIALIZATION_H_
#include "qtensor.h"
#include "qtensor_serialization.h"
#endif

namespace caffe2 {

// The only way to a message's bytes.
inline std::string SerializeAsString_EnforceCheck(const google::protobuf::MessageLite &message,
                                                  const char *error_location = nullptr) {
  CAFFE_ENFORCE(message.IsInitialized(), error_location == nullptr ? "" : error_location,
                ": a required field is missing");
  return message.ToBytes();
}

inline void SerializeBlob(const Blob &blob, const string &name,
                          BlobSerializerBase::SerializationAcceptor acceptor,
                          int chunk_size = kDefaultChunkSize) {
  const auto serializer = BlobSerializerRegistry()->Create(blob.meta().id());
  CAFFE_ENFORCE(serializer, "No known serializer for ", blob.meta().name());
  serializer->SerializeWithChunkSize(blob.GetRaw(), blob.meta(), name, acceptor, chunk_size);
}

inline string SerializeBlob(const Blob &blob, const string &name) {
  string bytes;
  SerializeBlob(blob, name,
                [&bytes](const std::string &, const std::string &data) { bytes = data; });
  return bytes;
}

inline void DeserializeBlob(const BlobProto &proto, Blob *result) {
  const auto deserializer = BlobDeserializerRegistry()->Create(proto.type());
  CAFFE_ENFORCE(deserializer, "No registered deserializer for ", proto.type());
  deserializer->Deserialize(proto, result);
}

inline void DeserializeBlob(const string &content, Blob *result) {
  BlobProto proto;
  CAFFE_ENFORCE(proto.ParseFromString(content), "Cannot parse content into a BlobProto.");
  DeserializeBlob(proto, result);
}

}  // namespace caffe2
