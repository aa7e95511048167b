/* check.h: what every test program uses. It is C and C++; check.hpp adds what only C++ has.
 *
 * A program is run as `program DATA TEXT SCRATCH`: the folder tests/data, the folder with the
 * golden files as plain text, and an empty folder to write to. It ends with `return done();`.
 *
 * Fallible functions are called through the macros below, without their last argument:
 *   WORKS(function, arguments...)             returns QTENSOR_OK and leaves *error alone;
 *   REFUSES(STATUS, function, arguments...)   returns STATUS, with and without an error object;
 *   NULL_CALL(function, "name", arguments...) the argument of that name is NULL, and the message
 *                                             says so;
 *   NULL_OPTIONS(function, arguments...)      the argument `options` is NULL: the defaults;
 *   NULL_FORMAT(function, arguments...)       the argument `format` is NULL: the default one;
 *   NULL_COUNTS(function, arguments...)       the argument `counts` is NULL: nothing is counted;
 *   NULL_CONTEXT(function, arguments...)      the argument `context` is NULL, and is passed on.
 * Functions that cannot fail: NULL_ANSWER(function, answer, arguments...), NULL_FREE(function).
 * tests/c_interface.rs looks for these names, so that no function goes without its NULLs.
 *
 * After a refusal SAYS("text") looks for a text in its message.
 */
#ifndef CHECK_H
#define CHECK_H

#include "caffe2_qtensor.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *data_folder, *text_folder, *scratch_folder;
static int failures;
static long checks;

/* What `error` and output pointers hold before a call that must leave them alone. */
static char untouched_object;
#define UNTOUCHED ((void *)&untouched_object)

static qtensor_error_t *error;
static char message[1024];

static inline void check(bool holds, const char *what, const char *file, int line) {
  checks++;
  if (!holds) {
    failures++;
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    if (failures == 20) {
      fprintf(stderr, "%s: enough.\n", file);
      exit(1);
    }
  }
}

#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

static inline void check_works(qtensor_status status, const char *call, const char *file,
                               int line) {
  check(status == QTENSOR_OK, call, file, line);
  if (status == QTENSOR_OK) {
    check(error == UNTOUCHED, "*error is left alone on success", file, line);
  } else {
    fprintf(stderr, "  status %d: %s\n", (int)status, qtensor_error_message(error));
    qtensor_error_free(error);
  }
}

/* A sentence: a capital first, a full stop last, one line, nothing unprintable. */
static inline bool is_sentence(const char *text) {
  size_t length = strlen(text);
  if (length < 10 || !isupper((unsigned char)text[0]) || text[length - 1] != '.') {
    return false;
  }
  for (size_t i = 0; i < length; i++) {
    if (iscntrl((unsigned char)text[i])) {
      return false;
    }
  }
  return true;
}

static inline void check_refused(qtensor_status expected, qtensor_status status, const char *call,
                                 const char *file, int line) {
  check(status == expected, call, file, line);
  if (status != expected) {
    fprintf(stderr, "  status %d where %d is due\n", (int)status, (int)expected);
  }
  message[0] = '\0';
  if (status == QTENSOR_OK) {
    return;
  }
  check(error != NULL && error != UNTOUCHED, "an error object is given", file, line);
  if (error != NULL && error != UNTOUCHED) {
    const char *text = qtensor_error_message(error);
    check(qtensor_error_code(error) == status, "the object has the status", file, line);
    check(text != NULL && is_sentence(text), "the message is a sentence", file, line);
    snprintf(message, sizeof message, "%s", text == NULL ? "" : text);
    if (text == NULL || !is_sentence(text)) {
      fprintf(stderr, "  %s\n", message);
    }
    qtensor_error_free(error);
  }
}

static inline void check_says(const char *text, const char *file, int line) {
  bool said = strstr(message, text) != NULL;
  check(said, "the message says what it should", file, line);
  if (!said) {
    fprintf(stderr, "  no '%s' in: %s\n", text, message);
  }
}

#define SAYS(text) check_says((text), __FILE__, __LINE__)

#define WORKS(function, ...) \
  (error = (qtensor_error_t *)UNTOUCHED, \
   check_works(function(__VA_ARGS__, &error), #function "(" #__VA_ARGS__ ")", __FILE__, __LINE__))

#define REFUSES(status, function, ...) \
  (CHECK(function(__VA_ARGS__, NULL) == (status)), error = (qtensor_error_t *)UNTOUCHED, \
   check_refused((status), function(__VA_ARGS__, &error), #function "(" #__VA_ARGS__ ")", \
                 __FILE__, __LINE__))

#define NULL_CALL(function, argument, ...) \
  (REFUSES(QTENSOR_NULL_ARGUMENT, function, __VA_ARGS__), SAYS("'" argument "'"), SAYS("NULL"))

#define NULL_OPTIONS(function, ...) WORKS(function, __VA_ARGS__)
#define NULL_FORMAT(function, ...) WORKS(function, __VA_ARGS__)
#define NULL_COUNTS(function, ...) WORKS(function, __VA_ARGS__)
#define NULL_CONTEXT(function, ...) WORKS(function, __VA_ARGS__)

#define NULL_ANSWER(function, answer, ...) CHECK(function(__VA_ARGS__) == (answer))

#define NULL_FREE(function) (function(NULL), checks++)

/* Takes the program's arguments. */
static inline void begin(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: %s DATA TEXT SCRATCH\n", argv[0]);
    exit(2);
  }
  data_folder = argv[1];
  text_folder = argv[2];
  scratch_folder = argv[3];
}

/* The program's exit status. */
static inline int done(void) {
  printf("%ld checks, %d failures\n", checks, failures);
  return failures == 0 && checks > 0 ? 0 : 1;
}

/* The path of a file; valid until the call after the next three. */
static inline const char *path_in(const char *folder, const char *file) {
  static char paths[4][4096];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, file);
  return path;
}

static inline void *allocate(size_t size) {
  void *memory = malloc(size == 0 ? 1 : size);
  if (memory == NULL) {
    fprintf(stderr, "out of memory\n");
    exit(2);
  }
  return memory;
}

/* A whole file, with a NUL behind it; to be freed. */
static inline uint8_t *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
    perror(path);
    exit(2);
  }
  *length = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = (uint8_t *)allocate(*length + 1);
  if (fread(bytes, 1, *length, file) != *length) {
    perror(path);
    exit(2);
  }
  fclose(file);
  bytes[*length] = 0;
  return bytes;
}

static inline void write_file(const char *path, const void *bytes, size_t length) {
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) {
    perror(path);
    exit(2);
  }
}

static inline bool file_exists(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file != NULL) {
    fclose(file);
  }
  return file != NULL;
}

/* Whether all bytes have this value: a buffer that was left alone. */
static inline bool all_bytes(const void *buffer, int value, size_t length) {
  const uint8_t *bytes = (const uint8_t *)buffer;
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] != (uint8_t)value) {
      return false;
    }
  }
  return true;
}

static inline bool same_text(const char *bytes, size_t length, const char *expected) {
  return length == strlen(expected) && memcmp(bytes, expected, length) == 0;
}

/* A tensor with these dimensions. */
static inline qtensor_t *make_tensor(const int64_t *dims, size_t ndim, uint8_t precision,
                                     bool is_signed) {
  qtensor_t *tensor = NULL;
  WORKS(qtensor_create_with, dims, ndim, precision, is_signed, &tensor);
  return tensor;
}

#endif
