// stock.cc: Caffe2's own class, with its own header and in its own blobs.
#include "caffe2/core/qtensor_serialization.h"

#include "caffe2/core/blob.h"
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
    // Not through DeserializeBlob: a program may have registered another class under the name. Less
    // strict, so bytes that are damaged go through parse_blob first.
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
