/* test_minidb_writer.c: databases are written whole or not at all. */
#define _XOPEN_SOURCE 700
#include "check.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t dims[2] = {2, 3};

static qtensor_minidb_writer_t *open_writer(const char *path) {
  qtensor_minidb_writer_t *writer = NULL;
  WORKS(qtensor_minidb_writer_create, path, &writer);
  return writer;
}

static qtensor_dense_t *make_dense(void) {
  static const int32_t values[6] = {1, 2, 3, 4, 5, 6};
  qtensor_dense_t *dense = NULL;
  WORKS(qtensor_dense_create, dims, 2, QTENSOR_ELEMENT_INT32, values, sizeof values, &dense);
  return dense;
}

static bool holds(const char *path, const void *bytes, size_t length) {
  size_t found;
  uint8_t *file = read_file(path, &found);
  bool same = found == length && memcmp(file, bytes, length) == 0;
  free(file);
  return same;
}

static void nulls(void) {
  const char *path = path_in(scratch_folder, "nulls.minidb");
  qtensor_minidb_writer_t *writer = open_writer(path), *out = UNTOUCHED;
  qtensor_t *tensor = make_tensor(dims, 2, 8, false);
  qtensor_dense_t *dense = make_dense();
  const uint8_t value[1] = {1};
  NULL_CALL(qtensor_minidb_writer_create, "path", NULL, &out);
  NULL_CALL(qtensor_minidb_writer_create, "out", path, NULL);
  NULL_CALL(qtensor_minidb_writer_append, "writer", NULL, "w", tensor);
  NULL_CALL(qtensor_minidb_writer_append, "name", writer, NULL, tensor);
  NULL_CALL(qtensor_minidb_writer_append, "tensor", writer, "w", NULL);
  NULL_CALL(qtensor_minidb_writer_append_int8, "writer", NULL, "w", tensor);
  NULL_CALL(qtensor_minidb_writer_append_int8, "name", writer, NULL, tensor);
  NULL_CALL(qtensor_minidb_writer_append_int8, "tensor", writer, "w", NULL);
  NULL_CALL(qtensor_minidb_writer_append_dense, "writer", NULL, "w", dense, 0);
  NULL_CALL(qtensor_minidb_writer_append_dense, "name", writer, NULL, dense, 0);
  NULL_CALL(qtensor_minidb_writer_append_dense, "dense", writer, "w", NULL, 0);
  NULL_CALL(qtensor_minidb_writer_append_bytes, "writer", NULL, "k", 1, value, 1);
  NULL_CALL(qtensor_minidb_writer_append_bytes, "key", writer, NULL, 1, value, 1);
  NULL_CALL(qtensor_minidb_writer_append_bytes, "value", writer, "k", 1, NULL, 1);
  NULL_CALL(qtensor_minidb_writer_commit, "writer", NULL);
  NULL_FREE(qtensor_minidb_writer_free);
  CHECK(out == UNTOUCHED && !file_exists(path));
  /* Nothing was appended, and the writer still works. */
  WORKS(qtensor_minidb_writer_append_bytes, writer, "k", 1, value, 1);
  WORKS(qtensor_minidb_writer_commit, writer);
  qtensor_minidb_writer_free(writer);
  CHECK(holds(path, "\1\0\0\0\1\0\0\0k\1", 10));
  qtensor_free(tensor);
  qtensor_dense_free(dense);
}

static void files_that_cannot_be_made_are_refused(void) {
  qtensor_minidb_writer_t *out = UNTOUCHED;
  REFUSES(QTENSOR_IO, qtensor_minidb_writer_create, path_in(scratch_folder, "none/x"), &out);
  SAYS("create");
  REFUSES(QTENSOR_IO, qtensor_minidb_writer_create, scratch_folder, &out);
  SAYS("directory");
  CHECK(out == UNTOUCHED);
}

static void nothing_is_seen_before_the_commit(void) {
  const char *path = path_in(scratch_folder, "old.minidb");
  write_file(path, "old", 3);
  qtensor_t *tensor = make_tensor(dims, 2, 8, false);
  qtensor_minidb_writer_t *writer = open_writer(path);
  WORKS(qtensor_minidb_writer_append, writer, "w", tensor);
  CHECK(holds(path, "old", 3));
  qtensor_minidb_writer_free(writer); /* Without a commit. */
  CHECK(holds(path, "old", 3));
  writer = open_writer(path);
  WORKS(qtensor_minidb_writer_commit, writer);
  CHECK(holds(path, "", 0));
  const uint8_t value[1] = {1};
  qtensor_dense_t *dense = make_dense();
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_append, writer, "w", tensor);
  SAYS("writer");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_append_int8, writer, "w", tensor);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_append_dense, writer, "w", dense, 0);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_append_bytes, writer, "k", 1, value, 1);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_commit, writer);
  CHECK(holds(path, "", 0));
  qtensor_minidb_writer_free(writer);
  CHECK(holds(path, "", 0));
  qtensor_free(tensor);
  qtensor_dense_free(dense);
}

