/* test_conv1d.c: arguments of a one-dimensional convolution. */
#include "check.h"

int main(int argc, char **argv) {
  begin(argc, argv);
  const int64_t arguments[3] = {7, 8, 9};
  int64_t out[3] = {77, 77, 77};
  NULL_CALL(qtensor_conv1d_argument, "arguments", NULL, 1, 1, out);
  NULL_CALL(qtensor_conv1d_argument, "out", arguments, 1, 1, NULL);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_conv1d_argument, NULL, 0, 1, out);
  SAYS("argument is 0");
  CHECK(out[0] == 77 && out[1] == 77);
  WORKS(qtensor_conv1d_argument, arguments, 1, 1, out);
  CHECK(out[0] == 1 && out[1] == 7);
  WORKS(qtensor_conv1d_argument, arguments, 2, 0, out);
  CHECK(out[0] == 0 && out[1] == 8);
  WORKS(qtensor_conv1d_argument, arguments, 3, INT64_MIN, out);
  CHECK(out[0] == INT64_MIN && out[1] == 8 && out[2] == 77);
  return done();
}
