/* product_matrices.h: two small matrices, what their product is, and tensors of them. */
#ifndef PRODUCT_MATRICES_H
#define PRODUCT_MATRICES_H

#include "check.h"

#include <math.h>

static const int64_t x_dims[2] = {3, 5}, w_dims[2] = {2, 5}, out_dims[2] = {3, 2};
static const int64_t x_codes[15] = {1, 2, 3, 4, 5, 15, 0, 15, 0, 15, 7, 7, 7, 7, 7};
static const int64_t w_codes[10] = {1, -1, 1, -1, 1, 3, 2, 0, -2, -3};
static const int64_t expected_sums[6] = {3, -16, 45, 0, 7, 0};

static inline qtensor_t *make(const int64_t *dims, uint8_t precision, bool is_signed,
                              const int64_t *codes, size_t n) {
  qtensor_t *tensor = make_tensor(dims, 2, precision, is_signed);
  WORKS(qtensor_write_codes, tensor, codes, n);
  return tensor;
}

static inline qtensor_t *make_x(void) { return make(x_dims, 4, false, x_codes, 15); }
static inline qtensor_t *make_w(void) { return make(w_dims, 2, true, w_codes, 10); }

static inline qtensor_packed_t *pack(const qtensor_t *weights) {
  qtensor_packed_t *packed = NULL;
  WORKS(qtensor_packed_create, weights, &packed);
  return packed;
}

static inline qtensor_product_options_t by(int32_t method, uint32_t threads) {
  const qtensor_product_options_t options = {sizeof options, method, threads, 0, 0};
  return options;
}

static inline qtensor_input_format_t given(uint8_t precision, double scale, double bias) {
  qtensor_input_format_t format;
  memset(&format, 0, sizeof format);
  format.struct_size = sizeof format;
  format.scale = scale;
  format.bias = bias;
  format.parameters = QTENSOR_INPUT_GIVEN;
  format.precision = precision;
  return format;
}

#endif