static void records_are_exact(void) {
  const char *path = path_in(scratch_folder, "all.minidb");
  qtensor_t *tensor = make_tensor(dims, 2, 8, false), *read = NULL;
  qtensor_dense_t *dense = make_dense(), *read_dense = NULL;
  const uint8_t codes[6] = {9, 8, 7, 6, 5, 200};
  WORKS(qtensor_write_codes_u8, tensor, codes, 6);
  qtensor_minidb_writer_t *writer = open_writer(path);
  WORKS(qtensor_minidb_writer_append, writer, "q", tensor);
  WORKS(qtensor_minidb_writer_append_int8, writer, "i", tensor);
  WORKS(qtensor_minidb_writer_append_dense, writer, "d", dense, 4);
  WORKS(qtensor_minidb_writer_append_dense, writer, "whole", dense, 0);
  WORKS(qtensor_minidb_writer_append_bytes, writer, "k\0k", 3, (const uint8_t *)"\x12\x01X", 3);
  /* Refusals in between leave nothing behind. */
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_append, writer, "", tensor);
  SAYS("key");
  SAYS("0");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_append_int8, writer, "", tensor);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_append_dense, writer, "", dense, 0);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_append_bytes, writer, NULL, 0, codes, 6);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_append_bytes, writer, "k", 1, NULL, 0);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_append_bytes, writer, "k", SIZE_MAX,
          codes, 6);
  WORKS(qtensor_set_bias, tensor, 0.5);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_minidb_writer_append_int8, writer, "i", tensor);
  int64_t large[1] = {(int64_t)1 << 40};
  qtensor_t *heavy = make_tensor(large, 1, 1, false);
  REFUSES(QTENSOR_OVERFLOW, qtensor_minidb_writer_append, writer, "h", heavy);
  SAYS("2147483647");
  qtensor_free(heavy);
  WORKS(qtensor_minidb_writer_commit, writer);
  qtensor_minidb_writer_free(writer);

  static const char *const keys[] = {"q", "i", "d#%0", "d#%1", "whole#%0", "k"};
  static const size_t lengths[] = {1, 1, 4, 4, 8, 3};
  qtensor_minidb_reader_t *reader = NULL;
  qtensor_minidb_entry_t entry;
  bool found = false;
  WORKS(qtensor_minidb_reader_open, path, &reader);
  for (int i = 0; i < 6; i++) {
    entry.struct_size = sizeof entry;
    WORKS(qtensor_minidb_reader_next, reader, &entry, &found);
    CHECK(found && entry.key_length == lengths[i]);
    CHECK(memcmp(entry.key, keys[i], strlen(keys[i])) == 0);
  }
  WORKS(qtensor_minidb_reader_next, reader, &entry, &found);
  CHECK(!found);
  uint8_t back[6];
  WORKS(qtensor_minidb_reader_load, reader, "i", &read);
  WORKS(qtensor_read_codes_u8, read, back, 6);
  CHECK(memcmp(codes, back, 6) == 0);
  WORKS(qtensor_minidb_reader_load_dense, reader, "d", &read_dense);
  CHECK(qtensor_dense_ndim(read_dense) == 2);
  CHECK(memcmp(qtensor_dense_data(read_dense), qtensor_dense_data(dense), 24) == 0);
  qtensor_dense_free(read_dense);
  qtensor_free(read);
  qtensor_minidb_reader_free(reader);
  qtensor_free(tensor);
  qtensor_dense_free(dense);
}

/* How many files begin like this: temporary ones are named after the file they are for. */
static int files_named_after(const char *name) {
  int count = 0;
  DIR *folder = opendir(scratch_folder);
  CHECK(folder != NULL);
  for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
    count += strncmp(entry->d_name, name, strlen(name)) == 0;
  }
  closedir(folder);
  return count;
}

