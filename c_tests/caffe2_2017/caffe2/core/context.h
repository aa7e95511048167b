// context.h: where tensors have their memory.
#ifndef CAFFE2_2017_CONTEXT_H
#define CAFFE2_2017_CONTEXT_H

#include <cstdlib>
#include <utility>

#include "caffe2/core/common.h"

namespace caffe2 {

class CPUContext {
 public:
  typedef void (*MemoryDeleter)(void *);
  static std::pair<void *, MemoryDeleter> New(std::size_t nbytes) {
    return std::pair<void *, MemoryDeleter>(std::calloc(nbytes, 1), &std::free);
  }
};

}  // namespace caffe2

#endif
