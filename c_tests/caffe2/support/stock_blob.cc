// stock_blob.cc: compiled with Caffe2's own header.
#include "stock_blob.hpp"

#include <cstring>
#include <vector>

#include "bit_loops.hpp"
#include "caffe2/core/qtensor_serialization.h"

namespace {
using StockTensor = caffe2::QTensor<caffe2::CPUContext>;
}

namespace caffe2 {
namespace {
REGISTER_BLOB_DESERIALIZER(QTensorStock, QTensorDeserializer<CPUContext>);
}
}  // namespace caffe2

void fill_stock_blob(caffe2::Blob *blob, int elements, int precision, bool is_signed,
                     const std::uint8_t *planes) {
  StockTensor *const tensor = blob->GetMutable<StockTensor>();
  tensor->SetPrecision(static_cast<unsigned char>(precision));
  tensor->SetSigned(is_signed);
  tensor->SetScale(0.5);
  tensor->SetBias(0);
  tensor->Resize(std::vector<int>(1, elements));
  std::memcpy(tensor->mutable_data(), planes, tensor->nbytes());
}

void set_stock_bits(caffe2::Blob *blob, const std::uint32_t *codes) {
  set_all_bits(blob->GetMutable<StockTensor>(), codes);
}

std::uint64_t count_stock_bits(const caffe2::Blob &blob) {
  return count_all_bits(blob.Get<StockTensor>());
}
