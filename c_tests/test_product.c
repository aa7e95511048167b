/* test_product.c: matrix products that work, and NULLs. */
#include "product_matrices.h"

static void nulls(const qtensor_t *x, const qtensor_packed_t *packed) {
  qtensor_packed_t *made = UNTOUCHED;
  qtensor_t *out = make_tensor(out_dims, 2, 4, true);
  float values[6], added[2] = {0, 0}, floats[15] = {0};
  int64_t sums[6];
  int32_t method = -5, narrow[6];
  memset(values, 0x5a, sizeof values);
  memset(sums, 0x5a, sizeof sums);
  memset(narrow, 0x5a, sizeof narrow);
  NULL_CALL(qtensor_packed_create, "weights", NULL, &made);
  NULL_CALL(qtensor_packed_create, "out", x, NULL);
  NULL_CALL(qtensor_product_method, "x", NULL, packed, NULL, &method);
  NULL_CALL(qtensor_product_method, "packed", x, NULL, NULL, &method);
  NULL_CALL(qtensor_product_method, "method", x, packed, NULL, NULL);
  NULL_CALL(qtensor_product, "x", NULL, packed, added, 2, values, 6, NULL);
  NULL_CALL(qtensor_product, "packed", x, NULL, added, 2, values, 6, NULL);
  NULL_CALL(qtensor_product, "added", x, packed, NULL, 2, values, 6, NULL);
  NULL_CALL(qtensor_product, "values", x, packed, added, 2, NULL, 6, NULL);
  NULL_CALL(qtensor_product_sums, "x", NULL, packed, sums, 6, NULL);
  NULL_CALL(qtensor_product_sums, "packed", x, NULL, sums, 6, NULL);
  NULL_CALL(qtensor_product_sums, "sums", x, packed, NULL, 6, NULL);
  NULL_CALL(qtensor_product_sums_i32, "x", NULL, packed, narrow, 6, NULL);
  NULL_CALL(qtensor_product_sums_i32, "packed", x, NULL, narrow, 6, NULL);
  NULL_CALL(qtensor_product_sums_i32, "sums", x, packed, NULL, 6, NULL);
  NULL_CALL(qtensor_product_codes, "x", NULL, packed, added, 2, out, NULL);
  NULL_CALL(qtensor_product_codes, "packed", x, NULL, added, 2, out, NULL);
  NULL_CALL(qtensor_product_codes, "added", x, packed, NULL, 2, out, NULL);
  NULL_CALL(qtensor_product_codes, "out", x, packed, added, 2, NULL, NULL);
  NULL_CALL(qtensor_product_floats, "x", NULL, 15, NULL, packed, added, 2, values, 6, NULL);
  NULL_CALL(qtensor_product_floats, "packed", floats, 15, NULL, NULL, added, 2, values, 6, NULL);
  NULL_CALL(qtensor_product_floats, "added", floats, 15, NULL, packed, NULL, 2, values, 6, NULL);
  NULL_CALL(qtensor_product_floats, "values", floats, 15, NULL, packed, added, 2, NULL, 6, NULL);
  NULL_ANSWER(qtensor_packed_rows, 0, NULL);
  NULL_ANSWER(qtensor_packed_columns, 0, NULL);
  NULL_ANSWER(qtensor_packed_nbytes, 0, NULL);
  NULL_FREE(qtensor_packed_free);
  CHECK(made == UNTOUCHED && method == -5 && all_bytes(values, 0x5a, sizeof values));
  CHECK(all_bytes(sums, 0x5a, sizeof sums) && all_bytes(narrow, 0x5a, sizeof narrow));
  CHECK(qtensor_data(out) == NULL);
  qtensor_free(out);
}

/* The sums, and the values of scales 1 and biases 0. */
static void sums_by_every_method(const qtensor_t *x, const qtensor_t *w) {
  static const int32_t methods[4] = {QTENSOR_METHOD_BEST, QTENSOR_METHOD_POPCOUNT,
                                     QTENSOR_METHOD_BYTES, QTENSOR_METHOD_PLANES};
  qtensor_packed_t *packed = pack(w);
  CHECK(qtensor_packed_rows(packed) == 2 && qtensor_packed_columns(packed) == 5);
  /* Two planes and the sign's, of 64 rows and 32 columns. */
  CHECK(qtensor_packed_nbytes(packed) == 3 * 64 * 32 / 8);
  int64_t sums[6];
  int32_t narrow[6];
  float values[6];
  for (size_t i = 0; i < 4; i++) {
    for (uint32_t threads = 0; threads < 4; threads++) {
      const qtensor_product_options_t options = by(methods[i], threads);
      memset(sums, 0x5a, sizeof sums);
      memset(values, 0x5a, sizeof values);
      WORKS(qtensor_product_sums, x, packed, sums, 6, &options);
      WORKS(qtensor_product, x, packed, NULL, 0, values, 6, &options);
      CHECK(memcmp(sums, expected_sums, sizeof sums) == 0);
      memset(narrow, 0x5a, sizeof narrow);
      WORKS(qtensor_product_sums_i32, x, packed, narrow, 6, &options);
      for (size_t k = 0; k < 6; k++) {
        CHECK(narrow[k] == expected_sums[k]);
        CHECK(values[k] == (float)expected_sums[k]);
      }
    }
  }
  memset(sums, 0x5a, sizeof sums);
  NULL_OPTIONS(qtensor_product_sums, x, packed, sums, 6, NULL);
  NULL_OPTIONS(qtensor_product_sums_i32, x, packed, narrow, 6, NULL);
  CHECK(memcmp(sums, expected_sums, sizeof sums) == 0);
  qtensor_packed_free(packed);
}

