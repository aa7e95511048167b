// choose.hpp: scale and zero point for a range of values, as Caffe2 chose them.
#ifndef CAFFE2_QTENSOR_CHOOSE_HPP
#define CAFFE2_QTENSOR_CHOOSE_HPP

#include <cstdint>

#include "error.hpp"

namespace caffe2_qtensor {

// Which of Caffe2's two choosers is followed; QTENSOR_CHOOSER_QUANT_UTILS and
// QTENSOR_CHOOSER_DNNLOWP in caffe2_qtensor.h say how they differ.
enum class Chooser : std::int32_t {
  quant_utils = QTENSOR_CHOOSER_QUANT_UTILS,
  dnnlowp = QTENSOR_CHOOSER_DNNLOWP
};

// What choose_quantization_params() is asked for; the comments of qtensor_choose_options_t say what
// each of them does.
struct ChooseOptions {
  std::int32_t qmin = 0;
  std::int32_t qmax = 255;
  bool preserve_sparsity = false;
  bool force_scale_power_of_two = false;
  bool reduce_range = false;
  Chooser chooser = Chooser::quant_utils;
  bool mend_defects = false;
};

// A code q stands for scale * (q - zero_point).
struct Chosen {
  double scale;
  std::int32_t zero_point;
};

// The scale and zero point by which codes from qmin to qmax cover values from min to max, bit for
// bit as Caffe2's ChooseQuantizationParams. Throws what qtensor_params_choose() refuses.
inline Chosen choose_quantization_params(float min, float max,
                                         const ChooseOptions& options = ChooseOptions()) {
  const qtensor_choose_options_t asked = {
      sizeof asked,
      options.qmin,
      options.qmax,
      options.preserve_sparsity,
      options.force_scale_power_of_two,
      options.reduce_range,
      static_cast<std::int32_t>(options.chooser),
      options.mend_defects,
      0,
  };
  qtensor_chosen_t chosen;
  chosen.struct_size = sizeof chosen;
  detail::call(&qtensor_params_choose, min, max, &asked, &chosen);
  return Chosen{chosen.scale, chosen.zero_point};
}

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_CHOOSE_HPP
