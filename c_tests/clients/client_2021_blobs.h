// client_2021_blobs.h: code of 2021 that keeps tensors in blobs and serializes these.
#ifndef CLIENT_2021_BLOBS_H
#define CLIENT_2021_BLOBS_H

#include "../check.h"

#include <string>
#include <vector>

#include <caffe2/core/blob.h>
#include <caffe2/core/blob_serialization.h>
#include <caffe2/core/qtensor.h>
#include <caffe2/core/qtensor_serialization.h>

namespace client_2021 {

using caffe2::Blob;
using CPUTensor = caffe2::QTensor<caffe2::CPUContext>;

inline void FillBlob(Blob *blob) {
  CPUTensor *tensor = blob->GetMutable<CPUTensor>();
  tensor->Resize(at::ArrayRef<int>{2, 5});
  tensor->SetPrecision(3);
  tensor->SetSigned();
  tensor->SetScale(2);
  tensor->SetBias(0.5);
  std::fill_n(tensor->mutable_data(), tensor->nbytes(), static_cast<unsigned char>(0));
  for (unsigned char i = 0; i < 10; ++i) {
    tensor->SetBitAtIndex(i % 4, i, true);
  }
}

}  // namespace client_2021

inline void run_client_2021_blobs() {
  using namespace client_2021;
  Blob blob, copy;
  FillBlob(&blob);
  CHECK(blob.IsType<CPUTensor>() && !copy.IsType<CPUTensor>());
  const std::string bytes = caffe2::SerializeBlob(blob, "w");
  caffe2::DeserializeBlob(bytes, &copy);
  const CPUTensor &tensor = copy.Get<CPUTensor>();
  CHECK(tensor.sizes() == std::vector<int>({2, 5}) && tensor.precision() == 3);
  CHECK(tensor.is_signed() && tensor.scale() == 2 && tensor.bias() == 0.5);
  for (unsigned char i = 0; i < 10; ++i) {
    for (unsigned char bit = 0; bit < 4; ++bit) {
      CHECK(tensor.GetBitAtIndex(bit, i) == (i % 4 == bit));
    }
  }
  CHECK(caffe2::SerializeBlob(copy, "w") == bytes);

  std::string key, value;
  const auto keep = [&](const std::string &name, const std::string &data) {
    key = name;
    value = data;
  };
  caffe2::SerializeBlob(blob, "other", keep);
  CHECK(key == "other" && value != bytes);
  // The serializer is given a pointer and what it points to.
  caffe2::QTensorSerializer<caffe2::CPUContext> serializer;
  serializer.Serialize(blob.GetRaw(), blob.meta(), "w", keep);
  CHECK(key == "w" && value == bytes);
  bool threw = false;
  try {
    serializer.Serialize(&bytes, caffe2::TypeMeta(), "w", keep);
  } catch (const c10::Error &) {
    threw = true;
  }
  CHECK(threw);
}

#endif
