/* Turns the float tensors of a Caffe2 database into 8-bit quantized tensors, between the smallest
 * and the largest value of each, and reports what that changed in size and in value.
 *
 *   quantize IN.minidb OUT.minidb
 */
#include <caffe2_qtensor.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRECISION = 8, LARGEST_CODE = (1 << PRECISION) - 1 };

/* Prints why a call failed and ends the program. */
static void fail(const char *what, qtensor_error_t *error) {
  fprintf(stderr, "quantize: %s: %s\n", what, qtensor_error_message(error));
  qtensor_error_free(error);
  exit(EXIT_FAILURE);
}

static void *allocate(size_t bytes) {
  void *memory = malloc(bytes == 0 ? 1 : bytes);
  if (memory == NULL) {
    fprintf(stderr, "quantize: out of memory\n");
    exit(EXIT_FAILURE);
  }
  return memory;
}

/* A tensor whose codes 0 and 255 stand for the smallest and the largest value. The library refuses
 * values that are not finite. */
static qtensor_t *quantize(const char *name, const qtensor_dense_t *dense) {
  const float *values = (const float *)qtensor_dense_data(dense);
  size_t size = qtensor_dense_size(dense);
  double low = INFINITY, high = -INFINITY;
  for (size_t i = 0; i < size; i++) {
    low = fmin(low, values[i]);
    high = fmax(high, values[i]);
  }
  /* A tensor of one value needs no steps; an empty one has no values. */
  double scale = high > low ? (high - low) / LARGEST_CODE : 1.0;
  double bias = size > 0 ? low / scale : 0.0;
  qtensor_error_t *error = NULL;
  qtensor_t *tensor = NULL;
  if (qtensor_create_with(qtensor_dense_dims(dense), qtensor_dense_ndim(dense), PRECISION, false,
                          &tensor, &error) != QTENSOR_OK ||
      qtensor_set_scale(tensor, scale, &error) != QTENSOR_OK ||
      qtensor_set_bias(tensor, bias, &error) != QTENSOR_OK ||
      qtensor_quantize(tensor, values, size, NULL, NULL, &error) != QTENSOR_OK) {
    fail(name, error);
  }
  return tensor;
}

/* What a tensor lost, and what it saved. */
static void report(const char *name, const qtensor_dense_t *dense, const qtensor_t *tensor,
                   size_t totals[2]) {
  const float *values = (const float *)qtensor_dense_data(dense);
  size_t size = qtensor_size(tensor), float_wire = 0, code_wire = 0;
  qtensor_error_t *error = NULL;
  double *found = (double *)allocate(size * sizeof *found);
  if (qtensor_dequantize_f64(tensor, found, size, 1, &error) != QTENSOR_OK ||
      qtensor_dense_serialized_size(dense, name, &float_wire, &error) != QTENSOR_OK ||
      qtensor_serialized_size(tensor, name, &code_wire, &error) != QTENSOR_OK) {
    fail(name, error);
  }
  double worst = 0.0, squares = 0.0, signal = 0.0;
  for (size_t i = 0; i < size; i++) {
    double difference = fabs(found[i] - values[i]);
    worst = fmax(worst, difference);
    squares += difference * difference;
    signal += (double)values[i] * values[i];
  }
  printf("  %-8s %11zu %11zu %11zu %12zu %8.2f %12.3g %12.3g %9.1f\n", name,
         qtensor_dense_nbytes(dense), qtensor_nbytes(tensor), float_wire, code_wire,
         (double)float_wire / (double)code_wire, worst,
         size > 0 ? sqrt(squares / (double)size) : 0.0, 10.0 * log10(signal / squares));
  totals[0] += float_wire;
  totals[1] += code_wire;
  free(found);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: quantize IN.minidb OUT.minidb\n");
    return EXIT_FAILURE;
  }
  qtensor_error_t *error = NULL;
  qtensor_blobs_t *blobs = NULL;
  if (qtensor_blobs_load(argv[1], &blobs, &error) != QTENSOR_OK) fail(argv[1], error);

  qtensor_minidb_writer_t *writer = NULL;
  if (qtensor_minidb_writer_create(argv[2], &writer, &error) != QTENSOR_OK) fail(argv[2], error);
  for (size_t i = 0; i < qtensor_blobs_count(blobs); i++) {
    const char *name = qtensor_blobs_name(blobs, i, NULL);
    const qtensor_dense_t *dense = qtensor_blobs_dense(blobs, i);
    if (qtensor_dense_element_type(dense) != QTENSOR_ELEMENT_FLOAT) continue;
    qtensor_t *tensor = quantize(name, dense);
    if (qtensor_minidb_writer_append(writer, name, tensor, &error) != QTENSOR_OK) {
      fail(name, error);
    }
    qtensor_free(tensor);
  }
  if (qtensor_minidb_writer_commit(writer, &error) != QTENSOR_OK) fail(argv[2], error);
  qtensor_minidb_writer_free(writer);

  /* What was written is read back: the report is about the file, not about this program. */
  qtensor_minidb_reader_t *reader = NULL;
  if (qtensor_minidb_reader_open(argv[2], &reader, &error) != QTENSOR_OK) fail(argv[2], error);
  printf("%s -> %s, %d bits between minimum and maximum\n", argv[1], argv[2], PRECISION);
  printf("  %-8s %11s %11s %11s %12s %8s %12s %12s %9s\n", "name", "float bytes", "plane bytes",
         "float wire", "QTensor wire", "smaller", "worst error", "RMS error", "SQNR dB");
  size_t totals[2] = {0, 0};
  for (size_t i = 0; i < qtensor_blobs_count(blobs); i++) {
    const char *name = qtensor_blobs_name(blobs, i, NULL);
    const qtensor_dense_t *dense = qtensor_blobs_dense(blobs, i);
    if (qtensor_dense_element_type(dense) != QTENSOR_ELEMENT_FLOAT) continue;
    qtensor_t *tensor = NULL;
    if (qtensor_minidb_reader_load(reader, name, &tensor, &error) != QTENSOR_OK) {
      fail(name, error);
    }
    report(name, dense, tensor, totals);
    qtensor_free(tensor);
  }
  printf("  %-8s %11s %11s %11zu %12zu %8.2f\n", "total", "", "", totals[0], totals[1],
         totals[1] > 0 ? (double)totals[0] / (double)totals[1] : 0.0);
  qtensor_minidb_reader_free(reader);
  qtensor_blobs_free(blobs);
  return EXIT_SUCCESS;
}
