/* test_choose.c: scale and zero point for a range, and options of every size. */
#include "golden_text.h"

static qtensor_choose_options_t defaults(void) {
  qtensor_choose_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.qmax = 255;
  return options;
}

static qtensor_chosen_t untouched(void) {
  qtensor_chosen_t chosen;
  memset(&chosen, 0xa5, sizeof chosen);
  chosen.struct_size = sizeof chosen;
  return chosen;
}

static bool is_untouched(const qtensor_chosen_t *chosen) {
  return chosen->struct_size == sizeof *chosen &&
         all_bytes(&chosen->scale, 0xa5, sizeof *chosen - sizeof chosen->struct_size);
}

static void nulls(void) {
  qtensor_choose_options_t options = defaults();
  qtensor_chosen_t chosen = untouched(), same = untouched();
  NULL_CALL(qtensor_params_choose, "out", -1, 1, &options, NULL);
  NULL_OPTIONS(qtensor_params_choose, -2, 3, NULL, &chosen);
  CHECK(chosen.struct_size == sizeof chosen && chosen.reserved == 0);
  CHECK(chosen.scale == 5.0 / 255 && chosen.zero_point == 102);
  WORKS(qtensor_params_choose, -2, 3, &options, &same);
  CHECK(memcmp(&chosen, &same, sizeof same) == 0);
}

static void each_option_counts(void) {
  qtensor_choose_options_t options = defaults();
  qtensor_chosen_t chosen = untouched();
  options.qmax = 15;
  WORKS(qtensor_params_choose, -2, 5.5f, &options, &chosen);
  CHECK(chosen.scale == 0.5 && chosen.zero_point == 4);
  options.preserve_sparsity = -1; /* Any value but 0 is true. */
  WORKS(qtensor_params_choose, -2, 7, &options, &chosen);
  CHECK(chosen.scale == 1 && chosen.zero_point == 8);
  options.reduce_range = 2;
  WORKS(qtensor_params_choose, -3, 3, &options, &chosen);
  CHECK(chosen.scale == 1 && chosen.zero_point == 4);
  options.force_scale_power_of_two = 256;
  WORKS(qtensor_params_choose, -3.5f, 3.5f, &options, &chosen);
  CHECK(chosen.scale == 2 && chosen.zero_point == 4);
  options = defaults();
  options.chooser = QTENSOR_CHOOSER_DNNLOWP;
  WORKS(qtensor_params_choose, 0, 1, &options, &chosen);
  CHECK(chosen.scale == (double)(float)(1.0 / 255) && chosen.zero_point == 0);
  options.force_scale_power_of_two = 1;
  options.qmax = 1;
  WORKS(qtensor_params_choose, 0, 1e20f, &options, &chosen);
  CHECK(chosen.scale == 8);
  options.mend_defects = 1;
  WORKS(qtensor_params_choose, 0, 1e20f, &options, &chosen);
  CHECK(chosen.scale == 147573952589676412928.0);
}

static void what_makes_no_range_is_refused(void) {
  qtensor_choose_options_t options = defaults();
  qtensor_chosen_t chosen = untouched();
  float infinity = float_of_bits(0x7f800000), nan = float_of_bits(0x7fc00000);
  REFUSES(QTENSOR_NON_FINITE, qtensor_params_choose, nan, 1, NULL, &chosen);
  SAYS("minimum is NaN");
  REFUSES(QTENSOR_NON_FINITE, qtensor_params_choose, 0, infinity, NULL, &chosen);
  SAYS("maximum is inf");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_params_choose, 3, 2.5f, NULL, &chosen);
  SAYS("3.0");
  SAYS("2.5");
  options.qmin = 255;
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_params_choose, 0, 1, &options, &chosen);
  SAYS("qmin is 255");
  SAYS("254");
  options.qmin = 254;
  options.reduce_range = 1;
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_params_choose, 0, 1, &options, &chosen);
  SAYS("halved qmin is 127");
  options = defaults();
  options.qmax = 1;
  options.preserve_sparsity = 1;
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_params_choose, -1, 1, &options, &chosen);
  SAYS("sparsity");
  options.qmax = 3;
  options.mend_defects = 1;
  REFUSES(QTENSOR_NON_FINITE, qtensor_params_choose, -1, 3.4e38f, &options, &chosen);
  SAYS("scale");
  options = defaults();
  options.chooser = 2;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_params_choose, 0, 1, &options, &chosen);
  SAYS("chooser is 2");
  options.chooser = -1;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_params_choose, 0, 1, &options, &chosen);
  options = defaults();
  options.reserved = 7;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_params_choose, 0, 1, &options, &chosen);
  SAYS("reserved");
  CHECK(is_untouched(&chosen));
}

