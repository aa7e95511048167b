// dropin_tensor.hpp: tensors of the drop-in header as the golden files describe them.
#ifndef DROPIN_TENSOR_HPP
#define DROPIN_TENSOR_HPP

#include "golden_text.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "caffe2/core/qtensor.h"
#include "caffe2/core/qtensor_serialization.h"

typedef caffe2::QTensor<caffe2::CPUContext> CPUTensor;

// All planes; none before the first write.
inline std::string planes_of(const CPUTensor &tensor) {
  return tensor.data() == nullptr
             ? std::string()
             : std::string(reinterpret_cast<const char *>(tensor.data()), tensor.nbytes());
}

inline uint64_t bits_of(double value) {
  uint64_t pattern;
  memcpy(&pattern, &value, sizeof pattern);
  return pattern;
}

// All that can be seen of a tensor, its bits among it and whether it has planes.
inline std::string state_of(const CPUTensor &tensor) {
  std::string state = tensor.data() == nullptr ? "no planes" : "planes " + planes_of(tensor);
  const auto add = [&](unsigned long long number) { state += " " + std::to_string(number); };
  add(static_cast<unsigned long long>(tensor.ndim()));
  for (int dim : tensor.dims()) {
    add(static_cast<unsigned long long>(dim));
  }
  for (int dim : tensor.sizes()) {
    add(static_cast<unsigned long long>(dim));
  }
  add(tensor.size());
  add(tensor.aligned_size());
  add(tensor.nbytes());
  add(tensor.alignment());
  add(tensor.precision());
  add(tensor.is_signed());
  add(bits_of(tensor.scale()));
  add(bits_of(tensor.bias()));
  const size_t some = tensor.size() < 4096 ? tensor.size() : 4096;
  for (int bit = 0; bit < tensor.precision() + tensor.is_signed(); bit++) {
    state += '/';
    for (size_t i = 0; i < some; i++) {
      state += tensor.GetBitAtIndex(static_cast<unsigned char>(bit), i) ? '1' : '0';
    }
  }
  return state;
}

// A code as magnitude and sign.
inline int64_t code_of(const CPUTensor &tensor, size_t index) {
  int64_t code = 0;
  for (unsigned char bit = 0; bit < tensor.precision(); bit++) {
    code |= static_cast<int64_t>(tensor.GetBitAtIndex(bit, index)) << bit;
  }
  return tensor.is_signed() && tensor.GetBitAtIndex(tensor.precision(), index) ? -code : code;
}

// A line of qtensor.txt.
struct GoldenTensor {
  GoldenTensor() {
    precision = static_cast<unsigned char>(integer());
    is_signed = integer() != 0;
    for (const int64_t dim : integer_list()) {
      dims.push_back(static_cast<int>(dim));
    }
    scale = double_of_bits(bits());
    bias = double_of_bits(bits());
    name = hex_string();
    size = size_word();
    aligned_size = size_word();
    nbytes = size_word();
    planes = hex_string();
    blob = hex_string();
  }

  bool bit(int plane, size_t index) const {
    const size_t byte = static_cast<size_t>(plane) * (aligned_size / 8) + index / 8;
    return (static_cast<uint8_t>(planes[byte]) & (0x80 >> (index % 8))) != 0;
  }

  // Everything but the planes.
  void describe(CPUTensor *tensor) const {
    tensor->SetPrecision(precision);
    tensor->SetSigned(is_signed);
    tensor->SetScale(scale);
    tensor->SetBias(bias);
    tensor->Resize(dims);
  }

  void fill(CPUTensor *tensor) const {
    for (int plane = 0; plane < precision + is_signed; plane++) {
      for (size_t i = 0; i < size; i++) {
        tensor->SetBitAtIndex(static_cast<unsigned char>(plane), i, bit(plane, i));
      }
    }
  }

  // Whether the tensor is this one.
  void compare(const CPUTensor &tensor) const {
    CHECK(tensor.dims() == dims && tensor.sizes() == dims);
    CHECK(tensor.ndim() == static_cast<int>(dims.size()) && tensor.size() == size);
    CHECK(tensor.aligned_size() == aligned_size && tensor.nbytes() == nbytes);
    CHECK(tensor.precision() == precision && tensor.is_signed() == is_signed);
    CHECK(bits_of(tensor.scale()) == bits_of(scale) && bits_of(tensor.bias()) == bits_of(bias));
    CHECK(planes_of(tensor) == planes);
    long wrong = 0;
    for (int plane = 0; plane < precision + is_signed; plane++) {
      for (size_t i = 0; i < size; i++) {
        wrong += tensor.GetBitAtIndex(static_cast<unsigned char>(plane), i) != bit(plane, i);
      }
    }
    CHECK(wrong == 0);
  }

  unsigned char precision;
  bool is_signed;
  std::vector<int> dims;
  double scale, bias;
  std::string name;
  size_t size, aligned_size, nbytes;
  std::string planes, blob;
};

#endif
