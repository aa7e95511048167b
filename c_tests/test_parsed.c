/* test_parsed.c: tensors of messages that protobuf has read. */
#include "check.h"

#include <math.h>

static const int64_t dims[2] = {2, 5};
static const int32_t data[6] = {0, 128, 255, 64, 1, 192};
static const double scales[2] = {0.5, 0.25}, biases[2] = {-1, 3};

static qtensor_parsed_t some_message(void) {
  qtensor_parsed_t parsed;
  memset(&parsed, 0, sizeof parsed);
  parsed.struct_size = sizeof parsed;
  parsed.dims = dims;
  parsed.ndim = 2;
  parsed.data = data;
  parsed.data_count = 6;
  parsed.scale = 0.125;
  parsed.bias = -2;
  parsed.precision = 2;
  parsed.is_signed = 1;
  return parsed;
}

static void nulls(void) {
  qtensor_t *out = UNTOUCHED;
  qtensor_parsed_t parsed = some_message();
  NULL_CALL(qtensor_create_parsed, "parsed", NULL, &out);
  NULL_CALL(qtensor_create_parsed, "out", &parsed, NULL);
  parsed.dims = NULL;
  NULL_CALL(qtensor_create_parsed, "dims", &parsed, &out);
  parsed = some_message();
  parsed.data = NULL;
  NULL_CALL(qtensor_create_parsed, "data", &parsed, &out);
  parsed = some_message();
  parsed.scale_count = 1;
  NULL_CALL(qtensor_create_parsed, "scales", &parsed, &out);
  parsed = some_message();
  parsed.bias_count = 1;
  NULL_CALL(qtensor_create_parsed, "biases", &parsed, &out);
  CHECK(out == UNTOUCHED);
}

/* The tensor is the one that the message's bytes give. */
static void same_as_from_bytes(const qtensor_parsed_t *parsed) {
  qtensor_t *tensor = NULL, *read = NULL;
  uint8_t bytes[512], again[512];
  size_t written = 0, rewritten = 0;
  WORKS(qtensor_create_parsed, parsed, &tensor);
  WORKS(qtensor_serialize_proto, tensor, "w", bytes, sizeof bytes, &written);
  WORKS(qtensor_deserialize_proto, bytes, written, &read);
  WORKS(qtensor_serialize_proto, read, "w", again, sizeof again, &rewritten);
  CHECK(written == rewritten && memcmp(bytes, again, written) == 0);
  CHECK(qtensor_nbytes(tensor) == parsed->data_count);
  for (size_t i = 0; i < parsed->data_count; i++) {
    CHECK(qtensor_data(tensor)[i] == parsed->data[i]);
  }
  CHECK(qtensor_precision(tensor) == parsed->precision);
  CHECK(qtensor_is_signed(tensor) == (parsed->is_signed != 0));
  CHECK(qtensor_is_multiparam(tensor) == (parsed->is_multiparam != 0));
  CHECK(qtensor_channel_scale_count(tensor) == parsed->scale_count);
  CHECK(qtensor_channel_bias_count(tensor) == parsed->bias_count);
  qtensor_free(read);
  qtensor_free(tensor);
}

static void messages_become_tensors(void) {
  qtensor_parsed_t parsed = some_message();
  qtensor_t *tensor = NULL;
  same_as_from_bytes(&parsed);
  WORKS(qtensor_create_parsed, &parsed, &tensor);
  CHECK(qtensor_scale(tensor) == 0.125 && qtensor_bias(tensor) == -2);
  CHECK(!qtensor_is_multiparam(tensor) && qtensor_data_type(tensor) == -1);
  qtensor_free(tensor);

  parsed.scales = scales;
  parsed.scale_count = 2;
  parsed.biases = biases;
  parsed.bias_count = 2;
  parsed.has_axis = 1;
  parsed.axis = 1;
  parsed.has_is_multiparam = 1;
  parsed.is_multiparam = 2;
  parsed.has_data_type = -1;
  parsed.data_type = 6;
  parsed.is_signed = INT32_MIN;
  same_as_from_bytes(&parsed);
  WORKS(qtensor_create_parsed, &parsed, &tensor);
  CHECK(qtensor_channel_axis(tensor) == 1 && qtensor_data_type(tensor) == 6);
  CHECK(qtensor_channel_scales(tensor)[1] == 0.25 && qtensor_channel_biases(tensor)[1] == 3);
  qtensor_free(tensor);
  /* A number that the enumeration does not have is an unknown field. */
  parsed.data_type = 99;
  parsed.has_axis = 0;
  WORKS(qtensor_create_parsed, &parsed, &tensor);
  CHECK(qtensor_data_type(tensor) == -1);
  qtensor_free(tensor);

  memset(&parsed, 0, sizeof parsed);
  parsed.struct_size = sizeof parsed;
  same_as_from_bytes(&parsed);
  parsed.scale = NAN;
  WORKS(qtensor_create_parsed, &parsed, &tensor);
  CHECK(isnan(qtensor_scale(tensor)) && qtensor_size(tensor) == 0 && qtensor_ndim(tensor) == 0);
  qtensor_free(tensor);
}

static void what_does_not_fit_is_refused(void) {
  qtensor_t *out = UNTOUCHED;
  int32_t wrong[6];
  int64_t many[65];
  const int64_t negative[2] = {2, -5}, huge[2] = {INT64_MAX, 2}, large[1] = {INT64_C(1) << 60};
  const int32_t not_bytes[4] = {-1, 256, INT32_MAX, INT32_MIN};
  const char *const texts[4] = {"holds -1;", "holds 256;", "holds 2147483647;",
                                "holds -2147483648;"};
  qtensor_parsed_t parsed = some_message();
  for (int i = 0; i < 4; i++) {
    for (int at = 0; at < 6; at++) {
      memcpy(wrong, data, sizeof wrong);
      wrong[at] = not_bytes[i];
      parsed.data = wrong;
      REFUSES(QTENSOR_MALFORMED, qtensor_create_parsed, &parsed, &out);
      SAYS(texts[i]);
    }
  }
  parsed.data = data;
  parsed.data_count = 5;
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_create_parsed, &parsed, &out);
  SAYS("is 5");
  parsed.data_count = 6;
  parsed.dims = large;
  parsed.ndim = 1;
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_create_parsed, &parsed, &out);
  parsed.dims = negative;
  parsed.ndim = 2;
  REFUSES(QTENSOR_MALFORMED, qtensor_create_parsed, &parsed, &out);
  SAYS("-5");
  parsed.dims = huge;
  REFUSES(QTENSOR_OVERFLOW, qtensor_create_parsed, &parsed, &out);
  for (int i = 0; i < 65; i++) {
    many[i] = 1;
  }
  parsed.dims = many;
  parsed.ndim = 65;
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_create_parsed, &parsed, &out);
  SAYS("65");
  parsed.dims = dims;
  parsed.ndim = SIZE_MAX;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_create_parsed, &parsed, &out);
  parsed = some_message();
  parsed.precision = 256;
  REFUSES(QTENSOR_MALFORMED, qtensor_create_parsed, &parsed, &out);
  SAYS("256");
  parsed.precision = -1;
  REFUSES(QTENSOR_MALFORMED, qtensor_create_parsed, &parsed, &out);
  parsed = some_message();
  parsed.struct_size--;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_create_parsed, &parsed, &out);
  CHECK(out == UNTOUCHED);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  messages_become_tensors();
  what_does_not_fit_is_refused();
  return done();
}
