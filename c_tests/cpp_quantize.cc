// cpp_quantize.cc: chosen parameters, zero points, half precision and convolution arguments in C++.
#include "golden_text.hpp"
#include "state.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::ChooseOptions;
using caffe2_qtensor::Chooser;
using caffe2_qtensor::Chosen;
using caffe2_qtensor::Tensor;
using caffe2_qtensor::TensorRef;
using caffe2_qtensor::choose_quantization_params;
using caffe2_qtensor::conv1d_argument;

static void as_quant_utils_chose() {
  open_golden("choose.txt");
  while (next_line()) {
    const int before = failures;
    const float min = float_of_bits(bits()), max = float_of_bits(bits());
    ChooseOptions options;
    options.qmin = static_cast<int32_t>(integer());
    options.qmax = static_cast<int32_t>(integer());
    options.preserve_sparsity = integer() != 0;
    options.force_scale_power_of_two = integer() != 0;
    options.reduce_range = integer() != 0;
    const bool threw = integer() != 0;
    const double scale = double_of_bits(bits());
    const int64_t zero_point = integer();
    if (threw) {
      THROWS(min <= max ? QTENSOR_OUT_OF_RANGE : QTENSOR_INVALID_ARGUMENT, "",
             choose_quantization_params(min, max, options));
    } else {
      const Chosen chosen = choose_quantization_params(min, max, options);
      CHECK(memcmp(&chosen.scale, &scale, sizeof scale) == 0 && chosen.zero_point == zero_point);
    }
    report_line("choose.txt", before);
  }
  close_golden();
}

static void as_dnnlowp_chose() {
  open_golden("dnnlowp.txt");
  while (next_line()) {
    const int before = failures;
    const float min = float_of_bits(bits()), max = float_of_bits(bits());
    ChooseOptions options;
    options.chooser = Chooser::dnnlowp;
    options.preserve_sparsity = integer() != 0;
    const float scale = float_of_bits(bits());
    const int64_t zero_point = integer();
    const Chosen chosen = choose_quantization_params(min, max, options);
    CHECK(chosen.scale == static_cast<double>(scale) && chosen.zero_point == zero_point);
    report_line("dnnlowp.txt", before);
  }
  close_golden();
}

static void other_options() {
  const Chosen chosen = choose_quantization_params(0, 255);
  CHECK(chosen.scale == 1 && chosen.zero_point == 0);
  ChooseOptions options;
  options.qmax = 1;
  options.force_scale_power_of_two = true;
  CHECK(choose_quantization_params(0, 1e20f, options).scale == 8);
  options.mend_defects = true;
  CHECK(choose_quantization_params(0, 1e20f, options).scale == std::ldexp(1.0, 67));
  options.chooser = static_cast<Chooser>(9);
  THROWS(QTENSOR_INVALID_ARGUMENT, "chooser is 9", choose_quantization_params(0, 1, options));
  THROWS(QTENSOR_NON_FINITE, "maximum",
         choose_quantization_params(0, std::numeric_limits<float>::infinity()));
}

static void zero_points() {
  Tensor tensor({2}, 8);
  tensor.set_zero_point(128);
  CHECK(tensor.bias() == -128 && tensor.zero_point() == 128);
  CHECK(TensorRef(tensor).zero_point() == 128);
  REFUSED(tensor, QTENSOR_NULL_ARGUMENT, "tensor", Tensor(nullptr).set_zero_point(1));
  tensor.set_bias(0.5);
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "bias is 0.5", tensor.zero_point());
  CHECK(caffe2_qtensor::zero_point_of_bias(-3) == 3);
  CHECK(caffe2_qtensor::bias_of_zero_point(3) == -3);
  THROWS(QTENSOR_OUT_OF_RANGE, "bias", caffe2_qtensor::zero_point_of_bias(1e10));
}

static void halves() {
  CHECK(caffe2_qtensor::half_to_float(0x3c00) == 1 && caffe2_qtensor::half_from_float(1) == 0x3c00);
  CHECK(caffe2_qtensor::half_to_float(1) == std::ldexp(1.0f, -24));
  CHECK(caffe2_qtensor::bfloat16_to_float(0xc020) == -2.5f);
  CHECK(caffe2_qtensor::bfloat16_from_float(-2.5f) == 0xc020);
  std::vector<float> values = {1, 1e6f, -1e6f};
  CHECK(caffe2_qtensor::saturate_to_half(values) == 2);
  CHECK(values == (std::vector<float>{1, 65504, -65504}));
}

static void conv1d_arguments() {
  const std::vector<int64_t> one = {3};
  CHECK(conv1d_argument(one, 1)[0] == 1 && conv1d_argument(one, 1)[1] == 3);
  CHECK(conv1d_argument({5, 7}, 0)[0] == 0 && conv1d_argument({5, 7}, 0)[1] == 7);
  THROWS(QTENSOR_OUT_OF_RANGE, "argument is 0", conv1d_argument(std::vector<int64_t>(), 1));
}

int main(int argc, char **argv) {
  begin(argc, argv);
  as_quant_utils_chose();
  as_dnnlowp_chose();
  other_options();
  zero_points();
  halves();
  conv1d_arguments();
  return done();
}
