// dropin_golden_trace.cc: random sequences of calls, with what the real Caffe2 showed after each,
// through the drop-in header.
//
// The rules are those of tests/golden.rs. Two things differ on purpose: storage whose size a
// resize changed is dropped here, and no dimensions always mean size 0.
#define CAFFE2_QTENSOR_STANDALONE
#include "dropin_tensor.hpp"

#include <string>
#include <vector>

// What a call came to.
struct Outcome {
  bool threw;
  bool answered;
  int64_t answer;
};

static Outcome answered(int64_t answer) { return Outcome{false, true, answer}; }

// One call, read from the line. `bit` becomes the one that it set, and stays -1 otherwise.
static Outcome run(CPUTensor &tensor, const std::string &name, bool &drops, int &bit) {
  const Outcome plain = {false, false, 0};
  if (name == "resize") {
    tensor.Resize(integer_list());
  } else if (name == "set_precision") {
    drops = true;
    tensor.SetPrecision(static_cast<unsigned char>(integer()));
  } else if (name == "set_signed") {
    drops = true;
    tensor.SetSigned(integer() != 0);
  } else if (name == "set_bit") {
    bit = static_cast<int>(integer());
    const size_t index = size_word();
    const bool value = integer() != 0;
    tensor.SetBitAtIndex(static_cast<unsigned char>(bit), index, value);
    CHECK(tensor.GetBitAtIndex(static_cast<unsigned char>(bit), index) == value);
  } else if (name == "canonical_axis_index") {
    return answered(tensor.canonical_axis_index(static_cast<int>(integer())));
  } else if (name == "size_from_dim") {
    return answered(tensor.size_from_dim(static_cast<int>(integer())));
  } else if (name == "size_to_dim") {
    return answered(tensor.size_to_dim(static_cast<int>(integer())));
  } else {
    CHECK(name == "nop");
  }
  return plain;
}

static void replay() {
  CPUTensor tensor;
  // Whether Caffe2 holds storage of another size than the tensor's.
  bool stale = false;
  open_golden("trace.txt");
  while (next_line()) {
    const int before = failures;
    const char *const first = word();
    if (word_is(first, "new")) {
      tensor = CPUTensor();
      stale = false;
      continue;
    }
    const size_t nbytes_before = tensor.nbytes();
    const std::string state_before = state_of(tensor);
    bool drops = false;
    int bit = -1;
    Outcome ours;
    try {
      ours = run(tensor, first, drops, bit);
    } catch (const caffe2::EnforceNotMet &) {
      ours = Outcome{true, false, 0};
      CHECK(state_of(tensor) == state_before);
    }
    stale = stale && !drops;
    const bool threw = integer() != 0, has_answer = integer() != 0;
    const int64_t answer = integer();
    const std::vector<int64_t> due = integer_list();
    const std::vector<int> dims(due.begin(), due.end());
    const size_t size = size_word(), aligned_size = size_word(), nbytes = size_word();
    const int precision = static_cast<int>(integer());
    const bool is_signed = integer() != 0;
    CHECK(tensor.alignment() == integer());
    const bool had_data = integer() != 0;

    stale = had_data && (stale || tensor.nbytes() != nbytes_before);
    const bool scalar = tensor.ndim() == 0 && size == 1;
    const bool legal = bit < tensor.precision() + tensor.is_signed();
    if (threw && bit >= 0 && legal) {
      // It could not write to storage that had shrunk; this library can.
      CHECK(stale);
    } else if (!scalar) {
      CHECK(ours.threw == threw);
    }
    CHECK(!(ours.answered && has_answer) || ours.answer == answer);
    CHECK(tensor.dims() == dims && tensor.sizes() == dims);
    CHECK(tensor.precision() == precision && tensor.is_signed() == is_signed);
    if (!scalar) {
      CHECK(tensor.size() == size && tensor.aligned_size() == aligned_size);
      CHECK(tensor.nbytes() == nbytes && (had_data || tensor.data() == nullptr));
    }
    report_line("trace.txt", before);
  }
  close_golden();
}

int main(int argc, char **argv) {
  begin(argc, argv);
  replay();
  return done();
}
