/* test_threads.c: many threads read the same handles at once. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 30, SIZE = 5000 };

static const qtensor_t *tensor;
static const qtensor_dense_t *dense;
static const qtensor_blobs_t *blobs;
static const qtensor_minidb_reader_t *reader;
static const qtensor_error_t *shared_error;
static uint8_t *serialized;
static size_t serialized_size;

/* How many answers were wrong. The macros of check.h count in one place: not for threads. */
static void *read_all(void *wrong_answers) {
  long *wrong = wrong_answers;
  static const char expected_error[] = "is NULL";
  int64_t *codes = allocate(SIZE * sizeof *codes);
  uint8_t *bytes = allocate(serialized_size);
  for (int round = 0; round < ROUNDS; round++) {
    qtensor_error_t *refused = NULL;
    *wrong += qtensor_read_codes(tensor, codes, SIZE, NULL) != QTENSOR_OK;
    for (int i = 0; i < SIZE; i++) {
      *wrong += codes[i] != i % 31 - 15;
    }
    bool bit = false;
    *wrong += qtensor_get_bit(tensor, 0, 0, &bit, NULL) != QTENSOR_OK || !bit;
    qtensor_view_t view;
    view.struct_size = sizeof view;
    *wrong += qtensor_view(tensor, &view) != QTENSOR_OK || view.data != qtensor_data(tensor);
    size_t size = 0;
    *wrong += qtensor_serialize(tensor, "t", bytes, serialized_size, &size, NULL) != QTENSOR_OK;
    *wrong += size != serialized_size || memcmp(bytes, serialized, size) != 0;
    qtensor_t *copy = NULL;
    *wrong += qtensor_clone(tensor, &copy, NULL) != QTENSOR_OK || qtensor_size(copy) != SIZE;
    *wrong += qtensor_write_codes(copy, codes, SIZE, NULL) != QTENSOR_OK;
    qtensor_free(copy);
    *wrong += qtensor_deserialize(serialized, serialized_size, &copy, NULL) != QTENSOR_OK;
    qtensor_free(copy);
    *wrong += qtensor_read_codes(tensor, codes, SIZE + 1, &refused) != QTENSOR_SHAPE_MISMATCH;
    *wrong += strstr(qtensor_error_message(refused), "5001") == NULL;
    qtensor_error_free(refused);
    *wrong += strstr(qtensor_error_message(shared_error), expected_error) == NULL;

    *wrong += ((const float *)qtensor_dense_data(dense))[3] != 1.5f;
    *wrong += qtensor_dense_serialized_size(dense, "d", &size, NULL) != QTENSOR_OK;
    *wrong += strcmp(qtensor_blobs_name(blobs, 2, NULL), "bias") != 0;
    *wrong += qtensor_precision(qtensor_blobs_tensor(blobs, 2)) != 4;
    qtensor_t *loaded = NULL;
    *wrong += qtensor_minidb_reader_load(reader, "w1", &loaded, NULL) != QTENSOR_OK;
    *wrong += qtensor_size(loaded) != 44;
    qtensor_free(loaded);
    qtensor_dense_t *floats = NULL;
    *wrong += qtensor_minidb_reader_load_dense(reader, "float_tensor", &floats, NULL) != QTENSOR_OK;
    qtensor_dense_free(floats);
    uint8_t value[128];
    *wrong += qtensor_minidb_reader_read(reader, value, sizeof value, &size, NULL) != QTENSOR_OK;
    *wrong += size != 62;
  }
  free(codes);
  free(bytes);
  return NULL;
}

int main(int argc, char **argv) {
  begin(argc, argv);
  const char *path = path_in(data_folder, "blobs.minidb");
  int64_t dims[1] = {SIZE}, codes[SIZE];
  for (int i = 0; i < SIZE; i++) {
    codes[i] = i % 31 - 15;
  }
  qtensor_t *own = make_tensor(dims, 1, 4, true);
  WORKS(qtensor_write_codes, own, codes, SIZE);
  WORKS(qtensor_serialized_size, own, "t", &serialized_size);
  serialized = allocate(serialized_size);
  WORKS(qtensor_serialize, own, "t", serialized, serialized_size, &serialized_size);
  qtensor_blobs_t *own_blobs = NULL;
  WORKS(qtensor_blobs_load, path, &own_blobs);
  qtensor_minidb_reader_t *own_reader = NULL;
  WORKS(qtensor_minidb_reader_open, path, &own_reader);
  qtensor_minidb_entry_t entry;
  entry.struct_size = sizeof entry;
  bool found = false;
  WORKS(qtensor_minidb_reader_next, own_reader, &entry, &found);
  qtensor_error_t *own_error = NULL;
  CHECK(qtensor_set_scale(NULL, 1, &own_error) == QTENSOR_NULL_ARGUMENT);
  tensor = own;
  blobs = own_blobs;
  dense = qtensor_blobs_dense(blobs, 4);
  reader = own_reader;
  shared_error = own_error;

  pthread_t threads[THREADS];
  long wrong[THREADS] = {0};
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, read_all, &wrong[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(wrong[i] == 0);
  }
  qtensor_error_free(own_error);
  qtensor_minidb_reader_free(own_reader);
  qtensor_blobs_free(own_blobs);
  qtensor_free(own);
  free(serialized);
  return done();
}
