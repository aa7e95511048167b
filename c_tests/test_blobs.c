/* test_blobs.c: a whole database in memory. */
#include "check.h"

static void nulls(void) {
  const char *path = path_in(data_folder, "blobs.minidb");
  qtensor_blobs_t *out = UNTOUCHED, *blobs = NULL;
  size_t length = 1234;
  NULL_CALL(qtensor_blobs_load, "path", NULL, &out);
  NULL_CALL(qtensor_blobs_load, "out", path, NULL);
  NULL_ANSWER(qtensor_blobs_count, 0, NULL);
  NULL_ANSWER(qtensor_blobs_name, NULL, NULL, 0, &length);
  NULL_ANSWER(qtensor_blobs_type, NULL, NULL, 0, &length);
  NULL_ANSWER(qtensor_blobs_tensor, NULL, NULL, 0);
  NULL_ANSWER(qtensor_blobs_dense, NULL, NULL, 0);
  NULL_FREE(qtensor_blobs_free);
  CHECK(out == UNTOUCHED && length == 1234);
  WORKS(qtensor_blobs_load, path, &blobs);
  CHECK(strcmp(qtensor_blobs_name(blobs, 0, NULL), "w0") == 0);
  CHECK(strcmp(qtensor_blobs_type(blobs, 0, NULL), "QTensor") == 0);
  qtensor_blobs_free(blobs);
}

static void every_blob_is_there(void) {
  static const char *const names[] = {"w0", "w1", "bias", "int8", "float_tensor"};
  static const char *const types[] = {"QTensor", "QTensor", "QTensor", "Int8TensorCPU", "Tensor"};
  qtensor_blobs_t *blobs = NULL;
  WORKS(qtensor_blobs_load, path_in(data_folder, "blobs.minidb"), &blobs);
  CHECK(qtensor_blobs_count(blobs) == 5);
  for (size_t i = 0; i < 5; i++) {
    size_t length = 0;
    const char *name = qtensor_blobs_name(blobs, i, &length);
    CHECK(same_text(name, length, names[i]) && name[length] == '\0');
    const char *type = qtensor_blobs_type(blobs, i, &length);
    CHECK(same_text(type, length, types[i]) && type[length] == '\0');
    CHECK((qtensor_blobs_tensor(blobs, i) != NULL) == (i < 4));
    CHECK((qtensor_blobs_dense(blobs, i) != NULL) == (i == 4));
  }
  CHECK(qtensor_size(qtensor_blobs_tensor(blobs, 0)) == 33);
  CHECK(qtensor_dense_size(qtensor_blobs_dense(blobs, 4)) == 4);
  static const size_t beyond[] = {5, 6, SIZE_MAX};
  for (size_t i = 0; i < 3; i++) {
    size_t length = 1234;
    CHECK(qtensor_blobs_name(blobs, beyond[i], &length) == NULL && length == 1234);
    CHECK(qtensor_blobs_type(blobs, beyond[i], &length) == NULL && length == 1234);
    CHECK(qtensor_blobs_tensor(blobs, beyond[i]) == NULL);
    CHECK(qtensor_blobs_dense(blobs, beyond[i]) == NULL);
  }
  qtensor_blobs_free(blobs);
}

/* Another library's types are listed, names may hold a NUL, and an empty file has no blobs. */
static void strange_databases(void) {
  const char *path = path_in(scratch_folder, "strange.minidb");
  static const char database[] = "\3\0\0\0\3\0\0\0a\0b\x12\1X\1\0\0\0\3\0\0\0c\x0a\1c";
  write_file(path, database, sizeof database - 1);
  qtensor_blobs_t *blobs = NULL;
  WORKS(qtensor_blobs_load, path, &blobs);
  CHECK(qtensor_blobs_count(blobs) == 2);
  size_t length = 0;
  const char *name = qtensor_blobs_name(blobs, 0, &length);
  CHECK(length == 3 && memcmp(name, "a\0b", 4) == 0);
  CHECK(same_text(qtensor_blobs_type(blobs, 0, &length), 1, "X") && length == 1);
  CHECK(qtensor_blobs_tensor(blobs, 0) == NULL && qtensor_blobs_dense(blobs, 0) == NULL);
  const char *type = qtensor_blobs_type(blobs, 1, &length);
  CHECK(length == 0 && type[0] == '\0');
  qtensor_blobs_free(blobs);
  write_file(path, "", 0);
  WORKS(qtensor_blobs_load, path, &blobs);
  CHECK(qtensor_blobs_count(blobs) == 0 && qtensor_blobs_name(blobs, 0, NULL) == NULL);
  qtensor_blobs_free(blobs);
}

static void damage_is_refused(void) {
  qtensor_blobs_t *out = UNTOUCHED;
  REFUSES(QTENSOR_IO, qtensor_blobs_load, path_in(scratch_folder, "none"), &out);
  REFUSES(QTENSOR_IO, qtensor_blobs_load, scratch_folder, &out);
  const char *path = path_in(scratch_folder, "damaged.minidb");
  /* A blob that says it is a QTensor and holds none. */
  static const char database[] = "\1\0\0\0\x9\0\0\0a\x12\7QTensor";
  write_file(path, database, sizeof database - 1);
  REFUSES(QTENSOR_MALFORMED, qtensor_blobs_load, path, &out);
  SAYS("'qtensor'");
  CHECK(out == UNTOUCHED);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  every_blob_is_there();
  strange_databases();
  damage_is_refused();
  return done();
}
