/* golden_text.h: reads the golden files as text: words with blanks between them, one line each.
 * It is C and C++; golden_text.hpp adds what spares C++ the freeing.
 *
 * tests/support/golden_text.rs writes them from the .jsonl files in tests/data. A string of bytes
 * is spelled in hexadecimal, none of them as "-"; a list is its length and then its members.
 */
#ifndef GOLDEN_TEXT_H
#define GOLDEN_TEXT_H

#include "check.h"

typedef struct {
  uint8_t *bytes;
  size_t length;
} byte_string;

static char *golden_text, *golden_at;
static int golden_line;

static inline void open_golden(const char *file) {
  size_t length;
  golden_text = golden_at = (char *)read_file(path_in(text_folder, file), &length);
  golden_line = 0;
}

static inline void close_golden(void) {
  CHECK(golden_line > 0);
  free(golden_text);
}

/* Steps to the next line, if there is one. */
static inline bool next_line(void) {
  while (*golden_at == '\n' || *golden_at == ' ') {
    golden_at++;
  }
  golden_line++;
  return *golden_at != '\0';
}

static inline char *word(void) {
  while (*golden_at == ' ') {
    golden_at++;
  }
  char *start = golden_at;
  while (*golden_at != ' ' && *golden_at != '\n' && *golden_at != '\0') {
    golden_at++;
  }
  if (start == golden_at) {
    fprintf(stderr, "line %d of the golden text ends early\n", golden_line);
    exit(2);
  }
  if (*golden_at == ' ') {
    *golden_at++ = '\0';
  }
  return start;
}

/* The last word of a line ends at its newline. */
static inline bool word_is(const char *text, const char *expected) {
  size_t length = strlen(expected);
  return strncmp(text, expected, length) == 0 && (text[length] == '\0' || text[length] == '\n');
}

static inline int64_t integer(void) {
  return strtoll(word(), NULL, 10);
}

static inline size_t size_word(void) {
  return (size_t)strtoull(word(), NULL, 10);
}

static inline uint64_t bits(void) {
  return strtoull(word(), NULL, 16);
}

static inline double double_of_bits(uint64_t pattern) {
  double value;
  memcpy(&value, &pattern, sizeof value);
  return value;
}

static inline float float_of_bits(uint64_t pattern) {
  uint32_t narrow = (uint32_t)pattern;
  float value;
  memcpy(&value, &narrow, sizeof value);
  return value;
}

/* A list of integers; to be freed. */
static inline int64_t *integers(size_t *count) {
  *count = size_word();
  int64_t *list = (int64_t *)allocate(*count * sizeof *list);
  for (size_t i = 0; i < *count; i++) {
    list[i] = integer();
  }
  return list;
}

static inline int digit(char of) {
  return of >= 'a' ? of - 'a' + 10 : of - '0';
}

/* A string of bytes, with a NUL behind it; to be freed. */
static inline byte_string hex(void) {
  char *text = word();
  size_t digits = 0;
  while (isxdigit((unsigned char)text[digits])) {
    digits++;
  }
  byte_string string = {(uint8_t *)allocate(digits / 2 + 1), digits / 2};
  for (size_t i = 0; i < string.length; i++) {
    string.bytes[i] = (uint8_t)(digit(text[2 * i]) * 16 + digit(text[2 * i + 1]));
  }
  string.bytes[string.length] = '\0';
  return string;
}

static inline bool same_bytes(const void *bytes, size_t length, byte_string expected) {
  return length == expected.length && (length == 0 || memcmp(bytes, expected.bytes, length) == 0);
}

typedef qtensor_status (*size_function)(const qtensor_t *, const char *, size_t *,
                                        qtensor_error_t **);
typedef qtensor_status (*write_function)(const qtensor_t *, const char *, uint8_t *, size_t,
                                         size_t *, qtensor_error_t **);

/* A tensor's bytes, in one of the three forms; to be freed. */
static inline byte_string bytes_as(size_function measure, write_function write,
                                   const qtensor_t *tensor, const char *name) {
  byte_string string = {NULL, 0};
  size_t written = 0;
  WORKS(measure, tensor, name, &string.length);
  string.bytes = (uint8_t *)allocate(string.length);
  WORKS(write, tensor, name, string.bytes, string.length, &written);
  CHECK(written == string.length);
  return string;
}

static inline byte_string blob_of(const qtensor_t *tensor, const char *name) {
  return bytes_as(qtensor_serialized_size, qtensor_serialize, tensor, name);
}

static inline byte_string proto_of(const qtensor_t *tensor, const char *name) {
  return bytes_as(qtensor_serialized_size_proto, qtensor_serialize_proto, tensor, name);
}

static inline byte_string int8_of(const qtensor_t *tensor, const char *name) {
  return bytes_as(qtensor_serialized_size_int8, qtensor_serialize_int8, tensor, name);
}

/* Says which line a failure belongs to. */
static inline void report_line(const char *file, int failures_before) {
  if (failures > failures_before) {
    fprintf(stderr, "  at line %d of %s\n", golden_line, file);
  }
}

#endif
