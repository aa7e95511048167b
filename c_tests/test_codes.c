/* test_codes.c: whole-tensor access to the codes, in each integer type. */
#include "check.h"

static void nulls(void) {
  int64_t dims[1] = {3};
  qtensor_t *tensor = make_tensor(dims, 1, 4, false);
  int64_t wide[3] = {77, 77, 77};
  uint8_t bytes[3] = {77, 77, 77};
  int8_t small[3] = {77, 77, 77};
  int32_t middle[3] = {77, 77, 77};
  NULL_CALL(qtensor_read_codes, "tensor", NULL, wide, 3);
  NULL_CALL(qtensor_read_codes, "codes", tensor, NULL, 3);
  NULL_CALL(qtensor_read_codes_u8, "tensor", NULL, bytes, 3);
  NULL_CALL(qtensor_read_codes_u8, "codes", tensor, NULL, 3);
  NULL_CALL(qtensor_read_codes_i8, "tensor", NULL, small, 3);
  NULL_CALL(qtensor_read_codes_i8, "codes", tensor, NULL, 3);
  NULL_CALL(qtensor_read_codes_i32, "tensor", NULL, middle, 3);
  NULL_CALL(qtensor_read_codes_i32, "codes", tensor, NULL, 3);
  NULL_CALL(qtensor_write_codes, "tensor", NULL, wide, 3);
  NULL_CALL(qtensor_write_codes, "codes", tensor, NULL, 3);
  NULL_CALL(qtensor_write_codes_u8, "tensor", NULL, bytes, 3);
  NULL_CALL(qtensor_write_codes_u8, "codes", tensor, NULL, 3);
  NULL_CALL(qtensor_write_codes_i8, "tensor", NULL, small, 3);
  NULL_CALL(qtensor_write_codes_i8, "codes", tensor, NULL, 3);
  NULL_CALL(qtensor_write_codes_i32, "tensor", NULL, middle, 3);
  NULL_CALL(qtensor_write_codes_i32, "codes", tensor, NULL, 3);
  CHECK(wide[0] == 77 && bytes[0] == 77 && small[0] == 77 && middle[0] == 77);
  CHECK(qtensor_data(tensor) == NULL);
  qtensor_free(tensor);
  /* (NULL, 0) is an empty buffer. */
  tensor = qtensor_create();
  WORKS(qtensor_read_codes, tensor, NULL, 0);
  WORKS(qtensor_write_codes, tensor, NULL, 0);
  WORKS(qtensor_read_codes_u8, tensor, NULL, 0);
  WORKS(qtensor_write_codes_i8, tensor, NULL, 0);
  qtensor_free(tensor);
}

/* Writes in one type and reads in all that hold the codes, at every small size. */
static void codes_come_back(void) {
  for (int64_t size = 1; size < 40; size++) {
    for (unsigned precision = 0; precision <= 8; precision++) {
      qtensor_t *tensor = make_tensor(&size, 1, (uint8_t)precision, false);
      uint8_t codes[40], read[40];
      int64_t wide[40];
      int32_t middle[40];
      size_t n = (size_t)size;
      for (size_t i = 0; i < n; i++) {
        codes[i] = (uint8_t)((i * 37 + 11) & ((1u << precision) - 1));
      }
      memset(read, 0xa5, sizeof read);
      WORKS(qtensor_write_codes_u8, tensor, codes, n);
      WORKS(qtensor_read_codes_u8, tensor, read, n);
      WORKS(qtensor_read_codes, tensor, wide, n);
      WORKS(qtensor_read_codes_i32, tensor, middle, n);
      CHECK(memcmp(codes, read, n) == 0 && all_bytes(read + n, 0xa5, sizeof read - n));
      for (size_t i = 0; i < n; i++) {
        CHECK(wide[i] == codes[i] && middle[i] == codes[i]);
      }
      qtensor_free(tensor);
    }
  }
}

