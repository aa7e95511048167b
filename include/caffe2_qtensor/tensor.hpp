// tensor.hpp: a quantized tensor that belongs to this object.
#ifndef CAFFE2_QTENSOR_TENSOR_HPP
#define CAFFE2_QTENSOR_TENSOR_HPP

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <string>
#include <utility>

#include "dims.hpp"
#include "error.hpp"
#include "keeper.hpp"
#include "parsed.hpp"
#include "quantize.hpp"
#include "span.hpp"
#include "tensor_reader.hpp"
#include "wire.hpp"

namespace caffe2_qtensor {

// A quantized tensor: integer codes of precision() bits, kept as bit planes. A code x stands for
// the value scale * (x + bias), unless the tensor has channels or is logarithmic.
//
// It is moved freely and copied only by clone(); a function that reads one takes a TensorRef. A
// call that throws leaves it as it was. Const calls may run on one tensor from many threads at
// once; every other call needs it alone. After a move the old object has no tensor: it may be
// destroyed or assigned to, and all else is as the comment of TensorReader says.
class Tensor : public detail::TensorReader {
 public:
  // An empty tensor: no dimensions, precision 8, unsigned. std::bad_alloc where memory has run
  // out.
  Tensor() : TensorReader(qtensor_create()) {
    if (handle_ == nullptr) {
      throw std::bad_alloc();
    }
  }

  // A tensor of this shape, every code 0. Planes are allocated by the first write.
  Tensor(const Dims& dims, int precision, bool is_signed = false) : TensorReader(nullptr) {
    qtensor_t* made = nullptr;
    detail::call(&qtensor_create_with, dims.data(), dims.size(), precision_argument(precision),
                 is_signed, &made);
    handle_ = made;
  }

  // Takes over a tensor that the C interface made; this object frees it.
  explicit Tensor(qtensor_t* owned) noexcept : TensorReader(owned) {}

  Tensor(Tensor&& other) noexcept : TensorReader(other.release()) {}

  Tensor& operator=(Tensor&& other) noexcept {
    Tensor moved(std::move(other));
    std::swap(handle_, moved.handle_);
    return *this;
  }

  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;

  ~Tensor() { qtensor_free(get()); }

  // What an Int8TensorCPU of bytes holds: values scale * (q - zero_point). Without dimensions there
  // is one.
  static Tensor from_int8(const Dims& dims, Span<const std::uint8_t> data, double scale,
                          std::int32_t zero_point) {
    qtensor_t* made = nullptr;
    detail::call(&qtensor_create_int8, dims.data(), dims.size(), data.data(), data.size(), scale,
                 zero_point, &made);
    return Tensor(made);
  }

  // What a QTensorProto describes that protobuf has read.
  static Tensor from_parsed(const Parsed& parsed) {
    qtensor_t* made = nullptr;
    detail::call(&qtensor_create_parsed, static_cast<const qtensor_parsed_t*>(&parsed), &made);
    return Tensor(made);
  }

  // Reads a BlobProto of type "QTensor", "QTensorLog" or "Int8TensorCPU".
  static Tensor deserialize(Span<const std::uint8_t> bytes) {
    return read(&qtensor_deserialize, bytes);
  }
  static Tensor deserialize(const std::string& bytes) {
    return deserialize(detail::bytes_of(bytes));
  }

  // Reads a bare QTensorProto.
  static Tensor deserialize_proto(Span<const std::uint8_t> bytes) {
    return read(&qtensor_deserialize_proto, bytes);
  }
  static Tensor deserialize_proto(const std::string& bytes) {
    return deserialize_proto(detail::bytes_of(bytes));
  }

  Tensor clone() const { return Tensor(cloned()); }

  // The same values as unsigned bytes, the bias minus a zero point: what serialize_int8() takes.
  Tensor to_int8() const { return Tensor(as_int8()); }

  // The tensor, for the C interface; it stays this object's.
  const qtensor_t* get() const noexcept { return handle_; }
  // Only a tensor that was not const ever came in.
  qtensor_t* get() noexcept { return const_cast<qtensor_t*>(handle_); }

  // Gives the tensor away, to be freed with qtensor_free(); this object is then as after a move.
  qtensor_t* release() noexcept {
    qtensor_t* const owned = get();
    handle_ = nullptr;
    return owned;
  }

  void resize(const Dims& dims) {
    detail::call(&qtensor_resize, get(), dims.data(), dims.size());
  }
  void set_precision(int precision) {
    detail::call(&qtensor_set_precision, get(), precision_argument(precision));
  }
  void set_signed(bool is_signed = true) { detail::call(&qtensor_set_signed, get(), is_signed); }
  void set_scale(double scale) { detail::call(&qtensor_set_scale, get(), scale); }
  void set_bias(double bias) { detail::call(&qtensor_set_bias, get(), bias); }

  // Sets the bias to -zero_point.
  void set_zero_point(std::int32_t zero_point) {
    detail::call(&qtensor_set_zero_point, get(), zero_point);
  }

  // A scale and a bias for each index along dimension `axis`.
  void set_channels(std::int32_t axis, Span<const double> scales, Span<const double> biases) {
    if (scales.size() != biases.size()) {
      throw Error(QTENSOR_SHAPE_MISMATCH, "The number of channel biases is " +
                                              std::to_string(biases.size()) +
                                              ", but there are " +
                                              std::to_string(scales.size()) + " channel scales.");
    }
    detail::call(&qtensor_set_channels, get(), axis, scales.data(), biases.data(), scales.size());
  }
  void clear_channels() { detail::call(&qtensor_clear_channels, get()); }
  // A logarithmic tensor's codes are those of exponents, as qtensor_set_logarithmic() says.
  void set_logarithmic(bool logarithmic = true) {
    detail::call(&qtensor_set_logarithmic, get(), logarithmic);
  }
  void set_data_type(std::int32_t data_type) {
    detail::call(&qtensor_set_data_type, get(), data_type);
  }

