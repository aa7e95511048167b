// caffe2/core/qtensor.h: stands in for Caffe2's header of that name.
//
// Put the folder that holds this `caffe2` before Caffe2's own includes. The include guard is
// Caffe2's, so that its header cannot follow this one. Without any Caffe2, define
// CAFFE2_QTENSOR_STANDALONE.
#ifndef CAFFE2_CORE_QTENSOR_H_
#define CAFFE2_CORE_QTENSOR_H_
// For caffe2_register.h to see which of the two headers came first.
#define CAFFE2_QTENSOR_DROPIN_QTENSOR

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "../../../dropin/shape.hpp"
#include "../../../dropin/sizes.hpp"
#include "../../../dropin/surroundings.hpp"

namespace caffe2 {
CAFFE2_QTENSOR_DROPIN_BEGIN
namespace qtensor_detail {

struct Free {
  void operator()(qtensor_t* tensor) const noexcept { qtensor_free(tensor); }
};

inline qtensor_t* Create() {
  qtensor_t* const tensor = qtensor_create();
  if (tensor == nullptr) {
    throw std::bad_alloc();
  }
  return tensor;
}

// What a tensor is before its first change. It is never freed, so that tensors of static storage
// duration may be asked for their properties until the end.
inline const qtensor_t* Empty() {
  static const qtensor_t* const empty = Create();
  return empty;
}

// Code written for Caffe2 takes scale and bias for those of linear codes.
[[noreturn]] CAFFE2_QTENSOR_COLD inline void RefuseLogarithmic() {
  Refuse(::caffe2_qtensor::Error(QTENSOR_UNSUPPORTED,
                                 "The tensor is logarithmic, which Caffe2's QTensor is not; its "
                                 "codes would be read as linear."));
}

}  // namespace qtensor_detail

// A tensor of integers with `precision` bits each, kept as bit planes; a code x stands for
// scale * (x + bias). Caffe2's class of that name over the library's qtensor_t.
//
// A refused call throws what Caffe2 throws, caffe2::EnforceNotMet, and leaves the tensor as it was.
// A copy has planes of its own. A tensor that was moved from is like a new one. const members may be
// called from many threads at once; every other one needs the tensor alone.
template <class Context>
class QTensor {
 public:
  QTensor() noexcept {}

  // Every code is 0. Planes are allocated by the first write.
  explicit QTensor(const qtensor_detail::Shape& dims, const unsigned char precision,
                   const bool signbit = false) {
    qtensor_t* made = nullptr;
    qtensor_detail::Sizes sizes = qtensor_detail::SizesOf(dims.data(), dims.size());
    qtensor_detail::Call(qtensor_create_with, dims.data(), dims.size(), precision, signbit, &made);
    Take(made, sizes);
  }

  QTensor(const QTensor& other) : dims_(other.dims_) {
    if (other.handle_) {
      qtensor_t* copy = nullptr;
      qtensor_detail::Call(qtensor_clone, other.handle(), &copy);
      handle_.reset(copy);
      Refresh();
    }
  }
  QTensor(QTensor&& other) noexcept : QTensor() { Swap(other); }
  QTensor& operator=(QTensor other) noexcept {
    Swap(other);
    return *this;
  }
  virtual ~QTensor() {}

  void Swap(QTensor& other) noexcept {
    std::swap(dims_, other.dims_);
    std::swap(handle_, other.handle_);
    std::swap(view_, other.view_);
    std::swap(planes_, other.planes_);
    std::swap(writable_, other.writable_);
    std::swap(writable_size_, other.writable_size_);
    std::swap(written_size_, other.written_size_);
    std::swap(plane_count_, other.plane_count_);
  }

  // The same dimensions change nothing. Others keep the planes where their size in bytes stays
  // what it was, and drop them where it does not.
  void Resize(const qtensor_detail::Shape& dims) {
    qtensor_detail::Sizes sizes = qtensor_detail::SizesOf(dims.data(), dims.size());
    Change(qtensor_resize, dims.data(), dims.size());
    dims_.swap(sizes);
  }

