// messages.h: QTensorProto and BlobProto as protobuf's generated classes show them, for the
// Caffe2 of either age. They keep unknown fields, write known ones in ascending order, and are
// read only where all required fields are there.
//
// CAFFE2_PROTO_AGE is 2017, whose QTensorProto ends with field 7, or 2021. A Caffe2 of 2021 is
// prebuilt and hides protobuf's functions: there SerializeAsString has no definition, so that
// programs that call it do not link.
#ifndef CAFFE2_PROTO_MESSAGES_H
#define CAFFE2_PROTO_MESSAGES_H

#include <cstdint>
#include <string>
#include <vector>

#include "wire.h"

namespace google {
namespace protobuf {

class MessageLite {
 public:
  virtual ~MessageLite() {}
  virtual void Clear() = 0;
  virtual bool IsInitialized() const = 0;

  bool ParseFromString(const std::string &bytes) {
    Clear();
    return MergeFrom(wire::Reader(bytes)) && IsInitialized();
  }

#if CAFFE2_PROTO_AGE >= 2021
  std::string SerializeAsString() const;
#else
  std::string SerializeAsString() const { return ToBytes(); }
#endif

  // Not protobuf's: for the Caffe2 around this message.
  std::string ToBytes() const {
    std::string bytes;
    Write(&bytes);
    return bytes + unknown_;
  }
  bool MergeFrom(wire::Reader reader) {
    while (!reader.done()) {
      const char *const start = reader.at();
      std::uint32_t field = 0;
      wire::Type type = wire::VARINT;
      bool known = true;
      if (!reader.Tag(&field, &type)) {
        return false;
      }
      if (!Read(field, type, &reader, &known)) {
        return false;
      }
      if (!known) {
        if (!reader.Skip(field, type)) {
          return false;
        }
        unknown_.append(start, reader.at());
      }
    }
    return true;
  }

 protected:
  // Reads the value of a field of that type, or sets *known to false and reads nothing.
  virtual bool Read(std::uint32_t field, wire::Type type, wire::Reader *reader, bool *known) = 0;
  virtual void Write(std::string *out) const = 0;

  std::string unknown_;
};

}  // namespace protobuf
}  // namespace google

namespace caffe2 {

// A field that may be absent.
template <class Value>
struct OptionalField {
  bool present = false;
  Value value = Value();

  bool Set(Value set) {
    value = set;
    return present = true;
  }
};

class QTensorProto : public ::google::protobuf::MessageLite {
 public:
  int dims_size() const { return static_cast<int>(dims_.size()); }
  std::int64_t dims(int i) const { return dims_[static_cast<std::size_t>(i)]; }
  const std::vector<std::int64_t> &dims() const { return dims_; }
  std::int32_t precision() const { return precision_.value; }
  double scale() const { return scale_.value; }
  double bias() const { return bias_.value; }
  bool is_signed() const { return is_signed_.value; }
  int data_size() const { return static_cast<int>(data_.size()); }
  const std::vector<std::int32_t> &data() const { return data_; }
  const std::string &name() const { return name_.value; }
#if CAFFE2_PROTO_AGE >= 2021
  const std::vector<double> &scales() const { return scales_; }
  const std::vector<double> &biases() const { return biases_; }
  bool has_axis() const { return axis_.present; }
  std::int32_t axis() const { return axis_.value; }
  bool has_is_multiparam() const { return is_multiparam_.present; }
  bool is_multiparam() const { return is_multiparam_.value; }
  bool has_data_type() const { return data_type_.present; }
  std::int32_t data_type() const { return data_type_.value; }
#endif

  void Clear() override { *this = QTensorProto(); }
  bool IsInitialized() const override {
    return precision_.present && scale_.present && bias_.present && is_signed_.present;
  }

 protected:
  bool Read(std::uint32_t field, wire::Type type, wire::Reader *reader, bool *known) override {
    double real = 0;
    switch (field << 3 | type) {
      case 1 << 3 | wire::VARINT:
      case 1 << 3 | wire::BYTES: return ReadIntegers(type, reader, &dims_);
      case 2 << 3 | wire::VARINT: return ReadInteger(reader, &precision_);
      case 3 << 3 | wire::FIXED64: return reader->Double(&real) && scale_.Set(real);
      case 4 << 3 | wire::FIXED64: return reader->Double(&real) && bias_.Set(real);
      case 5 << 3 | wire::VARINT: return ReadInteger(reader, &is_signed_);
      case 6 << 3 | wire::VARINT:
      case 6 << 3 | wire::BYTES: return ReadIntegers(type, reader, &data_);
      case 7 << 3 | wire::BYTES: return ReadBytes(reader, &name_);
#if CAFFE2_PROTO_AGE >= 2021
      case 8 << 3 | wire::VARINT: return ReadInteger(reader, &data_type_);
      case 9 << 3 | wire::FIXED64: return ReadDouble(reader, &scales_);
      case 10 << 3 | wire::FIXED64: return ReadDouble(reader, &biases_);
      case 11 << 3 | wire::VARINT: return ReadInteger(reader, &axis_);
      case 12 << 3 | wire::VARINT: return ReadInteger(reader, &is_multiparam_);
#endif
      default: *known = false; return true;
    }
  }

