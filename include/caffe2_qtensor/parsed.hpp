// parsed.hpp: a QTensorProto that protobuf has read already.
#ifndef CAFFE2_QTENSOR_PARSED_HPP
#define CAFFE2_QTENSOR_PARSED_HPP

#include "../caffe2_qtensor.h"

namespace caffe2_qtensor {

// The fields of a message, for Tensor::from_parsed(); at first all are 0 or absent. What it points
// to stays the caller's.
struct Parsed : qtensor_parsed_t {
  Parsed() noexcept : qtensor_parsed_t() { struct_size = sizeof(qtensor_parsed_t); }
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_PARSED_HPP
