// tensor_reader.hpp: all that can be asked of a quantized tensor, owned or not.
#ifndef CAFFE2_QTENSOR_TENSOR_READER_HPP
#define CAFFE2_QTENSOR_TENSOR_READER_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "error.hpp"
#include "quantize.hpp"
#include "span.hpp"
#include "view.hpp"
#include "wire.hpp"

namespace caffe2_qtensor {
namespace detail {

// What Tensor and TensorRef have in common. It is copied and destroyed only as a part of them:
// assigning to one through this class would part a Tensor from what it owns.
//
// Calls are named as in caffe2_qtensor.h, whose comments say what each does and refuses. Spans
// and views are valid until the next call that may change or free the tensor. All of these calls
// may run on one tensor from many threads at once while no other call does. Without a tensor, as
// after a move, those that are noexcept answer 0, false or an empty span and -1 for an axis or a
// data type; the others throw QTENSOR_NULL_ARGUMENT.
class TensorReader {
 public:
  std::size_t ndim() const noexcept { return qtensor_ndim(handle_); }
  Span<const std::int64_t> dims() const noexcept {
    return Span<const std::int64_t>(qtensor_dims(handle_), qtensor_ndim(handle_));
  }
  std::size_t size() const noexcept { return qtensor_size(handle_); }
  std::size_t aligned_size() const noexcept { return qtensor_aligned_size(handle_); }
  std::size_t nbytes() const noexcept { return qtensor_nbytes(handle_); }
  int alignment() const noexcept { return qtensor_alignment(handle_); }
  int precision() const noexcept { return qtensor_precision(handle_); }
  bool is_signed() const noexcept { return qtensor_is_signed(handle_); }
  double scale() const noexcept { return qtensor_scale(handle_); }
  double bias() const noexcept { return qtensor_bias(handle_); }

  bool is_multiparam() const noexcept { return qtensor_is_multiparam(handle_); }
  std::int32_t channel_axis() const noexcept { return qtensor_channel_axis(handle_); }
  Span<const double> channel_scales() const noexcept {
    return Span<const double>(qtensor_channel_scales(handle_),
                              qtensor_channel_scale_count(handle_));
  }
  Span<const double> channel_biases() const noexcept {
    return Span<const double>(qtensor_channel_biases(handle_),
                              qtensor_channel_bias_count(handle_));
  }
  bool is_logarithmic() const noexcept { return qtensor_is_logarithmic(handle_); }
  std::int32_t data_type() const noexcept { return qtensor_data_type(handle_); }

  bool is_borrowed() const noexcept { return qtensor_is_borrowed(handle_); }

  // All planes, nbytes() of them; none before the first write, when every bit is 0.
  Span<const std::uint8_t> planes() const noexcept {
    const std::uint8_t* const data = qtensor_data(handle_);
    return Span<const std::uint8_t>(data, data == nullptr ? 0 : nbytes());
  }

  // What loops over single bits read them through.
  View view() const { return View(handle_); }

  // Minus the bias; throws QTENSOR_OUT_OF_RANGE where that is no 32-bit integer.
  std::int32_t zero_point() const { return answer<std::int32_t>(&qtensor_zero_point); }

  std::int32_t dim32(std::int32_t i) const {
    return answer<std::int32_t>(&qtensor_dim32, i);
  }
  std::int32_t canonical_axis_index(std::int32_t axis) const {
    return answer<std::int32_t>(&qtensor_canonical_axis_index, axis);
  }
  std::int64_t size_from_dim(std::int32_t k) const {
    return answer<std::int64_t>(&qtensor_size_from_dim, k);
  }
  std::int64_t size_to_dim(std::int32_t k) const {
    return answer<std::int64_t>(&qtensor_size_to_dim, k);
  }

  bool get_bit(int bit, std::size_t index) const {
    return answer<bool>(&qtensor_get_bit, bit_argument(bit), index);
  }

  // The code of every element, into a buffer of size() of them.
  void read_codes(Span<std::int64_t> codes) const {
    call(&qtensor_read_codes, handle_, codes.data(), codes.size());
  }
  void read_codes(Span<std::int32_t> codes) const {
    call(&qtensor_read_codes_i32, handle_, codes.data(), codes.size());
  }
  void read_codes(Span<std::int8_t> codes) const {
    call(&qtensor_read_codes_i8, handle_, codes.data(), codes.size());
  }
  void read_codes(Span<std::uint8_t> codes) const {
    call(&qtensor_read_codes_u8, handle_, codes.data(), codes.size());
  }

