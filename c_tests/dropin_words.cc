// dropin_words.cc: the planes read and written in words of 64 bits, as client code that counts
// common bits does, beside calls for single bits. Compilers must see that these are the same
// memory: with Caffe2's class they do, since its planes are of unsigned char.
#define CAFFE2_QTENSOR_STANDALONE
#if defined __GNUC__ && !defined __clang__
// Only from here on does GCC suppose that objects of different types do not overlap.
#pragma GCC optimize("O2")
#endif
#include "dropin_tensor.hpp"

#include <cstdint>

// Alone, and with all that it calls in it.
#ifdef __GNUC__
#define KEPT_APART __attribute__((noinline, flatten))
#else
#define KEPT_APART
#endif

static const uint64_t *words_of(const CPUTensor &tensor) {
  return reinterpret_cast<const uint64_t *>(tensor.data());
}

// Words before and after a bit was set; where the compiler holds on to the first, there is none.
KEPT_APART static uint64_t changed_by_set(CPUTensor *tensor, size_t index) {
  const uint64_t *const words = words_of(*tensor);
  const uint64_t before = words[0];
  tensor->SetBitAtIndex(0, index, true);
  return words[0] ^ before;
}

KEPT_APART static uint64_t set_and_cleared(CPUTensor *tensor, size_t index) {
  tensor->SetBitAtIndex(0, index, true);
  const uint64_t with = words_of(*tensor)[0];
  tensor->SetBitAtIndex(0, index, false);
  return with ^ words_of(*tensor)[0];
}

KEPT_APART static bool bit_of_a_word(CPUTensor *tensor) {
  tensor->SetBitAtIndex(0, 63, false);
  uint64_t *const words = reinterpret_cast<uint64_t *>(tensor->mutable_data());
  words[0] = ~uint64_t{0};
  return tensor->GetBitAtIndex(0, 63);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  CPUTensor tensor({64}, 2);
  // The first word's bytes lie in memory as they do in the machine's own words.
  uint8_t bytes[8] = {0};
  uint64_t due;
  bytes[1] = 0x40;
  memcpy(&due, bytes, sizeof due);
  tensor.mutable_data();
  CHECK(changed_by_set(&tensor, 9) == due);
  tensor.SetBitAtIndex(0, 9, false);
  CHECK(set_and_cleared(&tensor, 9) == due);
  CHECK(bit_of_a_word(&tensor) && tensor.data()[7] == 0xff);
  return done();
}
