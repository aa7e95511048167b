// dropin_dims.cc: dimensions of every integer type and in every container, through the drop-in
// header. Each is taken or refused as a number; none is wrapped to an int.
#define CAFFE2_QTENSOR_STANDALONE
#include "dropin_tensor.hpp"

#include <array>
#include <climits>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <limits>
#include <list>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#define REFUSED(tensor, status, text, ...) \
  do { \
    const std::string before_call = state_of(tensor); \
    THROWS((status), (text), __VA_ARGS__); \
    CHECK(state_of(tensor) == before_call); \
  } while (false)

template <class Number>
static void is_refused(Number number, qtensor_status status) {
  CPUTensor tensor({2, 3}, 5);
  tensor.SetBitAtIndex(4, 5, true);
  const std::string said = std::to_string(number);
  REFUSED(tensor, status, said.c_str(), tensor.Resize(number));
  REFUSED(tensor, status, said.c_str(), tensor.Resize({number}));
  REFUSED(tensor, status, said.c_str(), tensor.Resize({0, number}));
  REFUSED(tensor, status, said.c_str(), tensor.Resize({number, Number(0)}));
  REFUSED(tensor, status, said.c_str(), tensor.Resize(std::vector<Number>{Number(1), number}));
  THROWS(status, said.c_str(), CPUTensor({number}, 4));
}

template <class Number>
static void is_a_dimension() {
  const std::vector<int> due = {2, 3};
  const Number two = Number(2), three = Number(3);
  const std::vector<Number> vector = {two, three};
  const Number plain[] = {two, three};
  const std::array<Number, 2> array = {{two, three}};
  const std::initializer_list<Number> list = {two, three};
  CPUTensor tensor(vector, 4);
  CHECK(tensor.dims() == due);
  const auto takes = [&](const CPUTensor &other) {
    CHECK(other.dims() == due && other.size() == 6);
    tensor.Resize({});
  };
  tensor.Resize(vector);
  takes(tensor);
  tensor.Resize(plain);
  takes(tensor);
  tensor.Resize(array);
  takes(tensor);
  tensor.Resize(list);
  takes(tensor);
  tensor.Resize({two, three});
  takes(tensor);
  tensor.Resize({2, three});
  takes(tensor);
  tensor.Resize({vector.begin(), vector.end()});
  takes(tensor);
  tensor.Resize({plain, plain + 2});
  takes(tensor);
  tensor.Resize(at::ArrayRef<Number>(vector));
  takes(tensor);
  tensor.Resize(std::list<Number>(vector.begin(), vector.end()));
  takes(tensor);
  tensor.Resize(std::deque<Number>(vector.begin(), vector.end()));
  takes(tensor);
  tensor.Resize(std::set<Number>(vector.begin(), vector.end()));
  takes(tensor);
  tensor.Resize(three);
  CHECK(tensor.dims() == std::vector<int>{3});
  tensor.Resize({Number(0)});
  CHECK(tensor.dims() == std::vector<int>{0} && tensor.size() == 0);

  // The ends of the type, each a dimension, too large or negative.
  const Number last = std::numeric_limits<Number>::max();
  const Number first = std::numeric_limits<Number>::lowest();
  if (static_cast<unsigned long long>(last) > static_cast<unsigned long long>(INT_MAX)) {
    is_refused(last, QTENSOR_OVERFLOW);
    is_refused(static_cast<Number>(static_cast<unsigned long long>(INT_MAX) + 1),
               QTENSOR_OVERFLOW);
    tensor.Resize({static_cast<Number>(INT_MAX), Number(1)});
    CHECK(tensor.dim32(0) == INT_MAX);
  } else {
    tensor.Resize({last, Number(1)});
    CHECK(static_cast<unsigned long long>(tensor.dim32(0)) ==
          static_cast<unsigned long long>(last));
  }
  if (std::is_signed<Number>::value) {
    is_refused(first, QTENSOR_INVALID_ARGUMENT);
    is_refused(static_cast<Number>(-1), QTENSOR_INVALID_ARGUMENT);
  }
}

