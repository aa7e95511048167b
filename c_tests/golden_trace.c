/* golden_trace.c: random sequences of calls, with what the real Caffe2 showed after each.
 *
 * The rules are those of tests/golden.rs. Two things differ on purpose: storage whose size a
 * resize changed is dropped here, and no dimensions always mean size 0.
 */
#include "golden_text.h"

/* What a call came to. */
typedef struct {
  bool threw, answered;
  int64_t answer;
} outcome;

static outcome plain(qtensor_status status) {
  outcome result = {status != QTENSOR_OK, false, 0};
  return result;
}

static outcome answered(qtensor_status status, int64_t answer) {
  outcome result = {status != QTENSOR_OK, status == QTENSOR_OK, answer};
  return result;
}

/* One call, read from the line. `*set_bit` tells whether it was that, and `*bit` which one. */
static outcome run(qtensor_t *tensor, const char *name, bool *stale, bool *set_bit, int *bit) {
  *set_bit = false;
  if (word_is(name, "resize")) {
    size_t ndim;
    int64_t *dims = integers(&ndim);
    outcome result = plain(qtensor_resize(tensor, dims, ndim, NULL));
    free(dims);
    return result;
  }
  if (word_is(name, "set_precision")) {
    *stale = false;
    return plain(qtensor_set_precision(tensor, (uint8_t)integer(), NULL));
  }
  if (word_is(name, "set_signed")) {
    *stale = false;
    return plain(qtensor_set_signed(tensor, integer() != 0, NULL));
  }
  if (word_is(name, "set_bit")) {
    *set_bit = true;
    *bit = (int)integer();
    size_t index = size_word();
    bool value = integer() != 0, seen = !value;
    qtensor_status status = qtensor_set_bit(tensor, (uint8_t)*bit, index, value, NULL);
    if (status == QTENSOR_OK) {
      WORKS(qtensor_get_bit, tensor, (uint8_t)*bit, index, &seen);
      CHECK(seen == value);
    }
    return plain(status);
  }
  int32_t narrow = 0;
  int64_t wide = 0;
  if (word_is(name, "canonical_axis_index")) {
    qtensor_status status =
        qtensor_canonical_axis_index(tensor, (int32_t)integer(), &narrow, NULL);
    return answered(status, narrow);
  }
  if (word_is(name, "size_from_dim")) {
    qtensor_status status = qtensor_size_from_dim(tensor, (int32_t)integer(), &wide, NULL);
    return answered(status, wide);
  }
  if (word_is(name, "size_to_dim")) {
    qtensor_status status = qtensor_size_to_dim(tensor, (int32_t)integer(), &wide, NULL);
    return answered(status, wide);
  }
  CHECK(word_is(name, "nop"));
  return plain(QTENSOR_OK);
}

static void replay(void) {
  qtensor_t *tensor = NULL;
  /* Whether Caffe2 holds storage of another size than the tensor's. */
  bool stale = false;
  open_golden("trace.txt");
  while (next_line()) {
    int before = failures;
    const char *name = word();
    if (word_is(name, "new")) {
      qtensor_free(tensor);
      tensor = qtensor_create();
      stale = false;
      continue;
    }
    size_t nbytes_before = qtensor_nbytes(tensor);
    bool set_bit;
    int bit = 0;
    outcome ours = run(tensor, name, &stale, &set_bit, &bit);
    bool threw = integer() != 0, has_answer = integer() != 0;
    int64_t answer = integer();
    size_t ndim;
    int64_t *dims = integers(&ndim);
    size_t size = size_word(), aligned_size = size_word(), nbytes = size_word();
    int precision = (int)integer();
    bool is_signed = integer() != 0;
    CHECK(qtensor_alignment(tensor) == integer());
    bool had_data = integer() != 0;

    stale = had_data && (stale || qtensor_nbytes(tensor) != nbytes_before);
    bool scalar = qtensor_ndim(tensor) == 0 && size == 1;
    bool legal = bit < qtensor_precision(tensor) + qtensor_is_signed(tensor);
    if (threw && set_bit && legal) {
      /* It could not write to storage that had shrunk; this library can. */
      CHECK(stale);
    } else if (!scalar) {
      CHECK(ours.threw == threw);
    }
    if (ours.answered && has_answer) {
      CHECK(ours.answer == answer);
    }
    CHECK(qtensor_ndim(tensor) == ndim);
    CHECK(ndim == 0 || memcmp(qtensor_dims(tensor), dims, ndim * sizeof *dims) == 0);
    CHECK(qtensor_precision(tensor) == precision);
    CHECK(qtensor_is_signed(tensor) == is_signed);
    if (!scalar) {
      CHECK(qtensor_size(tensor) == size);
      CHECK(qtensor_aligned_size(tensor) == aligned_size);
      CHECK(qtensor_nbytes(tensor) == nbytes);
      CHECK(had_data || qtensor_data(tensor) == NULL);
    }
    free(dims);
    report_line("trace.txt", before);
  }
  qtensor_free(tensor);
  close_golden();
}

int main(int argc, char **argv) {
  begin(argc, argv);
  replay();
  return done();
}
