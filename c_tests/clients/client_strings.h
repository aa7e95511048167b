// client_strings.h: code that was ported to a program with no Caffe2, where tensors are serialized
// to and from plain strings.
#ifndef CLIENT_STRINGS_H
#define CLIENT_STRINGS_H

#include "../check.h"

#include <map>
#include <string>

#include "caffe2/core/qtensor.h"
#include "caffe2/core/qtensor_serialization.h"

inline void run_client_strings() {
  using caffe2::CPUContext;
  caffe2::QTensor<CPUContext> tensor({3, 5}, 4, true), read({7}, 2);
  tensor.SetScale(0.25);
  tensor.SetBias(-1.5);
  for (size_t i = 0; i < tensor.size(); i++) {
    tensor.SetBitAtIndex(static_cast<unsigned char>(i % 5), i, true);
  }

  std::map<std::string, std::string> database;
  caffe2::QTensorSerializer<CPUContext> serializer;
  serializer.Serialize(tensor, "w", [&](const std::string &name, const std::string &data) {
    database[name] = data;
  });
  CHECK(database.size() == 1 && database["w"] == caffe2::SerializeQTensor(tensor, "w"));

  caffe2::QTensorDeserializer<CPUContext>().Deserialize(database["w"], &read);
  CHECK(read.dims() == tensor.dims() && read.precision() == 4 && read.is_signed());
  CHECK(read.scale() == 0.25 && read.bias() == -1.5);
  for (size_t i = 0; i < read.size(); i++) {
    for (unsigned char bit = 0; bit < 5; bit++) {
      CHECK(read.GetBitAtIndex(bit, i) == (bit == i % 5));
    }
  }
  CHECK(caffe2::SerializeQTensor(read, "w") == database["w"]);
}

#endif
