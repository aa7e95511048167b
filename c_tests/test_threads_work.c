/* test_threads_work.c: eight threads multiply by the same weights and read the same codes, and observe
 * shares of the same values, whose observers are merged. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 4, ROWS = 6, COLUMNS = 90, OUTPUTS = 70, VALUES = 4096 };

static const qtensor_t *x, *codes;
static const qtensor_packed_t *packed;
static int64_t expected[ROWS * OUTPUTS];
static float values[VALUES], expected_values[VALUES];

typedef struct {
  int number;
  long wrong;
  qtensor_observer_t *observer;
} share_t;

/* How many answers were wrong. The macros of check.h count in one place: not for threads. */
static void *work(void *argument) {
  share_t *share = argument;
  int64_t sums[ROWS * OUTPUTS];
  float *read = allocate(sizeof values);
  qtensor_product_options_t options = {0};
  options.struct_size = sizeof options;
  options.threads = 2;
  for (int round = 0; round < ROUNDS; round++) {
    static const int32_t methods[3] = {QTENSOR_METHOD_BEST, QTENSOR_METHOD_BYTES,
                                       QTENSOR_METHOD_POPCOUNT};
    for (int i = 0; i < 3; i++) {
      options.method = methods[i];
      memset(sums, 0, sizeof sums);
      share->wrong += qtensor_product_sums(x, packed, sums, ROWS * OUTPUTS, &options, NULL) !=
                      QTENSOR_OK;
      share->wrong += memcmp(sums, expected, sizeof sums) != 0;
    }
    memset(read, 0, sizeof values);
    share->wrong += qtensor_dequantize(codes, read, VALUES, 2, NULL) != QTENSOR_OK;
    share->wrong += memcmp(read, expected_values, sizeof values) != 0;
    qtensor_t *own = NULL;
    share->wrong += qtensor_clone(codes, &own, NULL) != QTENSOR_OK;
    share->wrong += qtensor_quantize(own, values, VALUES, NULL, NULL, NULL) != QTENSOR_OK;
    share->wrong += memcmp(qtensor_data(own), qtensor_data(codes), qtensor_nbytes(codes)) != 0;
    qtensor_free(own);
  }
  /* Each thread has its own observer, and every eighth value. */
  for (int i = share->number; i < VALUES; i += THREADS) {
    share->wrong +=
        qtensor_observer_observe(share->observer, &values[i], 1, NULL, 0, NULL) != QTENSOR_OK;
  }
  free(read);
  return NULL;
}

static qtensor_observer_t *make_observer(void) {
  qtensor_observer_t *observer = NULL;
  WORKS(qtensor_observer_create, NULL, &observer);
  return observer;
}

static uint8_t *state(const qtensor_observer_t *observer, size_t *size) {
  WORKS(qtensor_observer_serialized_size, observer, size);
  uint8_t *bytes = allocate(*size);
  WORKS(qtensor_observer_serialize, observer, bytes, *size, size);
  return bytes;
}

int main(int argc, char **argv) {
  begin(argc, argv);
  const int64_t x_dims[2] = {ROWS, COLUMNS}, weight_dims[2] = {OUTPUTS, COLUMNS};
  const int64_t code_dims[1] = {VALUES};
  qtensor_t *own_x = make_tensor(x_dims, 2, 3, false), *weights = make_tensor(weight_dims, 2, 2, true);
  static int64_t numbers[OUTPUTS * COLUMNS];
  for (int i = 0; i < ROWS * COLUMNS; i++) {
    numbers[i] = (i * 5 + i / 7) % 8;
  }
  WORKS(qtensor_write_codes, own_x, numbers, ROWS * COLUMNS);
  for (int i = 0; i < OUTPUTS * COLUMNS; i++) {
    numbers[i] = (i * 3 + i / 11) % 7 - 3;
  }
  WORKS(qtensor_write_codes, weights, numbers, OUTPUTS * COLUMNS);
  qtensor_packed_t *own_packed = NULL;
  WORKS(qtensor_packed_create, weights, &own_packed);
  WORKS(qtensor_product_sums, own_x, own_packed, expected, ROWS * OUTPUTS, NULL);
  CHECK(!all_bytes(expected, 0, sizeof expected));

  for (int i = 0; i < VALUES; i++) {
    values[i] = (float)((i * 37) % 1009) / 100.0f - 5.0f;
  }
  qtensor_t *own_codes = make_tensor(code_dims, 1, 5, false);
  WORKS(qtensor_set_scale, own_codes, 0.34);
  WORKS(qtensor_set_bias, own_codes, -15);
  WORKS(qtensor_quantize, own_codes, values, VALUES, NULL, NULL);
  WORKS(qtensor_dequantize, own_codes, expected_values, VALUES, 1);
  x = own_x;
  codes = own_codes;
  packed = own_packed;

  pthread_t threads[THREADS];
  share_t shares[THREADS];
  for (int i = 0; i < THREADS; i++) {
    shares[i].number = i;
    shares[i].wrong = 0;
    shares[i].observer = make_observer();
    CHECK(pthread_create(&threads[i], NULL, work, &shares[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(shares[i].wrong == 0);
  }

  qtensor_observer_t *whole = make_observer();
  WORKS(qtensor_observer_observe, whole, values, VALUES, NULL, 0);
  for (int i = 1; i < THREADS; i++) {
    WORKS(qtensor_observer_merge, shares[0].observer, shares[i].observer);
  }
  size_t merged_size, whole_size;
  uint8_t *merged = state(shares[0].observer, &merged_size), *one = state(whole, &whole_size);
  CHECK(merged_size == whole_size && memcmp(merged, one, whole_size) == 0);
  free(merged);
  free(one);
  for (int i = 0; i < THREADS; i++) {
    qtensor_observer_free(shares[i].observer);
  }
  qtensor_observer_free(whole);
  qtensor_packed_free(own_packed);
  qtensor_free(own_codes);
  qtensor_free(weights);
  qtensor_free(own_x);
  return done();
}