/* Halves, which dnnlowp's rounding takes up, and a zero point. */
static void codes_as_dnnlowp(const qtensor_t *x, const qtensor_packed_t *packed) {
  qtensor_t *out = make_tensor(out_dims, 2, 6, true);
  WORKS(qtensor_set_scale, out, 2);
  WORKS(qtensor_set_bias, out, -10);
  const float added[2] = {4, -1};
  qtensor_product_options_t options = by(QTENSOR_METHOD_BEST, 1);
  options.rounding = QTENSOR_FIXED_DNNLOWP;
  WORKS(qtensor_product_codes, x, packed, added, 2, out, &options);
  /* (3 + 4) / 2, (-16 - 1) / 2, 49 / 2, -1 / 2, 11 / 2, -1 / 2, and 10. */
  static const int64_t expected[6] = {14, 2, 35, 10, 16, 10};
  int64_t codes[6];
  WORKS(qtensor_read_codes, out, codes, 6);
  CHECK(memcmp(codes, expected, sizeof codes) == 0);
  options.rounding = QTENSOR_FIXED_NEAREST;
  static const int64_t even[6] = {14, 2, 34, 10, 16, 10};
  WORKS(qtensor_product_codes, x, packed, added, 2, out, &options);
  WORKS(qtensor_read_codes, out, codes, 6);
  CHECK(memcmp(codes, even, sizeof codes) == 0);
  qtensor_free(out);
}

/* Scales and biases: 0.5 (x - 1) * s (w + b), and 10 or 20. */
static void values_with_parameters(qtensor_t *x, qtensor_t *w) {
  const double scales[2] = {2, 0.25}, biases[2] = {0, 3};
  WORKS(qtensor_set_scale, x, 0.5);
  WORKS(qtensor_set_bias, x, -1);
  WORKS(qtensor_set_channels, w, 0, scales, biases, 2);
  qtensor_packed_t *packed = pack(w);
  const float added[2] = {10, 20};
  float values[6], again[6];
  NULL_OPTIONS(qtensor_product, x, packed, added, 2, values, 6, NULL);
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
  WORKS(qtensor_product, x, packed, added, 2, again, 6, NULL);
  CHECK(memcmp(values, again, sizeof values) == 0);
  nulls(x, packed);
  qtensor_packed_free(packed);
  WORKS(qtensor_set_scale, x, 1);
  WORKS(qtensor_set_bias, x, 0);
}

static int32_t method_of(const qtensor_t *x, const qtensor_packed_t *packed, int32_t method) {
  const qtensor_product_options_t options = by(method, 1);
  int32_t answer = -5;
  WORKS(qtensor_product_method, x, packed, &options, &answer);
  return answer;
}

