/* test_fixed.c: fixed-point arithmetic: what it computes, and its NULLs. */
#include "check.h"

#include <math.h>

static const int64_t dims[2] = {2, 3};
static const int64_t a_codes[6] = {1, -3, 15, -15, 0, 7}, b_codes[6] = {0, 1, 2, 3, 254, 255};

static qtensor_t *make(uint8_t precision, bool is_signed, const int64_t *codes) {
  qtensor_t *tensor = make_tensor(dims, 2, precision, is_signed);
  if (codes != NULL) {
    WORKS(qtensor_write_codes, tensor, codes, 6);
  }
  return tensor;
}

static void holds(const qtensor_t *tensor, const int64_t *expected, int line) {
  int64_t codes[6] = {0};
  WORKS(qtensor_read_codes, tensor, codes, 6);
  check(memcmp(codes, expected, sizeof codes) == 0, "the codes are as expected", __FILE__, line);
}

#define HOLDS(tensor, ...) \
  do { \
    const int64_t expected[6] = {__VA_ARGS__}; \
    holds(tensor, expected, __LINE__); \
  } while (0)

static void nulls(const qtensor_t *a, const qtensor_t *b, qtensor_t *out) {
  double value = 77;
  int64_t sum = 77, indices[2] = {77, 77};
  HOLDS(out, 0);
  NULL_CALL(qtensor_requantize, "x", NULL, out, NULL);
  NULL_CALL(qtensor_requantize, "out", a, NULL, NULL);
  NULL_CALL(qtensor_relu, "x", NULL, out, NULL);
  NULL_CALL(qtensor_relu, "out", a, NULL, NULL);
  NULL_CALL(qtensor_clamp, "x", NULL, 0, 1, out, NULL);
  NULL_CALL(qtensor_clamp, "out", a, 0, 1, NULL, NULL);
  NULL_CALL(qtensor_add, "a", NULL, b, out, NULL);
  NULL_CALL(qtensor_add, "b", a, NULL, out, NULL);
  NULL_CALL(qtensor_add, "out", a, b, NULL, NULL);
  NULL_CALL(qtensor_multiply, "a", NULL, b, out, NULL);
  NULL_CALL(qtensor_multiply, "b", a, NULL, out, NULL);
  NULL_CALL(qtensor_multiply, "out", a, b, NULL, NULL);
  NULL_CALL(qtensor_dot, "a", NULL, b, &value);
  NULL_CALL(qtensor_dot, "b", a, NULL, &value);
  NULL_CALL(qtensor_dot, "out", a, b, NULL);
  NULL_CALL(qtensor_dot_codes, "a", NULL, b, &sum);
  NULL_CALL(qtensor_dot_codes, "b", a, NULL, &sum);
  NULL_CALL(qtensor_dot_codes, "out", a, b, NULL);
  NULL_CALL(qtensor_argmax, "x", NULL, indices, 2);
  NULL_CALL(qtensor_argmax, "indices", a, NULL, 2);
  HOLDS(out, 0);
  CHECK(value == 77 && sum == 77 && indices[0] == 77 && indices[1] == 77);
}

