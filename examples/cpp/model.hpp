// model.hpp: layers that classify digits, in floats or with quantized weights.
#ifndef DIGITS_MODEL_HPP
#define DIGITS_MODEL_HPP

#include <caffe2_qtensor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace digits {

namespace qt = caffe2_qtensor;

template <class T>
std::vector<T> elements_of(qt::DenseRef dense) {
  const qt::Span<const T> elements = dense.elements<T>();
  return std::vector<T>(elements.begin(), elements.end());
}

inline qt::Blob find(const qt::Blobs& blobs, const std::string& name) {
  const qt::Blobs::const_iterator found = blobs.find(name);
  if (found == blobs.end()) {
    throw std::runtime_error("There is no blob " + name + ".");
  }
  return *found;
}

// Images, one after the other, and what each shows.
struct Images {
  std::vector<float> pixels;
  std::vector<std::int32_t> labels;

  static Images load(const std::string& path) {
    const qt::Blobs blobs = qt::Blobs::load(path);
    const Images images = {elements_of<float>(find(blobs, "data").dense()),
                           elements_of<std::int32_t>(find(blobs, "label").dense())};
    if (images.labels.empty() || images.pixels.size() % images.labels.size() != 0) {
      throw std::runtime_error(path + " has not as many images as labels.");
    }
    return images;
  }
  std::size_t count() const { return labels.size(); }
};

// The bytes of a model are read for each image, from the smallest cache that holds them all.
inline void add_reads(qtensor_energy_work_t& work, std::uint64_t bytes) {
  std::uint64_t& from = bytes <= 8 << 10    ? work.cache_8k_bytes
                        : bytes <= 32 << 10 ? work.cache_32k_bytes
                        : bytes <= 1 << 20  ? work.cache_1m_bytes
                                            : work.memory_bytes;
  from += bytes;
}

// The shape and the bias of a layer: outputs = weights * inputs + bias.
struct Layer {
  std::size_t outputs, inputs;
  std::vector<float> bias;
};

// What both kinds of model have: layers fc1, fc2, ... with weights fcN_w and biases fcN_b.
inline std::vector<Layer> layers_of(const qt::Blobs& blobs) {
  std::vector<Layer> layers;
  for (int i = 1; blobs.find("fc" + std::to_string(i) + "_w") != blobs.end(); i++) {
    const qt::Blob weights = find(blobs, "fc" + std::to_string(i) + "_w");
    const qt::Blob bias = find(blobs, "fc" + std::to_string(i) + "_b");
    const qt::Span<const std::int64_t> dims =
        weights.has_tensor() ? weights.tensor().dims() : weights.dense().dims();
    if (dims.size() != 2) {
      throw std::runtime_error(weights.name() + " is no matrix.");
    }
    const Layer layer = {static_cast<std::size_t>(dims[0]), static_cast<std::size_t>(dims[1]),
                         elements_of<float>(bias.dense())};
    if (layer.bias.size() != layer.outputs ||
        (!layers.empty() && layers.back().outputs != layer.inputs)) {
      throw std::runtime_error(weights.name() + " does not fit its neighbors.");
    }
    layers.push_back(layer);
  }
  if (layers.empty()) {
    throw std::runtime_error("There is no blob fc1_w.");
  }
  return layers;
}

// The model as it was trained.
class FloatModel {
 public:
  explicit FloatModel(const std::string& path) {
    const qt::Blobs blobs = qt::Blobs::load(path);
    layers_ = layers_of(blobs);
    for (std::size_t i = 0; i < layers_.size(); i++) {
      weights_.push_back(
          elements_of<float>(find(blobs, "fc" + std::to_string(i + 1) + "_w").dense()));
    }
  }

  const std::vector<Layer>& layers() const { return layers_; }
  const std::vector<float>& weights(std::size_t layer) const { return weights_[layer]; }

  // What one layer makes of so many inputs of it: all but the last keep what is above 0.
  std::vector<float> forward(std::size_t i, const std::vector<float>& x) const {
    const Layer& layer = layers_[i];
    const std::size_t rows = x.size() / layer.inputs;
    std::vector<float> y(rows * layer.outputs);
    for (std::size_t row = 0; row < rows; row++) {
      for (std::size_t n = 0; n < layer.outputs; n++) {
        const float* w = &weights_[i][n * layer.inputs];
        float sum = layer.bias[n];
        for (std::size_t k = 0; k < layer.inputs; k++) {
          sum += w[k] * x[row * layer.inputs + k];
        }
        y[row * layer.outputs + n] = i + 1 < layers_.size() ? std::max(sum, 0.0f) : sum;
      }
    }
    return y;
  }

