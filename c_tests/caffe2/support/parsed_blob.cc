// parsed_blob.cc: looks into DeserializeBlob. Protobuf's own strict parser is hidden in a prebuilt
// Caffe2, so deserializers are registered that only show the message to whoever asked.
#include "parsed_blob.hpp"

#include <functional>
#include <memory>
#include <stdexcept>

#include "caffe2/core/blob_serialization.h"
#include "caffe2/core/tensor_int8.h"

namespace {

using Show = std::function<void(const caffe2::BlobProto &)>;

Show *asked = nullptr;

class Shower : public caffe2::BlobDeserializerBase {
 public:
  void Deserialize(const caffe2::BlobProto &message, caffe2::Blob *) override { (*asked)(message); }
};

using Deserializer = std::unique_ptr<caffe2::BlobDeserializerBase>;

// Caffe2's own deserializer of Int8TensorCPU, once the showers have taken the registry over.
const Deserializer &own_int8() {
  static const Deserializer own = [] {
    auto *const registry = caffe2::BlobDeserializerRegistry();
    Deserializer int8 = registry->Create("Int8TensorCPU");
    for (const char *type : {"QTensor", "Int8TensorCPU"}) {
      registry->Register(
          type, [] { return Deserializer(new Shower); }, "", c10::REGISTRY_PREFERRED);
    }
    return int8;
  }();
  return own;
}

// Whether DeserializeBlob takes the bytes for a message at all; shown is one of the two types.
bool parse(const std::string &bytes, Show show) {
  own_int8();
  asked = &show;
  caffe2::Blob blob;
  try {
    caffe2::DeserializeBlob(bytes, &blob);
  } catch (const caffe2::EnforceNotMet &error) {
    const std::string text = error.what();
    if (text.find("Cannot parse content into a BlobProto") != std::string::npos) {
      return false;
    }
    if (text.find("No registered deserializer for type") != std::string::npos ||
        text.find("TensorDeserializer") != std::string::npos) {
      return true;
    }
    throw;
  }
  return true;
}

}  // namespace

ParsedBlob parse_blob(const std::string &bytes) {
  ParsedBlob parsed = ParsedBlob();
  parsed.parses = parse(bytes, [&](const caffe2::BlobProto &message) {
    parsed.type = message.type();
    parsed.has_tensor = message.has_qtensor();
    const caffe2::QTensorProto &tensor = message.qtensor();
    parsed.precision = tensor.precision();
    parsed.dims.assign(tensor.dims().begin(), tensor.dims().end());
    parsed.is_signed = tensor.is_signed();
    parsed.data.assign(tensor.data().begin(), tensor.data().end());
    parsed.has_kept_fields = tensor.has_axis() || tensor.has_is_multiparam() ||
                             tensor.has_data_type() || tensor.scales().size() != 0 ||
                             tensor.biases().size() != 0;
  });
  return parsed;
}

SeenInt8 read_int8(const std::string &bytes) {
  caffe2::Blob blob;
  parse(bytes, [&](const caffe2::BlobProto &message) { own_int8()->Deserialize(message, &blob); });
  const caffe2::int8::Int8TensorCPU &read = blob.Get<caffe2::int8::Int8TensorCPU>();
  SeenInt8 seen;
  seen.scale = read.scale;
  seen.zero_point = read.zero_point;
  seen.dims.assign(read.t.sizes().begin(), read.t.sizes().end());
  const auto count = static_cast<std::size_t>(read.t.numel());
  if (read.t.IsType<std::uint8_t>()) {
    seen.values.assign(read.t.data<std::uint8_t>(), read.t.data<std::uint8_t>() + count);
  } else {
    seen.values.assign(read.t.data<std::int32_t>(), read.t.data<std::int32_t>() + count);
  }
  return seen;
}
