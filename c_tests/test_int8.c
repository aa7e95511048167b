/* test_int8.c: tensors of Caffe2's int8 operators, made from memory and turned into. */
#include "check.h"

#include <math.h>

static const int64_t dims[2] = {2, 3};
static const uint8_t data[6] = {0, 1, 127, 128, 200, 255};

static void nulls(void) {
  qtensor_t *tensor = make_tensor(dims, 2, 8, false), *out = UNTOUCHED;
  NULL_CALL(qtensor_create_int8, "dims", NULL, 2, data, 6, 1.0, 0, &out);
  NULL_CALL(qtensor_create_int8, "data", dims, 2, NULL, 6, 1.0, 0, &out);
  NULL_CALL(qtensor_create_int8, "out", dims, 2, data, 6, 1.0, 0, NULL);
  NULL_CALL(qtensor_to_int8, "tensor", NULL, &out);
  NULL_CALL(qtensor_to_int8, "out", tensor, NULL);
  CHECK(out == UNTOUCHED);
  qtensor_free(tensor);
}

/* What a blob of the real Caffe2 holds, made from memory, is that blob. */
static void bytes_are_caffe2s(void) {
  qtensor_t *tensor = NULL, *read = NULL;
  uint8_t codes[6], blob[256];
  size_t written = 0;
  WORKS(qtensor_create_int8, dims, 2, data, 6, 0.5, 3, &tensor);
  CHECK(qtensor_precision(tensor) == 8 && !qtensor_is_signed(tensor));
  CHECK(qtensor_scale(tensor) == 0.5 && qtensor_bias(tensor) == -3);
  CHECK(qtensor_data_type(tensor) == 6 && qtensor_ndim(tensor) == 2 && qtensor_size(tensor) == 6);
  WORKS(qtensor_read_codes_u8, tensor, codes, 6);
  CHECK(memcmp(codes, data, 6) == 0);
  WORKS(qtensor_serialize_int8, tensor, "q", blob, sizeof blob, &written);
  WORKS(qtensor_deserialize, blob, written, &read);
  CHECK(qtensor_bias(read) == -3 && qtensor_data_type(read) == 6);
  CHECK(memcmp(qtensor_data(read), qtensor_data(tensor), qtensor_nbytes(tensor)) == 0);
  qtensor_free(read);
  qtensor_free(tensor);

  const int32_t ends[] = {INT32_MIN, 0, INT32_MAX};
  for (int i = 0; i < 3; i++) {
    WORKS(qtensor_create_int8, dims, 2, data, 6, 1e-300, ends[i], &tensor);
    CHECK(qtensor_bias(tensor) == -(double)ends[i] && qtensor_scale(tensor) == 1e-300);
    CHECK(!signbit(qtensor_bias(tensor)) == (ends[i] <= 0));
    qtensor_free(tensor);
  }
  /* One value without dimensions, as there. */
  WORKS(qtensor_create_int8, NULL, 0, data + 5, 1, 1.0, 0, &tensor);
  CHECK(qtensor_ndim(tensor) == 1 && qtensor_dims(tensor)[0] == 1);
  qtensor_free(tensor);
  const int64_t none[2] = {0, 5};
  WORKS(qtensor_create_int8, none, 2, NULL, 0, 1.0, 0, &tensor);
  CHECK(qtensor_size(tensor) == 0 && qtensor_ndim(tensor) == 2);
  qtensor_free(tensor);
}

static void shapes_that_do_not_fit_are_refused(void) {
  qtensor_t *out = UNTOUCHED;
  const int64_t negative[1] = {-6}, huge[2] = {INT64_MAX, 2}, large[1] = {INT64_C(1) << 60};
  int64_t many[65];
  for (int i = 0; i < 65; i++) {
    many[i] = 1;
  }
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_create_int8, dims, 2, data, 5, 1.0, 0, &out);
  SAYS("is 5");
  SAYS("be 6");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_create_int8, NULL, 0, NULL, 0, 1.0, 0, &out);
  SAYS("be 1");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_create_int8, large, 1, data, 6, 1.0, 0, &out);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_create_int8, negative, 1, data, 6, 1.0, 0, &out);
  SAYS("-6");
  REFUSES(QTENSOR_OVERFLOW, qtensor_create_int8, huge, 2, data, 6, 1.0, 0, &out);
  SAYS("elements");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_create_int8, many, 65, data, 1, 1.0, 0, &out);
  SAYS("65");
  CHECK(out == UNTOUCHED);
}

