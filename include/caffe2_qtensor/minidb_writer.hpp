// minidb_writer.hpp: a database that replaces another in one step.
#ifndef CAFFE2_QTENSOR_MINIDB_WRITER_HPP
#define CAFFE2_QTENSOR_MINIDB_WRITER_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include "dense.hpp"
#include "error.hpp"
#include "handle.hpp"
#include "span.hpp"
#include "tensor_ref.hpp"
#include "wire.hpp"

namespace caffe2_qtensor {

// A database that is being written. Nothing of it is seen under its own name until commit(); a
// writer that is destroyed without it, by an exception for instance, discards all that was
// appended, and the old file stays as it was.
//
// After QTENSOR_IO a writer can only be destroyed; after any other refusal it is as it was, but
// for what append() says of chunks. Every call needs the writer alone. It is moved and copied
// never; after a move the old object may be destroyed or assigned to and throws
// QTENSOR_NULL_ARGUMENT for all else.
class MinidbWriter {
 public:
  // Begins a database that will replace the file at `path`, if there is one. A relative path is
  // looked up again by commit(), so the working folder must stay what it is.
  explicit MinidbWriter(const std::string& path) {
    qtensor_minidb_writer_t* made = nullptr;
    detail::call(&qtensor_minidb_writer_create, detail::path_argument(path), &made);
    writer_.reset(made);
  }

  // Appends a quantized tensor, as a blob of type "QTensor" or "QTensorLog".
  void append(const std::string& name, TensorRef tensor) {
    detail::call(&qtensor_minidb_writer_append, writer_.get(), detail::name_argument(name),
                 tensor.get());
  }

  // Appends a quantized tensor, as a blob of type "Int8TensorCPU".
  void append_int8(const std::string& name, TensorRef tensor) {
    detail::call(&qtensor_minidb_writer_append_int8, writer_.get(), detail::name_argument(name),
                 tensor.get());
  }

  // Appends an ordinary tensor in chunks of at most `chunk_size` elements, 1,000,000 where that
  // is 0. Where it throws after some of the chunks, the writer can only be destroyed.
  void append(const std::string& name, DenseRef dense, std::size_t chunk_size = 0) {
    detail::call(&qtensor_minidb_writer_append_dense, writer_.get(), detail::name_argument(name),
                 dense.get(), chunk_size);
  }

  // Appends a record as it is: a key and a value of any bytes, neither of them empty.
  void append_bytes(const std::string& key, Span<const std::uint8_t> value) {
    detail::call(&qtensor_minidb_writer_append_bytes, writer_.get(), key.data(), key.size(),
                 value.data(), value.size());
  }
  void append_bytes(const std::string& key, const std::string& value) {
    append_bytes(key, detail::bytes_of(value));
  }

  // Puts the new file in place of the old one in one step. The writer can then only be destroyed.
  //
  // QTENSOR_IO: the old file is still there, whole. Only where the folder's flush fails is the new
  // one in its place already, and a loss of power may bring the old one back.
  void commit() { detail::call(&qtensor_minidb_writer_commit, writer_.get()); }

 private:
  detail::Handle<qtensor_minidb_writer_t> writer_;
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_MINIDB_WRITER_HPP
