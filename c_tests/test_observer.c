/* test_observer.c: observers: what they remember, how they are merged, what they refuse. */
#include "check.h"

#include <math.h>

static const float values[6] = {-1, 0, 0.5f, 2, 1.25f, -0.75f};
static const int64_t dims[2] = {2, 3};

static qtensor_observer_options_t defaults(void) {
  qtensor_observer_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  return options;
}

static qtensor_statistics_t room(void) {
  qtensor_statistics_t statistics;
  memset(&statistics, 0xa5, sizeof statistics);
  statistics.struct_size = sizeof statistics;
  return statistics;
}

static qtensor_observer_t *make(const qtensor_observer_options_t *options) {
  qtensor_observer_t *observer = NULL;
  WORKS(qtensor_observer_create, options, &observer);
  return observer;
}

static uint8_t *state_of(const qtensor_observer_t *observer, size_t *size) {
  size_t written = 0;
  WORKS(qtensor_observer_serialized_size, observer, size);
  uint8_t *state = (uint8_t *)allocate(*size);
  WORKS(qtensor_observer_serialize, observer, state, *size, &written);
  CHECK(written == *size);
  return state;
}

static void nulls(void) {
  qtensor_observer_t *observer = make(NULL), *out = (qtensor_observer_t *)UNTOUCHED;
  qtensor_statistics_t statistics = room();
  uint8_t byte = 0x5a;
  size_t size = 77;
  NULL_CALL(qtensor_observer_create, "out", NULL, NULL);
  NULL_OPTIONS(qtensor_observer_create, NULL, &out);
  qtensor_observer_free(out);
  out = (qtensor_observer_t *)UNTOUCHED;
  NULL_CALL(qtensor_observer_clone, "observer", NULL, &out);
  NULL_CALL(qtensor_observer_clone, "out", observer, NULL);
  NULL_CALL(qtensor_observer_observe, "observer", NULL, values, 6, NULL, 0);
  NULL_CALL(qtensor_observer_observe, "values", observer, NULL, 6, NULL, 0);
  NULL_CALL(qtensor_observer_observe, "dims", observer, values, 6, NULL, 2);
  NULL_CALL(qtensor_observer_merge, "observer", NULL, observer);
  NULL_CALL(qtensor_observer_merge, "other", observer, NULL);
  NULL_CALL(qtensor_observer_merge, "observer", NULL, NULL);
  NULL_CALL(qtensor_observer_reset, "observer", NULL);
  NULL_CALL(qtensor_observer_serialized_size, "observer", NULL, &size);
  NULL_CALL(qtensor_observer_serialized_size, "out", observer, NULL);
  NULL_CALL(qtensor_observer_serialize, "observer", NULL, &byte, 1, &size);
  NULL_CALL(qtensor_observer_serialize, "buf", observer, NULL, 1, &size);
  NULL_CALL(qtensor_observer_serialize, "written", observer, &byte, 1, NULL);
  NULL_CALL(qtensor_observer_deserialize, "bytes", NULL, 1, &out);
  NULL_CALL(qtensor_observer_deserialize, "out", &byte, 1, NULL);
  NULL_CALL(qtensor_observer_statistics, "observer", NULL, 0, &statistics);
  NULL_CALL(qtensor_observer_statistics, "out", observer, 0, NULL);
  NULL_ANSWER(qtensor_observer_channels, 0, NULL);
  NULL_FREE(qtensor_observer_free);
  CHECK(out == UNTOUCHED && byte == 0x5a && size == 77);
  CHECK(all_bytes(&statistics.finite, 0xa5, sizeof statistics - sizeof(size_t)));
  qtensor_observer_free(observer);
}

