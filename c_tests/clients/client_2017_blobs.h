// client_2017_blobs.h: code of 2017 that keeps tensors in blobs, which then had the calls that
// serialize them.
#ifndef CLIENT_2017_BLOBS_H
#define CLIENT_2017_BLOBS_H

#include "../check.h"

#include <string>
#include <vector>

#include "caffe2/core/blob.h"
#include "caffe2/core/qtensor.h"
#include "caffe2/core/qtensor_serialization.h"

namespace client_2017 {

using caffe2::Blob;
using caffe2::CPUContext;
using caffe2::QTensor;

inline void FillBlob(Blob *blob) {
  auto *tensor = blob->GetMutable<QTensor<CPUContext>>();
  tensor->SetPrecision(3);
  tensor->SetSigned();
  tensor->SetScale(2);
  tensor->SetBias(0.5);
  tensor->Resize(std::vector<int>{2, 5});
  for (int i = 0; i < 10; ++i) {
    tensor->SetBitAtIndex(i % 4, i, true);
  }
}

}  // namespace client_2017

inline void run_client_2017_blobs() {
  using namespace client_2017;
  Blob blob, copy;
  FillBlob(&blob);
  CHECK(blob.IsType<QTensor<CPUContext>>() && !copy.IsType<QTensor<CPUContext>>());
  const std::string bytes = blob.Serialize("w");
  copy.Deserialize(bytes);
  const auto &tensor = copy.Get<QTensor<CPUContext>>();
  CHECK(tensor.dims() == std::vector<int>({2, 5}) && tensor.precision() == 3);
  CHECK(tensor.is_signed() && tensor.scale() == 2 && tensor.bias() == 0.5);
  for (int i = 0; i < 10; ++i) {
    for (int bit = 0; bit < 4; ++bit) {
      CHECK(tensor.GetBitAtIndex(bit, i) == (i % 4 == bit));
    }
  }
  CHECK(copy.Serialize("w") == bytes);

  // Without a blob around the message, and by way of the acceptor.
  caffe2::BlobProto proto;
  CHECK(proto.ParseFromString(bytes) && proto.type() == caffe2::kQTensorBlobQType);
  QTensor<CPUContext> direct;
  caffe2::QTensorDeserializer<CPUContext> deserializer;
  deserializer.Deserialize(proto.qtensor(), &direct);
  CHECK(direct.dims() == tensor.dims() && proto.qtensor().dims(1) == 5);
  std::string key, value;
  blob.Serialize("other", [&](const std::string &name, const std::string &data) {
    key = name;
    value = data;
  });
  CHECK(key == "other" && value != bytes);
  caffe2::QTensorSerializer<CPUContext> serializer;
  serializer.Serialize(blob, "w",
                       [&](const std::string &, const std::string &data) { value = data; });
  CHECK(value == bytes);
}

#endif