  std::vector<std::int64_t> classify(const Images& images) const {
    std::vector<float> values = images.pixels;
    for (std::size_t i = 0; i < layers_.size(); i++) {
      values = forward(i, values);
    }
    const std::size_t classes = layers_.back().outputs;
    std::vector<std::int64_t> best(images.count());
    for (std::size_t image = 0; image < best.size(); image++) {
      const float* scores = &values[image * classes];
      best[image] = std::max_element(scores, scores + classes) - scores;
    }
    return best;
  }

  // A multiplication and an addition of floats for each weight, and the weight itself.
  qtensor_energy_work_t work_an_image() const {
    qtensor_energy_work_t work = {};
    std::uint64_t bytes = 0;
    for (const std::vector<float>& weights : weights_) {
      work.float_multiplies += weights.size();
      work.float_adds += weights.size();
      bytes += weights.size() * sizeof(float);
    }
    add_reads(work, bytes);
    return work;
  }

 private:
  std::vector<Layer> layers_;
  std::vector<std::vector<float>> weights_;
};

// A model whose weights are bit planes. It computes with codes from the images to the classes; the
// parameters of the codes between the layers are the best for what these layers make of the images
// that the model was trained with.
class QuantizedModel {
 public:
  QuantizedModel(const std::string& path, const Images& train)
      : blobs_(qt::Blobs::load(path)), layers_(layers_of(blobs_)) {
    qt::CalibrateOptions options;
    options.precision = precision;
    options.zero = qt::Zero::exact;
    std::vector<float> values = train.pixels;
    for (std::size_t i = 0; i < layers_.size(); i++) {
      packed_.emplace_back(weights(i));
      // No input is below 0, and so is no code: a scale is all that they need.
      qt::Observer observer;
      observer.observe(values);
      scales_.push_back(observer.choose(options).scale);
      std::vector<float> next(train.count() * layers_[i].outputs);
      packed_[i].product_floats(values, next, qt::InputFormat(precision), layers_[i].bias);
      for (float& value : next) {
        value = std::max(value, 0.0f);
      }
      values.swap(next);
    }
  }

  const std::vector<Layer>& layers() const { return layers_; }
  qt::TensorRef weights(std::size_t layer) const {
    return find(blobs_, "fc" + std::to_string(layer + 1) + "_w").tensor();
  }

  std::vector<std::int64_t> classify(const Images& images) const {
    qt::Tensor x = codes(images.count(), 0);
    x.quantize(images.pixels);
    for (std::size_t i = 0; i < layers_.size(); i++) {
      qt::Tensor y = codes(images.count(), i + 1);
      packed_[i].product_codes(x, y, layers_[i].bias);
      x = std::move(y);
    }
    return qt::argmax(x);
  }

  // What the weights take as they are, in planes.
  std::uint64_t plane_bytes() const {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < layers_.size(); i++) {
      bytes += weights(i).nbytes();
    }
    return bytes;
  }

  // Where the library multiplies planes by planes, an AND, a popcount and an addition for each pair
  // and each 32 codes; otherwise planes become bytes in registers, and there is a multiplication of
  // bytes and an addition for each weight. And the planes themselves.
  qtensor_energy_work_t work_an_image() const {
    qtensor_energy_work_t work = {};
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < layers_.size(); i++) {
      const std::uint64_t outputs = layers_[i].outputs, inputs = layers_[i].inputs;
      const qt::TensorRef w = weights(i);
      const qt::ProductMethod method = packed_[i].method(codes(1, i));
      if (method == qt::ProductMethod::popcount || method == qt::ProductMethod::ternary) {
        const std::uint64_t pairs = precision * std::uint64_t(w.precision() + w.is_signed());
        const std::uint64_t words = pairs * outputs * ((inputs + 31) / 32);
        work.bit_operations += 2 * words;
        work.int32_adds += words;
      } else {
        work.int8_multiplies += outputs * inputs;
        work.int32_adds += outputs * inputs;
      }
      bytes += w.nbytes();
    }
    add_reads(work, bytes);
    return work;
  }

 private:
  // Of what goes into a layer.
  static const std::uint8_t precision = 8;

  // What goes into a layer, or comes out of the last one. Codes without a sign cut off what is below
  // 0, as the layers of the model do; the scores have signs, and only their order counts.
  qt::Tensor codes(std::size_t rows, std::size_t layer) const {
    const bool last = layer == layers_.size();
    const std::size_t columns = last ? layers_.back().outputs : layers_[layer].inputs;
    qt::Tensor tensor({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)},
                      last ? 16 : precision, last);
    tensor.set_scale(last ? 1e-3 : scales_[layer]);
    return tensor;
  }

  qt::Blobs blobs_;
  std::vector<Layer> layers_;
  std::vector<double> scales_;
  std::vector<qt::PackedWeights> packed_;
};

}  // namespace digits

#endif  // DIGITS_MODEL_HPP
