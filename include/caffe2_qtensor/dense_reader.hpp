// dense_reader.hpp: all that can be asked of an ordinary tensor, owned or not.
#ifndef CAFFE2_QTENSOR_DENSE_READER_HPP
#define CAFFE2_QTENSOR_DENSE_READER_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include "element_type.hpp"
#include "error.hpp"
#include "span.hpp"
#include "wire.hpp"

namespace caffe2_qtensor {
namespace detail {

// What Dense and DenseRef have in common, copied and destroyed only as a part of them.
//
// An ordinary tensor never changes: spans are valid as long as it, and any number of threads may
// make any of these calls at once. Without a tensor, as after a move, those that are noexcept
// answer 0 or an empty span; the others throw QTENSOR_NULL_ARGUMENT.
class DenseReader {
 public:
  std::size_t ndim() const noexcept { return qtensor_dense_ndim(handle_); }
  Span<const std::int64_t> dims() const noexcept {
    return Span<const std::int64_t>(qtensor_dense_dims(handle_), qtensor_dense_ndim(handle_));
  }
  std::size_t size() const noexcept { return qtensor_dense_size(handle_); }
  std::size_t nbytes() const noexcept { return qtensor_dense_nbytes(handle_); }

  bool is_borrowed() const noexcept { return qtensor_dense_is_borrowed(handle_); }

  // A QTENSOR_ELEMENT_ constant.
  std::int32_t element_type() const noexcept { return qtensor_dense_element_type(handle_); }

  // The elements, in row-major order. QTENSOR_UNSUPPORTED where T is not their type; those of
  // half precision are uint16_t.
  template <class T>
  Span<const T> elements() const {
    if (handle_ == nullptr) {
      throw Error(QTENSOR_NULL_ARGUMENT, "The tensor is NULL: there are no elements.");
    }
    check_element_type<T>(element_type());
    return Span<const T>(static_cast<const T*>(qtensor_dense_data(handle_)), size());
  }

  // The elements as they lie in memory, whatever their type.
  Span<const std::uint8_t> bytes() const noexcept {
    return Span<const std::uint8_t>(static_cast<const std::uint8_t*>(qtensor_dense_data(handle_)),
                                    nbytes());
  }

  // The bytes of a BlobProto of type "Tensor", byte for byte what Caffe2 writes: how many, as a
  // string, or in the caller's buffer, of which the number used is returned.
  std::size_t serialized_size(const std::string& name) const {
    return measured(&qtensor_dense_serialized_size, handle_, name);
  }
  std::string serialize(const std::string& name) const {
    return serialized(&qtensor_dense_serialized_size, &qtensor_dense_serialize, handle_, name);
  }
  std::size_t serialize(const std::string& name, Span<std::uint8_t> buffer) const {
    return written(&qtensor_dense_serialize, handle_, name, buffer);
  }

 protected:
  explicit DenseReader(const qtensor_dense_t* handle) noexcept : handle_(handle) {}
  DenseReader(const DenseReader&) noexcept = default;
  DenseReader& operator=(const DenseReader&) noexcept = default;
  ~DenseReader() = default;

  const qtensor_dense_t* handle_;
};

}  // namespace detail
}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_DENSE_READER_HPP
