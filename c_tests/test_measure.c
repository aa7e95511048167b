/* test_measure.c: what quantization lost, what a tensor takes, time. */
#include "check.h"

#include <math.h>

static const float weights[6] = {0.2f, 0.3f, -1.25f, 100, -0.75f, 0};
static const int64_t dims[2] = {2, 3};

static qtensor_loss_options_t everything(void) {
  qtensor_loss_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.code_histogram = options.error_histogram = options.value_histogram = 1;
  return options;
}

/* Codes 0, 1, -2, 15, -2, 0 of values 0, 0.5, -1, 7.5, -1, 0. */
static qtensor_t *quantized(void) {
  qtensor_t *tensor = make_tensor(dims, 2, 4, true);
  WORKS(qtensor_set_scale, tensor, 0.5);
  WORKS(qtensor_quantize, tensor, weights, 6, NULL, NULL);
  return tensor;
}

static qtensor_loss_metrics_t room(void) {
  qtensor_loss_metrics_t metrics;
  memset(&metrics, 0xa5, sizeof metrics);
  metrics.struct_size = sizeof metrics;
  return metrics;
}

static qtensor_loss_metrics_t of(const qtensor_loss_t *loss, size_t channel) {
  qtensor_loss_metrics_t metrics = room();
  WORKS(qtensor_loss_get, loss, channel, &metrics);
  CHECK(metrics.struct_size == sizeof metrics);
  return metrics;
}

static void nulls(void) {
  qtensor_t *tensor = quantized();
  qtensor_loss_t *loss = NULL, *out = (qtensor_loss_t *)UNTOUCHED;
  qtensor_loss_metrics_t metrics = room();
  qtensor_loss_bin_t bin = {1, 2, 3};
  double magnitude = 77;
  uint64_t count = 77;
  size_t written = 77;
  NULL_OPTIONS(qtensor_loss_measure, tensor, weights, 6, NULL, &loss);
  qtensor_loss_free(loss);
  NULL_OPTIONS(qtensor_loss_measure_per_channel, tensor, weights, 6, 0, NULL, &loss);
  qtensor_loss_free(loss);
  NULL_OPTIONS(qtensor_loss_compare, weights, weights, 6, NULL, &loss);
  NULL_CALL(qtensor_loss_measure, "tensor", NULL, weights, 6, NULL, &out);
  NULL_CALL(qtensor_loss_measure, "reference", tensor, NULL, 6, NULL, &out);
  NULL_CALL(qtensor_loss_measure, "out", tensor, weights, 6, NULL, NULL);
  NULL_CALL(qtensor_loss_measure_per_channel, "tensor", NULL, weights, 6, 0, NULL, &out);
  NULL_CALL(qtensor_loss_measure_per_channel, "reference", tensor, NULL, 6, 0, NULL, &out);
  NULL_CALL(qtensor_loss_measure_per_channel, "out", tensor, weights, 6, 0, NULL, NULL);
  NULL_CALL(qtensor_loss_compare, "reference", NULL, weights, 6, NULL, &out);
  NULL_CALL(qtensor_loss_compare, "values", weights, NULL, 6, NULL, &out);
  NULL_CALL(qtensor_loss_compare, "out", weights, weights, 6, NULL, NULL);
  NULL_CALL(qtensor_loss_merge, "loss", NULL, loss);
  NULL_CALL(qtensor_loss_merge, "other", loss, NULL);
  NULL_CALL(qtensor_loss_get, "loss", NULL, 0, &metrics);
  NULL_CALL(qtensor_loss_get, "out", loss, 0, NULL);
  NULL_CALL(qtensor_loss_quantile, "loss", NULL, 0, 0.5, &magnitude);
  NULL_CALL(qtensor_loss_quantile, "out", loss, 0, 0.5, NULL);
  NULL_CALL(qtensor_loss_error_histogram, "loss", NULL, 0, &bin, 1, &written);
  NULL_CALL(qtensor_loss_error_histogram, "bins", loss, 0, NULL, 1, &written);
  NULL_CALL(qtensor_loss_error_histogram, "written", loss, 0, &bin, 1, NULL);
  NULL_CALL(qtensor_loss_code_histogram, "loss", NULL, 0, &count, 1, &written);
  NULL_CALL(qtensor_loss_code_histogram, "histogram", loss, 0, NULL, 1, &written);
  NULL_CALL(qtensor_loss_code_histogram, "written", loss, 0, &count, 1, NULL);
  NULL_ANSWER(qtensor_loss_channels, 0, NULL);
  NULL_ANSWER(qtensor_loss_error_bins, 0, NULL, 0);
  NULL_ANSWER(qtensor_loss_code_bins, 0, NULL, 0);
  NULL_FREE(qtensor_loss_free);
  CHECK(out == UNTOUCHED && magnitude == 77 && count == 77 && written == 77 && bin.count == 3);
  CHECK(all_bytes(&metrics.count, 0xa5, sizeof metrics - sizeof(size_t)));
  /* What was not asked for. */
  CHECK(qtensor_loss_error_bins(loss, 0) == 0 && qtensor_loss_code_bins(loss, 0) == 0);
  REFUSES(QTENSOR_UNAVAILABLE, qtensor_loss_quantile, loss, 0, 0.5, &magnitude);
  metrics = of(loss, 0);
  CHECK(isnan(metrics.p50) && isnan(metrics.kl) && isnan(metrics.code_entropy));

  qtensor_sizes_t sizes = {sizeof sizes, 0, 0, 0, 0, 0, 0};
  qtensor_code_statistics_t codes = {sizeof codes, 0, 0, 0, 0, 0, 0};
  qtensor_timing_t timing = {sizeof timing, 0, 0, 0, 0, 0, 0, 0};
  NULL_CALL(qtensor_sizes, "tensor", NULL, "w", &sizes);
  NULL_CALL(qtensor_sizes, "name", tensor, NULL, &sizes);
  NULL_CALL(qtensor_sizes, "out", tensor, "w", NULL);
  NULL_CALL(qtensor_code_statistics, "tensor", NULL, &codes);
  NULL_CALL(qtensor_code_statistics, "out", tensor, NULL);
  NULL_CALL(qtensor_plane_ones, "tensor", NULL, &count, 1);
  NULL_CALL(qtensor_plane_ones, "ones", tensor, NULL, 5);
  NULL_CALL(qtensor_code_histogram, "tensor", NULL, &count, 1);
  NULL_CALL(qtensor_code_histogram, "histogram", tensor, NULL, 31);
  NULL_CALL(qtensor_timing_summarize, "seconds", NULL, 1, &timing);
  NULL_CALL(qtensor_timing_summarize, "out", &magnitude, 1, NULL);
  CHECK(count == 77 && sizes.planes == 0 && codes.count == 0 && timing.runs == 0);
  qtensor_loss_free(loss);
  qtensor_free(tensor);
}

