/* test_dequantize.c: codes to the values that they stand for. */
#include "quantize_values.h"

static void nulls(void) {
  qtensor_t *tensor = make_row(3, 4, false, 1, 0);
  float floats[3] = {9, 9, 9};
  double doubles[3] = {9, 9, 9};
  uint16_t bits[3] = {9, 9, 9};
  NULL_CALL(qtensor_dequantize, "tensor", NULL, floats, 3, 1);
  NULL_CALL(qtensor_dequantize, "values", tensor, NULL, 3, 1);
  NULL_CALL(qtensor_dequantize_f64, "tensor", NULL, doubles, 3, 1);
  NULL_CALL(qtensor_dequantize_f64, "values", tensor, NULL, 3, 1);
  NULL_CALL(qtensor_dequantize_f16, "tensor", NULL, bits, 3, 1);
  NULL_CALL(qtensor_dequantize_f16, "values", tensor, NULL, 3, 1);
  NULL_CALL(qtensor_dequantize_bf16, "tensor", NULL, bits, 3, 1);
  NULL_CALL(qtensor_dequantize_bf16, "values", tensor, NULL, 3, 1);
  CHECK(floats[0] == 9 && doubles[0] == 9 && bits[0] == 9);
  /* Never written: every code is 0. */
  WORKS(qtensor_set_bias, tensor, 2.5);
  WORKS(qtensor_dequantize, tensor, floats, 3, 0);
  CHECK(floats[0] == 2.5f && floats[2] == 2.5f && qtensor_data(tensor) == NULL);
  qtensor_free(tensor);
  tensor = make_row(0, 4, false, 1, 0);
  WORKS(qtensor_dequantize, tensor, NULL, 0, 1);
  WORKS(qtensor_dequantize_bf16, tensor, NULL, 0, 1);
  qtensor_free(tensor);
}

static void values_by_hand(void) {
  const int64_t codes[5] = {0, 1, -2, 7, -7};
  const float expected[5] = {0.25f, 0.75f, -0.75f, 3.75f, -3.25f};
  for (unsigned precision = 3; precision <= 32; precision++) {
    qtensor_t *tensor = make_row(5, (uint8_t)precision, true, 0.5, 0.5);
    WORKS(qtensor_write_codes, tensor, codes, 5);
    float floats[5] = {0};
    double doubles[5] = {0};
    uint16_t halves[5] = {0}, bfloats[5] = {0};
    WORKS(qtensor_dequantize, tensor, floats, 5, 1);
    WORKS(qtensor_dequantize_f64, tensor, doubles, 5, 1);
    WORKS(qtensor_dequantize_f16, tensor, halves, 5, 1);
    WORKS(qtensor_dequantize_bf16, tensor, bfloats, 5, 1);
    for (int i = 0; i < 5; i++) {
      CHECK(floats[i] == expected[i] && doubles[i] == expected[i]);
      CHECK(halves[i] == half_bits(expected[i]) && bfloats[i] == bfloat16_bits(expected[i]));
    }
    qtensor_free(tensor);
  }
}

/* The product is rounded once, to the nearest value of the type; what is too large is infinite. */
static void rounding(void) {
  qtensor_t *tensor = make_row(2, 2, true, 0.1, 0);
  const int64_t codes[2] = {3, -3};
  float floats[2];
  double doubles[2];
  uint16_t halves[2];
  WORKS(qtensor_write_codes, tensor, codes, 2);
  WORKS(qtensor_dequantize_f64, tensor, doubles, 2, 1);
  WORKS(qtensor_dequantize, tensor, floats, 2, 1);
  CHECK(doubles[0] == 0.1 * 3 && doubles[1] == -(0.1 * 3));
  CHECK(floats[0] == (float)(0.1 * 3) && floats[1] == -floats[0]);
  /* 2049 lies in the middle between two half-precision values, 2048 and 2050. */
  WORKS(qtensor_set_scale, tensor, 683.0);
  WORKS(qtensor_dequantize_f16, tensor, halves, 2, 1);
  CHECK(halves[0] == 0x6800 && halves[1] == 0xe800);
  /* A little more than that in double precision is not first rounded to a float. */
  WORKS(qtensor_set_scale, tensor, 683.0 * (1 + 1e-12));
  WORKS(qtensor_dequantize_f16, tensor, halves, 2, 1);
  CHECK(halves[0] == 0x6801 && halves[1] == 0xe801);
  WORKS(qtensor_set_scale, tensor, 21840.0);
  WORKS(qtensor_dequantize_f16, tensor, halves, 2, 1);
  CHECK(halves[0] == 0x7c00 && halves[1] == 0xfc00);
  WORKS(qtensor_set_scale, tensor, 1e300);
  WORKS(qtensor_dequantize, tensor, floats, 2, 1);
  CHECK(floats[0] == INFINITY && floats[1] == -INFINITY);
  /* Any scale has values, also one that nothing can be divided by. */
  WORKS(qtensor_set_scale, tensor, -0.5);
  WORKS(qtensor_dequantize, tensor, floats, 2, 1);
  CHECK(floats[0] == -1.5f && floats[1] == 1.5f);
  WORKS(qtensor_set_scale, tensor, (double)NAN);
  WORKS(qtensor_dequantize_f64, tensor, doubles, 2, 1);
  CHECK(doubles[0] != doubles[0]);
  qtensor_free(tensor);
}

