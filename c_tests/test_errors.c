/* test_errors.c: error objects, their codes and their messages. */
#include "check.h"

static void nulls(void) {
  NULL_ANSWER(qtensor_error_code, 0, NULL);
  NULL_ANSWER(qtensor_error_message, NULL, NULL);
  NULL_FREE(qtensor_error_free);
}

/* Several objects live side by side, whatever happens to what they are about. */
static void objects_are_independent(void) {
  qtensor_error_t *first = NULL, *second = NULL;
  int64_t dims[1] = {-5};
  qtensor_t *tensor = qtensor_create();
  CHECK(qtensor_resize(tensor, dims, 1, &first) == QTENSOR_INVALID_ARGUMENT);
  int32_t out = 0;
  CHECK(qtensor_dim32(tensor, 77, &out, &second) == QTENSOR_OUT_OF_RANGE);
  qtensor_free(tensor);
  CHECK(first != second);
  CHECK(qtensor_error_code(first) == QTENSOR_INVALID_ARGUMENT);
  CHECK(qtensor_error_code(second) == QTENSOR_OUT_OF_RANGE);
  CHECK(strstr(qtensor_error_message(first), "-5") != NULL);
  CHECK(strstr(qtensor_error_message(second), "77") != NULL);
  CHECK(qtensor_error_message(first) == qtensor_error_message(first));
  qtensor_error_free(first);
  CHECK(strstr(qtensor_error_message(second), "77") != NULL);
  qtensor_error_free(second);
}

/* An old object is not freed by a later failure: the pointer is overwritten. */
static void an_object_is_overwritten(void) {
  qtensor_error_t *object = NULL, *old;
  CHECK(qtensor_resize(NULL, NULL, 0, &object) == QTENSOR_NULL_ARGUMENT);
  old = object;
  CHECK(qtensor_resize(NULL, NULL, 0, &object) == QTENSOR_NULL_ARGUMENT);
  CHECK(old != object);
  CHECK(qtensor_error_code(old) == QTENSOR_NULL_ARGUMENT);
  qtensor_error_free(old);
  qtensor_error_free(object);
}

/* Names from a message or a caller are shown as text, however strange and long they are. */
static void strange_names_make_sentences(void) {
  /* BlobProto: field 2, type, of 60 bytes. */
  uint8_t blob[62];
  qtensor_t *out = UNTOUCHED;
  static const int fills[] = {'x', 1, 0x7f, 0xff, '\n', 0x80};
  for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
    blob[0] = 0x12;
    blob[1] = 60;
    memset(blob + 2, fills[i], 60);
    REFUSES(QTENSOR_UNSUPPORTED, qtensor_deserialize, blob, sizeof blob, &out);
    SAYS("type");
    SAYS("QTensor");
  }
  CHECK(out == UNTOUCHED);
}

/* The numbers of the header are part of the interface. */
static void statuses_keep_their_numbers(void) {
  CHECK(QTENSOR_OK == 0 && QTENSOR_NULL_ARGUMENT == 1 && QTENSOR_INVALID_ARGUMENT == 2);
  CHECK(QTENSOR_OUT_OF_RANGE == 3 && QTENSOR_OVERFLOW == 4 && QTENSOR_OUT_OF_MEMORY == 5);
  CHECK(QTENSOR_SHAPE_MISMATCH == 6 && QTENSOR_MALFORMED == 7 && QTENSOR_UNSUPPORTED == 8);
  CHECK(QTENSOR_BUFFER_TOO_SMALL == 9 && QTENSOR_IO == 10 && QTENSOR_NON_FINITE == 11);
  CHECK(QTENSOR_UNAVAILABLE == 12 && QTENSOR_PANIC == 13);
  CHECK(sizeof(qtensor_status) == sizeof(int32_t));
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  objects_are_independent();
  an_object_is_overwritten();
  strange_names_make_sentences();
  statuses_keep_their_numbers();
  return done();
}
