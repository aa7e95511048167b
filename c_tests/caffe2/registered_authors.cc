// registered_authors.cc: what Caffe2's authors tested of their class, asked of ours in its place.
// Their tests are two, a size and a round of serialization; calls and expectations are theirs.
#include <caffe2_qtensor/caffe2_register.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "caffe2/core/blob.h"
#include "caffe2/core/blob_serialization.h"
#include "caffe2/utils/proto_utils.h"

// Of Caffe2's logging; the tests have their own.
#undef CHECK
#include "check.hpp"

using caffe2::Blob;
using caffe2::BlobProto;
using caffe2::CPUContext;
using caffe2::QTensor;
using caffe2::QTensorProto;

// Thirty codes of three bits: each plane is filled up to four bytes.
static void sizing() {
  QTensor<CPUContext> tensor(std::vector<int>{2, 3, 5}, 3);
  CHECK(tensor.mutable_data() != nullptr);
  CHECK(tensor.nbytes() == 12);
  CHECK(tensor.size() == 30);
}

static void serialization() {
  const int elements = 6, bits = 5;
  Blob blob;
  QTensor<CPUContext> *const tensor = blob.GetMutable<QTensor<CPUContext>>();
  tensor->SetPrecision(bits);
  tensor->SetSigned(false);
  tensor->SetScale(1.337);
  tensor->SetBias(-1.337);
  tensor->Resize(std::vector<int>{2, 3});
  srand(0);
  for (int element = 0; element < elements; element++) {
    for (int bit = 0; bit < bits; bit++) {
      tensor->SetBitAtIndex(static_cast<unsigned char>(bit), static_cast<size_t>(element),
                            rand() % 2);
    }
  }

  const std::string serialized = caffe2::SerializeBlob(blob, "test");
  BlobProto message;
  CHECK(caffe2::ParseProtoFromLargeString(serialized, &message));
  CHECK(message.name() == "test");
  CHECK(message.type() == "QTensor");
  CHECK(message.has_qtensor());
  const QTensorProto &inner = message.qtensor();
  CHECK(inner.precision() == tensor->precision());
  CHECK(inner.scale() == tensor->scale());
  CHECK(inner.bias() == tensor->bias());
  CHECK(inner.is_signed() == tensor->is_signed());

  Blob read;
  caffe2::DeserializeBlob(serialized, &read);
  CHECK(read.IsType<QTensor<CPUContext>>());
  const QTensor<CPUContext> &copy = read.Get<QTensor<CPUContext>>();
  CHECK(copy.ndim() == 2);
  CHECK(copy.dim32(0) == 2);
  CHECK(copy.dim32(1) == 3);
  for (int element = 0; element < elements; element++) {
    for (int bit = 0; bit < bits; bit++) {
      const unsigned char plane = static_cast<unsigned char>(bit);
      const size_t index = static_cast<size_t>(element);
      CHECK(tensor->GetBitAtIndex(plane, index) == copy.GetBitAtIndex(plane, index));
    }
  }
}

int main(int argc, char **argv) {
  begin(argc, argv);
  sizing();
  serialization();
  return done();
}
