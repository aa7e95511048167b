// cpp_product.cc: matrix products.
#include "check.hpp"

#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::InputFormat;
using caffe2_qtensor::PackedWeights;
using caffe2_qtensor::ProductMethod;
using caffe2_qtensor::ProductOptions;
using caffe2_qtensor::Tensor;

static_assert(!std::is_copy_constructible<PackedWeights>::value, "no copies by accident");
static_assert(std::is_nothrow_move_constructible<PackedWeights>::value, "vectors move");

typedef std::vector<float> Floats;
typedef std::vector<int64_t> Integers;

static ProductOptions by(ProductMethod method, uint32_t threads) {
  ProductOptions options;
  CHECK(options.method == ProductMethod::best && options.threads == 1);
  options.method = method;
  options.threads = threads;
  return options;
}

static Integers codes_of(const Tensor &tensor) {
  Integers codes(tensor.size());
  tensor.read_codes(codes);
  return codes;
}

// Two rows of three and their weights: sums of -2, 10, 0 and 60.
static Tensor make_x() {
  Tensor x({2, 3}, 4);
  x.write_codes({1, 2, 3, 15, 0, 15});
  x.set_scale(0.5);
  return x;
}
static Tensor make_w() {
  Tensor w({2, 3}, 2, true);
  w.write_codes({1, 0, -1, 3, 2, 1});
  return w;
}

static void sums_and_values() {
  const Tensor x = make_x();
  PackedWeights weights(make_w());
  CHECK(weights.rows() == 2 && weights.columns() == 3);
  CHECK(weights.nbytes() == 3 * 64 * 4);
  CHECK((weights.product_sums(x) == Integers{-2, 10, 0, 60}));
  CHECK((weights.product(x) == Floats{-1, 5, 0, 30}));
  const Floats added = {1, 2};
  CHECK((weights.product(x, added) == Floats{0, 7, 1, 32}));
  for (const ProductMethod method : {ProductMethod::best, ProductMethod::popcount,
                                     ProductMethod::bytes, ProductMethod::planes}) {
    const ProductOptions options = by(method, 3);
    int64_t sums[4] = {0};
    Floats values(4);
    weights.product_sums(x, sums, options);
    weights.product(x, values, added, options);
    int32_t narrow[4] = {0};
    weights.product_sums(x, narrow, options);
    CHECK(narrow[0] == -2 && narrow[1] == 10 && narrow[2] == 0 && narrow[3] == 60);
    CHECK(sums[0] == -2 && sums[1] == 10 && sums[2] == 0 && sums[3] == 60);
    CHECK((values == Floats{0, 7, 1, 32}));
    CHECK((weights.product(x, added, options) == values));
    CHECK((weights.product_sums(x, options) == Integers{-2, 10, 0, 60}));
  }
  THROWS(QTENSOR_SHAPE_MISMATCH, "columns", weights.product(Tensor({3, 2}, 4)));
  THROWS(QTENSOR_SHAPE_MISMATCH, "dimensions", PackedWeights(Tensor({3}, 4)));
  THROWS(QTENSOR_UNSUPPORTED, "ternary", weights.product(x, added, by(ProductMethod::ternary, 1)));
  THROWS(QTENSOR_INVALID_ARGUMENT, "method",
         weights.product_sums(x, by(static_cast<ProductMethod>(9), 1)));
  Floats values(4);
  THROWS(QTENSOR_INVALID_ARGUMENT, "overlap", weights.product(x, values, {values.data(), 2}));

  PackedWeights moved = std::move(weights);
  CHECK(moved.rows() == 2 && weights.rows() == 0 && weights.columns() == 0);
  CHECK(weights.nbytes() == 0 && weights.get() == nullptr && moved.get() != nullptr);
  THROWS(QTENSOR_NULL_ARGUMENT, "packed", weights.product(x));
  THROWS(QTENSOR_NULL_ARGUMENT, "packed", weights.method(x));
  weights = std::move(moved);
  CHECK((weights.product_sums(x) == Integers{-2, 10, 0, 60}));
}

