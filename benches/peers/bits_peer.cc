// Single bits through the drop-in class and through plain C++ classes, behind a C interface, for the
// benchmarks to load at run time.
//
// `dropin` is caffe2::QTensor of the drop-in header. `caffe2` is a class with the loops of Caffe2's
// own written by hand: it looks for its storage, works out the aligned size from a member, checks
// the bit and not the element, and reads without any check. `bare` has the layout and nothing else.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>

#define CAFFE2_QTENSOR_STANDALONE
#include "caffe2/core/qtensor.h"

namespace {

using Dropin = caffe2::QTensor<caffe2::CPUContext>;

class Caffe2Loops {
 public:
  Caffe2Loops(size_t size, unsigned char precision, bool is_signed)
      : size_(size), precision_(precision), signed_(is_signed) {}

  void SetBitAtIndex(const unsigned char bit, const size_t index, const bool value) {
    unsigned char* plane = MutableData();
    Enforce(bit < precision_ + signed_);
    Enforce(bit * AlignedSize() < capacity_);
    plane += AlignedSize() * bit / 8;
    const size_t shift = 8 - index % 8 - 1;
    if (value) {
      plane[index / 8] |= 1 << shift;
    } else {
      plane[index / 8] &= ~(1 << shift);
    }
  }

  bool GetBitAtIndex(const unsigned char bit, const size_t index) const {
    const unsigned char* plane = data_.get() + AlignedSize() * bit / 8;
    const size_t shift = 8 - index % 8 - 1;
    return plane[index / 8] & (1 << shift);
  }

 private:
  static void Enforce(bool holds) {
    if (!holds) {
      throw std::runtime_error("refused");
    }
  }
  size_t AlignedSize() const { return alignment_ * ((size_ + alignment_ - 1) / alignment_); }
  size_t Bytes() const { return AlignedSize() * (precision_ + signed_) / 8; }
  unsigned char* MutableData() {
    if (!data_) {
      data_.reset(new unsigned char[Bytes()](), std::default_delete<unsigned char[]>());
      capacity_ = Bytes() * 8;
    }
    Enforce(capacity_ == Bytes() * 8);
    return data_.get();
  }

  size_t size_;
  unsigned char precision_;
  unsigned char alignment_ = 8;
  std::shared_ptr<unsigned char> data_;
  bool signed_;
  size_t capacity_ = 0;
};

class Bare {
 public:
  Bare(size_t size, unsigned char precision, bool is_signed)
      : stride_((size + 7) / 8), data_(new unsigned char[stride_ * (precision + is_signed)]()) {}

  void SetBitAtIndex(const unsigned char bit, const size_t index, const bool value) {
    unsigned char& byte = data_[bit * stride_ + index / 8];
    const size_t shift = 8 - index % 8 - 1;
    if (value) {
      byte |= 1 << shift;
    } else {
      byte &= ~(1 << shift);
    }
  }

  bool GetBitAtIndex(const unsigned char bit, const size_t index) const {
    return data_[bit * stride_ + index / 8] & (1 << (8 - index % 8 - 1));
  }

 private:
  size_t stride_;
  std::unique_ptr<unsigned char[]> data_;
};

// As client code does it: every bit of an element, element after element.
template <class Tensor>
void Set(void* tensor, const uint8_t* codes, size_t count, int planes) {
  auto& q = *static_cast<Tensor*>(tensor);
  for (size_t i = 0; i < count; i++) {
    for (int bit = 0; bit < planes; bit++) {
      q.SetBitAtIndex(bit, i, (codes[i] >> bit) & 1);
    }
  }
}

template <class Tensor>
void Get(const void* tensor, uint8_t* codes, size_t count, int planes) {
  const auto& q = *static_cast<const Tensor*>(tensor);
  for (size_t i = 0; i < count; i++) {
    unsigned code = 0;
    for (int bit = 0; bit < planes; bit++) {
      code |= unsigned{q.GetBitAtIndex(bit, i)} << bit;
    }
    codes[i] = static_cast<uint8_t>(code);
  }
}

template <class Tensor>
void Free(void* tensor) {
  delete static_cast<Tensor*>(tensor);
}

}  // namespace

extern "C" {

// What the benchmarks call for one class. The tensors have one dimension, 4 bits and a sign.
struct bits_peer {
  void* (*create)(size_t count);
  void (*set)(void* tensor, const uint8_t* codes, size_t count, int planes);
  void (*get)(const void* tensor, uint8_t* codes, size_t count, int planes);
  void (*free)(void* tensor);
};

bits_peer bits_peer_dropin = {
    [](size_t count) -> void* { return new Dropin({count}, 4, true); },
    Set<Dropin>, Get<Dropin>, Free<Dropin>};

bits_peer bits_peer_caffe2 = {
    [](size_t count) -> void* { return new Caffe2Loops(count, 4, true); },
    Set<Caffe2Loops>, Get<Caffe2Loops>, Free<Caffe2Loops>};

bits_peer bits_peer_bare = {
    [](size_t count) -> void* { return new Bare(count, 4, true); },
    Set<Bare>, Get<Bare>, Free<Bare>};

}  // extern "C"
