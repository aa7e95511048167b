/* test_dense.c: ordinary tensors, made, read and serialized. */
#include "check.h"

static const int64_t dims[2] = {2, 3};
static const float floats[6] = {0, -1, 0.5f, 1e30f, -0.0f, 3};

static qtensor_dense_t *make_floats(void) {
  qtensor_dense_t *dense = NULL;
  WORKS(qtensor_dense_create, dims, 2, QTENSOR_ELEMENT_FLOAT, floats, sizeof floats, &dense);
  return dense;
}

static void nulls(void) {
  qtensor_dense_t *dense = make_floats(), *out = UNTOUCHED;
  uint8_t buffer[128];
  size_t size = 1234;
  memset(buffer, 0xa5, sizeof buffer);
  NULL_CALL(qtensor_dense_create, "dims", NULL, 2, QTENSOR_ELEMENT_FLOAT, floats, 24, &out);
  NULL_CALL(qtensor_dense_create, "data", dims, 2, QTENSOR_ELEMENT_FLOAT, NULL, 24, &out);
  NULL_CALL(qtensor_dense_create, "out", dims, 2, QTENSOR_ELEMENT_FLOAT, floats, 24, NULL);
  NULL_CALL(qtensor_dense_serialized_size, "dense", NULL, "w", &size);
  NULL_CALL(qtensor_dense_serialized_size, "name", dense, NULL, &size);
  NULL_CALL(qtensor_dense_serialized_size, "out", dense, "w", NULL);
  NULL_CALL(qtensor_dense_serialize, "dense", NULL, "w", buffer, 128, &size);
  NULL_CALL(qtensor_dense_serialize, "name", dense, NULL, buffer, 128, &size);
  NULL_CALL(qtensor_dense_serialize, "buf", dense, "w", NULL, 128, &size);
  NULL_CALL(qtensor_dense_serialize, "written", dense, "w", buffer, 128, NULL);
  NULL_CALL(qtensor_dense_deserialize, "bytes", NULL, 1, &out);
  NULL_CALL(qtensor_dense_deserialize, "out", buffer, 128, NULL);
  NULL_ANSWER(qtensor_dense_ndim, 0, NULL);
  NULL_ANSWER(qtensor_dense_dims, NULL, NULL);
  NULL_ANSWER(qtensor_dense_size, 0, NULL);
  NULL_ANSWER(qtensor_dense_nbytes, 0, NULL);
  NULL_ANSWER(qtensor_dense_element_type, 0, NULL);
  NULL_ANSWER(qtensor_dense_data, NULL, NULL);
  NULL_FREE(qtensor_dense_free);
  CHECK(size == 1234 && out == UNTOUCHED && all_bytes(buffer, 0xa5, sizeof buffer));
  qtensor_dense_free(dense);
}

/* Each element type, through memory that is not aligned for it, and through its bytes. */
static void every_type_comes_back(void) {
  static const struct {
    int32_t type;
    size_t size;
  } types[] = {
      {QTENSOR_ELEMENT_FLOAT, 4},  {QTENSOR_ELEMENT_INT32, 4},   {QTENSOR_ELEMENT_BOOL, 1},
      {QTENSOR_ELEMENT_UINT8, 1},  {QTENSOR_ELEMENT_INT8, 1},    {QTENSOR_ELEMENT_UINT16, 2},
      {QTENSOR_ELEMENT_INT16, 2},  {QTENSOR_ELEMENT_INT64, 8},   {QTENSOR_ELEMENT_FLOAT16, 2},
      {QTENSOR_ELEMENT_DOUBLE, 8},
  };
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    uint8_t memory[49], buffer[256];
    size_t nbytes = 6 * types[i].size, size = 0, written = 0;
    for (size_t at = 0; at < sizeof memory; at++) {
      memory[at] = (uint8_t)(types[i].type == QTENSOR_ELEMENT_BOOL ? at % 2 : at * 41);
    }
    qtensor_dense_t *dense = NULL, *copy = NULL;
    WORKS(qtensor_dense_create, dims, 2, types[i].type, memory + 1, nbytes, &dense);
    CHECK(qtensor_dense_ndim(dense) == 2 && qtensor_dense_dims(dense)[1] == 3);
    CHECK(qtensor_dense_size(dense) == 6 && qtensor_dense_nbytes(dense) == nbytes);
    CHECK(qtensor_dense_element_type(dense) == types[i].type);
    CHECK((uintptr_t)qtensor_dense_data(dense) % types[i].size == 0);
    CHECK(memcmp(qtensor_dense_data(dense), memory + 1, nbytes) == 0);
    WORKS(qtensor_dense_serialized_size, dense, "w", &size);
    WORKS(qtensor_dense_serialize, dense, "w", buffer, sizeof buffer, &written);
    CHECK(size == written && size > nbytes);
    WORKS(qtensor_dense_deserialize, buffer, written, &copy);
    CHECK(qtensor_dense_element_type(copy) == types[i].type);
    CHECK(memcmp(qtensor_dense_data(copy), memory + 1, nbytes) == 0);
    memset(memory, 0xa5, sizeof memory);
    for (size_t capacity = 0; capacity < size; capacity++) {
      uint8_t room[256];
      memset(room, 0xa5, sizeof room);
      written = 1234;
      REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_dense_serialize, dense, "w", room, capacity,
              &written);
      CHECK(written == 1234 && all_bytes(room, 0xa5, sizeof room));
    }
    qtensor_dense_free(dense);
    qtensor_dense_free(copy);
  }
}

