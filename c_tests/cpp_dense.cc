// cpp_dense.cc: ordinary tensors of every element type.
#include "check.hpp"

#include <array>
#include <type_traits>
#include <utility>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::Dense;
using caffe2_qtensor::DenseRef;
using caffe2_qtensor::Span;

static_assert(!std::is_copy_constructible<Dense>::value, "no copies by accident");
static_assert(!std::is_copy_assignable<Dense>::value, "no copies by accident");
static_assert(std::is_nothrow_move_constructible<Dense>::value, "vectors move");
static_assert(std::is_nothrow_move_assignable<Dense>::value, "vectors move");
static_assert(std::is_nothrow_destructible<Dense>::value, "destructors never throw");
static_assert(std::is_nothrow_copy_constructible<DenseRef>::value, "it is a pointer");
static_assert(std::is_convertible<const Dense &, DenseRef>::value, "a Dense can be read");
static_assert(!std::is_constructible<Dense, DenseRef>::value, "no copies by accident");
static_assert(!std::is_convertible<qtensor_dense_t *, Dense>::value, "said aloud");
static_assert(!std::is_convertible<const qtensor_dense_t *, DenseRef>::value, "said aloud");

template <class T>
static bool holds(DenseRef dense, const T *elements, size_t count) {
  const Span<const T> found = dense.elements<T>();
  return found.size() == count && dense.nbytes() == count * sizeof(T) &&
         memcmp(found.data(), elements, count * sizeof(T)) == 0 &&
         reinterpret_cast<uintptr_t>(found.data()) % alignof(T) == 0;
}

template <class T>
static void elements_of(int32_t type) {
  const std::array<T, 6> elements = {{T(0), T(1), T(1), T(0), T(1), T(0)}};
  const Dense dense = Dense::of({2, 3}, elements);
  CHECK(dense.element_type() == type && dense.ndim() == 2 && dense.dims()[1] == 3);
  CHECK(dense.size() == 6 && holds(dense, elements.data(), 6));
  CHECK(dense.bytes().size() == dense.nbytes());
  CHECK(memcmp(dense.bytes().data(), elements.data(), dense.nbytes()) == 0);
  const T array[] = {T(1), T(0)};
  CHECK(holds(Dense::of({2}, array), array, 2));
  CHECK(holds(Dense::of({2}, Span<const T>(array)), array, 2));
  CHECK(holds(Dense::of({2}, {array[0], array[1]}), array, 2));
  CHECK(Dense::of({2}, {array[0], array[1]}).element_type() == type);
  std::array<T, 2> to_change = {{T(1), T(0)}};
  CHECK(holds(Dense::of({2}, Span<T>(to_change)), array, 2));
  const std::string blob = dense.serialize("w");
  CHECK(blob.size() == dense.serialized_size("w"));
  CHECK(holds(Dense::deserialize(blob), elements.data(), 6));
  const caffe2_qtensor::BlobInfo info = caffe2_qtensor::peek_blob(blob);
  CHECK(info.name == "w" && info.type == "Tensor");
  std::vector<uint8_t> buffer(blob.size() + 1, 0xa5);
  CHECK(dense.serialize("w", buffer) == blob.size() && buffer.back() == 0xa5);
  CHECK(memcmp(buffer.data(), blob.data(), blob.size()) == 0);
  buffer.resize(blob.size() - 1);
  THROWS(QTENSOR_BUFFER_TOO_SMALL, std::to_string(blob.size()).c_str(),
         dense.serialize("w", buffer));
  THROWS(QTENSOR_SHAPE_MISMATCH, "", Dense::of({2, 2}, elements));
}

static void half_precision() {
  const std::vector<uint16_t> halves = {0x3c00, 0xc000};
  const Dense dense = Dense::of({2}, halves, QTENSOR_ELEMENT_FLOAT16);
  CHECK(dense.element_type() == QTENSOR_ELEMENT_FLOAT16);
  CHECK(holds(dense, halves.data(), 2) && holds(Dense::deserialize(dense.serialize("h")),
                                                halves.data(), 2));
  CHECK(Dense::of({2}, halves).element_type() == QTENSOR_ELEMENT_UINT16);
  THROWS(QTENSOR_UNSUPPORTED, "half precision", dense.elements<int16_t>());
}

