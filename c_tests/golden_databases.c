/* golden_databases.c: the databases that the real Caffe2 wrote, read and written back. */
#include "golden_text.h"

static void the_blobs_are_what_they_were(void) {
  qtensor_minidb_reader_t *reader = NULL;
  WORKS(qtensor_minidb_reader_open, path_in(data_folder, "blobs.minidb"), &reader);
  open_golden("blobs.txt");
  while (next_line()) {
    byte_string name = hex();
    int precision = (int)integer();
    bool is_signed = integer() != 0;
    size_t ndim;
    int64_t *dims = integers(&ndim);
    byte_string planes = hex();
    qtensor_t *tensor = NULL;
    WORKS(qtensor_minidb_reader_load, reader, (const char *)name.bytes, &tensor);
    CHECK(qtensor_precision(tensor) == precision && qtensor_is_signed(tensor) == is_signed);
    CHECK(qtensor_ndim(tensor) == ndim);
    CHECK(memcmp(qtensor_dims(tensor), dims, ndim * sizeof *dims) == 0);
    CHECK(same_bytes(qtensor_data(tensor), qtensor_nbytes(tensor), planes));
    qtensor_free(tensor);
    free(dims);
    free(planes.bytes);
    free(name.bytes);
  }
  close_golden();
  static const float floats[4] = {0, 0.5f, 1, 1.5f};
  qtensor_dense_t *dense = NULL;
  WORKS(qtensor_minidb_reader_load_dense, reader, "float_tensor", &dense);
  CHECK(qtensor_dense_ndim(dense) == 1 && qtensor_dense_dims(dense)[0] == 4);
  CHECK(qtensor_dense_element_type(dense) == QTENSOR_ELEMENT_FLOAT);
  CHECK(memcmp(qtensor_dense_data(dense), floats, sizeof floats) == 0);
  qtensor_dense_free(dense);
  qtensor_minidb_reader_free(reader);
}

/* What was read, written by this library, is Caffe2's own file, byte for byte. */
static void written_back(const char *file) {
  const char *path = path_in(scratch_folder, "back.minidb");
  qtensor_blobs_t *blobs = NULL;
  qtensor_minidb_writer_t *writer = NULL;
  WORKS(qtensor_blobs_load, path_in(data_folder, file), &blobs);
  WORKS(qtensor_minidb_writer_create, path, &writer);
  CHECK(qtensor_blobs_count(blobs) > 0);
  for (size_t i = 0; i < qtensor_blobs_count(blobs); i++) {
    const char *name = qtensor_blobs_name(blobs, i, NULL);
    const qtensor_t *tensor = qtensor_blobs_tensor(blobs, i);
    const qtensor_dense_t *dense = qtensor_blobs_dense(blobs, i);
    CHECK((tensor == NULL) != (dense == NULL));
    if (dense != NULL) {
      WORKS(qtensor_minidb_writer_append_dense, writer, name, dense, 0);
    } else if (strcmp(qtensor_blobs_type(blobs, i, NULL), "Int8TensorCPU") == 0) {
      WORKS(qtensor_minidb_writer_append_int8, writer, name, tensor);
    } else {
      WORKS(qtensor_minidb_writer_append, writer, name, tensor);
    }
  }
  WORKS(qtensor_minidb_writer_commit, writer);
  qtensor_minidb_writer_free(writer);
  qtensor_blobs_free(blobs);
  byte_string ours, theirs;
  ours.bytes = read_file(path, &ours.length);
  theirs.bytes = read_file(path_in(data_folder, file), &theirs.length);
  CHECK(same_bytes(ours.bytes, ours.length, theirs));
  free(ours.bytes);
  free(theirs.bytes);
}

