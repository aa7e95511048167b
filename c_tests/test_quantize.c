/* test_quantize.c: floats to codes, against codes computed by hand. */
#include "quantize_values.h"

enum { ROUNDINGS = 7 };

/* Quantizes the same values from each type; the codes and the counts are the same. */
static void quantize_all(qtensor_t *tensor, const float *values, size_t n,
                         const qtensor_quantize_options_t *options, const int64_t *codes,
                         const uint64_t *expected) {
  double wide[16];
  uint16_t halves[16], bfloats[16];
  for (size_t i = 0; i < n; i++) {
    wide[i] = values[i];
    halves[i] = half_bits(values[i]);
    bfloats[i] = bfloat16_bits(values[i]);
  }
  for (int type = 0; type < 4; type++) {
    for (int counting = 0; counting < 2; counting++) {
      qtensor_quantize_counts_t counts = no_counts(), *out = counting ? &counts : NULL;
      scribble(tensor);
      switch (type) {
        case 0: WORKS(qtensor_quantize, tensor, values, n, options, out); break;
        case 1: WORKS(qtensor_quantize_f64, tensor, wide, n, options, out); break;
        case 2: WORKS(qtensor_quantize_f16, tensor, halves, n, options, out); break;
        default: WORKS(qtensor_quantize_bf16, tensor, bfloats, n, options, out);
      }
      CHECK(has_codes(tensor, codes));
      CHECK(!counting || counted(&counts, expected[0], expected[1], expected[2], 0));
    }
  }
}

/* Positions are 2v: every tie, and one value beyond either end. */
static void signed_codes(void) {
  const float values[13] = {-4.5f, -1.25f, -0.75f, -0.375f, -0.25f, -0.125f, 0,
                            0.125f, 0.25f, 0.375f, 0.75f, 1.25f, 4.5f};
  const int64_t codes[ROUNDINGS][13] = {
      {-7, -2, -2, -1, 0, 0, 0, 0, 0, 1, 2, 2, 7},
      {-7, -3, -2, -1, -1, 0, 0, 0, 1, 1, 2, 3, 7},
      {-7, -3, -2, -1, -1, -1, 0, 0, 0, 0, 1, 2, 7},
      {-7, -2, -1, 0, 0, 0, 0, 1, 1, 1, 2, 3, 7},
      {-7, -2, -1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 7},
      {0},
      {-7, -2, -2, -1, 0, 0, 0, 0, 0, 1, 2, 2, 7},
  };
  const uint64_t counts[ROUNDINGS][3] = {{1, 1, 4}, {1, 1, 2}, {1, 1, 3}, {1, 1, 3},
                                         {1, 1, 6}, {0},       {1, 1, 4}};
  qtensor_t *tensor = make_row(13, 3, true, 0.5, 0);
  for (int32_t rounding = 0; rounding < ROUNDINGS; rounding++) {
    if (rounding != QTENSOR_ROUND_STOCHASTIC) {
      const qtensor_quantize_options_t options = rounding_option(rounding);
      quantize_all(tensor, values, 13, &options, codes[rounding], counts[rounding]);
    }
  }
  quantize_all(tensor, values, 13, NULL, codes[0], counts[0]);
  /* Zero has no sign, whichever way it came about. */
  for (size_t i = 4; i <= 8; i++) {
    bool sign = true;
    WORKS(qtensor_get_bit, tensor, 3, i, &sign);
    CHECK(!sign);
  }
  qtensor_free(tensor);
}

