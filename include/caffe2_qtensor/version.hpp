// version.hpp: which library this program runs with.
#ifndef CAFFE2_QTENSOR_VERSION_HPP
#define CAFFE2_QTENSOR_VERSION_HPP

#include <string>

#include "../caffe2_qtensor.h"

namespace caffe2_qtensor {

// The library's version, "MAJOR.MINOR.PATCH". CAFFE2_QTENSOR_VERSION is the header's.
inline std::string version() { return qtensor_version(); }

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_VERSION_HPP
