// measure.hpp: what quantization lost and what it takes: errors, sizes, codes, time, energy.
#ifndef CAFFE2_QTENSOR_MEASURE_HPP
#define CAFFE2_QTENSOR_MEASURE_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "error.hpp"
#include "span.hpp"
#include "tensor_ref.hpp"

namespace caffe2_qtensor {

// What is kept besides sums, and how to work; qtensor_loss_options_t says more.
struct LossOptions {
  bool code_histogram = false;
  bool error_histogram = false;
  bool value_histogram = false;
  std::uint32_t threads = 1;
};

namespace detail {

inline qtensor_loss_options_t asked(const LossOptions& options) {
  const qtensor_loss_options_t asked = {
      sizeof asked,
      options.code_histogram,
      options.error_histogram,
      options.value_histogram,
      options.threads,
  };
  return asked;
}

}  // namespace detail

// What some values lost against their references, as qtensor_loss_t says. It is moved freely; after a
// move the old object has none: it may be destroyed or assigned to.
class Loss {
 public:
  // What a tensor lost against the floats that it was made from.
  static Loss measure(TensorRef tensor, Span<const float> reference,
                      const LossOptions& options = LossOptions()) {
    const qtensor_loss_options_t asked = detail::asked(options);
    qtensor_loss_t* made = nullptr;
    detail::call(&qtensor_loss_measure, tensor.get(), reference.data(), reference.size(), &asked,
                 &made);
    return Loss(made);
  }

  // The same for each index along a dimension.
  static Loss measure_per_channel(TensorRef tensor, Span<const float> reference,
                                  std::int32_t axis, const LossOptions& options = LossOptions()) {
    const qtensor_loss_options_t asked = detail::asked(options);
    qtensor_loss_t* made = nullptr;
    detail::call(&qtensor_loss_measure_per_channel, tensor.get(), reference.data(),
                 reference.size(), axis, &asked, &made);
    return Loss(made);
  }

  // What values lost against as many references.
  static Loss compare(Span<const float> reference, Span<const float> values,
                      const LossOptions& options = LossOptions()) {
    if (reference.size() != values.size()) {
      throw Error(QTENSOR_SHAPE_MISMATCH, "The number of values is " +
                                              std::to_string(values.size()) + ", but it must be " +
                                              std::to_string(reference.size()) + ".");
    }
    const qtensor_loss_options_t asked = detail::asked(options);
    qtensor_loss_t* made = nullptr;
    detail::call(&qtensor_loss_compare, reference.data(), values.data(), values.size(), &asked,
                 &made);
    return Loss(made);
  }

  std::size_t channels() const noexcept { return qtensor_loss_channels(get()); }

  void merge(const Loss& other) {
    detail::call(&qtensor_loss_merge, handle_.get(), other.get());
  }

  qtensor_loss_metrics_t metrics(std::size_t channel = 0) const {
    qtensor_loss_metrics_t metrics;
    metrics.struct_size = sizeof metrics;
    detail::call(&qtensor_loss_get, get(), channel, &metrics);
    return metrics;
  }

  // The magnitude that a share of the errors does not exceed.
  double quantile(double p, std::size_t channel = 0) const {
    double magnitude = 0;
    detail::call(&qtensor_loss_quantile, get(), channel, p, &magnitude);
    return magnitude;
  }

  // The bins of magnitudes of errors that are not empty.
  std::vector<qtensor_loss_bin_t> error_histogram(std::size_t channel = 0) const {
    std::vector<qtensor_loss_bin_t> bins(qtensor_loss_error_bins(get(), channel));
    std::size_t written = 0;
    detail::call(&qtensor_loss_error_histogram, get(), channel, bins.data(), bins.size(), &written);
    return bins;
  }

  // How often each code occurs, from the lowest one on.
  std::vector<std::uint64_t> code_histogram(std::size_t channel = 0) const {
    std::vector<std::uint64_t> counts(qtensor_loss_code_bins(get(), channel));
    std::size_t written = 0;
    detail::call(&qtensor_loss_code_histogram, get(), channel, counts.data(), counts.size(),
                 &written);
    return counts;
  }

  // For the C interface; it stays this object's.
  const qtensor_loss_t* get() const noexcept { return handle_.get(); }

 private:
  struct Free {
    void operator()(qtensor_loss_t* loss) const noexcept { qtensor_loss_free(loss); }
  };

