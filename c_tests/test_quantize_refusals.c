/* test_quantize_refusals.c: what qtensor_quantize() refuses, and that nothing has changed then. */
#include "quantize_values.h"

static void nulls(void) {
  qtensor_t *tensor = make_row(3, 4, false, 1, 0);
  const float floats[3] = {1, 2, 3};
  const double doubles[3] = {1, 2, 3};
  const uint16_t bits[3] = {0, 0, 0};
  const qtensor_quantize_options_t given = no_options(), *options = &given;
  qtensor_quantize_counts_t counts = no_counts();
  NULL_CALL(qtensor_quantize, "tensor", NULL, floats, 3, options, &counts);
  NULL_CALL(qtensor_quantize, "values", tensor, NULL, 3, options, &counts);
  NULL_CALL(qtensor_quantize_f64, "tensor", NULL, doubles, 3, options, &counts);
  NULL_CALL(qtensor_quantize_f64, "values", tensor, NULL, 3, options, &counts);
  NULL_CALL(qtensor_quantize_f16, "tensor", NULL, bits, 3, options, &counts);
  NULL_CALL(qtensor_quantize_f16, "values", tensor, NULL, 3, options, &counts);
  NULL_CALL(qtensor_quantize_bf16, "tensor", NULL, bits, 3, options, &counts);
  NULL_CALL(qtensor_quantize_bf16, "values", tensor, NULL, 3, options, &counts);
  CHECK(uncounted(&counts) && qtensor_data(tensor) == NULL);
  NULL_COUNTS(qtensor_quantize, tensor, floats, 3, options, NULL);
  NULL_COUNTS(qtensor_quantize_f64, tensor, doubles, 3, options, NULL);
  NULL_COUNTS(qtensor_quantize_f16, tensor, bits, 3, options, NULL);
  NULL_COUNTS(qtensor_quantize_bf16, tensor, bits, 3, options, NULL);
  NULL_OPTIONS(qtensor_quantize, tensor, floats, 3, NULL, &counts);
  NULL_OPTIONS(qtensor_quantize_f64, tensor, doubles, 3, NULL, &counts);
  NULL_OPTIONS(qtensor_quantize_f16, tensor, bits, 3, NULL, &counts);
  NULL_OPTIONS(qtensor_quantize_bf16, tensor, bits, 3, NULL, &counts);
  CHECK(counted(&counts, 0, 0, 0, 0));
  qtensor_free(tensor);
  /* (NULL, 0) is an empty buffer. */
  tensor = make_row(0, 4, false, 1, 0);
  WORKS(qtensor_quantize, tensor, NULL, 0, NULL, &counts);
  WORKS(qtensor_quantize_f16, tensor, NULL, 0, NULL, NULL);
  CHECK(counted(&counts, 0, 0, 0, 0) && qtensor_data(tensor) == NULL);
  qtensor_free(tensor);
}

/* A refusal that leaves the tensor and the counts alone; SAYS follows. */
#define STAYS(status, tensor, ...) \
  do { \
    state_t before = state_before(tensor); \
    qtensor_quantize_counts_t counts = no_counts(); \
    REFUSES((status), qtensor_quantize, (tensor), __VA_ARGS__, NULL); \
    REFUSES((status), qtensor_quantize, (tensor), __VA_ARGS__, &counts); \
    CHECK(is_unchanged((tensor), &before) && uncounted(&counts)); \
    free(before.planes); \
  } while (0)

