// wire_text.hpp: messages of Caffe2's put together as bytes. A prebuilt Caffe2 hides protobuf's
// functions that change a message.
#ifndef WIRE_TEXT_HPP
#define WIRE_TEXT_HPP

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace wire_text {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) {
    bytes.push_back(static_cast<char>(value | 128));
  }
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

inline std::string tag(unsigned field, unsigned type) { return varint(field << 3 | type); }

inline std::string number(unsigned field, std::uint64_t value) {
  return tag(field, 0) + varint(value);
}

inline std::string bytes(unsigned field, const std::string &payload) {
  return tag(field, 2) + varint(payload.size()) + payload;
}

inline std::string real(unsigned field, double value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  return tag(field, 1) + std::string(raw, sizeof raw);
}

// An OperatorDef that moves blobs to or from a minidb.
inline std::string database_operator(const std::string &type, const std::string &path,
                                     const std::vector<std::string> &blobs) {
  std::string definition;
  for (const std::string &blob : blobs) {
    definition += bytes(type == "Save" ? 1 : 2, blob);
  }
  definition += bytes(4, type);
  definition += bytes(5, bytes(1, "db") + bytes(4, path));
  definition += bytes(5, bytes(1, "db_type") + bytes(4, "minidb"));
  definition += bytes(5, bytes(1, "absolute_path") + number(3, 1));
  return definition;
}

}  // namespace wire_text

#endif
