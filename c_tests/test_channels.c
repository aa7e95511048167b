/* test_channels.c: a scale and a bias for every channel. */
#include "check.h"

static const int64_t dims[2] = {2, 3};
static const double scales[3] = {0.5, 0.25, 2}, biases[3] = {1, -1, 0};

static void nulls(void) {
  qtensor_t *tensor = make_tensor(dims, 2, 4, false);
  NULL_CALL(qtensor_set_channels, "tensor", NULL, 1, scales, biases, 3);
  NULL_CALL(qtensor_set_channels, "scales", tensor, 1, NULL, biases, 3);
  NULL_CALL(qtensor_set_channels, "biases", tensor, 1, scales, NULL, 3);
  NULL_CALL(qtensor_clear_channels, "tensor", NULL);
  NULL_ANSWER(qtensor_is_multiparam, false, NULL);
  NULL_ANSWER(qtensor_channel_axis, -1, NULL);
  NULL_ANSWER(qtensor_data_type, -1, NULL);
  NULL_CALL(qtensor_set_data_type, "tensor", NULL, 6);
  NULL_ANSWER(qtensor_channel_scale_count, 0, NULL);
  NULL_ANSWER(qtensor_channel_scales, NULL, NULL);
  NULL_ANSWER(qtensor_channel_bias_count, 0, NULL);
  NULL_ANSWER(qtensor_channel_biases, NULL, NULL);
  CHECK(!qtensor_is_multiparam(tensor) && qtensor_channel_axis(tensor) == -1);
  CHECK(qtensor_channel_scale_count(tensor) == 0 && qtensor_channel_bias_count(tensor) == 0);
  qtensor_free(tensor);
}

static bool has_channels(const qtensor_t *tensor) {
  return qtensor_is_multiparam(tensor) && qtensor_channel_axis(tensor) == 1 &&
         qtensor_channel_scale_count(tensor) == 3 && qtensor_channel_bias_count(tensor) == 3 &&
         memcmp(qtensor_channel_scales(tensor), scales, sizeof scales) == 0 &&
         memcmp(qtensor_channel_biases(tensor), biases, sizeof biases) == 0;
}

static void channels_are_kept(void) {
  qtensor_t *tensor = make_tensor(dims, 2, 4, false), *copy = NULL;
  WORKS(qtensor_set_scale, tensor, 9.0);
  double own[3];
  memcpy(own, scales, sizeof own);
  WORKS(qtensor_set_channels, tensor, 1, own, biases, 3);
  own[0] = -1; /* They were copied. */
  CHECK(has_channels(tensor) && qtensor_scale(tensor) == 9.0);
  WORKS(qtensor_clone, tensor, &copy);
  CHECK(has_channels(copy));
  qtensor_free(copy);

  uint8_t bytes[256];
  size_t written = 0;
  WORKS(qtensor_serialize, tensor, "c", bytes, sizeof bytes, &written);
  WORKS(qtensor_deserialize, bytes, written, &copy);
  CHECK(has_channels(copy) && qtensor_scale(copy) == 9.0);
  WORKS(qtensor_clear_channels, copy);
  CHECK(!qtensor_is_multiparam(copy) && qtensor_channel_axis(copy) == -1);
  CHECK(qtensor_channel_scale_count(copy) == 0 && qtensor_channel_bias_count(copy) == 0);
  CHECK(qtensor_scale(copy) == 9.0);
  qtensor_free(copy);

  int64_t other[1] = {7};
  WORKS(qtensor_resize, tensor, other, 1);
  CHECK(has_channels(tensor));
  WORKS(qtensor_set_precision, tensor, 5);
  CHECK(has_channels(tensor));
  WORKS(qtensor_set_channels, tensor, 0, (const double[7]){0}, (const double[7]){0}, 7);
  CHECK(qtensor_channel_axis(tensor) == 0 && qtensor_channel_scale_count(tensor) == 7);
  qtensor_free(tensor);
}

static void channels_that_do_not_fit_are_refused(void) {
  qtensor_t *tensor = make_tensor(dims, 2, 4, false);
  WORKS(qtensor_set_channels, tensor, 1, scales, biases, 3);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_set_channels, tensor, 2, scales, biases, 3);
  SAYS("is 2");
  SAYS("0 to 1");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_set_channels, tensor, -1, scales, biases, 3);
  SAYS("is -1");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_set_channels, tensor, 0, scales, biases, 3);
  SAYS("is 3");
  SAYS("be 2");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_set_channels, tensor, 1, NULL, NULL, 0);
  SAYS("is 0");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_set_channels, tensor, 1, scales, biases, SIZE_MAX);
  uintptr_t odd = (uintptr_t)scales + 4;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_set_channels, tensor, 1, (const double *)(odd + 1),
          biases, 2);
  SAYS("scales");
  CHECK(has_channels(tensor));
  qtensor_free(tensor);
  tensor = qtensor_create();
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_set_channels, tensor, 0, scales, biases, 3);
  CHECK(!qtensor_is_multiparam(tensor));
  qtensor_free(tensor);
  int64_t none[1] = {0};
  tensor = make_tensor(none, 1, 4, false);
  WORKS(qtensor_set_channels, tensor, 0, NULL, NULL, 0);
  CHECK(qtensor_is_multiparam(tensor) && qtensor_channel_scale_count(tensor) == 0);
  qtensor_free(tensor);
}

/* What Caffe2's own QTensor blobs do not have comes and goes without touching anything else. */
static void data_types_are_kept(void) {
  qtensor_t *tensor = make_tensor(dims, 2, 4, false), *copy = NULL;
  uint8_t plain[256], typed[256], again[256];
  size_t plain_size = 0, typed_size = 0, again_size = 0;
  CHECK(qtensor_data_type(tensor) == -1);
  WORKS(qtensor_serialize, tensor, "w", plain, sizeof plain, &plain_size);
  WORKS(qtensor_set_data_type, tensor, 6);
  CHECK(qtensor_data_type(tensor) == 6);
  WORKS(qtensor_serialize, tensor, "w", typed, sizeof typed, &typed_size);
  CHECK(typed_size == plain_size + 2);
  CHECK(typed[typed_size - 2] == 0x40 && typed[typed_size - 1] == 6);
  WORKS(qtensor_deserialize, typed, typed_size, &copy);
  CHECK(qtensor_data_type(copy) == 6);
  const int32_t unknown[] = {-2, 11, 15, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_set_data_type, copy, unknown[i]);
    CHECK(qtensor_data_type(copy) == 6);
  }
  SAYS("-2147483648");
  WORKS(qtensor_set_data_type, copy, -1);
  WORKS(qtensor_serialize, copy, "w", again, sizeof again, &again_size);
  CHECK(again_size == plain_size && memcmp(again, plain, plain_size) == 0);
  qtensor_free(copy);
  qtensor_free(tensor);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  channels_are_kept();
  channels_that_do_not_fit_are_refused();
  data_types_are_kept();
  return done();
}
