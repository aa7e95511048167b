/* test_product_refusals.c: what matrix products refuse, and that nothing is written then. */
#include "product_matrices.h"

/* What a refused call would write to. */
static float values[6];
static int64_t sums[6];
static qtensor_t *out;
static const int64_t old_codes[6] = {1, -2, 3, -4, 5, -6};

static void fill(void) {
  memset(values, 0x5a, sizeof values);
  memset(sums, 0x5a, sizeof sums);
  out = make(out_dims, 4, true, old_codes, 6);
}

static void check_untouched(void) {
  int64_t codes[6];
  CHECK(all_bytes(values, 0x5a, sizeof values) && all_bytes(sums, 0x5a, sizeof sums));
  WORKS(qtensor_read_codes, out, codes, 6);
  CHECK(memcmp(codes, old_codes, sizeof codes) == 0);
  qtensor_free(out);
}

/* Where a pointer to a type is not aligned. */
static void *unaligned(void) {
  static double memory[64];
  return (char *)memory + 1;
}

/* All five calls refuse an input with this status and text. */
static void refuses_input(const qtensor_t *x, const qtensor_packed_t *packed,
                          qtensor_status status, const char *text) {
  int32_t method = -5, narrow[6] = {0};
  REFUSES(status, qtensor_product_sums_i32, x, packed, narrow, 6, NULL);
  SAYS(text);
  CHECK(all_bytes(narrow, 0, sizeof narrow));
  REFUSES(status, qtensor_product, x, packed, NULL, 0, values, 6, NULL);
  SAYS(text);
  REFUSES(status, qtensor_product_sums, x, packed, sums, 6, NULL);
  SAYS(text);
  REFUSES(status, qtensor_product_codes, x, packed, NULL, 0, out, NULL);
  SAYS(text);
  REFUSES(status, qtensor_product_method, x, packed, NULL, &method);
  SAYS(text);
  CHECK(method == -5);
}

static void inputs(void) {
  qtensor_t *w = make_w(), *x = make_x();
  qtensor_packed_t *packed = pack(w);
  const int64_t none[2] = {0, 5}, wide[2] = {5, 3};
  fill();
  WORKS(qtensor_resize, x, none, 2);
  refuses_input(x, packed, QTENSOR_INVALID_ARGUMENT, "elements of the input is 0");
  WORKS(qtensor_resize, x, wide, 2);
  refuses_input(x, packed, QTENSOR_SHAPE_MISMATCH, "columns of the input is 3");
  SAYS("5");
  WORKS(qtensor_resize, x, x_dims, 2);
  WORKS(qtensor_set_precision, x, 0);
  refuses_input(x, packed, QTENSOR_OUT_OF_RANGE, "precision of the input is 0");
  WORKS(qtensor_set_precision, x, 9);
  refuses_input(x, packed, QTENSOR_OUT_OF_RANGE, "precision of the input is 9");
  WORKS(qtensor_set_precision, x, 8);
  WORKS(qtensor_set_logarithmic, x, 1);
  refuses_input(x, packed, QTENSOR_UNSUPPORTED, "logarithmic");
  WORKS(qtensor_set_logarithmic, x, 0);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_product, x, packed, NULL, 0, values, 5, NULL);
  SAYS("5");
  SAYS("6");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_product_sums, x, packed, sums, 7, NULL);
  SAYS("number of sums is 7");

  /* Of channels and parameters only the codes are free. */
  const double scales[5] = {1, 1, 1, 1, 1}, biases[5] = {0};
  int64_t zeros[6];
  WORKS(qtensor_set_channels, x, 1, scales, biases, 5);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_product, x, packed, NULL, 0, values, 6, NULL);
  SAYS("channels of the input is 5");
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_product_codes, x, packed, NULL, 0, out, NULL);
  WORKS(qtensor_product_sums, x, packed, zeros, 6, NULL);
  WORKS(qtensor_clear_channels, x);
  WORKS(qtensor_set_scale, x, (double)NAN);
  REFUSES(QTENSOR_NON_FINITE, qtensor_product, x, packed, NULL, 0, values, 6, NULL);
  SAYS("scale of the input is NaN");
  REFUSES(QTENSOR_NON_FINITE, qtensor_product_codes, x, packed, NULL, 0, out, NULL);
  SAYS("scale of the input");
  WORKS(qtensor_set_scale, x, 1);
  WORKS(qtensor_set_bias, x, (double)-INFINITY);
  REFUSES(QTENSOR_NON_FINITE, qtensor_product, x, packed, NULL, 0, values, 6, NULL);
  SAYS("bias of the input is -inf");
  WORKS(qtensor_product_sums, x, packed, zeros, 6, NULL);
  CHECK(zeros[0] == 0 && zeros[5] == 0);
  check_untouched();
  qtensor_packed_free(packed);

  /* Finite alone, not together. */
  WORKS(qtensor_set_bias, x, 1e200);
  WORKS(qtensor_set_bias, w, 1e200);
  packed = pack(w);
  fill();
  REFUSES(QTENSOR_NON_FINITE, qtensor_product, x, packed, NULL, 0, values, 6, NULL);
  SAYS("product of the biases");
  WORKS(qtensor_set_bias, x, 0);
  WORKS(qtensor_set_scale, x, 1e200);
  WORKS(qtensor_set_bias, w, 0);
  WORKS(qtensor_set_scale, w, 1e200);
  qtensor_packed_free(packed);
  packed = pack(w);
  REFUSES(QTENSOR_NON_FINITE, qtensor_product, x, packed, NULL, 0, values, 6, NULL);
  SAYS("product of the scales");
  check_untouched();
  qtensor_packed_free(packed);
  qtensor_free(x);
  qtensor_free(w);
}

