// array_ref.hpp: at::ArrayRef where there is no Caffe2 to bring it.
//
// Only for CAFFE2_QTENSOR_STANDALONE: client code of 2018 and later names this class.
#ifndef CAFFE2_QTENSOR_DROPIN_ARRAY_REF_HPP
#define CAFFE2_QTENSOR_DROPIN_ARRAY_REF_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#include "enforce_not_met.hpp"

namespace c10 {

// Elements that lie one after another and belong to somebody else, whom they must not outlive.
template <class T>
class ArrayRef {
 public:
  typedef const T* iterator;
  typedef const T* const_iterator;
  typedef std::size_t size_type;
  typedef T value_type;
  typedef std::reverse_iterator<iterator> reverse_iterator;

  ArrayRef() noexcept : data_(nullptr), size_(0) {}
  ArrayRef(const T& one) noexcept : data_(&one), size_(1) {}
  ArrayRef(const T* data, std::size_t size) noexcept : data_(data), size_(size) {}
  ArrayRef(const T* begin, const T* end) noexcept
      : data_(begin), size_(static_cast<std::size_t>(end - begin)) {}
  template <class Allocator>
  ArrayRef(const std::vector<T, Allocator>& vector) noexcept
      : data_(vector.data()), size_(vector.size()) {}
  template <std::size_t N>
  ArrayRef(const std::array<T, N>& array) noexcept : data_(array.data()), size_(N) {}
  template <std::size_t N>
  ArrayRef(const T (&array)[N]) noexcept : data_(array), size_(N) {}
  // For arguments: a list lives as long as the call that it is written in.
  ArrayRef(const std::initializer_list<T>& list) noexcept : size_(list.size()) {
    data_ = list.size() == 0 ? nullptr : list.begin();
  }

  iterator begin() const noexcept { return data_; }
  iterator end() const noexcept { return data_ + size_; }
  const_iterator cbegin() const noexcept { return begin(); }
  const_iterator cend() const noexcept { return end(); }
  reverse_iterator rbegin() const noexcept { return reverse_iterator(end()); }
  reverse_iterator rend() const noexcept { return reverse_iterator(begin()); }
  bool empty() const noexcept { return size_ == 0; }
  const T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  const T& operator[](std::size_t index) const { return data_[index]; }

  const T& at(std::size_t index) const {
    if (index >= size_) {
      Refuse("Index " + std::to_string(index) + " is beyond the end of an ArrayRef of size " +
             std::to_string(size_) + ".");
    }
    return data_[index];
  }
  const T& front() const { return at(0); }
  const T& back() const { return at(size_ - 1); }

  bool equals(ArrayRef other) const {
    return size_ == other.size_ && std::equal(begin(), end(), other.begin());
  }
  // `count` elements from `first` on.
  ArrayRef slice(std::size_t first, std::size_t count) const {
    if (first > size_ || count > size_ - first) {
      Refuse("A slice of " + std::to_string(count) + " elements from " + std::to_string(first) +
             " on goes beyond the end of an ArrayRef of size " + std::to_string(size_) + ".");
    }
    return ArrayRef(data_ + first, count);
  }
  ArrayRef slice(std::size_t first) const {
    return slice(first, first > size_ ? 0 : size_ - first);
  }
  std::vector<T> vec() const { return std::vector<T>(begin(), end()); }

 private:
  [[noreturn]] static void Refuse(const std::string& message) {
    throw Error(::caffe2_qtensor::Error(QTENSOR_OUT_OF_RANGE, message));
  }

  const T* data_;
  std::size_t size_;
};

template <class T>
bool operator==(ArrayRef<T> left, ArrayRef<T> right) {
  return left.equals(right);
}
template <class T>
bool operator!=(ArrayRef<T> left, ArrayRef<T> right) {
  return !left.equals(right);
}
template <class T>
bool operator==(const std::vector<T>& left, ArrayRef<T> right) {
  return right.equals(left);
}
template <class T>
bool operator!=(const std::vector<T>& left, ArrayRef<T> right) {
  return !right.equals(left);
}
template <class T>
bool operator==(ArrayRef<T> left, const std::vector<T>& right) {
  return left.equals(right);
}
template <class T>
bool operator!=(ArrayRef<T> left, const std::vector<T>& right) {
  return !left.equals(right);
}

template <class T>
std::ostream& operator<<(std::ostream& out, ArrayRef<T> list) {
  const char* between = "[";
  for (const T& element : list) {
    out << between << element;
    between = ", ";
  }
  return out << (list.empty() ? "[]" : "]");
}

typedef ArrayRef<std::int64_t> IntArrayRef;

}  // namespace c10

namespace at {
using c10::ArrayRef;
using c10::IntArrayRef;
}  // namespace at

#endif  // CAFFE2_QTENSOR_DROPIN_ARRAY_REF_HPP
