// differential.cc: random calls and messages through Caffe2's own library and this one, in one
// process: sizes, planes, bits, bytes, taken or refused. They agree on all but the deliberate
// differences that the README lists, which are looked for case by case and counted.
//
//   CAFFE2_QTENSOR_SEED     where the random numbers start; otherwise a new one each time
//   CAFFE2_QTENSOR_CASES    how many cases (120,000)
//   CAFFE2_QTENSOR_FIRST    the number of the first case (0)
//   CAFFE2_QTENSOR_SECONDS  instead of a number of cases: for so long
#include <chrono>
#include <cinttypes>
#include <random>

#include "call_cases.hpp"
#include "check.hpp"
#include "message_cases.hpp"

static uint64_t setting(const char *name, uint64_t otherwise) {
  const char *const text = getenv(name);
  return text == nullptr ? otherwise : strtoull(text, nullptr, 10);
}

static void run_case(uint64_t seed, uint64_t number, Report *report) {
  // Each case has numbers of its own, so that one can be run alone.
  Random random(Random(seed ^ (number * 0x2545f4914f6cdd1d)).Next());
  report->StartCase(seed, number);
  switch (number % 4) {
    case 0: return CallCase(&random, report, c_handle()).Run();
    case 1: return CallCase(&random, report, dropin_class()).Run();
    default: return MessageCase(&random, report).Run();
  }
}

// What a run of this length meets, unless a check has stopped to see anything.
static const char *const expected[] = {
    "calls that both take",
    "calls that both refuse",
    "tensors serialized by both",
    "messages that both read",
    "messages that both refuse",
    "Int8TensorCPUs that both read",
    "Int8TensorCPUs that both refuse",
    "difference: a blob without a tensor",
    "difference: a dimension beyond int",
    "difference: a precision beyond 255",
    "difference: a precision beyond 32 bits",
    "difference: an axis beyond 32 bits",
    "difference: bit index in GetBitAtIndex",
    "difference: bits before the first write",
    "difference: data beyond a byte",
    "difference: data beyond 32 bits",
    "difference: dim32 out of range",
    "difference: element index",
    "difference: kept fields",
    "difference: more than 64 dimensions",
    "difference: negative dimensions",
    "difference: negative dimensions in a message",
    "difference: no dimensions",
    "difference: overflowing dimensions",
    "difference: overflowing dimensions in a message",
    "difference: refused bit without planes",
    "difference: resize to another size in bytes",
    "difference: size_from_dim of a negative index",
    "difference: size_to_dim of a negative index",
};

int main(int argc, char **argv) {
  begin(argc, argv);
  const uint64_t seed = setting("CAFFE2_QTENSOR_SEED", std::random_device()());
  const uint64_t first = setting("CAFFE2_QTENSOR_FIRST", 0);
  const uint64_t cases = setting("CAFFE2_QTENSOR_CASES", 120000);
  const uint64_t seconds = setting("CAFFE2_QTENSOR_SECONDS", 0);
  printf("seed %" PRIu64 "\n", seed);
  fflush(stdout);

  Report report;
  const auto start = std::chrono::steady_clock::now();
  uint64_t shown = 0;
  for (uint64_t number = first; seconds != 0 || number - first < cases; number++) {
    run_case(seed, number, &report);
    const auto passed = std::chrono::duration_cast<std::chrono::seconds>(
        std::chrono::steady_clock::now() - start);
    const auto elapsed = static_cast<uint64_t>(passed.count());
    if (seconds != 0 && elapsed >= seconds) {
      break;
    }
    if (elapsed / 60 > shown) {
      shown = elapsed / 60;
      printf("%llu cases, %llu disagreements\n", report.cases(), report.disagreements());
      fflush(stdout);
    }
  }
  report.Print();
  printf("%llu cases, %llu disagreements\n", report.cases(), report.disagreements());
  CHECK(report.disagreements() == 0);
  if (report.cases() >= 100000) {
    for (const char *const what : expected) {
      if (report.Count(what) == 0) {
        fprintf(stderr, "never seen: %s\n", what);
      }
      CHECK(report.Count(what) != 0);
    }
  }
  return done();
}
