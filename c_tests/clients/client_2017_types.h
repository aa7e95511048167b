// client_2017_types.h: code of 2017 that names its index type, which a Caffe2 of 2021 has no more.
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

}  // namespace client_2017

inline void run_client_2017_types() {
  const caffe2::QTensor<caffe2::CPUContext> tensor({4, 3, 2}, 1);
  const std::vector<caffe2::TIndex> strides = client_2017::Strides(tensor);
  CHECK(strides == std::vector<caffe2::TIndex>({6, 2, 1}));
  const caffe2::TIndex size = tensor.size_from_dim(0), rows = tensor.size_to_dim(2);
  CHECK(size == 24 && rows == 12);
}

#endif
