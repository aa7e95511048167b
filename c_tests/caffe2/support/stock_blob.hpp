// stock_blob.hpp: Caffe2's own class in blobs, beside another class that is registered for its name.
#ifndef STOCK_BLOB_HPP
#define STOCK_BLOB_HPP

#include <cstddef>
#include <cstdint>

#include "caffe2/core/blob.h"

// Messages of this type are read by Caffe2's own deserializer, which "QTensor" may no longer mean.
constexpr const char *kStockType = "QTensorStock";

// Puts a tensor of Caffe2's class into a blob, with planes of its own.
void fill_stock_blob(caffe2::Blob *blob, int elements, int precision, bool is_signed,
                     const std::uint8_t *planes);

// Sets or reads every bit of every element, through the class.
void set_stock_bits(caffe2::Blob *blob, const std::uint32_t *codes);
std::uint64_t count_stock_bits(const caffe2::Blob &blob);

#endif
