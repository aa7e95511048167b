// protobuf.hpp: the bytes of a message of Caffe2's.
#ifndef CAFFE2_QTENSOR_DROPIN_PROTOBUF_HPP
#define CAFFE2_QTENSOR_DROPIN_PROTOBUF_HPP

#include <string>

#include "surroundings.hpp"

namespace caffe2 {
CAFFE2_QTENSOR_DROPIN_BEGIN
namespace qtensor_detail {

// Through Caffe2's own function where there is one: a prebuilt Caffe2 hides protobuf's, so that
// client code could not be linked. It is found by its argument's namespace.
template <class Message>
auto BytesOf(const Message& message, int)
    -> decltype(std::string(SerializeAsString_EnforceCheck(message, ""))) {
  return SerializeAsString_EnforceCheck(message, "caffe2_qtensor");
}

template <class Message>
std::string BytesOf(const Message& message, long) {
  return message.SerializeAsString();
}

template <class Message>
std::string BytesOf(const Message& message) {
  // Where a required field is missing, a debug build of protobuf ends the program.
  CAFFE_ENFORCE(message.IsInitialized(), "The message has not all of its required fields.");
  return BytesOf(message, 0);
}

}  // namespace qtensor_detail
CAFFE2_QTENSOR_DROPIN_END
}  // namespace caffe2

#endif  // CAFFE2_QTENSOR_DROPIN_PROTOBUF_HPP
