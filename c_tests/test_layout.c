/* test_layout.c: the numbers that a compiled program has inside: sizes, offsets, constants. They
 * never change; a structure grows at its end, and then only its size here. tests/c_interface.rs sees
 * to it that none is missing. */
#include "check.h"

#include <stddef.h>

#define VALUE(name, value) CHECK((name) == (value))
#define SIZE(type, bytes) CHECK(sizeof(type) == (bytes))
#define FIELD(type, name, offset) CHECK(offsetof(type, name) == (offset))

static void statuses(void) {
  VALUE(QTENSOR_OK, 0);
  VALUE(QTENSOR_NULL_ARGUMENT, 1);
  VALUE(QTENSOR_INVALID_ARGUMENT, 2);
  VALUE(QTENSOR_OUT_OF_RANGE, 3);
  VALUE(QTENSOR_OVERFLOW, 4);
  VALUE(QTENSOR_OUT_OF_MEMORY, 5);
  VALUE(QTENSOR_SHAPE_MISMATCH, 6);
  VALUE(QTENSOR_MALFORMED, 7);
  VALUE(QTENSOR_UNSUPPORTED, 8);
  VALUE(QTENSOR_BUFFER_TOO_SMALL, 9);
  VALUE(QTENSOR_IO, 10);
  VALUE(QTENSOR_NON_FINITE, 11);
  VALUE(QTENSOR_UNAVAILABLE, 12);
  VALUE(QTENSOR_PANIC, 13);
}

static void constants(void) {
  VALUE(QTENSOR_MAX_DIMS, 64);
  VALUE(QTENSOR_ELEMENT_FLOAT, 1);
  VALUE(QTENSOR_ELEMENT_INT32, 2);
  VALUE(QTENSOR_ELEMENT_BOOL, 5);
  VALUE(QTENSOR_ELEMENT_UINT8, 6);
  VALUE(QTENSOR_ELEMENT_INT8, 7);
  VALUE(QTENSOR_ELEMENT_UINT16, 8);
  VALUE(QTENSOR_ELEMENT_INT16, 9);
  VALUE(QTENSOR_ELEMENT_INT64, 10);
  VALUE(QTENSOR_ELEMENT_FLOAT16, 12);
  VALUE(QTENSOR_ELEMENT_DOUBLE, 13);
  VALUE(QTENSOR_CHOOSER_QUANT_UTILS, 0);
  VALUE(QTENSOR_CHOOSER_DNNLOWP, 1);
  VALUE(QTENSOR_SCHEME_PARAMETERS, 0);
  VALUE(QTENSOR_SCHEME_DOREFA_ACTIVATIONS, 1);
  VALUE(QTENSOR_SCHEME_DOREFA_WEIGHTS, 2);
  VALUE(QTENSOR_ROUND_NEAREST_EVEN, 0);
  VALUE(QTENSOR_ROUND_NEAREST_AWAY, 1);
  VALUE(QTENSOR_ROUND_FLOOR, 2);
  VALUE(QTENSOR_ROUND_CEIL, 3);
  VALUE(QTENSOR_ROUND_TOWARD_ZERO, 4);
  VALUE(QTENSOR_ROUND_STOCHASTIC, 5);
  VALUE(QTENSOR_ROUND_CAFFE2, 6);
  VALUE(QTENSOR_NON_FINITE_REFUSE, 0);
  VALUE(QTENSOR_NON_FINITE_SATURATE, 1);
  VALUE(QTENSOR_METHOD_BEST, 0);
  VALUE(QTENSOR_METHOD_POPCOUNT, 1);
  VALUE(QTENSOR_METHOD_TERNARY, 2);
  VALUE(QTENSOR_METHOD_BYTES, 3);
  VALUE(QTENSOR_METHOD_PLANES, 4);
  VALUE(QTENSOR_INPUT_GIVEN, 0);
  VALUE(QTENSOR_INPUT_COVERING, 1);
  VALUE(QTENSOR_FIXED_NEAREST, 0);
  VALUE(QTENSOR_FIXED_DNNLOWP, 1);
  VALUE(QTENSOR_OBSERVER_HISTOGRAM, 0);
  VALUE(QTENSOR_OBSERVER_RANGE, 1);
  VALUE(QTENSOR_OBSERVER_MOVING_AVERAGE, 2);
  VALUE(QTENSOR_NON_FINITE_SKIP, 2);
  VALUE(QTENSOR_METHOD_MSE, 0);
  VALUE(QTENSOR_METHOD_MAE, 1);
  VALUE(QTENSOR_METHOD_MIN_MAX, 2);
  VALUE(QTENSOR_METHOD_MAX_ABS, 3);
  VALUE(QTENSOR_METHOD_MOVING_AVERAGE, 4);
  VALUE(QTENSOR_METHOD_PERCENTILE, 5);
  VALUE(QTENSOR_METHOD_FIXED, 6);
  VALUE(QTENSOR_ZERO_FREE, 0);
  VALUE(QTENSOR_ZERO_INTEGER, 1);
  VALUE(QTENSOR_ZERO_EXACT, 2);
  VALUE(QTENSOR_CAFFE2_MIN_MAX, 0);
  VALUE(QTENSOR_CAFFE2_L1, 1);
  VALUE(QTENSOR_CAFFE2_L2, 2);
  VALUE(QTENSOR_CAFFE2_L2_APPROX, 3);
  VALUE(QTENSOR_CAFFE2_KL, 4);
  VALUE(QTENSOR_CAFFE2_P99, 5);
}

