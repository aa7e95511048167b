// fixed.hpp: fixed-point arithmetic: from codes to codes, dot products, the largest values.
#ifndef CAFFE2_QTENSOR_FIXED_HPP
#define CAFFE2_QTENSOR_FIXED_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include "error.hpp"
#include "span.hpp"
#include "tensor.hpp"
#include "tensor_ref.hpp"

namespace caffe2_qtensor {

// How a position between two codes becomes one of them, as the QTENSOR_FIXED_ constants say.
enum class FixedRounding : std::int32_t {
  nearest = QTENSOR_FIXED_NEAREST,
  dnnlowp = QTENSOR_FIXED_DNNLOWP
};

// What an operation is asked for; the comments of qtensor_fixed_options_t say what each does.
struct FixedOptions {
  FixedRounding rounding = FixedRounding::nearest;
  std::uint32_t threads = 1;
};

namespace detail {

inline qtensor_fixed_options_t fixed_options(const FixedOptions& options) {
  const qtensor_fixed_options_t asked = {sizeof asked, static_cast<std::int32_t>(options.rounding),
                                         options.threads};
  return asked;
}

// The number of rows of a tensor: all dimensions but the last.
inline std::size_t rows(TensorRef x) {
  const Span<const std::int64_t> dims = x.dims();
  const std::int64_t columns = dims.empty() ? 0 : dims[dims.size() - 1];
  return columns <= 0 ? 0 : x.size() / static_cast<std::size_t>(columns);
}

}  // namespace detail

// Operations that fill `out`, which the caller has made with the dimensions of the operands and the
// precision, sign, scale and bias that its codes are to have. The comments of the functions of the C
// interface of the same names say what each does, how far off its codes may be and what it refuses;
// `out` is none of the operands.

inline void requantize(TensorRef x, Tensor& out, const FixedOptions& options = FixedOptions()) {
  const qtensor_fixed_options_t asked = detail::fixed_options(options);
  detail::call(&qtensor_requantize, x.get(), out.get(), &asked);
}

inline void relu(TensorRef x, Tensor& out, const FixedOptions& options = FixedOptions()) {
  const qtensor_fixed_options_t asked = detail::fixed_options(options);
  detail::call(&qtensor_relu, x.get(), out.get(), &asked);
}

// Values outside `low` to `high`, either of which may be infinite, count as the nearer of them.
inline void clamp(TensorRef x, double low, double high, Tensor& out,
                  const FixedOptions& options = FixedOptions()) {
  const qtensor_fixed_options_t asked = detail::fixed_options(options);
  detail::call(&qtensor_clamp, x.get(), low, high, out.get(), &asked);
}

inline void add(TensorRef a, TensorRef b, Tensor& out,
                const FixedOptions& options = FixedOptions()) {
  const qtensor_fixed_options_t asked = detail::fixed_options(options);
  detail::call(&qtensor_add, a.get(), b.get(), out.get(), &asked);
}

inline void multiply(TensorRef a, TensorRef b, Tensor& out,
                     const FixedOptions& options = FixedOptions()) {
  const qtensor_fixed_options_t asked = detail::fixed_options(options);
  detail::call(&qtensor_multiply, a.get(), b.get(), out.get(), &asked);
}

// The sum of the products of values, as qtensor_dot() says, and that of codes, which is exact.
inline double dot(TensorRef a, TensorRef b) {
  double value = 0;
  detail::call(&qtensor_dot, a.get(), b.get(), &value);
  return value;
}
inline std::int64_t dot_codes(TensorRef a, TensorRef b) {
  std::int64_t sum = 0;
  detail::call(&qtensor_dot_codes, a.get(), b.get(), &sum);
  return sum;
}

// For each row, which is all elements along the last dimension, the index of the first element that
// has the largest value: into a buffer of as many as there are rows, or as a vector.
inline void argmax(TensorRef x, Span<std::int64_t> indices) {
  detail::call(&qtensor_argmax, x.get(), indices.data(), indices.size());
}
inline std::vector<std::int64_t> argmax(TensorRef x) {
  std::vector<std::int64_t> indices(detail::rows(x));
  argmax(x, Span<std::int64_t>(indices.data(), indices.size()));
  return indices;
}

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_FIXED_HPP
