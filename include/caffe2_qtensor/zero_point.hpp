// zero_point.hpp: zero points and biases, both in units of codes.
#ifndef CAFFE2_QTENSOR_ZERO_POINT_HPP
#define CAFFE2_QTENSOR_ZERO_POINT_HPP

#include <cstdint>

#include "error.hpp"

namespace caffe2_qtensor {

// -bias. Throws QTENSOR_OUT_OF_RANGE where that is no 32-bit integer.
inline std::int32_t zero_point_of_bias(double bias) {
  std::int32_t zero_point = 0;
  detail::call(&qtensor_zero_point_of_bias, bias, &zero_point);
  return zero_point;
}

// -zero_point, and +0 for 0.
inline double bias_of_zero_point(std::int32_t zero_point) noexcept {
  return qtensor_bias_of_zero_point(zero_point);
}

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_ZERO_POINT_HPP
