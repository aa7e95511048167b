// client_2017_types.h: code of 2017 that needs its types: the name of its index type, and dimensions
// that are a vector and nothing else. A Caffe2 of 2021 has neither.
#ifndef CLIENT_2017_TYPES_H
#define CLIENT_2017_TYPES_H

#include "../check.h"

#include <vector>

#include "caffe2/core/qtensor.h"

namespace client_2017 {

using caffe2::TIndex;

inline std::vector<TIndex> Strides(const caffe2::QTensor<caffe2::CPUContext> &tensor) {
  std::vector<TIndex> strides;
  for (int axis = 0; axis < tensor.ndim(); ++axis) {
    strides.push_back(tensor.size_from_dim(axis + 1));
  }
  return strides;
}

inline void Vectors() {
  const caffe2::QTensor<caffe2::CPUContext> tensor({2, 3, 5}, 4);
  // A copy is the client's own, and may be assigned other vectors.
  auto copied = tensor.dims();
  copied.push_back(1);
  CHECK(copied.size() == 4 && tensor.dims().size() == 3);
  const std::vector<int> other = {7};
  copied = other;
  CHECK(copied == other);
  auto &reference = tensor.dims();
  std::vector<int>::const_iterator last = reference.end() - 1;
  CHECK(*last == 5);
  CHECK((last == reference.begin() ? other : tensor.dims()).size() == 3);
}

}  // namespace client_2017

inline void run_client_2017_types() {
  client_2017::Vectors();
  const caffe2::QTensor<caffe2::CPUContext> tensor({4, 3, 2}, 1);
  const std::vector<caffe2::TIndex> strides = client_2017::Strides(tensor);
  CHECK(strides == std::vector<caffe2::TIndex>({6, 2, 1}));
  const caffe2::TIndex size = tensor.size_from_dim(0), rows = tensor.size_to_dim(2);
  CHECK(size == 24 && rows == 12);
}

#endif
