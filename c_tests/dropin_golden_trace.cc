// dropin_golden_trace.cc: the golden sequences of calls through the drop-in header.
#define CAFFE2_QTENSOR_STANDALONE
#include "dropin_tensor.hpp"
#include "golden_trace.hpp"

#include <string>
#include <vector>

struct Calls {
  typedef CPUTensor Tensor;
  typedef caffe2::EnforceNotMet Refusal;
  static void resize(Tensor &tensor, const std::vector<int64_t> &dims) { tensor.Resize(dims); }
  static void set_precision(Tensor &tensor, int precision) {
    tensor.SetPrecision(static_cast<unsigned char>(precision));
  }
  static void set_signed(Tensor &tensor, bool is_signed) { tensor.SetSigned(is_signed); }
  static void set_bit(Tensor &tensor, int bit, size_t index, bool value) {
    tensor.SetBitAtIndex(static_cast<unsigned char>(bit), index, value);
  }
  static bool get_bit(const Tensor &tensor, int bit, size_t index) {
    return tensor.GetBitAtIndex(static_cast<unsigned char>(bit), index);
  }
  static std::vector<int64_t> dims(const Tensor &tensor) {
    CHECK(tensor.sizes() == tensor.dims());
    return std::vector<int64_t>(tensor.dims().begin(), tensor.dims().end());
  }
  static bool has_planes(const Tensor &tensor) { return tensor.data() != nullptr; }
  static std::string state(const Tensor &tensor) { return state_of(tensor); }
};

int main(int argc, char **argv) {
  begin(argc, argv);
  replay_golden_trace<Calls>();
  return done();
}