static void weights(void) {
  qtensor_packed_t *made = UNTOUCHED;
  qtensor_t *w = make_w();
  const int64_t none[2] = {0, 5}, three[3] = {1, 2, 5};
  const double scales[5] = {1, 1, 1, 1, 1}, biases[5] = {0, NAN, 0, 0, 0};
  WORKS(qtensor_set_channels, w, 1, scales, scales, 5);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_packed_create, w, &made);
  SAYS("axis of the channels of the weights is 1");
  WORKS(qtensor_set_channels, w, 0, scales, biases, 2);
  REFUSES(QTENSOR_NON_FINITE, qtensor_packed_create, w, &made);
  SAYS("bias of the weights is NaN");
  WORKS(qtensor_clear_channels, w);
  WORKS(qtensor_set_scale, w, (double)INFINITY);
  REFUSES(QTENSOR_NON_FINITE, qtensor_packed_create, w, &made);
  SAYS("scale of the weights is inf");
  WORKS(qtensor_set_scale, w, 1);
  WORKS(qtensor_set_logarithmic, w, 1);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_packed_create, w, &made);
  SAYS("logarithmic");
  WORKS(qtensor_set_logarithmic, w, 0);
  WORKS(qtensor_set_precision, w, 0);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_packed_create, w, &made);
  WORKS(qtensor_set_precision, w, 9);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_packed_create, w, &made);
  SAYS("precision of the weights is 9");
  WORKS(qtensor_set_precision, w, 8);
  WORKS(qtensor_resize, w, three, 3);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_packed_create, w, &made);
  SAYS("dimensions of the weights is 3");
  WORKS(qtensor_resize, w, none, 2);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_packed_create, w, &made);
  SAYS("elements of the weights is 0");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_packed_create, w, unaligned());
  SAYS("'out'");
  CHECK(made == UNTOUCHED);
  qtensor_free(w);
}

/* All calls refuse these options. */
static void refuses_options(const qtensor_t *x, const qtensor_packed_t *packed,
                            const qtensor_product_options_t *options, qtensor_status status,
                            const char *text) {
  const float floats[15] = {0};
  int32_t method = -5;
  REFUSES(status, qtensor_product_sums, x, packed, sums, 6, options);
  SAYS(text);
  REFUSES(status, qtensor_product, x, packed, NULL, 0, values, 6, options);
  SAYS(text);
  REFUSES(status, qtensor_product_codes, x, packed, NULL, 0, out, options);
  SAYS(text);
  REFUSES(status, qtensor_product_floats, floats, 15, NULL, packed, NULL, 0, values, 6, options);
  SAYS(text);
  REFUSES(status, qtensor_product_method, x, packed, options, &method);
  SAYS(text);
  CHECK(method == -5);
}

