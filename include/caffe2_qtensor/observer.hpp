// observer.hpp: what is remembered of values, and the scale and bias that are best for them.
#ifndef CAFFE2_QTENSOR_OBSERVER_HPP
#define CAFFE2_QTENSOR_OBSERVER_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "choose.hpp"
#include "dims.hpp"
#include "error.hpp"
#include "span.hpp"
#include "tensor.hpp"

namespace caffe2_qtensor {

// What an observer is made for; the comments of qtensor_observer_options_t say what each member does.
struct ObserverOptions {
  enum Kind : std::int32_t {
    histogram = QTENSOR_OBSERVER_HISTOGRAM,
    range = QTENSOR_OBSERVER_RANGE,
    moving_average = QTENSOR_OBSERVER_MOVING_AVERAGE
  };
  Kind kind = histogram;
  std::uint32_t bins = 4096;
  double weight = 0.01;
  // Values that are NaN or infinite are counted and left out instead of refused.
  bool skip_non_finite = false;
  std::uint64_t channels = 0;
  std::int32_t axis = 0;
};

// How parameters are chosen, as the QTENSOR_METHOD_ constants say.
enum class Method : std::int32_t {
  mse = QTENSOR_METHOD_MSE,
  mae = QTENSOR_METHOD_MAE,
  min_max = QTENSOR_METHOD_MIN_MAX,
  max_abs = QTENSOR_METHOD_MAX_ABS,
  moving_average = QTENSOR_METHOD_MOVING_AVERAGE,
  percentile = QTENSOR_METHOD_PERCENTILE,
  fixed = QTENSOR_METHOD_FIXED
};

// What the bias may be, as the QTENSOR_ZERO_ constants say.
enum class Zero : std::int32_t {
  free = QTENSOR_ZERO_FREE,
  integer = QTENSOR_ZERO_INTEGER,
  exact = QTENSOR_ZERO_EXACT
};

// How parameters are chosen, and for which codes; qtensor_calibrate_options_t says more.
struct CalibrateOptions {
  Method method = Method::mse;
  std::int32_t precision = 8;
  bool is_signed = false;
  Zero zero = Zero::free;
  bool symmetric = false;
  bool power_of_two = false;
  bool reduced = false;
  double low = 0;
  double high = 0;
};

// How Caffe2 chose the range, as the QTENSOR_CAFFE2_ constants say.
enum class Caffe2Method : std::int32_t {
  min_max = QTENSOR_CAFFE2_MIN_MAX,
  l1 = QTENSOR_CAFFE2_L1,
  l2 = QTENSOR_CAFFE2_L2,
  l2_approx = QTENSOR_CAFFE2_L2_APPROX,
  kl = QTENSOR_CAFFE2_KL,
  p99 = QTENSOR_CAFFE2_P99
};

struct Caffe2Options {
  Caffe2Method method = Caffe2Method::min_max;
  std::int32_t precision = 8;
  bool preserve_sparsity = false;
  bool force_scale_power_of_two = false;
  double threshold = 0.99;
};

namespace detail {

inline qtensor_calibrate_options_t asked(const CalibrateOptions& options) {
  const qtensor_calibrate_options_t asked = {
      sizeof asked,
      options.low,
      options.high,
      static_cast<std::int32_t>(options.method),
      options.precision,
      options.is_signed,
      static_cast<std::int32_t>(options.zero),
      options.symmetric,
      options.power_of_two,
      options.reduced,
      0,
  };
  return asked;
}

}  // namespace detail

// Remembers of values what a choice of scale and bias needs, as qtensor_observer_t says. It is moved
// freely; clone() copies it. After a move the old object has none: it may be destroyed or assigned to.
class Observer {
 public:
  explicit Observer(const ObserverOptions& options = ObserverOptions()) {
    const qtensor_observer_options_t asked = {
        sizeof asked,
        options.weight,
        options.channels,
        options.axis,
        options.kind,
        options.bins,
        options.skip_non_finite ? QTENSOR_NON_FINITE_SKIP : QTENSOR_NON_FINITE_REFUSE,
    };
    qtensor_observer_t* made = nullptr;
    detail::call(&qtensor_observer_create, &asked, &made);
    handle_.reset(made);
  }

