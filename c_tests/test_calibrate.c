/* test_calibrate.c: the choice of scale and bias for values, and codes of values in one call. */
#include "check.h"

#include <math.h>

static const float values[6] = {-1, 0, 0.5f, 2, 1.25f, -0.75f};
static const int64_t dims[2] = {2, 3};

static qtensor_calibrate_options_t defaults(void) {
  qtensor_calibrate_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.precision = 8;
  return options;
}

static qtensor_caffe2_options_t caffe2_defaults(void) {
  qtensor_caffe2_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.precision = 8;
  return options;
}

static qtensor_choice_t untouched(void) {
  qtensor_choice_t choice;
  memset(&choice, 0xa5, sizeof choice);
  choice.struct_size = sizeof choice;
  return choice;
}

static bool is_untouched(const qtensor_choice_t *choice) {
  return all_bytes(&choice->scale, 0xa5, sizeof *choice - sizeof choice->struct_size);
}

static qtensor_observer_t *observed(void) {
  qtensor_observer_t *observer = NULL;
  WORKS(qtensor_observer_create, NULL, &observer);
  WORKS(qtensor_observer_observe, observer, values, 6, NULL, 0);
  return observer;
}

static void nulls(void) {
  qtensor_observer_t *observer = observed();
  qtensor_choice_t choice = untouched();
  qtensor_chosen_t chosen;
  qtensor_t *out = (qtensor_t *)UNTOUCHED;
  chosen.struct_size = sizeof chosen;
  NULL_CALL(qtensor_observer_choose, "observer", NULL, 0, NULL, &choice);
  NULL_CALL(qtensor_observer_choose, "out", observer, 0, NULL, NULL);
  NULL_CALL(qtensor_params_choose_exact, "values", NULL, 6, NULL, &choice);
  NULL_CALL(qtensor_params_choose_exact, "out", values, 6, NULL, NULL);
  NULL_CALL(qtensor_params_choose_caffe2, "values", NULL, 6, NULL, &chosen);
  NULL_CALL(qtensor_params_choose_caffe2, "out", values, 6, NULL, NULL);
  NULL_CALL(qtensor_quantize_best, "values", NULL, 6, dims, 2, -1, NULL, &out);
  NULL_CALL(qtensor_quantize_best, "dims", values, 6, NULL, 2, -1, NULL, &out);
  NULL_CALL(qtensor_quantize_best, "out", values, 6, dims, 2, -1, NULL, NULL);
  CHECK(is_untouched(&choice) && out == UNTOUCHED);
  qtensor_choice_t same = untouched();
  qtensor_calibrate_options_t options = defaults();
  NULL_OPTIONS(qtensor_observer_choose, observer, 0, NULL, &choice);
  WORKS(qtensor_observer_choose, observer, 0, &options, &same);
  CHECK(memcmp(&choice, &same, sizeof same) == 0);
  NULL_OPTIONS(qtensor_params_choose_exact, values, 6, NULL, &choice);
  NULL_OPTIONS(qtensor_params_choose_caffe2, values, 6, NULL, &chosen);
  CHECK(chosen.scale == (double)(float)(3.0 / 255) && chosen.zero_point == 85);
  NULL_OPTIONS(qtensor_quantize_best, values, 6, dims, 2, -1, NULL, &out);
  CHECK(qtensor_precision(out) == 8 && !qtensor_is_signed(out) && qtensor_size(out) == 6);
  qtensor_free(out);
  qtensor_observer_free(observer);
}

