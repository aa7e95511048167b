// cpp_golden_trace.cc: the golden sequences of calls through the C++ layer.
#include "golden_trace.hpp"
#include "state.hpp"

#include <string>
#include <vector>

#include "caffe2_qtensor.hpp"

struct Calls {
  typedef caffe2_qtensor::Tensor Tensor;
  typedef caffe2_qtensor::Error Refusal;
  static void resize(Tensor &tensor, const std::vector<int64_t> &dims) { tensor.resize(dims); }
  static void set_precision(Tensor &tensor, int precision) {
    tensor.set_precision(precision);
  }
  static void set_signed(Tensor &tensor, bool is_signed) { tensor.set_signed(is_signed); }
  static void set_bit(Tensor &tensor, int bit, size_t index, bool value) {
    tensor.set_bit(bit, index, value);
  }
  static bool get_bit(const Tensor &tensor, int bit, size_t index) {
    return tensor.get_bit(bit, index);
  }
  static std::vector<int64_t> dims(const Tensor &tensor) {
    return std::vector<int64_t>(tensor.dims().begin(), tensor.dims().end());
  }
  static bool has_planes(const Tensor &tensor) { return !tensor.planes().empty(); }
  static std::string state(const Tensor &tensor) { return state_of(tensor); }
};

int main(int argc, char **argv) {
  begin(argc, argv);
  replay_golden_trace<Calls>();
  return done();
}
