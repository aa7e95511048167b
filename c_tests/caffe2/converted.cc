// converted.cc: between Caffe2's own tensors and this library's, through caffe2_convert.h.
#include <caffe2_qtensor/caffe2_convert.h>

#include <memory>

#include "caffe2/core/blob.h"
#include "caffe2/core/blob_serialization.h"
#include "caffe2/core/workspace.h"

// Of Caffe2's logging; the tests have their own.
#undef CHECK
#include "check.hpp"
#include "wire_text.hpp"

using caffe2::CPU;
using caffe2::CPUContext;
using caffe2::int8::Int8TensorCPU;
using caffe2_qtensor::borrow_from;
using caffe2_qtensor::copy_from;
using caffe2_qtensor::copy_to;
using caffe2_qtensor::dequantize_to;
using caffe2_qtensor::Dense;
using caffe2_qtensor::floats_of;
using caffe2_qtensor::give_to;
using caffe2_qtensor::Span;
using caffe2_qtensor::take_from;
using caffe2_qtensor::Tensor;
using Stock = caffe2::QTensor<CPUContext>;

// What Caffe2 writes of a QTensor of its own.
static std::string stock_bytes(Stock *tensor) {
  caffe2::Blob blob;
  blob.ShareExternal<Stock>(tensor);
  return caffe2::SerializeBlob(blob, "w");
}

static void fill(Stock *tensor) {
  // Caffe2 leaves what no bit is set in as the allocator gave it.
  memset(tensor->mutable_data(), 0, tensor->nbytes());
  tensor->SetScale(0.25);
  tensor->SetBias(-3);
  const int planes = tensor->precision() + tensor->is_signed();
  for (size_t i = 0; i < tensor->size(); i++) {
    for (int bit = 0; bit < planes; bit++) {
      tensor->SetBitAtIndex(static_cast<unsigned char>(bit), i, (i * 7 + bit * 5) % 3 == 0);
    }
  }
}

// Every bit and number of both.
static bool same(const Tensor &ours, const Stock &stock) {
  bool equal = ours.ndim() == static_cast<size_t>(stock.ndim()) && ours.size() == stock.size() &&
               ours.precision() == stock.precision() && ours.is_signed() == stock.is_signed() &&
               ours.scale() == stock.scale() && ours.bias() == stock.bias() &&
               ours.nbytes() == stock.nbytes() &&
               ours.planes().empty() == (stock.data() == nullptr);
  for (int i = 0; equal && i < stock.ndim(); i++) {
    equal = ours.dims()[i] == stock.dims()[i];
  }
  const int planes = stock.precision() + stock.is_signed();
  for (int bit = 0; equal && stock.data() != nullptr && bit < planes; bit++) {
    for (size_t i = 0; equal && i < stock.size(); i++) {
      equal = ours.get_bit(bit, i) == stock.GetBitAtIndex(static_cast<unsigned char>(bit), i);
    }
  }
  return equal;
}

static const std::vector<int> shapes[] = {{1}, {3, 5}, {8}, {64, 17}, {2, 3, 4, 5}, {4096}};

static void borrowed() {
  for (const std::vector<int> &dims : shapes) {
    for (int precision : {1, 3, 8, 32}) {
      for (bool is_signed : {false, true}) {
        Stock stock(dims, static_cast<unsigned char>(precision), is_signed);
        stock.SetScale(1);
        stock.SetBias(0);
        Tensor unwritten = borrow_from(stock);
        CHECK(same(unwritten, stock) && !unwritten.is_borrowed());
        fill(&stock);
        Tensor ours = borrow_from(stock);
        CHECK(ours.is_borrowed() && ours.planes().data() == stock.data() && same(ours, stock));
        CHECK(ours.serialize("w") == stock_bytes(&stock));
        // Writing changes nothing of Caffe2's.
        const bool before = stock.GetBitAtIndex(0, 0);
        ours.set_bit(0, 0, !before);
        CHECK(!ours.is_borrowed() && stock.GetBitAtIndex(0, 0) == before);
        CHECK(ours.get_bit(0, 0) != before);
      }
    }
  }
}