/* Every code of every precision that bytes hold has the same value as before. */
static void values_stay(void) {
  for (int precision = 0; precision <= 8; precision++) {
    for (int is_signed = 0; is_signed <= (precision < 8); is_signed++) {
      const int64_t most = (1 << precision) - 1, least = is_signed ? -most : 0;
      const int64_t shape[2] = {most - least + 1, 1};
      const size_t count = (size_t)shape[0];
      int64_t codes[511], bytes[511];
      for (size_t i = 0; i < count; i++) {
        codes[i] = least + (int64_t)i;
      }
      const double biases[] = {0, -0.0, 5, -77, INT32_MAX - 200.0, INT32_MIN + 200.0};
      for (size_t b = 0; b < sizeof biases / sizeof *biases; b++) {
        qtensor_t *tensor = make_tensor(shape, 2, (uint8_t)precision, is_signed != 0), *made = NULL;
        WORKS(qtensor_write_codes, tensor, codes, count);
        WORKS(qtensor_set_scale, tensor, 0.1);
        WORKS(qtensor_set_bias, tensor, biases[b]);
        WORKS(qtensor_set_data_type, tensor, 3);
        WORKS(qtensor_to_int8, tensor, &made);
        CHECK(qtensor_precision(made) == 8 && !qtensor_is_signed(made));
        CHECK(qtensor_ndim(made) == 2 && qtensor_dims(made)[0] == shape[0]);
        CHECK(qtensor_data_type(made) == 6 && qtensor_data_type(tensor) == 3);
        WORKS(qtensor_read_codes, made, bytes, count);
        int wrong = 0;
        for (size_t i = 0; i < count; i++) {
          wrong += qtensor_scale(made) * ((double)bytes[i] + qtensor_bias(made)) !=
                   qtensor_scale(tensor) * ((double)codes[i] + qtensor_bias(tensor));
          wrong += bytes[i] != codes[i] + (is_signed ? 128 : 0);
        }
        CHECK(wrong == 0);
        size_t size = 0;
        WORKS(qtensor_serialized_size_int8, made, "w", &size);
        qtensor_free(made);
        qtensor_free(tensor);
      }
    }
  }
}

static void what_bytes_cannot_hold_is_refused(void) {
  qtensor_t *out = UNTOUCHED;
  const struct {
    uint8_t precision;
    bool is_signed;
  } others[] = {{8, true}, {9, false}, {31, true}, {32, true}, {255, false}};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    qtensor_t *tensor = make_tensor(dims, 2, others[i].precision, others[i].is_signed);
    REFUSES(QTENSOR_UNSUPPORTED, qtensor_to_int8, tensor, &out);
    SAYS("precision");
    qtensor_free(tensor);
  }
  for (int is_signed = 0; is_signed < 2; is_signed++) {
    qtensor_t *tensor = make_tensor(dims, 2, 7, is_signed != 0);
    /* A fraction that would vanish beside 128 is one all the same. */
    const double refused[] = {0.5, -127.5, 1e-300, NAN, INFINITY, -INFINITY, 1e300, -1e300};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
      WORKS(qtensor_set_bias, tensor, refused[i]);
      REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_to_int8, tensor, &out);
      SAYS("bias");
      SAYS("zero point");
    }
    /* The last biases that still have a zero point, and those behind them. */
    const double offset = is_signed ? 128 : 0;
    const double last[] = {offset - INT32_MAX, offset - INT32_MIN};
    for (size_t i = 0; i < 2; i++) {
      WORKS(qtensor_set_bias, tensor, last[i] + (i == 0 ? -1 : 1));
      REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_to_int8, tensor, &out);
      WORKS(qtensor_set_bias, tensor, last[i]);
      WORKS(qtensor_to_int8, tensor, &out);
      CHECK(qtensor_bias(out) == last[i] - offset);
      qtensor_free(out);
      out = UNTOUCHED;
    }
    qtensor_free(tensor);
  }
  qtensor_t *tensor = make_tensor(dims, 2, 8, false);
  const double ones[2] = {1, 1};
  WORKS(qtensor_set_channels, tensor, 0, ones, ones, 2);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_to_int8, tensor, &out);
  SAYS("is 2");
  WORKS(qtensor_clear_channels, tensor);
  WORKS(qtensor_set_logarithmic, tensor, true);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_to_int8, tensor, &out);
  SAYS("logarithmic");
  CHECK(out == UNTOUCHED);
  qtensor_free(tensor);
  /* No byte in no plane, too many in eight. */
  const struct {
    int64_t size;
    qtensor_status status;
  } large[] = {{INT64_MAX, QTENSOR_OVERFLOW}, {INT64_C(1) << 60, QTENSOR_OUT_OF_MEMORY}};
  for (size_t i = 0; i < 2; i++) {
    tensor = make_tensor(&large[i].size, 1, 0, false);
    REFUSES(large[i].status, qtensor_to_int8, tensor, &out);
    SAYS("bytes");
    qtensor_free(tensor);
  }
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  bytes_are_caffe2s();
  shapes_that_do_not_fit_are_refused();
  values_stay();
  what_bytes_cannot_hold_is_refused();
  return done();
}
