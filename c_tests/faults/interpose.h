/* interpose.h: this program's own open, read, write and so on, which come before the C library's for
 * the library under test, too: the calls that it makes of the system can be counted, and any of them
 * made to fail.
 *
 * Included once, before anything else. */
#ifndef INTERPOSE_H
#define INTERPOSE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
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

static struct {
  bool armed;
  fault_kind kind;
  /* Which of the calls that this can befall, from 1; and whether it befalls all behind it, too. */
  long at;
  bool lasting;
  long seen, struck;
  /* Whether a file has been put in place. */
  bool renamed;
} faults;

static void faults_arm(fault_kind kind, long at, bool lasting) {
  faults.kind = kind;
  faults.at = at;
  faults.lasting = lasting;
  faults.seen = faults.struck = 0;
  faults.renamed = false;
  faults.armed = true;
}

static void faults_disarm(void) { faults.armed = false; }

/* Whether this call is one of those that fail. */
static bool fault_strikes(void) {
  faults.seen++;
  const long behind = faults.seen - faults.at;
  /* A call that is interrupted is made again, and must not be interrupted for ever. */
  const bool struck =
      behind == 0 || (faults.lasting && behind > 0 && (faults.kind != FAULT_EINTR || behind % 2 == 0));
  faults.struck += struck;
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
static bool fault_fails(bool can) {
  if (!faults.armed || !can || faults.kind == FAULT_SHORT || !fault_strikes()) {
    return false;
  }
  errno = fault_number();
  return true;
}

/* How much of `size` bytes a call is allowed to move. */
static size_t fault_size(size_t size) {
  if (faults.armed && faults.kind == FAULT_SHORT && size > 1 && fault_strikes()) {
    return size / 2;
  }
  return size;
}

/* What happens where something is written, and what happens everywhere. */
static bool when_writing(void) { return true; }
static bool when_reading(void) { return faults.kind == FAULT_EIO || faults.kind == FAULT_EINTR; }

static int open_file(const char *path, int flags, mode_t mode) {
  if (fault_fails((flags & O_CREAT) != 0 ? when_writing() : when_reading())) {
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

ssize_t read(int file, void *buffer, size_t size) {
  if (fault_fails(when_reading())) {
    return -1;
  }
  return syscall(SYS_read, file, buffer, fault_size(size));
}

ssize_t pread64(int file, void *buffer, size_t size, off64_t offset) {
  if (fault_fails(when_reading())) {
    return -1;
  }
  return syscall(SYS_pread64, file, buffer, fault_size(size), offset);
}

ssize_t write(int file, const void *buffer, size_t size) {
  if (fault_fails(when_writing())) {
    return -1;
  }
  return syscall(SYS_write, file, buffer, fault_size(size));
}

int fsync(int file) {
  if (fault_fails(when_writing())) {
    return -1;
  }
  return (int)syscall(SYS_fsync, file);
}

int rename(const char *from, const char *to) {
  /* The system never interrupts it. */
  if (fault_fails(faults.kind != FAULT_EINTR)) {
    return -1;
  }
  const int status = (int)syscall(SYS_rename, from, to);
  faults.renamed = faults.renamed || (faults.armed && status == 0);
  return status;
}

int fchmod(int file, mode_t mode) {
  if (fault_fails(when_writing())) {
    return -1;
  }
  return (int)syscall(SYS_fchmod, file, mode);
}

int statx(int folder, const char *restrict path, int flags, unsigned mask,
          struct statx *restrict out) {
  if (fault_fails(faults.kind == FAULT_EIO)) {
    return -1;
  }
  return (int)syscall(SYS_statx, folder, path, flags, mask, out);
}

off64_t lseek64(int file, off64_t offset, int from) {
  if (fault_fails(faults.kind == FAULT_EIO)) {
    return -1;
  }
  return syscall(SYS_lseek, file, offset, from);
}

#endif /* INTERPOSE_H */
