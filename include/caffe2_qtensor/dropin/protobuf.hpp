// protobuf.hpp: a tensor from a message of Caffe2's that protobuf has read.
#ifndef CAFFE2_QTENSOR_DROPIN_PROTOBUF_HPP
#define CAFFE2_QTENSOR_DROPIN_PROTOBUF_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "../parsed.hpp"
#include "../wire.hpp"
#include "surroundings.hpp"

namespace caffe2 {
CAFFE2_QTENSOR_DROPIN_BEGIN
namespace qtensor_detail {

// A prebuilt Caffe2 hides protobuf's own functions, so that client code which calls them could not be
// linked. Those that read fields are inline, and so are there wherever a compiler optimizes.
#ifdef __OPTIMIZE__
template <class Message>
auto FromMessage(const Message& message, int) -> decltype(message.scales(), static_cast<qtensor_t*>(nullptr)) {
  ::caffe2_qtensor::Parsed parsed;
  // protobuf's 64-bit integer is not always this one.
  const std::vector<std::int64_t> dims(message.dims().begin(), message.dims().end());
  parsed.dims = dims.data();
  parsed.ndim = dims.size();
  parsed.data = message.data().data();
  parsed.data_count = static_cast<std::size_t>(message.data().size());
  parsed.scales = message.scales().data();
  parsed.scale_count = static_cast<std::size_t>(message.scales().size());
  parsed.biases = message.biases().data();
  parsed.bias_count = static_cast<std::size_t>(message.biases().size());
  parsed.scale = message.scale();
  parsed.bias = message.bias();
  parsed.precision = message.precision();
  parsed.is_signed = message.is_signed();
  parsed.has_axis = message.has_axis();
  parsed.axis = message.axis();
  parsed.has_is_multiparam = message.has_is_multiparam();
  parsed.is_multiparam = message.is_multiparam();
  parsed.has_data_type = message.has_data_type();
  parsed.data_type = message.data_type();
  qtensor_t* made = nullptr;
  Call(&qtensor_create_parsed, static_cast<const qtensor_parsed_t*>(&parsed), &made);
  return made;
}

#endif

// Caffe2's own function is there in a prebuilt one too; it is found by its argument's namespace.
template <class Message>
auto BytesOf(const Message& message, int)
    -> decltype(std::string(SerializeAsString_EnforceCheck(message, ""))) {
  return SerializeAsString_EnforceCheck(message, "caffe2_qtensor");
}

template <class Message>
std::string BytesOf(const Message& message, long) {
  return message.SerializeAsString();
}

// The message of a Caffe2 that knew no channels keeps them among its unknown fields, which are seen
// in its bytes alone.
template <class Message>
qtensor_t* FromMessage(const Message& message, long) {
  const std::string bytes = BytesOf(message, 0);
  const auto wire = ::caffe2_qtensor::detail::bytes_of(bytes);
  qtensor_t* made = nullptr;
  Call(&qtensor_deserialize_proto, wire.data(), wire.size(), &made);
  return made;
}

template <class Message>
qtensor_t* FromMessage(const Message& message) {
  // An absent field reads as 0, and to write a message without one ends the program in a debug
  // build of protobuf.
  CAFFE_ENFORCE(message.IsInitialized(), "The message has not all of its required fields.");
  return FromMessage(message, 0);
}

}  // namespace qtensor_detail
CAFFE2_QTENSOR_DROPIN_END
}  // namespace caffe2

#endif  // CAFFE2_QTENSOR_DROPIN_PROTOBUF_HPP