static void truth_values_are_0_or_1(void) {
  int64_t three[1] = {3};
  const uint8_t values[3] = {0, 1, 255};
  qtensor_dense_t *dense = NULL;
  WORKS(qtensor_dense_create, three, 1, QTENSOR_ELEMENT_BOOL, values, 3, &dense);
  const uint8_t *read = qtensor_dense_data(dense);
  CHECK(read[0] == 0 && read[1] == 1 && read[2] == 1);
  qtensor_dense_free(dense);
}

static void scalars_and_empty_tensors(void) {
  const double value = 2.5;
  qtensor_dense_t *dense = NULL, *copy = NULL;
  uint8_t buffer[64];
  size_t written = 0;
  WORKS(qtensor_dense_create, NULL, 0, QTENSOR_ELEMENT_DOUBLE, &value, 8, &dense);
  CHECK(qtensor_dense_ndim(dense) == 0 && qtensor_dense_size(dense) == 1);
  CHECK(*(const double *)qtensor_dense_data(dense) == 2.5);
  WORKS(qtensor_dense_serialize, dense, "", buffer, sizeof buffer, &written);
  WORKS(qtensor_dense_deserialize, buffer, written, &copy);
  CHECK(qtensor_dense_ndim(copy) == 0 && *(const double *)qtensor_dense_data(copy) == 2.5);
  qtensor_dense_free(dense);
  qtensor_dense_free(copy);
  const int64_t none[2] = {INT64_MAX, 0};
  WORKS(qtensor_dense_create, none, 2, QTENSOR_ELEMENT_INT64, NULL, 0, &dense);
  CHECK(qtensor_dense_size(dense) == 0 && qtensor_dense_nbytes(dense) == 0);
  WORKS(qtensor_dense_serialize, dense, "e", buffer, sizeof buffer, &written);
  WORKS(qtensor_dense_deserialize, buffer, written, &copy);
  CHECK(qtensor_dense_ndim(copy) == 2 && qtensor_dense_size(copy) == 0);
  qtensor_dense_free(dense);
  qtensor_dense_free(copy);
}

static void wrong_shapes_are_refused(void) {
  qtensor_dense_t *out = UNTOUCHED;
  int64_t many[65];
  for (int i = 0; i < 65; i++) {
    many[i] = 1;
  }
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_dense_create, dims, 2, QTENSOR_ELEMENT_FLOAT, floats, 23,
          &out);
  SAYS("23");
  SAYS("24");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_dense_create, dims, 2, QTENSOR_ELEMENT_FLOAT, NULL, 0,
          &out);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_dense_create, many, 65, QTENSOR_ELEMENT_UINT8, floats, 1,
          &out);
  SAYS("65");
  const int64_t negative[2] = {-2, -3}, large[3] = {INT64_MAX, INT64_MAX, 1};
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dense_create, negative, 2, QTENSOR_ELEMENT_FLOAT,
          floats, 24, &out);
  SAYS("-2");
  REFUSES(QTENSOR_OVERFLOW, qtensor_dense_create, large, 2, QTENSOR_ELEMENT_FLOAT, floats, 24,
          &out);
  SAYS("9223372036854775807");
  REFUSES(QTENSOR_OVERFLOW, qtensor_dense_create, large, 1, QTENSOR_ELEMENT_DOUBLE, floats, 24,
          &out);
  static const int32_t others[] = {0, 3, 4, 11, 14, -1, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    char number[16];
    snprintf(number, sizeof number, "is %ld,", (long)others[i]);
    REFUSES(QTENSOR_UNSUPPORTED, qtensor_dense_create, dims, 2, others[i], floats, 24, &out);
    SAYS(number);
  }
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dense_create, dims, 2, QTENSOR_ELEMENT_FLOAT, floats,
          SIZE_MAX, &out);
  uintptr_t odd = (uintptr_t)many + 1;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dense_create, (const int64_t *)odd, 2,
          QTENSOR_ELEMENT_FLOAT, floats, 24, &out);
  CHECK(out == UNTOUCHED);
}

static void damage_is_refused(void) {
  qtensor_dense_t *dense = make_floats(), *out = UNTOUCHED;
  uint8_t buffer[128];
  size_t written = 0;
  WORKS(qtensor_dense_serialize, dense, "w", buffer, sizeof buffer, &written);
  for (size_t length = 0; length < written; length++) {
    uint8_t *part = allocate(length);
    memcpy(part, buffer, length);
    REFUSES(QTENSOR_MALFORMED, qtensor_dense_deserialize, part, length, &out);
    free(part);
  }
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dense_deserialize, buffer, SIZE_MAX, &out);
  /* BlobProto{type: "Tensor", tensor{dims: 2, dims: 3, ..., segment{begin: 0, end: 6}}}. */
  static const uint8_t segment[] = {0x08, 0, 0x10, 6};
  CHECK(buffer[13] == 0x08 && buffer[14] == 2);
  size_t end = written - sizeof segment;
  CHECK(memcmp(buffer + end, segment, sizeof segment) == 0);
  buffer[14] = 3; /* Its elements are only the first of [3, 3]. */
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_dense_deserialize, buffer, written, &out);
  SAYS("chunk");
  buffer[written - 1] = 9;
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_dense_deserialize, buffer, written, &out);
  SAYS("6");
  SAYS("9");
  buffer[written - 1] = 6;
  buffer[14] = 2;
  buffer[5] = 'S';
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_dense_deserialize, buffer, written, &out);
  SAYS("'Sensor'");
  CHECK(out == UNTOUCHED);
  qtensor_dense_free(dense);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  every_type_comes_back();
  truth_values_are_0_or_1();
  scalars_and_empty_tensors();
  wrong_shapes_are_refused();
  damage_is_refused();
  return done();
}
