// golden_wire.hpp: the rules for the messages in wire.txt, as those of tests/golden.rs.
#ifndef GOLDEN_WIRE_HPP
#define GOLDEN_WIRE_HPP

#include "golden_text.hpp"

#include <string>

#include "caffe2_qtensor/tensor.hpp"

// What a message that Caffe2 refused, or that lost something there, is refused with here.
inline bool status_is_due(const char *what, qtensor_status status) {
  if (word_is(what, "data_too_long") || word_is(what, "data_too_short") ||
      word_is(what, "dim_beyond_int32") || word_is(what, "dim_zero")) {
    return status == QTENSOR_SHAPE_MISMATCH;
  }
  return word_is(what, "byte_flipped") || status == QTENSOR_MALFORMED;
}

// Whether the messages differ only in what Caffe2 drops and this library keeps: the channels, and
// the data type (field 8), which then is what stands behind their end.
inline bool only_kept_fields_differ(const std::string &ours, const std::string &theirs) {
  caffe2_qtensor::Tensor plain = caffe2_qtensor::Tensor::deserialize(ours);
  const bool had_channels = plain.is_multiparam();
  plain.clear_channels();
  const std::string left = plain.serialize_proto("test");
  const std::string right =
      caffe2_qtensor::Tensor::deserialize(theirs).serialize_proto("test");
  const bool data_type = left.size() > right.size() && left[right.size()] == 0x40;
  return left.compare(0, right.size(), right) == 0 && (data_type || left.size() == right.size()) &&
         (had_channels || data_type);
}

#endif
