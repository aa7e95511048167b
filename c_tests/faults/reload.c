/* reload.c: the library comes and goes while the process stays, and goes on working in a child.
 *
 *   reload LIBRARY TIMES
 *
 * LIBRARY is the shared library, which is opened and closed TIMES times. In between it works on
 * threads, and in a process that was forked meanwhile. The line that it says counts, and ends with the
 * pages of memory that the process has won since the loop was warm. */
#define _GNU_SOURCE
#include "caffe2_qtensor.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 200, COLUMNS = 300, VALUES = ROWS * COLUMNS };

/* The functions of one copy of the library, by the types of its header. */
typedef struct {
  __typeof__(qtensor_create_with) *create;
  __typeof__(qtensor_quantize) *quantize;
  __typeof__(qtensor_dequantize) *dequantize;
  __typeof__(qtensor_set_scale) *set_scale;
  __typeof__(qtensor_deserialize) *deserialize;
  __typeof__(qtensor_error_free) *error_free;
  __typeof__(qtensor_free) *free;
} library_t;

static float values[VALUES], found[VALUES];

/* Whether the library does its work: values that are codes come back, and nonsense is refused. */
static int works(const library_t *library) {
  const int64_t dims[2] = {ROWS, COLUMNS};
  qtensor_t *tensor = NULL;
  qtensor_error_t *error = NULL;
  qtensor_quantize_options_t options = {0};
  options.struct_size = sizeof options;
  options.threads = 2;
  memset(found, 0, sizeof found);
  int good = library->create(dims, 2, 6, false, &tensor, NULL) == QTENSOR_OK &&
             library->set_scale(tensor, 0.5, NULL) == QTENSOR_OK &&
             library->quantize(tensor, values, VALUES, &options, NULL, NULL) == QTENSOR_OK &&
             library->dequantize(tensor, found, VALUES, 2, NULL) == QTENSOR_OK &&
             memcmp(values, found, sizeof values) == 0;
  library->free(tensor);
  tensor = NULL;
  good = good &&
         library->deserialize((const uint8_t *)"nonsense", 8, &tensor, &error) ==
             QTENSOR_MALFORMED &&
         tensor == NULL && error != NULL;
  library->error_free(error);
  return good;
}

/* In a child, which inherits what the library knows already. */
static int works_in_child(const library_t *library) {
  const pid_t child = fork();
  if (child == 0) {
    _exit(works(library) ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The process cannot go on without the number: 0 would read as if it had not grown. */
static long resident_pages(void) {
  long pages = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident) != 2) {
    perror("/proc/self/statm");
    exit(EXIT_FAILURE);
  }
  fclose(file);
  return resident;
}

int main(int argc, char **argv) {
  const int times = argc == 3 ? atoi(argv[2]) : 0;
  if (times <= 0) {
    fprintf(stderr, "usage: reload LIBRARY TIMES\n");
    return 2;
  }
  for (int i = 0; i < VALUES; i++) {
    values[i] = (float)(i % 64) * 0.5f;
  }
  long good = 0, forked = 0, unloaded = 0, warm = 0;
  for (int i = 0; i < times; i++) {
    void *handle = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
      fprintf(stderr, "reload: %s\n", dlerror());
      return EXIT_FAILURE;
    }
    library_t library;
    /* ISO C has no conversion from an object's address to a function's. */
    *(void **)&library.create = dlsym(handle, "qtensor_create_with");
    *(void **)&library.quantize = dlsym(handle, "qtensor_quantize");
    *(void **)&library.dequantize = dlsym(handle, "qtensor_dequantize");
    *(void **)&library.set_scale = dlsym(handle, "qtensor_set_scale");
    *(void **)&library.deserialize = dlsym(handle, "qtensor_deserialize");
    *(void **)&library.error_free = dlsym(handle, "qtensor_error_free");
    *(void **)&library.free = dlsym(handle, "qtensor_free");
    good += works(&library);
    if (i % 8 == 0) {
      forked += works_in_child(&library);
      good += works(&library) - 1;
    }
    dlclose(handle);
    handle = dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD);
    unloaded += handle == NULL;
    if (handle != NULL) {
      dlclose(handle);
    }
    if (i == times / 2) {
      warm = resident_pages();
    }
  }
  printf("opened %d worked %ld forked %ld unloaded %ld grown %ld\n", times, good, forked, unloaded,
         resident_pages() - warm);
  return good == times && forked == (times + 7) / 8 ? EXIT_SUCCESS : EXIT_FAILURE;
}
