// logging.h: Caffe2's name for c10's exception.
#pragma once

#include "c10/util/Exception.h"

namespace c10 {
using EnforceNotMet = ::c10::Error;
}  // namespace c10

namespace caffe2 {
using ::c10::EnforceNotMet;
}  // namespace caffe2
