// halves.hpp: half precision and bfloat16, which C++11 has no types for, by their bits.
#ifndef CAFFE2_QTENSOR_HALVES_HPP
#define CAFFE2_QTENSOR_HALVES_HPP

#include <cstddef>
#include <cstdint>

#include "error.hpp"
#include "span.hpp"

namespace caffe2_qtensor {

// The value of half-precision bits, exact, and the bits nearest to a value, ties to even.
inline float half_to_float(std::uint16_t bits) noexcept { return qtensor_half_to_float(bits); }
inline std::uint16_t half_from_float(float value) noexcept {
  return qtensor_half_from_float(value);
}

// The same for bfloat16.
inline float bfloat16_to_float(std::uint16_t bits) noexcept {
  return qtensor_bfloat16_to_float(bits);
}
inline std::uint16_t bfloat16_from_float(float value) noexcept {
  return qtensor_bfloat16_from_float(value);
}

// Brings values into the range of half precision, -65504 to 65504, in place, and returns how many
// lay outside. NaN stays what it is and is not counted.
inline std::size_t saturate_to_half(Span<float> values) {
  std::size_t out_of_range = 0;
  detail::call(&qtensor_half_saturate, values.data(), values.size(), &out_of_range);
  return out_of_range;
}

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_HALVES_HPP
