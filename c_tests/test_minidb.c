/* test_minidb.c: reading databases record by record. */
#include "check.h"

static qtensor_minidb_reader_t *open_reader(const char *path) {
  qtensor_minidb_reader_t *reader = NULL;
  WORKS(qtensor_minidb_reader_open, path, &reader);
  return reader;
}

static void nulls(void) {
  const char *path = path_in(data_folder, "blobs.minidb");
  qtensor_minidb_reader_t *reader = open_reader(path), *out = UNTOUCHED;
  qtensor_minidb_entry_t entry;
  memset(&entry, 0xa5, sizeof entry);
  entry.struct_size = sizeof entry;
  qtensor_minidb_entry_t before = entry;
  bool found = true;
  uint8_t buffer[128];
  memset(buffer, 0xa5, sizeof buffer);
  size_t written = 1234;
  qtensor_t *tensor = UNTOUCHED;
  qtensor_dense_t *dense = UNTOUCHED;
  NULL_CALL(qtensor_minidb_reader_open, "path", NULL, &out);
  NULL_CALL(qtensor_minidb_reader_open, "out", path, NULL);
  NULL_CALL(qtensor_minidb_reader_rewind, "reader", NULL);
  NULL_CALL(qtensor_minidb_reader_next, "reader", NULL, &entry, &found);
  NULL_CALL(qtensor_minidb_reader_next, "entry", reader, NULL, &found);
  NULL_CALL(qtensor_minidb_reader_next, "found", reader, &entry, NULL);
  CHECK(found && memcmp(&entry, &before, sizeof entry) == 0);
  /* The reader did not move. */
  WORKS(qtensor_minidb_reader_next, reader, &entry, &found);
  CHECK(found && same_text(entry.key, entry.key_length, "w0"));
  NULL_CALL(qtensor_minidb_reader_read, "reader", NULL, buffer, 128, &written);
  NULL_CALL(qtensor_minidb_reader_read, "buf", reader, NULL, 128, &written);
  NULL_CALL(qtensor_minidb_reader_read, "written", reader, buffer, 128, NULL);
  NULL_CALL(qtensor_minidb_reader_load, "reader", NULL, "w0", &tensor);
  NULL_CALL(qtensor_minidb_reader_load, "name", reader, NULL, &tensor);
  NULL_CALL(qtensor_minidb_reader_load, "out", reader, "w0", NULL);
  NULL_CALL(qtensor_minidb_reader_load_dense, "reader", NULL, "float_tensor", &dense);
  NULL_CALL(qtensor_minidb_reader_load_dense, "name", reader, NULL, &dense);
  NULL_CALL(qtensor_minidb_reader_load_dense, "out", reader, "float_tensor", NULL);
  NULL_FREE(qtensor_minidb_reader_free);
  CHECK(out == UNTOUCHED && tensor == UNTOUCHED && dense == UNTOUCHED && written == 1234);
  CHECK(all_bytes(buffer, 0xa5, sizeof buffer));
  qtensor_minidb_reader_free(reader);
}

static void files_that_cannot_be_read_are_refused(void) {
  qtensor_minidb_reader_t *out = UNTOUCHED;
  REFUSES(QTENSOR_IO, qtensor_minidb_reader_open, path_in(scratch_folder, "none"), &out);
  SAYS("open");
  SAYS("2"); /* ENOENT */
  REFUSES(QTENSOR_IO, qtensor_minidb_reader_open, "", &out);
  REFUSES(QTENSOR_IO, qtensor_minidb_reader_open, scratch_folder, &out);
  SAYS("regular file");
  CHECK(out == UNTOUCHED);
}