static void same_tensor(const qtensor_dense_t *left, const qtensor_dense_t *right) {
  size_t nbytes = qtensor_dense_nbytes(left);
  CHECK(qtensor_dense_ndim(left) == 2 && qtensor_dense_ndim(right) == 2);
  CHECK(memcmp(qtensor_dense_dims(left), qtensor_dense_dims(right), 2 * sizeof(int64_t)) == 0);
  CHECK(qtensor_dense_element_type(left) == qtensor_dense_element_type(right));
  CHECK(nbytes > 0 && nbytes == qtensor_dense_nbytes(right));
  CHECK(memcmp(qtensor_dense_data(left), qtensor_dense_data(right), nbytes) == 0);
}

static void chunks_in_any_order(void) {
  qtensor_minidb_reader_t *chunked = NULL, *whole = NULL;
  qtensor_dense_t *from_chunks = NULL, *from_one = NULL;
  const char *path = path_in(data_folder, "chunked.minidb");
  WORKS(qtensor_minidb_reader_open, path, &chunked);
  WORKS(qtensor_minidb_reader_open, path_in(data_folder, "digits/digits_mlp.minidb"), &whole);
  WORKS(qtensor_minidb_reader_load_dense, chunked, "fc1_w", &from_chunks);
  WORKS(qtensor_minidb_reader_load_dense, whole, "fc1_w", &from_one);
  same_tensor(from_chunks, from_one);
  qtensor_blobs_t *blobs = NULL;
  WORKS(qtensor_blobs_load, path, &blobs);
  CHECK(qtensor_blobs_count(blobs) == 1);
  CHECK(strcmp(qtensor_blobs_name(blobs, 0, NULL), "fc1_w") == 0);
  same_tensor(qtensor_blobs_dense(blobs, 0), from_one);
  qtensor_blobs_free(blobs);
  qtensor_minidb_reader_free(chunked);
  qtensor_minidb_reader_free(whole);

  /* In Caffe2's own chunks each record is Caffe2's, but for their order in the file. */
  const char *copy = path_in(scratch_folder, "chunked.minidb");
  qtensor_minidb_writer_t *writer = NULL;
  WORKS(qtensor_minidb_writer_create, copy, &writer);
  WORKS(qtensor_minidb_writer_append_dense, writer, "fc1_w", from_one, 1000);
  WORKS(qtensor_minidb_writer_commit, writer);
  qtensor_minidb_writer_free(writer);
  byte_string ours, theirs;
  ours.bytes = read_file(copy, &ours.length);
  theirs.bytes = read_file(path_in(data_folder, "chunked.minidb"), &theirs.length);
  CHECK(ours.length == theirs.length);
  WORKS(qtensor_minidb_reader_open, path, &chunked);
  WORKS(qtensor_minidb_reader_open, copy, &whole);
  int found_records = 0;
  qtensor_minidb_entry_t left, right;
  left.struct_size = sizeof left;
  right.struct_size = sizeof right;
  bool more = false, found = false;
  for (;;) {
    WORKS(qtensor_minidb_reader_next, whole, &left, &more);
    if (!more) {
      break;
    }
    WORKS(qtensor_minidb_reader_rewind, chunked);
    do {
      WORKS(qtensor_minidb_reader_next, chunked, &right, &found);
    } while (found && (left.key_length != right.key_length ||
                       memcmp(left.key, right.key, left.key_length) != 0));
    CHECK(found && left.value_size == right.value_size);
    CHECK(found && memcmp(ours.bytes + left.value_offset, theirs.bytes + right.value_offset,
                          (size_t)left.value_size) == 0);
    found_records++;
  }
  CHECK(found_records == 9);
  free(ours.bytes);
  free(theirs.bytes);
  qtensor_minidb_reader_free(chunked);
  qtensor_minidb_reader_free(whole);
  qtensor_dense_free(from_chunks);
  qtensor_dense_free(from_one);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  the_blobs_are_what_they_were();
  written_back("blobs.minidb");
  written_back("digits/digits_mlp.minidb");
  written_back("digits/digits_int8.minidb");
  written_back("digits/digits_logits.minidb");
  chunks_in_any_order();
  return done();
}