static void signed_codes_come_back(void) {
  int64_t size = 1003;
  static int8_t codes[1003], read[1003];
  static int32_t middle[1003];
  static int64_t wide[1003];
  qtensor_t *tensor = make_tensor(&size, 1, 7, true);
  for (int i = 0; i < 1003; i++) {
    codes[i] = (int8_t)(i % 255 - 127);
  }
  WORKS(qtensor_write_codes_i8, tensor, codes, 1003);
  WORKS(qtensor_read_codes_i8, tensor, read, 1003);
  CHECK(memcmp(codes, read, sizeof codes) == 0);
  WORKS(qtensor_read_codes_i32, tensor, middle, 1003);
  WORKS(qtensor_read_codes, tensor, wide, 1003);
  CHECK(middle[0] == -127 && wide[0] == -127 && wide[1002] == codes[1002]);
  WORKS(qtensor_set_precision, tensor, 31);
  middle[0] = -INT32_MAX;
  middle[1] = INT32_MAX;
  WORKS(qtensor_write_codes_i32, tensor, middle, 1003);
  memset(middle, 0, sizeof middle);
  WORKS(qtensor_read_codes_i32, tensor, middle, 1003);
  CHECK(middle[0] == -INT32_MAX && middle[1] == INT32_MAX && middle[2] == -125);
  WORKS(qtensor_set_precision, tensor, 63);
  wide[0] = -INT64_MAX;
  wide[1] = INT64_MAX;
  WORKS(qtensor_write_codes, tensor, wide, 1003);
  memset(wide, 0, sizeof wide);
  WORKS(qtensor_read_codes, tensor, wide, 1003);
  CHECK(wide[0] == -INT64_MAX && wide[1] == INT64_MAX && wide[2] == -125);
  qtensor_free(tensor);
}

/* A sign on magnitude 0 reads as 0; padding bits survive a write. */
static void the_corners_of_a_code(void) {
  int64_t size = 5, codes[5] = {9, 9, 9, 9, 9};
  qtensor_t *tensor = make_tensor(&size, 1, 2, true);
  WORKS(qtensor_read_codes, tensor, codes, 5);
  CHECK(codes[0] == 0 && codes[4] == 0 && qtensor_data(tensor) == NULL);
  uint8_t *planes = NULL;
  WORKS(qtensor_mutable_data, tensor, &planes);
  memset(planes, 0xff, 3);
  planes[0] = planes[1] = 0x07;
  WORKS(qtensor_read_codes, tensor, codes, 5);
  CHECK(codes[0] == 0 && codes[4] == 0);
  const int64_t written[5] = {0, -1, 3, -3, 2};
  WORKS(qtensor_write_codes, tensor, written, 5);
  CHECK(qtensor_data(tensor)[0] == 0x77 && qtensor_data(tensor)[1] == 0x3f);
  CHECK(qtensor_data(tensor)[2] == 0x57);
  WORKS(qtensor_read_codes, tensor, codes, 5);
  CHECK(memcmp(codes, written, sizeof codes) == 0);
  qtensor_free(tensor);
}

static void codes_out_of_range_are_refused(void) {
  int64_t size = 3;
  qtensor_t *tensor = make_tensor(&size, 1, 4, false);
  const int64_t good[3] = {1, 2, 15}, large[3] = {1, 16, 2}, negative[3] = {0, 0, -9};
  WORKS(qtensor_write_codes, tensor, good, 3);
  uint8_t before[4];
  memcpy(before, qtensor_data(tensor), 4);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_write_codes, tensor, large, 3);
  SAYS("is 16");
  SAYS("0 to 15");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_write_codes, tensor, negative, 3);
  SAYS("is -9");
  const uint8_t bytes[3] = {15, 15, 200};
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_write_codes_u8, tensor, bytes, 3);
  SAYS("is 200");
  const int8_t small[3] = {15, -1, 15};
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_write_codes_i8, tensor, small, 3);
  SAYS("is -1");
  const int32_t middle[3] = {INT32_MIN, 0, 0};
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_write_codes_i32, tensor, middle, 3);
  SAYS("-2147483648");
  CHECK(memcmp(before, qtensor_data(tensor), 4) == 0);
  WORKS(qtensor_set_signed, tensor, true);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_write_codes_i32, tensor, middle, 3);
  SAYS("-15 to 15");
  WORKS(qtensor_set_precision, tensor, 63);
  const int64_t lowest[3] = {0, 0, INT64_MIN};
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_write_codes, tensor, lowest, 3);
  SAYS("-9223372036854775808");
  CHECK(qtensor_data(tensor) == NULL);
  qtensor_free(tensor);
}

