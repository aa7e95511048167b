// cpp_observer.cc: observers and what is chosen by them.
#include "check.hpp"

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::CalibrateOptions;
using caffe2_qtensor::Method;
using caffe2_qtensor::Observer;
using caffe2_qtensor::ObserverOptions;
using caffe2_qtensor::Tensor;
using caffe2_qtensor::Zero;

static_assert(!std::is_copy_constructible<Observer>::value, "no copies by accident");
static_assert(std::is_nothrow_move_constructible<Observer>::value, "vectors move");

int main(int argc, char **argv) {
  begin(argc, argv);
  const std::vector<float> values = {-1, 0, 0.5f, 2, 1.25f, -0.75f};
  Observer here, there;
  here.observe({values.data(), 3});
  there.observe({values.data() + 3, 3});
  here.merge(Observer::deserialize(there.serialize()));
  Observer alone;
  alone.observe(values, {2, 3});
  CHECK(here.serialize() == alone.serialize() && here.channels() == 1);
  CHECK(here.statistics().finite == 6 && here.statistics().zeros == 1);
  CHECK(here.clone().statistics().max == 2);
  CHECK(here.choose().mse <= here.choose({}, 0).mse);
  CalibrateOptions range;
  range.method = Method::min_max;
  range.zero = Zero::exact;
  const qtensor_choice_t choice = here.choose(range);
  CHECK(choice.scale == 3.0 / 255 && choice.has_zero_point == 1 && choice.zero_point == 85);
  CHECK(caffe2_qtensor::choose_exact(values, range).scale == choice.scale);
  CHECK(caffe2_qtensor::choose_caffe2(values).zero_point == 85);
  THROWS(QTENSOR_OUT_OF_RANGE, "channel", here.statistics(1));
  THROWS(QTENSOR_MALFORMED, "state", Observer::deserialize(std::string("QTOB")));
  here.reset();
  CHECK(here.statistics().finite == 0);

  ObserverOptions rows;
  rows.kind = ObserverOptions::range;
  rows.channels = 2;
  Observer channels(rows);
  channels.observe(values, {2, 3});
  CHECK(channels.channels() == 2 && channels.statistics(1).min == -0.75);
  THROWS(QTENSOR_SHAPE_MISMATCH, "channels", channels.observe(values, {3, 2}));

  CalibrateOptions four;
  four.precision = 4;
  const Tensor best = caffe2_qtensor::quantize_best(values, {2, 3}, four, 0);
  CHECK(best.precision() == 4 && best.channel_scales().size() == 2);
  const Observer moved = std::move(channels);
  CHECK(moved.channels() == 2 && channels.channels() == 0);
  THROWS(QTENSOR_NULL_ARGUMENT, "observer", channels.reset());
  return done();
}
