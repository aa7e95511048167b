// cpp_fixed.cc: fixed-point arithmetic.
#include "check.hpp"

#include <limits>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::FixedOptions;
using caffe2_qtensor::FixedRounding;
using caffe2_qtensor::Tensor;
using caffe2_qtensor::TensorRef;

typedef std::vector<int64_t> Codes;

int main(int argc, char **argv) {
  begin(argc, argv);
  Tensor a({2, 3}, 4, true), b({2, 3}, 8), out({2, 3}, 8, true);
  a.write_codes({1, -3, 15, -15, 0, 7});
  b.write_codes({0, 1, 2, 3, 254, 255});
  out.set_scale(2);
  FixedOptions dnnlowp;
  dnnlowp.rounding = FixedRounding::dnnlowp;
  dnnlowp.threads = 2;

  caffe2_qtensor::requantize(a, out);
  CHECK((out.codes<int64_t>() == Codes{0, -2, 8, -8, 0, 4}));
  caffe2_qtensor::requantize(TensorRef(a), out, dnnlowp);
  CHECK((out.codes<int64_t>() == Codes{1, -1, 8, -7, 0, 4}));
  caffe2_qtensor::relu(a, out);
  CHECK((out.codes<int64_t>() == Codes{0, 0, 8, 0, 0, 4}));
  caffe2_qtensor::clamp(a, -4, std::numeric_limits<double>::infinity(), out);
  CHECK((out.codes<int64_t>() == Codes{0, -2, 8, -2, 0, 4}));
  caffe2_qtensor::add(a, b, out);
  CHECK((out.codes<int64_t>() == Codes{0, -1, 8, -6, 127, 131}));
  caffe2_qtensor::multiply(a, b, out);
  CHECK((out.codes<int64_t>() == Codes{0, -2, 15, -22, 0, 255}));
  caffe2_qtensor::multiply(a, a, out, dnnlowp);
  CHECK((out.codes<int64_t>() == Codes{1, 5, 113, 113, 0, 25}));

  CHECK(caffe2_qtensor::dot_codes(a, b) == -3 + 30 - 45 + 7 * 255);
  a.set_scale(0.5);
  CHECK(caffe2_qtensor::dot(a, b) == 0.5 * (-3 + 30 - 45 + 7 * 255));
  CHECK((caffe2_qtensor::argmax(a) == Codes{2, 2}));
  a.set_scale(-0.5);
  int64_t indices[2];
  caffe2_qtensor::argmax(a, indices);
  CHECK(indices[0] == 1 && indices[1] == 0);

  THROWS(QTENSOR_INVALID_ARGUMENT, "'x' and 'out'", caffe2_qtensor::requantize(out, out));
  THROWS(QTENSOR_INVALID_ARGUMENT, "'b' and 'out'", caffe2_qtensor::add(a, out, out));
  THROWS(QTENSOR_UNSUPPORTED, "dnnlowp", caffe2_qtensor::add(a, b, out, dnnlowp));
  THROWS(QTENSOR_SHAPE_MISMATCH, "'b'", caffe2_qtensor::dot(a, Tensor({3, 2}, 4)));
  THROWS(QTENSOR_INVALID_ARGUMENT, "elements", caffe2_qtensor::argmax(Tensor({2, 0}, 4)));
  THROWS(QTENSOR_INVALID_ARGUMENT, "elements", caffe2_qtensor::argmax(Tensor()));
  return done();
}
