// enforce_not_met.hpp: what Caffe2 throws, where there is no Caffe2 to bring it.
//
// Only for CAFFE2_QTENSOR_STANDALONE.
#ifndef CAFFE2_QTENSOR_DROPIN_ENFORCE_NOT_MET_HPP
#define CAFFE2_QTENSOR_DROPIN_ENFORCE_NOT_MET_HPP

#include <string>

#include "../error.hpp"

namespace caffe2 {
// Another class than that of a Caffe2 which the same program may have loaded.
inline namespace qtensor_standalone {

// Carries the status too, and has the members that callers of Caffe2's use.
class EnforceNotMet : public ::caffe2_qtensor::Error {
 public:
  explicit EnforceNotMet(const ::caffe2_qtensor::Error& error) : Error(error) {}

  std::string msg() const { return what(); }
  const char* what_without_backtrace() const noexcept { return what(); }
};

}  // namespace qtensor_standalone
}  // namespace caffe2

namespace c10 {

// Its name in client code of 2019 and later.
typedef ::caffe2::EnforceNotMet Error;

}  // namespace c10

#endif  // CAFFE2_QTENSOR_DROPIN_ENFORCE_NOT_MET_HPP
