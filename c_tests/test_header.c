/* test_header.c: the header alone, twice, in C, with nothing included before it. */
#include "caffe2_qtensor.h"
#include "caffe2_qtensor.h"

#if CAFFE2_QTENSOR_VERSION_MAJOR < 0 || CAFFE2_QTENSOR_VERSION_MINOR < 0 || \
    CAFFE2_QTENSOR_VERSION_PATCH < 0
#error "the version's parts are numbers that the preprocessor knows"
#endif

int main(void) {
  const char *library = qtensor_version(), *header = CAFFE2_QTENSOR_VERSION;
  while (*library != '\0' && *library == *header) {
    library++;
    header++;
  }
  return *library == *header ? 0 : 1;
}
