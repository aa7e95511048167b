// conv1d.hpp: arguments of a one-dimensional convolution.
#ifndef CAFFE2_QTENSOR_CONV1D_HPP
#define CAFFE2_QTENSOR_CONV1D_HPP

#include <array>
#include <cstdint>
#include <initializer_list>

#include "error.hpp"
#include "span.hpp"

namespace caffe2_qtensor {

// An argument of a Conv1d as the Conv2d needs it that computes it: `base` and the argument's own
// value, which of two values or more is the second. Throws QTENSOR_OUT_OF_RANGE for none.
inline std::array<std::int64_t, 2> conv1d_argument(Span<const std::int64_t> arguments,
                                                   std::int64_t base) {
  std::array<std::int64_t, 2> out = {{0, 0}};
  detail::call(&qtensor_conv1d_argument, arguments.data(), arguments.size(), base, out.data());
  return out;
}
inline std::array<std::int64_t, 2> conv1d_argument(std::initializer_list<std::int64_t> arguments,
                                                   std::int64_t base) {
  return conv1d_argument(Span<const std::int64_t>(arguments.begin(), arguments.size()), base);
}

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_CONV1D_HPP
