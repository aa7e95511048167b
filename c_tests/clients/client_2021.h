// client_2021.h: code as it was written against caffe2/core/qtensor.h of 2021, where dimensions
// are at::ArrayRef<int> and tensors are not copied. It uses nothing beyond that header; each
// program that includes it builds it in other surroundings.
#ifndef CLIENT_2021_H
#define CLIENT_2021_H

#include "../check.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <caffe2/core/qtensor.h>
#include <caffe2/core/qtensor_serialization.h>

namespace client_2021 {

using caffe2::CPUContext;
using caffe2::QTensor;
using CPUQTensor = caffe2::QTensor<caffe2::CPUContext>;

template <typename Context>
void Fill(QTensor<Context> *tensor, const std::function<int(size_t)> &code) {
  for (size_t i = 0; i < tensor->size(); ++i) {
    const int value = code(i);
    const unsigned magnitude = static_cast<unsigned>(std::abs(value));
    for (unsigned char bit = 0; bit < tensor->precision(); ++bit) {
      tensor->SetBitAtIndex(bit, i, (magnitude >> bit) & 1u);
    }
    if (tensor->is_signed()) {
      tensor->SetBitAtIndex(tensor->precision(), i, value < 0);
    }
  }
}

template <typename Context>
std::vector<int> Codes(const QTensor<Context> &tensor) {
  std::vector<int> codes(tensor.size());
  for (size_t i = 0; i < codes.size(); ++i) {
    for (unsigned char bit = 0; bit < tensor.precision(); ++bit) {
      codes[i] |= int{tensor.GetBitAtIndex(bit, i)} << bit;
    }
    if (tensor.is_signed() && tensor.GetBitAtIndex(tensor.precision(), i)) {
      codes[i] = -codes[i];
    }
  }
  return codes;
}

inline int Product(at::ArrayRef<int> dims) {
  return std::accumulate(dims.begin(), dims.end(), 1, std::multiplies<int>());
}

inline std::string Printed(const CPUQTensor &tensor) {
  std::ostringstream out;
  out << "QTensor " << tensor.sizes() << ", " << tensor.dims() << ", " << +tensor.precision()
      << (tensor.is_signed() ? " bits and sign" : " bits");
  return out.str();
}

class Observer {
 public:
  explicit Observer(at::ArrayRef<int> dims) : tensor_(dims, 8), seen_(dims.vec()) {}

  void See(const CPUQTensor &tensor) {
    if (tensor.sizes() != seen_) {
      seen_ = tensor.sizes().vec();
      tensor_.Resize(tensor.sizes());
    }
  }
  const CPUQTensor &tensor() const { return tensor_; }

