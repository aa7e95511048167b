// Code written for Caffe2, built where there is none: the headers are found by the folder that each
// way of linking names.
#define CAFFE2_QTENSOR_STANDALONE
#include <caffe2/core/qtensor.h>
#include <caffe2/core/qtensor_serialization.h>

#include <cstdlib>
#include <string>
#include <vector>

int main() {
  const std::vector<int> dims = {2, 3};
  caffe2::QTensor<caffe2::CPUContext> tensor(dims, 4, true), copy;
  tensor.SetBitAtIndex(4, 5, true);
  std::string blob;
  caffe2::QTensorSerializer<caffe2::CPUContext>().Serialize(
      tensor, "w", [&blob](const std::string&, const std::string& data) { blob = data; });
  caffe2::QTensorDeserializer<caffe2::CPUContext>().Deserialize(blob, &copy);
  const bool same = copy.dims() == dims && copy.GetBitAtIndex(4, 5) && !copy.GetBitAtIndex(0, 5);
  return same ? EXIT_SUCCESS : EXIT_FAILURE;
}
