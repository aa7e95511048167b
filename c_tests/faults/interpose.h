/* interpose.h: this program's own open, pread, write and so on, which come before the C library's for
 * the library under test, too: the calls that it makes of the system can be counted, and any of them
 * made to fail.
 *
 * Included once, before anything else. */
#ifndef INTERPOSE_H
#define INTERPOSE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What befalls a call. */
typedef enum {
  FAULT_EIO,
  FAULT_ENOSPC,
  FAULT_EROFS,
  FAULT_EINTR,
  /* Half of what was asked for is read or written. */
  FAULT_SHORT,
  FAULT_KINDS
} fault_kind;

static const char *const fault_names[FAULT_KINDS] = {"EIO", "ENOSPC", "EROFS", "EINTR", "short"};

/* The calls that can fail: all that a database and a meter of energy make of files, but for close and
 * unlink, whose failure there is nobody to tell. */
typedef enum {
  CALL_OPEN,
  CALL_CREATE,
  CALL_PREAD,
  CALL_WRITE,
  CALL_FSYNC,
  CALL_RENAME,
  CALL_FCHMOD,
  CALL_STATX,
  CALL_REALPATH,
  CALLS
} call_kind;

static const char *const call_names[CALLS] = {"open",   "create", "pread", "write",   "fsync",
                                              "rename", "fchmod", "statx", "realpath"};

static struct {
  bool armed;
  fault_kind kind;
  /* Which of the calls that this can befall, from 1; and whether it befalls all behind it, too. */
  long at;
  bool lasting;
  long seen, struck;
  /* Whether something failed that the caller has to be told of. */
  bool must_fail;
  /* Set while a database is being committed. What the old file's permissions are, and that the new one
   * has them, may fail then unseen. */
  bool committing;
  /* Whether a file has been put in place; whether all that was written to it had been flushed to the
   * disk before, and whether its folder was afterwards. */
  bool renamed, flushed_before, flushed_behind;
  /* The file whose contents are on the disk, and the folder of the one that was put in place. */
  ino_t flushed, folder;
} faults;

/* How often each call was made to fail, in all. */
static long faults_of[CALLS];

static void faults_arm(fault_kind kind, long at, bool lasting) {
  faults.kind = kind;
  faults.at = at;
  faults.lasting = lasting;
  faults.seen = faults.struck = 0;
  faults.must_fail = faults.committing = false;
  faults.renamed = faults.flushed_before = faults.flushed_behind = false;
  faults.flushed = faults.folder = 0;
  faults.armed = true;
}

static void faults_disarm(void) { faults.armed = false; }

/* Whether this call is one of those that fail. */
static bool fault_strikes(call_kind call) {
  faults.seen++;
  const long behind = faults.seen - faults.at;
  /* A call that is interrupted is made again, and must not be interrupted for ever. */
  const bool struck =
      behind == 0 || (faults.lasting && behind > 0 && (faults.kind != FAULT_EINTR || behind % 2 == 0));
  faults.struck += struck;
  faults_of[call] += struck;
  return struck;
}

static int fault_number(void) {
  switch (faults.kind) {
    case FAULT_ENOSPC:
      return ENOSPC;
    case FAULT_EROFS:
      return EROFS;
    case FAULT_EINTR:
      return EINTR;
    default:
      return EIO;
  }
}

/* Whether a call fails that a kind can befall where `can` says so. */
static bool fault_fails(call_kind call, bool can) {
  if (!faults.armed || !can || faults.kind == FAULT_SHORT || !fault_strikes(call)) {
    return false;
  }
  const bool unseen = call == CALL_FCHMOD || (call == CALL_STATX && faults.committing);
  faults.must_fail = faults.must_fail || (faults.kind != FAULT_EINTR && !unseen);
  errno = fault_number();
  return true;
}

/* How much of `size` bytes a call is allowed to move. */
static size_t fault_size(call_kind call, size_t size) {
  if (faults.armed && faults.kind == FAULT_SHORT && size > 1 && fault_strikes(call)) {
    return size / 2;
  }
  return size;
}

/* What happens where something is written, and what happens everywhere. */
static bool when_writing(void) { return true; }
static bool when_reading(void) { return faults.kind == FAULT_EIO || faults.kind == FAULT_EINTR; }

static int open_file(const char *path, int flags, mode_t mode) {
  const bool creates = (flags & O_CREAT) != 0;
  /* What is not there is only said not to be: the tree of energy is asked for many such files. */
  if ((creates || access(path, F_OK) == 0) &&
      fault_fails(creates ? CALL_CREATE : CALL_OPEN, creates ? when_writing() : when_reading())) {
    return -1;
  }
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_file(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_file(path, flags, mode);
}

ssize_t pread64(int file, void *buffer, size_t size, off64_t offset) {
  if (fault_fails(CALL_PREAD, when_reading())) {
    return -1;
  }
  return syscall(SYS_pread64, file, buffer, fault_size(CALL_PREAD, size), offset);
}

ssize_t write(int file, const void *buffer, size_t size) {
  if (fault_fails(CALL_WRITE, when_writing())) {
    return -1;
  }
  faults.flushed = 0;
  return syscall(SYS_write, file, buffer, fault_size(CALL_WRITE, size));
}

int fsync(int file) {
  if (fault_fails(CALL_FSYNC, when_writing())) {
    return -1;
  }
  const int status = (int)syscall(SYS_fsync, file);
  struct stat found;
  if (faults.armed && status == 0 && fstat(file, &found) == 0) {
    if (S_ISDIR(found.st_mode)) {
      faults.flushed_behind = faults.renamed && found.st_ino == faults.folder;
    } else {
      faults.flushed = found.st_ino;
    }
  }
  return status;
}

/* The number of the folder that a file is in; 0 where that cannot be told. */
static ino_t folder_of(const char *path) {
  char folder[4096];
  struct stat found;
  snprintf(folder, sizeof folder, "%s", path);
  char *const slash = strrchr(folder, '/');
  if (slash == NULL) {
    return 0;
  }
  *slash = 0;
  return stat(folder, &found) == 0 ? found.st_ino : 0;
}

int rename(const char *from, const char *to) {
  /* The system never interrupts it. */
  if (fault_fails(CALL_RENAME, faults.kind != FAULT_EINTR)) {
    return -1;
  }
  struct stat found;
  const bool flushed = stat(from, &found) == 0 && found.st_ino == faults.flushed;
  const int status = (int)syscall(SYS_rename, from, to);
  if (faults.armed && status == 0) {
    faults.renamed = true;
    faults.flushed_before = flushed;
    faults.folder = folder_of(to);
  }
  return status;
}

int fchmod(int file, mode_t mode) {
  if (fault_fails(CALL_FCHMOD, when_writing())) {
    return -1;
  }
  return (int)syscall(SYS_fchmod, file, mode);
}

int statx(int folder, const char *restrict path, int flags, unsigned mask,
          struct statx *restrict out) {
  if (fault_fails(CALL_STATX, faults.kind == FAULT_EIO)) {
    return -1;
  }
  return (int)syscall(SYS_statx, folder, path, flags, mask, out);
}

char *realpath(const char *restrict path, char *restrict out) {
  if (fault_fails(CALL_REALPATH, faults.kind == FAULT_EIO)) {
    return NULL;
  }
  /* It is no call of the system, but many. ISO C has no conversion from an object's address to a
   * function's. */
  char *(*next)(const char *, char *) = NULL;
  *(void **)&next = dlsym(RTLD_NEXT, "realpath");
  return next == NULL ? NULL : next(path, out);
}

#endif /* INTERPOSE_H */
