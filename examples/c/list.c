/* Lists the blobs of Caffe2 databases: what each is, and what it takes in memory and on the wire.
 *
 *   list FILE.minidb...
 */
#include <caffe2_qtensor.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints why a call failed and ends the program. */
static void fail(const char *what, qtensor_error_t *error) {
  fprintf(stderr, "list: %s: %s\n", what, qtensor_error_message(error));
  qtensor_error_free(error);
  exit(EXIT_FAILURE);
}

/* "[128, 64]", cut where the text is full. */
static const char *shape(const int64_t *dims, size_t ndim, char *text, size_t size) {
  size_t used = 0;
  for (size_t i = 0; i < ndim && used < size; i++) {
    used += (size_t)snprintf(text + used, size - used, "%s%" PRId64, i == 0 ? "[" : ", ", dims[i]);
  }
  snprintf(text + (used < size ? used : size - 1), used < size ? size - used : 1,
           ndim == 0 ? "[]" : "]");
  return text;
}

/* The bytes of all records of one blob: a large tensor has several. */
static uint64_t wire_bytes(const char *path, const char *name, size_t name_length) {
  qtensor_error_t *error = NULL;
  qtensor_minidb_reader_t *reader = NULL;
  if (qtensor_minidb_reader_open(path, &reader, &error) != QTENSOR_OK) fail(path, error);
  uint64_t bytes = 0;
  for (;;) {
    qtensor_minidb_entry_t entry = {0};
    entry.struct_size = sizeof entry;
    bool found = false;
    if (qtensor_minidb_reader_next(reader, &entry, &found, &error) != QTENSOR_OK) {
      fail(path, error);
    }
    if (!found) break;
    if (entry.blob_name_length == name_length && memcmp(entry.key, name, name_length) == 0) {
      bytes += entry.value_size;
    }
  }
  qtensor_minidb_reader_free(reader);
  return bytes;
}

static void list(const char *path) {
  qtensor_error_t *error = NULL;
  qtensor_blobs_t *blobs = NULL;
  if (qtensor_blobs_load(path, &blobs, &error) != QTENSOR_OK) fail(path, error);
  printf("%s\n  %-14s %-14s %-12s %9s %12s %12s %12s %12s\n", path, "name", "type", "dims",
         "precision", "scale", "bias", "plane bytes", "wire bytes");
  for (size_t i = 0; i < qtensor_blobs_count(blobs); i++) {
    size_t length = 0;
    char dims[64], precision[16] = "-", scale[32] = "-", bias[32] = "-", planes[32] = "-";
    const char *name = qtensor_blobs_name(blobs, i, &length);
    const qtensor_t *tensor = qtensor_blobs_tensor(blobs, i);
    const qtensor_dense_t *dense = qtensor_blobs_dense(blobs, i);
    if (tensor != NULL) {
      shape(qtensor_dims(tensor), qtensor_ndim(tensor), dims, sizeof dims);
      snprintf(precision, sizeof precision, "%d%s", qtensor_precision(tensor),
               qtensor_is_signed(tensor) ? " + sign" : "");
      snprintf(scale, sizeof scale, "%.6g", qtensor_scale(tensor));
      snprintf(bias, sizeof bias, "%.6g", qtensor_bias(tensor));
      snprintf(planes, sizeof planes, "%zu", qtensor_nbytes(tensor));
    } else {
      shape(qtensor_dense_dims(dense), qtensor_dense_ndim(dense), dims, sizeof dims);
    }
    printf("  %-14s %-14s %-12s %9s %12s %12s %12s %12" PRIu64 "\n", name,
           qtensor_blobs_type(blobs, i, NULL), dims, precision, scale, bias, planes,
           wire_bytes(path, name, length));
  }
  printf("\n");
  qtensor_blobs_free(blobs);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: list FILE.minidb...\n");
    return EXIT_FAILURE;
  }
  for (int i = 1; i < argc; i++) list(argv[i]);
  return EXIT_SUCCESS;
}
