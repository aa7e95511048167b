// tensor.h: dimensions.
#pragma once

#include "c10/util/ArrayRef.h"
#include "caffe2/core/common.h"
