// cpp_logarithmic.cc: logarithmic tensors and those of int8 operators, through the C++ layer.
#include "state.hpp"

#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::Blobs;
using caffe2_qtensor::Dims;
using caffe2_qtensor::MinidbWriter;
using caffe2_qtensor::Tensor;
using caffe2_qtensor::TensorRef;

static void logarithmic_tensors() {
  Tensor tensor({2, 3}, 4, true);
  tensor.write_codes({1, -2, 3, -15, 0, 15});
  const std::string linear = tensor.serialize("w");
  CHECK(!tensor.is_logarithmic());
  tensor.set_logarithmic();
  CHECK(tensor.is_logarithmic() && TensorRef(tensor).is_logarithmic());
  CHECK(tensor.clone().is_logarithmic() && tensor.codes<int64_t>()[3] == -15);
  const std::string blob = tensor.serialize("w");
  CHECK(blob.size() == linear.size() + 3 && blob.size() == tensor.serialized_size("w"));
  CHECK(caffe2_qtensor::peek_blob(blob).type == "QTensorLog");
  CHECK(Tensor::deserialize(blob).is_logarithmic());
  CHECK(Tensor::deserialize(blob).codes<int64_t>() == tensor.codes<int64_t>());

  const std::vector<double> ones(2, 1);
  REFUSED(tensor, QTENSOR_UNSUPPORTED, "logarithmic", tensor.set_channels(0, ones, ones));
  REFUSED(tensor, QTENSOR_UNSUPPORTED, "logarithmic", tensor.serialize_proto("w"));
  REFUSED(tensor, QTENSOR_UNSUPPORTED, "logarithmic", tensor.serialize_int8("w"));
  REFUSED(tensor, QTENSOR_UNSUPPORTED, "logarithmic", tensor.to_int8());
  const std::string path = path_in(scratch_folder, "log.minidb");
  MinidbWriter writer(path);
  writer.append("w", tensor);
  writer.commit();
  const Blobs blobs = Blobs::load(path);
  CHECK((*blobs.begin()).type() == "QTensorLog" && (*blobs.begin()).has_tensor());
  CHECK((*blobs.begin()).tensor().is_logarithmic());

  tensor.set_logarithmic(false);
  CHECK(tensor.serialize("w") == linear);
  tensor.set_channels(0, ones, ones);
  REFUSED(tensor, QTENSOR_UNSUPPORTED, "is 2", tensor.set_logarithmic());
}

static void int8_tensors() {
  const std::vector<uint8_t> data = {0, 1, 127, 128, 200, 255};
  const Tensor tensor = Tensor::from_int8({2, 3}, data, 0.5, 3);
  CHECK(tensor.precision() == 8 && !tensor.is_signed() && tensor.data_type() == 6);
  CHECK(tensor.scale() == 0.5 && tensor.bias() == -3 && tensor.codes<uint8_t>() == data);
  CHECK(Tensor::from_int8(Dims(), std::vector<uint8_t>{7}, 1, 0).dims()[0] == 1);
  THROWS(QTENSOR_SHAPE_MISMATCH, "is 6", Tensor::from_int8({2, 4}, data, 1, 0));
  THROWS(QTENSOR_INVALID_ARGUMENT, "-2", Tensor::from_int8({-2}, data, 1, 0));
  caffe2_qtensor::Parsed parsed;
  const int32_t planes[] = {160, 64};
  parsed.precision = 2;
  parsed.data = planes;
  parsed.data_count = 2;
  THROWS(QTENSOR_SHAPE_MISMATCH, "is 2", Tensor::from_parsed(parsed));
  const int64_t three[] = {3};
  parsed.dims = three;
  parsed.ndim = 1;
  CHECK(Tensor::from_parsed(parsed).codes<uint8_t>() == std::vector<uint8_t>({1, 2, 1}));
  CHECK(tensor.to_int8().serialize_int8("w") == tensor.serialize_int8("w"));

  Tensor weights({5}, 7, true);
  weights.write_codes({-127, -1, 0, 1, 127});
  weights.set_bias(-2);
  const Tensor both[] = {weights.to_int8(), TensorRef(weights).to_int8()};
  for (const Tensor &made : both) {
    CHECK(made.codes<int64_t>() == std::vector<int64_t>({1, 127, 128, 129, 255}));
    CHECK(made.bias() == -130 && made.scale() == 1);
    CHECK(Tensor::deserialize(made.serialize_int8("w")).bias() == -130);
  }
  weights.set_bias(0.5);
  REFUSED(weights, QTENSOR_OUT_OF_RANGE, "0.5", weights.to_int8());
}

int main(int argc, char **argv) {
  begin(argc, argv);
  logarithmic_tensors();
  int8_tensors();
  return done();
}
