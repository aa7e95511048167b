// stock.cc: Caffe2's own class, with its own header and in its own blobs.
#include "caffe2/core/qtensor_serialization.h"

#include "caffe2/core/blob.h"
#include "caffe2/core/tensor_int8.h"
#include "caffe2/utils/proto_utils.h"
#include "class_subject.hpp"

namespace {

using StockTensor = caffe2::QTensor<caffe2::CPUContext>;

class Stock : public ClassSubject<StockTensor> {
 public:
  Stock() { Set(blob_.GetMutable<StockTensor>()); }
  std::string Serialize(const std::string &name) override {
    return caffe2::SerializeBlob(blob_, name);
  }
  void Deserialize(const std::string &bytes) override {
    // Not through DeserializeBlob: a program may have registered another class under the name.
    caffe2::BlobProto message;
    CAFFE_ENFORCE(caffe2::ParseProtoFromLargeString(bytes, &message), "This is no BlobProto.");
    CAFFE_ENFORCE(message.type() == caffe2::kQTensorBlobQType, "This is no QTensor.");
    caffe2::QTensorDeserializer<caffe2::CPUContext>().Deserialize(message.qtensor(), &tensor());
  }

 protected:
  StockTensor &tensor() override { return *blob_.GetMutable<StockTensor>(); }

 private:
  // A new one is not initialized.
  static void Set(StockTensor *tensor) {
    tensor->SetScale(1);
    tensor->SetBias(0);
  }

  caffe2::Blob blob_;
};

}  // namespace

std::unique_ptr<Subject> stock_class() { return std::unique_ptr<Subject>(new Stock); }

ParsedBlob parse_blob(const std::string &bytes) {
  caffe2::BlobProto message;
  ParsedBlob parsed;
  parsed.parses = caffe2::ParseProtoFromLargeString(bytes, &message);
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
  return parsed;
}

SeenInt8 read_int8(const std::string &bytes) {
  caffe2::Blob blob;
  caffe2::DeserializeBlob(bytes, &blob);
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