static void taken_and_given() {
  for (const std::vector<int> &dims : shapes) {
    Stock stock(dims, 4, true), twin(dims, 4, true);
    fill(&stock);
    fill(&twin);
    const unsigned char *const planes = stock.data();
    Tensor ours = take_from(&stock);
    CHECK(ours.planes().data() == planes && same(ours, twin));
    CHECK(stock.data() == nullptr && stock.size() == 0 && stock.ndim() == 0);
    CHECK(stock.precision() == 8 && !stock.is_signed());
    // It may be written to where it is, and used again.
    ours.set_bit(1, 0, true);
    twin.SetBitAtIndex(1, 0, true);
    CHECK(ours.planes().data() == planes && same(ours, twin));
    stock.Resize({3});
    stock.SetBitAtIndex(0, 1, true);
    CHECK(stock.GetBitAtIndex(0, 1));

    Stock back;
    give_to(std::move(ours), &back);
    CHECK(back.data() == planes && stock_bytes(&back) == stock_bytes(&twin));
    back.SetBitAtIndex(2, 0, true);
    twin.SetBitAtIndex(2, 0, true);
    CHECK(back.data() == planes && stock_bytes(&back) == stock_bytes(&twin));

    // Our own memory, into a tensor that had other planes.
    Tensor clone = borrow_from(back).clone();
    const uint8_t *const own = clone.planes().data();
    give_to(std::move(clone), &stock);
    CHECK(stock.data() == own && stock_bytes(&stock) == stock_bytes(&twin));
    // What is borrowed to read only is copied before Caffe2 may write to it.
    Stock third;
    give_to(borrow_from(stock), &third);
    CHECK(third.data() != own && stock_bytes(&third) == stock_bytes(&twin));
    third.SetBitAtIndex(0, 0, !third.GetBitAtIndex(0, 0));
    CHECK(stock_bytes(&stock) == stock_bytes(&twin));
    // It lets go of ours when it changes.
    stock.SetPrecision(2);
    CHECK(stock.data() == nullptr);
  }
  Stock from_nothing;
  give_to(Tensor({2, 3}, 5), &from_nothing);
  CHECK(from_nothing.size() == 6 && all_bytes(from_nothing.data(), 0, 5));
  from_nothing.SetBitAtIndex(4, 5, true);
  CHECK(from_nothing.GetBitAtIndex(4, 5) && !from_nothing.GetBitAtIndex(4, 4));
  from_nothing.SetScale(1);
  give_to(Tensor(), &from_nothing);
  CHECK(from_nothing.ndim() == 0 && from_nothing.size() == 0 && from_nothing.data() == nullptr);
}

static void refused() {
  Stock stock({3}, 2, false);
  fill(&stock);
  const std::string before = stock_bytes(&stock);
  Tensor channels({2, 2}, 3);
  channels.set_channels(0, std::vector<double>{1, 2}, std::vector<double>{0, 0});
  THROWS(QTENSOR_UNSUPPORTED, "channels", give_to(std::move(channels), &stock));
  Tensor logarithmic({2}, 3);
  logarithmic.set_logarithmic();
  THROWS(QTENSOR_UNSUPPORTED, "logarithmic", give_to(std::move(logarithmic), &stock));
  THROWS(QTENSOR_OUT_OF_RANGE, "4294967296", give_to(Tensor({0, 4294967296}, 3), &stock));
  THROWS(QTENSOR_OUT_OF_RANGE, "2147483648", give_to(Tensor({2, 1073741824}, 3), &stock));
  CHECK(stock_bytes(&stock) == before);
  // Caffe2 takes a tensor that lost its dimensions for one value.
  stock.Resize(std::vector<int>());
  THROWS(QTENSOR_SHAPE_MISMATCH, "1", borrow_from(stock));

  caffe2::Tensor blank(CPU);
  THROWS(QTENSOR_UNSUPPORTED, "", borrow_from(blank));
  blank.Resize(3);
  THROWS(QTENSOR_INVALID_ARGUMENT, "3", borrow_from(blank));
  caffe2::Tensor text(CPU);
  text.Resize(1);
  text.mutable_data<std::string>();
  THROWS(QTENSOR_UNSUPPORTED, "string", borrow_from(text));
  caffe2::Tensor integers(CPU);
  integers.Resize(1);
  *integers.mutable_data<int>() = 1;
  THROWS(QTENSOR_UNSUPPORTED, "int32_t", floats_of(integers));
}

template <class T>
static void elements() {
  caffe2::Tensor stock(CPU);
  stock.Resize(3, 5);
  T *const values = stock.mutable_data<T>();
  for (int i = 0; i < 15; i++) {
    values[i] = static_cast<T>(i % 2);
  }
  std::unique_ptr<Dense> dense(new Dense(borrow_from(stock)));
  CHECK(dense->is_borrowed() && dense->bytes().data() == reinterpret_cast<uint8_t *>(values));
  CHECK(dense->ndim() == 2 && dense->dims()[1] == 5 && dense->nbytes() == 15 * sizeof(T));
  caffe2::Blob blob;
  caffe2::Tensor *const in_blob = caffe2::BlobGetMutableTensor(&blob, CPU);
  in_blob->CopyFrom(stock);
  CHECK(dense->serialize("w") == caffe2::SerializeBlob(blob, "w"));
  // The elements stay there when their tensor goes on to others.
  stock.Resize(4000);
  stock.mutable_data<double>();
  CHECK(dense->serialize("w") == caffe2::SerializeBlob(blob, "w"));

  // Borrowed ones are copied on the way back; our own are not.
  caffe2::Tensor back(CPU);
  const uint8_t *const bytes = dense->bytes().data();
  give_to(std::move(*dense), &back);
  CHECK(back.raw_data() != bytes && back.IsType<T>() && back.dim() == 2);
  CHECK(memcmp(back.raw_data(), in_blob->raw_data(), 15 * sizeof(T)) == 0);
  Dense own = Dense::deserialize(caffe2::SerializeBlob(blob, "w"));
  const uint8_t *const owned = own.bytes().data();
  give_to(std::move(own), &back);
  CHECK(back.raw_data() == owned && back.IsType<T>() && back.numel() == 15);
  CHECK(memcmp(owned, in_blob->raw_data(), 15 * sizeof(T)) == 0);
  back.mutable_data<T>()[0] = static_cast<T>(1);
  caffe2::Tensor copy = back.Clone();
  back.Resize(2000);
  back.mutable_data<T>();
  CHECK(memcmp(copy.raw_data(), in_blob->raw_data(), 15 * sizeof(T)) != 0);
}

