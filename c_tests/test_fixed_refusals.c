/* test_fixed_refusals.c: what fixed-point arithmetic refuses, and that nothing changes then. */
#include "check.h"

#include <math.h>

static const int64_t dims[2] = {2, 3};
static const int64_t codes[6] = {1, 2, 3, 4, 5, 6};

static qtensor_t *make(void) {
  qtensor_t *tensor = make_tensor(dims, 2, 4, true);
  WORKS(qtensor_write_codes, tensor, codes, 6);
  return tensor;
}

static bool unchanged(const qtensor_t *tensor) {
  int64_t found[6];
  WORKS(qtensor_read_codes, tensor, found, 6);
  return memcmp(found, codes, sizeof found) == 0;
}

/* Every call that writes `out`, with `x` on either side. */
static void refused(qtensor_status status, const char *text, const qtensor_t *x, qtensor_t *out) {
  qtensor_t *other = make();
  REFUSES(status, qtensor_requantize, x, out, NULL);
  SAYS(text);
  REFUSES(status, qtensor_relu, x, out, NULL);
  SAYS(text);
  REFUSES(status, qtensor_clamp, x, 0, 1, out, NULL);
  SAYS(text);
  REFUSES(status, qtensor_add, x, other, out, NULL);
  SAYS(text);
  REFUSES(status, qtensor_multiply, x, other, out, NULL);
  SAYS(text);
  qtensor_free(other);
}

static void one_memory(void) {
  qtensor_t *x = make(), *out = make(), *other = make();
  refused(QTENSOR_INVALID_ARGUMENT, "'out'", out, out);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_requantize, out, out, NULL);
  SAYS("'x' and 'out'");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_add, x, out, out, NULL);
  SAYS("'b' and 'out'");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_multiply, out, x, out, NULL);
  SAYS("'a' and 'out'");
  CHECK(unchanged(out));

  /* Two tensors in one buffer: five planes of a byte each, which overlap in one. */
  uint8_t planes[9] = {0};
  WORKS(qtensor_borrow, x, planes, 5, NULL, NULL);
  WORKS(qtensor_borrow_mut, out, planes + 4, 5, NULL, NULL);
  refused(QTENSOR_INVALID_ARGUMENT, "'out'", x, out);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_add, other, x, out, NULL);
  SAYS("'b' and 'out'");
  CHECK(all_bytes(planes, 0, sizeof planes));
  /* Side by side is as good as apart. */
  uint8_t more[10] = {0};
  WORKS(qtensor_borrow, x, more, 5, NULL, NULL);
  WORKS(qtensor_borrow_mut, out, more + 5, 5, NULL, NULL);
  WORKS(qtensor_requantize, x, out, NULL);

  /* Answers inside the planes. */
  int64_t numbers[10] = {0};
  const int64_t many[1] = {128};
  WORKS(qtensor_resize, x, many, 1);
  WORKS(qtensor_borrow, x, (const uint8_t *)numbers, 80, NULL, NULL);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dot_codes, x, x, numbers + 9);
  SAYS("'a' and 'out'");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dot, x, x, (double *)(void *)numbers);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_argmax, x, numbers + 3, 1);
  SAYS("'indices'");
  CHECK(all_bytes(numbers, 0, sizeof numbers));
  qtensor_free(x);
  qtensor_free(out);
  qtensor_free(other);
}

static void parameters(void) {
  qtensor_t *x = make(), *out = make();
  const int64_t turned[2] = {3, 2}, flat[1] = {6};
  WORKS(qtensor_resize, x, turned, 2);
  refused(QTENSOR_SHAPE_MISMATCH, "dimension of", x, out);
  WORKS(qtensor_resize, x, flat, 1);
  refused(QTENSOR_SHAPE_MISMATCH, "number of dimensions", x, out);
  WORKS(qtensor_resize, x, dims, 2);
  WORKS(qtensor_set_scale, x, 0);
  refused(QTENSOR_INVALID_ARGUMENT, "0", x, out);
  WORKS(qtensor_set_scale, x, NAN);
  refused(QTENSOR_NON_FINITE, "scale", x, out);
  WORKS(qtensor_set_scale, x, 1e200);
  refused(QTENSOR_OVERFLOW, "quotient", x, out);
  WORKS(qtensor_set_scale, x, 1);
  WORKS(qtensor_set_bias, x, INFINITY);
  refused(QTENSOR_NON_FINITE, "bias", x, out);
  WORKS(qtensor_set_bias, x, 1e19);
  refused(QTENSOR_OVERFLOW, "bias", x, out);
  WORKS(qtensor_set_bias, x, 0);
  WORKS(qtensor_set_logarithmic, x, true);
  refused(QTENSOR_UNSUPPORTED, "logarithmic", x, out);
  WORKS(qtensor_set_logarithmic, x, false);
  WORKS(qtensor_set_precision, x, 17);
  refused(QTENSOR_OUT_OF_RANGE, "17", x, out);
  WORKS(qtensor_set_precision, x, 4);
  const double ones[3] = {1, 1, 1};
  WORKS(qtensor_set_channels, x, 0, ones, ones, 2);
  WORKS(qtensor_set_channels, out, 1, ones, ones, 3);
  refused(QTENSOR_UNSUPPORTED, "axis", x, out);
  CHECK(unchanged(out));
  qtensor_free(x);
  qtensor_free(out);
}

