// cpp_product.cc: matrix products.
#include "check.hpp"

#include <type_traits>
#include <utility>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::PackedWeights;
using caffe2_qtensor::Tensor;

static_assert(!std::is_copy_constructible<PackedWeights>::value, "no copies by accident");
static_assert(std::is_nothrow_move_constructible<PackedWeights>::value, "vectors move");

int main(int argc, char **argv) {
  begin(argc, argv);
  Tensor x({2, 3}, 4), w({2, 3}, 2, true);
  x.write_codes({1, 2, 3, 15, 0, 15});
  w.write_codes({1, 0, -1, 3, 2, 1});
  x.set_scale(0.5);
  PackedWeights weights(w);
  CHECK(weights.rows() == 2 && weights.columns() == 3);
  CHECK((weights.product_sums(x) == std::vector<int64_t>{-2, 10, 0, 60}));
  CHECK((weights.product(x) == std::vector<float>{-1, 5, 0, 30}));
  const std::vector<float> added = {1, 2};
  CHECK((weights.product(x, added) == std::vector<float>{0, 7, 1, 32}));
  THROWS(QTENSOR_SHAPE_MISMATCH, "columns", weights.product(Tensor({3, 2}, 4)));
  THROWS(QTENSOR_SHAPE_MISMATCH, "dimensions", PackedWeights(Tensor({3}, 4)));
  const PackedWeights moved = std::move(weights);
  CHECK(moved.rows() == 2 && weights.rows() == 0);
  THROWS(QTENSOR_NULL_ARGUMENT, "packed", weights.product(x));
  return done();
}