static void errors_are_those_of_the_values(void) {
  qtensor_t *tensor = quantized();
  const qtensor_loss_options_t options = everything();
  qtensor_loss_t *loss = NULL;
  WORKS(qtensor_loss_measure, tensor, weights, 6, &options, &loss);
  CHECK(qtensor_loss_channels(loss) == 1);
  const qtensor_loss_metrics_t found = of(loss, 0);
  CHECK(found.count == 6 && found.non_finite == 0 && found.max_index == 3);
  CHECK(found.max_absolute == 92.5 && found.saturated_high == 1 && found.saturated_low == 0);
  CHECK(found.flushed == 1 && found.mse == found.sum_squared / 6);
  CHECK(fabs(found.sum_absolute - (0.2 + 0.2 + 0.25 + 92.5 + 0.25)) < 1e-6);
  CHECK(found.rmse == sqrt(found.mse) && found.mae == found.sum_absolute / 6);
  CHECK(fabs(found.sqnr - 10 * log10(found.sum_xx / found.sum_squared)) < 1e-9);
  CHECK(found.cosine > 0.9 && found.cosine < 1 && found.effective_bits < found.sqnr);
  CHECK(fabs(found.p50 / 0.2 - 1) < 1.0 / 64 && found.p99 <= 92.5 && found.p99 > 91);
  CHECK(found.kl >= 0 && found.sum_yy == 0.25 + 1 + 56.25 + 1);
  /* Two codes twice and two once. */
  CHECK(fabs(found.code_entropy - (2 * log2(3) / 3 + log2(6) / 3)) < 1e-12);

  uint64_t counts[31];
  qtensor_loss_bin_t bins[8];
  size_t written = 0;
  CHECK(qtensor_loss_code_bins(loss, 0) == 31 && qtensor_loss_error_bins(loss, 0) == 4);
  WORKS(qtensor_loss_code_histogram, loss, 0, counts, 31, &written);
  CHECK(written == 31 && counts[13] == 2 && counts[15] == 2 && counts[16] == 1 && counts[30] == 1);
  WORKS(qtensor_loss_error_histogram, loss, 0, bins, 8, &written);
  CHECK(written == 4 && bins[0].low == 0 && bins[0].high == 0 && bins[0].count == 1);
  CHECK(bins[3].low <= 92.5 && bins[3].high > 92.5 && bins[3].count == 1);
  double magnitude = 0;
  WORKS(qtensor_loss_quantile, loss, 0, 1, &magnitude);
  CHECK(magnitude > 91 && magnitude <= 92.5);
  qtensor_loss_free(loss);
  qtensor_free(tensor);
}

