/* The program that the consumers build, in C: one tensor to Caffe2's bytes and back. */
#include <caffe2_qtensor.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(qtensor_status status, qtensor_error_t *error) {
  if (status != QTENSOR_OK) {
    fprintf(stderr, "%s\n", qtensor_error_message(error));
    qtensor_error_free(error);
    exit(EXIT_FAILURE);
  }
}

int main(void) {
  const int64_t dims[] = {2, 3}, codes[] = {1, -2, 3, -15, 0, 15};
  int64_t read[6] = {0};
  uint8_t blob[256];
  size_t length = 0;
  qtensor_error_t *error = NULL;
  qtensor_t *tensor = NULL, *copy = NULL;

  if (strcmp(qtensor_version(), CAFFE2_QTENSOR_VERSION) != 0) {
    fprintf(stderr, "library %s, header %s\n", qtensor_version(), CAFFE2_QTENSOR_VERSION);
    return EXIT_FAILURE;
  }
  check(qtensor_create_with(dims, 2, 4, true, &tensor, &error), error);
  check(qtensor_write_codes(tensor, codes, 6, &error), error);
  check(qtensor_serialize(tensor, "w", blob, sizeof blob, &length, &error), error);
  check(qtensor_deserialize(blob, length, &copy, &error), error);
  check(qtensor_read_codes(copy, read, 6, &error), error);
  qtensor_free(copy);
  qtensor_free(tensor);
  return memcmp(read, codes, sizeof codes) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