enum Plain { kPlain = 6, kNegative = -1 };
enum Wide : uint64_t { kWide = UINT64_MAX, kSmall = 6 };

// Not numbers, and yet integers.
static void other_types() {
  CPUTensor tensor(true, 4);
  CHECK(tensor.dims() == std::vector<int>{1});
  tensor.Resize({true, false, true});
  CHECK(tensor.dims() == std::vector<int>({1, 0, 1}));
  tensor.Resize(std::vector<bool>{true, true});
  CHECK(tensor.dims() == std::vector<int>({1, 1}));
  tensor.Resize(kPlain);
  CHECK(tensor.dims() == std::vector<int>{6});
  tensor.Resize({kPlain, kSmall, 2});
  CHECK(tensor.dims() == std::vector<int>({6, 6, 2}));
  tensor.Resize(std::vector<Wide>{kSmall});
  CHECK(tensor.dims() == std::vector<int>{6});
  tensor.Resize(std::integral_constant<int, 9>());
  CHECK(tensor.dims() == std::vector<int>{9});
  REFUSED(tensor, QTENSOR_INVALID_ARGUMENT, "-1", tensor.Resize(kNegative));
  THROWS(QTENSOR_INVALID_ARGUMENT, "-1", tensor.Resize({2, kNegative}));
  REFUSED(tensor, QTENSOR_OVERFLOW, "18446744073709551615", tensor.Resize(kWide));
  REFUSED(tensor, QTENSOR_OVERFLOW, "18446744073709551615", tensor.Resize({2, kWide}));
  // Caffe2 takes none of these either, or loses something.
  static_assert(!std::is_constructible<CPUTensor, double, int>::value, "no fractions");
  static_assert(!std::is_constructible<CPUTensor, std::nullptr_t, int>::value, "no pointers");
  static_assert(!std::is_constructible<CPUTensor, const char *, int>::value, "no text");
  static_assert(!std::is_convertible<std::vector<int>, CPUTensor>::value, "only when asked to");
}

// Dimensions of the tensor itself, and none at all.
static void borrowed_and_none() {
  CPUTensor tensor({4, 5}, 3);
  tensor.SetBitAtIndex(0, 0, true);
  const unsigned char *const planes = tensor.data();
  tensor.Resize(tensor.dims());
  tensor.Resize(tensor.sizes());
  tensor.Resize({tensor.dim32(0), tensor.dim32(1)});
  CHECK(tensor.data() == planes && tensor.dims() == std::vector<int>({4, 5}));
  tensor.Resize(tensor.dims().slice(1));
  CHECK(tensor.dims() == std::vector<int>{5} && tensor.data() == nullptr);
  tensor.Resize({});
  CHECK(tensor.ndim() == 0 && tensor.size() == 0 && tensor.dims().empty());
  tensor.Resize(std::vector<int>());
  tensor.Resize(at::ArrayRef<int>());
  CHECK(tensor.sizes().empty() && tensor.nbytes() == 0);
  const CPUTensor none({}, 3, true);
  CHECK(none.size() == 0 && none.precision() == 3 && none.is_signed());
}

int main(int argc, char **argv) {
  begin(argc, argv);
  is_a_dimension<signed char>();
  is_a_dimension<unsigned char>();
  is_a_dimension<char>();
  is_a_dimension<short>();
  is_a_dimension<unsigned short>();
  is_a_dimension<int>();
  is_a_dimension<unsigned>();
  is_a_dimension<long>();
  is_a_dimension<unsigned long>();
  is_a_dimension<long long>();
  is_a_dimension<unsigned long long>();
  is_a_dimension<int64_t>();
  is_a_dimension<size_t>();
  is_a_dimension<std::ptrdiff_t>();
  is_a_dimension<wchar_t>();
  is_a_dimension<char16_t>();
  is_a_dimension<char32_t>();
  other_types();
  borrowed_and_none();
  return done();
}
