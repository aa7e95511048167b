/* work.h: what the library is asked to do while calls of the system fail: a database is committed, and
 * read in two ways, and energy is measured.
 *
 * Included once, behind interpose.h. */
#ifndef WORK_H
#define WORK_H

#include "caffe2_qtensor.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 40, COLUMNS = 70, VALUES = ROWS * COLUMNS, CHUNK = 1000, PACKAGES = 2 };

/* The scratch folder, the database in it, and a link to that. */
static char folder[4096], path[4096], link_path[4096];
static const int64_t dims[2] = {ROWS, COLUMNS};

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

/* One of two databases: their tensors differ in every code and element. It has a record of each
 * kind. `name` is the path or the link. */
static qtensor_status commit_at(const char *name, int which, qtensor_error_t **error) {
  static int64_t codes[VALUES];
  static float elements[VALUES];
  static uint8_t bytes[VALUES], blob[8 * VALUES];
  size_t length = 0;
  qtensor_minidb_writer_t *writer = NULL;
  qtensor_t *tensor = NULL, *int8 = NULL;
  qtensor_dense_t *dense = NULL;
  for (int i = 0; i < VALUES; i++) {
    codes[i] = (i * 7 + which) % 16;
    elements[i] = (float)codes[i];
    bytes[i] = (uint8_t)codes[i];
  }
  qtensor_status status = qtensor_create_with(dims, 2, 4, false, &tensor, error);
  if (status == QTENSOR_OK) {
    status = qtensor_write_codes(tensor, codes, VALUES, error);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_create_int8(dims, 2, bytes, VALUES, 0.5, 3, &int8, error);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_dense_create(dims, 2, QTENSOR_ELEMENT_FLOAT, elements, sizeof elements, &dense,
                                  error);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_dense_serialize(dense, "bytes", blob, sizeof blob, &length, error);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_minidb_writer_create(name, &writer, error);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_minidb_writer_append(writer, "planes", tensor, error);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_minidb_writer_append_int8(writer, "int8", int8, error);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_minidb_writer_append_dense(writer, "dense", dense, CHUNK, error);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_minidb_writer_append_bytes(writer, "bytes", 5, blob, length, error);
  }
  faults.committing = true;
  if (status == QTENSOR_OK) {
    status = qtensor_minidb_writer_commit(writer, error);
  }
  faults.committing = false;
  qtensor_minidb_writer_free(writer);
  qtensor_dense_free(dense);
  qtensor_free(int8);
  qtensor_free(tensor);
  return status;
}

static qtensor_status commit(int which, qtensor_error_t **error) {
  return commit_at(path, which, error);
}

/* What was read, as one number. */
static void add_bytes(uint64_t *sum, const void *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    *sum = *sum * 1099511628211u + ((const uint8_t *)bytes)[i] + 1;
  }
}

static qtensor_status add_codes(uint64_t *sum, const qtensor_t *tensor, qtensor_error_t **error) {
  static int64_t codes[VALUES];
  const qtensor_status status = qtensor_read_codes(tensor, codes, VALUES, error);
  if (status == QTENSOR_OK) {
    add_bytes(sum, codes, sizeof codes);
  }
  return status;
}

/* All that the database holds, at once. */
static qtensor_status load_all(uint64_t *sum, qtensor_error_t **error) {
  qtensor_blobs_t *blobs = NULL;
  qtensor_status status = qtensor_blobs_load(path, &blobs, error);
  for (size_t i = 0; i < qtensor_blobs_count(blobs) && status == QTENSOR_OK; i++) {
    const qtensor_dense_t *const dense = qtensor_blobs_dense(blobs, i);
    if (dense != NULL) {
      add_bytes(sum, qtensor_dense_data(dense), qtensor_dense_nbytes(dense));
    } else {
      status = add_codes(sum, qtensor_blobs_tensor(blobs, i), error);
    }
  }
  qtensor_blobs_free(blobs);
  return status;
}

/* One record after the other, and then a tensor of each kind by its name. */
static qtensor_status walk(uint64_t *sum, qtensor_error_t **error) {
  static uint8_t blob[8 * VALUES];
  qtensor_minidb_reader_t *reader = NULL;
  qtensor_t *tensor = NULL;
  qtensor_dense_t *dense = NULL;
  qtensor_status status = qtensor_minidb_reader_open(path, &reader, error);
  for (bool found = true; status == QTENSOR_OK && found;) {
    qtensor_minidb_entry_t entry;
    size_t length = 0;
    memset(&entry, 0, sizeof entry);
    entry.struct_size = sizeof entry;
    status = qtensor_minidb_reader_next(reader, &entry, &found, error);
    if (status == QTENSOR_OK && found) {
      add_bytes(sum, entry.key, entry.key_length);
      add_bytes(sum, entry.name, entry.name_length);
      add_bytes(sum, entry.type_name, entry.type_length);
      status = qtensor_minidb_reader_read(reader, blob, sizeof blob, &length, error);
      add_bytes(sum, blob, length);
    }
  }
  if (status == QTENSOR_OK) {
    status = qtensor_minidb_reader_load(reader, "int8", &tensor, error);
  }
  if (status == QTENSOR_OK) {
    status = add_codes(sum, tensor, error);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_minidb_reader_load_dense(reader, "dense", &dense, error);
    add_bytes(sum, qtensor_dense_data(dense), qtensor_dense_nbytes(dense));
  }
  qtensor_dense_free(dense);
  qtensor_free(tensor);
  qtensor_minidb_reader_free(reader);
  return status;
}

/* A file of the tree of energy; the calls for it never fail. */
static void tell(int package, const char *name, const char *text) {
  char file_name[8192];
  const bool armed = faults.armed;
  faults.armed = false;
  snprintf(file_name, sizeof file_name, "%s/.powercap/intel-rapl:%d/%s", folder, package, name);
  FILE *file = fopen(file_name, "w");
  if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
    fail(file_name);
  }
  faults.armed = armed;
}

static void make_packages(void) {
  char name[8192];
  snprintf(name, sizeof name, "%s/.powercap", folder);
  if (mkdir(name, 0777) != 0) {
    fail(name);
  }
  for (int i = 0; i < PACKAGES; i++) {
    snprintf(name, sizeof name, "%s/.powercap/intel-rapl:%d", folder, i);
    if (mkdir(name, 0777) != 0) {
      fail(name);
    }
    tell(i, "name", "package\n");
    tell(i, "max_energy_range_uj", "1000000\n");
  }
}

/* What the packages took while their counters moved from 1000 to 1700 and 1800. */
static qtensor_status measure(uint64_t *sum, qtensor_error_t **error) {
  static const char *const moved[PACKAGES] = {"1700\n", "1800\n"};
  qtensor_energy_meter_t *meter = NULL;
  qtensor_energy_reading_t reading;
  char root[8192];
  memset(&reading, 0, sizeof reading);
  reading.struct_size = sizeof reading;
  for (int i = 0; i < PACKAGES; i++) {
    tell(i, "energy_uj", "1000\n");
  }
  snprintf(root, sizeof root, "%s/.powercap", folder);
  qtensor_status status = qtensor_energy_meter_open_powercap(root, &meter, error);
  if (status == QTENSOR_OK) {
    status = qtensor_energy_meter_start(meter, error);
  }
  for (int i = 0; i < PACKAGES; i++) {
    tell(i, "energy_uj", moved[i]);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_energy_meter_read(meter, &reading, error);
  }
  if (status == QTENSOR_OK) {
    *sum = (uint64_t)(reading.joules * 1e6 + 0.5);
  }
  qtensor_energy_meter_free(meter);
  return status;
}

#endif /* WORK_H */
