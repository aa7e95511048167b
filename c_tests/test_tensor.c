/* test_tensor.c: a tensor's life, shape and parameters. */
#include "check.h"

#include <math.h>

/* A 2 x 5 tensor of 3 bits and a sign, with planes, parameters and channels: what a refused call
 * must leave as it is. */
static qtensor_t *make_full(void) {
  static const int64_t dims[2] = {2, 5};
  static const int64_t codes[10] = {1, -2, 3, -4, 5, -6, 7, 0, -1, 2};
  static const double scales[2] = {0.5, 0.25}, biases[2] = {1, -1};
  qtensor_t *tensor = make_tensor(dims, 2, 3, true);
  WORKS(qtensor_write_codes, tensor, codes, 10);
  WORKS(qtensor_set_scale, tensor, 0.125);
  WORKS(qtensor_set_bias, tensor, -3.5);
  WORKS(qtensor_set_channels, tensor, 0, scales, biases, 2);
  return tensor;
}

/* The tensor's bytes, which hold all there is to know of it; to be freed. */
static uint8_t *bytes_of(const qtensor_t *tensor, size_t *length) {
  WORKS(qtensor_serialized_size, tensor, "t", length);
  uint8_t *bytes = allocate(*length);
  WORKS(qtensor_serialize, tensor, "t", bytes, *length, length);
  return bytes;
}

static bool is_full(const qtensor_t *tensor) {
  qtensor_t *full = make_full();
  size_t length = 0, expected_length = 0;
  uint8_t *bytes = bytes_of(tensor, &length), *expected = bytes_of(full, &expected_length);
  bool same = length == expected_length && memcmp(bytes, expected, length) == 0;
  free(bytes);
  free(expected);
  qtensor_free(full);
  return same && qtensor_data(tensor) != NULL;
}

static void nulls(void) {
  int64_t dims[1] = {4};
  qtensor_t *tensor = make_full(), *out = UNTOUCHED;
  NULL_CALL(qtensor_create_with, "dims", NULL, 1, 8, false, &out);
  NULL_CALL(qtensor_create_with, "out", dims, 1, 8, false, NULL);
  NULL_CALL(qtensor_clone, "tensor", NULL, &out);
  NULL_CALL(qtensor_clone, "out", tensor, NULL);
  NULL_CALL(qtensor_resize, "tensor", NULL, dims, 1);
  NULL_CALL(qtensor_resize, "dims", tensor, NULL, 1);
  NULL_CALL(qtensor_set_precision, "tensor", NULL, 8);
  NULL_CALL(qtensor_set_signed, "tensor", NULL, true);
  NULL_CALL(qtensor_set_scale, "tensor", NULL, 1.0);
  NULL_CALL(qtensor_set_bias, "tensor", NULL, 1.0);
  NULL_ANSWER(qtensor_ndim, 0, NULL);
  NULL_ANSWER(qtensor_dims, NULL, NULL);
  NULL_ANSWER(qtensor_size, 0, NULL);
  NULL_ANSWER(qtensor_aligned_size, 0, NULL);
  NULL_ANSWER(qtensor_nbytes, 0, NULL);
  NULL_ANSWER(qtensor_alignment, 0, NULL);
  NULL_ANSWER(qtensor_precision, 0, NULL);
  NULL_ANSWER(qtensor_is_signed, false, NULL);
  NULL_ANSWER(qtensor_scale, 0.0, NULL);
  NULL_ANSWER(qtensor_bias, 0.0, NULL);
  NULL_ANSWER(qtensor_data, NULL, NULL);
  NULL_FREE(qtensor_free);
  CHECK(out == UNTOUCHED);
  CHECK(is_full(tensor));
  qtensor_free(tensor);
}

static void a_new_tensor_is_empty(void) {
  qtensor_t *tensor = qtensor_create();
  CHECK(tensor != NULL);
  CHECK(qtensor_ndim(tensor) == 0 && qtensor_size(tensor) == 0);
  CHECK(qtensor_aligned_size(tensor) == 0 && qtensor_nbytes(tensor) == 0);
  CHECK(qtensor_alignment(tensor) == 8 && qtensor_precision(tensor) == 8);
  CHECK(!qtensor_is_signed(tensor));
  CHECK(qtensor_scale(tensor) == 1.0 && qtensor_bias(tensor) == 0.0);
  CHECK(qtensor_data(tensor) == NULL);
  qtensor_free(tensor);
  tensor = make_tensor(NULL, 0, 5, true);
  CHECK(qtensor_size(tensor) == 0 && qtensor_ndim(tensor) == 0);
  CHECK(qtensor_precision(tensor) == 5 && qtensor_is_signed(tensor));
  qtensor_free(tensor);
}

