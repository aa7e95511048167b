/* test_product.c: matrix products. */
#include "check.h"

#include <math.h>

static const int64_t x_dims[2] = {3, 5}, w_dims[2] = {2, 5};
static const int64_t x_codes[15] = {1, 2, 3, 4, 5, 15, 0, 15, 0, 15, 7, 7, 7, 7, 7};
static const int64_t w_codes[10] = {1, -1, 1, -1, 1, 3, 2, 0, -2, -3};
static const int64_t expected_sums[6] = {3, -16, 45, 0, 7, 0};

static qtensor_t *make(const int64_t *dims, uint8_t precision, bool is_signed,
                       const int64_t *codes, size_t n) {
  qtensor_t *tensor = NULL;
  WORKS(qtensor_create_with, dims, 2, precision, is_signed, &tensor);
  WORKS(qtensor_write_codes, tensor, codes, n);
  return tensor;
}

static qtensor_packed_t *pack(const qtensor_t *weights) {
  qtensor_packed_t *packed = NULL;
  WORKS(qtensor_packed_create, weights, &packed);
  return packed;
}

static void nulls(const qtensor_t *x, const qtensor_packed_t *packed) {
  qtensor_packed_t *out = UNTOUCHED;
  float values[6], added[2] = {0, 0};
  int64_t sums[6];
  memset(values, 0x5a, sizeof values);
  memset(sums, 0x5a, sizeof sums);
  NULL_CALL(qtensor_packed_create, "weights", NULL, &out);
  NULL_CALL(qtensor_packed_create, "out", x, NULL);
  NULL_CALL(qtensor_product, "x", NULL, packed, added, 2, values, 6, NULL);
  NULL_CALL(qtensor_product, "packed", x, NULL, added, 2, values, 6, NULL);
  NULL_CALL(qtensor_product, "added", x, packed, NULL, 2, values, 6, NULL);
  NULL_CALL(qtensor_product, "values", x, packed, added, 2, NULL, 6, NULL);
  NULL_CALL(qtensor_product_sums, "x", NULL, packed, sums, 6, NULL);
  NULL_CALL(qtensor_product_sums, "packed", x, NULL, sums, 6, NULL);
  NULL_CALL(qtensor_product_sums, "sums", x, packed, NULL, 6, NULL);
  NULL_ANSWER(qtensor_packed_rows, 0, NULL);
  NULL_ANSWER(qtensor_packed_columns, 0, NULL);
  NULL_FREE(qtensor_packed_free);
  CHECK(out == UNTOUCHED && all_bytes(values, 0x5a, sizeof values));
  CHECK(all_bytes(sums, 0x5a, sizeof sums));
}

static void products(qtensor_t *x, qtensor_t *w) {
  qtensor_packed_t *packed = pack(w);
  CHECK(qtensor_packed_rows(packed) == 2 && qtensor_packed_columns(packed) == 5);
  int64_t sums[6];
  float values[6];
  for (uint32_t threads = 0; threads < 4; threads++) {
    memset(sums, 0, sizeof sums);
    const qtensor_product_options_t options = {sizeof options, QTENSOR_METHOD_BEST, threads};
    WORKS(qtensor_product_sums, x, packed, sums, 6, &options);
    CHECK(memcmp(sums, expected_sums, sizeof sums) == 0);
  }
  WORKS(qtensor_product, x, packed, NULL, 0, values, 6, NULL);
  for (size_t i = 0; i < 6; i++) {
    CHECK(values[i] == (float)expected_sums[i]);
  }
  qtensor_packed_free(packed);

  /* Scales and biases: 0.5 (x - 1) * s (w + b), and 10 or 20. */
  const double scales[2] = {2, 0.25}, biases[2] = {0, 3};
  WORKS(qtensor_set_scale, x, 0.5);
  WORKS(qtensor_set_bias, x, -1);
  WORKS(qtensor_set_channels, w, 0, scales, biases, 2);
  packed = pack(w);
  const float added[2] = {10, 20};
  WORKS(qtensor_product, x, packed, added, 2, values, 6, NULL);
  for (size_t m = 0; m < 3; m++) {
    for (size_t k = 0; k < 2; k++) {
      double sum = added[k];
      for (size_t i = 0; i < 5; i++) {
        sum += 0.5 * ((double)x_codes[m * 5 + i] - 1) * scales[k] *
               ((double)w_codes[k * 5 + i] + biases[k]);
      }
      CHECK(values[m * 2 + k] == (float)sum);
    }
  }
  /* The weights are packed: what becomes of the tensor does not matter. */
  WORKS(qtensor_clear_channels, w);
  float again[6];
  WORKS(qtensor_product, x, packed, added, 2, again, 6, NULL);
  CHECK(memcmp(values, again, sizeof values) == 0);
  nulls(x, packed);
  qtensor_packed_free(packed);
}

static void refused(qtensor_t *x, qtensor_t *w) {
  qtensor_packed_t *packed = pack(w), *out = UNTOUCHED;
  float values[6];
  int64_t sums[6];
  memset(values, 0x5a, sizeof values);
  memset(sums, 0x5a, sizeof sums);
  const float added[2] = {0, INFINITY};
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_product, x, packed, NULL, 0, values, 5, NULL);
  SAYS("5");
  SAYS("6");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_product, x, packed, added, 1, values, 6, NULL);
  SAYS("add");
  REFUSES(QTENSOR_NON_FINITE, qtensor_product, x, packed, added, 2, values, 6, NULL);
  SAYS("inf");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_product_sums, x, packed, sums, 7, NULL);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product, x, packed, NULL, 0,
          (float *)(void *)((char *)values + 1), 5, 1);
  SAYS("'values'");

  const int64_t none[2] = {0, 5}, others[2] = {5, 3}, wide[2] = {3, 5};
  qtensor_t *other = NULL;
  WORKS(qtensor_create_with, none, 2, 4, false, &other);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product_sums, other, packed, sums, 0, NULL);
  SAYS("input");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_packed_create, other, &out);
  SAYS("weights");
  WORKS(qtensor_resize, other, others, 2);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_product_sums, other, packed, sums, 6, NULL);
  SAYS("columns");
  WORKS(qtensor_resize, other, wide, 2);
  WORKS(qtensor_set_precision, other, 9);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_product_sums, other, packed, sums, 6, NULL);
  SAYS("9");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_packed_create, other, &out);
  WORKS(qtensor_set_precision, other, 8);
  WORKS(qtensor_set_logarithmic, other, 1);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_packed_create, other, &out);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_product, other, packed, NULL, 0, values, 6, NULL);
  SAYS("logarithmic");
  WORKS(qtensor_set_logarithmic, other, 0);
  WORKS(qtensor_set_bias, other, NAN);
  REFUSES(QTENSOR_NON_FINITE, qtensor_product, other, packed, NULL, 0, values, 6, NULL);
  REFUSES(QTENSOR_NON_FINITE, qtensor_packed_create, other, &out);
  WORKS(qtensor_resize, other, wide, 1);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_packed_create, other, &out);
  SAYS("dimensions");
  CHECK(out == UNTOUCHED && all_bytes(values, 0x5a, sizeof values));
  CHECK(all_bytes(sums, 0x5a, sizeof sums));
  qtensor_free(other);
  qtensor_packed_free(packed);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  qtensor_t *x = make(x_dims, 4, false, x_codes, 15), *w = make(w_dims, 2, true, w_codes, 10);
  products(x, w);
  refused(x, w);
  qtensor_free(x);
  qtensor_free(w);
  return done();
}