static void ordinary() {
  elements<float>();
  elements<double>();
  elements<bool>();
  elements<uint8_t>();
  elements<int8_t>();
  elements<uint16_t>();
  elements<int16_t>();
  elements<int32_t>();
  elements<int64_t>();
  elements<at::Half>();
  caffe2::Tensor none(CPU), back(CPU);
  none.Resize(0, 3);
  none.mutable_data<float>();
  const Dense empty = borrow_from(none);
  CHECK(empty.size() == 0 && empty.ndim() == 2 && floats_of(none).empty());
  give_to(Dense::of({0, 3}, std::vector<float>()), &back);
  CHECK(back.numel() == 0 && back.dim() == 2 && back.IsType<float>());
  give_to(Dense::of({}, std::vector<float>{2.5f}), &back);
  CHECK(back.numel() == 1 && back.dim() == 0 && back.data<float>()[0] == 2.5f);
}

static void int8_tensors() {
  Int8TensorCPU stock, back;
  stock.scale = 0.1f;
  stock.zero_point = 131;
  stock.t.Resize(3, 100);
  for (int i = 0; i < 300; i++) {
    stock.t.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(i * 7);
  }
  const Tensor ours = copy_from(stock);
  CHECK(ours.precision() == 8 && !ours.is_signed() && ours.bias() == -131);
  CHECK(ours.scale() == static_cast<double>(0.1f) && ours.dims()[1] == 100);
  CHECK(memcmp(ours.codes<uint8_t>().data(), stock.t.raw_data(), 300) == 0);
  caffe2::Blob blob;
  *blob.GetMutable<Int8TensorCPU>() = std::move(stock);
  const Int8TensorCPU &kept = blob.Get<Int8TensorCPU>();
  CHECK(ours.serialize_int8("w") == caffe2::SerializeBlob(blob, "w"));
  copy_to(ours, &back);
  CHECK(back.scale == kept.scale && back.zero_point == 131 && back.t.sizes() == kept.t.sizes());
  CHECK(memcmp(back.t.data<uint8_t>(), kept.t.data<uint8_t>(), 300) == 0);
  // Signed codes are moved up, and the zero point with them.
  Tensor is_signed({3}, 7, true);
  is_signed.write_codes({-127, 0, 127});
  copy_to(is_signed, &back);
  CHECK(back.zero_point == 128 && back.t.data<uint8_t>()[0] == 1);
  CHECK(back.t.data<uint8_t>()[1] == 128 && back.t.data<uint8_t>()[2] == 255);
  THROWS(QTENSOR_UNSUPPORTED, "9", copy_to(Tensor({3}, 9), &back));
  CHECK(back.zero_point == 128 && back.t.numel() == 3);

  Int8TensorCPU wide;
  wide.scale = 0.5f;
  wide.zero_point = -3;
  wide.t.Resize(4);
  const int32_t values[] = {INT32_MIN, -1, 0, INT32_MAX};
  memcpy(wide.t.mutable_data<int32_t>(), values, sizeof values);
  Tensor integers = copy_from(wide);
  CHECK(integers.precision() == 32 && integers.is_signed() && integers.bias() == 3);
  copy_to(integers, &back);
  CHECK(back.zero_point == -3 && memcmp(back.t.data<int32_t>(), values, sizeof values) == 0);
  integers.write_codes({1, -2147483649, 0, 0});
  THROWS(QTENSOR_OUT_OF_RANGE, "-2147483649", copy_to(integers, &back));
  integers.set_bias(0.5);
  THROWS(QTENSOR_OUT_OF_RANGE, "0.5", copy_to(integers, &back));
  wide.t.mutable_data<float>();
  THROWS(QTENSOR_UNSUPPORTED, "float", copy_from(wide));
}

static void floats_there_and_back() {
  caffe2::Tensor floats(CPU), values(CPU);
  floats.Resize(2, 3);
  const float some[] = {0.5f, -1, 1.5f, -7.5f, 0, 7.5f};
  memcpy(floats.mutable_data<float>(), some, sizeof some);
  Tensor ours({2, 3}, 4, true);
  ours.set_scale(0.5);
  ours.quantize(floats_of(floats));
  dequantize_to(ours, &values);
  CHECK(values.sizes() == floats.sizes() && memcmp(values.data<float>(), some, sizeof some) == 0);
  dequantize_to(Tensor(), &values);
  CHECK(values.numel() == 0);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  borrowed();
  taken_and_given();
  refused();
  ordinary();
  int8_tensors();
  floats_there_and_back();
  return done();
}
