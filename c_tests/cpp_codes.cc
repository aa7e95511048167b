// cpp_codes.cc: codes, bits, planes and channels, in and out of C++ containers.
#include "state.hpp"

#include <array>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::Span;
using caffe2_qtensor::Tensor;
using caffe2_qtensor::TensorRef;
using caffe2_qtensor::View;

static_assert(std::is_convertible<std::vector<int> &, Span<const int>>::value, "to read");
static_assert(std::is_convertible<std::vector<int> &, Span<int>>::value, "to write");
static_assert(!std::is_convertible<const std::vector<int> &, Span<int>>::value, "const");
static_assert(std::is_convertible<Span<int>, Span<const int>>::value, "to read");
static_assert(!std::is_convertible<Span<const int>, Span<int>>::value, "const");
static_assert(!std::is_convertible<std::vector<short> &, Span<const int>>::value, "no copies");
static_assert(!std::is_convertible<std::vector<bool> &, Span<const bool>>::value, "no elements");
static_assert(std::is_same<decltype(std::declval<Tensor &>().planes()), Span<const uint8_t>>::value,
              "planes are written through mutable_planes()");

template <class T>
static void codes_of(Tensor &tensor, const std::vector<T> &codes) {
  tensor.write_codes(codes);
  CHECK(tensor.codes<T>() == codes);
  std::vector<T> read(codes.size());
  tensor.read_codes(read);
  CHECK(read == codes);
  const std::vector<T> zeros(codes.size());
  tensor.write_codes(zeros);
  T array[3] = {1, 1, 1};
  tensor.read_codes(array);
  CHECK(array[0] == 0 && array[1] == 0 && array[2] == 0);
  tensor.write_codes(Span<const T>(codes.data(), codes.size()));
  TensorRef(tensor).read_codes(Span<T>(array));
  CHECK(std::vector<T>(array, array + 3) == codes);
  std::array<T, 2> two = {{9, 9}};
  REFUSED(tensor, QTENSOR_SHAPE_MISMATCH, "2", tensor.write_codes(two));
  REFUSED(tensor, QTENSOR_SHAPE_MISMATCH, "2", tensor.read_codes(two));
  CHECK(two[0] == 9 && two[1] == 9);
}

static void codes_of_every_type() {
  Tensor tensor({3}, 7, true), bytes({3}, 8), wide({3}, 63, true);
  codes_of<int64_t>(tensor, {1, -127, 127});
  codes_of<int32_t>(tensor, {1, -127, 127});
  codes_of<int8_t>(tensor, {1, -127, 127});
  codes_of<uint8_t>(bytes, {1, 0, 255});
  codes_of<int64_t>(wide, {1, -INT64_MAX, INT64_MAX});
  REFUSED(wide, QTENSOR_UNSUPPORTED, "63", wide.codes<int32_t>());
  REFUSED(wide, QTENSOR_UNSUPPORTED, "63", wide.codes<int8_t>());
  REFUSED(wide, QTENSOR_UNSUPPORTED, "63", wide.codes<uint8_t>());
  REFUSED(bytes, QTENSOR_OUT_OF_RANGE, "256", bytes.write_codes({0, 0, 256}));
  tensor.write_codes({5, -6, 7});
  CHECK(tensor.codes<int32_t>() == (std::vector<int32_t>{5, -6, 7}));
  Tensor two({2}, 3);
  two.write_codes({0, 5});
  CHECK(two.codes<uint8_t>() == (std::vector<uint8_t>{0, 5}));
}

