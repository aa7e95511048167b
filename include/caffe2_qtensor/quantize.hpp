// quantize.hpp: how floats become codes, and the types of floats that do.
#ifndef CAFFE2_QTENSOR_QUANTIZE_HPP
#define CAFFE2_QTENSOR_QUANTIZE_HPP

#include <cstddef>
#include <cstdint>

#include "error.hpp"
#include "span.hpp"

namespace caffe2_qtensor {

// A half-precision number by its bits; half_from_float() and half_to_float() make and read them.
struct Half {
  std::uint16_t bits;
};

// The same for bfloat16.
struct Bfloat16 {
  std::uint16_t bits;
};

// Which quantizer; the comments of the QTENSOR_SCHEME_ constants say what each does.
enum class Scheme : std::int32_t {
  parameters = QTENSOR_SCHEME_PARAMETERS,
  dorefa_activations = QTENSOR_SCHEME_DOREFA_ACTIVATIONS,
  dorefa_weights = QTENSOR_SCHEME_DOREFA_WEIGHTS
};

// How a position between two codes becomes one of them, as the QTENSOR_ROUND_ constants say.
enum class Rounding : std::int32_t {
  nearest_even = QTENSOR_ROUND_NEAREST_EVEN,
  nearest_away = QTENSOR_ROUND_NEAREST_AWAY,
  floor = QTENSOR_ROUND_FLOOR,
  ceil = QTENSOR_ROUND_CEIL,
  toward_zero = QTENSOR_ROUND_TOWARD_ZERO,
  stochastic = QTENSOR_ROUND_STOCHASTIC,
  caffe2 = QTENSOR_ROUND_CAFFE2
};

// What happens to NaN and infinities: the call is refused, or infinities take the lowest or the
// highest code and NaN takes code 0.
enum class NonFinite : std::int32_t {
  refuse = QTENSOR_NON_FINITE_REFUSE,
  saturate = QTENSOR_NON_FINITE_SATURATE
};

// What Tensor::quantize() is asked for; the comments of qtensor_quantize_options_t say what each of
// them does.
struct QuantizeOptions {
  Scheme scheme = Scheme::parameters;
  Rounding rounding = Rounding::nearest_even;
  std::uint64_t seed = 0;
  NonFinite non_finite = NonFinite::refuse;
  std::uint32_t threads = 1;
};

// What became of the values; each counts in one member at most.
struct QuantizeCounts {
  // Finite values whose code would have been below the lowest one, or above the highest; in a
  // logarithmic tensor, whose magnitude would have been below 1, or above the highest.
  std::uint64_t saturated_low;
  std::uint64_t saturated_high;
  // Values other than 0 that were rounded to the code that stands for 0.
  std::uint64_t flushed_to_zero;
  // NaN and infinities.
  std::uint64_t non_finite;
};

namespace detail {

// The calls for a type, and the type that they take it as.
template <class T, class Bits,
          qtensor_status (*quantize_call)(qtensor_t*, const Bits*, std::size_t,
                                          const qtensor_quantize_options_t*,
                                          qtensor_quantize_counts_t*, qtensor_error_t**),
          qtensor_status (*dequantize_call)(const qtensor_t*, Bits*, std::size_t, std::uint32_t,
                                            qtensor_error_t**)>
struct FloatCallsOf {
  static_assert(sizeof(T) == sizeof(Bits), "a type is its bits");

  static void quantize(qtensor_t* tensor, Span<const T> values, const QuantizeOptions& options,
                       qtensor_quantize_counts_t* counts) {
    const qtensor_quantize_options_t asked = {
        sizeof asked,
        options.seed,
        static_cast<std::int32_t>(options.scheme),
        static_cast<std::int32_t>(options.rounding),
        static_cast<std::int32_t>(options.non_finite),
        options.threads,
    };
    call(quantize_call, tensor, reinterpret_cast<const Bits*>(values.data()), values.size(), &asked,
         counts);
  }

  static void dequantize(const qtensor_t* tensor, Span<T> values, std::uint32_t threads) {
    call(dequantize_call, tensor, reinterpret_cast<Bits*>(values.data()), values.size(), threads);
  }
};

template <class T>
struct FloatCalls;
template <>
struct FloatCalls<float>
    : FloatCallsOf<float, float, &qtensor_quantize, &qtensor_dequantize> {};
template <>
struct FloatCalls<double>
    : FloatCallsOf<double, double, &qtensor_quantize_f64, &qtensor_dequantize_f64> {};
template <>
struct FloatCalls<Half>
    : FloatCallsOf<Half, std::uint16_t, &qtensor_quantize_f16, &qtensor_dequantize_f16> {};
template <>
struct FloatCalls<Bfloat16>
    : FloatCallsOf<Bfloat16, std::uint16_t, &qtensor_quantize_bf16, &qtensor_dequantize_bf16> {};

template <class T>
QuantizeCounts quantize_counting(qtensor_t* tensor, Span<const T> values,
                                 const QuantizeOptions& options) {
  qtensor_quantize_counts_t counts;
  counts.struct_size = sizeof counts;
  FloatCalls<T>::quantize(tensor, values, options, &counts);
  return QuantizeCounts{counts.saturated_low, counts.saturated_high, counts.flushed_to_zero,
                        counts.non_finite};
}

}  // namespace detail
}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_QUANTIZE_HPP