/* Structures of other versions, in memory that ends where they say. */
static void options_of_every_size(void) {
  qtensor_choose_options_t options = defaults();
  qtensor_chosen_t chosen = untouched();
  options.qmax = 15;
  size_t first = sizeof options;
  for (size_t size = 0; size <= 4200; size++) {
    uint8_t *bytes = (uint8_t *)allocate(size < sizeof(size_t) ? sizeof(size_t) : size);
    memset(bytes, 0, size);
    memcpy(bytes, &options, size < sizeof options ? size : sizeof options);
    memcpy(bytes, &size, sizeof size);
    const qtensor_choose_options_t *shown = (const qtensor_choose_options_t *)(const void *)bytes;
    if (size < first) {
      REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_params_choose, -2, 5.5f, shown, &chosen);
      SAYS("options");
    } else if (size > 4096) {
      REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_params_choose, -2, 5.5f, shown, &chosen);
      SAYS("size of the options");
    } else {
      chosen = untouched();
      WORKS(qtensor_params_choose, -2, 5.5f, shown, &chosen);
      CHECK(chosen.scale == 0.5 && chosen.zero_point == 4);
      chosen = untouched();
      if (size > first) {
        /* A later version's option that is set. */
        bytes[size - 1] = 1;
        REFUSES(QTENSOR_UNSUPPORTED, qtensor_params_choose, -2, 5.5f, shown, &chosen);
        SAYS("option");
      }
    }
    CHECK(is_untouched(&chosen));
    free(bytes);
  }
  options.struct_size = SIZE_MAX;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_params_choose, 0, 1, &options, &chosen);
  SAYS("18446744073709551615");
  uintptr_t odd = (uintptr_t)&options + 1;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_params_choose, 0, 1,
          (const qtensor_choose_options_t *)odd, &chosen);
  SAYS("'options'");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_params_choose, 0, 1, NULL,
          (qtensor_chosen_t *)((uintptr_t)&chosen + 1));
  SAYS("'out'");
  chosen.struct_size = sizeof chosen - 1;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_params_choose, 0, 1, NULL, &chosen);
  /* Of a later version's results those of this one are filled. */
  struct {
    qtensor_chosen_t chosen;
    double later;
  } more;
  memset(&more, 0xa5, sizeof more);
  more.chosen.struct_size = sizeof more;
  WORKS(qtensor_params_choose, 0, 255, NULL, &more.chosen);
  CHECK(more.chosen.struct_size == sizeof chosen && more.chosen.scale == 1);
  CHECK(all_bytes(&more.later, 0xa5, sizeof more.later));
}

static void as_quant_utils_chose(void) {
  int threw_lines = 0;
  open_golden("choose.txt");
  while (next_line()) {
    int before = failures;
    qtensor_choose_options_t options = defaults();
    qtensor_chosen_t chosen = untouched();
    float min = float_of_bits(bits()), max = float_of_bits(bits());
    options.qmin = (int32_t)integer();
    options.qmax = (int32_t)integer();
    options.preserve_sparsity = (int32_t)integer();
    options.force_scale_power_of_two = (int32_t)integer();
    options.reduce_range = (int32_t)integer();
    bool threw = integer() != 0;
    uint64_t scale = bits();
    int32_t zero_point = (int32_t)integer();
    if (threw) {
      qtensor_status due = min <= max ? QTENSOR_OUT_OF_RANGE : QTENSOR_INVALID_ARGUMENT;
      REFUSES(due, qtensor_params_choose, min, max, &options, &chosen);
      CHECK(is_untouched(&chosen));
      threw_lines++;
    } else {
      WORKS(qtensor_params_choose, min, max, &options, &chosen);
      CHECK(memcmp(&chosen.scale, &scale, sizeof scale) == 0);
      CHECK(chosen.zero_point == zero_point);
    }
    report_line("choose.txt", before);
  }
  CHECK(threw_lines == 155);
  close_golden();
}

static void as_dnnlowp_chose(void) {
  open_golden("dnnlowp.txt");
  while (next_line()) {
    int before = failures;
    qtensor_choose_options_t options = defaults();
    qtensor_chosen_t chosen = untouched();
    options.chooser = QTENSOR_CHOOSER_DNNLOWP;
    float min = float_of_bits(bits()), max = float_of_bits(bits());
    options.preserve_sparsity = (int32_t)integer();
    float scale = float_of_bits(bits());
    int32_t zero_point = (int32_t)integer();
    WORKS(qtensor_params_choose, min, max, &options, &chosen);
    CHECK(chosen.scale == (double)scale && chosen.zero_point == zero_point);
    report_line("dnnlowp.txt", before);
  }
  close_golden();
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  each_option_counts();
  what_makes_no_range_is_refused();
  options_of_every_size();
  as_quant_utils_chose();
  as_dnnlowp_chose();
  return done();
}