static void each_method(void) {
  qtensor_observer_t *observer = observed();
  qtensor_calibrate_options_t options = defaults();
  qtensor_choice_t choice = untouched();
  options.precision = 3;
  for (int32_t method = QTENSOR_METHOD_MSE; method <= QTENSOR_METHOD_FIXED; method++) {
    options.method = method;
    options.low = method == QTENSOR_METHOD_FIXED ? -1.5 : 0.1;
    options.high = method == QTENSOR_METHOD_FIXED ? 2 : 0.9;
    if (method == QTENSOR_METHOD_MOVING_AVERAGE) {
      REFUSES(QTENSOR_UNSUPPORTED, qtensor_observer_choose, observer, 0, &options, &choice);
      REFUSES(QTENSOR_UNSUPPORTED, qtensor_params_choose_exact, values, 6, &options, &choice);
      continue;
    }
    WORKS(qtensor_observer_choose, observer, 0, &options, &choice);
    CHECK(choice.struct_size == sizeof choice && choice.scale > 0 && choice.mse >= 0);
    CHECK(choice.clipped_low >= 0 && choice.clipped_high <= 1 && choice.sqnr > 0);
    WORKS(qtensor_params_choose_exact, values, 6, &options, &choice);
  }
  options.method = QTENSOR_METHOD_FIXED;
  WORKS(qtensor_observer_choose, observer, 0, &options, &choice);
  CHECK(choice.scale == 0.5 && choice.bias == -3 && choice.has_zero_point && choice.zero_point == 3);
  options.method = QTENSOR_METHOD_MIN_MAX;
  options.is_signed = 1;
  options.symmetric = 1;
  options.power_of_two = 2;
  WORKS(qtensor_observer_choose, observer, 0, &options, &choice);
  CHECK(choice.scale == 0.5 && choice.bias == 0);
  options.reduced = -1;
  options.zero = QTENSOR_ZERO_EXACT;
  WORKS(qtensor_observer_choose, observer, 0, &options, &choice);
  CHECK(choice.scale == 1);
  qtensor_observer_free(observer);
}

static void refuse(qtensor_status status, const qtensor_calibrate_options_t *options,
                   const char *text) {
  qtensor_observer_t *observer = observed();
  qtensor_choice_t choice = untouched();
  qtensor_t *out = (qtensor_t *)UNTOUCHED;
  REFUSES(status, qtensor_observer_choose, observer, 0, options, &choice);
  SAYS(text);
  REFUSES(status, qtensor_params_choose_exact, values, 6, options, &choice);
  SAYS(text);
  REFUSES(status, qtensor_quantize_best, values, 6, dims, 2, -1, options, &out);
  SAYS(text);
  CHECK(is_untouched(&choice) && out == UNTOUCHED);
  qtensor_observer_free(observer);
}

static void options_that_choose_nothing(void) {
  qtensor_calibrate_options_t options = defaults();
  options.method = 7;
  refuse(QTENSOR_INVALID_ARGUMENT, &options, "method is 7");
  options = defaults();
  options.zero = 3;
  refuse(QTENSOR_INVALID_ARGUMENT, &options, "zero is 3");
  options = defaults();
  options.reserved = 1;
  refuse(QTENSOR_INVALID_ARGUMENT, &options, "reserved");
  options = defaults();
  options.precision = 0;
  refuse(QTENSOR_OUT_OF_RANGE, &options, "precision");
  options.precision = 9;
  refuse(QTENSOR_OUT_OF_RANGE, &options, "9");
  options.precision = -3;
  refuse(QTENSOR_OUT_OF_RANGE, &options, "-3");
  options.precision = 1;
  options.reduced = 1;
  refuse(QTENSOR_OUT_OF_RANGE, &options, "reduced");
  options = defaults();
  options.method = QTENSOR_METHOD_PERCENTILE;
  options.low = 0.9;
  options.high = 0.1;
  refuse(QTENSOR_INVALID_ARGUMENT, &options, "quantile");
  options.low = NAN;
  refuse(QTENSOR_INVALID_ARGUMENT, &options, "NaN");
  options.method = QTENSOR_METHOD_FIXED;
  refuse(QTENSOR_NON_FINITE, &options, "minimum");
  options = defaults();
  options.struct_size -= 1;
  refuse(QTENSOR_BUFFER_TOO_SMALL, &options, "options");
}