/* In one block and in many, at the very end, on one thread and on several. */
static void values_that_are_not_finite(void) {
  const size_t sizes[5] = {5, 4096, 4097, 20001, 300000};
  const float bad[3] = {NAN, INFINITY, -INFINITY};
  const char *const names[3] = {"is NaN", "is inf", "is -inf"};
  for (int size = 0; size < 5; size++) {
    const size_t n = sizes[size];
    float *values = (float *)allocate(n * sizeof *values);
    for (size_t i = 0; i < n; i++) {
      values[i] = (float)(i % 7);
    }
    char index[64];
    snprintf(index, sizeof index, "index %zu ", n - 1);
    for (int i = 0; i < 3; i++) {
      values[n - 1] = bad[i];
      for (int variant = 0; variant < 8; variant++) {
        if (n > 100000 && variant % 3 != i) {
          continue; /* Slow under the checkers. */
        }
        qtensor_quantize_options_t options = no_options();
        options.threads = variant & 1 ? 3 : 1;
        qtensor_t *tensor = make_row(n, variant & 2 ? 8 : 10, true, 1, 0);
        if (variant & 4) {
          scribble(tensor);
        }
        STAYS(QTENSOR_NON_FINITE, tensor, values, n, &options);
        SAYS(index);
        SAYS(names[i]);
        CHECK((qtensor_data(tensor) == NULL) == !(variant & 4));
        qtensor_free(tensor);
      }
    }
    /* The first one is named, whichever thread found one. */
    values[n / 2] = NAN;
    snprintf(index, sizeof index, "index %zu ", n / 2);
    qtensor_quantize_options_t options = no_options();
    options.threads = 4;
    qtensor_t *tensor = make_row(n, 4, false, 1, 0);
    STAYS(QTENSOR_NON_FINITE, tensor, values, n, &options);
    SAYS(index);
    /* Saturated, the rest is there. */
    options.non_finite = QTENSOR_NON_FINITE_SATURATE;
    qtensor_quantize_counts_t counts = no_counts();
    WORKS(qtensor_quantize, tensor, values, n, &options, &counts);
    CHECK(counts.non_finite == 2 && counts.saturated_low == 0 && counts.saturated_high == 0);
    qtensor_free(tensor);
    free(values);
  }
}

static void what_they_saturate_to(void) {
  const float values[5] = {INFINITY, -INFINITY, NAN, 9, -9};
  const double wide[5] = {INFINITY, -INFINITY, NAN, 9, -9};
  const uint16_t halves[5] = {0x7c00, 0xfc00, 0x7e01, 0x4880, 0xc880};
  const uint16_t bfloats[5] = {0x7f80, 0xff80, 0x7fc1, 0x4110, 0xc110};
  const int64_t of_unsigned[5] = {7, 0, 0, 7, 0}, of_signed[5] = {7, -7, 0, 7, -7};
  qtensor_quantize_options_t options = no_options();
  options.non_finite = QTENSOR_NON_FINITE_SATURATE;
  for (int is_signed = 0; is_signed < 2; is_signed++) {
    const int64_t *codes = is_signed ? of_signed : of_unsigned;
    qtensor_t *tensor = make_row(5, 3, is_signed != 0, 1, 0);
    qtensor_quantize_counts_t counts = no_counts();
    WORKS(qtensor_quantize, tensor, values, 5, &options, &counts);
    CHECK(has_codes(tensor, codes) && counted(&counts, 1, 1, 0, 3));
    WORKS(qtensor_quantize_f64, tensor, wide, 5, &options, &counts);
    CHECK(has_codes(tensor, codes) && counted(&counts, 1, 1, 0, 3));
    WORKS(qtensor_quantize_f16, tensor, halves, 5, &options, &counts);
    CHECK(has_codes(tensor, codes) && counted(&counts, 1, 1, 0, 3));
    WORKS(qtensor_quantize_bf16, tensor, bfloats, 5, &options, &counts);
    CHECK(has_codes(tensor, codes) && counted(&counts, 1, 1, 0, 3));
    state_t before = state_before(tensor);
    REFUSES(QTENSOR_NON_FINITE, qtensor_quantize_f64, tensor, wide, 5, NULL, NULL);
    REFUSES(QTENSOR_NON_FINITE, qtensor_quantize_f16, tensor, halves, 5, NULL, NULL);
    SAYS("index 0 is inf");
    REFUSES(QTENSOR_NON_FINITE, qtensor_quantize_bf16, tensor, bfloats + 2, 5, NULL, NULL);
    CHECK(is_unchanged(tensor, &before));
    free(before.planes);
    qtensor_free(tensor);
  }
}