/* Positions are 4v + 3. Caffe2 rounds before it adds the zero point, 3. */
static void unsigned_codes(void) {
  const float values[7] = {-1, -0.75f, -0.125f, 0.125f, 0.375f, 1, 1.25f};
  const int64_t codes[ROUNDINGS][7] = {
      {0, 0, 2, 4, 4, 7, 7}, {0, 0, 3, 4, 5, 7, 7}, {0, 0, 2, 3, 4, 7, 7}, {0, 0, 3, 4, 5, 7, 7},
      {0, 0, 2, 3, 4, 7, 7}, {0},                   {0, 0, 3, 3, 5, 7, 7},
  };
  const uint64_t counts[ROUNDINGS][3] = {{1, 1, 0}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1},
                                         {1, 1, 1}, {0},       {1, 1, 2}};
  qtensor_t *tensor = make_row(7, 3, false, 0.25, -3);
  for (int32_t rounding = 0; rounding < ROUNDINGS; rounding++) {
    if (rounding != QTENSOR_ROUND_STOCHASTIC) {
      const qtensor_quantize_options_t options = rounding_option(rounding);
      quantize_all(tensor, values, 7, &options, codes[rounding], counts[rounding]);
    }
  }
  qtensor_free(tensor);
}

/* The same positions in more bits than a byte has, whole codes at both ends. */
static void precisions(void) {
  for (unsigned precision = 1; precision <= 32; precision++) {
    for (int is_signed = 0; is_signed < 2; is_signed++) {
      const int64_t highest = (INT64_C(1) << precision) - 1, lowest = is_signed ? -highest : 0;
      const double middle = (double)(INT64_C(1) << (precision - 1));
      const double values[6] = {2.0 * (double)highest, 2.0 * ((double)highest + 1), 0,
                                2.0 * middle,          -2.0 * (double)highest,      -2e300};
      const int64_t codes[6] = {highest, highest, 0, (int64_t)middle, lowest, lowest};
      qtensor_t *tensor = make_row(6, (uint8_t)precision, is_signed != 0, 2, 0);
      qtensor_quantize_counts_t counts = no_counts();
      WORKS(qtensor_quantize_f64, tensor, values, 6, NULL, &counts);
      CHECK(has_codes(tensor, codes) && counted(&counts, is_signed ? 1 : 2, 1, 0, 0));
      float floats[6];
      for (int i = 0; i < 6; i++) {
        floats[i] = i == 5 ? -3e38f : (float)values[i];
      }
      WORKS(qtensor_quantize, tensor, floats, 6, NULL, NULL);
      if (precision <= 24) {
        CHECK(has_codes(tensor, codes));
      }
      qtensor_free(tensor);
    }
  }
}

/* Channels along each dimension, in rows of one element and of many. */
static void channels(void) {
  const int64_t shapes[2][3] = {{3, 3, 3}, {3, 700, 5}};
  for (int shape = 0; shape < 2; shape++) {
    const int64_t *dims = shapes[shape];
    const size_t size = (size_t)(dims[0] * dims[1] * dims[2]);
    float *values = (float *)allocate(size * sizeof *values);
    double *wide = (double *)allocate(size * sizeof *wide);
    int64_t *codes = (int64_t *)allocate(size * sizeof *codes);
    for (size_t i = 0; i < size; i++) {
      wide[i] = values[i] = (float)((int)(i * 7919 % 4001) - 2000) / 64;
    }
    for (int32_t axis = 0; axis < 3; axis++) {
      const size_t count = (size_t)dims[axis];
      size_t row = 1;
      for (int32_t inner = axis + 1; inner < 3; inner++) {
        row *= (size_t)dims[inner];
      }
      double scales[700], biases[700];
      for (size_t c = 0; c < count; c++) {
        scales[c] = ldexp(1, (int)(c % 5) - 3);
        biases[c] = (double)(c % 3) - 1;
      }
      for (int width = 0; width < 4; width++) {
        const uint8_t precision = width < 2 ? 4 : 13;
        const bool is_signed = width % 2 == 1;
        const double highest = (double)((1 << precision) - 1), lowest = is_signed ? -highest : 0;
        for (size_t i = 0; i < size; i++) {
          const size_t c = i / row % count;
          /* Nothing of this rounds but what is meant to. */
          const double code = nearbyint(wide[i] / scales[c] - biases[c]);
          codes[i] = (int64_t)fmin(fmax(code, lowest), highest);
        }
        qtensor_t *tensor = make_tensor(dims, 3, precision, is_signed);
        WORKS(qtensor_set_channels, tensor, axis, scales, biases, count);
        WORKS(qtensor_quantize, tensor, values, size, NULL, NULL);
        CHECK(has_codes(tensor, codes));
        WORKS(qtensor_quantize_f64, tensor, wide, size, NULL, NULL);
        CHECK(has_codes(tensor, codes));
        qtensor_free(tensor);
      }
    }
    free(values);
    free(wide);
    free(codes);
  }
}