static void shapes_have_sizes(void) {
  int64_t dims[3] = {3, 5, 7};
  qtensor_t *tensor = make_tensor(dims, 3, 4, true);
  dims[0] = 99; /* The dimensions were copied. */
  CHECK(qtensor_ndim(tensor) == 3);
  CHECK(qtensor_dims(tensor)[0] == 3 && qtensor_dims(tensor)[2] == 7);
  CHECK(qtensor_size(tensor) == 105 && qtensor_aligned_size(tensor) == 112);
  CHECK(qtensor_nbytes(tensor) == 70);
  CHECK(qtensor_data(tensor) == NULL);
  qtensor_free(tensor);

  int64_t many[65];
  for (int i = 0; i < 65; i++) {
    many[i] = 1;
  }
  tensor = make_tensor(many, QTENSOR_MAX_DIMS, 255, true);
  CHECK(qtensor_ndim(tensor) == 64 && qtensor_size(tensor) == 1 && qtensor_nbytes(tensor) == 256);
  qtensor_free(tensor);

  int64_t empty[3] = {INT64_MAX, 0, INT64_MAX};
  tensor = make_tensor(empty, 3, 8, false);
  CHECK(qtensor_size(tensor) == 0 && qtensor_ndim(tensor) == 3);
  qtensor_free(tensor);

  qtensor_t *out = UNTOUCHED;
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_create_with, many, 65, 8, false, &out);
  SAYS("65");
  SAYS("64");
  int64_t negative[2] = {0, -7};
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_create_with, negative, 2, 8, false, &out);
  SAYS("-7");
  int64_t large[2] = {INT64_MAX, 2};
  REFUSES(QTENSOR_OVERFLOW, qtensor_create_with, large, 2, 1, false, &out);
  SAYS("elements");
  SAYS("9223372036854775807");
  large[1] = 1;
  REFUSES(QTENSOR_OVERFLOW, qtensor_create_with, large, 2, 9, false, &out);
  SAYS("bytes");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_create_with, many, SIZE_MAX, 8, false, &out);
  CHECK(out == UNTOUCHED);
}

static void misaligned_pointers_are_refused(void) {
  union {
    int64_t align;
    char bytes[64];
  } room = {0};
  /* Through an integer: a compiler may otherwise know better what a pointer's address can be. */
  uintptr_t odd = (uintptr_t)room.bytes + 1;
  qtensor_t *out = UNTOUCHED, *tensor = make_full();
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_create_with, (const int64_t *)odd, 1, 8, false, &out);
  SAYS("aligned");
  SAYS("dims");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_resize, tensor, (const int64_t *)odd, 1);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_clone, tensor, (qtensor_t **)odd);
  SAYS("out");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_create_with, NULL, 0, 8, false, (qtensor_t **)odd);
  CHECK(out == UNTOUCHED);
  CHECK(all_bytes(room.bytes, 0, sizeof room));
  CHECK(is_full(tensor));
  qtensor_free(tensor);
}

static void a_copy_is_its_own(void) {
  qtensor_t *tensor = make_full(), *copy = NULL;
  WORKS(qtensor_clone, tensor, &copy);
  CHECK(is_full(copy));
  CHECK(qtensor_data(copy) != qtensor_data(tensor));
  WORKS(qtensor_set_bit, copy, 0, 0, false);
  WORKS(qtensor_set_scale, copy, 7.0);
  CHECK(is_full(tensor));
  qtensor_free(tensor);
  CHECK(qtensor_scale(copy) == 7.0 && qtensor_size(copy) == 10);
  qtensor_free(copy);
}

static void reshaping_keeps_planes_of_the_same_size(void) {
  qtensor_t *tensor = make_full();
  size_t nbytes = qtensor_nbytes(tensor);
  uint8_t before[8];
  CHECK(nbytes == sizeof before);
  memcpy(before, qtensor_data(tensor), nbytes);
  int64_t same[2] = {2, 5}, flat[1] = {16}, other[1] = {17};
  WORKS(qtensor_resize, tensor, same, 2);
  CHECK(is_full(tensor));
  WORKS(qtensor_resize, tensor, flat, 1);
  CHECK(qtensor_ndim(tensor) == 1 && qtensor_size(tensor) == 16);
  CHECK(qtensor_data(tensor) != NULL && memcmp(before, qtensor_data(tensor), nbytes) == 0);
  WORKS(qtensor_resize, tensor, other, 1);
  CHECK(qtensor_data(tensor) == NULL && qtensor_nbytes(tensor) == 12);
  WORKS(qtensor_resize, tensor, NULL, 0);
  CHECK(qtensor_ndim(tensor) == 0 && qtensor_size(tensor) == 0);
  qtensor_free(tensor);
}