/* The disk is full, or so it seems: a file may not grow beyond 4096 bytes. */
static void a_failed_write_leaves_the_old_file(void) {
  const char *path = path_in(scratch_folder, "full.minidb");
  write_file(path, "old", 3);
  static const uint8_t value[10000];
  struct rlimit before, limit;
  CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
  limit = before;
  limit.rlim_cur = 4096;
  signal(SIGXFSZ, SIG_IGN);
  qtensor_minidb_writer_t *writer = open_writer(path);
  WORKS(qtensor_minidb_writer_append_bytes, writer, "k", 1, value, 100);
  CHECK(files_named_after("full.minidb") == 2);
  CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  CHECK(qtensor_minidb_writer_append_bytes(writer, "k", 1, value, 10000, &error) == QTENSOR_IO);
  check_refused(QTENSOR_IO, QTENSOR_IO, "append_bytes", __FILE__, __LINE__);
  SAYS("write");
  SAYS("27"); /* EFBIG */
  CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_append_bytes, writer, "k", 1, value, 1);
  SAYS("failed");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_minidb_writer_commit, writer);
  qtensor_minidb_writer_free(writer);
  CHECK(holds(path, "old", 3));
  CHECK(files_named_after("full.minidb") == 1);
}

static void chunks_must_fit_together(void) {
  const char *path = path_in(scratch_folder, "chunks.minidb");
  qtensor_dense_t *dense = make_dense(), *out = UNTOUCHED;
  qtensor_minidb_writer_t *writer = open_writer(path);
  WORKS(qtensor_minidb_writer_append_dense, writer, "d", dense, 2);
  WORKS(qtensor_minidb_writer_commit, writer);
  qtensor_minidb_writer_free(writer);
  size_t length;
  uint8_t *file = read_file(path, &length);
  size_t record = length / 3;
  CHECK(length % 3 == 0);
  write_file(path, file, 2 * record); /* The last is missing. */
  qtensor_minidb_reader_t *reader = NULL;
  WORKS(qtensor_minidb_reader_open, path, &reader);
  REFUSES(QTENSOR_MALFORMED, qtensor_minidb_reader_load_dense, reader, "d", &out);
  SAYS("missing");
  SAYS("element 4");
  qtensor_minidb_reader_free(reader);
  memcpy(file + record, file, record); /* The first is there twice. */
  write_file(path, file, length);
  WORKS(qtensor_minidb_reader_open, path, &reader);
  REFUSES(QTENSOR_MALFORMED, qtensor_minidb_reader_load_dense, reader, "d", &out);
  SAYS("overlap");
  CHECK(out == UNTOUCHED);
  qtensor_minidb_reader_free(reader);
  free(file);
  qtensor_dense_free(dense);
}

/* A child inherits the writer; what it frees must not take the parent's file away. */
static void a_child_leaves_the_parents_file(void) {
  const char *path = path_in(scratch_folder, "forked.minidb");
  qtensor_minidb_writer_t *writer = open_writer(path);
  qtensor_t *tensor = make_tensor(dims, 2, 4, true);
  WORKS(qtensor_minidb_writer_append, writer, "w", tensor);
  pid_t child = fork();
  if (child == 0) {
    qtensor_minidb_writer_free(writer);
    _exit(0);
  }
  CHECK(child > 0 && waitpid(child, NULL, 0) == child);
  WORKS(qtensor_minidb_writer_commit, writer);
  qtensor_minidb_writer_free(writer);
  qtensor_minidb_reader_t *reader = NULL;
  qtensor_t *read = NULL;
  WORKS(qtensor_minidb_reader_open, path, &reader);
  WORKS(qtensor_minidb_reader_load, reader, "w", &read);
  qtensor_free(read);
  qtensor_minidb_reader_free(reader);
  qtensor_free(tensor);
}

/* Pipes and devices stay what they are. */
static void only_files_are_replaced(void) {
  const char *path = path_in(scratch_folder, "pipe");
  CHECK(mkfifo(path, 0600) == 0);
  qtensor_minidb_writer_t *writer = UNTOUCHED;
  REFUSES(QTENSOR_IO, qtensor_minidb_writer_create, path, &writer);
  SAYS("no regular file");
  REFUSES(QTENSOR_IO, qtensor_minidb_writer_create, "/dev/null", &writer);
  CHECK(writer == UNTOUCHED);
  struct stat found;
  CHECK(stat(path, &found) == 0 && S_ISFIFO(found.st_mode));
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  files_that_cannot_be_made_are_refused();
  nothing_is_seen_before_the_commit();
  records_are_exact();
  a_failed_write_leaves_the_old_file();
  chunks_must_fit_together();
  a_child_leaves_the_parents_file();
  only_files_are_replaced();
  return done();
}
