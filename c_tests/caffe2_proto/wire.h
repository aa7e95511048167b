// wire.h: the protobuf wire format, as far as the messages beside it need it.
#ifndef CAFFE2_PROTO_WIRE_H
#define CAFFE2_PROTO_WIRE_H

#include <cstdint>
#include <cstring>
#include <string>

namespace wire {

enum Type { VARINT = 0, FIXED64 = 1, BYTES = 2, GROUP = 3, END_GROUP = 4, FIXED32 = 5 };

// Takes values from the front of a string that outlives it. A call that returns false found
// damage, after which the reader is of no more use.
class Reader {
 public:
  Reader(const char *begin, const char *end) : at_(begin), end_(end) {}
  explicit Reader(const std::string &bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool done() const { return at_ == end_; }
  const char *at() const { return at_; }
  std::string rest() const { return std::string(at_, end_); }

  bool Varint(std::uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (at_ == end_) {
        return false;
      }
      const unsigned char byte = static_cast<unsigned char>(*at_++);
      *value |= shift == 63 ? static_cast<std::uint64_t>(byte & 1u) << shift
                            : static_cast<std::uint64_t>(byte & 0x7fu) << shift;
      if (byte < 0x80) {
        return true;
      }
    }
    return false;
  }

  bool Tag(std::uint32_t *field, Type *type) {
    std::uint64_t tag = 0;
    if (!Varint(&tag) || tag > 0xffffffffu || tag >> 3 == 0 || (tag & 7) > FIXED32) {
      return false;
    }
    *field = static_cast<std::uint32_t>(tag >> 3);
    *type = static_cast<Type>(tag & 7);
    return true;
  }

  bool Double(double *value) {
    const char *const from = at_;
    if (!Forward(sizeof *value)) {
      return false;
    }
    std::memcpy(value, from, sizeof *value);
    return true;
  }

  // A reader over the bytes of a string, a message or a packed list.
  bool Bytes(Reader *bytes) {
    std::uint64_t length = 0;
    if (!Varint(&length)) {
      return false;
    }
    const char *const from = at_;
    if (!Forward(length)) {
      return false;
    }
    *bytes = Reader(from, at_);
    return true;
  }

  // Goes past the value behind a tag.
  bool Skip(std::uint32_t field, Type type, int depth = 0) {
    std::uint64_t ignored = 0;
    Reader bytes(at_, at_);
    switch (type) {
      case VARINT: return Varint(&ignored);
      case FIXED64: return Forward(8);
      case FIXED32: return Forward(4);
      case BYTES: return Bytes(&bytes);
      case GROUP: return depth < 100 && SkipGroup(field, depth + 1);
      case END_GROUP: break;
    }
    return false;
  }

 private:
  bool Forward(std::uint64_t count) {
    if (count > static_cast<std::uint64_t>(end_ - at_)) {
      return false;
    }
    at_ += count;
    return true;
  }

  bool SkipGroup(std::uint32_t group, int depth) {
    std::uint32_t field = 0;
    Type type = VARINT;
    while (Tag(&field, &type)) {
      if (type == END_GROUP) {
        return field == group;
      }
      if (!Skip(field, type, depth)) {
        return false;
      }
    }
    return false;
  }

  const char *at_;
  const char *end_;
};

inline void WriteVarint(std::uint64_t value, std::string *out) {
  for (; value > 0x7f; value >>= 7) {
    out->push_back(static_cast<char>(0x80 | (value & 0x7f)));
  }
  out->push_back(static_cast<char>(value));
}

inline void WriteTag(std::uint32_t field, Type type, std::string *out) {
  WriteVarint(static_cast<std::uint64_t>(field) << 3 | type, out);
}

inline void WriteInteger(std::uint32_t field, std::int64_t value, std::string *out) {
  WriteTag(field, VARINT, out);
  WriteVarint(static_cast<std::uint64_t>(value), out);
}

inline void WriteDouble(std::uint32_t field, double value, std::string *out) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  WriteTag(field, FIXED64, out);
  out->append(bytes, sizeof bytes);
}

inline void WriteBytes(std::uint32_t field, const std::string &bytes, std::string *out) {
  WriteTag(field, BYTES, out);
  WriteVarint(bytes.size(), out);
  out->append(bytes);
}

}  // namespace wire

#endif
