// span.hpp: elements that lie one after another and belong to somebody else.
#ifndef CAFFE2_QTENSOR_SPAN_HPP
#define CAFFE2_QTENSOR_SPAN_HPP

#include <cstddef>
#include <type_traits>
#include <utility>

namespace caffe2_qtensor {
namespace detail {

// Whether a container's data() points to elements that may be seen as T: the same type, const
// added at most.
template <class Container, class T>
class HoldsInARow {
  template <class Other>
  static typename std::is_convertible<
      typename std::remove_pointer<decltype(std::declval<Other&>().data())>::type (*)[],
      T (*)[]>::type
  test(decltype(std::declval<Other&>().size()));
  template <class>
  static std::false_type test(...);

 public:
  static const bool value = decltype(test<Container>(0))::value;
};

}  // namespace detail

// A pointer and a number of elements, copied freely and valid as long as what it points into.
// Made from arrays and from anything with data() and size(), such as std::vector, std::array,
// std::string and another Span. Elements are not checked: [] takes an index below size().
template <class T>
class Span {
 public:
  typedef T element_type;
  typedef typename std::remove_cv<T>::type value_type;
  typedef T* iterator;
  typedef T* const_iterator;

  Span() noexcept : data_(nullptr), size_(0) {}
  Span(T* data, std::size_t size) noexcept : data_(data), size_(size) {}

  template <std::size_t N>
  Span(T (&array)[N]) noexcept : data_(array), size_(N) {}

  template <class Container, class = typename std::enable_if<
                                 detail::HoldsInARow<Container, T>::value>::type>
  Span(Container& container) noexcept : data_(container.data()), size_(container.size()) {}

  template <class Container, class = typename std::enable_if<
                                 detail::HoldsInARow<const Container, T>::value>::type>
  Span(const Container& container) noexcept : data_(container.data()), size_(container.size()) {}

  T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T& operator[](std::size_t index) const { return data_[index]; }
  T* begin() const noexcept { return data_; }
  T* end() const noexcept { return data_ + size_; }

 private:
  T* data_;
  std::size_t size_;
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_SPAN_HPP
