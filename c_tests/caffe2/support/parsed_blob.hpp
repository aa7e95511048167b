// parsed_blob.hpp: what the real DeserializeBlob makes of bytes, looked at before any class gets it.
#ifndef PARSED_BLOB_HPP
#define PARSED_BLOB_HPP

#include <cstdint>
#include <string>
#include <vector>

struct ParsedBlob {
  bool parses;  // and has all required fields; the others are set only then
  std::string type;
  bool has_tensor;
  std::int64_t precision;
  std::vector<std::int64_t> dims;
  bool is_signed;
  std::vector<std::int32_t> data;
  bool has_kept_fields;  // those that Caffe2 drops and this library keeps
};
ParsedBlob parse_blob(const std::string &bytes);

// An Int8TensorCPU blob, as the real Caffe2 reads it; throws where that does.
struct SeenInt8 {
  float scale;
  std::int32_t zero_point;
  std::vector<std::int64_t> dims;
  std::vector<std::int64_t> values;
};
SeenInt8 read_int8(const std::string &bytes);

#endif