/* Every channel by itself, along each dimension, in short rows and in long ones. */
static void channels(void) {
  const int64_t dims[3] = {3, 700, 5};
  enum { SIZE = 3 * 700 * 5 };
  static int64_t codes[SIZE];
  static float floats[SIZE];
  static double doubles[SIZE];
  double scales[700], biases[700];
  for (int i = 0; i < SIZE; i++) {
    codes[i] = i * 31 % 15 - 7;
  }
  for (int i = 0; i < 700; i++) {
    scales[i] = 0.1 * (i + 1);
    biases[i] = 0.3 * (i % 11) - 1;
  }
  const size_t rows[3] = {3500, 5, 1};
  for (int32_t axis = 0; axis < 3; axis++) {
    for (uint8_t precision = 3; precision <= 13; precision = (uint8_t)(precision + 5)) {
      qtensor_t *tensor = make_tensor(dims, 3, precision, true);
      const size_t count = (size_t)dims[axis];
      WORKS(qtensor_set_channels, tensor, axis, scales, biases, count);
      WORKS(qtensor_write_codes, tensor, codes, SIZE);
      WORKS(qtensor_dequantize, tensor, floats, SIZE, 2);
      WORKS(qtensor_dequantize_f64, tensor, doubles, SIZE, 2);
      for (size_t i = 0; i < SIZE; i++) {
        const size_t c = i / rows[axis] % count;
        const volatile double sum = (double)codes[i] + biases[c];
        CHECK(doubles[i] == scales[c] * sum && floats[i] == (float)(scales[c] * sum));
      }
      qtensor_free(tensor);
    }
  }
}

enum { LARGE = 300001 };

/* What comes back lies within half a step, and from any number of threads the same. */
static void round_trip(void) {
  float *values = (float *)allocate(LARGE * sizeof *values);
  float *back = (float *)allocate(LARGE * sizeof *back);
  float *again = (float *)allocate(LARGE * sizeof *again);
  for (size_t i = 0; i < LARGE; i++) {
    values[i] = (float)((int)(i * 7919 % 19991) - 9995) / 9995;
  }
  for (uint8_t precision = 1; precision <= 16; precision++) {
    const double scale = 2.0 / ((1 << precision) - 1);
    qtensor_t *tensor = make_row(LARGE, precision, false, scale, -1 / scale);
    qtensor_quantize_counts_t counts = no_counts();
    WORKS(qtensor_quantize, tensor, values, LARGE, NULL, &counts);
    CHECK(counts.saturated_low == 0 && counts.saturated_high == 0 && counts.non_finite == 0);
    WORKS(qtensor_dequantize, tensor, back, LARGE, 1);
    double worst = 0;
    for (size_t i = 0; i < LARGE; i++) {
      worst = fmax(worst, fabs((double)back[i] - values[i]));
    }
    CHECK(worst <= scale / 2 + 1e-7);
    for (uint32_t threads = 2; threads <= 5; threads++) {
      memset(again, 0x5a, LARGE * sizeof *again);
      WORKS(qtensor_dequantize, tensor, again, LARGE, threads);
      CHECK(memcmp(again, back, LARGE * sizeof *back) == 0);
    }
    qtensor_free(tensor);
  }
  free(values);
  free(back);
  free(again);
}

static void refusals(void) {
  float values[4] = {9, 9, 9, 9};
  qtensor_t *tensor = make_row(3, 4, false, 1, 0);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_dequantize, tensor, values, 4, 1);
  SAYS("is 4");
  SAYS("be 3");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_dequantize, tensor, NULL, 0, 1);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dequantize, tensor, values, SIZE_MAX, 1);
  const uintptr_t odd = (uintptr_t)values + 1;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dequantize, tensor, (float *)odd, 3, 1);
  SAYS("'values' is not aligned");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dequantize_bf16, tensor, (uint16_t *)odd, 3, 1);
  const uint8_t precisions[3] = {0, 33, 255};
  for (int i = 0; i < 3; i++) {
    WORKS(qtensor_set_precision, tensor, precisions[i]);
    REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_dequantize, tensor, values, 3, 1);
    SAYS("precision");
    SAYS("1 to 32");
  }
  WORKS(qtensor_set_precision, tensor, 4);
  WORKS(qtensor_set_channels, tensor, 0, (const double[3]){1, 1, 1}, (const double[3]){0}, 3);
  WORKS(qtensor_resize, tensor, (const int64_t[1]){4}, 1);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_dequantize, tensor, values, 4, 1);
  SAYS("channel");
  for (int i = 0; i < 4; i++) {
    CHECK(values[i] == 9);
  }
  qtensor_free(tensor);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  values_by_hand();
  rounding();
  channels();
  round_trip();
  refusals();
  return done();
}
