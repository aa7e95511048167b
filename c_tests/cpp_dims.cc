// cpp_dims.cc: dimensions of every integer type, and what is none.
#include "check.hpp"

#include <array>
#include <limits>
#include <list>
#include <string>
#include <type_traits>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::Dims;
using caffe2_qtensor::Span;
using caffe2_qtensor::Tensor;

static_assert(!std::is_convertible<std::vector<bool>, Dims>::value, "truth values");
static_assert(!std::is_convertible<std::vector<char>, Dims>::value, "characters");
static_assert(!std::is_convertible<std::string, Dims>::value, "characters");
static_assert(!std::is_convertible<const char (&)[4], Dims>::value, "characters");
static_assert(!std::is_convertible<std::vector<float>, Dims>::value, "fractions");
static_assert(!std::is_convertible<std::vector<double>, Dims>::value, "fractions");
static_assert(!std::is_convertible<int, Dims>::value, "a number is no list of them");
typedef caffe2_qtensor::detail::Dimension Dimension;
static_assert(!std::is_convertible<bool, Dimension>::value, "truth values");
static_assert(!std::is_convertible<char, Dimension>::value, "characters");
static_assert(!std::is_convertible<char16_t, Dimension>::value, "characters");
static_assert(!std::is_convertible<double, Dimension>::value, "fractions");

static bool is_2_3(const Dims &dims) {
  return dims.size() == 2 && dims.data()[0] == 2 && dims.data()[1] == 3 &&
         dims.end() - dims.begin() == 2;
}

// Only what does not fit throws; a dimension that makes no sense is the library's to refuse.
template <class T>
static void extremes_of() {
  const T least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
  const Dims low(std::vector<T>(1, least));
  CHECK(low.size() == 1 && low.data()[0] == static_cast<int64_t>(least));
  CHECK(Dims{least}.data()[0] == static_cast<int64_t>(least));
  if (static_cast<uint64_t>(most) <= static_cast<uint64_t>(INT64_MAX)) {
    CHECK(Dims{most}.data()[0] == static_cast<int64_t>(most));
    CHECK(Dims(std::vector<T>(1, most)).data()[0] == static_cast<int64_t>(most));
  } else {
    const T limit = static_cast<T>(INT64_MAX), above = static_cast<T>(limit + 1);
    CHECK(Dims{limit}.data()[0] == INT64_MAX);
    THROWS(QTENSOR_OVERFLOW, "index 1 is 18446744073709551615", Dims{1, most});
    SAYS("limit of 9223372036854775807");
    THROWS(QTENSOR_OVERFLOW, "index 2 is 9223372036854775808", Dims{1, 2, above});
    THROWS(QTENSOR_OVERFLOW, "index 0", Dims(std::vector<T>(1, most)));
    const T array[] = {0, above};
    THROWS(QTENSOR_OVERFLOW, "index 1", Dims(array));
    THROWS(QTENSOR_OVERFLOW, "index 1", Tensor({1, most}, 8));
  }
}

template <class T>
static void every_form_of() {
  const T array[] = {2, 3};
  const std::vector<T> vector(array, array + 2);
  const std::array<T, 2> std_array = {{2, 3}};
  const std::initializer_list<T> list = {2, 3};
  std::vector<T> mutable_vector = vector;
  CHECK(is_2_3(array) && is_2_3(vector) && is_2_3(std_array) && is_2_3(list));
  CHECK(is_2_3(mutable_vector) && is_2_3(std::vector<T>(vector)));
  CHECK(is_2_3(std::list<T>(vector.begin(), vector.end())));
  CHECK(is_2_3(Span<const T>(vector)) && is_2_3(Span<T>(mutable_vector)));
  CHECK(is_2_3({array[0], array[1]}));
  CHECK(Tensor(array, 8).size() == 6 && Tensor(vector, 8).size() == 6);
  CHECK(Tensor({array[0], array[1]}, 8).size() == 6);
  extremes_of<T>();
}

static void mixed_lists() {
  const size_t n = 2;
  const unsigned char byte = 5;
  CHECK(is_2_3({n, 3}) && is_2_3({short{2}, 3ull}));
  CHECK(is_2_3(Dims{2, 3}) && is_2_3(Dims({2, 3})) && is_2_3(Dims(Dims{2, 3})));
  CHECK(Tensor({n, 3, int64_t{4}, byte}, 8).size() == 120);
  CHECK(Dims().size() == 0 && Dims({}).size() == 0 && Dims{}.begin() == Dims{}.end());
  CHECK(Dims(std::vector<int>()).size() == 0);
  Dims dims = {2, 3};
  const Dims copy(dims);
  CHECK(is_2_3(copy) && is_2_3(dims));
  Tensor tensor({4}, 8);
  tensor.resize(dims);
  tensor.resize(Tensor({2, 3}, 8).dims());
  CHECK(tensor.ndim() == 2 && tensor.size() == 6);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  every_form_of<signed char>();
  every_form_of<unsigned char>();
  every_form_of<short>();
  every_form_of<unsigned short>();
  every_form_of<int>();
  every_form_of<unsigned int>();
  every_form_of<long>();
  every_form_of<unsigned long>();
  every_form_of<long long>();
  every_form_of<unsigned long long>();
  mixed_lists();
  return done();
}