static void records_come_in_order(void) {
  static const char *const keys[] = {"w0", "w1", "bias", "int8", "float_tensor#%0"};
  static const char *const types[] = {"QTensor", "QTensor", "QTensor", "Int8TensorCPU", "Tensor"};
  const char *path = path_in(data_folder, "blobs.minidb");
  size_t length;
  uint8_t *file = read_file(path, &length), buffer[128];
  qtensor_minidb_reader_t *reader = open_reader(path);
  size_t written = 1234;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_reader_read, reader, buffer, 128, &written);
  SAYS("no record");
  CHECK(written == 1234);
  for (int pass = 0; pass < 2; pass++) {
    /* A caller built with a later, larger structure. */
    struct {
      qtensor_minidb_entry_t entry;
      uint8_t later[16];
    } larger;
    qtensor_minidb_entry_t *entry = &larger.entry;
    bool found = false;
    for (int i = 0; i < 5; i++) {
      memset(&larger, 0x5a, sizeof larger);
      entry->struct_size = sizeof larger;
      WORKS(qtensor_minidb_reader_next, reader, entry, &found);
      CHECK(found && entry->struct_size == sizeof *entry);
      CHECK(all_bytes(larger.later, 0x5a, sizeof larger.later));
      CHECK(same_text(entry->key, entry->key_length, keys[i]));
      CHECK(same_text(entry->type_name, entry->type_length, types[i]));
      CHECK(entry->blob_name_length == strcspn(keys[i], "#"));
      CHECK(same_text(entry->name, entry->name_length, i == 4 ? "float_tensor" : keys[i]));
      size_t value_size = (size_t)entry->value_size;
      memset(buffer, 0xa5, sizeof buffer);
      written = 1234;
      REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_minidb_reader_read, reader, buffer, value_size - 1,
              &written);
      CHECK(written == 1234 && all_bytes(buffer, 0xa5, sizeof buffer));
      REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_minidb_reader_read, reader, NULL, 0, &written);
      WORKS(qtensor_minidb_reader_read, reader, buffer, sizeof buffer, &written);
      CHECK(written == value_size);
      CHECK(memcmp(buffer, file + entry->value_offset, value_size) == 0);
      CHECK(all_bytes(buffer + value_size, 0xa5, sizeof buffer - value_size));
    }
    memset(&larger, 0x5a, sizeof larger);
    entry->struct_size = sizeof larger;
    WORKS(qtensor_minidb_reader_next, reader, entry, &found);
    CHECK(!found && all_bytes(larger.later, 0x5a, sizeof larger.later));
    CHECK(entry->struct_size == sizeof larger && entry->key_length != 5);
    WORKS(qtensor_minidb_reader_next, reader, entry, &found);
    CHECK(!found);
    WORKS(qtensor_minidb_reader_rewind, reader);
  }
  qtensor_minidb_reader_free(reader);
  free(file);
}

static void a_small_structure_moves_nothing(void) {
  qtensor_minidb_reader_t *reader = open_reader(path_in(data_folder, "blobs.minidb"));
  qtensor_minidb_entry_t entry;
  bool found = false;
  memset(&entry, 0xa5, sizeof entry);
  entry.struct_size = sizeof entry - 1;
  qtensor_minidb_entry_t before = entry;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_minidb_reader_next, reader, &entry, &found);
  CHECK(!found && memcmp(&entry, &before, sizeof entry) == 0);
  uintptr_t odd = (uintptr_t)&before + 1;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_reader_next, reader,
          (qtensor_minidb_entry_t *)odd, &found);
  entry.struct_size = sizeof entry;
  WORKS(qtensor_minidb_reader_next, reader, &entry, &found);
  CHECK(found && same_text(entry.key, entry.key_length, "w0"));
  qtensor_minidb_reader_free(reader);
}

static void blobs_are_loaded_by_name(void) {
  qtensor_minidb_reader_t *reader = open_reader(path_in(data_folder, "blobs.minidb"));
  qtensor_minidb_entry_t entry;
  bool found = false;
  entry.struct_size = sizeof entry;
  WORKS(qtensor_minidb_reader_next, reader, &entry, &found);
  qtensor_t *tensor = NULL;
  qtensor_dense_t *dense = NULL;
  WORKS(qtensor_minidb_reader_load, reader, "bias", &tensor);
  CHECK(qtensor_precision(tensor) == 4 && qtensor_size(tensor) == 55);
  qtensor_free(tensor);
  WORKS(qtensor_minidb_reader_load, reader, "int8", &tensor);
  CHECK(qtensor_precision(tensor) == 8 && !qtensor_is_signed(tensor));
  qtensor_free(tensor);
  WORKS(qtensor_minidb_reader_load_dense, reader, "float_tensor", &dense);
  CHECK(qtensor_dense_size(dense) == 4 && ((const float *)qtensor_dense_data(dense))[3] == 1.5f);
  qtensor_dense_free(dense);

  tensor = UNTOUCHED;
  dense = UNTOUCHED;
  REFUSES(QTENSOR_UNAVAILABLE, qtensor_minidb_reader_load, reader, "none", &tensor);
  SAYS("'none'");
  REFUSES(QTENSOR_UNAVAILABLE, qtensor_minidb_reader_load, reader, "", &tensor);
  REFUSES(QTENSOR_UNAVAILABLE, qtensor_minidb_reader_load_dense, reader, "no\n\xff", &dense);
  SAYS("'no\\x0a\\xff'");
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_minidb_reader_load, reader, "float_tensor#%0", &tensor);
  SAYS("'Tensor'");
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_minidb_reader_load_dense, reader, "w0", &dense);
  SAYS("'QTensor'");
  char longer[300];
  memset(longer, '\x01', sizeof longer);
  longer[299] = '\0';
  REFUSES(QTENSOR_UNAVAILABLE, qtensor_minidb_reader_load, reader, longer, &tensor);
  CHECK(tensor == UNTOUCHED && dense == UNTOUCHED);
  /* The current record is still the first. */
  uint8_t buffer[128];
  size_t written = 0;
  WORKS(qtensor_minidb_reader_read, reader, buffer, sizeof buffer, &written);
  CHECK(written == entry.value_size && same_text(entry.key, entry.key_length, "w0"));
  qtensor_minidb_reader_free(reader);
}