  // The code of every element as an int64_t, int32_t, int8_t or uint8_t.
  template <class T>
  std::vector<T> codes() const {
    std::vector<T> codes(size());
    read_codes(Span<T>(codes.data(), codes.size()));
    return codes;
  }

  // The values that the codes stand for, into a buffer of size() of them, on so many threads.
  void dequantize(Span<float> values, std::uint32_t threads = 1) const {
    FloatCalls<float>::dequantize(handle_, values, threads);
  }
  void dequantize(Span<double> values, std::uint32_t threads = 1) const {
    FloatCalls<double>::dequantize(handle_, values, threads);
  }
  void dequantize(Span<Half> values, std::uint32_t threads = 1) const {
    FloatCalls<Half>::dequantize(handle_, values, threads);
  }
  void dequantize(Span<Bfloat16> values, std::uint32_t threads = 1) const {
    FloatCalls<Bfloat16>::dequantize(handle_, values, threads);
  }

  // The same as a float, double, Half or Bfloat16 each.
  template <class T = float>
  std::vector<T> dequantize(std::uint32_t threads = 1) const {
    std::vector<T> values(size());
    dequantize(Span<T>(values.data(), values.size()), threads);
    return values;
  }

  // The bytes of a BlobProto of type "QTensor", byte for byte what Caffe2 writes, or "QTensorLog"
  // for a logarithmic tensor: how many, as a string, or in the caller's buffer, of which the number
  // used is returned.
  std::size_t serialized_size(const std::string& name) const {
    return measured(&qtensor_serialized_size, handle_, name);
  }
  std::string serialize(const std::string& name) const {
    return serialized(&qtensor_serialized_size, &qtensor_serialize, handle_, name);
  }
  std::size_t serialize(const std::string& name, Span<std::uint8_t> buffer) const {
    return written(&qtensor_serialize, handle_, name, buffer);
  }

  // The same for a bare QTensorProto.
  std::size_t serialized_size_proto(const std::string& name) const {
    return measured(&qtensor_serialized_size_proto, handle_, name);
  }
  std::string serialize_proto(const std::string& name) const {
    return serialized(&qtensor_serialized_size_proto, &qtensor_serialize_proto, handle_, name);
  }
  std::size_t serialize_proto(const std::string& name, Span<std::uint8_t> buffer) const {
    return written(&qtensor_serialize_proto, handle_, name, buffer);
  }

  // The same for a BlobProto of type "Int8TensorCPU".
  std::size_t serialized_size_int8(const std::string& name) const {
    return measured(&qtensor_serialized_size_int8, handle_, name);
  }
  std::string serialize_int8(const std::string& name) const {
    return serialized(&qtensor_serialized_size_int8, &qtensor_serialize_int8, handle_, name);
  }
  std::size_t serialize_int8(const std::string& name, Span<std::uint8_t> buffer) const {
    return written(&qtensor_serialize_int8, handle_, name, buffer);
  }

 protected:
  explicit TensorReader(const qtensor_t* handle) noexcept : handle_(handle) {}
  TensorReader(const TensorReader&) noexcept = default;
  TensorReader& operator=(const TensorReader&) noexcept = default;
  ~TensorReader() = default;

  qtensor_t* cloned() const {
    qtensor_t* copy = nullptr;
    call(&qtensor_clone, handle_, &copy);
    return copy;
  }

  qtensor_t* as_int8() const {
    qtensor_t* made = nullptr;
    call(&qtensor_to_int8, handle_, &made);
    return made;
  }

  // A bit's number as the C interface takes it, refused here where it would wrap.
  std::uint8_t bit_argument(int bit) const {
    if (bit < 0 || bit > UINT8_MAX) {
      throw_out_of_range("bit", bit, precision() + (is_signed() ? 1 : 0) - 1);
    }
    return static_cast<std::uint8_t>(bit);
  }

  const qtensor_t* handle_;

 private:
  template <class Answer, class Function, class... Arguments>
  Answer answer(Function function, Arguments... arguments) const {
    Answer out = Answer();
    call(function, handle_, arguments..., &out);
    return out;
  }
};

}  // namespace detail
}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_TENSOR_READER_HPP
