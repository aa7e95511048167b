// test_header.cc: the header alone, twice, in C++, and a call through it.
#include "caffe2_qtensor.h"
#include "caffe2_qtensor.h"

namespace caffe2 {
class QTensor {};
}  // namespace caffe2

// The library's names clash with none of Caffe2's.
using namespace caffe2;

int main() {
  QTensor other;
  (void)other;
  const int64_t dims[2] = {3, 4};
  qtensor_t *tensor = nullptr;
  qtensor_error_t *error = nullptr;
  qtensor_status status = qtensor_create_with(dims, 2, 4, true, &tensor, &error);
  if (status != QTENSOR_OK || qtensor_size(tensor) != 12 || error != nullptr) {
    return 1;
  }
  const int64_t negative[1] = {-1};
  if (qtensor_resize(tensor, negative, 1, &error) != QTENSOR_INVALID_ARGUMENT) {
    return 2;
  }
  const int32_t code = qtensor_error_code(error);
  qtensor_error_free(error);
  qtensor_free(tensor);
  return code == QTENSOR_INVALID_ARGUMENT ? 0 : 3;
}