static void wrong_sizes_are_refused(void) {
  int64_t size = 3, codes[4] = {7, 7, 7, 7};
  uint8_t bytes[4] = {7, 7, 7, 7};
  int8_t small[4] = {7, 7, 7, 7};
  int32_t middle[4] = {7, 7, 7, 7};
  qtensor_t *tensor = make_tensor(&size, 1, 4, false);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_read_codes, tensor, codes, 4);
  SAYS("is 4");
  SAYS("be 3");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_read_codes_u8, tensor, bytes, 2);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_read_codes_i8, tensor, small, 0);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_read_codes_i32, tensor, middle, 4);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_write_codes, tensor, codes, 2);
  SAYS("is 2");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_write_codes_u8, tensor, bytes, 4);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_write_codes_i8, tensor, small, 1);
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_write_codes_i32, tensor, NULL, 0);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_read_codes, tensor, codes, SIZE_MAX);
  SAYS("18446744073709551615");
  uintptr_t odd = (uintptr_t)codes + 2;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_read_codes, tensor, (int64_t *)odd, 3);
  SAYS("aligned");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_write_codes_i32, tensor, (const int32_t *)odd, 3);
  for (int i = 0; i < 4; i++) {
    CHECK(codes[i] == 7 && bytes[i] == 7 && small[i] == 7 && middle[i] == 7);
  }
  CHECK(qtensor_data(tensor) == NULL);
  qtensor_free(tensor);
}

static void types_that_do_not_fit_are_refused(void) {
  int64_t size = 2, codes[2] = {5, 5};
  uint8_t bytes[2] = {5, 5};
  int8_t small[2] = {5, 5};
  int32_t middle[2] = {5, 5};
  qtensor_t *tensor = make_tensor(&size, 1, 64, true);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_read_codes, tensor, codes, 2);
  SAYS("64");
  SAYS("63");
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_write_codes, tensor, codes, 2);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_write_codes_u8, tensor, bytes, 2);
  WORKS(qtensor_set_precision, tensor, 32);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_read_codes_i32, tensor, middle, 2);
  SAYS("32");
  WORKS(qtensor_set_precision, tensor, 8);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_read_codes_i8, tensor, small, 2);
  SAYS("8");
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_read_codes_u8, tensor, bytes, 2);
  SAYS("signed");
  WORKS(qtensor_set_signed, tensor, false);
  WORKS(qtensor_set_precision, tensor, 9);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_read_codes_u8, tensor, bytes, 2);
  SAYS("9");
  CHECK(codes[0] == 5 && bytes[0] == 5 && small[0] == 5 && middle[0] == 5);
  qtensor_free(tensor);
}

/* The precision counts even where there is no code. */
static void an_empty_tensor_has_a_precision(void) {
  int64_t size = 0;
  qtensor_t *tensor = make_tensor(&size, 1, 255, true);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_read_codes, tensor, NULL, 0);
  SAYS("255");
  qtensor_free(tensor);
}

/* What counts is the value, not the width that it comes in. */
static void narrow_codes_in_wide_tensors(void) {
  const int64_t three[1] = {3};
  const uint8_t bytes[3] = {1, 2, 255};
  const int8_t small[3] = {1, -2, 127};
  const int32_t words[3] = {1, -2, INT32_MAX};
  for (int precision = 31; precision <= 63; precision++) {
    qtensor_t *tensor = make_tensor(three, 1, (uint8_t)precision, true);
    int64_t read[3];
    WORKS(qtensor_write_codes_u8, tensor, bytes, 3);
    WORKS(qtensor_read_codes, tensor, read, 3);
    CHECK(read[0] == 1 && read[1] == 2 && read[2] == 255);
    WORKS(qtensor_write_codes_i8, tensor, small, 3);
    WORKS(qtensor_read_codes, tensor, read, 3);
    CHECK(read[0] == 1 && read[1] == -2 && read[2] == 127);
    WORKS(qtensor_write_codes_i32, tensor, words, 3);
    WORKS(qtensor_read_codes, tensor, read, 3);
    CHECK(read[0] == 1 && read[1] == -2 && read[2] == INT32_MAX);
    qtensor_free(tensor);
  }
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  codes_come_back();
  signed_codes_come_back();
  the_corners_of_a_code();
  codes_out_of_range_are_refused();
  wrong_sizes_are_refused();
  types_that_do_not_fit_are_refused();
  an_empty_tensor_has_a_precision();
  narrow_codes_in_wide_tensors();
  return done();
}
