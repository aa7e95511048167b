// sizes.hpp: dimensions as client code of every age takes them.
#ifndef CAFFE2_QTENSOR_DROPIN_SIZES_HPP
#define CAFFE2_QTENSOR_DROPIN_SIZES_HPP

#include <cstddef>
#include <iterator>
#include <ostream>
#include <vector>

#include "surroundings.hpp"

namespace caffe2 {
CAFFE2_QTENSOR_DROPIN_BEGIN
namespace qtensor_detail {

#if defined(CAFFE2_QTENSOR_STANDALONE)

// Code of any age may be around: a std::vector<int>, as in 2017, that also has the members of the
// at::ArrayRef<int> of later years, and converts to one.
class Sizes : public std::vector<int> {
 public:
  Sizes() = default;
  explicit Sizes(std::size_t count) : std::vector<int>(count) {}
  Sizes& operator=(const std::vector<int>& other) {
    assign(other.begin(), other.end());
    return *this;
  }
  Sizes& operator=(at::ArrayRef<int> other) {
    // `other` may be a part of this.
    std::vector<int> copy = other.vec();
    swap(copy);
    return *this;
  }

  // A copy has elements of its own, which an ArrayRef must not outlive; take sizes().
  operator at::ArrayRef<int>() const&& = delete;

  std::vector<int> vec() const { return *this; }
  bool equals(at::ArrayRef<int> other) const { return at::ArrayRef<int>(*this).equals(other); }
  at::ArrayRef<int> slice(std::size_t first, std::size_t count) const {
    return at::ArrayRef<int>(*this).slice(first, count);
  }
  at::ArrayRef<int> slice(std::size_t first) const {
    return at::ArrayRef<int>(*this).slice(first);
  }
  friend std::ostream& operator<<(std::ostream& out, const Sizes& sizes) {
    return out << at::ArrayRef<int>(sizes);
  }
};

typedef const Sizes& Dims;

#elif CAFFE2_QTENSOR_HAS_ARRAY_REF

typedef std::vector<int> Sizes;

// Refers to the tensor's dimensions, as the at::ArrayRef<int> does that this Caffe2's own class
// returns and that nothing can derive from; code of 2017 may also take it as the vector that they
// are in. A template that deduces the T of an ArrayRef<T> takes sizes().
class Dims {
 public:
  typedef at::ArrayRef<int> Ref;
  typedef Ref::iterator iterator;
  typedef Ref::const_iterator const_iterator;
  typedef int value_type;

  Dims(const Sizes& sizes) : ref_(sizes), sizes_(&sizes) {}
  // From then on it is no vector any more.
  Dims& operator=(Ref other) {
    ref_ = other;
    sizes_ = nullptr;
    return *this;
  }

  operator Ref() const { return ref_; }
  operator const std::vector<int>&() const {
    CAFFE_ENFORCE(sizes_ != nullptr, "These dimensions are no whole vector; take vec().");
    return *sizes_;
  }

  iterator begin() const { return ref_.begin(); }
  iterator end() const { return ref_.end(); }
  const_iterator cbegin() const { return ref_.begin(); }
  const_iterator cend() const { return ref_.end(); }
  std::reverse_iterator<iterator> rbegin() const {
    return std::reverse_iterator<iterator>(end());
  }
  std::reverse_iterator<iterator> rend() const {
    return std::reverse_iterator<iterator>(begin());
  }
  bool empty() const { return ref_.empty(); }
  std::size_t size() const { return ref_.size(); }
  const int* data() const { return ref_.data(); }
  const int& front() const { return ref_.front(); }
  const int& back() const { return ref_.back(); }
  const int& operator[](std::size_t index) const { return ref_[index]; }
  const int& at(std::size_t index) const { return ref_.at(index); }
  bool equals(Ref other) const { return ref_.equals(other); }
  Ref slice(std::size_t first, std::size_t count) const { return ref_.slice(first, count); }
  Ref slice(std::size_t first) const { return ref_.slice(first); }
  std::vector<int> vec() const { return ref_.vec(); }

  friend bool operator==(const Dims& left, const Dims& right) { return left.equals(right.ref_); }
  friend bool operator!=(const Dims& left, const Dims& right) { return !left.equals(right.ref_); }
  friend bool operator==(const Dims& left, Ref right) { return left.equals(right); }
  friend bool operator!=(const Dims& left, Ref right) { return !left.equals(right); }
  friend bool operator==(Ref left, const Dims& right) { return right.equals(left); }
  friend bool operator!=(Ref left, const Dims& right) { return !right.equals(left); }
  friend bool operator==(const Dims& left, const Sizes& right) { return left.equals(right); }
  friend bool operator!=(const Dims& left, const Sizes& right) { return !left.equals(right); }
  friend bool operator==(const Sizes& left, const Dims& right) { return right.equals(left); }
  friend bool operator!=(const Sizes& left, const Dims& right) { return !right.equals(left); }
  friend std::ostream& operator<<(std::ostream& out, const Dims& dims) { return out << dims.ref_; }

 private:
  Ref ref_;
  const Sizes* sizes_;
};

#else

typedef std::vector<int> Sizes;
typedef const std::vector<int>& Dims;

#endif

}  // namespace qtensor_detail
CAFFE2_QTENSOR_DROPIN_END
}  // namespace caffe2

#endif  // CAFFE2_QTENSOR_DROPIN_SIZES_HPP
