// context.h: where tensors have their memory.
#pragma once

#include <cstdlib>
#include <memory>

#include "caffe2/core/common.h"

namespace at {
using DataPtr = std::unique_ptr<void, void (*)(void *)>;
}  // namespace at

namespace caffe2 {

class CPUContext final {
 public:
  static at::DataPtr New(std::size_t nbytes) {
    return at::DataPtr(std::calloc(nbytes, 1), &std::free);
  }
};

}  // namespace caffe2