/* The best method follows from the planes and the rows, and any that is possible can be asked for. */
static void methods(const qtensor_t *x, const qtensor_t *w) {
  qtensor_packed_t *packed = pack(w);
  int32_t answer = -5;
  NULL_OPTIONS(qtensor_product_method, x, packed, NULL, &answer);
  CHECK(answer == QTENSOR_METHOD_PLANES);
  CHECK(method_of(x, packed, QTENSOR_METHOD_BEST) == QTENSOR_METHOD_PLANES);
  CHECK(method_of(x, packed, QTENSOR_METHOD_POPCOUNT) == QTENSOR_METHOD_POPCOUNT);
  CHECK(method_of(x, packed, QTENSOR_METHOD_BYTES) == QTENSOR_METHOD_BYTES);
  CHECK(method_of(x, packed, QTENSOR_METHOD_PLANES) == QTENSOR_METHOD_PLANES);

  const int64_t many[2] = {9, 5};
  qtensor_t *other = make_tensor(many, 2, 4, false);
  CHECK(method_of(other, packed, QTENSOR_METHOD_BEST) == QTENSOR_METHOD_BYTES);
  WORKS(qtensor_set_precision, other, 1);
  CHECK(method_of(other, packed, QTENSOR_METHOD_BEST) == QTENSOR_METHOD_POPCOUNT);
  qtensor_packed_free(packed);
  WORKS(qtensor_set_signed, other, true);
  packed = pack(other);
  CHECK(method_of(other, packed, QTENSOR_METHOD_BEST) == QTENSOR_METHOD_TERNARY);
  CHECK(method_of(other, packed, QTENSOR_METHOD_TERNARY) == QTENSOR_METHOD_TERNARY);

  /* One row of -1, 0 and 1 with itself and eight rows of zeros. */
  const int64_t codes[45] = {1, -1, 0, 1, -1}, ones[2] = {1, 5};
  WORKS(qtensor_write_codes, other, codes, 45);
  qtensor_packed_free(packed);
  packed = pack(other);
  qtensor_t *row = make(ones, 1, true, codes, 5);
  const qtensor_product_options_t ternary = by(QTENSOR_METHOD_TERNARY, 1);
  int64_t sums[9];
  WORKS(qtensor_product_sums, row, packed, sums, 9, &ternary);
  CHECK(sums[0] == 4 && sums[1] == 0 && sums[8] == 0);
  qtensor_free(row);
  qtensor_free(other);
  qtensor_packed_free(packed);
}

static void codes_are(const qtensor_t *out, const int64_t *expected) {
  int64_t codes[6];
  WORKS(qtensor_read_codes, out, codes, 6);
  CHECK(memcmp(codes, expected, sizeof codes) == 0);
}