  // Sets bit `bit` of element `index`; the sign is bit `precision()`.
  void SetBitAtIndex(const unsigned char bit, const size_t index, const bool value) {
    if (CAFFE2_QTENSOR_UNLIKELY(index >= writable_size_ || bit >= plane_count_)) {
      SetFirstBit(bit, index, value);
      return;
    }
    // Without a branch on the value, which in real codes cannot be predicted.
    unsigned char& byte = writable_[bit * view_.plane_stride + index / CHAR_BIT];
    const unsigned all = 0u - static_cast<unsigned>(value);
    const unsigned mask = 0x80u >> (index % CHAR_BIT);
    byte = static_cast<unsigned char>(byte ^ ((byte ^ all) & mask));
  }

  bool GetBitAtIndex(const unsigned char bit, const size_t index) const {
    // All is read before the first branch: so compilers see that it may stay in registers.
    const unsigned char* const planes = planes_;
    const size_t stride = view_.plane_stride;
    const size_t written = written_size_;
    const unsigned plane_count = plane_count_;
    if (CAFFE2_QTENSOR_UNLIKELY(index >= written || bit >= plane_count)) {
      if (bit >= plane_count || index >= view_.size) {
        RefuseBit(bit, index);
      }
      return false;
    }
    const unsigned mask = 0x80u >> (index % CHAR_BIT);
    return (planes[bit * stride + index / CHAR_BIT] & mask) != 0;
  }

  // Drops the planes, even where the precision stays.
  void SetPrecision(const unsigned char precision) { Change(qtensor_set_precision, precision); }

  // Drops the planes, even where nothing changes.
  void SetSigned(const bool make_signed = true) { Change(qtensor_set_signed, make_signed); }

  void SetScale(const double scale) { Change(qtensor_set_scale, scale); }

  void SetBias(const double bias) { Change(qtensor_set_bias, bias); }

  // All planes, nbytes() bytes; the first call allocates them, all 0, and copies those of an adopted
  // tensor that are lent for reading.
  unsigned char* mutable_data() {
    if (writable_ == nullptr) {
      unsigned char* none = nullptr;
      Change(qtensor_mutable_data, &none);
    }
    return writable_;
  }

  // All planes, or null before the first write.
  inline const unsigned char* data() const { return planes_; }

  inline size_t size() const { return view_.size; }

  inline unsigned char alignment() const { return qtensor_alignment(handle()); }

  inline unsigned char precision() const { return view_.precision; }

#if CAFFE2_QTENSOR_HAS_ARRAY_REF
  inline at::ArrayRef<int> sizes() const { return dims_; }
#else
  inline const std::vector<int>& sizes() const { return dims_; }
#endif

  // What this age of Caffe2 returned; without Caffe2 a std::vector<int>, as in 2017, that also has
  // the members of the later at::ArrayRef<int>.
  inline qtensor_detail::Dims dims() const { return dims_; }

  inline bool is_signed() const { return view_.is_signed; }

  inline int ndim() const { return static_cast<int>(dims_.size()); }

  inline size_t aligned_size() const { return qtensor_aligned_size(handle()); }

  inline size_t nbytes() const { return qtensor_nbytes(handle()); }

  inline double scale() const { return qtensor_scale(handle()); }

  inline double bias() const { return qtensor_bias(handle()); }

  // Dimension i.
  inline int dim32(const int i) const { return Ask<int32_t>(qtensor_dim32, i); }

  // The dimension that an axis names, counted from the end where it is negative.
  inline int canonical_axis_index(int axis_index) const {
    return Ask<int32_t>(qtensor_canonical_axis_index, axis_index);
  }

  // The product of the dimensions from k on; 1 where k >= ndim().
  inline int64_t size_from_dim(int k) const { return Ask<int64_t>(qtensor_size_from_dim, k); }

  // The product of the dimensions before k, which is below ndim().
  inline int64_t size_to_dim(int k) const { return Ask<int64_t>(qtensor_size_to_dim, k); }