enum { LARGE = 300001 };

static bool same_planes(const qtensor_t *one, const qtensor_t *other) {
  return memcmp(qtensor_data(one), qtensor_data(other), qtensor_nbytes(one)) == 0;
}

/* A seed decides, and nothing else; the codes lie around the value as they should. */
static void chance(void) {
  float *values = (float *)allocate(LARGE * sizeof *values);
  int64_t *codes = (int64_t *)allocate(LARGE * sizeof *codes);
  for (size_t i = 0; i < LARGE; i++) {
    values[i] = 2.25f;
  }
  const uint8_t precisions[2] = {4, 12};
  for (int width = 0; width < 2; width++) {
    qtensor_quantize_options_t options = rounding_option(QTENSOR_ROUND_STOCHASTIC);
    options.seed = 1;
    qtensor_t *tensor = make_row(LARGE, precisions[width], true, 1, 0), *first = NULL;
    WORKS(qtensor_quantize, tensor, values, LARGE, &options, NULL);
    WORKS(qtensor_clone, tensor, &first);
    const uint32_t threads[4] = {1, 2, 5, 1000};
    for (int i = 0; i < 4; i++) {
      options.threads = threads[i];
      qtensor_quantize_counts_t counts = no_counts();
      qtensor_t *again = make_row(LARGE, precisions[width], true, 1, 0);
      WORKS(qtensor_quantize, again, values, LARGE, &options, i % 2 ? &counts : NULL);
      CHECK(same_planes(again, first));
      qtensor_free(again);
    }
    WORKS(qtensor_read_codes, tensor, codes, LARGE);
    long above = 0, other = 0;
    for (size_t i = 0; i < LARGE; i++) {
      above += codes[i] == 3;
      other += codes[i] != 2 && codes[i] != 3;
    }
    /* A quarter, within five standard deviations. */
    CHECK(other == 0 && above > 75000 - 1190 && above < 75000 + 1190);
    options.seed = 2;
    WORKS(qtensor_quantize, tensor, values, LARGE, &options, NULL);
    CHECK(!same_planes(tensor, first));
    qtensor_free(tensor);
    qtensor_free(first);
  }
  free(values);
  free(codes);
}

/* The same planes and counts from any number of threads. */
static void threads(void) {
  float *values = (float *)allocate(LARGE * sizeof *values);
  for (size_t i = 0; i < LARGE; i++) {
    values[i] = (float)((int)(i * 7919 % 1999) - 999) / 7;
  }
  for (int width = 0; width < 4; width++) {
    qtensor_t *tensor = make_row(LARGE, width < 2 ? 7 : 9, width % 2 == 1, 0.7, -3.25);
    qtensor_quantize_counts_t one = no_counts();
    WORKS(qtensor_quantize, tensor, values, LARGE, NULL, &one);
    qtensor_t *copy = NULL;
    WORKS(qtensor_clone, tensor, &copy);
    for (uint32_t count = 0; count < 6; count++) {
      qtensor_quantize_options_t options = no_options();
      options.threads = count;
      qtensor_quantize_counts_t counts = no_counts();
      qtensor_t *other = make_row(LARGE, width < 2 ? 7 : 9, width % 2 == 1, 0.7, -3.25);
      WORKS(qtensor_quantize, other, values, LARGE, &options, &counts);
      CHECK(same_planes(other, copy) && memcmp(&counts, &one, sizeof one) == 0);
      qtensor_free(other);
    }
    qtensor_free(tensor);
    qtensor_free(copy);
  }
  free(values);
}