static void refused_shapes_change_nothing(void) {
  qtensor_t *tensor = make_full();
  int64_t many[65] = {0}, negative[2] = {4, -1}, large[2] = {INT64_MAX, 3}, heavy[1] = {INT64_MAX};
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_resize, tensor, many, 65);
  SAYS("65");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_resize, tensor, negative, 2);
  SAYS("-1");
  REFUSES(QTENSOR_OVERFLOW, qtensor_resize, tensor, large, 2);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_resize, tensor, many, SIZE_MAX / 8);
  CHECK(is_full(tensor));
  qtensor_free(tensor);
  /* 2^63 - 1 elements fit, in 8 planes; nine of them are too many bytes. */
  tensor = make_tensor(heavy, 1, 7, false);
  REFUSES(QTENSOR_OVERFLOW, qtensor_set_precision, tensor, 8);
  SAYS("bytes");
  SAYS("9223372036854775807");
  REFUSES(QTENSOR_OVERFLOW, qtensor_set_signed, tensor, true);
  CHECK(qtensor_precision(tensor) == 7 && !qtensor_is_signed(tensor));
  qtensor_free(tensor);
}

static void precision_and_sign_drop_the_planes(void) {
  qtensor_t *tensor = make_full();
  WORKS(qtensor_set_precision, tensor, 3);
  CHECK(qtensor_data(tensor) == NULL && qtensor_precision(tensor) == 3);
  bool bit = true;
  WORKS(qtensor_get_bit, tensor, 0, 0, &bit);
  CHECK(!bit);
  qtensor_free(tensor);
  tensor = make_full();
  WORKS(qtensor_set_signed, tensor, true);
  CHECK(qtensor_data(tensor) == NULL && qtensor_is_signed(tensor));
  WORKS(qtensor_set_signed, tensor, false);
  WORKS(qtensor_set_precision, tensor, 255);
  CHECK(!qtensor_is_signed(tensor) && qtensor_nbytes(tensor) == 510);
  CHECK(qtensor_channel_scale_count(tensor) == 2);
  WORKS(qtensor_set_precision, tensor, 0);
  CHECK(qtensor_nbytes(tensor) == 0);
  qtensor_free(tensor);
}

static void parameters_keep_their_bits(void) {
  qtensor_t *tensor = qtensor_create();
  static const uint64_t patterns[] = {0x7ff8000000000123, 0xfff0000000000000, 0x8000000000000000,
                                      0x0000000000000001, 0x7fefffffffffffff};
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
    double value, read;
    memcpy(&value, &patterns[i], sizeof value);
    WORKS(qtensor_set_scale, tensor, value);
    WORKS(qtensor_set_bias, tensor, value);
    read = qtensor_scale(tensor);
    CHECK(memcmp(&read, &value, sizeof value) == 0);
    read = qtensor_bias(tensor);
    CHECK(memcmp(&read, &value, sizeof value) == 0);
  }
  WORKS(qtensor_set_scale, tensor, (double)INFINITY);
  CHECK(isinf(qtensor_scale(tensor)));
  qtensor_free(tensor);
}

static void versions_agree(void) {
  char version[64];
  snprintf(version, sizeof version, "%d.%d.%d", CAFFE2_QTENSOR_VERSION_MAJOR,
           CAFFE2_QTENSOR_VERSION_MINOR, CAFFE2_QTENSOR_VERSION_PATCH);
  CHECK(strcmp(qtensor_version(), CAFFE2_QTENSOR_VERSION) == 0);
  CHECK(strcmp(qtensor_version(), version) == 0);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  a_new_tensor_is_empty();
  shapes_have_sizes();
  misaligned_pointers_are_refused();
  a_copy_is_its_own();
  reshaping_keeps_planes_of_the_same_size();
  refused_shapes_change_nothing();
  precision_and_sign_drop_the_planes();
  parameters_keep_their_bits();
  versions_agree();
  return done();
}
