// state.hpp: that a refused call leaves a tensor as it was.
#ifndef STATE_HPP
#define STATE_HPP

#include "check.hpp"

#include <string>

#include "caffe2_qtensor/tensor_ref.hpp"

// All that can be seen of a tensor. That it has planes is no part of what is serialized.
inline std::string state_of(caffe2_qtensor::TensorRef tensor) {
  if (tensor.get() == nullptr) {
    return "none";
  }
  return tensor.serialize("") + (tensor.planes().empty() ? "0" : "1");
}

// THROWS, and the tensor is as it was.
#define REFUSED(tensor, status, text, ...) \
  do { \
    const std::string before_call = state_of(tensor); \
    THROWS((status), (text), __VA_ARGS__); \
    CHECK(state_of(tensor) == before_call); \
  } while (false)

#endif
