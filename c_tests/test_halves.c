/* test_halves.c: half precision and bfloat16. */
#include "check.h"

#include <math.h>

static void nulls(void) {
  float values[2] = {1e6f, 1};
  size_t count = 77;
  NULL_CALL(qtensor_half_saturate, "values", NULL, 2, &count);
  NULL_CALL(qtensor_half_saturate, "out_of_range", values, 2, NULL);
  CHECK(count == 77 && values[0] == 1e6f);
  WORKS(qtensor_half_saturate, NULL, 0, &count);
  CHECK(count == 0);
}

/* All 65,536 of them, by the definition of the format. */
static void every_half_has_its_value(void) {
  long wrong = 0;
  for (unsigned bits = 0; bits <= 0xffff; bits++) {
    unsigned exponent = bits >> 10 & 31, mantissa = bits & 0x3ff;
    float value = qtensor_half_to_float((uint16_t)bits);
    uint16_t back = qtensor_half_from_float(value);
    wrong += (signbit(value) != 0) != (bits >> 15 != 0);
    if (exponent < 31) {
      double magnitude = exponent == 0 ? ldexp(mantissa, -24)
                                       : ldexp(1024 + mantissa, (int)exponent - 25);
      wrong += fabs((double)value) != magnitude || back != bits;
    } else if (mantissa == 0) {
      wrong += !isinf(value) || back != bits;
    } else {
      wrong += !isnan(value) || back != (bits | 0x200);
    }
  }
  CHECK(wrong == 0);
}

static void every_bfloat16_has_its_value(void) {
  long wrong = 0;
  for (unsigned bits = 0; bits <= 0xffff; bits++) {
    float value = qtensor_bfloat16_to_float((uint16_t)bits);
    uint32_t pattern;
    memcpy(&pattern, &value, sizeof pattern);
    bool is_nan = (bits & 0x7fff) > 0x7f80;
    wrong += is_nan ? !isnan(value) : pattern != (uint32_t)bits << 16;
    wrong += qtensor_bfloat16_from_float(value) != (is_nan ? bits | 0x40 : bits);
  }
  CHECK(wrong == 0);
}

static void narrowing_takes_the_nearest(void) {
  CHECK(qtensor_half_from_float(1.00048828125f) == 0x3c00);    /* A tie, to the even one. */
  CHECK(qtensor_half_from_float(1.00146484375f) == 0x3c02);    /* The next tie. */
  CHECK(qtensor_half_from_float(1.0004884f) == 0x3c01);
  CHECK(qtensor_half_from_float(65519.996f) == 0x7bff);
  CHECK(qtensor_half_from_float(-65520) == 0xfc00);
  CHECK(qtensor_half_from_float(ldexpf(1, -25)) == 0);         /* Half the smallest one. */
  CHECK(qtensor_half_from_float(ldexpf(1.0001f, -25)) == 1);
  CHECK(qtensor_bfloat16_from_float(1.00390625f) == 0x3f80);   /* Ties again. */
  CHECK(qtensor_bfloat16_from_float(1.01171875f) == 0x3f82);
  CHECK(qtensor_bfloat16_from_float(-3.4e38f) == 0xff80);
}

static void values_are_brought_into_range(void) {
  float values[8] = {1, -65504, 65505, -1e30f, INFINITY, -INFINITY, NAN, 1e-40f};
  float small = values[7];
  size_t count = 77;
  WORKS(qtensor_half_saturate, values, 8, &count);
  CHECK(count == 4);
  CHECK(values[0] == 1 && values[1] == -65504 && values[2] == 65504 && values[3] == -65504);
  CHECK(values[4] == 65504 && values[5] == -65504 && isnan(values[6]) && values[7] == small);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_half_saturate, values, SIZE_MAX, &count);
  SAYS("values");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_half_saturate, (float *)((uintptr_t)values + 1), 1,
          &count);
  CHECK(count == 4);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  every_half_has_its_value();
  every_bfloat16_has_its_value();
  narrowing_takes_the_nearest();
  values_are_brought_into_range();
  return done();
}
