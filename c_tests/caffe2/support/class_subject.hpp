// class_subject.hpp: a Subject of a class with Caffe2's members; which one depends on the header
// before this one. Everything is in an unnamed namespace: two source files have two of it.
#ifndef CLASS_SUBJECT_HPP
#define CLASS_SUBJECT_HPP

#include <cstring>

#include "stock.hpp"

namespace {

inline std::uint64_t pattern_of(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

template <class Tensor>
class ClassSubject : public Subject {
 public:
  void Resize(const std::vector<int> &dims) override { tensor().Resize(dims); }
  void SetPrecision(int precision) override {
    tensor().SetPrecision(static_cast<unsigned char>(precision));
  }
  void SetSigned(bool is_signed) override { tensor().SetSigned(is_signed); }
  void SetScale(double scale) override { tensor().SetScale(scale); }
  void SetBias(double bias) override { tensor().SetBias(bias); }
  void SetBit(int bit, std::size_t index, bool value) override {
    tensor().SetBitAtIndex(static_cast<unsigned char>(bit), index, value);
  }
  bool GetBit(int bit, std::size_t index) override {
    return tensor().GetBitAtIndex(static_cast<unsigned char>(bit), index);
  }
  unsigned char *Planes() override { return tensor().mutable_data(); }
  std::int64_t CanonicalAxis(int axis) override { return tensor().canonical_axis_index(axis); }
  std::int64_t SizeFrom(int k) override { return tensor().size_from_dim(k); }
  std::int64_t SizeTo(int k) override { return tensor().size_to_dim(k); }
  std::int64_t Dim(int i) override { return tensor().dim32(i); }
  Seen See() override {
    const Tensor &seen = tensor();
    Seen all;
    all.dims.assign(seen.sizes().begin(), seen.sizes().end());
    all.precision = seen.precision();
    all.is_signed = seen.is_signed();
    all.scale = pattern_of(seen.scale());
    all.bias = pattern_of(seen.bias());
    all.size = seen.size();
    all.aligned_size = seen.aligned_size();
    all.nbytes = seen.nbytes();
    all.alignment = seen.alignment();
    all.has_data = seen.data() != nullptr && seen.nbytes() != 0;
    if (all.has_data) {
      all.planes.assign(reinterpret_cast<const char *>(seen.data()), seen.nbytes());
    }
    return all;
  }

 protected:
  virtual Tensor &tensor() = 0;
};

}  // namespace

#endif
