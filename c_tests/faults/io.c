/* io.c: whatever the system answers, a database is the old one or the new one, whole, and what is
 * read is right or refused.
 *
 *   io SCRATCH KILLS
 *
 * Each call of the system that writing, reading and measuring make (work.h) fails, one after the
 * other, once or from there on; then KILLS processes are killed at random moments of a commit.
 * SCRATCH is an empty folder. The last line counts; behind "struck" it says how often each call was
 * made to fail. */
#include "interpose.h"

#include "work.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

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
    fail(path);
  }
}

/* What was answered while calls failed: a refusal has a message, which names the cause, and there is
 * one where something failed that matters. */
static void check_answer(qtensor_status status, qtensor_status refusal, qtensor_error_t *error) {
  CHECK(status == (faults.must_fail ? refusal : QTENSOR_OK));
  refused += status != QTENSOR_OK;
  CHECK(qtensor_error_code(error) == status);
  CHECK(status == QTENSOR_OK || strlen(qtensor_error_message(error)) > 10);
  qtensor_error_free(error);
}

/* Whether a fault struck. */
static bool write_with(const char *name, fault_kind kind, long at, bool lasting) {
  qtensor_error_t *error = NULL;
  struct stat found;
  put(0);
  faults_arm(kind, at, lasting);
  const qtensor_status status = commit_at(name, 1, &error);
  faults_disarm();
  check_answer(status, QTENSOR_IO, error);
  CHECK(which_file() == (faults.renamed ? 1 : 0));
  CHECK(files(false) == 1);
  CHECK(lstat(link_path, &found) == 0 && S_ISLNK(found.st_mode));
  CHECK(faults.flushed_before == faults.renamed);
  CHECK(faults.flushed_behind == (status == QTENSOR_OK));
  CHECK(commit(1, NULL) == QTENSOR_OK && which_file() == 1);
  tried += faults.struck > 0;
  return faults.struck > 0;
}

/* Something that is read; a number stands for what was found. */
typedef struct {
  qtensor_status (*read)(uint64_t *sum, qtensor_error_t **error);
  qtensor_status refusal;
} source;

static bool read_with(const source *from, fault_kind kind, long at, bool lasting) {
  qtensor_error_t *error = NULL;
  uint64_t expected = 0, sum = 0;
  put(0);
  CHECK(from->read(&expected, NULL) == QTENSOR_OK && expected != 0);
  faults_arm(kind, at, lasting);
  const qtensor_status status = from->read(&sum, &error);
  faults_disarm();
  check_answer(status, from->refusal, error);
  CHECK(status != QTENSOR_OK || sum == expected);
  sum = 0;
  CHECK(from->read(&sum, NULL) == QTENSOR_OK && sum == expected);
  tried += faults.struck > 0;
  return faults.struck > 0;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* A process that commits one database after the other, from its word on. */
static pid_t begin_commits(void) {
  int ends[2];
  char word = 0;
  if (pipe(ends) != 0) {
    fail("pipe");
  }
  const pid_t child = fork();
  if (child < 0) {
    fail("fork");
  }
  if (child == 0) {
    bool good = write(ends[1], "!", 1) == 1;
    for (int k = 0; good; k++) {
      good = commit(k % 2, NULL) == QTENSOR_OK;
    }
    _exit(1);
  }
  close(ends[1]);
  CHECK(read(ends[0], &word, 1) == 1 && word == '!');
  close(ends[0]);
  return child;
}

typedef struct {
  /* How many files were the old or the new one afterwards, */
  long intact;
  /* how many processes left a file that they were writing, and how many had put one in place. */
  long in_the_midst, behind_one;
} killed;

/* Kills processes that commit, up to three commits after they began. How long that is, is measured
 * all along: other work on the machine comes and goes. */
static killed kill_some(long kills) {
  killed counts = {0, 0, 0};
  uint64_t state = 88172645463325252u;
  put(0);
  CHECK(commit(1, NULL) == QTENSOR_OK);
  double commits = 0;
  for (long i = 0; i < kills; i++) {
    /* What a killed process leaves behind is in nobody's way. */
    const double before = now();
    CHECK(commit(1, NULL) == QTENSOR_OK && which_file() == 1);
    const double took = now() - before;
    commits = commits == 0 ? took : 0.8 * commits + 0.2 * took;
    files(true);
    const pid_t child = begin_commits();
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    const double wait = 3 * commits * (double)(state >> 11) / 9007199254740992.0;
    const struct timespec delay = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
    nanosleep(&delay, NULL);
    int status = 0;
    kill(child, SIGKILL);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    const int found = which_file();
    CHECK(found >= 0);
    counts.intact += found >= 0;
    counts.in_the_midst += files(false) > 1;
    counts.behind_one += found == 0;
  }
  CHECK(commit(1, NULL) == QTENSOR_OK && which_file() == 1);
  files(true);
  return counts;
}

int main(int argc, char **argv) {
  const long kills = argc == 3 ? atol(argv[2]) : -1;
  if (kills < 0 || strlen(argv[1]) > 1000) {
    fprintf(stderr, "usage: io SCRATCH KILLS\n");
    return 2;
  }
  snprintf(folder, sizeof folder, "%s", argv[1]);
  snprintf(path, sizeof path, "%s/database.minidb", argv[1]);
  snprintf(link_path, sizeof link_path, "%s/.link", argv[1]);
  if (symlink("database.minidb", link_path) != 0) {
    fail(link_path);
  }
  make_packages();
  for (int i = 0; i < 2; i++) {
    if (commit(i, NULL) != QTENSOR_OK) {
      fprintf(stderr, "io: there is no database to begin with\n");
      return EXIT_FAILURE;
    }
    databases[i] = bytes_of(path, &lengths[i]);
  }
  static const source sources[] = {
      {load_all, QTENSOR_IO}, {walk, QTENSOR_IO}, {measure, QTENSOR_UNAVAILABLE}};
  for (int kind = 0; kind < FAULT_KINDS; kind++) {
    for (int lasting = 0; lasting < 2; lasting++) {
      long at;
      for (int linked = 0; linked < 2; linked++) {
        at = 1;
        while (write_with(linked ? link_path : path, (fault_kind)kind, at, lasting != 0)) {
          at++;
        }
        CHECK(at > 1);
      }
      for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        at = 1;
        while (read_with(&sources[i], (fault_kind)kind, at, lasting != 0)) {
          at++;
        }
        CHECK(at > 1 || kind == FAULT_ENOSPC || kind == FAULT_EROFS);
      }
    }
  }
  const killed counts = kill_some(kills);
  printf("faults %ld refused %ld kills %ld intact %ld unexpected %ld midst %ld behind %ld struck",
         tried, refused, kills, counts.intact, unexpected, counts.in_the_midst, counts.behind_one);
  for (int call = 0; call < CALLS; call++) {
    printf(" %s %ld", call_names[call], faults_of[call]);
  }
  printf("\n");
  free(databases[0]);
  free(databases[1]);
  return unexpected == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
