/* calibrate.c: quantizes a large file of floats on many machines, as well as on one.
 *
 *   mpirun -n RANKS calibrate FLOATS BITS OUT.minidb
 *
 * FLOATS holds little-endian single-precision numbers. Every rank observes its part of them; the
 * observers' states are merged by a reduction; rank 0 chooses the scale and bias of the smallest
 * squared error; every rank quantizes its part; rank 0 puts the planes together and writes them as
 * the tensor "values". The result is the same to the last bit for any number of ranks.
 *
 * A rank holds a block of floats, up to three observers and two states, and the planes of its part;
 * rank 0 then holds the planes of the whole, and either those of its part or the bytes that are
 * written. The most that this was, MPI's own memory aside, and how long each step took is printed.
 */
#include <caffe2_qtensor.h>

#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Floats that are read at a time: a multiple of 8, so that planes begin on a byte. */
#define BLOCK ((size_t)1 << 20)

static void stop(const char *what, qtensor_error_t *error) {
  fprintf(stderr, "%s: %s\n", what, error == NULL ? "failed" : qtensor_error_message(error));
  MPI_Abort(MPI_COMM_WORLD, 1);
  exit(1);
}

/* Stops unless a call of the library worked. The call that is the first argument writes what `error`
 * points to, perhaps after the other arguments were evaluated: so it is passed by its address. */
static void check(qtensor_status status, const char *what, qtensor_error_t *const *error) {
  if (status != QTENSOR_OK) {
    stop(what, *error);
  }
}

/* The bytes that are held now, and the most that there were. */
static size_t held = 0, most_held = 0;

static void hold(size_t size) {
  held += size;
  most_held = held > most_held ? held : most_held;
}

static void *allocate(size_t size) {
  void *memory = malloc(size == 0 ? 1 : size);
  if (memory == NULL) {
    stop("memory", NULL);
  }
  hold(size);
  return memory;
}

static void release(void *memory, size_t size) {
  free(memory);
  held -= size;
}

/* What an observer takes by the size of its state, at most: it works in some three times as much. */
static size_t observer_size(size_t state) { return 4 * state; }

/* Where the part of a rank begins: on a multiple of 8 values. */
static long long start_of(long long values, int rank, int ranks) {
  return rank == ranks ? values : values / 8 * rank / ranks * 8;
}

/* The reduction: states of one size, each a whole observer. */
static void merge(void *from, void *into, int *count, MPI_Datatype *type) {
  int size;
  MPI_Type_size(*type, &size);
  for (int i = 0; i < *count; i++) {
    const uint8_t *theirs = (const uint8_t *)from + (size_t)i * (size_t)size;
    uint8_t *own = (uint8_t *)into + (size_t)i * (size_t)size;
    qtensor_observer_t *a = NULL, *b = NULL;
    qtensor_error_t *error = NULL;
    size_t written;
    hold(2 * observer_size((size_t)size));
    check(qtensor_observer_deserialize(own, (size_t)size, &a, &error), "a state", &error);
    check(qtensor_observer_deserialize(theirs, (size_t)size, &b, &error), "a state", &error);
    check(qtensor_observer_merge(a, b, &error), "merging", &error);
    check(qtensor_observer_serialize(a, own, (size_t)size, &written, &error), "a state", &error);
    qtensor_observer_free(a);
    qtensor_observer_free(b);
    held -= 2 * observer_size((size_t)size);
  }
}

static size_t read_block(FILE *file, float *block, long long left) {
  size_t count = left < (long long)BLOCK ? (size_t)left : BLOCK;
  if (fread(block, sizeof *block, count, file) != count) {
    stop("reading", NULL);
  }
  return count;
}

