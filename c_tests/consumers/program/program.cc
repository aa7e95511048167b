// The program that the consumers build, in C++11: one tensor to Caffe2's bytes and back.
#include <caffe2_qtensor.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

static_assert(__cplusplus == 201103L, "neither the compiler nor the library asks for more");

namespace {

struct Free {
  void operator()(qtensor_t* tensor) const { qtensor_free(tensor); }
};
using Tensor = std::unique_ptr<qtensor_t, Free>;

void check(qtensor_status status, qtensor_error_t* error) {
  if (status != QTENSOR_OK) {
    const std::string message = qtensor_error_message(error);
    qtensor_error_free(error);
    throw std::runtime_error(message);
  }
}

void round_trip() {
  const std::array<std::int64_t, 2> dims = {{2, 3}};
  const std::vector<std::int64_t> codes = {1, -2, 3, -15, 0, 15};
  qtensor_error_t* error = nullptr;
  qtensor_t* made = nullptr;
  check(qtensor_create_with(dims.data(), dims.size(), 4, true, &made, &error), error);
  const Tensor tensor(made);
  check(qtensor_write_codes(tensor.get(), codes.data(), codes.size(), &error), error);

  std::size_t length = 0;
  check(qtensor_serialized_size(tensor.get(), "w", &length, &error), error);
  std::vector<std::uint8_t> blob(length);
  check(qtensor_serialize(tensor.get(), "w", blob.data(), blob.size(), &length, &error), error);
  check(qtensor_deserialize(blob.data(), length, &made, &error), error);
  const Tensor copy(made);

  std::vector<std::int64_t> read(codes.size());
  check(qtensor_read_codes(copy.get(), read.data(), read.size(), &error), error);
  if (read != codes) throw std::runtime_error("other codes came back");
}

}  // namespace

int main() {
  try {
    if (std::string(qtensor_version()) != CAFFE2_QTENSOR_VERSION) {
      throw std::runtime_error("the library and the header are of different versions");
    }
    round_trip();
    return EXIT_SUCCESS;
  } catch (const std::exception& problem) {
    std::cerr << problem.what() << "\n";
    return EXIT_FAILURE;
  }
}
