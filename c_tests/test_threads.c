/* test_threads.c: eight threads read the same handles at once. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 15, SIZE = 5000, MOST_BINS = 2048 };

static const qtensor_t *tensor;
static const qtensor_dense_t *dense;
static const qtensor_blobs_t *blobs;
static const qtensor_minidb_reader_t *reader;
static const qtensor_error_t *shared_error;
static const qtensor_observer_t *observer;
static const qtensor_loss_t *loss;
static uint8_t *serialized;
static size_t serialized_size;

/* What an observer and a loss say. No byte of it is padding. */
typedef struct {
  uint8_t state[1 << 16];
  size_t state_size, bins_count;
  qtensor_statistics_t statistics;
  qtensor_choice_t choice;
  qtensor_loss_metrics_t metrics;
  double quantile;
  qtensor_loss_bin_t bins[MOST_BINS];
  uint64_t codes[31];
} results_t;

static results_t expected;

/* Reads all of that; how many calls failed. */
static long read_results(results_t *results) {
  static const size_t most = sizeof results->state;
  long wrong = 0;
  size_t codes = 0;
  qtensor_observer_t *copy = NULL;
  memset(results, 0, sizeof *results);
  results->statistics.struct_size = sizeof results->statistics;
  results->choice.struct_size = sizeof results->choice;
  results->metrics.struct_size = sizeof results->metrics;
  wrong += qtensor_observer_serialize(observer, results->state, most, &results->state_size, NULL) !=
           QTENSOR_OK;
  wrong += qtensor_observer_statistics(observer, 0, &results->statistics, NULL) != QTENSOR_OK;
  wrong += qtensor_observer_choose(observer, 0, NULL, &results->choice, NULL) != QTENSOR_OK;
  wrong += qtensor_observer_clone(observer, &copy, NULL) != QTENSOR_OK;
  qtensor_observer_free(copy);
  wrong += qtensor_loss_get(loss, 0, &results->metrics, NULL) != QTENSOR_OK;
  wrong += qtensor_loss_quantile(loss, 0, 0.75, &results->quantile, NULL) != QTENSOR_OK;
  wrong += qtensor_loss_error_histogram(loss, 0, results->bins, MOST_BINS, &results->bins_count,
                                        NULL) != QTENSOR_OK;
  wrong += qtensor_loss_code_histogram(loss, 0, results->codes, 31, &codes, NULL) != QTENSOR_OK;
  return wrong + (codes != 31);
}

/* How many answers were wrong. The macros of check.h count in one place: not for threads. */
static void *read_all(void *wrong_answers) {
  long *wrong = wrong_answers;
  static const char expected_error[] = "is NULL";
  int64_t *codes = allocate(SIZE * sizeof *codes);
  uint8_t *bytes = allocate(serialized_size);
  results_t *results = allocate(sizeof *results);
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

    *wrong += read_results(results);
    *wrong += memcmp(results, &expected, sizeof expected) != 0;
  }
  free(results);
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

  float *values = allocate(SIZE * sizeof *values);
  for (int i = 0; i < SIZE; i++) {
    values[i] = (float)(i % 97) / 3 - 15;
  }
  qtensor_observer_options_t few_bins;
  memset(&few_bins, 0, sizeof few_bins);
  few_bins.struct_size = sizeof few_bins;
  few_bins.bins = 256;
  qtensor_observer_t *own_observer = NULL;
  WORKS(qtensor_observer_create, &few_bins, &own_observer);
  WORKS(qtensor_observer_observe, own_observer, values, SIZE, NULL, 0);
  qtensor_loss_options_t everything;
  memset(&everything, 0, sizeof everything);
  everything.struct_size = sizeof everything;
  everything.code_histogram = everything.error_histogram = 1;
  qtensor_loss_t *own_loss = NULL;
  WORKS(qtensor_loss_measure, own, values, SIZE, &everything, &own_loss);
  free(values);
  observer = own_observer;
  loss = own_loss;
  CHECK(read_results(&expected) == 0);
  CHECK(expected.state_size > 0 && expected.bins_count > 1 && expected.choice.scale > 0);
  CHECK(expected.metrics.count == SIZE && expected.quantile > 0);

  pthread_t threads[THREADS];
  long wrong[THREADS] = {0};
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, read_all, &wrong[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(wrong[i] == 0);
  }
  qtensor_loss_free(own_loss);
  qtensor_observer_free(own_observer);
  qtensor_error_free(own_error);
  qtensor_minidb_reader_free(own_reader);
  qtensor_blobs_free(own_blobs);
  qtensor_free(own);
  free(serialized);
  return done();
}
