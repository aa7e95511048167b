// wire.hpp: serialized bytes: what they say of themselves, and strings of them.
#ifndef CAFFE2_QTENSOR_WIRE_HPP
#define CAFFE2_QTENSOR_WIRE_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include "error.hpp"
#include "span.hpp"

namespace caffe2_qtensor {

// A blob's name and its type, such as "QTensor": any bytes.
struct BlobInfo {
  std::string name;
  std::string type;
};

namespace detail {

// A pointer to no bytes may be one that no string can be made from.
inline std::string string_of(const char* bytes, std::size_t length) {
  return length == 0 ? std::string() : std::string(bytes, length);
}

inline Span<const std::uint8_t> bytes_of(const std::string& bytes) noexcept {
  return Span<const std::uint8_t>(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                  bytes.size());
}

inline std::uint8_t* buffer_of(std::string& bytes) noexcept {
  return reinterpret_cast<std::uint8_t*>(&bytes[0]);
}

inline BlobInfo peek(qtensor_status (*function)(const std::uint8_t*, std::size_t,
                                                qtensor_blob_info_t*, qtensor_error_t**),
                     Span<const std::uint8_t> bytes) {
  qtensor_blob_info_t info;
  info.struct_size = sizeof info;
  call(function, bytes.data(), bytes.size(), &info);
  return BlobInfo{string_of(info.name, info.name_length),
                  string_of(info.type_name, info.type_length)};
}

template <class Handle>
using MeasureFunction = qtensor_status (*)(const Handle*, const char*, std::size_t*,
                                           qtensor_error_t**);

template <class Handle>
using WriteFunction = qtensor_status (*)(const Handle*, const char*, std::uint8_t*, std::size_t,
                                         std::size_t*, qtensor_error_t**);

template <class Handle>
std::size_t measured(MeasureFunction<Handle> measure, const Handle* handle,
                     const std::string& name) {
  std::size_t size = 0;
  call(measure, handle, name_argument(name), &size);
  return size;
}

template <class Handle>
std::size_t written(WriteFunction<Handle> write, const Handle* handle, const std::string& name,
                    Span<std::uint8_t> buffer) {
  std::size_t size = 0;
  call(write, handle, name_argument(name), buffer.data(), buffer.size(), &size);
  return size;
}

// Asks for huge pages under memory that nobody has touched yet: where there is much of it, first
// touches of small ones cost more than filling them.
inline void prefer_huge_pages(void* memory, std::size_t size) noexcept {
#ifdef MADV_HUGEPAGE
  const std::uintptr_t page = 2 << 20;
  const std::uintptr_t start = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = (start + page - 1) / page * page, end = (start + size) / page * page;
  if (first < end) {
    madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
  }
#else
  static_cast<void>(memory);
  static_cast<void>(size);
#endif
}

// A string of the measured size. Room to spare would save the library a pass over the planes, but
// a string fills that room with zeros first, which was seen to cost more where planes are large.
template <class Handle>
std::string serialized(MeasureFunction<Handle> measure, WriteFunction<Handle> write,
                       const Handle* handle, const std::string& name) {
  const std::size_t size = measured(measure, handle, name);
  std::string bytes;
  bytes.reserve(size + 1);
  prefer_huge_pages(&bytes[0], size);
  bytes.resize(size + 1);
  // Copies of an older C++ library's strings share their bytes until somebody may write to them, as
  // from buffer_of() on. Dropping a byte lets them share again, so that to hand this one on is free.
  bytes.resize(written(write, handle, name, Span<std::uint8_t>(buffer_of(bytes), size)));
  return bytes;
}

}  // namespace detail

// Reads a serialized blob's name and type without decoding what it holds. QTENSOR_MALFORMED where
// the bytes are no protobuf message.
inline BlobInfo peek_blob(Span<const std::uint8_t> bytes) {
  return detail::peek(&qtensor_blob_peek, bytes);
}
inline BlobInfo peek_blob(const std::string& bytes) { return peek_blob(detail::bytes_of(bytes)); }

// The same for a bare QTensorProto, which has a name and no type.
inline BlobInfo peek_proto(Span<const std::uint8_t> bytes) {
  return detail::peek(&qtensor_proto_peek, bytes);
}
inline BlobInfo peek_proto(const std::string& bytes) {
  return peek_proto(detail::bytes_of(bytes));
}

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_WIRE_HPP
