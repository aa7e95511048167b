// ArrayRef.h: elements of somebody else's, with the operations that clients have there and with no
// more: there is no way to a std::vector but vec().
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <ostream>
#include <vector>

#include "c10/util/Exception.h"

namespace c10 {

template <class T>
class ArrayRef final {
 public:
  using iterator = const T *;
  using const_iterator = const T *;
  using size_type = std::size_t;
  using value_type = T;
  using reverse_iterator = std::reverse_iterator<iterator>;

  constexpr ArrayRef() : data_(nullptr), size_(0) {}
  constexpr ArrayRef(const T &one) : data_(&one), size_(1) {}
  constexpr ArrayRef(const T *data, std::size_t size) : data_(data), size_(size) {}
  constexpr ArrayRef(const T *begin, const T *end)
      : data_(begin), size_(static_cast<std::size_t>(end - begin)) {}
  template <class Allocator>
  ArrayRef(const std::vector<T, Allocator> &vector) : data_(vector.data()), size_(vector.size()) {}
  template <std::size_t N>
  ArrayRef(const std::array<T, N> &array) : data_(array.data()), size_(N) {}
  template <std::size_t N>
  constexpr ArrayRef(const T (&array)[N]) : data_(array), size_(N) {}
  ArrayRef(const std::initializer_list<T> &list) : data_(nullptr), size_(list.size()) {
    data_ = list.begin();
  }

  constexpr iterator begin() const { return data_; }
  constexpr iterator end() const { return data_ + size_; }
  constexpr const_iterator cbegin() const { return data_; }
  constexpr const_iterator cend() const { return data_ + size_; }
  reverse_iterator rbegin() const { return reverse_iterator(end()); }
  reverse_iterator rend() const { return reverse_iterator(begin()); }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const T *data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr const T &operator[](std::size_t index) const { return data_[index]; }

  const T &at(std::size_t index) const {
    CAFFE_ENFORCE(index < size_, "ArrayRef: index ", index, ", size ", size_);
    return data_[index];
  }
  const T &front() const { return at(0); }
  const T &back() const { return at(size_ - 1); }
  bool equals(ArrayRef other) const {
    return size_ == other.size_ && std::equal(begin(), end(), other.begin());
  }
  ArrayRef slice(std::size_t first, std::size_t count) const {
    CAFFE_ENFORCE(first + count <= size_, "ArrayRef: slice ", first, ", ", count);
    return ArrayRef(data_ + first, count);
  }
  ArrayRef slice(std::size_t first) const { return slice(first, size_ - first); }
  std::vector<T> vec() const { return std::vector<T>(begin(), end()); }

 private:
  const T *data_;
  std::size_t size_;
};

// Templates convert nothing, so that each pair has its own.
template <class T>
bool operator==(ArrayRef<T> left, ArrayRef<T> right) {
  return left.equals(right);
}
template <class T>
bool operator!=(ArrayRef<T> left, ArrayRef<T> right) {
  return !left.equals(right);
}
template <class T>
bool operator==(const std::vector<T> &left, ArrayRef<T> right) {
  return ArrayRef<T>(left).equals(right);
}
template <class T>
bool operator!=(const std::vector<T> &left, ArrayRef<T> right) {
  return !ArrayRef<T>(left).equals(right);
}
template <class T>
bool operator==(ArrayRef<T> left, const std::vector<T> &right) {
  return left.equals(right);
}
template <class T>
bool operator!=(ArrayRef<T> left, const std::vector<T> &right) {
  return !left.equals(right);
}

template <class T>
std::ostream &operator<<(std::ostream &out, ArrayRef<T> list) {
  out << '[';
  for (std::size_t i = 0; i < list.size(); i++) {
    out << (i == 0 ? "" : ", ") << list[i];
  }
  return out << ']';
}

using IntArrayRef = ArrayRef<std::int64_t>;

}  // namespace c10

namespace at {
using namespace c10;
}  // namespace at