/* Into codes of every kind: values are 1.5, -8, 22.5, 0, 3.5, 0. */
static void codes(qtensor_t *x, const qtensor_t *w) {
  qtensor_packed_t *packed = pack(w);
  WORKS(qtensor_set_scale, x, 0.5);
  qtensor_t *out = make_tensor(out_dims, 2, 4, true);
  WORKS(qtensor_set_scale, out, 2);
  NULL_OPTIONS(qtensor_product_codes, x, packed, NULL, 0, out, NULL);
  codes_are(out, (const int64_t[6]){1, -4, 11, 0, 2, 0});
  CHECK(qtensor_scale(out) == 2 && qtensor_precision(out) == 4);

  /* A row of 3 by 1 by 2, without a sign: a ReLU. Added values join before the rounding. */
  const int64_t three[3] = {3, 1, 2};
  const float added[2] = {-1.5f, 3};
  WORKS(qtensor_resize, out, three, 3);
  WORKS(qtensor_set_precision, out, 3);
  WORKS(qtensor_set_signed, out, false);
  WORKS(qtensor_product_codes, x, packed, NULL, 0, out, NULL);
  codes_are(out, (const int64_t[6]){1, 0, 7, 0, 2, 0});
  WORKS(qtensor_product_codes, x, packed, added, 2, out, NULL);
  codes_are(out, (const int64_t[6]){0, 0, 7, 2, 1, 2});

  /* From the middle to the even code: -4.5 becomes -4, and -0.5 becomes 0. */
  WORKS(qtensor_set_signed, out, true);
  WORKS(qtensor_set_precision, out, 8);
  WORKS(qtensor_set_bias, out, 0.5);
  for (uint32_t threads = 0; threads < 3; threads++) {
    const qtensor_product_options_t options = by(QTENSOR_METHOD_BYTES, threads);
    WORKS(qtensor_product_codes, x, packed, NULL, 0, out, &options);
    codes_are(out, (const int64_t[6]){0, -4, 11, 0, 1, 0});
  }

  const double scales[2] = {2, 4}, biases[2] = {0, 1};
  WORKS(qtensor_set_channels, out, 2, scales, biases, 2);
  WORKS(qtensor_product_codes, x, packed, NULL, 0, out, NULL);
  codes_are(out, (const int64_t[6]){1, -3, 11, -1, 2, -1});
  WORKS(qtensor_clear_channels, out);

  /* The most bits, and both ends. */
  WORKS(qtensor_set_precision, out, 16);
  WORKS(qtensor_set_bias, out, 0);
  WORKS(qtensor_set_scale, out, 1.0 / 4096);
  WORKS(qtensor_product_codes, x, packed, NULL, 0, out, NULL);
  codes_are(out, (const int64_t[6]){6144, -32768, 65535, 0, 14336, 0});
  WORKS(qtensor_set_scale, out, -1.0 / 16384);
  WORKS(qtensor_product_codes, x, packed, NULL, 0, out, NULL);
  codes_are(out, (const int64_t[6]){-24576, 65535, -65535, 0, -57344, 0});

  /* Planes that the program lent are written where they are. */
  uint8_t planes[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  WORKS(qtensor_set_precision, out, 2);
  WORKS(qtensor_set_scale, out, 8);
  CHECK(qtensor_nbytes(out) == 3);
  WORKS(qtensor_borrow_mut, out, planes, 3, NULL, NULL);
  WORKS(qtensor_product_codes, x, packed, NULL, 0, out, NULL);
  codes_are(out, (const int64_t[6]){0, -1, 3, 0, 0, 0});
  CHECK(qtensor_data(out) == planes && !all_bytes(planes, 0xff, 3));
  CHECK(all_bytes(planes + 3, 0xff, 3));
  qtensor_free(out);
  WORKS(qtensor_set_scale, x, 1);
  qtensor_packed_free(packed);
}

/* Floats become codes first: those given, or such as cover them. */
static void floats(const qtensor_t *w) {
  qtensor_packed_t *packed = pack(w);
  const float added[2] = {10, 20};
  float x[15], values[6], expected[6];
  for (size_t i = 0; i < 15; i++) {
    x[i] = 0.5f * (float)x_codes[i];
  }
  const qtensor_input_format_t four = given(4, 0.5, 0);
  NULL_OPTIONS(qtensor_product_floats, x, 15, &four, packed, added, 2, values, 6, NULL);
  for (size_t i = 0; i < 6; i++) {
    CHECK(values[i] == 0.5f * (float)expected_sums[i] + added[i % 2]);
  }

  /* A bias: 0.5 ((x + 2) - 2), beyond four bits where x is 15, so five. */
  const qtensor_input_format_t five = given(5, 0.5, -2);
  const qtensor_product_options_t options = by(QTENSOR_METHOD_POPCOUNT, 3);
  memcpy(expected, values, sizeof values);
  WORKS(qtensor_product_floats, x, 15, &five, packed, added, 2, values, 6, &options);
  CHECK(memcmp(values, expected, sizeof values) == 0);

  qtensor_chosen_t chosen;
  memset(&chosen, 0, sizeof chosen);
  chosen.struct_size = sizeof chosen;
  WORKS(qtensor_params_choose, 0, 7.5f, NULL, &chosen);
  qtensor_t *tensor = make_tensor(x_dims, 2, 8, false);
  WORKS(qtensor_set_scale, tensor, chosen.scale);
  WORKS(qtensor_set_zero_point, tensor, chosen.zero_point);
  WORKS(qtensor_quantize, tensor, x, 15, NULL, NULL);
  WORKS(qtensor_product, tensor, packed, NULL, 0, expected, 6, NULL);
  NULL_FORMAT(qtensor_product_floats, x, 15, NULL, packed, NULL, 0, values, 6, NULL);
  CHECK(memcmp(values, expected, sizeof values) == 0);

  /* With a sign the largest magnitude has the largest code. */
  qtensor_input_format_t covering = given(3, NAN, NAN);
  covering.parameters = QTENSOR_INPUT_COVERING;
  covering.is_signed = 1;
  x[1] = -7.5f;
  WORKS(qtensor_set_precision, tensor, 3);
  WORKS(qtensor_set_signed, tensor, true);
  WORKS(qtensor_set_scale, tensor, 7.5 / 7);
  WORKS(qtensor_set_bias, tensor, 0);
  WORKS(qtensor_quantize, tensor, x, 15, NULL, NULL);
  WORKS(qtensor_product, tensor, packed, NULL, 0, expected, 6, NULL);
  WORKS(qtensor_product_floats, x, 15, &covering, packed, NULL, 0, values, 6, NULL);
  CHECK(memcmp(values, expected, sizeof values) == 0);

  /* Nothing but zeros. */
  memset(x, 0, sizeof x);
  WORKS(qtensor_product_floats, x, 5, &covering, packed, NULL, 0, values, 2, NULL);
  CHECK(values[0] == 0 && values[1] == 0);
  covering.is_signed = 0;
  WORKS(qtensor_product_floats, x, 5, &covering, packed, added, 2, values, 2, NULL);
  CHECK(values[0] == 10 && values[1] == 20);
  qtensor_free(tensor);
  qtensor_packed_free(packed);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  qtensor_t *x = make_x(), *w = make_w();
  sums_by_every_method(x, w);
  qtensor_packed_t *packed = pack(w);
  codes_as_dnnlowp(x, packed);
  qtensor_packed_free(packed);
  values_with_parameters(x, w);
  methods(x, w);
  codes(x, w);
  floats(w);
  qtensor_free(x);
  qtensor_free(w);
  return done();
}
