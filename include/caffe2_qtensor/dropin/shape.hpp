// shape.hpp: dimensions as client code of every age passes them.
#ifndef CAFFE2_QTENSOR_DROPIN_SHAPE_HPP
#define CAFFE2_QTENSOR_DROPIN_SHAPE_HPP

#include <climits>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "sizes.hpp"
#include "surroundings.hpp"

namespace caffe2 {
CAFFE2_QTENSOR_DROPIN_BEGIN
namespace qtensor_detail {

// Anything that converts to an integer, save floating point: integers, enumerations, constants.
template <class Number>
using IfInteger = typename std::enable_if<std::is_convertible<Number, long long>::value &&
                                          !std::is_floating_point<Number>::value>::type;

// One dimension in a braced list.
class Dimension {
 public:
  template <class Number, class = IfInteger<Number>>
  Dimension(const Number& number)
      // Promoted, a truth value and an enumerator are numbers too.
      : value_(Checked(+number, std::is_unsigned<decltype(+number)>())) {}

  std::int64_t value() const noexcept { return value_; }

 private:
  template <class Number>
  static std::int64_t Checked(Number number, std::true_type) {
    if (number > static_cast<unsigned long long>(INT_MAX)) {
      Refuse(::caffe2_qtensor::Error(
          QTENSOR_OVERFLOW, "A dimension is " + std::to_string(number) +
                                "; here dimensions are of type int, at most " +
                                std::to_string(INT_MAX) + "."));
    }
    return static_cast<std::int64_t>(number);
  }
  template <class Number>
  static std::int64_t Checked(Number number, std::false_type) {
    return static_cast<long long>(number);
  }

  std::int64_t value_;
};

// The argument of Resize: what std::vector<int> and at::ArrayRef<int> take, and vectors of the
// other integer types.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<Dimension> list) { Append(list.begin(), list.end()); }
  // A single dimension, as at::ArrayRef<int> takes it.
  template <class Number, class = IfInteger<Number>>
  Shape(Number one) {
    Append(&one, &one + 1);
  }
  template <class Container, class = decltype(std::declval<const Container&>().begin()),
            class = decltype(std::declval<const Container&>().end()), class = void>
  Shape(const Container& dims) {
    Append(dims.begin(), dims.end());
  }
  template <class Number, std::size_t N>
  Shape(const Number (&dims)[N]) {
    Append(dims, dims + N);
  }
  // Braced ends of a range, and a pointer with a number of dimensions.
  template <class Iterator, class = typename std::enable_if<
                                !std::is_integral<Iterator>::value>::type>
  Shape(Iterator begin, Iterator end) {
    Append(begin, end);
  }
  Shape(const int* dims, std::size_t count) { Append(dims, dims + count); }

  const std::int64_t* data() const noexcept { return dims_.data(); }
  std::size_t size() const noexcept { return dims_.size(); }

 private:
  template <class Iterator>
  void Append(Iterator at, Iterator end) {
    for (; at != end; ++at) {
      dims_.push_back(Dimension(*at).value());
    }
  }

  std::vector<std::int64_t> dims_;
};

// Dimensions of the library as client code has them; throws where one is too large for that.
inline Sizes SizesOf(const std::int64_t* dims, std::size_t count) {
  Sizes sizes(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (dims[i] > INT_MAX) {
      Refuse(::caffe2_qtensor::Error(
          QTENSOR_OVERFLOW, "Dimension " + std::to_string(i) + " is " + std::to_string(dims[i]) +
                                "; here dimensions are of type int, at most " +
                                std::to_string(INT_MAX) + "."));
    }
    sizes[i] = static_cast<int>(dims[i]);
  }
  return sizes;
}

}  // namespace qtensor_detail
CAFFE2_QTENSOR_DROPIN_END
}  // namespace caffe2

#endif  // CAFFE2_QTENSOR_DROPIN_SHAPE_HPP