static void parameters(void) {
  const float values[3] = {1, 2, 3};
  qtensor_t *tensor = make_row(3, 4, false, 1, 0);
  scribble(tensor);
  const double scales[6] = {0, -0.0, -1, 1e-310, NAN, INFINITY};
  const char *const names[6] = {"is 0.0", "is -0.0", "is -1.0", "is 1e-310", "is NaN", "is inf"};
  for (int i = 0; i < 6; i++) {
    WORKS(qtensor_set_scale, tensor, scales[i]);
    STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, 3, NULL);
    SAYS("scale");
    SAYS(names[i]);
  }
  WORKS(qtensor_set_scale, tensor, 2.3e-308);
  WORKS(qtensor_quantize, tensor, values, 3, NULL, NULL);
  WORKS(qtensor_set_scale, tensor, 1.0);
  const double biases[3] = {NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 3; i++) {
    WORKS(qtensor_set_bias, tensor, biases[i]);
    STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, 3, NULL);
    SAYS("bias");
  }
  /* Caffe2's rounding knows zero points and single precision only. */
  const qtensor_quantize_options_t options = rounding_option(QTENSOR_ROUND_CAFFE2);
  WORKS(qtensor_set_bias, tensor, 0.5);
  STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, 3, &options);
  SAYS("is 0.5");
  WORKS(qtensor_set_bias, tensor, 0.0);
  WORKS(qtensor_set_scale, tensor, 1e-50);
  STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, 3, &options);
  SAYS("single precision");
  qtensor_free(tensor);
}

static void channels(void) {
  const int64_t dims[2] = {2, 3};
  const float values[6] = {1, 2, 3, 4, 5, 6};
  qtensor_t *tensor = make_tensor(dims, 2, 4, false);
  scribble(tensor);
  WORKS(qtensor_set_channels, tensor, 1, (const double[3]){1, 1, -2}, (const double[3]){0}, 3);
  STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, 6, NULL);
  SAYS("scale of channel 2 is -2.0");
  WORKS(qtensor_set_channels, tensor, 0, (const double[2]){1, 1}, (const double[2]){0, NAN}, 2);
  STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, 6, NULL);
  SAYS("bias of channel 1 is NaN");
  WORKS(qtensor_set_channels, tensor, 0, (const double[2]){1, 1}, (const double[2]){0}, 2);
  WORKS(qtensor_resize, tensor, (const int64_t[2]){3, 2}, 2);
  STAYS(QTENSOR_SHAPE_MISMATCH, tensor, values, 6, NULL);
  SAYS("is 2");
  WORKS(qtensor_set_channels, tensor, 1, (const double[2]){1, 1}, (const double[2]){0}, 2);
  WORKS(qtensor_resize, tensor, (const int64_t[1]){6}, 1);
  STAYS(QTENSOR_OUT_OF_RANGE, tensor, values, 6, NULL);
  qtensor_free(tensor);
}

static void sizes_and_precisions(void) {
  float values[4] = {1, 2, 3, 4};
  qtensor_t *tensor = make_row(3, 4, false, 1, 0);
  scribble(tensor);
  STAYS(QTENSOR_SHAPE_MISMATCH, tensor, values, 4, NULL);
  SAYS("is 4");
  SAYS("be 3");
  STAYS(QTENSOR_SHAPE_MISMATCH, tensor, NULL, 0, NULL);
  STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, SIZE_MAX, NULL);
  SAYS("18446744073709551615");
  const uintptr_t odd = (uintptr_t)values + 1;
  STAYS(QTENSOR_INVALID_ARGUMENT, tensor, (const float *)odd, 3, NULL);
  SAYS("'values' is not aligned");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_quantize_f16, tensor, (const uint16_t *)odd, 3, NULL,
          NULL);
  SAYS("'values' is not aligned");
  const uint8_t precisions[3] = {0, 33, 255};
  const char *const names[3] = {"is 0", "is 33", "is 255"};
  for (int i = 0; i < 3; i++) {
    WORKS(qtensor_set_precision, tensor, precisions[i]);
    STAYS(QTENSOR_OUT_OF_RANGE, tensor, values, 3, NULL);
    SAYS("precision");
    SAYS(names[i]);
    SAYS("1 to 32");
    CHECK(qtensor_data(tensor) == NULL);
  }
  qtensor_free(tensor);
  /* The precision counts even where there is no value. */
  tensor = make_row(0, 33, false, 1, 0);
  STAYS(QTENSOR_OUT_OF_RANGE, tensor, NULL, 0, NULL);
  qtensor_free(tensor);
}

