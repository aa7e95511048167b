/* io.c: whatever the system answers, a database is the old one or the new one, whole, and what is
 * read is right or refused.
 *
 *   io SCRATCH KILLS
 *
 * Each call of the system that a commit and a load make fails, one after the other, once or from
 * there on; then KILLS processes are killed at random moments of a commit. SCRATCH is an empty
 * folder. The last line counts. */
#include "interpose.h"

#include "caffe2_qtensor.h"

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { ROWS = 40, COLUMNS = 70, VALUES = ROWS * COLUMNS };

static char path[4096], folder[4096];
static const int64_t dims[2] = {ROWS, COLUMNS};
static long tried, refused, unexpected;

#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      fprintf(stderr, "%s:%d: %s (%s at call %ld%s)\n", __FILE__, __LINE__, #condition,  \
              fault_names[faults.kind], faults.at, faults.lasting ? " and behind" : ""); \
      if (++unexpected > 20) {                                                           \
        exit(EXIT_FAILURE);                                                              \
      }                                                                                  \
    }                                                                                    \
  } while (0)

/* One of two databases: their tensors differ in every code. */
static qtensor_status commit(int which, qtensor_error_t **error) {
  qtensor_minidb_writer_t *writer = NULL;
  qtensor_t *tensor = NULL;
  static int64_t codes[VALUES];
  for (int i = 0; i < VALUES; i++) {
    codes[i] = (i * 7 + which) % 16;
  }
  qtensor_status status = qtensor_create_with(dims, 2, 4, false, &tensor, error);
  if (status == QTENSOR_OK) {
    status = qtensor_write_codes(tensor, codes, VALUES, error);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_minidb_writer_create(path, &writer, error);
  }
  for (int i = 0; i < 3 && status == QTENSOR_OK; i++) {
    const char *names[3] = {"first", "second", "third"};
    status = qtensor_minidb_writer_append(writer, names[i], tensor, error);
  }
  if (status == QTENSOR_OK) {
    status = qtensor_minidb_writer_commit(writer, error);
  }
  qtensor_minidb_writer_free(writer);
  qtensor_free(tensor);
  return status;
}

/* All that the database holds, as one number; 0 where it cannot be read. */
static qtensor_status load(uint64_t *sum, qtensor_error_t **error) {
  qtensor_blobs_t *blobs = NULL;
  static int64_t codes[VALUES];
  *sum = 0;
  qtensor_status status = qtensor_blobs_load(path, &blobs, error);
  for (size_t i = 0; i < qtensor_blobs_count(blobs) && status == QTENSOR_OK; i++) {
    status = qtensor_read_codes(qtensor_blobs_tensor(blobs, i), codes, VALUES, error);
    for (size_t k = 0; k < VALUES; k++) {
      *sum = *sum * 1099511628211u + (uint64_t)codes[k] + 1;
    }
  }
  qtensor_blobs_free(blobs);
  return status;
}

static uint8_t *bytes_of(const char *name, size_t *length) {
  FILE *file = fopen(name, "rb");
  if (file == NULL) {
    *length = 0;
    return NULL;
  }
  uint8_t *bytes = (uint8_t *)malloc(1 << 20);
  *length = bytes == NULL ? 0 : fread(bytes, 1, 1 << 20, file);
  fclose(file);
  return bytes;
}

static uint8_t *databases[2];
static size_t lengths[2];

/* Which of the two databases the file is, byte for byte; -1 for neither. */
static int which_file(void) {
  size_t length;
  uint8_t *bytes = bytes_of(path, &length);
  int which = -1;
  for (int i = 0; i < 2; i++) {
    if (bytes != NULL && length == lengths[i] && memcmp(bytes, databases[i], length) == 0) {
      which = i;
    }
  }
  free(bytes);
  return which;
}

/* How many files there are; with `remove_others`, none but the database stays. */
static int files(bool remove_others) {
  int count = 0;
  DIR *listing = opendir(folder);
  for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
    if (entry->d_name[0] != '.') {
      char name[8192];
      count++;
      snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
      if (remove_others && strcmp(name, path) != 0) {
        unlink(name);
      }
    }
  }
  closedir(listing);
  return count;
}

static void put(int which) {
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(databases[which], 1, lengths[which], file) != lengths[which] ||
      fclose(file) != 0) {
    perror(path);
    exit(EXIT_FAILURE);
  }
}

