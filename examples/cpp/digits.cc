// How few bits does a trained model need? Classifies handwritten digits with a model of floats and
// with quantized ones, and says of each what it takes and how often it is right.
//
//   digits FLOATS.minidb TRAIN.minidb TEST.minidb QUANTIZED.minidb...
//
// FLOATS has the layers fc1, fc2, ...: a weight fcN_w [outputs, inputs] and a bias fcN_b each. In each
// QUANTIZED the weights are quantized tensors, as `qtensor quantize` writes them. TRAIN shows what
// values go into the layers; TEST has the images to classify, `data`, and what they show, `label`.
#include "model.hpp"

#include <cinttypes>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace digits;

// The counters of the processor's energy, where this machine has any that may be read, and what the
// machine takes without us.
class Energy {
 public:
  Energy() {
    try {
      meter_.reset(new qt::EnergyMeter());
      idle_ = over_a_second([] {}).watts;
    } catch (const qt::Error& error) {
      if (error.status() != QTENSOR_UNAVAILABLE) {
        throw;
      }
      meter_.reset();
      why_ = error.what();
    }
  }

  const std::string& why_not() const { return why_; }

  // Nanojoules for each of so many images that a run goes through, above an idle machine.
  template <class Run>
  std::string nanojoules(std::size_t images, Run run) {
    if (!meter_) {
      return "unavailable";
    }
    std::size_t runs = 0;
    const qtensor_energy_reading_t reading = over_a_second([&] {
      run();
      runs++;
    });
    const double joules = reading.joules - idle_ * reading.seconds;
    char text[32];
    std::snprintf(text, sizeof text, "%.0f", 1e9 * joules / static_cast<double>(runs * images));
    return text;
  }

 private:
  // The counters move once in a millisecond.
  template <class Run>
  qtensor_energy_reading_t over_a_second(Run run) {
    const std::uint64_t second = 1000000000;
    const std::uint64_t start = qt::clock_now();
    meter_->start();
    while (qt::clock_now() - start < second) {
      run();
    }
    return meter_->read();
  }

  std::unique_ptr<qt::EnergyMeter> meter_;
  std::string why_;
  double idle_ = 0;
};

std::uint64_t wire_bytes(const std::string& path) {
  std::uint64_t bytes = 0;
  qt::MinidbReader reader(path);
  for (const qt::MinidbEntry& entry : reader) {
    bytes += entry.value_size;
  }
  return bytes;
}

std::size_t count_right(const std::vector<std::int64_t>& classes, const Images& images) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < images.count(); i++) {
    right += classes[i] == images.labels[i];
  }
  return right;
}

// The median of many passes over the images, for one of them.
template <class Model>
double nanoseconds_an_image(const Model& model, const Images& images) {
  std::vector<double> passes;
  for (int i = 0; i < 25; i++) {
    const std::uint64_t start = qt::clock_now();
    model.classify(images);
    passes.push_back(1e-9 * static_cast<double>(qt::clock_now() - start));
  }
  return 1e9 * qt::summarize(passes).median / static_cast<double>(images.count());
}

// What the weights of a layer lost; the few biases stay floats.
double sqnr(const FloatModel& floats, const QuantizedModel& model) {
  double signal = 0, noise = 0;
  for (std::size_t i = 0; i < floats.layers().size(); i++) {
    const qtensor_loss_metrics_t lost =
        qt::Loss::measure(model.weights(i), floats.weights(i)).metrics();
    signal += lost.sum_xx;
    noise += lost.sum_squared;
  }
  return 10 * std::log10(signal / noise);
}

struct Table {
  const Images& test;
  Energy energy;
  std::uint64_t float_bytes = 0;

  explicit Table(const Images& images) : test(images) {
    const char* heads[][10] = {
        {"", "planes", "wire", "", "SQNR", "", "", "time", "modeled", "measured"},
        {"bits", "bytes", "bytes", "smaller", "dB", "right", "accuracy", "ns/image", "nJ/image",
         "nJ/image"}};
    for (const auto& h : heads) {
      std::printf("  %-5s %7s %7s %8s %6s %6s %9s %9s %9s %12s\n", h[0], h[1], h[2], h[3], h[4],
                  h[5], h[6], h[7], h[8], h[9]);
    }
  }

  template <class Model>
  void row(const Model& model, const std::string& path, const std::string& bits,
           const std::string& planes, const std::string& lost) {
    const std::uint64_t wire = wire_bytes(path);
    float_bytes = float_bytes == 0 ? wire : float_bytes;
    const std::size_t right = count_right(model.classify(test), test);
    const double modeled =
        1e9 * qt::modeled_energy(model.work_an_image(), qt::default_energy_table()).joules;
    const std::string measured =
        energy.nanojoules(test.count(), [&] { model.classify(test); });
    std::printf("  %-5s %7s %7" PRIu64 " %8.2f %6s %6zu %8.2f%% %9.0f %9.1f %12s\n", bits.c_str(),
                planes.c_str(), wire,
                static_cast<double>(float_bytes) / static_cast<double>(wire), lost.c_str(), right,
                100.0 * static_cast<double>(right) / static_cast<double>(test.count()),
                nanoseconds_an_image(model, test), modeled, measured.c_str());
  }
};

void run(const std::vector<std::string>& paths) {
  const FloatModel floats(paths[0]);
  const Images train = Images::load(paths[1]), test = Images::load(paths[2]);
  std::printf("%s on %zu digits, caffe2_qtensor %s\n", paths[0].c_str(), test.count(),
              qt::version().c_str());
  Table table(test);
  table.row(floats, paths[0], "float", "-", "-");
  for (std::size_t i = 3; i < paths.size(); i++) {
    const QuantizedModel model(paths[i], train);
    char lost[32];
    std::snprintf(lost, sizeof lost, "%.1f", sqnr(floats, model));
    table.row(model, paths[i], std::to_string(model.weights(0).precision()),
              std::to_string(model.plane_bytes()), lost);
  }
  if (!table.energy.why_not().empty()) {
    std::printf("  No energy was measured: %s\n", table.energy.why_not().c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: digits FLOATS.minidb TRAIN.minidb TEST.minidb QUANTIZED.minidb...\n");
    return 2;
  }
  try {
    run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "digits: %s\n", error.what());
    return 1;
  }
  return 0;
}