  explicit Loss(qtensor_loss_t* owned) noexcept : handle_(owned) {}

  std::unique_ptr<qtensor_loss_t, Free> handle_;
};

// How much room a tensor takes, as qtensor_sizes() says.
inline qtensor_sizes_t sizes(TensorRef tensor, const std::string& name) {
  qtensor_sizes_t found;
  found.struct_size = sizeof found;
  detail::call(&qtensor_sizes, tensor.get(), detail::name_argument(name), &found);
  return found;
}

// What codes a tensor has, as qtensor_code_statistics() says.
inline qtensor_code_statistics_t code_statistics(TensorRef tensor) {
  qtensor_code_statistics_t found;
  found.struct_size = sizeof found;
  detail::call(&qtensor_code_statistics, tensor.get(), &found);
  return found;
}

// How many bits are set in each plane, the signs last.
inline std::vector<std::uint64_t> plane_ones(TensorRef tensor) {
  std::vector<std::uint64_t> ones(std::size_t(tensor.precision()) + (tensor.is_signed() ? 1 : 0));
  detail::call(&qtensor_plane_ones, tensor.get(), ones.data(), ones.size());
  return ones;
}

// How often each code occurs, from the lowest one on, up to a precision of 16.
inline std::vector<std::uint64_t> code_histogram(TensorRef tensor) {
  std::vector<std::uint64_t> counts;
  if (tensor.precision() <= 16) {
    const std::size_t magnitudes = std::size_t(1) << tensor.precision();
    counts.resize(tensor.is_signed() ? 2 * magnitudes - 1 : magnitudes);
  }
  detail::call(&qtensor_code_histogram, tensor.get(), counts.data(), counts.size());
  return counts;
}

// Nanoseconds by a clock that never goes back.
inline std::uint64_t clock_now() noexcept { return qtensor_clock_now(); }

// What several runs took, from the seconds of each.
inline qtensor_timing_t summarize(Span<const double> seconds) {
  qtensor_timing_t timing;
  timing.struct_size = sizeof timing;
  detail::call(&qtensor_timing_summarize, seconds.data(), seconds.size(), &timing);
  return timing;
}

// The table of a process of 45 nm.
inline qtensor_energy_table_t default_energy_table() {
  qtensor_energy_table_t table;
  table.struct_size = sizeof table;
  detail::call(&qtensor_energy_table_default, &table);
  return table;
}

// The energy that work takes by a table: a model, no measurement. The struct_size of both is set here.
inline qtensor_energy_modeled_t modeled_energy(qtensor_energy_work_t work,
                                                 qtensor_energy_table_t table) {
  work.struct_size = sizeof work;
  table.struct_size = sizeof table;
  qtensor_energy_modeled_t energy;
  energy.struct_size = sizeof energy;
  detail::call(&qtensor_energy_model, &work, &table, &energy);
  return energy;
}

// Measures what the processor's packages take. It is moved freely.
class EnergyMeter {
 public:
  // By the system's counters; an Error of QTENSOR_UNAVAILABLE where there are none.
  EnergyMeter() {
    qtensor_energy_meter_t* made = nullptr;
    detail::call(&qtensor_energy_meter_open, &made);
    handle_.reset(made);
  }
  // By a powercap tree.
  explicit EnergyMeter(const std::string& root) {
    qtensor_energy_meter_t* made = nullptr;
    detail::call(&qtensor_energy_meter_open_powercap, detail::path_argument(root), &made);
    handle_.reset(made);
  }

  std::size_t packages() const noexcept { return qtensor_energy_meter_packages(handle_.get()); }
  // QTENSOR_ENERGY_POWERCAP or QTENSOR_ENERGY_PERF.
  std::int32_t source() const noexcept { return qtensor_energy_meter_source(handle_.get()); }
  void start() { detail::call(&qtensor_energy_meter_start, handle_.get()); }
  qtensor_energy_reading_t read() {
    qtensor_energy_reading_t reading;
    reading.struct_size = sizeof reading;
    detail::call(&qtensor_energy_meter_read, handle_.get(), &reading);
    return reading;
  }

 private:
  struct Free {
    void operator()(qtensor_energy_meter_t* meter) const noexcept {
      qtensor_energy_meter_free(meter);
    }
  };

  std::unique_ptr<qtensor_energy_meter_t, Free> handle_;
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_MEASURE_HPP