/* A refusal has a message, which names the cause. */
static void check_refusal(qtensor_status status, qtensor_error_t *error) {
  refused++;
  CHECK(status == QTENSOR_IO);
  CHECK(qtensor_error_code(error) == status);
  CHECK(strlen(qtensor_error_message(error)) > 10);
  qtensor_error_free(error);
}

/* Whether a fault struck. */
static bool write_with(fault_kind kind, long at, bool lasting) {
  qtensor_error_t *error = NULL;
  put(0);
  faults_arm(kind, at, lasting);
  const qtensor_status status = commit(1, &error);
  faults_disarm();
  if (status == QTENSOR_OK) {
    CHECK(error == NULL);
    CHECK(faults.renamed);
  } else {
    check_refusal(status, error);
  }
  CHECK(which_file() == (faults.renamed ? 1 : 0));
  CHECK(files(false) == 1);
  if (kind == FAULT_EINTR || kind == FAULT_SHORT) {
    CHECK(status == QTENSOR_OK);
  }
  CHECK(commit(1, NULL) == QTENSOR_OK && which_file() == 1);
  tried += faults.struck > 0;
  return faults.struck > 0;
}

static bool read_with(fault_kind kind, long at, bool lasting) {
  qtensor_error_t *error = NULL;
  uint64_t expected, sum;
  put(0);
  CHECK(load(&expected, NULL) == QTENSOR_OK && expected != 0);
  faults_arm(kind, at, lasting);
  const qtensor_status status = load(&sum, &error);
  faults_disarm();
  if (status == QTENSOR_OK) {
    CHECK(error == NULL);
    CHECK(sum == expected);
  } else {
    check_refusal(status, error);
  }
  if (kind == FAULT_EINTR || kind == FAULT_SHORT) {
    CHECK(status == QTENSOR_OK);
  }
  CHECK(load(&sum, NULL) == QTENSOR_OK && sum == expected);
  tried += faults.struck > 0;
  return faults.struck > 0;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* A process commits one database after the other, until it is killed. Returns how many files were
 * the old or the new one afterwards. */
static long kill_some(long kills) {
  long intact = 0;
  uint64_t state = 88172645463325252u;
  put(0);
  const double before = now();
  for (int i = 0; i < 8; i++) {
    CHECK(commit(i % 2, NULL) == QTENSOR_OK);
  }
  const double commits = (now() - before) / 8;
  for (long i = 0; i < kills; i++) {
    const pid_t child = fork();
    if (child == 0) {
      for (int k = 0;; k++) {
        if (commit(k % 2, NULL) != QTENSOR_OK) {
          _exit(1);
        }
      }
    }
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    /* Up to four commits. */
    const double wait = 4 * commits * (double)(state >> 11) / 9007199254740992.0;
    const struct timespec delay = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
    nanosleep(&delay, NULL);
    int status = 0;
    kill(child, SIGKILL);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    const int found = which_file();
    CHECK(found >= 0);
    intact += found >= 0;
    /* What a killed process leaves behind is in nobody's way. */
    CHECK(commit(1, NULL) == QTENSOR_OK && which_file() == 1);
    files(true);
  }
  return intact;
}

int main(int argc, char **argv) {
  const long kills = argc == 3 ? atol(argv[2]) : -1;
  if (kills < 0 || strlen(argv[1]) > 1000) {
    fprintf(stderr, "usage: io SCRATCH KILLS\n");
    return 2;
  }
  snprintf(folder, sizeof folder, "%s", argv[1]);
  snprintf(path, sizeof path, "%s/database.minidb", argv[1]);
  for (int i = 0; i < 2; i++) {
    if (commit(i, NULL) != QTENSOR_OK) {
      fprintf(stderr, "io: there is no database to begin with\n");
      return EXIT_FAILURE;
    }
    databases[i] = bytes_of(path, &lengths[i]);
  }
  for (int kind = 0; kind < FAULT_KINDS; kind++) {
    for (int lasting = 0; lasting < 2; lasting++) {
      long at = 1;
      while (write_with((fault_kind)kind, at, lasting != 0)) {
        at++;
      }
      CHECK(at > 1);
      at = 1;
      while (read_with((fault_kind)kind, at, lasting != 0)) {
        at++;
      }
      CHECK(at > 1 || kind == FAULT_ENOSPC || kind == FAULT_EROFS);
    }
  }
  const long intact = kill_some(kills);
  printf("faults %ld refused %ld kills %ld intact %ld unexpected %ld\n", tried, refused, kills,
         intact, unexpected);
  free(databases[0]);
  free(databases[1]);
  return unexpected == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
