// handle.hpp: objects of the C interface that free themselves.
#ifndef CAFFE2_QTENSOR_HANDLE_HPP
#define CAFFE2_QTENSOR_HANDLE_HPP

#include <memory>

#include "../caffe2_qtensor.h"

namespace caffe2_qtensor {
namespace detail {

struct Free {
  void operator()(qtensor_blobs_t* blobs) const noexcept { qtensor_blobs_free(blobs); }
  void operator()(qtensor_minidb_reader_t* reader) const noexcept {
    qtensor_minidb_reader_free(reader);
  }
  void operator()(qtensor_minidb_writer_t* writer) const noexcept {
    qtensor_minidb_writer_free(writer);
  }
};

template <class T>
using Handle = std::unique_ptr<T, Free>;

}  // namespace detail
}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_HANDLE_HPP