static void roundings(void) {
  qtensor_t *x = make(), *out = make();
  qtensor_fixed_options_t options = {sizeof options, 2, 1};
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_requantize, x, out, &options);
  SAYS("QTENSOR_FIXED_");
  options.rounding = QTENSOR_FIXED_DNNLOWP;
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_add, x, x, out, &options);
  SAYS("dnnlowp");
  options.struct_size = sizeof options - 1;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_relu, x, out, &options);
  options.struct_size = sizeof options;
  WORKS(qtensor_set_bias, x, 0.5);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_multiply, x, x, out, &options);
  SAYS("zero points");
  WORKS(qtensor_set_bias, x, 0);
  WORKS(qtensor_set_scale, x, -1);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_requantize, x, out, &options);
  SAYS("2^-33");
  WORKS(qtensor_set_scale, x, 1e-300);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_requantize, x, out, &options);
  SAYS("single precision");
  WORKS(qtensor_set_scale, x, 1);
  WORKS(qtensor_set_bias, x, 2147483647);
  REFUSES(QTENSOR_OVERFLOW, qtensor_requantize, x, out, &options);
  SAYS("2147483647");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_clamp, x, NAN, 1, out, NULL);
  SAYS("lower limit");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_clamp, x, 2, 1, out, NULL);
  SAYS("upper limit");
  CHECK(unchanged(out));
  qtensor_free(x);
  qtensor_free(out);
}

static void reductions(void) {
  qtensor_t *x = make(), *other = make(), *empty = NULL;
  const int64_t turned[2] = {3, 2}, none[2] = {2, 0};
  double value = 77;
  int64_t sum = 77, indices[3] = {77, 77, 77};
  WORKS(qtensor_create_with, none, 2, 4, true, &empty);
  WORKS(qtensor_resize, other, turned, 2);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_dot, x, other, &value);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_dot_codes, x, other, &sum);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dot, empty, empty, &value);
  SAYS("elements");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dot_codes, empty, empty, &sum);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_argmax, empty, indices, 2);
  SAYS("elements");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_argmax, x, indices, 3);
  SAYS("indices");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_argmax, x, (int64_t *)(void *)((char *)indices + 1), 2);
  SAYS("'indices'");
  WORKS(qtensor_resize, other, dims, 2);
  WORKS(qtensor_set_scale, x, 1e300);
  WORKS(qtensor_set_scale, other, 1e300);
  REFUSES(QTENSOR_NON_FINITE, qtensor_dot, x, other, &value);
  WORKS(qtensor_set_bias, x, 1e19);
  REFUSES(QTENSOR_OVERFLOW, qtensor_dot, x, other, &value);
  WORKS(qtensor_set_scale, x, 0);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_argmax, x, indices, 2);
  WORKS(qtensor_set_bias, x, NAN);
  REFUSES(QTENSOR_NON_FINITE, qtensor_argmax, x, indices, 2);
  WORKS(qtensor_set_precision, x, 17);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_argmax, x, indices, 2);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_dot_codes, x, other, &sum);
  WORKS(qtensor_set_logarithmic, other, true);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_argmax, other, indices, 2);
  CHECK(value == 77 && sum == 77 && indices[0] == 77 && indices[1] == 77);
  qtensor_free(x);
  qtensor_free(other);
  qtensor_free(empty);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  one_memory();
  parameters();
  roundings();
  reductions();
  return done();
}