static void any_split_has_the_same_state(void) {
  qtensor_observer_t *whole = make(NULL), *first = make(NULL), *second = make(NULL), *copy = NULL;
  WORKS(qtensor_observer_observe, whole, values, 6, dims, 2);
  WORKS(qtensor_observer_observe, first, values + 4, 2, NULL, 0);
  WORKS(qtensor_observer_observe, second, values, 4, NULL, 0);
  WORKS(qtensor_observer_observe, second, NULL, 0, NULL, 0);
  WORKS(qtensor_observer_clone, first, &copy);
  WORKS(qtensor_observer_merge, copy, second);
  size_t size, merged_size;
  uint8_t *state = state_of(whole, &size), *merged = state_of(copy, &merged_size);
  CHECK(size == 64 + 48 + 4608 * 40 + 8 && merged_size == size);
  CHECK(memcmp(state, merged, size) == 0);
  qtensor_observer_t *read = NULL;
  WORKS(qtensor_observer_deserialize, state, size, &read);
  qtensor_statistics_t statistics = room();
  WORKS(qtensor_observer_statistics, read, 0, &statistics);
  CHECK(statistics.struct_size == sizeof statistics);
  CHECK(statistics.finite == 6 && statistics.zeros == 1 && statistics.nan == 0);
  CHECK(statistics.min == -1 && statistics.max == 2 && statistics.mean == 2.0 / 6);
  CHECK(isnan(statistics.average_min) && statistics.batches == 0);
  WORKS(qtensor_observer_reset, read);
  WORKS(qtensor_observer_statistics, read, 0, &statistics);
  CHECK(statistics.finite == 0 && isnan(statistics.min));
  free(state);
  free(merged);
  qtensor_observer_free(read);
  qtensor_observer_free(copy);
  qtensor_observer_free(second);
  qtensor_observer_free(first);
  qtensor_observer_free(whole);
}

static void each_option_counts(void) {
  qtensor_observer_options_t options = defaults();
  qtensor_statistics_t statistics = room();
  options.kind = QTENSOR_OBSERVER_RANGE;
  options.channels = 3;
  options.axis = 1;
  options.non_finite = QTENSOR_NON_FINITE_SKIP;
  qtensor_observer_t *observer = make(&options);
  const float some[6] = {1, 2, 3, 4, NAN, -INFINITY};
  WORKS(qtensor_observer_observe, observer, some, 6, dims, 2);
  CHECK(qtensor_observer_channels(observer) == 3);
  WORKS(qtensor_observer_statistics, observer, 1, &statistics);
  CHECK(statistics.finite == 1 && statistics.nan == 1 && statistics.max == 2);
  WORKS(qtensor_observer_statistics, observer, 2, &statistics);
  CHECK(statistics.negative_infinite == 1 && isnan(statistics.mean));
  qtensor_observer_free(observer);

  options = defaults();
  options.kind = QTENSOR_OBSERVER_MOVING_AVERAGE;
  options.weight = 0.5;
  observer = make(&options);
  WORKS(qtensor_observer_observe, observer, values, 3, NULL, 0);
  WORKS(qtensor_observer_observe, observer, values + 3, 3, NULL, 0);
  WORKS(qtensor_observer_statistics, observer, 0, &statistics);
  CHECK(statistics.batches == 2 && statistics.average_max == 1.25);
  CHECK(statistics.average_min == -0.875);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_observer_merge, observer, observer);
  SAYS("twice");
  qtensor_observer_t *other = make(&options);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_observer_merge, observer, other);
  SAYS("moving averages");
  qtensor_observer_free(other);
  qtensor_observer_free(observer);

  options = defaults();
  options.bins = 256;
  size_t size;
  observer = make(&options);
  WORKS(qtensor_observer_serialized_size, observer, &size);
  CHECK(size == 64 + 48 + 768 * 40 + 8);
  other = make(NULL);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_observer_merge, observer, other);
  SAYS("bins");
  qtensor_observer_free(other);
  qtensor_observer_free(observer);
}

