// product.hpp: matrix products of quantized tensors.
#ifndef CAFFE2_QTENSOR_PRODUCT_HPP
#define CAFFE2_QTENSOR_PRODUCT_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "error.hpp"
#include "span.hpp"
#include "tensor_ref.hpp"

namespace caffe2_qtensor {

// The weights W of products X * W^T, made ready once from a tensor of outputs by columns, of which
// this keeps nothing. It is moved freely and copied never. All calls may run on one of them from
// many threads at once. After a move the old object has none: it may be destroyed or assigned to.
class PackedWeights {
 public:
  explicit PackedWeights(TensorRef weights) {
    qtensor_packed_t* made = nullptr;
    detail::call(&qtensor_packed_create, weights.get(), &made);
    handle_.reset(made);
  }

  std::size_t rows() const noexcept { return qtensor_packed_rows(get()); }
  std::size_t columns() const noexcept { return qtensor_packed_columns(get()); }

  // X * W^T, and `added` where it is not empty, as qtensor_product() says: one float for each row of
  // `x` and each output.
  void product(TensorRef x, Span<float> values, Span<const float> added = Span<const float>(),
               std::uint32_t threads = 1) const {
    detail::call(&qtensor_product, x.get(), get(), added.data(), added.size(), values.data(),
                 values.size(), threads);
  }
  std::vector<float> product(TensorRef x, Span<const float> added = Span<const float>(),
                             std::uint32_t threads = 1) const {
    std::vector<float> values(count(x));
    product(x, values, added, threads);
    return values;
  }

  // The integers inside it: sums of products of codes.
  void product_sums(TensorRef x, Span<std::int64_t> sums, std::uint32_t threads = 1) const {
    detail::call(&qtensor_product_sums, x.get(), get(), sums.data(), sums.size(), threads);
  }
  std::vector<std::int64_t> product_sums(TensorRef x, std::uint32_t threads = 1) const {
    std::vector<std::int64_t> sums(count(x));
    product_sums(x, sums, threads);
    return sums;
  }

  // For the C interface; it stays this object's.
  const qtensor_packed_t* get() const noexcept { return handle_.get(); }

 private:
  struct Free {
    void operator()(qtensor_packed_t* packed) const noexcept { qtensor_packed_free(packed); }
  };

  // What the result of a product that is not refused has.
  std::size_t count(TensorRef x) const noexcept {
    return columns() == 0 ? 0 : x.size() / columns() * rows();
  }

  std::unique_ptr<qtensor_packed_t, Free> handle_;
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_PRODUCT_HPP
