// cpp_tensor.cc: the life of a Tensor: made, changed, moved, copied on purpose, given away.
#include "state.hpp"

#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::Error;
using caffe2_qtensor::Span;
using caffe2_qtensor::Tensor;
using caffe2_qtensor::TensorRef;

static_assert(!std::is_copy_constructible<Tensor>::value, "clone() copies");
static_assert(!std::is_copy_assignable<Tensor>::value, "clone() copies");
static_assert(std::is_nothrow_move_constructible<Tensor>::value, "vectors move");
static_assert(std::is_nothrow_move_assignable<Tensor>::value, "vectors move");
static_assert(std::is_nothrow_destructible<Tensor>::value, "destructors never throw");
static_assert(std::is_nothrow_copy_constructible<TensorRef>::value, "it is a pointer");
static_assert(std::is_nothrow_copy_assignable<TensorRef>::value, "it is a pointer");
static_assert(sizeof(Tensor) == sizeof(void *) && sizeof(TensorRef) == sizeof(void *), "no more");
static_assert(std::is_convertible<const Tensor &, TensorRef>::value, "a Tensor can be read");
static_assert(!std::is_convertible<TensorRef, Tensor>::value, "clone() copies");
static_assert(!std::is_constructible<Tensor, TensorRef>::value, "clone() copies");
static_assert(!std::is_assignable<Tensor &, TensorRef>::value, "clone() copies");
static_assert(!std::is_convertible<qtensor_t *, Tensor>::value, "taking over is said aloud");
static_assert(!std::is_constructible<Tensor, const qtensor_t *>::value, "const is not owned");
static_assert(!std::is_convertible<const qtensor_t *, TensorRef>::value, "said aloud");
typedef caffe2_qtensor::detail::TensorReader Reader;
static_assert(!std::is_copy_constructible<Reader>::value, "only as a part of the others");
static_assert(!std::is_assignable<Reader &, const Reader &>::value, "would part an owner");
static_assert(!std::is_destructible<Reader>::value, "only as a part of the others");
static_assert(std::is_base_of<std::runtime_error, Error>::value, "as others catch it");
static_assert(noexcept(std::declval<const Tensor &>().dims()), "cannot fail");
static_assert(noexcept(std::declval<Tensor &>().release()), "cannot fail");

static void an_empty_tensor() {
  Tensor tensor;
  CHECK(tensor.ndim() == 0 && tensor.dims().empty() && tensor.size() == 0);
  CHECK(tensor.aligned_size() == 0 && tensor.nbytes() == 0 && tensor.alignment() == 8);
  CHECK(tensor.precision() == 8 && !tensor.is_signed());
  CHECK(tensor.scale() == 1 && tensor.bias() == 0 && tensor.data_type() == -1);
  CHECK(!tensor.is_multiparam() && tensor.channel_axis() == -1);
  CHECK(tensor.planes().empty() && tensor.mutable_planes().empty());
  CHECK(tensor.codes<int64_t>().empty() && tensor.view().size() == 0);
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "0", tensor.get_bit(0, 0));
  CHECK(Tensor::deserialize(tensor.serialize("")).ndim() == 0);
  CHECK(Tensor({}, 3).ndim() == 0 && Tensor({0}, 3).ndim() == 1);
  Tensor rows({4, 0, 5}, 3, true);
  CHECK(rows.size() == 0 && rows.ndim() == 3 && rows.mutable_planes().empty());
  rows.write_codes({});
  CHECK(rows.codes<int8_t>().empty());
  rows.set_channels(1, Span<const double>(), Span<const double>());
  CHECK(rows.is_multiparam() && rows.channel_scales().empty());
}

static void shape_and_parameters() {
  Tensor tensor({2, 3, 5}, 4, true);
  CHECK(tensor.ndim() == 3 && tensor.dims()[0] == 2 && tensor.dims()[2] == 5);
  CHECK(tensor.size() == 30 && tensor.aligned_size() == 32 && tensor.nbytes() == 20);
  CHECK(tensor.precision() == 4 && tensor.is_signed());
  CHECK(tensor.dim32(1) == 3 && tensor.canonical_axis_index(-1) == 2);
  CHECK(tensor.size_from_dim(1) == 15 && tensor.size_from_dim(9) == 1);
  CHECK(tensor.size_to_dim(2) == 6);
  tensor.set_scale(0.25);
  tensor.set_bias(-3);
  CHECK(tensor.scale() == 0.25 && tensor.bias() == -3);
  tensor.set_scale(NAN);
  CHECK(std::isnan(tensor.scale()));
  tensor.set_data_type(3);
  CHECK(tensor.data_type() == 3);
  tensor.resize({10, 3});
  CHECK(tensor.ndim() == 2 && tensor.size() == 30);
  tensor.resize(tensor.dims());
  CHECK(tensor.ndim() == 2 && tensor.dims()[0] == 10);
  tensor.set_precision(255);
  CHECK(tensor.precision() == 255);
  tensor.set_precision(0);
  tensor.set_signed(false);
  CHECK(tensor.precision() == 0 && !tensor.is_signed());
  tensor.set_signed();
  CHECK(tensor.is_signed());
}

