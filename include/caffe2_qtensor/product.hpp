// product.hpp: matrix products of quantized tensors.
#ifndef CAFFE2_QTENSOR_PRODUCT_HPP
#define CAFFE2_QTENSOR_PRODUCT_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "error.hpp"
#include "fixed.hpp"
#include "span.hpp"
#include "tensor.hpp"
#include "tensor_ref.hpp"

namespace caffe2_qtensor {

// How the sums of a product are made; the comments of the QTENSOR_METHOD_ constants say what each
// does. All give the same results.
enum class ProductMethod : std::int32_t {
  best = QTENSOR_METHOD_BEST,
  popcount = QTENSOR_METHOD_POPCOUNT,
  ternary = QTENSOR_METHOD_TERNARY,
  bytes = QTENSOR_METHOD_BYTES,
  planes = QTENSOR_METHOD_PLANES
};

// What a product is asked for: a method, the most threads to work on, and how codes are rounded.
struct ProductOptions {
  ProductMethod method = ProductMethod::best;
  std::uint32_t threads = 1;
  // Of codes; the other calls check it and do not use it.
  FixedRounding rounding = FixedRounding::nearest;
};

// What floats become before they are multiplied: codes of these parameters, or, as the default, of
// such as cover all values of the call, and 0 exactly.
struct InputFormat {
  InputFormat() = default;
  // Codes that cover the values.
  explicit InputFormat(std::uint8_t bits, bool with_sign = false)
      : precision(bits), is_signed(with_sign) {}
  // No sign, a scale: there is none without a bias.
  InputFormat(std::uint8_t, double) = delete;
  // Codes of a given scale and bias.
  InputFormat(std::uint8_t bits, bool with_sign, double of_scale, double of_bias)
      : precision(bits), is_signed(with_sign), is_given(true), scale(of_scale), bias(of_bias) {}

  std::uint8_t precision = 8;
  bool is_signed = false;
  bool is_given = false;
  double scale = 1;
  double bias = 0;
};

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
  // The bytes that the codes take here.
  std::size_t nbytes() const noexcept { return qtensor_packed_nbytes(get()); }

  // The method that a product with `x` is done by: that of the options, or the best one.
  ProductMethod method(TensorRef x, const ProductOptions& options = ProductOptions()) const {
    const qtensor_product_options_t asked = c_options(options);
    std::int32_t method = 0;
    detail::call(&qtensor_product_method, x.get(), get(), &asked, &method);
    return static_cast<ProductMethod>(method);
  }

  // X * W^T, and `added` where it is not empty, as qtensor_product() says: one float for each row of
  // `x` and each output.
  void product(TensorRef x, Span<float> values, Span<const float> added = Span<const float>(),
               const ProductOptions& options = ProductOptions()) const {
    const qtensor_product_options_t asked = c_options(options);
    detail::call(&qtensor_product, x.get(), get(), added.data(), added.size(), values.data(),
                 values.size(), &asked);
  }
  std::vector<float> product(TensorRef x, Span<const float> added = Span<const float>(),
                             const ProductOptions& options = ProductOptions()) const {
    std::vector<float> values(count(x.size()));
    product(x, values, added, options);
    return values;
  }

  // The integers inside it: sums of products of codes, of 64 bits or, where no code can make larger
  // ones, of 32.
  void product_sums(TensorRef x, Span<std::int32_t> sums,
                    const ProductOptions& options = ProductOptions()) const {
    const qtensor_product_options_t asked = c_options(options);
    detail::call(&qtensor_product_sums_i32, x.get(), get(), sums.data(), sums.size(), &asked);
  }
  void product_sums(TensorRef x, Span<std::int64_t> sums,
                    const ProductOptions& options = ProductOptions()) const {
    const qtensor_product_options_t asked = c_options(options);
    detail::call(&qtensor_product_sums, x.get(), get(), sums.data(), sums.size(), &asked);
  }
  std::vector<std::int64_t> product_sums(TensorRef x,
                                         const ProductOptions& options = ProductOptions()) const {
    std::vector<std::int64_t> sums(count(x.size()));
    product_sums(x, sums, options);
    return sums;
  }

  // The same values as codes of `out`, by its own precision, sign and parameters.
  void product_codes(TensorRef x, Tensor& out, Span<const float> added = Span<const float>(),
                     const ProductOptions& options = ProductOptions()) const {
    const qtensor_product_options_t asked = c_options(options);
    detail::call(&qtensor_product_codes, x.get(), get(), added.data(), added.size(), out.get(),
                 &asked);
  }

  // The product of floats, whole rows of columns() each, which are quantized on the way.
  void product_floats(Span<const float> x, Span<float> values,
                      const InputFormat& format = InputFormat(),
                      Span<const float> added = Span<const float>(),
                      const ProductOptions& options = ProductOptions()) const {
    const qtensor_product_options_t asked = c_options(options);
    qtensor_input_format_t into = {};
    into.struct_size = sizeof into;
    into.scale = format.scale;
    into.bias = format.bias;
    into.parameters = format.is_given ? QTENSOR_INPUT_GIVEN : QTENSOR_INPUT_COVERING;
    into.precision = format.precision;
    into.is_signed = format.is_signed;
    detail::call(&qtensor_product_floats, x.data(), x.size(), &into, get(), added.data(),
                 added.size(), values.data(), values.size(), &asked);
  }
  std::vector<float> product_floats(Span<const float> x, const InputFormat& format = InputFormat(),
                                    Span<const float> added = Span<const float>(),
                                    const ProductOptions& options = ProductOptions()) const {
    std::vector<float> values(count(x.size()));
    product_floats(x, values, format, added, options);
    return values;
  }

  // For the C interface; it stays this object's.
  const qtensor_packed_t* get() const noexcept { return handle_.get(); }

 private:
  struct Free {
    void operator()(qtensor_packed_t* packed) const noexcept { qtensor_packed_free(packed); }
  };

  static qtensor_product_options_t c_options(const ProductOptions& options) noexcept {
    qtensor_product_options_t asked = {};
    asked.struct_size = sizeof asked;
    asked.method = static_cast<std::int32_t>(options.method);
    asked.threads = options.threads;
    asked.rounding = static_cast<std::int32_t>(options.rounding);
    return asked;
  }

  // What the result of a product that is not refused has, for so many elements of input.
  std::size_t count(std::size_t size) const noexcept {
    return columns() == 0 ? 0 : size / columns() * rows();
  }

  std::unique_ptr<qtensor_packed_t, Free> handle_;
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_PRODUCT_HPP
