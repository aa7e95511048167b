// view.hpp: a tensor's bits, read inline.
#ifndef CAFFE2_QTENSOR_VIEW_HPP
#define CAFFE2_QTENSOR_VIEW_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include "error.hpp"

namespace caffe2_qtensor {

// Where a tensor's planes lie, for loops over single bits. A small value, copied freely and valid
// until the next call that may change or free the tensor, writes of its bits included where they
// are the first. Any number of threads may read one at once.
class View {
 public:
  explicit View(const qtensor_t* tensor) {
    view_.struct_size = sizeof view_;
    const qtensor_status status = qtensor_view(tensor, &view_);
    if (status == QTENSOR_NULL_ARGUMENT) {
      throw Error(status, "The tensor is NULL: there is nothing to view.");
    }
    if (status != QTENSOR_OK) {
      throw Error(status, "The library's views do not fit this header of version " +
                              std::string(CAFFE2_QTENSOR_VERSION) + ".");
    }
  }

  std::size_t size() const noexcept { return view_.size; }
  int precision() const noexcept { return view_.precision; }
  bool is_signed() const noexcept { return view_.is_signed; }

  // The planes: one for each bit of the magnitudes, and one for the signs where there are any.
  int plane_count() const noexcept { return view_.precision + (view_.is_signed ? 1 : 0); }

  // Bytes from the start of one plane to the start of the next.
  std::size_t plane_stride() const noexcept { return view_.plane_stride; }

  // All planes; NULL before the first write, when every bit is 0.
  const std::uint8_t* data() const noexcept { return view_.data; }

  // Bit `bit` of element `index`; the sign is bit precision(). Throws QTENSOR_OUT_OF_RANGE where
  // there is no such bit or element.
  bool bit(int bit, std::size_t index) const {
    if (bit < 0 || bit >= plane_count()) {
      detail::throw_out_of_range("bit", bit, plane_count() - 1);
    }
    if (index >= size()) {
      throw_no_element(index);
    }
    return bit_unchecked(bit, index);
  }

  // The same for a bit and an element that are known to be there; memory elsewhere is read where
  // they are not.
  bool bit_unchecked(int bit, std::size_t index) const noexcept {
    return view_.data != nullptr &&
           (view_.data[static_cast<std::size_t>(bit) * view_.plane_stride + index / 8] &
            (0x80u >> (index % 8))) != 0;
  }

 private:
  // An empty tensor has no largest index: the range then ends below its beginning.
  [[noreturn]] void throw_no_element(std::size_t index) const {
    const std::string most = size() == 0 ? "-1" : std::to_string(size() - 1);
    detail::throw_out_of_range("element index", std::to_string(index), most);
  }

  qtensor_view_t view_;
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_VIEW_HPP
