// dropin.cc: the drop-in class with a real Caffe2 around, in no registry; and the C interface.
#include "caffe2_qtensor/compat/caffe2/core/qtensor_serialization.h"

#include "caffe2/core/blob.h"
#include "caffe2/utils/proto_utils.h"
#include "caffe2_qtensor.hpp"
#include "class_subject.hpp"

namespace {

using DropinTensor = caffe2::QTensor<caffe2::CPUContext>;

class Dropin : public ClassSubject<DropinTensor> {
 public:
  std::string Serialize(const std::string &name) override {
    return caffe2::SerializeQTensor(tensor_, name);
  }
  void Deserialize(const std::string &bytes) override {
    // As a registered class gets it: protobuf comes first. Less strict than DeserializeBlob, so bytes
    // that are damaged go through parse_blob first.
    caffe2::BlobProto message;
    CAFFE_ENFORCE(caffe2::ParseProtoFromLargeString(bytes, &message), "This is no BlobProto.");
    CAFFE_ENFORCE(message.type() == caffe2::kQTensorBlobQType, "This is no QTensor.");
    caffe2::QTensorDeserializer<caffe2::CPUContext>().Deserialize(message.qtensor(), &tensor_);
  }

 protected:
  DropinTensor &tensor() override { return tensor_; }

 private:
  DropinTensor tensor_;
};

class Handle : public Subject {
 public:
  void Resize(const std::vector<int> &dims) override {
    tensor_.resize(std::vector<std::int64_t>(dims.begin(), dims.end()));
  }
  void SetPrecision(int precision) override { tensor_.set_precision(precision); }
  void SetSigned(bool is_signed) override { tensor_.set_signed(is_signed); }
  void SetScale(double scale) override { tensor_.set_scale(scale); }
  void SetBias(double bias) override { tensor_.set_bias(bias); }
  void SetBit(int bit, std::size_t index, bool value) override {
    tensor_.set_bit(bit, index, value);
  }
  bool GetBit(int bit, std::size_t index) override { return tensor_.get_bit(bit, index); }
  unsigned char *Planes() override { return tensor_.mutable_planes().data(); }
  std::int64_t CanonicalAxis(int axis) override { return Ask32(qtensor_canonical_axis_index, axis); }
  std::int64_t SizeFrom(int k) override { return Ask64(qtensor_size_from_dim, k); }
  std::int64_t SizeTo(int k) override { return Ask64(qtensor_size_to_dim, k); }
  std::int64_t Dim(int i) override { return Ask32(qtensor_dim32, i); }
  Seen See() override {
    const qtensor_t *const handle = tensor_.get();
    Seen all;
    all.dims.assign(qtensor_dims(handle), qtensor_dims(handle) + qtensor_ndim(handle));
    all.precision = qtensor_precision(handle);
    all.is_signed = qtensor_is_signed(handle);
    all.scale = pattern_of(qtensor_scale(handle));
    all.bias = pattern_of(qtensor_bias(handle));
    all.size = qtensor_size(handle);
    all.aligned_size = qtensor_aligned_size(handle);
    all.nbytes = qtensor_nbytes(handle);
    all.alignment = qtensor_alignment(handle);
    all.has_data = qtensor_data(handle) != nullptr;
    if (all.has_data) {
      all.planes.assign(reinterpret_cast<const char *>(qtensor_data(handle)), all.nbytes);
    }
    return all;
  }
  std::string Serialize(const std::string &name) override { return tensor_.serialize(name); }
  void Deserialize(const std::string &bytes) override {
    tensor_ = caffe2_qtensor::Tensor::deserialize(bytes);
  }

 private:
  template <class Function>
  std::int64_t Ask32(Function function, int argument) {
    std::int32_t answer = 0;
    caffe2_qtensor::detail::call(function, tensor_.get(), argument, &answer);
    return answer;
  }
  template <class Function>
  std::int64_t Ask64(Function function, int argument) {
    std::int64_t answer = 0;
    caffe2_qtensor::detail::call(function, tensor_.get(), argument, &answer);
    return answer;
  }

  caffe2_qtensor::Tensor tensor_;
};

}  // namespace

std::unique_ptr<Subject> dropin_class() { return std::unique_ptr<Subject>(new Dropin); }

std::unique_ptr<Subject> c_handle() { return std::unique_ptr<Subject>(new Handle); }

bool Seen::operator==(const Seen &other) const {
  return dims == other.dims && precision == other.precision && is_signed == other.is_signed &&
         scale == other.scale && bias == other.bias && size == other.size &&
         aligned_size == other.aligned_size && nbytes == other.nbytes &&
         alignment == other.alignment && has_data == other.has_data && planes == other.planes;
}

std::string Seen::text() const {
  std::string text = "dims";
  for (const std::int64_t dim : dims) {
    text += " " + std::to_string(dim);
  }
  text += "; precision " + std::to_string(precision) + (is_signed ? " signed" : "");
  text += "; scale " + std::to_string(scale) + ", bias " + std::to_string(bias);
  text += "; size " + std::to_string(size) + " of " + std::to_string(aligned_size);
  text += "; bytes " + std::to_string(nbytes) + (has_data ? ":" : ", no planes");
  for (const char byte : planes) {
    text += " " + std::to_string(static_cast<unsigned char>(byte));
  }
  return text;
}