int main(int argc, char **argv) {
  int rank, ranks;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  int bits = argc == 4 ? atoi(argv[2]) : 0;
  if (bits < 1 || bits > 8) {
    stop("usage: calibrate FLOATS BITS OUT.minidb, with 1 to 8 bits", NULL);
  }
  FILE *file = fopen(argv[1], "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
    stop(argv[1], NULL);
  }
  long long values = ftell(file) / (long long)sizeof(float);
  if (values / 8 >= INT_MAX) {
    stop("more values than MPI gathers the planes of, 2^34", NULL);
  }
  long long first = start_of(values, rank, ranks), end = start_of(values, rank + 1, ranks);
  float *block = (float *)allocate(BLOCK * sizeof *block);
  qtensor_error_t *error = NULL;

  double began = MPI_Wtime();
  qtensor_observer_t *observer = NULL;
  size_t size, written;
  check(qtensor_observer_create(NULL, &observer, &error), "an observer", &error);
  check(qtensor_observer_serialized_size(observer, &size, &error), "a state", &error);
  hold(observer_size(size));
  fseek(file, (long)(first * (long long)sizeof(float)), SEEK_SET);
  for (long long at = first; at < end;) {
    size_t count = read_block(file, block, end - at);
    check(qtensor_observer_observe(observer, block, count, NULL, 0, &error), argv[1], &error);
    at += (long long)count;
  }
  double observed = MPI_Wtime();

  uint8_t *state = (uint8_t *)allocate(size), *merged = (uint8_t *)allocate(size);
  check(qtensor_observer_serialize(observer, state, size, &written, &error), "a state", &error);
  MPI_Datatype type;
  MPI_Op operation;
  MPI_Type_contiguous((int)size, MPI_BYTE, &type);
  MPI_Type_commit(&type);
  MPI_Op_create(&merge, 1, &operation);
  MPI_Reduce(state, merged, 1, type, operation, 0, MPI_COMM_WORLD);
  double parameters[2] = {0, 0};
  if (rank == 0) {
    qtensor_calibrate_options_t options;
    qtensor_choice_t choice;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.precision = bits;
    choice.struct_size = sizeof choice;
    qtensor_observer_free(observer);
    check(qtensor_observer_deserialize(merged, size, &observer, &error), "the state", &error);
    check(qtensor_observer_choose(observer, 0, &options, &choice, &error), "choosing", &error);
    printf("scale %.17g, bias %.17g, mean squared error %g, %.2f dB\n", choice.scale, choice.bias,
           choice.mse, choice.sqnr);
    parameters[0] = choice.scale;
    parameters[1] = choice.bias;
  }
  MPI_Bcast(parameters, 2, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  qtensor_observer_free(observer);
  held -= observer_size(size);
  release(state, size);
  release(merged, size);
  double chosen = MPI_Wtime();

  /* The planes of this rank's part, one after the other. */
  size_t stride = (size_t)(end - first + 7) / 8;
  uint8_t *planes = (uint8_t *)allocate(stride * (size_t)bits);
  fseek(file, (long)(first * (long long)sizeof(float)), SEEK_SET);
  for (long long at = first; at < end;) {
    size_t count = read_block(file, block, end - at);
    int64_t dims[1] = {(int64_t)count};
    qtensor_t *tensor = NULL;
    check(qtensor_create_with(dims, 1, (uint8_t)bits, false, &tensor, &error), "a tensor", &error);
    hold(qtensor_nbytes(tensor));
    check(qtensor_set_scale(tensor, parameters[0], &error), "a tensor", &error);
    check(qtensor_set_bias(tensor, parameters[1], &error), "a tensor", &error);
    check(qtensor_quantize(tensor, block, count, NULL, NULL, &error), "quantizing", &error);
    size_t bytes = (count + 7) / 8;
    for (int plane = 0; plane < bits; plane++) {
      memcpy(planes + (size_t)plane * stride + (size_t)(at - first) / 8,
             qtensor_data(tensor) + (size_t)plane * bytes, bytes);
    }
    held -= qtensor_nbytes(tensor);
    qtensor_free(tensor);
    at += (long long)count;
  }
  fclose(file);
  release(block, BLOCK * sizeof *block);
  double quantized = MPI_Wtime();

  qtensor_t *whole = NULL;
  uint8_t *all = NULL;
  size_t table = (size_t)ranks * sizeof(int);
  int *counts = (int *)allocate(table), *places = (int *)allocate(table);
  for (int of = 0; of < ranks; of++) {
    long long start = start_of(values, of, ranks);
    places[of] = (int)(start / 8);
    counts[of] = (int)((start_of(values, of + 1, ranks) - start + 7) / 8);
  }
  if (rank == 0) {
    int64_t dims[1] = {values};
    check(qtensor_create_with(dims, 1, (uint8_t)bits, false, &whole, &error), "the tensor", &error);
    check(qtensor_set_scale(whole, parameters[0], &error), "the tensor", &error);
    check(qtensor_set_bias(whole, parameters[1], &error), "the tensor", &error);
    hold(qtensor_nbytes(whole));
    check(qtensor_mutable_data(whole, &all, &error), "the tensor", &error);
  }
  for (int plane = 0; plane < bits; plane++) {
    uint8_t *to = all == NULL ? NULL : all + (size_t)plane * (size_t)((values + 7) / 8);
    MPI_Gatherv(planes + (size_t)plane * stride, (int)stride, MPI_BYTE, to, counts, places, MPI_BYTE,
                0, MPI_COMM_WORLD);
  }
  release(planes, stride * (size_t)bits);
  release(counts, table);
  release(places, table);
  if (rank == 0) {
    qtensor_minidb_writer_t *writer = NULL;
    check(qtensor_serialized_size(whole, "values", &written, &error), "the tensor", &error);
    hold(written);
    check(qtensor_minidb_writer_create(argv[3], &writer, &error), argv[3], &error);
    check(qtensor_minidb_writer_append(writer, "values", whole, &error), argv[3], &error);
    check(qtensor_minidb_writer_commit(writer, &error), argv[3], &error);
    qtensor_minidb_writer_free(writer);
  }
  double done = MPI_Wtime();

  printf("rank %d of %d: %lld values, at most %.1f MB held; observed in %.3f s, merged and chosen in "
         "%.3f s, quantized in %.3f s, gathered and written in %.3f s\n",
         rank, ranks, end - first, (double)most_held / 1e6, observed - began, chosen - observed,
         quantized - chosen, done - quantized);
  qtensor_free(whole);
  MPI_Op_free(&operation);
  MPI_Type_free(&type);
  MPI_Finalize();
  return 0;
}