/* To steps of 2: the middle goes to the even code by default, and up as dnnlowp has it. */
static void one_tensor(const qtensor_t *a, qtensor_t *out) {
  qtensor_fixed_options_t options = {sizeof options, QTENSOR_FIXED_NEAREST, 0};
  for (uint32_t threads = 0; threads < 4; threads++) {
    options.threads = threads;
    options.rounding = QTENSOR_FIXED_NEAREST;
    WORKS(qtensor_requantize, a, out, &options);
    HOLDS(out, 0, -2, 8, -8, 0, 4);
    options.rounding = QTENSOR_FIXED_DNNLOWP;
    WORKS(qtensor_requantize, a, out, &options);
    HOLDS(out, 1, -1, 8, -7, 0, 4);
    WORKS(qtensor_relu, a, out, &options);
    HOLDS(out, 1, 0, 8, 0, 0, 4);
    WORKS(qtensor_clamp, a, -6, 7, out, &options);
    HOLDS(out, 1, -1, 4, -3, 0, 4);
  }
  NULL_OPTIONS(qtensor_requantize, a, out, NULL);
  HOLDS(out, 0, -2, 8, -8, 0, 4);
  NULL_OPTIONS(qtensor_relu, a, out, NULL);
  HOLDS(out, 0, 0, 8, 0, 0, 4);
  NULL_OPTIONS(qtensor_clamp, a, -INFINITY, 7, out, NULL);
  HOLDS(out, 0, -2, 4, -8, 0, 4);

  /* Other parameters for each row: 1 * (x + 0.25), and -0.5 * (x - 7), of which the larger codes
   * are the lower values. */
  const double scales[2] = {1, -0.5}, biases[2] = {0.25, -7};
  WORKS(qtensor_set_channels, out, 0, scales, biases, 2);
  WORKS(qtensor_requantize, a, out, NULL);
  HOLDS(out, 1, -3, 15, 37, 7, -7);
  WORKS(qtensor_relu, a, out, NULL);
  HOLDS(out, 1, 0, 15, 7, 7, -7);
  WORKS(qtensor_clear_channels, out);
}

static void two_tensors(qtensor_t *a, qtensor_t *b, qtensor_t *out) {
  const qtensor_fixed_options_t dnnlowp = {sizeof dnnlowp, QTENSOR_FIXED_DNNLOWP, 2};
  WORKS(qtensor_add, a, b, out, NULL);
  HOLDS(out, 0, -1, 8, -6, 127, 131);
  NULL_OPTIONS(qtensor_add, a, a, out, NULL);
  HOLDS(out, 1, -3, 15, -15, 0, 7);
  WORKS(qtensor_multiply, a, b, out, &dnnlowp);
  HOLDS(out, 0, -1, 15, -22, 0, 255);
  NULL_OPTIONS(qtensor_multiply, a, b, out, NULL);
  HOLDS(out, 0, -2, 15, -22, 0, 255);
  /* 0.5 (x + 0.5) * 4 (y - 254) = 2 t for the position t. */
  WORKS(qtensor_set_scale, a, 0.5);
  WORKS(qtensor_set_bias, a, 0.5);
  WORKS(qtensor_set_scale, b, 4);
  WORKS(qtensor_set_bias, b, -254);
  WORKS(qtensor_multiply, a, b, out, NULL);
  HOLDS(out, -255, 255, -255, 255, 0, 8);

  double value = 0;
  int64_t sum = 0, indices[2] = {7, 7};
  WORKS(qtensor_dot_codes, a, b, &sum);
  CHECK(sum == -3 + 30 - 45 + 7 * 255);
  WORKS(qtensor_dot, a, b, &value);
  double expected = 0;
  for (size_t i = 0; i < 6; i++) {
    expected += 2 * ((double)a_codes[i] + 0.5) * ((double)b_codes[i] - 254);
  }
  CHECK(value == expected);
  WORKS(qtensor_argmax, a, indices, 2);
  CHECK(indices[0] == 2 && indices[1] == 2);
  WORKS(qtensor_set_scale, a, -1);
  WORKS(qtensor_argmax, a, indices, 2);
  CHECK(indices[0] == 1 && indices[1] == 0);
  /* A scale for each column: -1 and 15 and -15 and so on, of which two are one value. */
  const double scales[3] = {-1, 5, -1}, biases[3] = {0, 0, 0};
  WORKS(qtensor_set_channels, a, 1, scales, biases, 3);
  WORKS(qtensor_argmax, a, indices, 2);
  CHECK(indices[0] == 0 && indices[1] == 0);
  WORKS(qtensor_clear_channels, a);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  qtensor_t *a = make(4, true, a_codes), *b = make(8, false, b_codes);
  qtensor_t *out = make(8, true, NULL);
  WORKS(qtensor_set_scale, out, 2);
  nulls(a, b, out);
  one_tensor(a, out);
  two_tensors(a, b, out);
  qtensor_free(a);
  qtensor_free(b);
  qtensor_free(out);
  return done();
}
