// client_2017.h: code as it was written against caffe2/core/qtensor.h of 2017, where dimensions
// are vectors. It uses nothing beyond that header; each program that includes it builds it in
// other surroundings.
#ifndef CLIENT_2017_H
#define CLIENT_2017_H

#include "../check.h"

#include <cmath>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "caffe2/core/qtensor.h"
#include "caffe2/core/qtensor_serialization.h"

namespace client_2017 {

using caffe2::CPUContext;
using caffe2::QTensor;

// A code as magnitude and sign, bit by bit.
template <class Context>
void WriteCode(QTensor<Context> *tensor, size_t index, int code) {
  const int magnitude = std::abs(code);
  for (int bit = 0; bit < tensor->precision(); ++bit) {
    tensor->SetBitAtIndex(bit, index, (magnitude >> bit) & 1);
  }
  if (tensor->is_signed()) {
    tensor->SetBitAtIndex(tensor->precision(), index, code < 0);
  }
}

template <class Context>
int ReadCode(const QTensor<Context> &tensor, size_t index) {
  int code = 0;
  for (int bit = 0; bit < tensor.precision(); ++bit) {
    code |= static_cast<int>(tensor.GetBitAtIndex(bit, index)) << bit;
  }
  return tensor.is_signed() && tensor.GetBitAtIndex(tensor.precision(), index) ? -code : code;
}

inline std::vector<float> Dequantize(const QTensor<CPUContext> &tensor) {
  std::vector<float> values;
  for (size_t i = 0; i < tensor.size(); ++i) {
    values.push_back(
        static_cast<float>(tensor.scale() * (ReadCode(tensor, i) + tensor.bias())));
  }
  return values;
}

// The same dimensions, precision and meaning of codes.
template <class Context>
void ResizeLike(const QTensor<Context> &other, QTensor<Context> *tensor) {
  tensor->SetPrecision(other.precision());
  tensor->SetSigned(other.is_signed());
  tensor->SetScale(other.scale());
  tensor->SetBias(other.bias());
  tensor->Resize(other.dims());
}

// The product of two tensors of unsigned codes, by counting bits that both planes have.
inline long PopcountDot(const QTensor<CPUContext> &a, const QTensor<CPUContext> &b) {
  const unsigned char *const a_planes = a.data();
  const unsigned char *const b_planes = b.data();
  const size_t plane = a.aligned_size() / CHAR_BIT;
  long sum = 0;
  for (int i = 0; i < a.precision(); ++i) {
    for (int j = 0; j < b.precision(); ++j) {
      long common = 0;
      for (size_t byte = 0; byte < plane; ++byte) {
        for (int both = a_planes[i * plane + byte] & b_planes[j * plane + byte]; both != 0;
             both &= both - 1) {
          ++common;
        }
      }
      sum += common << (i + j);
    }
  }
  return sum;
}

// A tensor among a class's members, and in its constructor's list.
class Layer {
 public:
  Layer(const std::string &name, const std::vector<int> &dims, int bits)
      : name_(name), weights_(dims, bits, true) {
    weights_.SetScale(0.5);
    weights_.SetBias(-1);
    for (size_t i = 0; i < weights_.size(); ++i) {
      WriteCode(&weights_, i, static_cast<int>(i % 7) - 3);
    }
  }
  virtual ~Layer() {}

  const QTensor<CPUContext> &weights() const { return weights_; }
  QTensor<CPUContext> *mutable_weights() { return &weights_; }
  int outputs() const { return weights_.dim32(0); }
  int64_t inputs() const { return weights_.size_from_dim(1); }

 private:
  std::string name_;
  QTensor<CPUContext> weights_;
};

// A class of the client's own, to be used as a tensor.
class NamedTensor : public QTensor<CPUContext> {
 public:
  NamedTensor() {}
  NamedTensor(const std::string &name, const std::vector<int> &dims, unsigned char precision)
      : QTensor<CPUContext>(dims, precision), name_(name) {}
  ~NamedTensor() override {}
  const std::string &name() const { return name_; }