static void another_type_is_refused() {
  const Dense floats = Dense::of({3}, {1.0f, 2.0f, 3.0f});
  THROWS(QTENSOR_UNSUPPORTED, "type is float, which", floats.elements<double>());
  SAYS("C++ type is double.");
  THROWS(QTENSOR_UNSUPPORTED, "int32_t", floats.elements<int32_t>());
  THROWS(QTENSOR_UNSUPPORTED, "uint16_t", floats.elements<uint16_t>());
  const std::vector<int64_t> wide = {1};
  THROWS(QTENSOR_UNSUPPORTED, "int64_t", Dense::of({1}, wide, QTENSOR_ELEMENT_INT32));
  THROWS(QTENSOR_UNSUPPORTED, "number 77", Dense::of({1}, wide, 77));
  THROWS(QTENSOR_UNSUPPORTED, "77", Dense({1}, 77, Span<const uint8_t>()));
}

static void bytes_and_shapes() {
  const uint8_t bytes[9] = {0xa5, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
  const Dense dense({2}, QTENSOR_ELEMENT_INT32, Span<const uint8_t>(bytes + 1, 8));
  CHECK(dense.elements<int32_t>()[0] == 1 && dense.elements<int32_t>()[1] == -1);
  THROWS(QTENSOR_SHAPE_MISMATCH, "9", Dense({2}, QTENSOR_ELEMENT_INT32, bytes));
  THROWS(QTENSOR_INVALID_ARGUMENT, "-1", Dense::of({-1}, {1.0f}));
  THROWS(QTENSOR_NULL_ARGUMENT, "NULL",
         Dense({4}, QTENSOR_ELEMENT_UINT8, Span<const uint8_t>(nullptr, 4)));
  const Dense scalar = Dense::of({}, {2.5});
  CHECK(scalar.ndim() == 0 && scalar.size() == 1 && scalar.elements<double>()[0] == 2.5);
  const Dense empty = Dense::of({0, 3}, std::vector<float>());
  CHECK(empty.size() == 0 && empty.elements<float>().empty() && empty.bytes().empty());
  THROWS(QTENSOR_MALFORMED, "", Dense::deserialize("not a blob"));
  const std::string with_nul("a\0b", 3);
  THROWS(QTENSOR_INVALID_ARGUMENT, "name of 3 bytes has a NUL at byte 1",
         dense.serialize(with_nul));
}

static void moves() {
  Dense dense = Dense::of({1}, {7});
  const qtensor_dense_t *const handle = dense.get();
  Dense taken(std::move(dense));
  CHECK(taken.get() == handle && dense.get() == nullptr);
  CHECK(dense.ndim() == 0 && dense.dims().empty() && dense.size() == 0 && dense.nbytes() == 0);
  CHECK(dense.element_type() == 0 && dense.bytes().empty());
  THROWS(QTENSOR_NULL_ARGUMENT, "NULL", dense.elements<int32_t>());
  THROWS(QTENSOR_NULL_ARGUMENT, "NULL", dense.serialize("w"));
  Dense &itself = taken;
  taken = std::move(itself);
  CHECK(taken.get() == handle && taken.elements<int32_t>()[0] == 7);
  dense = std::move(taken);
  CHECK(dense.get() == handle);
  dense = Dense::of({1}, {8});
  std::swap(dense, taken);
  CHECK(dense.get() == nullptr && taken.elements<int32_t>()[0] == 8);
  Dense again(taken.release());
  CHECK(taken.get() == nullptr && DenseRef(again.get()).elements<int32_t>()[0] == 8);
  std::vector<Dense> many;
  for (int i = 0; i < 20; i++) {
    many.push_back(Dense::of({1}, {i}));
  }
  CHECK(many.size() == 20 && many[19].elements<int32_t>()[0] == 19);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  elements_of<float>(QTENSOR_ELEMENT_FLOAT);
  elements_of<double>(QTENSOR_ELEMENT_DOUBLE);
  elements_of<bool>(QTENSOR_ELEMENT_BOOL);
  elements_of<uint8_t>(QTENSOR_ELEMENT_UINT8);
  elements_of<int8_t>(QTENSOR_ELEMENT_INT8);
  elements_of<uint16_t>(QTENSOR_ELEMENT_UINT16);
  elements_of<int16_t>(QTENSOR_ELEMENT_INT16);
  elements_of<int32_t>(QTENSOR_ELEMENT_INT32);
  elements_of<int64_t>(QTENSOR_ELEMENT_INT64);
  half_precision();
  another_type_is_refused();
  bytes_and_shapes();
  moves();
  return done();
}