static void bits() {
  Tensor tensor({9}, 4, true);
  CHECK(tensor.planes().empty() && !tensor.get_bit(4, 8) && !tensor.view().bit(4, 8));
  CHECK(!tensor.view().bit_unchecked(4, 8) && tensor.view().data() == nullptr);
  tensor.set_bit(4, 8, true);
  tensor.set_bit(0, 1, true);
  const View view = tensor.view();
  CHECK(view.size() == 9 && view.precision() == 4 && view.is_signed());
  CHECK(view.plane_count() == 5 && view.plane_stride() == 2);
  CHECK(view.data() == tensor.planes().data() && TensorRef(tensor).view().data() == view.data());
  for (int bit = 0; bit < 5; bit++) {
    for (size_t i = 0; i < 9; i++) {
      const bool expected = (bit == 4 && i == 8) || (bit == 0 && i == 1);
      CHECK(tensor.get_bit(bit, i) == expected && view.bit(bit, i) == expected);
      CHECK(view.bit_unchecked(bit, i) == expected);
    }
  }
  tensor.set_bit(4, 8, false);
  CHECK(!tensor.get_bit(4, 8));

  // 256 would wrap to bit 0, which is there.
  static const int bad[] = {-1, 5, 255, 256, 260, std::numeric_limits<int>::min()};
  for (int bit : bad) {
    const std::string said = std::to_string(bit) + ", outside the range 0 to 4.";
    REFUSED(tensor, QTENSOR_OUT_OF_RANGE, said.c_str(), tensor.get_bit(bit, 1));
    REFUSED(tensor, QTENSOR_OUT_OF_RANGE, said.c_str(), tensor.set_bit(bit, 1, true));
    REFUSED(tensor, QTENSOR_OUT_OF_RANGE, said.c_str(), view.bit(bit, 1));
  }
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "9", tensor.get_bit(0, 9));
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "9", tensor.set_bit(0, 9, true));
  THROWS(QTENSOR_OUT_OF_RANGE, "index is 9, outside the range 0 to 8.", view.bit(0, 9));
  THROWS(QTENSOR_OUT_OF_RANGE, "18446744073709551615", view.bit(0, SIZE_MAX));
  THROWS(QTENSOR_OUT_OF_RANGE, "index is 0, but there is none.",
         Tensor({0}, 3).view().bit(0, 0));
  THROWS(QTENSOR_NULL_ARGUMENT, "NULL", View(nullptr));
  Tensor largest({1}, 255, true);
  largest.set_bit(255, 0, true);
  CHECK(largest.get_bit(255, 0) && largest.view().bit(255, 0) && !largest.view().bit(254, 0));
}

static void planes() {
  Tensor tensor({16}, 2);
  const Span<uint8_t> planes = tensor.mutable_planes();
  CHECK(planes.size() == 4 && planes[0] == 0 && planes[3] == 0);
  planes[2] = 0x80;
  CHECK(tensor.planes().size() == 4 && tensor.planes()[2] == 0x80 && tensor.get_bit(1, 0));
  CHECK(tensor.codes<uint8_t>()[0] == 2);
  tensor.set_signed(true);
  CHECK(tensor.planes().empty());
}

static void channels() {
  Tensor tensor({2, 3}, 4);
  const std::vector<double> scales = {0.5, 0.25, 2}, biases = {1, -1, 0};
  tensor.set_channels(1, scales, biases);
  CHECK(tensor.is_multiparam() && tensor.channel_axis() == 1);
  CHECK(tensor.channel_scales().size() == 3 && tensor.channel_scales()[1] == 0.25);
  CHECK(tensor.channel_biases().size() == 3 && tensor.channel_biases()[1] == -1);
  const double two[] = {1, 2};
  REFUSED(tensor, QTENSOR_SHAPE_MISMATCH, "biases is 2, but there are 3",
          tensor.set_channels(1, scales, two));
  REFUSED(tensor, QTENSOR_SHAPE_MISMATCH, "biases is 3, but there are 2",
          tensor.set_channels(1, two, biases));
  REFUSED(tensor, QTENSOR_SHAPE_MISMATCH, "2", tensor.set_channels(1, two, two));
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "2", tensor.set_channels(2, two, two));
  REFUSED(tensor, QTENSOR_UNSUPPORTED, "", tensor.serialize_int8("w"));
  CHECK(tensor.clone().channel_axis() == 1);
  tensor.clear_channels();
  CHECK(!tensor.is_multiparam() && tensor.channel_scales().empty());
  CHECK(tensor.channel_biases().empty() && tensor.channel_axis() == -1);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  codes_of_every_type();
  bits();
  planes();
  channels();
  return done();
}