 private:
  CPUQTensor tensor_;
  std::vector<int> seen_;
};

class Scaled final : public CPUQTensor {
 public:
  Scaled(at::ArrayRef<int> dims, double scale) : CPUQTensor(dims, 4, true) { SetScale(scale); }
};

inline void Dimensions() {
  const CPUQTensor tensor({2, 3, 5}, 4);
  at::ArrayRef<int> sizes = tensor.sizes(), dims = tensor.dims();
  c10::ArrayRef<int> same = tensor.dims();
  auto deduced = tensor.dims();
  const auto &reference = tensor.dims();
  const std::vector<int> due = {2, 3, 5};
  CHECK(sizes == dims && dims == same && deduced == sizes && reference == due);
  CHECK(sizes == due && due == sizes && !(sizes != due) && due == tensor.dims());
  CHECK(tensor.sizes() == tensor.dims() && tensor.dims() == tensor.sizes());
  CHECK(tensor.dims().equals(sizes) && tensor.sizes().equals({2, 3, 5}));
  CHECK(tensor.dims().equals(due) && !tensor.dims().equals({2, 3}));

  std::vector<int> copied = tensor.dims().vec();
  auto deduced_copy = tensor.sizes().vec();
  copied.push_back(7);
  CHECK(deduced_copy == due && copied != tensor.sizes() && tensor.dims() != copied);
  CHECK(tensor.dims().slice(1) == std::vector<int>({3, 5}));
  CHECK(tensor.sizes().slice(0, 2) == std::vector<int>({2, 3}));
  CHECK(tensor.dims().slice(1, 1).front() == 3 && tensor.dims().slice(3).empty());

  int sum = 0;
  for (int dim : tensor.sizes()) {
    sum += dim;
  }
  for (auto dim : tensor.dims()) {
    sum += dim;
  }
  CHECK(sum == 20 && Product(tensor.dims()) == 30 && Product(tensor.sizes()) == 30);
  CHECK(*std::max_element(tensor.dims().begin(), tensor.dims().end()) == 5);
  CHECK(*tensor.dims().rbegin() == 5 && *tensor.sizes().rbegin() == 5);
  CHECK(tensor.dims().size() == 3 && tensor.sizes().size() == 3 && !tensor.sizes().empty());
  CHECK(tensor.dims()[0] == 2 && tensor.sizes().at(1) == 3 && tensor.dims().at(2) == 5);
  CHECK(tensor.dims().front() == 2 && tensor.sizes().back() == 5);
  const int *const data = tensor.dims().data();
  CHECK(data[2] == 5 && tensor.sizes().data() == data);
  const std::vector<int64_t> wide(tensor.sizes().begin(), tensor.sizes().end());
  CHECK(Product(tensor.dims().slice(0, 1)) == 2 && at::IntArrayRef(wide).size() == 3);
  CHECK(Printed(tensor) == "QTensor [2, 3, 5], [2, 3, 5], 4 bits");
  CHECK(Printed(CPUQTensor()) == "QTensor [], [], 8 bits");

  CHECK(tensor.ndim() == 3 && tensor.dim32(2) == 5 && tensor.canonical_axis_index(-2) == 1);
  const int64_t rest = tensor.size_from_dim(tensor.canonical_axis_index(1));
  CHECK(rest == 15 && tensor.size_to_dim(1) == 2 && tensor.size_from_dim(9) == 1);
}

inline void Resizing() {
  CPUQTensor tensor, other;
  tensor.Resize({4, 6});
  CHECK(tensor.size() == 24 && tensor.aligned_size() == 24 && tensor.nbytes() == 24);
  tensor.Resize(7);
  CHECK(tensor.sizes() == std::vector<int>{7} && tensor.aligned_size() == 8);
  const std::vector<int> vector = {2, 5};
  tensor.Resize(vector);
  CHECK(tensor.sizes() == vector);
  const std::array<int, 3> array = {{1, 2, 3}};
  tensor.Resize(array);
  CHECK(tensor.ndim() == 3);
  const int plain[] = {5, 6};
  tensor.Resize(plain);
  CHECK(tensor.size() == 30);
  tensor.Resize({plain, 1});
  CHECK(tensor.size() == 5);
  tensor.Resize({plain + 1, plain + 2});
  CHECK(tensor.size() == 6);
  tensor.Resize(at::ArrayRef<int>(plain, 2));
  CHECK(tensor.size() == 30);
  tensor.Resize(at::ArrayRef<int>(vector).slice(1));
  CHECK(tensor.size() == 5);
  other.Resize(tensor.sizes());
  CHECK(other.dims() == tensor.dims());
  other.Resize(at::ArrayRef<int>{8, 9});
  tensor.Resize(other.dims());
  CHECK(tensor.size() == 72 && tensor.sizes() == other.sizes());
  tensor.Resize(other.dims().vec());
  int rows = 3;
  tensor.Resize({rows, tensor.dim32(1)});
  CHECK(tensor.size() == 27);
  enum { kWidth = 12 };
  tensor.Resize(kWidth);
  CHECK(tensor.size() == 12);

  CPUQTensor from_array(at::ArrayRef<int>(plain), 3), from_one(9, 1, true);
  CHECK(from_array.size() == 30 && from_one.size() == 9 && from_one.is_signed());
  from_one.SetSigned();
  from_one.SetPrecision(7);
  CHECK(from_one.nbytes() == 16 && from_one.data() == nullptr);
}

inline void Bits() {
  CPUQTensor tensor({3, 4}, 3, true);
  tensor.SetScale(0.25);
  tensor.SetBias(-1.5);
  Fill(&tensor, [](size_t i) { return static_cast<int>(i) - 6; });
  const std::vector<int> codes = Codes(tensor);
  CHECK(codes.front() == -6 && codes.back() == 5 && tensor.scale() == 0.25);
  CHECK(tensor.bias() == -1.5 && tensor.data()[0] == 0x55 && tensor.data()[6] == 0xfc);
  unsigned char *const planes = tensor.mutable_data();
  CHECK(planes == tensor.data());
  std::fill_n(planes, tensor.nbytes(), static_cast<unsigned char>(0));
  CHECK(Codes(tensor) == std::vector<int>(12, 0));
}

inline void Owners() {
  Observer observer({2, 2});
  observer.See(CPUQTensor({3, 3}, 2));
  CHECK(observer.tensor().sizes() == std::vector<int>({3, 3}));

  Scaled scaled({5}, 0.5);
  Fill<CPUContext>(&scaled, [](size_t i) { return -static_cast<int>(i); });
  const CPUQTensor &base = scaled;
  CHECK(base.scale() == 0.5 && Codes(base).back() == -4);

  std::map<std::string, std::unique_ptr<CPUQTensor>> by_name;
  by_name.emplace("a", std::unique_ptr<CPUQTensor>(new CPUQTensor({2, 2}, 4)));
  by_name["b"] = std::unique_ptr<CPUQTensor>(new Scaled({6}, 2));
  int elements = 0;
  for (const auto &entry : by_name) {
    elements += Product(entry.second->sizes());
  }
  CHECK(elements == 10);
  const auto shared = std::make_shared<CPUQTensor>(at::ArrayRef<int>{6, 2}, 1);
  CHECK(shared->nbytes() == 2);
}

template <typename Exception, typename Function>
bool Throws(Function function) {
  try {
    function();
  } catch (const Exception &error) {
    return error.what()[0] != '\0';
  }
  return false;
}

inline void Refusals() {
  CPUQTensor tensor({2, 3}, 2, true);
  const auto beyond = [&] { tensor.SetBitAtIndex(3, 0, true); };
  CHECK(Throws<caffe2::EnforceNotMet>(beyond) && Throws<std::exception>(beyond));
  CHECK(Throws<c10::Error>(beyond));
  CHECK(Throws<c10::Error>([&] { tensor.canonical_axis_index(2); }));
  CHECK(Throws<c10::Error>([&] { tensor.size_to_dim(2); }));
  CHECK(Throws<c10::Error>([&] { tensor.sizes().at(2); }));
  CHECK(Throws<c10::Error>([&] { tensor.dims().slice(1, 2); }));
  CHECK(Throws<c10::Error>([&] { CPUQTensor().sizes().front(); }));
  try {
    beyond();
  } catch (const c10::Error &error) {
    const std::string &message = error.msg();
    CHECK(message.size() > 10 && error.what_without_backtrace()[0] != '\0');
  }
}

}  // namespace client_2021

inline void run_client_2021() {
  client_2021::Dimensions();
  client_2021::Resizing();
  client_2021::Bits();
  client_2021::Owners();
  client_2021::Refusals();
}

#endif