  static Observer deserialize(Span<const std::uint8_t> bytes) {
    qtensor_observer_t* made = nullptr;
    detail::call(&qtensor_observer_deserialize, bytes.data(), bytes.size(), &made);
    return Observer(made);
  }
  static Observer deserialize(const std::string& bytes) {
    return deserialize(Span<const std::uint8_t>(
        reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  }

  Observer clone() const {
    qtensor_observer_t* made = nullptr;
    detail::call(&qtensor_observer_clone, get(), &made);
    return Observer(made);
  }

  std::size_t channels() const noexcept { return qtensor_observer_channels(get()); }

  void observe(Span<const float> values) { observe(values, Dims()); }
  // Of the dimensions one may be the channels.
  void observe(Span<const float> values, const Dims& dims) {
    detail::call(&qtensor_observer_observe, handle_.get(), values.data(), values.size(), dims.data(),
                 dims.size());
  }
  void merge(const Observer& other) {
    detail::call(&qtensor_observer_merge, handle_.get(), other.get());
  }
  void reset() { detail::call(&qtensor_observer_reset, handle_.get()); }

  // The state: the same bytes for every order of the same values.
  std::string serialize() const {
    std::size_t size = 0;
    detail::call(&qtensor_observer_serialized_size, get(), &size);
    std::string bytes(size, '\0');
    detail::call(&qtensor_observer_serialize, get(), reinterpret_cast<std::uint8_t*>(&bytes[0]),
                 bytes.size(), &size);
    return bytes;
  }

  qtensor_statistics_t statistics(std::size_t channel = 0) const {
    qtensor_statistics_t statistics;
    statistics.struct_size = sizeof statistics;
    detail::call(&qtensor_observer_statistics, get(), channel, &statistics);
    return statistics;
  }

  qtensor_choice_t choose(const CalibrateOptions& options = CalibrateOptions(),
                          std::size_t channel = 0) const {
    const qtensor_calibrate_options_t asked = detail::asked(options);
    qtensor_choice_t choice;
    choice.struct_size = sizeof choice;
    detail::call(&qtensor_observer_choose, get(), channel, &asked, &choice);
    return choice;
  }

  // For the C interface; it stays this object's.
  const qtensor_observer_t* get() const noexcept { return handle_.get(); }

 private:
  struct Free {
    void operator()(qtensor_observer_t* observer) const noexcept {
      qtensor_observer_free(observer);
    }
  };

  explicit Observer(qtensor_observer_t* owned) noexcept : handle_(owned) {}

  std::unique_ptr<qtensor_observer_t, Free> handle_;
};

// Parameters chosen by the values themselves, as qtensor_params_choose_exact() says.
inline qtensor_choice_t choose_exact(Span<const float> values,
                                     const CalibrateOptions& options = CalibrateOptions()) {
  const qtensor_calibrate_options_t asked = detail::asked(options);
  qtensor_choice_t choice;
  choice.struct_size = sizeof choice;
  detail::call(&qtensor_params_choose_exact, values.data(), values.size(), &asked, &choice);
  return choice;
}

// What Caffe2 chose for values, as qtensor_params_choose_caffe2() says.
inline Chosen choose_caffe2(Span<const float> values,
                            const Caffe2Options& options = Caffe2Options()) {
  const qtensor_caffe2_options_t asked = {
      sizeof asked,
      options.threshold,
      static_cast<std::int32_t>(options.method),
      options.precision,
      options.preserve_sparsity,
      options.force_scale_power_of_two,
  };
  qtensor_chosen_t chosen;
  chosen.struct_size = sizeof chosen;
  detail::call(&qtensor_params_choose_caffe2, values.data(), values.size(), &asked, &chosen);
  return Chosen{chosen.scale, chosen.zero_point};
}

// A tensor of the codes of values, with the best parameters for them; with an axis of 0 or more each
// index along that dimension has its own.
inline Tensor quantize_best(Span<const float> values, const Dims& dims,
                            const CalibrateOptions& options = CalibrateOptions(),
                            std::int32_t axis = -1) {
  const qtensor_calibrate_options_t asked = detail::asked(options);
  qtensor_t* made = nullptr;
  detail::call(&qtensor_quantize_best, values.data(), values.size(), dims.data(), dims.size(), axis,
               &asked, &made);
  return Tensor(made);
}

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_OBSERVER_HPP