 private:
  std::string name_;
};

inline void Dimensions() {
  std::vector<int> shape = {2, 3, 5};
  QTensor<CPUContext> tensor(shape, 4);
  CHECK(tensor.ndim() == 3 && tensor.size() == 30 && tensor.precision() == 4);
  CHECK(tensor.aligned_size() == 32 && tensor.nbytes() == 16 && tensor.alignment() == 8);
  CHECK(!tensor.is_signed() && tensor.data() == nullptr);

  const std::vector<int> &reference = tensor.dims();
  CHECK(reference == shape && reference.back() == 5);
  const auto &deduced_reference = tensor.dims();
  std::vector<int> copied = tensor.dims();
  CHECK(deduced_reference == copied && copied == shape);
  CHECK(tensor.dims() == shape && shape == tensor.dims() && !(tensor.dims() != shape));
  copied.insert(copied.begin(), 1);
  CHECK(copied.size() == 4 && tensor.dims().size() == 3 && copied != tensor.dims());

  int product = 1;
  for (int dim : tensor.dims()) {
    product *= dim;
  }
  for (const auto &dim : tensor.dims()) {
    product += dim;
  }
  CHECK(product == 40);
  CHECK(std::accumulate(tensor.dims().begin(), tensor.dims().end(), 1,
                        std::multiplies<int>()) == 30);
  CHECK(tensor.dims()[1] == 3 && tensor.dims().at(2) == 5);
  CHECK(tensor.dims().front() == 2 && !tensor.dims().empty() && tensor.dims().data()[0] == 2);
  std::vector<int64_t> wide(tensor.dims().begin(), tensor.dims().end());
  CHECK(wide.size() == 3 && wide[2] == 5);

  const int64_t inner = tensor.size_from_dim(1), outer = tensor.size_to_dim(2);
  CHECK(inner == 15 && outer == 6 && tensor.size_from_dim(3) == 1);
  CHECK(tensor.dim32(0) == 2 && tensor.dim32(tensor.canonical_axis_index(-1)) == 5);
  CHECK(tensor.canonical_axis_index(0) == 0 && tensor.canonical_axis_index(-3) == 0);
}

inline void Resizing() {
  QTensor<CPUContext> tensor, other;
  CHECK(tensor.ndim() == 0 && tensor.precision() == 8 && !tensor.is_signed());
  tensor.Resize({4, 6});
  CHECK(tensor.size() == 24);
  tensor.Resize(std::vector<int>{3});
  CHECK(tensor.size() == 3);
  tensor.Resize({7});
  CHECK(tensor.ndim() == 1 && tensor.dim32(0) == 7);
  const int rows = 2, columns = 9;
  tensor.Resize({rows, columns});
  CHECK(tensor.size() == 18);
  std::vector<int> list(3, 2);
  tensor.Resize(list);
  tensor.Resize(std::vector<int>(list.begin(), list.end() - 1));
  CHECK(tensor.size() == 4);
  tensor.Resize({list.begin(), list.end()});
  CHECK(tensor.size() == 8);
  other.Resize(tensor.dims());
  CHECK(other.dims() == tensor.dims());
  // Dimensions that are there already change nothing.
  tensor.mutable_data()[0] = 1;
  tensor.Resize(tensor.dims());
  CHECK(tensor.data() != nullptr && tensor.data()[0] == 1);

  tensor.SetSigned();
  CHECK(tensor.is_signed() && tensor.data() == nullptr && tensor.nbytes() == 9);
  tensor.SetSigned(false);
  tensor.SetPrecision(2);
  CHECK(tensor.precision() == 2 && tensor.nbytes() == 2);
}

inline void Bits() {
  QTensor<CPUContext> tensor({3, 4}, 3, true);
  tensor.SetScale(0.25);
  tensor.SetBias(2);
  for (size_t i = 0; i < tensor.size(); ++i) {
    WriteCode(&tensor, i, static_cast<int>(i) - 6);
  }
  CHECK(ReadCode(tensor, 0) == -6 && ReadCode(tensor, 11) == 5 && ReadCode(tensor, 6) == 0);
  const std::vector<float> values = Dequantize(tensor);
  CHECK(values.size() == 12 && values[0] == -1.0f && values[6] == 0.5f);
  // The least significant plane first, and in a byte the most significant bit.
  CHECK(tensor.data()[0] == 0x55 && tensor.data()[6] == 0xfc && tensor.data()[7] == 0);

  QTensor<CPUContext> copy;
  ResizeLike(tensor, &copy);
  CHECK(copy.nbytes() == tensor.nbytes() && copy.scale() == 0.25 && copy.bias() == 2);
  std::copy(tensor.data(), tensor.data() + tensor.nbytes(), copy.mutable_data());
  CHECK(Dequantize(copy) == values);

  QTensor<CPUContext> a({20}, 3), b({20}, 2);
  long due = 0;
  for (int i = 0; i < 20; ++i) {
    WriteCode(&a, i, i % 8);
    WriteCode(&b, i, i % 4);
    due += (i % 8) * (i % 4);
  }
  CHECK(PopcountDot(a, b) == due);
}

inline void Owners() {
  Layer layer("fc1", {4, 6}, 3);
  CHECK(layer.outputs() == 4 && layer.inputs() == 6 && layer.weights().is_signed());
  CHECK(ReadCode(layer.weights(), 0) == -3 && Dequantize(layer.weights())[0] == -2.0f);
  WriteCode(layer.mutable_weights(), 0, 5);
  CHECK(ReadCode(layer.weights(), 0) == 5);

  NamedTensor named("n", {5}, 2), unnamed;
  QTensor<CPUContext> &base = named;
  WriteCode(&base, 4, 3);
  CHECK(named.name() == "n" && ReadCode(named, 4) == 3 && unnamed.ndim() == 0);
  std::unique_ptr<QTensor<CPUContext>> owned(new NamedTensor("o", {5}, 2));
  CHECK(owned->size() == 5);

  std::map<std::string, std::unique_ptr<QTensor<CPUContext>>> by_name;
  by_name["a"].reset(new QTensor<CPUContext>({2, 2}, 4));
  by_name["b"] = std::move(owned);
  CHECK(by_name["a"]->size() == 4 && by_name["b"]->dims() == std::vector<int>{5});
  std::shared_ptr<const QTensor<CPUContext>> shared =
      std::make_shared<QTensor<CPUContext>>(std::vector<int>{6}, 1);
  CHECK(shared->nbytes() == 1);

  // Tensors could be copied.
  std::vector<QTensor<CPUContext>> tensors;
  for (int i = 0; i < 9; ++i) {
    tensors.push_back(QTensor<CPUContext>({i + 1}, 5));
    tensors.back().SetBitAtIndex(4, i, true);
  }
  tensors.emplace_back(tensors[3]);
  tensors.resize(12);
  QTensor<CPUContext> assigned;
  assigned = tensors[8];
  CHECK(tensors[0].GetBitAtIndex(4, 0) && ReadCode(tensors[9], 3) == 16);
  CHECK(tensors[11].ndim() == 0 && assigned.size() == 9 && ReadCode(assigned, 8) == 16);
}

template <class Exception, class Function>
bool Throws(Function function) {
  try {
    function();
  } catch (const Exception &error) {
    return error.what()[0] != '\0';
  }
  return false;
}

inline void Refusals() {
  QTensor<CPUContext> tensor({2, 3}, 2, true);
  tensor.SetBitAtIndex(2, 5, true);
  const auto beyond = [&] { tensor.SetBitAtIndex(3, 0, true); };
  CHECK(Throws<caffe2::EnforceNotMet>(beyond) && Throws<std::exception>(beyond));
  CHECK(Throws<caffe2::EnforceNotMet>([&] { tensor.canonical_axis_index(2); }));
  CHECK(Throws<caffe2::EnforceNotMet>([&] { tensor.canonical_axis_index(-3); }));
  CHECK(Throws<caffe2::EnforceNotMet>([&] { tensor.size_to_dim(2); }));
  try {
    beyond();
  } catch (const caffe2::EnforceNotMet &error) {
    const std::string message = error.msg();
    CHECK(message.size() > 10);
  }
  CHECK(tensor.GetBitAtIndex(2, 5) && tensor.size() == 6);
}

}  // namespace client_2017

// Code inside Caffe2's own namespace, where some names need no std.
namespace caffe2 {
namespace client_2017 {

template <class Context>
vector<string> Describe(const vector<const QTensor<Context> *> &tensors) {
  vector<string> lines;
  for (auto *tensor : tensors) {
    string line = std::to_string(tensor->precision()) + " bits:";
    const vector<int> &dims = tensor->dims();
    for (auto dim : dims) {
      line += " " + std::to_string(dim);
    }
    lines.push_back(line);
  }
  return lines;
}

inline void InNamespace() {
  unique_ptr<QTensor<CPUContext>> tensor(new QTensor<CPUContext>(vector<int>{8, 2}, 3));
  const vector<string> lines = Describe<CPUContext>({tensor.get()});
  CHECK(lines == vector<string>{"3 bits: 8 2"});
  CHECK(string(kQTensorBlobQType) == "QTensor");
}

}  // namespace client_2017
}  // namespace caffe2

inline void run_client_2017() {
  client_2017::Dimensions();
  client_2017::Resizing();
  client_2017::Bits();
  client_2017::Owners();
  client_2017::Refusals();
  caffe2::client_2017::InNamespace();
}

#endif
