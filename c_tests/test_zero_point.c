/* test_zero_point.c: zero points and biases. */
#include "check.h"

#include <math.h>

static void nulls(void) {
  qtensor_t *tensor = qtensor_create();
  int32_t out = 77;
  NULL_CALL(qtensor_zero_point, "tensor", NULL, &out);
  NULL_CALL(qtensor_zero_point, "out", tensor, NULL);
  NULL_CALL(qtensor_set_zero_point, "tensor", NULL, 3);
  NULL_CALL(qtensor_zero_point_of_bias, "out", 1, NULL);
  CHECK(out == 77 && qtensor_bias(tensor) == 0);
  qtensor_free(tensor);
}

static void zero_points_come_back(void) {
  static const int32_t points[] = {0, 1, -1, 128, 255, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
    qtensor_t *tensor = qtensor_create();
    int32_t out = 77;
    WORKS(qtensor_set_zero_point, tensor, points[i]);
    CHECK(qtensor_bias(tensor) == -(double)points[i]);
    CHECK(qtensor_bias_of_zero_point(points[i]) == -(double)points[i]);
    WORKS(qtensor_zero_point, tensor, &out);
    CHECK(out == points[i]);
    WORKS(qtensor_zero_point_of_bias, -(double)points[i], &out);
    CHECK(out == points[i]);
    qtensor_free(tensor);
  }
  CHECK(!signbit(qtensor_bias_of_zero_point(0)));
  int32_t out = 77;
  WORKS(qtensor_zero_point_of_bias, -0.0, &out);
  CHECK(out == 0);
}

static void other_biases_are_refused(void) {
  const double biases[] = {0.5, -1e-300, NAN, INFINITY, -INFINITY, -2147483648.0, 2147483649.0};
  qtensor_t *tensor = qtensor_create();
  int32_t out = 77;
  for (size_t i = 0; i < sizeof biases / sizeof *biases; i++) {
    REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_zero_point_of_bias, biases[i], &out);
    SAYS("bias");
    WORKS(qtensor_set_bias, tensor, biases[i]);
    REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_zero_point, tensor, &out);
    SAYS("bias");
  }
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_zero_point_of_bias, 0.5, &out);
  SAYS("0.5");
  CHECK(out == 77);
  qtensor_free(tensor);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  zero_points_come_back();
  other_biases_are_refused();
  return done();
}