static void refuse_options(qtensor_status status, const qtensor_observer_options_t *options,
                           const char *text) {
  qtensor_observer_t *out = (qtensor_observer_t *)UNTOUCHED;
  REFUSES(status, qtensor_observer_create, options, &out);
  SAYS(text);
  CHECK(out == UNTOUCHED);
}

static void options_that_make_no_observer(void) {
  qtensor_observer_options_t options = defaults();
  options.kind = 3;
  refuse_options(QTENSOR_INVALID_ARGUMENT, &options, "kind of the observer is 3");
  options.kind = -1;
  refuse_options(QTENSOR_INVALID_ARGUMENT, &options, "-1");
  options = defaults();
  options.bins = 300;
  refuse_options(QTENSOR_INVALID_ARGUMENT, &options, "300");
  options = defaults();
  options.kind = QTENSOR_OBSERVER_MOVING_AVERAGE;
  refuse_options(QTENSOR_INVALID_ARGUMENT, &options, "weight");
  options = defaults();
  options.non_finite = 1;
  refuse_options(QTENSOR_INVALID_ARGUMENT, &options, "non_finite is 1");
  options = defaults();
  options.channels = 2;
  options.axis = -1;
  refuse_options(QTENSOR_INVALID_ARGUMENT, &options, "channel axis is -1");
  options.axis = 64;
  refuse_options(QTENSOR_OUT_OF_RANGE, &options, "64");
  options.axis = 0;
  options.channels = UINT64_MAX;
  refuse_options(QTENSOR_OUT_OF_RANGE, &options, "number of channels");
  options = defaults();
  options.struct_size = sizeof options - 1;
  refuse_options(QTENSOR_BUFFER_TOO_SMALL, &options, "options");
}

static void what_is_refused_changes_nothing(void) {
  qtensor_observer_options_t options = defaults();
  options.channels = 3;
  options.axis = 1;
  qtensor_observer_t *observer = make(&options), *out = (qtensor_observer_t *)UNTOUCHED;
  WORKS(qtensor_observer_observe, observer, values, 6, dims, 2);
  size_t size, same_size;
  uint8_t *state = state_of(observer, &size);
  const int64_t negative[2] = {-2, -3}, other[2] = {3, 2};
  const float bad[6] = {1, 2, 3, INFINITY, 5, 6};
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_observer_observe, observer, values, 5, dims, 2);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_observer_observe, observer, values, 6, other, 2);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_observer_observe, observer, values, 6, NULL, 0);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_observer_observe, observer, values, 6, negative, 2);
  REFUSES(QTENSOR_NON_FINITE, qtensor_observer_observe, observer, bad, 6, dims, 2);
  SAYS("index 3 is inf");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_observer_observe, observer,
          (const float *)(const void *)((const char *)values + 1), 5, dims, 2);
  uint8_t *same = state_of(observer, &same_size);
  CHECK(same_size == size && memcmp(state, same, size) == 0);
  free(same);

  size_t written = 77;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_observer_serialize, observer, state, size - 1, &written);
  CHECK(written == 77);
  REFUSES(QTENSOR_MALFORMED, qtensor_observer_deserialize, state, size - 1, &out);
  REFUSES(QTENSOR_MALFORMED, qtensor_observer_deserialize, state, 0, &out);
  state[4] = 9;
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_observer_deserialize, state, size, &out);
  SAYS("9");
  state[4] = 1;
  state[size / 2] ^= 1;
  REFUSES(QTENSOR_MALFORMED, qtensor_observer_deserialize, state, size, &out);
  SAYS("checksum");
  qtensor_statistics_t statistics = room();
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_observer_statistics, observer, 3, &statistics);
  statistics.struct_size = sizeof statistics - 1;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_observer_statistics, observer, 0, &statistics);
  CHECK(out == UNTOUCHED);
  free(state);
  qtensor_observer_free(observer);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  any_split_has_the_same_state();
  each_option_counts();
  options_that_make_no_observer();
  what_is_refused_changes_nothing();
  return done();
}