  // Beyond Caffe2: the tensor for calls of the C interface, valid until the next call that may
  // change this one.
  const qtensor_t* handle() const { return handle_ ? handle_.get() : qtensor_detail::Empty(); }

  // Beyond Caffe2: takes a tensor of the C interface in place of its own. Where it is refused,
  // because it is null or logarithmic or a dimension is larger than an int, it stays the caller's.
  void Adopt(qtensor_t* tensor) {
    if (tensor == nullptr) {
      qtensor_detail::Refuse(::caffe2_qtensor::Error(QTENSOR_NULL_ARGUMENT,
                                                     "The tensor to adopt is NULL."));
    }
    if (qtensor_is_logarithmic(tensor)) {
      qtensor_detail::RefuseLogarithmic();
    }
    qtensor_detail::Sizes sizes =
        qtensor_detail::SizesOf(qtensor_dims(tensor), qtensor_ndim(tensor));
    Take(tensor, sizes);
  }

  // Beyond Caffe2: gives the tensor to the caller, who frees it with qtensor_free(), and is like
  // a new one.
  qtensor_t* Release() {
    Own();
    QTensor taken(std::move(*this));
    return taken.handle_.release();
  }

 private:
  // Calls that change the tensor make it first, where it is as new.
  qtensor_t* Own() {
    if (!handle_) {
      handle_.reset(qtensor_detail::Create());
    }
    return handle_.get();
  }

  template <class Function, class... Arguments>
  void Change(Function function, Arguments... arguments) {
    qtensor_detail::Call(function, Own(), arguments...);
    Refresh();
  }

  template <class Number, class Function>
  Number Ask(Function function, int argument) const {
    Number answer = 0;
    qtensor_detail::Call(function, handle(), argument, &answer);
    return answer;
  }

  void Take(qtensor_t* tensor, qtensor_detail::Sizes& sizes) noexcept {
    handle_.reset(tensor);
    dims_.swap(sizes);
    Refresh();
  }

  // Looks at the tensor anew: what inline code reads holds until the next change.
  void Refresh() noexcept {
    view_.struct_size = sizeof view_;
    qtensor_view(handle_.get(), &view_);
    planes_ = view_.data;
    writable_ = nullptr;
    if (view_.data != nullptr && !view_.is_read_only) {
      // The planes are there, so this allocates nothing and does not fail.
      qtensor_mutable_data(handle_.get(), &writable_, nullptr);
    }
    written_size_ = planes_ == nullptr ? 0 : view_.size;
    writable_size_ = writable_ == nullptr ? 0 : view_.size;
    plane_count_ = view_.precision + (view_.is_signed ? 1u : 0u);
  }

  // Allocates the planes, or throws what is wrong.
  CAFFE2_QTENSOR_COLD void SetFirstBit(unsigned char bit, size_t index, bool value) {
    Change(qtensor_set_bit, bit, index, value);
  }

  // The library says what is wrong. It does not return, so that nothing a loop over bits reads of
  // this object can have changed.
  [[noreturn]] CAFFE2_QTENSOR_COLD void RefuseBit(unsigned char bit, size_t index) const {
    bool value = false;
    qtensor_detail::Call(qtensor_get_bit, handle(), bit, index, &value);
    std::abort();
  }

  std::unique_ptr<qtensor_t, qtensor_detail::Free> handle_;
  qtensor_detail::Sizes dims_;
  // A new tensor's: empty, 8 bits, unsigned.
  qtensor_view_t view_ = {sizeof(qtensor_view_t), 0, 0, nullptr, CHAR_BIT, false, false, {}};
  // Of a type that may lie over any other: client code reads planes in words, too.
  const unsigned char* planes_ = nullptr;
  // The same where they may be written to.
  unsigned char* writable_ = nullptr;
  // The elements that have a byte, and one that may be written to: all of them, or none before the
  // first write.
  size_t written_size_ = 0;
  size_t writable_size_ = 0;
  unsigned plane_count_ = CHAR_BIT;
};

CAFFE2_QTENSOR_DROPIN_END
}  // namespace caffe2

#endif  // CAFFE2_CORE_QTENSOR_H_