static void channels_and_parts_add_up(void) {
  qtensor_t *tensor = quantized();
  float values[6];
  WORKS(qtensor_dequantize, tensor, values, 6, 1);
  qtensor_loss_t *whole = NULL, *columns = NULL, *first = NULL, *second = NULL;
  WORKS(qtensor_loss_measure, tensor, weights, 6, NULL, &whole);
  WORKS(qtensor_loss_measure_per_channel, tensor, weights, 6, 1, NULL, &columns);
  CHECK(qtensor_loss_channels(columns) == 3);
  CHECK(of(columns, 0).max_index == 3 && of(columns, 1).count == 2);
  double sum = 0;
  for (size_t channel = 0; channel < 3; channel++) {
    sum += of(columns, channel).sum_squared;
  }
  CHECK(fabs(sum / of(whole, 0).sum_squared - 1) < 1e-12);
  WORKS(qtensor_loss_compare, weights, values, 4, NULL, &first);
  WORKS(qtensor_loss_compare, weights + 4, values + 4, 2, NULL, &second);
  WORKS(qtensor_loss_merge, first, second);
  CHECK(fabs(of(first, 0).sum_squared / of(whole, 0).sum_squared - 1) < 1e-12);
  CHECK(of(first, 0).count == 6 && of(first, 0).max_index == 3);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_loss_merge, first, first);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_loss_merge, first, columns);
  SAYS("channels");
  CHECK(of(first, 0).count == 6);
  qtensor_loss_free(second);
  WORKS(qtensor_loss_compare, NULL, NULL, 0, NULL, &second);
  CHECK(of(second, 0).max_index == UINT64_MAX && isnan(of(second, 0).mse));
  qtensor_loss_free(whole);
  qtensor_loss_free(columns);
  qtensor_loss_free(first);
  qtensor_loss_free(second);
  qtensor_free(tensor);
}

static void refusals(void) {
  qtensor_t *tensor = quantized();
  qtensor_loss_options_t options = everything();
  qtensor_loss_t *loss = (qtensor_loss_t *)UNTOUCHED, *good = NULL, *plain = NULL;
  const float *crooked = (const float *)((const char *)weights + 1);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_loss_measure, tensor, weights, 5, NULL, &loss);
  SAYS("is 5, but it must be 6");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_loss_measure, tensor, crooked, 6, NULL, &loss);
  SAYS("'reference' is not aligned");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_loss_compare, weights, weights, SIZE_MAX, NULL, &loss);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_loss_measure_per_channel, tensor, weights, 6, 2, NULL,
          &loss);
  SAYS("axis");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_loss_measure_per_channel, tensor, weights, 6, -1, NULL,
          &loss);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_loss_compare, weights, weights, 6, &options, &loss);
  SAYS("codes");
  options.struct_size = 8;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_loss_measure, tensor, weights, 6, &options, &loss);
  CHECK(loss == UNTOUCHED);

  options = everything();
  WORKS(qtensor_loss_measure, tensor, weights, 6, &options, &good);
  WORKS(qtensor_loss_measure, tensor, weights, 6, NULL, &plain);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_loss_merge, good, plain);
  SAYS("histogram");
  qtensor_loss_metrics_t metrics = room();
  double magnitude = 77;
  uint64_t counts[31];
  qtensor_loss_bin_t bins[4];
  size_t written = 77;
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_loss_get, good, 1, &metrics);
  SAYS("channel is 1");
  metrics.struct_size = 16;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_loss_get, good, 0, &metrics);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_loss_quantile, good, 0, 1.5, &magnitude);
  SAYS("1.5");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_loss_quantile, good, 0, NAN, &magnitude);
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_loss_code_histogram, good, 0, counts, 30, &written);
  SAYS("248 are needed");
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_loss_error_histogram, good, 0, bins, 3, &written);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_loss_code_histogram, good, 1, counts, 31, &written);
  CHECK(magnitude == 77 && written == 77);
  qtensor_loss_free(good);
  qtensor_loss_free(plain);
  qtensor_free(tensor);

  tensor = make_tensor(dims, 2, 17, false);
  options = everything();
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_loss_measure, tensor, weights, 6, &options, &loss);
  SAYS("17");
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_code_histogram, tensor, counts, 31);
  WORKS(qtensor_set_precision, tensor, 33);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_loss_measure, tensor, weights, 6, NULL, &loss);
  WORKS(qtensor_set_precision, tensor, 64);
  qtensor_code_statistics_t codes = {sizeof codes, 0, 0, 0, 0, 0, 0};
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_code_statistics, tensor, &codes);
  qtensor_free(tensor);
}

