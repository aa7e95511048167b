// cpp_out_of_memory.cc: an empty tensor that there is no memory for.
#include "check.hpp"

#include <new>

static qtensor_t *no_memory() { return nullptr; }

// The layer calls this one instead: a real shortage would hit the rest of the program too.
#define qtensor_create no_memory
#include "caffe2_qtensor.hpp"

int main(int argc, char **argv) {
  begin(argc, argv);
  bool threw = false;
  try {
    caffe2_qtensor::Tensor tensor;
  } catch (const std::bad_alloc &) {
    threw = true;
  }
  CHECK(threw);
  return done();
}