/* On machines with addresses of 64 bits, which is where there are any prebuilt programs. */
static void structures(void) {
  if (sizeof(void *) != 8) {
    return;
  }
  SIZE(qtensor_view_t, 40);
  FIELD(qtensor_view_t, struct_size, 0);
  FIELD(qtensor_view_t, size, 8);
  FIELD(qtensor_view_t, plane_stride, 16);
  FIELD(qtensor_view_t, data, 24);
  FIELD(qtensor_view_t, precision, 32);
  FIELD(qtensor_view_t, is_signed, 33);
  FIELD(qtensor_view_t, is_read_only, 34);
  FIELD(qtensor_view_t, reserved, 35);
  SIZE(qtensor_parsed_t, 120);
  FIELD(qtensor_parsed_t, struct_size, 0);
  FIELD(qtensor_parsed_t, dims, 8);
  FIELD(qtensor_parsed_t, ndim, 16);
  FIELD(qtensor_parsed_t, data, 24);
  FIELD(qtensor_parsed_t, data_count, 32);
  FIELD(qtensor_parsed_t, scales, 40);
  FIELD(qtensor_parsed_t, scale_count, 48);
  FIELD(qtensor_parsed_t, biases, 56);
  FIELD(qtensor_parsed_t, bias_count, 64);
  FIELD(qtensor_parsed_t, scale, 72);
  FIELD(qtensor_parsed_t, bias, 80);
  FIELD(qtensor_parsed_t, precision, 88);
  FIELD(qtensor_parsed_t, is_signed, 92);
  FIELD(qtensor_parsed_t, has_axis, 96);
  FIELD(qtensor_parsed_t, axis, 100);
  FIELD(qtensor_parsed_t, has_is_multiparam, 104);
  FIELD(qtensor_parsed_t, is_multiparam, 108);
  FIELD(qtensor_parsed_t, has_data_type, 112);
  FIELD(qtensor_parsed_t, data_type, 116);
  SIZE(qtensor_blob_info_t, 40);
  FIELD(qtensor_blob_info_t, struct_size, 0);
  FIELD(qtensor_blob_info_t, name, 8);
  FIELD(qtensor_blob_info_t, name_length, 16);
  FIELD(qtensor_blob_info_t, type_name, 24);
  FIELD(qtensor_blob_info_t, type_length, 32);
  SIZE(qtensor_minidb_entry_t, 80);
  FIELD(qtensor_minidb_entry_t, struct_size, 0);
  FIELD(qtensor_minidb_entry_t, key, 8);
  FIELD(qtensor_minidb_entry_t, key_length, 16);
  FIELD(qtensor_minidb_entry_t, blob_name_length, 24);
  FIELD(qtensor_minidb_entry_t, name, 32);
  FIELD(qtensor_minidb_entry_t, name_length, 40);
  FIELD(qtensor_minidb_entry_t, type_name, 48);
  FIELD(qtensor_minidb_entry_t, type_length, 56);
  FIELD(qtensor_minidb_entry_t, value_size, 64);
  FIELD(qtensor_minidb_entry_t, value_offset, 72);
  SIZE(qtensor_choose_options_t, 40);
  FIELD(qtensor_choose_options_t, struct_size, 0);
  FIELD(qtensor_choose_options_t, qmin, 8);
  FIELD(qtensor_choose_options_t, qmax, 12);
  FIELD(qtensor_choose_options_t, preserve_sparsity, 16);
  FIELD(qtensor_choose_options_t, force_scale_power_of_two, 20);
  FIELD(qtensor_choose_options_t, reduce_range, 24);
  FIELD(qtensor_choose_options_t, chooser, 28);
  FIELD(qtensor_choose_options_t, mend_defects, 32);
  FIELD(qtensor_choose_options_t, reserved, 36);
  SIZE(qtensor_chosen_t, 24);
  FIELD(qtensor_chosen_t, struct_size, 0);
  FIELD(qtensor_chosen_t, scale, 8);
  FIELD(qtensor_chosen_t, zero_point, 16);
  FIELD(qtensor_chosen_t, reserved, 20);
  SIZE(qtensor_quantize_options_t, 32);
  FIELD(qtensor_quantize_options_t, struct_size, 0);
  FIELD(qtensor_quantize_options_t, seed, 8);
  FIELD(qtensor_quantize_options_t, scheme, 16);
  FIELD(qtensor_quantize_options_t, rounding, 20);
  FIELD(qtensor_quantize_options_t, non_finite, 24);
  FIELD(qtensor_quantize_options_t, threads, 28);
  SIZE(qtensor_quantize_counts_t, 40);
  FIELD(qtensor_quantize_counts_t, struct_size, 0);
  FIELD(qtensor_quantize_counts_t, saturated_low, 8);
  FIELD(qtensor_quantize_counts_t, saturated_high, 16);
  FIELD(qtensor_quantize_counts_t, flushed_to_zero, 24);
  FIELD(qtensor_quantize_counts_t, non_finite, 32);
  SIZE(qtensor_product_options_t, 24);
  FIELD(qtensor_product_options_t, struct_size, 0);
  FIELD(qtensor_product_options_t, method, 8);
  FIELD(qtensor_product_options_t, threads, 12);
  FIELD(qtensor_product_options_t, rounding, 16);
  FIELD(qtensor_product_options_t, reserved, 20);
  SIZE(qtensor_input_format_t, 32);
  FIELD(qtensor_input_format_t, struct_size, 0);
  FIELD(qtensor_input_format_t, scale, 8);
  FIELD(qtensor_input_format_t, bias, 16);
  FIELD(qtensor_input_format_t, parameters, 24);
  FIELD(qtensor_input_format_t, precision, 28);
  FIELD(qtensor_input_format_t, is_signed, 29);
  FIELD(qtensor_input_format_t, reserved, 30);
  SIZE(qtensor_fixed_options_t, 16);
  FIELD(qtensor_fixed_options_t, struct_size, 0);
  FIELD(qtensor_fixed_options_t, rounding, 8);
  FIELD(qtensor_fixed_options_t, threads, 12);
  SIZE(qtensor_observer_options_t, 40);
  FIELD(qtensor_observer_options_t, struct_size, 0);
  FIELD(qtensor_observer_options_t, weight, 8);
  FIELD(qtensor_observer_options_t, channels, 16);
  FIELD(qtensor_observer_options_t, axis, 24);
  FIELD(qtensor_observer_options_t, kind, 28);
  FIELD(qtensor_observer_options_t, bins, 32);
  FIELD(qtensor_observer_options_t, non_finite, 36);
  SIZE(qtensor_statistics_t, 112);
  FIELD(qtensor_statistics_t, struct_size, 0);
  FIELD(qtensor_statistics_t, finite, 8);
  FIELD(qtensor_statistics_t, nan, 16);
  FIELD(qtensor_statistics_t, positive_infinite, 24);
  FIELD(qtensor_statistics_t, negative_infinite, 32);
  FIELD(qtensor_statistics_t, zeros, 40);
  FIELD(qtensor_statistics_t, batches, 48);
  FIELD(qtensor_statistics_t, min, 56);
  FIELD(qtensor_statistics_t, max, 64);
  FIELD(qtensor_statistics_t, mean, 72);
  FIELD(qtensor_statistics_t, variance, 80);
  FIELD(qtensor_statistics_t, mean_square, 88);
  FIELD(qtensor_statistics_t, average_min, 96);
  FIELD(qtensor_statistics_t, average_max, 104);
  SIZE(qtensor_calibrate_options_t, 56);
  FIELD(qtensor_calibrate_options_t, struct_size, 0);
  FIELD(qtensor_calibrate_options_t, low, 8);
  FIELD(qtensor_calibrate_options_t, high, 16);
  FIELD(qtensor_calibrate_options_t, method, 24);
  FIELD(qtensor_calibrate_options_t, precision, 28);
  FIELD(qtensor_calibrate_options_t, is_signed, 32);
  FIELD(qtensor_calibrate_options_t, zero, 36);
  FIELD(qtensor_calibrate_options_t, symmetric, 40);
  FIELD(qtensor_calibrate_options_t, power_of_two, 44);
  FIELD(qtensor_calibrate_options_t, reduced, 48);
  FIELD(qtensor_calibrate_options_t, reserved, 52);
  SIZE(qtensor_choice_t, 72);
  FIELD(qtensor_choice_t, struct_size, 0);
  FIELD(qtensor_choice_t, scale, 8);
  FIELD(qtensor_choice_t, bias, 16);
  FIELD(qtensor_choice_t, mse, 24);
  FIELD(qtensor_choice_t, mae, 32);
  FIELD(qtensor_choice_t, sqnr, 40);
  FIELD(qtensor_choice_t, clipped_low, 48);
  FIELD(qtensor_choice_t, clipped_high, 56);
  FIELD(qtensor_choice_t, zero_point, 64);
  FIELD(qtensor_choice_t, has_zero_point, 68);
  SIZE(qtensor_caffe2_options_t, 32);
  FIELD(qtensor_caffe2_options_t, struct_size, 0);
  FIELD(qtensor_caffe2_options_t, threshold, 8);
  FIELD(qtensor_caffe2_options_t, method, 16);
  FIELD(qtensor_caffe2_options_t, precision, 20);
  FIELD(qtensor_caffe2_options_t, preserve_sparsity, 24);
  FIELD(qtensor_caffe2_options_t, force_scale_power_of_two, 28);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  statuses();
  constants();
  structures();
  return done();
}
