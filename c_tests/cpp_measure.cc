// cpp_measure.cc: what quantization lost and what it takes.
#include "check.hpp"

#include <cmath>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::EnergyMeter;
using caffe2_qtensor::Loss;
using caffe2_qtensor::LossOptions;
using caffe2_qtensor::Tensor;

static_assert(!std::is_copy_constructible<Loss>::value, "no copies by accident");
static_assert(std::is_nothrow_move_constructible<Loss>::value, "vectors move");
static_assert(std::is_nothrow_move_constructible<EnergyMeter>::value, "vectors move");

int main(int argc, char **argv) {
  begin(argc, argv);
  const std::vector<float> weights = {0.2f, 0.3f, -1.25f, 100, -0.75f, 0};
  Tensor tensor({2, 3}, 4, true);
  tensor.set_scale(0.5);
  tensor.quantize(weights);

  LossOptions everything;
  everything.code_histogram = everything.error_histogram = everything.value_histogram = true;
  const Loss loss = Loss::measure(tensor, weights, everything);
  CHECK(loss.channels() == 1 && loss.metrics().max_absolute == 92.5);
  CHECK(loss.metrics().saturated_high == 1 && loss.metrics().flushed == 1);
  CHECK(loss.quantile(1) <= 92.5 && loss.metrics().kl >= 0);
  CHECK(loss.code_histogram().size() == 31 && loss.code_histogram()[13] == 2);
  CHECK(loss.error_histogram().size() == 4);
  const Loss rows = Loss::measure_per_channel(tensor, weights, 0);
  CHECK(rows.channels() == 2 && rows.metrics(1).max_index == 3);

  std::vector<float> values(6);
  tensor.dequantize(values);
  Loss first = Loss::compare({weights.data(), 2}, {values.data(), 2});
  first.merge(Loss::compare({weights.data() + 2, 4}, {values.data() + 2, 4}));
  CHECK(std::fabs(first.metrics().sum_squared / loss.metrics().sum_squared - 1) < 1e-12);
  CHECK(first.error_histogram().empty() && first.code_histogram().empty());
  THROWS(QTENSOR_SHAPE_MISMATCH, "is 1, but it must be 6",
         Loss::compare(weights, {values.data(), 1}));
  THROWS(QTENSOR_UNAVAILABLE, "histogram", first.quantile(0.5));
  THROWS(QTENSOR_OUT_OF_RANGE, "channel", loss.metrics(1));
  THROWS(QTENSOR_UNSUPPORTED, "histogram", first.merge(loss));
  const Loss moved = std::move(first);
  CHECK(moved.channels() == 1 && first.channels() == 0);

  CHECK(caffe2_qtensor::sizes(tensor, "fc1_w").planes == 5);
  CHECK(caffe2_qtensor::code_statistics(tensor).highest == 15);
  CHECK(caffe2_qtensor::plane_ones(tensor)[4] == 2);
  CHECK(caffe2_qtensor::code_histogram(tensor)[30] == 1);
  CHECK(caffe2_qtensor::code_histogram(Tensor({3}, 2)).front() == 3);
  THROWS(QTENSOR_UNSUPPORTED, "17", caffe2_qtensor::code_histogram(Tensor({3}, 17)));

  const std::uint64_t start = caffe2_qtensor::clock_now();
  CHECK(caffe2_qtensor::clock_now() >= start);
  CHECK(caffe2_qtensor::summarize(std::vector<double>{1, 3}).median == 2);

  qtensor_energy_work_t work = qtensor_energy_work_t();
  work.bit_operations = 10;
  const qtensor_energy_modeled_t modeled =
      caffe2_qtensor::modeled_energy(work, caffe2_qtensor::default_energy_table());
  CHECK(std::fabs(modeled.joules - 1e-12) < 1e-20);
  THROWS(QTENSOR_UNAVAILABLE, "no package", EnergyMeter(std::string(scratch_folder)));
  try {
    EnergyMeter meter;
    meter.start();
    CHECK(meter.packages() > 0 && meter.source() > 0);
    CHECK(meter.read().joules > 0);
  } catch (const caffe2_qtensor::Error &unavailable) {
    CHECK(unavailable.status() == QTENSOR_UNAVAILABLE);
  }
  return done();
}
