// How few bits does a trained model need? Turns the weights of a Caffe2 model into quantized
// tensors of ever fewer bits, saves each model as a Caffe2 database, reads it back, and classifies
// handwritten digits with what was read.
//
//   digits MODEL.minidb TEST.minidb FOLDER
//
// MODEL has the layers fc1 to fc3, each a weight [outputs, inputs] and a bias; TEST has the images
// and their labels. FOLDER receives a database for every number of bits.
#include <caffe2_qtensor.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace qt = caffe2_qtensor;

namespace {

// A layer as it computes: outputs = weights * inputs + bias.
struct Layer {
  std::vector<float> weights, bias;
  std::size_t outputs, inputs;
};

struct Model {
  std::vector<Layer> layers;
  std::uint64_t wire_bytes;
};

struct Digits {
  std::vector<float> images;
  std::vector<std::int32_t> labels;
};

// What quantization lost, over all weights.
struct Loss {
  double worst = 0.0, noise = 0.0, signal = 0.0;
  double sqnr() const { return 10.0 * std::log10(signal / noise); }
};

template <class T>
std::vector<T> elements_of(qt::DenseRef dense) {
  const qt::Span<const T> elements = dense.elements<T>();
  return std::vector<T>(elements.begin(), elements.end());
}

// The tensor of `bits` bits whose first and last code stand for the smallest and the largest value.
qt::Tensor quantize(qt::DenseRef dense, int bits) {
  const qt::Span<const float> values = dense.elements<float>();
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const float value : values) {
    low = std::min<double>(low, value);
    high = std::max<double>(high, value);
  }
  const double last_code = static_cast<double>((1 << bits) - 1);
  const double scale = high > low ? (high - low) / last_code : 1.0;
  qt::Tensor tensor(dense.dims(), bits);
  tensor.set_scale(scale);
  tensor.set_bias(low / scale);
  tensor.quantize(values);
  return tensor;
}

// Saves the model with weights of `bits` bits; the few biases stay floats.
void save(const qt::Blobs& model, int bits, const std::string& path) {
  qt::MinidbWriter writer(path);
  for (const qt::Blob& blob : model) {
    if (blob.dense().ndim() == 2) {
      writer.append(blob.name(), quantize(blob.dense(), bits));
    } else {
      writer.append(blob.name(), blob.dense());
    }
  }
  writer.commit();
}

qt::Blob find(const qt::Blobs& blobs, const std::string& name) {
  const qt::Blobs::const_iterator found = blobs.find(name);
  if (found == blobs.end()) {
    throw std::runtime_error("There is no blob " + name + ".");
  }
  return *found;
}

// Reads a model whose weights are floats or quantized.
Model load(const std::string& path) {
  const qt::Blobs blobs = qt::Blobs::load(path);
  Model model = {{}, 0};
  for (const char* name : {"fc1", "fc2", "fc3"}) {
    const qt::Blob weights = find(blobs, std::string(name) + "_w");
    const qt::Blob bias = find(blobs, std::string(name) + "_b");
    const qt::Span<const std::int64_t> dims =
        weights.has_tensor() ? weights.tensor().dims() : weights.dense().dims();
    if (dims.size() != 2) {
      throw std::runtime_error(weights.name() + " is no matrix.");
    }
    Layer layer;
    layer.weights = weights.has_tensor() ? weights.tensor().dequantize()
                                         : elements_of<float>(weights.dense());
    layer.bias = elements_of<float>(bias.dense());
    layer.outputs = static_cast<std::size_t>(dims[0]);
    layer.inputs = static_cast<std::size_t>(dims[1]);
    const std::size_t expected = model.layers.empty() ? 64 : model.layers.back().outputs;
    if (layer.inputs != expected || layer.bias.size() != layer.outputs) {
      throw std::runtime_error(weights.name() + " does not fit its neighbors.");
    }
    model.layers.push_back(layer);
  }
  qt::MinidbReader reader(path);
  for (const qt::MinidbEntry& entry : reader) {
    model.wire_bytes += entry.value_size;
  }
  return model;
}

Loss compare(const Model& exact, const Model& quantized) {
  Loss loss;
  for (std::size_t i = 0; i < exact.layers.size(); i++) {
    for (std::size_t k = 0; k < exact.layers[i].weights.size(); k++) {
      const double value = exact.layers[i].weights[k];
      const double error = quantized.layers[i].weights[k] - value;
      loss.worst = std::max(loss.worst, std::fabs(error));
      loss.noise += error * error;
      loss.signal += value * value;
    }
  }
  return loss;
}

std::vector<float> forward(const Model& model, const float* image) {
  std::vector<float> values(image, image + 64);
  for (std::size_t i = 0; i < model.layers.size(); i++) {
    const Layer& layer = model.layers[i];
    std::vector<float> next(layer.bias);
    for (std::size_t row = 0; row < layer.outputs; row++) {
      for (std::size_t column = 0; column < layer.inputs; column++) {
        next[row] += layer.weights[row * layer.inputs + column] * values[column];
      }
      if (i + 1 < model.layers.size()) {
        next[row] = std::max(next[row], 0.0f);
      }
    }
    values.swap(next);
  }
  return values;
}

std::size_t count_right(const Model& model, const Digits& digits) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < digits.labels.size(); i++) {
    const std::vector<float> scores = forward(model, &digits.images[64 * i]);
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    right += best == digits.labels[i];
  }
  return right;
}

void run(const std::string& model_path, const std::string& test_path, const std::string& folder) {
  const qt::Blobs weights = qt::Blobs::load(model_path);
  const Model exact = load(model_path);
  const qt::Blobs test = qt::Blobs::load(test_path);
  const Digits digits = {elements_of<float>(find(test, "data").dense()),
                         elements_of<std::int32_t>(find(test, "label").dense())};
  if (digits.images.size() != 64 * digits.labels.size()) {
    throw std::runtime_error("There are not as many images as labels.");
  }
  std::printf("%s on %zu digits, caffe2_qtensor %s\n", model_path.c_str(), digits.labels.size(),
              qt::version().c_str());
  std::printf("  %-6s %11s %8s %9s %12s %6s %9s\n", "bits", "model bytes", "smaller", "SQNR dB",
              "worst error", "right", "accuracy");
  const auto report = [&](const std::string& bits, const Model& model, const Loss* loss) {
    const std::size_t right = count_right(model, digits);
    char sqnr[32] = "-", worst[32] = "-";
    if (loss != nullptr) {
      std::snprintf(sqnr, sizeof sqnr, "%.1f", loss->sqnr());
      std::snprintf(worst, sizeof worst, "%.3g", loss->worst);
    }
    std::printf("  %-6s %11llu %8.2f %9s %12s %6zu %8.2f%%\n", bits.c_str(),
                static_cast<unsigned long long>(model.wire_bytes),
                static_cast<double>(exact.wire_bytes) / static_cast<double>(model.wire_bytes),
                sqnr, worst, right,
                100.0 * static_cast<double>(right) / static_cast<double>(digits.labels.size()));
  };
  report("float", exact, nullptr);
  for (const int bits : {8, 6, 4, 3, 2, 1}) {
    const std::string path = folder + "/digits_" + std::to_string(bits) + "bit.minidb";
    save(weights, bits, path);
    const Model quantized = load(path);
    const Loss loss = compare(exact, quantized);
    report(std::to_string(bits), quantized, &loss);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: digits MODEL.minidb TEST.minidb FOLDER\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], argv[3]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "digits: %s\n", error.what());
    return 1;
  }
  return 0;
}