  // All planes for writing, allocated if there are none yet. Bits behind a plane's last element
  // are serialized as they are; leave them 0.
  Span<std::uint8_t> mutable_planes() {
    std::uint8_t* data = nullptr;
    detail::call(&qtensor_mutable_data, get(), &data);
    return Span<std::uint8_t>(data, nbytes());
  }

  // Puts planes that belong to somebody else in place of this tensor's own, nbytes() of them in the
  // layout of planes(): to read, so that a call which writes copies them first, or to write to. The
  // caller keeps them there until `give_back` is called with `context`, or longer than the tensor.
  void borrow(Span<const std::uint8_t> planes, qtensor_release_t give_back = nullptr,
              void* context = nullptr) {
    detail::call(&qtensor_borrow, get(), planes.data(), planes.size(), give_back, context);
  }
  void borrow_mut(Span<std::uint8_t> planes, qtensor_release_t give_back = nullptr,
                  void* context = nullptr) {
    detail::call(&qtensor_borrow_mut, get(), planes.data(), planes.size(), give_back, context);
  }

  // The same, with an object that keeps them there, such as a std::shared_ptr: it is moved in, and
  // destroyed when they are no longer used. Where the call throws it is destroyed, too.
  template <class Owner>
  void borrow_keeping(Span<const std::uint8_t> planes, Owner owner) {
    detail::Keeper<Owner> keeper(std::move(owner));
    borrow(planes, &detail::Keeper<Owner>::release, keeper.context());
    keeper.given();
  }
  template <class Owner>
  void borrow_mut_keeping(Span<std::uint8_t> planes, Owner owner) {
    detail::Keeper<Owner> keeper(std::move(owner));
    borrow_mut(planes, &detail::Keeper<Owner>::release, keeper.context());
    keeper.given();
  }

  void set_bit(int bit, std::size_t index, bool value) {
    detail::call(&qtensor_set_bit, get(), bit_argument(bit), index, value);
  }

  // The code of every element, size() of them.
  void write_codes(Span<const std::int64_t> codes) {
    detail::call(&qtensor_write_codes, get(), codes.data(), codes.size());
  }
  void write_codes(Span<const std::int32_t> codes) {
    detail::call(&qtensor_write_codes_i32, get(), codes.data(), codes.size());
  }
  void write_codes(Span<const std::int8_t> codes) {
    detail::call(&qtensor_write_codes_i8, get(), codes.data(), codes.size());
  }
  void write_codes(Span<const std::uint8_t> codes) {
    detail::call(&qtensor_write_codes_u8, get(), codes.data(), codes.size());
  }
  void write_codes(std::initializer_list<std::int64_t> codes) {
    write_codes(Span<const std::int64_t>(codes.begin(), codes.size()));
  }

  // Turns floats into codes, size() of them, as qtensor_quantize() says: by this tensor's scale and
  // bias or those of its channels. Nothing is counted, which is faster.
  void quantize(Span<const float> values, const QuantizeOptions& options = QuantizeOptions()) {
    detail::FloatCalls<float>::quantize(get(), values, options, nullptr);
  }
  void quantize(Span<const double> values, const QuantizeOptions& options = QuantizeOptions()) {
    detail::FloatCalls<double>::quantize(get(), values, options, nullptr);
  }
  void quantize(Span<const Half> values, const QuantizeOptions& options = QuantizeOptions()) {
    detail::FloatCalls<Half>::quantize(get(), values, options, nullptr);
  }
  void quantize(Span<const Bfloat16> values, const QuantizeOptions& options = QuantizeOptions()) {
    detail::FloatCalls<Bfloat16>::quantize(get(), values, options, nullptr);
  }
  void quantize(std::initializer_list<double> values,
                const QuantizeOptions& options = QuantizeOptions()) {
    quantize(Span<const double>(values.begin(), values.size()), options);
  }

  // The same, counting what became of the values.
  QuantizeCounts quantize_counting(Span<const float> values,
                                   const QuantizeOptions& options = QuantizeOptions()) {
    return detail::quantize_counting(get(), values, options);
  }
  QuantizeCounts quantize_counting(Span<const double> values,
                                   const QuantizeOptions& options = QuantizeOptions()) {
    return detail::quantize_counting(get(), values, options);
  }
  QuantizeCounts quantize_counting(Span<const Half> values,
                                   const QuantizeOptions& options = QuantizeOptions()) {
    return detail::quantize_counting(get(), values, options);
  }
  QuantizeCounts quantize_counting(Span<const Bfloat16> values,
                                   const QuantizeOptions& options = QuantizeOptions()) {
    return detail::quantize_counting(get(), values, options);
  }

 private:
  static Tensor read(qtensor_status (*function)(const std::uint8_t*, std::size_t, qtensor_t**,
                                                qtensor_error_t**),
                     Span<const std::uint8_t> bytes) {
    qtensor_t* made = nullptr;
    detail::call(function, bytes.data(), bytes.size(), &made);
    return Tensor(made);
  }

  // A precision as the C interface takes it, refused here where it would wrap.
  static std::uint8_t precision_argument(int precision) {
    if (precision < 0 || precision > UINT8_MAX) {
      detail::throw_out_of_range("precision", precision, UINT8_MAX);
    }
    return static_cast<std::uint8_t>(precision);
  }
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_TENSOR_HPP