static void options(const qtensor_t *x, const qtensor_packed_t *packed) {
  struct {
    qtensor_product_options_t known;
    uint64_t unknown[2];
  } later = {{sizeof later, QTENSOR_METHOD_BEST, 1, 0, 0}, {0, 0}};
  fill();
  qtensor_product_options_t asked = by(5, 1);
  refuses_options(x, packed, &asked, QTENSOR_INVALID_ARGUMENT, "method of the product is 5");
  asked.method = -1;
  refuses_options(x, packed, &asked, QTENSOR_INVALID_ARGUMENT, "QTENSOR_METHOD");
  asked.method = QTENSOR_METHOD_TERNARY;
  refuses_options(x, packed, &asked, QTENSOR_UNSUPPORTED, "signed codes of 1 bit");
  asked = by(QTENSOR_METHOD_BEST, 1);
  asked.rounding = 2;
  refuses_options(x, packed, &asked, QTENSOR_INVALID_ARGUMENT, "rounding is 2");
  asked = by(QTENSOR_METHOD_BEST, 1);
  asked.reserved = 7;
  refuses_options(x, packed, &asked, QTENSOR_UNSUPPORTED, "reserved member of the options is 7");
  asked = by(QTENSOR_METHOD_BEST, 1);
  asked.struct_size = sizeof asked - 1;
  refuses_options(x, packed, &asked, QTENSOR_BUFFER_TOO_SMALL, "holds 23 bytes");
  asked.struct_size = 0;
  refuses_options(x, packed, &asked, QTENSOR_BUFFER_TOO_SMALL, "holds 0 bytes");
  asked.struct_size = 4097;
  refuses_options(x, packed, &asked, QTENSOR_INVALID_ARGUMENT, "4097");
  later.unknown[1] = 1;
  refuses_options(x, packed, &later.known, QTENSOR_UNSUPPORTED, "this version");
  refuses_options(x, packed, (const qtensor_product_options_t *)unaligned(),
                  QTENSOR_INVALID_ARGUMENT, "'options'");
  check_untouched();
  later.unknown[1] = 0;
  int64_t own[6];
  WORKS(qtensor_product_sums, x, packed, own, 6, &later.known);
  CHECK(memcmp(own, expected_sums, sizeof own) == 0);
}

static void added_and_buffers(const qtensor_t *x, const qtensor_packed_t *packed) {
  const float bad[2] = {0, INFINITY}, nan[2] = {NAN, 0}, x_floats[15] = {0};
  const float *const nowhere = (const float *)unaligned();
  float *const crooked = (float *)unaligned();
  fill();
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_product, x, packed, nan, 1, values, 6, NULL);
  SAYS("number of values to add is 1");
  REFUSES(QTENSOR_NON_FINITE, qtensor_product, x, packed, bad, 2, values, 6, NULL);
  SAYS("value to add is inf");
  REFUSES(QTENSOR_NON_FINITE, qtensor_product_codes, x, packed, nan, 2, out, NULL);
  SAYS("value to add is NaN");
  REFUSES(QTENSOR_NON_FINITE, qtensor_product_floats, x_floats, 15, NULL, packed, nan, 2, values, 6,
          NULL);
  SAYS("value to add is NaN");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product, x, packed, nowhere, 2, values, 6, NULL);
  SAYS("'added'");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product, x, packed, NULL, 0, crooked, 6, NULL);
  SAYS("'values'");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product_sums, x, packed, (int64_t *)unaligned(), 6,
          NULL);
  SAYS("'sums'");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product_codes, x, packed, nowhere, 2, out, NULL);
  SAYS("'added'");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product_floats, nowhere, 15, NULL, packed, NULL, 0,
          values, 6, NULL);
  SAYS("'x'");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product_floats, x_floats, 15, NULL, packed, NULL, 0,
          crooked, 6, NULL);
  SAYS("'values'");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product_method, x, packed, NULL,
          (int32_t *)unaligned());
  SAYS("'method'");
  /* No memory is as large as this. */
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product, x, packed, bad, SIZE_MAX, values, 6, NULL);
  SAYS("'added'");
  check_untouched();
}