/* The file cut after any byte: each record before the cut is read, the cut one is refused. */
static void cut_files_are_damage(void) {
  size_t length;
  uint8_t *file = read_file(path_in(data_folder, "blobs.minidb"), &length);
  const char *path = path_in(scratch_folder, "cut.minidb");
  const size_t ends[] = {0, 72, 166, 271};
  for (size_t cut = 0; cut < 275; cut++) {
    write_file(path, file, cut);
    qtensor_minidb_reader_t *reader = open_reader(path);
    qtensor_minidb_entry_t entry;
    bool found = true;
    entry.struct_size = sizeof entry;
    size_t record = 0;
    while (record < 3 && ends[record + 1] <= cut) {
      WORKS(qtensor_minidb_reader_next, reader, &entry, &found);
      CHECK(found);
      record++;
    }
    if (ends[record] == cut) {
      WORKS(qtensor_minidb_reader_next, reader, &entry, &found);
      CHECK(!found);
    } else {
      memset(&entry, 0xa5, sizeof entry);
      entry.struct_size = sizeof entry;
      qtensor_minidb_entry_t before = entry;
      found = true;
      REFUSES(QTENSOR_MALFORMED, qtensor_minidb_reader_next, reader, &entry, &found);
      SAYS("minidb");
      CHECK(found && memcmp(&entry, &before, sizeof entry) == 0);
      qtensor_t *tensor = UNTOUCHED;
      REFUSES(QTENSOR_MALFORMED, qtensor_minidb_reader_load, reader, "none", &tensor);
      qtensor_dense_t *dense = UNTOUCHED;
      REFUSES(QTENSOR_MALFORMED, qtensor_minidb_reader_load_dense, reader, "none", &dense);
      CHECK(tensor == UNTOUCHED && dense == UNTOUCHED);
      qtensor_blobs_t *blobs = UNTOUCHED;
      REFUSES(QTENSOR_MALFORMED, qtensor_blobs_load, path, &blobs);
      CHECK(blobs == UNTOUCHED);
    }
    qtensor_minidb_reader_free(reader);
  }
  /* Lengths that are not positive, and one far behind the end of the file. */
  static const uint8_t lengths[][4] = {{0, 0, 0, 0}, {255, 255, 255, 255}, {255, 255, 255, 127}};
  for (size_t at = 0; at < 8; at += 4) {
    for (size_t i = 0; i < 3; i++) {
      uint8_t changed[80];
      memcpy(changed, file, sizeof changed);
      memcpy(changed + at, lengths[i], 4);
      write_file(path, changed, sizeof changed);
      qtensor_minidb_reader_t *reader = open_reader(path);
      qtensor_minidb_entry_t entry;
      bool found = true;
      entry.struct_size = sizeof entry;
      REFUSES(QTENSOR_MALFORMED, qtensor_minidb_reader_next, reader, &entry, &found);
      qtensor_minidb_reader_free(reader);
    }
  }
  free(file);
}

/* Only the blob is damaged: the next call goes on behind it. */
static void a_damaged_blob_can_be_passed(void) {
  size_t length;
  uint8_t *file = read_file(path_in(data_folder, "blobs.minidb"), &length);
  const char *path = path_in(scratch_folder, "damaged.minidb");
  file[10] = 0x07; /* The first byte of the first blob: a group that nothing began. */
  write_file(path, file, length);
  qtensor_minidb_reader_t *reader = open_reader(path);
  qtensor_minidb_entry_t entry;
  bool found = false;
  entry.struct_size = sizeof entry;
  qtensor_error_t *object = NULL;
  /* Not through REFUSES, which calls twice: this call moves the reader even where it fails. */
  CHECK(qtensor_minidb_reader_next(reader, &entry, &found, &object) == QTENSOR_MALFORMED);
  CHECK(is_sentence(qtensor_error_message(object)) && !found);
  qtensor_error_free(object);
  WORKS(qtensor_minidb_reader_next, reader, &entry, &found);
  CHECK(found && same_text(entry.key, entry.key_length, "w1"));
  qtensor_minidb_reader_free(reader);
  free(file);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  files_that_cannot_be_read_are_refused();
  records_come_in_order();
  a_small_structure_moves_nothing();
  blobs_are_loaded_by_name();
  cut_files_are_damage();
  a_damaged_blob_can_be_passed();
  return done();
}