static void methods() {
  const PackedWeights weights((make_w()));
  CHECK(weights.method(make_x()) == ProductMethod::planes);
  CHECK(weights.method(Tensor({9, 3}, 4)) == ProductMethod::bytes);
  CHECK(weights.method(Tensor({9, 3}, 1)) == ProductMethod::popcount);
  CHECK(weights.method(make_x(), by(ProductMethod::bytes, 1)) == ProductMethod::bytes);
  THROWS(QTENSOR_UNSUPPORTED, "1 bit", weights.method(make_x(), by(ProductMethod::ternary, 1)));

  Tensor signs({1, 3}, 1, true);
  signs.write_codes({1, 0, -1});
  const PackedWeights ternary(signs);
  CHECK(ternary.method(signs) == ProductMethod::ternary);
  CHECK((ternary.product_sums(signs, by(ProductMethod::ternary, 1)) == Integers{2}));
}

static void codes() {
  Tensor x = make_x();
  const PackedWeights weights((make_w()));
  Tensor out({2, 2}, 4);
  out.set_scale(2);
  weights.product_codes(x, out);
  // A half goes to the even code, what is below 0 to 0, and what is above 15 to 15.
  CHECK((codes_of(out) == Integers{0, 2, 0, 15}));
  const Floats added = {4, -4};
  weights.product_codes(x, out, added);
  CHECK((codes_of(out) == Integers{2, 0, 2, 13}));
  out.set_signed(true);
  out.set_precision(16);
  weights.product_codes(x, out, added, by(ProductMethod::bytes, 2));
  CHECK((codes_of(out) == Integers{2, 0, 2, 13}));
  THROWS(QTENSOR_INVALID_ARGUMENT, "'out'", weights.product_codes(x, x));
  Tensor wrong({2, 3}, 4);
  THROWS(QTENSOR_SHAPE_MISMATCH, "result", weights.product_codes(x, wrong));
}

static void floats() {
  const PackedWeights weights((make_w()));
  const Floats x = {0.5f, 1, 1.5f, 7.5f, 0, 7.5f}, added = {1, 2};
  const InputFormat given(4, false, 0.5, 0), covering(8, true), usual;
  CHECK(given.is_given && given.scale == 0.5 && given.bias == 0 && given.precision == 4);
  CHECK(!covering.is_given && covering.is_signed && covering.precision == 8);
  CHECK(!usual.is_given && !usual.is_signed && usual.precision == 8);
  CHECK((weights.product_floats(x, given) == Floats{-1, 5, 0, 30}));
  CHECK((weights.product_floats(x, given, added) == Floats{0, 7, 1, 32}));
  Floats values(4), others(4);
  weights.product_floats(x, values, given, added, by(ProductMethod::popcount, 2));
  CHECK((values == Floats{0, 7, 1, 32}));
  weights.product_floats(x, values);
  CHECK(qtensor_product_floats(x.data(), 6, nullptr, weights.get(), nullptr, 0, others.data(), 4,
                               nullptr, nullptr) == QTENSOR_OK);
  CHECK(values == others);
  values = weights.product_floats(x, covering, added, by(ProductMethod::planes, 1));
  // Within a step of the largest value for each weight.
  const Floats exact = {0, 7, 1, 32};
  for (std::size_t i = 0; i < 4; i++) {
    CHECK(values[i] > exact[i] - 0.1f && values[i] < exact[i] + 0.1f);
  }
  THROWS(QTENSOR_OUT_OF_RANGE, "precision of the input is 9",
         weights.product_floats(x, InputFormat(9)));
  const Floats nan = {0, std::numeric_limits<float>::quiet_NaN(), 0};
  THROWS(QTENSOR_NON_FINITE, "index 1", weights.product_floats(nan));
  THROWS(QTENSOR_SHAPE_MISMATCH, "input", weights.product_floats(added));
  THROWS(QTENSOR_NON_FINITE, "bias",
         weights.product_floats(x, InputFormat(8, false, 1, std::numeric_limits<double>::infinity())));
}

int main(int argc, char **argv) {
  begin(argc, argv);
  sums_and_values();
  methods();
  codes();
  floats();
  return done();
}