/* What the result in codes must be. */
static void results(const qtensor_t *x, const qtensor_packed_t *packed) {
  const int64_t square[2] = {3, 3}, few[2] = {2, 2};
  const double ones[3] = {1, 1, 1}, holes[2] = {1, 0}, infinite[2] = {INFINITY, 1};
  qtensor_t *wrong = make_tensor(square, 2, 4, true);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  SAYS("last dimension of the result is 3");
  WORKS(qtensor_resize, wrong, few, 2);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  SAYS("elements of the result is 4");
  WORKS(qtensor_resize, wrong, NULL, 0);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  WORKS(qtensor_resize, wrong, out_dims, 2);
  WORKS(qtensor_set_precision, wrong, 17);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  SAYS("precision of the result is 17");
  WORKS(qtensor_set_precision, wrong, 0);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  WORKS(qtensor_set_precision, wrong, 8);
  WORKS(qtensor_set_logarithmic, wrong, 1);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  SAYS("result of a product is linear");
  WORKS(qtensor_set_logarithmic, wrong, 0);
  WORKS(qtensor_set_scale, wrong, 0);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  SAYS("scale of the result is 0");
  WORKS(qtensor_set_scale, wrong, (double)NAN);
  REFUSES(QTENSOR_NON_FINITE, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  SAYS("scale of the result is NaN");
  WORKS(qtensor_set_scale, wrong, 1);
  WORKS(qtensor_set_bias, wrong, (double)INFINITY);
  REFUSES(QTENSOR_NON_FINITE, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  SAYS("bias of the result is inf");
  WORKS(qtensor_set_channels, wrong, 0, ones, ones, 3);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  SAYS("axis of the channels of the result is 0");
  WORKS(qtensor_set_channels, wrong, 1, holes, ones, 2);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  WORKS(qtensor_set_channels, wrong, 1, ones, infinite, 2);
  REFUSES(QTENSOR_NON_FINITE, qtensor_product_codes, x, packed, NULL, 0, wrong, NULL);
  CHECK(qtensor_data(wrong) == NULL && qtensor_precision(wrong) == 8);
  qtensor_free(wrong);
}

static void formats(const qtensor_packed_t *packed) {
  struct {
    qtensor_input_format_t known;
    uint64_t unknown[2];
  } later;
  float x[15] = {0};
  memset(&later, 0, sizeof later);
  later.known = given(8, 1, 0);
  qtensor_input_format_t *format = &later.known;
  fill();
#define REFUSES_FLOATS(status, count, n) \
  REFUSES(status, qtensor_product_floats, x, count, format, packed, NULL, 0, values, n, NULL)
  REFUSES_FLOATS(QTENSOR_INVALID_ARGUMENT, 0, 0);
  SAYS("elements of the input is 0");
  REFUSES_FLOATS(QTENSOR_SHAPE_MISMATCH, 14, 6);
  SAYS("14");
  SAYS("15");
  REFUSES_FLOATS(QTENSOR_SHAPE_MISMATCH, 15, 5);
  SAYS("number of values is 5");
  x[11] = NAN;
  REFUSES_FLOATS(QTENSOR_NON_FINITE, 15, 6);
  SAYS("index 11 is NaN");
  format->parameters = QTENSOR_INPUT_COVERING;
  REFUSES_FLOATS(QTENSOR_NON_FINITE, 15, 6);
  SAYS("index 11 is NaN");
  format->is_signed = 1;
  x[11] = 0;
  x[12] = -INFINITY;
  REFUSES_FLOATS(QTENSOR_NON_FINITE, 15, 6);
  SAYS("index 12 is -inf");
  x[12] = 0;
  format->parameters = 2;
  REFUSES_FLOATS(QTENSOR_INVALID_ARGUMENT, 15, 6);
  SAYS("QTENSOR_INPUT");
  *format = given(0, 1, 0);
  REFUSES_FLOATS(QTENSOR_OUT_OF_RANGE, 15, 6);
  SAYS("precision of the input is 0");
  *format = given(9, 1, 0);
  REFUSES_FLOATS(QTENSOR_OUT_OF_RANGE, 15, 6);
  *format = given(8, 0, 0);
  REFUSES_FLOATS(QTENSOR_INVALID_ARGUMENT, 15, 6);
  SAYS("scale");
  *format = given(8, 1, NAN);
  REFUSES_FLOATS(QTENSOR_NON_FINITE, 15, 6);
  SAYS("bias of the input is NaN");
  *format = given(8, 1, 0);
  format->is_signed = 2;
  REFUSES_FLOATS(QTENSOR_INVALID_ARGUMENT, 15, 6);
  SAYS("sign of the input is 2");
  format->is_signed = 0;
  format->reserved = 1;
  REFUSES_FLOATS(QTENSOR_UNSUPPORTED, 15, 6);
  SAYS("reserved");
  format->reserved = 0;
  format->struct_size = sizeof *format - 1;
  REFUSES_FLOATS(QTENSOR_BUFFER_TOO_SMALL, 15, 6);
  format->struct_size = 4097;
  REFUSES_FLOATS(QTENSOR_INVALID_ARGUMENT, 15, 6);
  format->struct_size = sizeof later;
  later.unknown[0] = 1;
  REFUSES_FLOATS(QTENSOR_UNSUPPORTED, 15, 6);
  format = (qtensor_input_format_t *)unaligned();
  REFUSES_FLOATS(QTENSOR_INVALID_ARGUMENT, 15, 6);
  SAYS("'format'");
#undef REFUSES_FLOATS
  check_untouched();
}

/* 15 * 3 * columns have to stay below 2^31. */
static void narrow_sums(void) {
  const int64_t fits[2] = {1, 47721858}, beyond[2] = {1, 47721859};
  int32_t sum[2] = {0x5a5a5a5a, 0x5a5a5a5a};
  for (int i = 0; i < 2; i++) {
    const int64_t *dims = i == 0 ? fits : beyond;
    qtensor_t *x = make_tensor(dims, 2, 4, false), *w = make_tensor(dims, 2, 2, false);
    qtensor_packed_t *packed = pack(w);
    if (i == 0) {
      WORKS(qtensor_product_sums_i32, x, packed, sum, 1, NULL);
      CHECK(sum[0] == 0 && sum[1] == 0x5a5a5a5a);
      REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_product_sums_i32, x, packed, sum, 2, NULL);
      SAYS("number of sums is 2");
    } else {
      REFUSES(QTENSOR_OVERFLOW, qtensor_product_sums_i32, x, packed, sum + 1, 1, NULL);
      SAYS("2147483647");
      CHECK(sum[1] == 0x5a5a5a5a);
    }
    qtensor_packed_free(packed);
    qtensor_free(x);
    qtensor_free(w);
  }
}

/* Real biases, and a quotient of scales that the formula cannot take. */
static void as_dnnlowp(qtensor_t *x, const qtensor_packed_t *packed) {
  qtensor_product_options_t options = by(QTENSOR_METHOD_BEST, 1);
  options.rounding = QTENSOR_FIXED_DNNLOWP;
  fill();
  WORKS(qtensor_set_bias, x, 0.5);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_product_codes, x, packed, NULL, 0, out, &options);
  SAYS("bias of the input is 0.5");
  WORKS(qtensor_set_bias, x, 0);
  WORKS(qtensor_set_scale, x, 1e30);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_product_codes, x, packed, NULL, 0, out, &options);
  SAYS("multiplier");
  WORKS(qtensor_set_scale, x, 1e-12);
  const float added[2] = {0, 1};
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_product_codes, x, packed, added, 2, out, &options);
  WORKS(qtensor_set_scale, x, 1);
  check_untouched();
}

int main(int argc, char **argv) {
  begin(argc, argv);
  inputs();
  weights();
  qtensor_t *x = make_x(), *w = make_w();
  qtensor_packed_t *packed = pack(w);
  options(x, packed);
  added_and_buffers(x, packed);
  results(x, packed);
  formats(packed);
  narrow_sums();
  as_dnnlowp(x, packed);
  qtensor_packed_free(packed);
  qtensor_free(x);
  qtensor_free(w);
  return done();
}