static void options(void) {
  const float values[3] = {1, 2, 3};
  qtensor_t *tensor = make_row(3, 4, false, 1, 0);
  const int32_t bad[4] = {-1, 3, INT32_MAX, INT32_MIN};
  for (int i = 0; i < 4; i++) {
    qtensor_quantize_options_t given = no_options();
    given.scheme = bad[i];
    STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, 3, &given);
    SAYS("scheme is");
    SAYS("0 to 2");
    given = rounding_option(bad[i] == 3 ? 7 : bad[i]);
    STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, 3, &given);
    SAYS("rounding is");
    SAYS("0 to 6");
    given = no_options();
    given.non_finite = bad[i] == 3 ? 2 : bad[i];
    STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, 3, &given);
    SAYS("non_finite is");
    SAYS("0 or 1");
  }
  /* A program of another version. */
  struct {
    qtensor_quantize_options_t known;
    uint64_t later;
  } grown = {no_options(), 0};
  grown.known.struct_size = sizeof grown;
  WORKS(qtensor_quantize, tensor, values, 3, &grown.known, NULL);
  scribble(tensor);
  grown.later = 1;
  STAYS(QTENSOR_UNSUPPORTED, tensor, values, 3, &grown.known);
  const size_t small[3] = {0, 8, sizeof grown.known - 1};
  for (int i = 0; i < 3; i++) {
    grown.known.struct_size = small[i];
    STAYS(QTENSOR_BUFFER_TOO_SMALL, tensor, values, 3, &grown.known);
    SAYS("options");
    SAYS("32");
  }
  grown.known.struct_size = SIZE_MAX;
  STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, 3, &grown.known);
  const uintptr_t odd = (uintptr_t)&grown.known + 4;
  STAYS(QTENSOR_INVALID_ARGUMENT, tensor, values, 3, (const qtensor_quantize_options_t *)odd);
  SAYS("'options' is not aligned");
  qtensor_free(tensor);
}

static void counts(void) {
  const float values[3] = {1, 2, 99};
  qtensor_t *tensor = make_row(3, 4, false, 1, 0);
  struct {
    qtensor_quantize_counts_t known;
    uint64_t later;
  } grown = {no_counts(), 77};
  const size_t small[3] = {0, 8, sizeof grown.known - 1};
  for (int i = 0; i < 3; i++) {
    grown.known.struct_size = small[i];
    REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_quantize, tensor, values, 3, NULL, &grown.known);
    SAYS("counts");
    SAYS("40");
    CHECK(qtensor_data(tensor) == NULL && grown.known.struct_size == small[i]);
  }
  qtensor_quantize_counts_t *odd = (qtensor_quantize_counts_t *)((uintptr_t)&grown.known + 4);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_quantize, tensor, values, 3, NULL, odd);
  SAYS("'counts' is not aligned");
  CHECK(qtensor_data(tensor) == NULL);
  /* A later version's: as much of it is filled as there is to say. */
  grown.known.struct_size = sizeof grown;
  WORKS(qtensor_quantize, tensor, values, 3, NULL, &grown.known);
  CHECK(counted(&grown.known, 0, 1, 0, 0) && grown.later == 77);
  qtensor_free(tensor);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  values_that_are_not_finite();
  what_they_saturate_to();
  parameters();
  channels();
  sizes_and_precisions();
  options();
  counts();
  return done();
}
