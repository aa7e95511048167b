// common.h: of a Caffe2 of 2021, no more than the drop-in headers and their clients need. The
// other headers in this folder are its others, in the same shape.
#pragma once

#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace caffe2 {

using std::set;
using std::string;
using std::unique_ptr;
using std::vector;

}  // namespace caffe2
