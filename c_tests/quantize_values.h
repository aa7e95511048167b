/* quantize_values.h: floats of each type, and tensors that they go into. */
#ifndef QUANTIZE_VALUES_H
#define QUANTIZE_VALUES_H

#include "check.h"

#include <math.h>

/* The bits of a value that the type holds exactly, and that is normal there or 0. */
static inline uint16_t half_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t sign = bits >> 16 & 0x8000u;
  if ((bits & 0x7fffffffu) == 0) {
    return (uint16_t)sign;
  }
  const uint32_t exponent = (bits >> 23 & 0xffu) - 127u + 15u;
  return (uint16_t)(sign | exponent << 10 | (bits >> 13 & 0x3ffu));
}
static inline uint16_t bfloat16_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (uint16_t)(bits >> 16);
}

static inline qtensor_quantize_options_t no_options(void) {
  qtensor_quantize_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  return options;
}
static inline qtensor_quantize_options_t rounding_option(int32_t rounding) {
  qtensor_quantize_options_t options = no_options();
  options.rounding = rounding;
  return options;
}

/* Counts that no call wrote. */
static inline qtensor_quantize_counts_t no_counts(void) {
  qtensor_quantize_counts_t counts;
  memset(&counts, 0x5a, sizeof counts);
  counts.struct_size = sizeof counts;
  return counts;
}
static inline bool counted(const qtensor_quantize_counts_t *counts, uint64_t low, uint64_t high,
                           uint64_t flushed, uint64_t non_finite) {
  return counts->struct_size == sizeof *counts && counts->saturated_low == low &&
         counts->saturated_high == high && counts->flushed_to_zero == flushed &&
         counts->non_finite == non_finite;
}
static inline bool uncounted(const qtensor_quantize_counts_t *counts) {
  const qtensor_quantize_counts_t untouched = no_counts();
  return memcmp(counts, &untouched, sizeof untouched) == 0;
}

/* A row of `size` elements. */
static inline qtensor_t *make_row(size_t size, uint8_t precision, bool is_signed, double scale,
                                  double bias) {
  const int64_t dims[1] = {(int64_t)size};
  qtensor_t *tensor = make_tensor(dims, 1, precision, is_signed);
  WORKS(qtensor_set_scale, tensor, scale);
  WORKS(qtensor_set_bias, tensor, bias);
  return tensor;
}

static inline bool has_codes(const qtensor_t *tensor, const int64_t *expected) {
  const size_t size = qtensor_size(tensor);
  int64_t *codes = (int64_t *)allocate(size * sizeof *codes);
  WORKS(qtensor_read_codes, tensor, codes, size);
  const bool same = memcmp(codes, expected, size * sizeof *codes) == 0;
  for (size_t i = 0; !same && i < size; i++) {
    if (codes[i] != expected[i]) {
      fprintf(stderr, "  code %zu is %lld, not %lld\n", i, (long long)codes[i],
              (long long)expected[i]);
      break;
    }
  }
  free(codes);
  return same;
}

/* All that a call could change of a tensor. */
typedef struct {
  double scale, bias;
  uint8_t *planes;
  size_t nbytes;
} state_t;

static inline state_t state_before(const qtensor_t *tensor) {
  state_t state = {qtensor_scale(tensor), qtensor_bias(tensor), NULL, qtensor_nbytes(tensor)};
  if (qtensor_data(tensor) != NULL) {
    state.planes = (uint8_t *)allocate(state.nbytes);
    memcpy(state.planes, qtensor_data(tensor), state.nbytes);
  }
  return state;
}
static inline bool is_unchanged(const qtensor_t *tensor, const state_t *state) {
  const double scale = qtensor_scale(tensor), bias = qtensor_bias(tensor);
  return memcmp(&scale, &state->scale, sizeof scale) == 0 &&
         memcmp(&bias, &state->bias, sizeof bias) == 0 && qtensor_nbytes(tensor) == state->nbytes &&
         (state->planes == NULL) == (qtensor_data(tensor) == NULL) &&
         (state->planes == NULL || memcmp(state->planes, qtensor_data(tensor), state->nbytes) == 0);
}

/* The planes of a tensor with a pattern in every bit, padding included. */
static inline void scribble(qtensor_t *tensor) {
  uint8_t *planes = NULL;
  WORKS(qtensor_mutable_data, tensor, &planes);
  for (size_t i = 0; i < qtensor_nbytes(tensor); i++) {
    planes[i] = (uint8_t)(i * 31 + 7);
  }
}

#endif