static void refusals_change_nothing() {
  Tensor tensor({2, 3}, 4, true);
  tensor.write_codes({1, -2, 3, -15, 0, 15});
  tensor.set_channels(0, std::vector<double>{1, 2}, std::vector<double>{3, 4});
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "256, outside the range 0 to 255",
          tensor.set_precision(256));
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "-1, outside the range 0 to 255",
          tensor.set_precision(-1));
  REFUSED(tensor, QTENSOR_INVALID_ARGUMENT, "-1", tensor.resize({2, -1}));
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "65", tensor.resize(std::vector<int>(65, 1)));
  REFUSED(tensor, QTENSOR_OVERFLOW, "elements", tensor.resize({INT64_MAX, 2}));
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "2", tensor.dim32(2));
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "-3", tensor.canonical_axis_index(-3));
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "-1", tensor.size_from_dim(-1));
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "2", tensor.size_to_dim(2));
  REFUSED(tensor, QTENSOR_INVALID_ARGUMENT, "999", tensor.set_data_type(999));
  THROWS(QTENSOR_OUT_OF_RANGE, "precision is 256", Tensor({2}, 256));
  THROWS(QTENSOR_OUT_OF_RANGE, "precision is -1", Tensor({2}, -1));
  THROWS(QTENSOR_INVALID_ARGUMENT, "-7", Tensor({-7}, 8));
  Tensor large({INT64_MAX / 4}, 8);
  THROWS(QTENSOR_OVERFLOW, "bytes", large.set_precision(255));
  THROWS(QTENSOR_OVERFLOW, "message", large.serialize("w"));
  THROWS(QTENSOR_OUT_OF_MEMORY, "bytes", large.mutable_planes());
  THROWS(QTENSOR_OVERFLOW, "2147483647", large.dim32(0));
  CHECK(large.precision() == 8 && large.planes().empty());
}

// The exception is caught as what it derives from, and carries the status.
static void an_error_is_a_runtime_error() {
  bool caught = false;
  try {
    Tensor({-1}, 8);
  } catch (const std::runtime_error &thrown) {
    const Error *const error = dynamic_cast<const Error *>(&thrown);
    caught = error != nullptr && error->status() == QTENSOR_INVALID_ARGUMENT &&
             std::string(thrown.what()).find("-1") != std::string::npos;
  }
  CHECK(caught);
}

static Tensor numbered(int number) {
  Tensor tensor({1}, 8);
  tensor.write_codes({number});
  return tensor;
}

static int number_of(TensorRef tensor) { return tensor.codes<int32_t>().at(0); }

static void moves() {
  Tensor first = numbered(1), second = numbered(2);
  const qtensor_t *const handle = first.get();
  Tensor taken(std::move(first));
  CHECK(taken.get() == handle && first.get() == nullptr);
  second = std::move(taken);
  CHECK(second.get() == handle && taken.get() == nullptr && number_of(second) == 1);
  Tensor &itself = second;
  second = std::move(itself);
  CHECK(second.get() == handle && number_of(second) == 1);
  first = numbered(3);
  CHECK(number_of(first) == 3);
  std::swap(first, second);
  CHECK(number_of(first) == 1 && number_of(second) == 3 && first.get() == handle);
  Tensor &nothing = taken;
  taken = std::move(nothing);
  CHECK(taken.get() == nullptr);

  std::vector<Tensor> tensors;
  for (int i = 0; i < 100; i++) {
    tensors.push_back(numbered(i));
  }
  tensors.erase(tensors.begin());
  tensors.emplace_back(std::vector<int>{1}, 8);
  CHECK(tensors.size() == 100 && number_of(tensors[98]) == 99 && number_of(tensors[99]) == 0);
}

static void after_a_move() {
  Tensor kept({2}, 4), gone(std::move(kept));
  const Tensor &moved = kept;
  CHECK(moved.ndim() == 0 && moved.dims().empty() && moved.size() == 0 && moved.nbytes() == 0);
  CHECK(moved.aligned_size() == 0 && moved.alignment() == 0 && moved.precision() == 0);
  CHECK(!moved.is_signed() && moved.scale() == 0 && moved.bias() == 0);
  CHECK(moved.planes().empty() && moved.channel_scales().empty());
  CHECK(moved.channel_biases().empty() && moved.channel_axis() == -1 && moved.data_type() == -1);
  CHECK(!moved.is_multiparam());
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", kept.resize({1}));
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", kept.set_precision(3));
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", kept.set_scale(1));
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", kept.mutable_planes());
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", kept.write_codes({}));
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", kept.codes<int64_t>());
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", kept.get_bit(0, 0));
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", kept.view());
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", kept.serialize("w"));
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", kept.serialized_size_int8("w"));
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", kept.clone());
  REFUSED(kept, QTENSOR_NULL_ARGUMENT, "NULL", TensorRef(kept).clone());
  CHECK(kept.release() == nullptr);
}

static void clones_and_the_c_interface() {
  Tensor tensor = numbered(7);
  Tensor copy = tensor.clone();
  tensor.write_codes({8});
  CHECK(number_of(copy) == 7 && number_of(TensorRef(copy).clone()) == 7);
  CHECK(number_of(tensor.clone()) == 8);

  qtensor_t *handle = tensor.release();
  CHECK(tensor.get() == nullptr && handle != nullptr);
  CHECK(number_of(TensorRef(handle)) == 8);
  Tensor owner(handle);
  CHECK(owner.get() == handle && static_cast<const Tensor &>(owner).get() == handle);
  WORKS(qtensor_set_bias, owner.get(), 5);
  CHECK(owner.bias() == 5);

  TensorRef reference = owner;
  CHECK(reference.get() == owner.get() && reference.planes().data() == owner.planes().data());
  reference = copy;
  CHECK(number_of(reference) == 7 && number_of(owner) == 8);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  an_empty_tensor();
  shape_and_parameters();
  refusals_change_nothing();
  an_error_is_a_runtime_error();
  moves();
  after_a_move();
  clones_and_the_c_interface();
  CHECK(caffe2_qtensor::version() == CAFFE2_QTENSOR_VERSION);
  return done();
}