static void sizes_and_codes(void) {
  qtensor_t *tensor = quantized();
  qtensor_sizes_t sizes = {sizeof sizes, 0, 0, 0, 0, 0, 0};
  size_t wire = 0;
  WORKS(qtensor_sizes, tensor, "fc1_w", &sizes);
  WORKS(qtensor_serialized_size, tensor, "fc1_w", &wire);
  CHECK(sizes.planes == 5 && sizes.wire == wire && sizes.floats == 24 && sizes.ratio == 24.0 / 5);
  CHECK(sizes.resident > 5 + sizeof dims && sizes.wire_ratio == 24.0 / (double)wire);
  qtensor_code_statistics_t codes = {sizeof codes, 0, 0, 0, 0, 0, 0};
  WORKS(qtensor_code_statistics, tensor, &codes);
  CHECK(codes.count == 6 && codes.zeros == 2 && codes.distinct == 4);
  CHECK(codes.lowest == -2 && codes.highest == 15 && codes.entropy > 1.9 && codes.entropy < 2);
  uint64_t ones[5], counts[31];
  WORKS(qtensor_plane_ones, tensor, ones, 5);
  CHECK(ones[0] == 2 && ones[1] == 3 && ones[2] == 1 && ones[3] == 1 && ones[4] == 2);
  WORKS(qtensor_code_histogram, tensor, counts, 31);
  CHECK(counts[13] == 2 && counts[15] == 2 && counts[16] == 1 && counts[30] == 1);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_plane_ones, tensor, ones, 4);
  SAYS("is 4, but it must be 5");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_code_histogram, tensor, counts, 16);
  qtensor_free(tensor);
}

static void times(void) {
  const uint64_t start = qtensor_clock_now(), end = qtensor_clock_now();
  CHECK(start > 0 && end >= start);
  const double seconds[4] = {0.5, 0.25, 2, 1};
  qtensor_timing_t timing = {sizeof timing, 0, 0, 0, 0, 0, 0, 0};
  WORKS(qtensor_timing_summarize, seconds, 4, &timing);
  CHECK(timing.runs == 4 && timing.total == 3.75 && timing.mean == 0.9375);
  CHECK(timing.minimum == 0.25 && timing.median == 0.75 && timing.p95 == 2 && timing.maximum == 2);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_timing_summarize, NULL, 0, &timing);
  const double bad[2] = {1, NAN};
  REFUSES(QTENSOR_NON_FINITE, qtensor_timing_summarize, bad, 2, &timing);
  SAYS("index 1");
  const double negative[3] = {1, -0.0, -0.5};
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_timing_summarize, negative, 3, &timing);
  SAYS("The seconds at index 2 are -0.5, but they must be 0 or more.");
  WORKS(qtensor_timing_summarize, negative, 2, &timing);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  errors_are_those_of_the_values();
  channels_and_parts_add_up();
  refusals();
  sizes_and_codes();
  times();
  return done();
}
