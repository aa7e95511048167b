// cpp_floats.cc: floats to codes and back, in C++ containers.
#include "state.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::Bfloat16;
using caffe2_qtensor::Half;
using caffe2_qtensor::NonFinite;
using caffe2_qtensor::QuantizeCounts;
using caffe2_qtensor::QuantizeOptions;
using caffe2_qtensor::Rounding;
using caffe2_qtensor::Scheme;
using caffe2_qtensor::Span;
using caffe2_qtensor::Tensor;
using caffe2_qtensor::TensorRef;

static float widened(float value) { return value; }
static double widened(double value) { return value; }
static float widened(Half value) { return caffe2_qtensor::half_to_float(value.bits); }
static float widened(Bfloat16 value) { return caffe2_qtensor::bfloat16_to_float(value.bits); }

// -4.5, -1.25, 0.25 and 4.5 by steps of a half.
template <class T>
static void there_and_back(const std::vector<T> &values) {
  Tensor tensor({4}, 3, true);
  tensor.set_scale(0.5);
  tensor.quantize(values);
  CHECK(tensor.codes<int64_t>() == (std::vector<int64_t>{-7, -2, 0, 7}));
  QuantizeOptions options;
  options.rounding = Rounding::nearest_away;
  const QuantizeCounts counts = tensor.quantize_counting(values, options);
  CHECK(counts.saturated_low == 1 && counts.saturated_high == 1);
  CHECK(counts.flushed_to_zero == 0 && counts.non_finite == 0);
  CHECK(tensor.quantize_counting(values).flushed_to_zero == 1);
  tensor.quantize(Span<const T>(values.data(), values.size()), options);
  CHECK(tensor.codes<int64_t>() == (std::vector<int64_t>{-7, -3, 1, 7}));
  const double expected[4] = {-3.5, -1.5, 0.5, 3.5};
  const std::vector<T> back = TensorRef(tensor).dequantize<T>(2);
  std::array<T, 4> array;
  tensor.dequantize(array);
  for (size_t i = 0; i < 4; i++) {
    CHECK(static_cast<double>(widened(back[i])) == expected[i]);
    CHECK(static_cast<double>(widened(array[i])) == expected[i]);
  }
  const std::vector<T> two(values.begin(), values.begin() + 2);
  REFUSED(tensor, QTENSOR_SHAPE_MISMATCH, "is 2", tensor.quantize(two));
  REFUSED(tensor, QTENSOR_SHAPE_MISMATCH, "is 2", tensor.quantize_counting(two));
  std::vector<T> room(5);
  REFUSED(tensor, QTENSOR_SHAPE_MISMATCH, "is 5", tensor.dequantize(room, 3));
}

static void every_type() {
  there_and_back<float>({-4.5f, -1.25f, 0.25f, 4.5f});
  there_and_back<double>({-4.5, -1.25, 0.25, 4.5});
  std::vector<Half> halves;
  std::vector<Bfloat16> bfloats;
  for (const float value : {-4.5f, -1.25f, 0.25f, 4.5f}) {
    halves.push_back(Half{caffe2_qtensor::half_from_float(value)});
    bfloats.push_back(Bfloat16{caffe2_qtensor::bfloat16_from_float(value)});
  }
  there_and_back(halves);
  there_and_back(bfloats);
}

static void every_option() {
  Tensor tensor({3}, 2);
  tensor.quantize({0.2, 1, 9});
  CHECK(tensor.codes<uint8_t>() == (std::vector<uint8_t>{0, 1, 3}));
  CHECK(tensor.dequantize() == (std::vector<float>{0, 1, 3}));
  tensor.quantize({0, 1, 2}, QuantizeOptions());
  QuantizeOptions options;
  options.rounding = Rounding::ceil;
  tensor.quantize({0.2, 1, 9}, options);
  CHECK(tensor.codes<uint8_t>() == (std::vector<uint8_t>{1, 1, 3}));
  options = QuantizeOptions();
  options.scheme = Scheme::dorefa_activations;
  tensor.quantize({0.25, 0.5, 1}, options);
  CHECK(tensor.scale() == 1.0 / 3 && tensor.bias() == 0);
  CHECK(tensor.codes<uint8_t>() == (std::vector<uint8_t>{1, 2, 3}));
  options.scheme = Scheme::dorefa_weights;
  tensor.quantize({-1, 0, 1}, options);
  CHECK(tensor.scale() == 2.0 / 3 && tensor.bias() == -1.5);

  options = QuantizeOptions();
  const float infinity = std::numeric_limits<float>::infinity();
  const float values[3] = {1, -infinity, infinity};
  REFUSED(tensor, QTENSOR_NON_FINITE, "index 1 is -inf", tensor.quantize(values, options));
  options.non_finite = NonFinite::saturate;
  CHECK(tensor.quantize_counting(values, options).non_finite == 2);

  options.rounding = static_cast<Rounding>(9);
  REFUSED(tensor, QTENSOR_INVALID_ARGUMENT, "rounding is 9", tensor.quantize(values, options));
  tensor.set_scale(-1);
  REFUSED(tensor, QTENSOR_INVALID_ARGUMENT, "scale is -1.0", tensor.quantize({1, 2, 3}));
  Tensor none(nullptr);
  THROWS(QTENSOR_NULL_ARGUMENT, "tensor", none.quantize({1, 2}));
  THROWS(QTENSOR_NULL_ARGUMENT, "tensor", none.dequantize<double>());
}

static void seeds_and_threads() {
  const std::vector<float> values(200000, 0.5f);
  Tensor one({200000}, 4), other({200000}, 4);
  QuantizeOptions options;
  options.rounding = Rounding::stochastic;
  options.seed = 7;
  one.quantize(values, options);
  options.threads = 3;
  other.quantize(values, options);
  CHECK(state_of(one) == state_of(other));
  options.seed = 8;
  other.quantize(values, options);
  CHECK(state_of(one) != state_of(other));
}

int main(int argc, char **argv) {
  begin(argc, argv);
  every_type();
  every_option();
  seeds_and_threads();
  return done();
}
