// dims.hpp: the dimensions that a call takes, of any integer type.
#ifndef CAFFE2_QTENSOR_DIMS_HPP
#define CAFFE2_QTENSOR_DIMS_HPP

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "error.hpp"

namespace caffe2_qtensor {
namespace detail {

// Truth values and characters are integers to the language, but no dimensions.
template <class T>
struct IsInteger : std::false_type {};
template <>
struct IsInteger<signed char> : std::true_type {};
template <>
struct IsInteger<unsigned char> : std::true_type {};
template <>
struct IsInteger<short> : std::true_type {};
template <>
struct IsInteger<unsigned short> : std::true_type {};
template <>
struct IsInteger<int> : std::true_type {};
template <>
struct IsInteger<unsigned int> : std::true_type {};
template <>
struct IsInteger<long> : std::true_type {};
template <>
struct IsInteger<unsigned long> : std::true_type {};
template <>
struct IsInteger<long long> : std::true_type {};
template <>
struct IsInteger<unsigned long long> : std::true_type {};

// The type of what a container's begin() points to.
template <class Container>
using ElementOf = typename std::decay<decltype(*std::declval<const Container&>().begin())>::type;

// One member of a braced list. It keeps an integer as it is until its index is known.
class Dimension {
 public:
  template <class T, class = typename std::enable_if<IsInteger<T>::value>::type>
  Dimension(T value) noexcept
      : bits_(static_cast<std::uint64_t>(value)),
        fits_(value <= T(0) ||
              bits_ <= static_cast<std::uint64_t>(INT64_MAX)) {}

  std::int64_t at(std::size_t index) const {
    if (!fits_) {
      throw Error(QTENSOR_OVERFLOW,
                  "The dimension at index " + std::to_string(index) + " is " +
                      std::to_string(bits_) + ", above its limit of " +
                      std::to_string(INT64_MAX) + ".");
    }
    return static_cast<std::int64_t>(bits_);
  }

 private:
  std::uint64_t bits_;
  bool fits_;
};

}  // namespace detail

// Dimensions, outermost first: a copy of a braced list of any mix of integer types, or of the
// integers of one type in an array or in anything with begin() and end(). A value above INT64_MAX
// throws QTENSOR_OVERFLOW; all else about a shape is for the call that takes it to refuse.
class Dims {
 public:
  Dims() noexcept {}

  Dims(std::initializer_list<detail::Dimension> dims) { assign(dims.begin(), dims.end()); }

  template <class T, std::size_t N,
            class = typename std::enable_if<detail::IsInteger<T>::value>::type>
  Dims(const T (&dims)[N]) {
    assign(dims, dims + N);
  }

  template <class Container, class = typename std::enable_if<detail::IsInteger<
                                 detail::ElementOf<Container>>::value>::type>
  Dims(const Container& dims) {
    assign(dims.begin(), dims.end());
  }

  const std::int64_t* data() const noexcept { return dims_.data(); }
  std::size_t size() const noexcept { return dims_.size(); }
  const std::int64_t* begin() const noexcept { return dims_.data(); }
  const std::int64_t* end() const noexcept { return dims_.data() + dims_.size(); }

 private:
  template <class Iterator>
  void assign(Iterator begin, Iterator end) {
    for (; begin != end; ++begin) {
      dims_.push_back(detail::Dimension(*begin).at(dims_.size()));
    }
  }

  std::vector<std::int64_t> dims_;
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_DIMS_HPP