static void values_that_choose_nothing(void) {
  qtensor_observer_t *observer = NULL;
  qtensor_choice_t choice = untouched();
  qtensor_t *out = (qtensor_t *)UNTOUCHED;
  const float bad[2] = {1, NAN};
  WORKS(qtensor_observer_create, NULL, &observer);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_observer_choose, observer, 0, NULL, &choice);
  SAYS("number of finite values is 0");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_observer_choose, observer, 1, NULL, &choice);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_params_choose_exact, NULL, 0, NULL, &choice);
  REFUSES(QTENSOR_NON_FINITE, qtensor_params_choose_exact, bad, 2, NULL, &choice);
  REFUSES(QTENSOR_NON_FINITE, qtensor_quantize_best, bad, 2, dims, 1, -1, NULL, &out);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_quantize_best, values, 5, dims, 2, -1, NULL, &out);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_quantize_best, values, 6, dims, 2, 2, NULL, &out);
  SAYS("channel axis is 2, outside the range 0 to 1.");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_quantize_best, values, 6, dims, 2, -2, NULL, &out);
  SAYS("channel axis is -2, outside the range -1 to 1.");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_quantize_best, NULL, 0, NULL, 0, 0, NULL, &out);
  SAYS("channel axis is 0, but there is none.");
  choice.struct_size = sizeof choice - 1;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_params_choose_exact, values, 6, NULL, &choice);
  CHECK(out == UNTOUCHED);
  qtensor_observer_free(observer);
}

static void in_one_call(void) {
  qtensor_calibrate_options_t options = defaults();
  qtensor_t *tensor = NULL;
  options.precision = 4;
  options.is_signed = 1;
  for (int32_t axis = -1; axis < 2; axis++) {
    float back[6];
    WORKS(qtensor_quantize_best, values, 6, dims, 2, axis, &options, &tensor);
    WORKS(qtensor_dequantize, tensor, back, 6, 1);
    for (size_t i = 0; i < 6; i++) {
      CHECK(fabsf(back[i] - values[i]) < 0.06f);
    }
    CHECK(qtensor_precision(tensor) == 4 && qtensor_is_signed(tensor));
    qtensor_free(tensor);
  }
  const int64_t none[1] = {0};
  WORKS(qtensor_quantize_best, NULL, 0, none, 1, -1, &options, &tensor);
  CHECK(qtensor_size(tensor) == 0);
  qtensor_free(tensor);
}

static void as_caffe2(void) {
  qtensor_caffe2_options_t options = caffe2_defaults();
  qtensor_chosen_t chosen;
  chosen.struct_size = sizeof chosen;
  options.precision = 4;
  for (int32_t method = QTENSOR_CAFFE2_MIN_MAX; method <= QTENSOR_CAFFE2_P99; method++) {
    options.method = method;
    WORKS(qtensor_params_choose_caffe2, values, 6, &options, &chosen);
    CHECK(chosen.scale > 0 && chosen.zero_point >= 0 && chosen.zero_point <= 255);
  }
  options.force_scale_power_of_two = 1;
  WORKS(qtensor_params_choose_caffe2, values, 6, &options, &chosen);
  options.threshold = 0.4;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_params_choose_caffe2, values, 6, &options, &chosen);
  SAYS("share");
  options = caffe2_defaults();
  options.method = 6;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_params_choose_caffe2, values, 6, &options, &chosen);
  options = caffe2_defaults();
  options.precision = 9;
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_params_choose_caffe2, values, 6, &options, &chosen);
  const float far[2] = {1e6f, 1e6f + 1}, bad[1] = {INFINITY};
  options = caffe2_defaults();
  options.method = QTENSOR_CAFFE2_L2;
  REFUSES(QTENSOR_OVERFLOW, qtensor_params_choose_caffe2, far, 2, &options, &chosen);
  REFUSES(QTENSOR_NON_FINITE, qtensor_params_choose_caffe2, bad, 1, &options, &chosen);
  options.struct_size -= 1;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_params_choose_caffe2, values, 6, &options, &chosen);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  each_method();
  options_that_choose_nothing();
  values_that_choose_nothing();
  in_one_call();
  as_caffe2();
  return done();
}
