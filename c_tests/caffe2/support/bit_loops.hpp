// bit_loops.hpp: every bit of a tensor through SetBitAtIndex and GetBitAtIndex, whatever the class.
#ifndef BIT_LOOPS_HPP
#define BIT_LOOPS_HPP

#include <cstddef>
#include <cstdint>

template <class Tensor>
void set_all_bits(Tensor *tensor, const std::uint32_t *codes) {
  const int planes = tensor->precision() + tensor->is_signed();
  for (std::size_t i = 0; i < tensor->size(); i++) {
    for (int bit = 0; bit < planes; bit++) {
      tensor->SetBitAtIndex(static_cast<unsigned char>(bit), i, (codes[i] >> bit & 1) != 0);
    }
  }
}

template <class Tensor>
std::uint64_t count_all_bits(const Tensor &tensor) {
  const int planes = tensor.precision() + tensor.is_signed();
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < tensor.size(); i++) {
    for (int bit = 0; bit < planes; bit++) {
      count += tensor.GetBitAtIndex(static_cast<unsigned char>(bit), i);
    }
  }
  return count;
}

#endif
