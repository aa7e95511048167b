// golden_trace.hpp: random sequences of calls, with what the real Caffe2 showed after each,
// replayed through a class in C++.
//
// The rules are those of tests/golden.rs. Two things differ on purpose: storage whose size a
// resize changed is dropped here, and no dimensions always mean size 0.
//
// `Calls` says how the class is called: its types Tensor and Refusal, what it throws; resize,
// set_precision, set_signed, set_bit, get_bit; dims, as a std::vector<int64_t>; has_planes; state,
// by which two tensors can be compared.
#ifndef GOLDEN_TRACE_HPP
#define GOLDEN_TRACE_HPP

#include "golden_text.hpp"

#include <string>
#include <vector>

// What a call came to.
struct Outcome {
  bool threw;
  bool answered;
  int64_t answer;
};

inline Outcome answered(int64_t answer) { return Outcome{false, true, answer}; }

// One call, read from the line. `bit` becomes the one that it set, and stays -1 otherwise.
template <class Calls>
Outcome run(typename Calls::Tensor &tensor, const std::string &name, bool &drops, int &bit) {
  const Outcome plain = {false, false, 0};
  if (name == "resize") {
    Calls::resize(tensor, integer_list());
  } else if (name == "set_precision") {
    drops = true;
    Calls::set_precision(tensor, static_cast<int>(integer()));
  } else if (name == "set_signed") {
    drops = true;
    Calls::set_signed(tensor, integer() != 0);
  } else if (name == "set_bit") {
    bit = static_cast<int>(integer());
    const size_t index = size_word();
    const bool value = integer() != 0;
    Calls::set_bit(tensor, bit, index, value);
    CHECK(Calls::get_bit(tensor, bit, index) == value);
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

template <class Calls>
void replay_golden_trace() {
  typename Calls::Tensor tensor;
  // Whether Caffe2 holds storage of another size than the tensor's.
  bool stale = false;
  open_golden("trace.txt");
  while (next_line()) {
    const int before = failures;
    const char *const first = word();
    if (word_is(first, "new")) {
      tensor = typename Calls::Tensor();
      stale = false;
      continue;
    }
    const size_t nbytes_before = tensor.nbytes();
    const std::string state_before = Calls::state(tensor);
    bool drops = false;
    int bit = -1;
    Outcome ours;
    try {
      ours = run<Calls>(tensor, first, drops, bit);
    } catch (const typename Calls::Refusal &) {
      ours = Outcome{true, false, 0};
      CHECK(Calls::state(tensor) == state_before);
    }
    stale = stale && !drops;
    const bool threw = integer() != 0, has_answer = integer() != 0;
    const int64_t answer = integer();
    const std::vector<int64_t> dims = integer_list();
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
    CHECK(Calls::dims(tensor) == dims);
    CHECK(tensor.precision() == precision && tensor.is_signed() == is_signed);
    if (!scalar) {
      CHECK(tensor.size() == size && tensor.aligned_size() == aligned_size);
      CHECK(tensor.nbytes() == nbytes && (had_data || !Calls::has_planes(tensor)));
    }
    report_line("trace.txt", before);
  }
  close_golden();
}

#endif