static void padding_stays(void) {
  qtensor_t *tensor = make_row(5, 2, true, 1, 0);
  const float values[5] = {1, -2, 3, -3, 0};
  scribble(tensor);
  uint8_t before[3];
  memcpy(before, qtensor_data(tensor), 3);
  WORKS(qtensor_quantize, tensor, values, 5, NULL, NULL);
  const uint8_t expected[3] = {0xb0, 0x70, 0x50};
  for (int plane = 0; plane < 3; plane++) {
    CHECK(qtensor_data(tensor)[plane] == (expected[plane] | (before[plane] & 0x07)));
  }
  qtensor_free(tensor);
}

/* n is 2^precision - 1, and the tensor gets the parameters that make its codes mean what they are
 * to mean. */
static void dorefa(void) {
  const float activations[7] = {-1, 0, 0.25f, 0.5f, 0.875f, 1, 2};
  const float weights[3] = {-1.5f, 0, 1.5f}, zeros[3] = {0, 0, 0};
  const int64_t codes[7] = {0, 0, 1, 2, 3, 3, 3}, of_weights[3] = {0, 2, 3}, middle[3] = {2, 2, 2};
  qtensor_quantize_options_t options = no_options();
  options.scheme = QTENSOR_SCHEME_DOREFA_ACTIVATIONS;
  qtensor_t *tensor = make_row(7, 2, false, 9, 9);
  WORKS(qtensor_quantize, tensor, activations, 7, &options, NULL);
  CHECK(has_codes(tensor, codes));
  CHECK(qtensor_scale(tensor) == 1.0 / 3 && qtensor_bias(tensor) == 0);
  qtensor_free(tensor);
  options.scheme = QTENSOR_SCHEME_DOREFA_WEIGHTS;
  tensor = make_row(3, 2, false, 9, 9);
  WORKS(qtensor_quantize, tensor, weights, 3, &options, NULL);
  CHECK(has_codes(tensor, of_weights));
  CHECK(qtensor_scale(tensor) == 2.0 / 3 && qtensor_bias(tensor) == -1.5);
  WORKS(qtensor_quantize, tensor, zeros, 3, &options, NULL);
  CHECK(has_codes(tensor, middle));
  const float infinite[3] = {1, INFINITY, 0};
  WORKS(qtensor_set_scale, tensor, 5.0);
  state_t before = state_before(tensor);
  REFUSES(QTENSOR_NON_FINITE, qtensor_quantize, tensor, infinite, 3, &options, NULL);
  CHECK(is_unchanged(tensor, &before));
  free(before.planes);
  options.rounding = QTENSOR_ROUND_CAFFE2;
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_quantize, tensor, weights, 3, &options, NULL);
  SAYS("rounding");
  options.rounding = 0;
  /* Channels would give the codes another meaning. */
  WORKS(qtensor_set_channels, tensor, 0, (const double[3]){1, 1, 1}, (const double[3]){0}, 3);
  WORKS(qtensor_quantize, tensor, weights, 3, &options, NULL);
  CHECK(!qtensor_is_multiparam(tensor) && has_codes(tensor, of_weights));
  WORKS(qtensor_set_signed, tensor, true);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_quantize, tensor, weights, 3, &options, NULL);
  SAYS("sign");
  qtensor_free(tensor);
}

/* Code x stands for 2^(x - 3). */
static void logarithmic(void) {
  const float values[6] = {0, 0.25f, 1, -2, 0.01f, 1000}, powers[6] = {0, 0.25f, 1, -2, 0.25f, 16};
  const int64_t codes[6] = {0, 1, 3, -4, 1, 7};
  qtensor_t *tensor = make_row(6, 3, true, 1, -2);
  WORKS(qtensor_set_logarithmic, tensor, true);
  qtensor_quantize_counts_t counts = no_counts();
  WORKS(qtensor_quantize, tensor, values, 6, NULL, &counts);
  CHECK(has_codes(tensor, codes) && counted(&counts, 1, 1, 0, 0));
  float back[6];
  WORKS(qtensor_dequantize, tensor, back, 6, 1);
  CHECK(memcmp(back, powers, sizeof back) == 0);
  qtensor_free(tensor);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  signed_codes();
  unsigned_codes();
  precisions();
  channels();
  chance();
  threads();
  padding_stays();
  dorefa();
  logarithmic();
  return done();
}
