// tensor.h: the type of an index.
#ifndef CAFFE2_2017_TENSOR_H
#define CAFFE2_2017_TENSOR_H

#include <cstdint>

#include "caffe2/core/common.h"

namespace caffe2 {

typedef std::int64_t TIndex;

}  // namespace caffe2

#endif
