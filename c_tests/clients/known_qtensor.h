// known_qtensor.h: makes our tensor known to the Caffe2 around, as Caffe2's own sources do for
// theirs when they are built.
#ifndef KNOWN_QTENSOR_H
#define KNOWN_QTENSOR_H

#include "caffe2/core/qtensor.h"
#include "caffe2/core/qtensor_serialization.h"

namespace caffe2 {

CAFFE_KNOWN_TYPE(QTensor<CPUContext>)

REGISTER_BLOB_SERIALIZER((TypeMeta::Id<QTensor<CPUContext>>()), QTensorSerializer<CPUContext>);
#ifdef CAFFE2_IS_PREBUILT
namespace {
// What a prebuilt Caffe2 has registered for the name, before any program's own.
class TheirDeserializer : public BlobDeserializerBase {
 public:
  void Deserialize(const BlobProto &, Blob *) override { CAFFE_THROW("Not ours was called."); }
};
REGISTER_BLOB_DESERIALIZER(QTensor, TheirDeserializer);
RegistererBlobDeserializerRegistry our_deserializer(
    kQTensorBlobQType, c10::REGISTRY_PREFERRED, BlobDeserializerRegistry(),
    RegistererBlobDeserializerRegistry::DefaultCreator<QTensorDeserializer<CPUContext>>, "");
}  // namespace
#else
REGISTER_BLOB_DESERIALIZER(QTensor, QTensorDeserializer<CPUContext>);
#endif

}  // namespace caffe2

#endif
