// The program that the consumers build, in C++11: one tensor to Caffe2's bytes and back.
#include <caffe2_qtensor.hpp>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

static_assert(__cplusplus == 201103L, "neither the compiler nor the library asks for more");

int main() {
  try {
    if (caffe2_qtensor::version() != CAFFE2_QTENSOR_VERSION) {
      throw std::runtime_error("the library and the header are of different versions");
    }
    const std::vector<std::int64_t> codes = {1, -2, 3, -15, 0, 15};
    caffe2_qtensor::Tensor tensor({2, 3}, 4, true);
    tensor.write_codes(codes);
    const std::string blob = tensor.serialize("w");
    if (caffe2_qtensor::Tensor::deserialize(blob).codes<std::int64_t>() != codes) {
      throw std::runtime_error("other codes came back");
    }
    // An exception goes through code that was compiled elsewhere.
    try {
      caffe2_qtensor::Tensor::deserialize(blob.substr(1));
      throw std::runtime_error("damage was not seen");
    } catch (const caffe2_qtensor::Error& refusal) {
      std::cout << refusal.what() << "\n";
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& problem) {
    std::cerr << problem.what() << "\n";
    return EXIT_FAILURE;
  }
}
