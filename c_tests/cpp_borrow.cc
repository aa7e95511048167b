// cpp_borrow.cc: tensors over memory of the program's own.
#include "state.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::Dense;
using caffe2_qtensor::Span;
using caffe2_qtensor::Tensor;
using caffe2_qtensor::TensorRef;

typedef std::shared_ptr<std::vector<uint8_t>> Shared;

static Shared some_planes() {
  return std::make_shared<std::vector<uint8_t>>(std::vector<uint8_t>{1, 2, 3, 4, 5, 6});
}

static void count(void *context) { ++*static_cast<int *>(context); }

static void kept_as_long_as_used() {
  Tensor tensor({3, 5}, 2, true);
  const Shared planes = some_planes();
  tensor.borrow_keeping(*planes, planes);
  CHECK(tensor.is_borrowed() && TensorRef(tensor).is_borrowed() && planes.use_count() == 2);
  CHECK(tensor.planes().data() == planes->data());
  CHECK(!tensor.clone().is_borrowed() && planes.use_count() == 2);
  Tensor moved = std::move(tensor);
  CHECK(moved.is_borrowed() && planes.use_count() == 2);
  moved.set_bit(0, 0, true);
  CHECK(!moved.is_borrowed() && planes.use_count() == 1 && planes->front() == 1);
  CHECK(moved.planes()[0] == 0x81 && moved.planes()[5] == 6);

  moved.borrow_mut_keeping(*planes, planes);
  moved.set_bit(0, 0, true);
  CHECK(moved.is_borrowed() && planes.use_count() == 2 && planes->front() == 0x81);
  CHECK(moved.mutable_planes().data() == planes->data());
  // What cannot be copied may keep them, too.
  std::unique_ptr<int> owner(new int(7));
  moved.borrow_keeping(*planes, std::move(owner));
  CHECK(planes.use_count() == 1 && moved.is_borrowed());
}

static void refused_keeps_nothing() {
  Tensor tensor({3, 5}, 2, false);
  const Shared planes = some_planes();
  int told = 0;
  THROWS(QTENSOR_SHAPE_MISMATCH, "6", tensor.borrow_keeping(*planes, planes));
  THROWS(QTENSOR_SHAPE_MISMATCH, "6", tensor.borrow_mut_keeping(*planes, planes));
  THROWS(QTENSOR_SHAPE_MISMATCH, "6", tensor.borrow(*planes, &count, &told));
  THROWS(QTENSOR_SHAPE_MISMATCH, "6", tensor.borrow_mut(*planes, &count, &told));
  CHECK(planes.use_count() == 1 && told == 0 && !tensor.is_borrowed());
  THROWS(QTENSOR_SHAPE_MISMATCH, "6",
         Dense::borrow_keeping({5}, QTENSOR_ELEMENT_UINT8, *planes, planes));
  CHECK(planes.use_count() == 1);
  // Without a byte they are given back at once.
  Tensor empty;
  empty.borrow_keeping(Span<const uint8_t>(), planes);
  CHECK(planes.use_count() == 1 && !empty.is_borrowed());
  tensor.set_signed();
  tensor.borrow(*planes, &count, &told);
  tensor.borrow(*planes);
  CHECK(told == 1 && tensor.is_borrowed());
}

static void ordinary_ones() {
  const auto values = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3});
  const Span<const uint8_t> bytes(reinterpret_cast<const uint8_t *>(values->data()), 12);
  {
    const Dense dense = Dense::borrow_keeping({3}, QTENSOR_ELEMENT_FLOAT, bytes, values);
    CHECK(dense.is_borrowed() && values.use_count() == 2);
    CHECK(dense.elements<float>().data() == values->data());
    CHECK(dense.serialize("w") == Dense::of({3}, *values).serialize("w"));
  }
  CHECK(values.use_count() == 1 && !Dense::of({3}, *values).is_borrowed());
  CHECK(Dense::borrow({3}, QTENSOR_ELEMENT_FLOAT, bytes).bytes().data() == bytes.data());
}

int main(int argc, char **argv) {
  begin(argc, argv);
  kept_as_long_as_used();
  refused_keeps_nothing();
  ordinary_ones();
  return done();
}