  void Write(std::string *out) const override {
    for (const std::int64_t dim : dims_) {
      wire::WriteInteger(1, dim, out);
    }
    WriteInteger(2, precision_, out);
    if (scale_.present) {
      wire::WriteDouble(3, scale_.value, out);
    }
    if (bias_.present) {
      wire::WriteDouble(4, bias_.value, out);
    }
    WriteInteger(5, is_signed_, out);
    if (!data_.empty()) {
      std::string packed;
      for (const std::int32_t value : data_) {
        wire::WriteVarint(static_cast<std::uint64_t>(static_cast<std::int64_t>(value)), &packed);
      }
      wire::WriteBytes(6, packed, out);
    }
    if (name_.present) {
      wire::WriteBytes(7, name_.value, out);
    }
#if CAFFE2_PROTO_AGE >= 2021
    WriteInteger(8, data_type_, out);
    for (const double scale : scales_) {
      wire::WriteDouble(9, scale, out);
    }
    for (const double bias : biases_) {
      wire::WriteDouble(10, bias, out);
    }
    WriteInteger(11, axis_, out);
    WriteInteger(12, is_multiparam_, out);
#endif
  }

 private:
  template <class Value>
  static bool ReadInteger(wire::Reader *reader, OptionalField<Value> *field) {
    std::uint64_t value = 0;
    // As protobuf does: a bool is whether it is not 0, and other bits are lost.
    return reader->Varint(&value) && field->Set(static_cast<Value>(value));
  }

  template <class Value>
  static void WriteInteger(std::uint32_t number, const OptionalField<Value> &field,
                           std::string *out) {
    if (field.present) {
      wire::WriteInteger(number, field.value, out);
    }
  }

  // A list may come packed or not.
  template <class Value>
  static bool ReadIntegers(wire::Type type, wire::Reader *reader, std::vector<Value> *list) {
    std::uint64_t value = 0;
    wire::Reader packed(nullptr, nullptr);
    if (type == wire::VARINT) {
      const bool read = reader->Varint(&value);
      list->push_back(static_cast<Value>(value));
      return read;
    }
    if (!reader->Bytes(&packed)) {
      return false;
    }
    while (!packed.done()) {
      if (!packed.Varint(&value)) {
        return false;
      }
      list->push_back(static_cast<Value>(value));
    }
    return true;
  }

  static bool ReadDouble(wire::Reader *reader, std::vector<double> *list) {
    list->push_back(0);
    return reader->Double(&list->back());
  }

  static bool ReadBytes(wire::Reader *reader, OptionalField<std::string> *field) {
    wire::Reader bytes(nullptr, nullptr);
    return reader->Bytes(&bytes) && field->Set(bytes.rest());
  }

  friend class BlobProto;

  std::vector<std::int64_t> dims_;
  OptionalField<std::int32_t> precision_;
  OptionalField<double> scale_, bias_;
  OptionalField<bool> is_signed_;
  std::vector<std::int32_t> data_;
  OptionalField<std::string> name_;
#if CAFFE2_PROTO_AGE >= 2021
  OptionalField<std::int32_t> data_type_, axis_;
  std::vector<double> scales_, biases_;
  OptionalField<bool> is_multiparam_;
#endif
};

class BlobProto : public ::google::protobuf::MessageLite {
 public:
  const std::string &name() const { return name_.value; }
  const std::string &type() const { return type_.value; }
  const std::string &content() const { return content_.value; }
  bool has_qtensor() const { return qtensor_.present; }
  const QTensorProto &qtensor() const { return qtensor_.value; }

  void Clear() override { *this = BlobProto(); }
  bool IsInitialized() const override {
    return !qtensor_.present || qtensor_.value.IsInitialized();
  }

 protected:
  // The tensor and the chunks, which no test looks at, are left among the unknown fields.
  bool Read(std::uint32_t field, wire::Type type, wire::Reader *reader, bool *known) override {
    wire::Reader message(nullptr, nullptr);
    switch (field << 3 | type) {
      case 1 << 3 | wire::BYTES: return QTensorProto::ReadBytes(reader, &name_);
      case 2 << 3 | wire::BYTES: return QTensorProto::ReadBytes(reader, &type_);
      case 4 << 3 | wire::BYTES: return QTensorProto::ReadBytes(reader, &content_);
      case 5 << 3 | wire::BYTES:
        // What comes twice is merged.
        qtensor_.present = true;
        return reader->Bytes(&message) && qtensor_.value.MergeFrom(message);
      default: *known = false; return true;
    }
  }

  void Write(std::string *out) const override {
    if (name_.present) {
      wire::WriteBytes(1, name_.value, out);
    }
    if (type_.present) {
      wire::WriteBytes(2, type_.value, out);
    }
    if (content_.present) {
      wire::WriteBytes(4, content_.value, out);
    }
    if (qtensor_.present) {
      wire::WriteBytes(5, qtensor_.value.ToBytes(), out);
    }
  }

 private:
  OptionalField<std::string> name_, type_, content_;
  OptionalField<QTensorProto> qtensor_;
};

}  // namespace caffe2

#endif
