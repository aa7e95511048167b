/* test_bits.c: single bits, the planes, the view of them, and questions about dimensions. */
#include "check.h"

static const int64_t dims[3] = {2, 3, 5};

static void nulls(void) {
  qtensor_t *tensor = make_tensor(dims, 3, 4, true);
  int32_t number = 1234;
  int64_t product = 1234;
  bool bit = true;
  uint8_t *planes = UNTOUCHED;
  qtensor_view_t view;
  memset(&view, 0xa5, sizeof view);
  view.struct_size = sizeof view;
  qtensor_view_t before = view;
  NULL_CALL(qtensor_mutable_data, "tensor", NULL, &planes);
  NULL_CALL(qtensor_mutable_data, "out", tensor, NULL);
  NULL_CALL(qtensor_dim32, "tensor", NULL, 0, &number);
  NULL_CALL(qtensor_dim32, "out", tensor, 0, NULL);
  NULL_CALL(qtensor_canonical_axis_index, "tensor", NULL, 0, &number);
  NULL_CALL(qtensor_canonical_axis_index, "out", tensor, 0, NULL);
  NULL_CALL(qtensor_size_from_dim, "tensor", NULL, 0, &product);
  NULL_CALL(qtensor_size_from_dim, "out", tensor, 0, NULL);
  NULL_CALL(qtensor_size_to_dim, "tensor", NULL, 0, &product);
  NULL_CALL(qtensor_size_to_dim, "out", tensor, 0, NULL);
  NULL_CALL(qtensor_get_bit, "tensor", NULL, 0, 0, &bit);
  NULL_CALL(qtensor_get_bit, "out", tensor, 0, 0, NULL);
  NULL_CALL(qtensor_set_bit, "tensor", NULL, 0, 0, true);
  NULL_ANSWER(qtensor_view, QTENSOR_NULL_ARGUMENT, NULL, &view);
  NULL_ANSWER(qtensor_view, QTENSOR_NULL_ARGUMENT, tensor, NULL);
  CHECK(number == 1234 && product == 1234 && bit && planes == UNTOUCHED);
  CHECK(memcmp(&view, &before, sizeof view) == 0);
  CHECK(qtensor_data(tensor) == NULL);
  qtensor_free(tensor);
}

static void bits_lie_where_the_header_says(void) {
  qtensor_t *tensor = make_tensor(dims, 3, 4, true);
  bool bit = true;
  WORKS(qtensor_get_bit, tensor, 4, 29, &bit);
  CHECK(!bit && qtensor_data(tensor) == NULL);
  WORKS(qtensor_set_bit, tensor, 0, 0, false);
  CHECK(qtensor_data(tensor) != NULL && (uintptr_t)qtensor_data(tensor) % 64 == 0);
  CHECK(all_bytes(qtensor_data(tensor), 0, qtensor_nbytes(tensor)));
  for (unsigned plane = 0; plane < 5; plane++) {
    for (size_t i = 0; i < 30; i++) {
      WORKS(qtensor_set_bit, tensor, (uint8_t)plane, i, true);
      CHECK(qtensor_data(tensor)[plane * 4 + i / 8] == (0x80 >> (i % 8)));
      WORKS(qtensor_get_bit, tensor, (uint8_t)plane, i, &bit);
      CHECK(bit);
      WORKS(qtensor_set_bit, tensor, (uint8_t)plane, i, false);
      WORKS(qtensor_get_bit, tensor, (uint8_t)plane, i, &bit);
      CHECK(!bit);
    }
  }
  CHECK(all_bytes(qtensor_data(tensor), 0, qtensor_nbytes(tensor)));
  qtensor_free(tensor);
}

static void bits_outside_are_refused(void) {
  qtensor_t *tensor = make_tensor(dims, 3, 4, true);
  bool bit = true;
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_get_bit, tensor, 5, 0, &bit);
  SAYS("bit is 5");
  SAYS("0 to 4");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_get_bit, tensor, 0, 30, &bit);
  SAYS("index is 30");
  SAYS("0 to 29");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_get_bit, tensor, 0, SIZE_MAX, &bit);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_set_bit, tensor, 5, 0, true);
  SAYS("bit is 5");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_set_bit, tensor, 0, 30, true);
  SAYS("index is 30");
  CHECK(bit && qtensor_data(tensor) == NULL);
  qtensor_free(tensor);
  tensor = qtensor_create();
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_get_bit, tensor, 0, 0, &bit);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_set_bit, tensor, 0, 0, true);
  qtensor_free(tensor);
}

static void planes_can_be_written(void) {
  qtensor_t *tensor = make_tensor(dims, 3, 2, false);
  uint8_t *planes = NULL;
  WORKS(qtensor_mutable_data, tensor, &planes);
  CHECK(qtensor_nbytes(tensor) == 8 && all_bytes(planes, 0, 8));
  CHECK((uintptr_t)planes % 64 == 0 && planes == qtensor_data(tensor));
  planes[4] = 0x81;
  int64_t codes[30];
  WORKS(qtensor_read_codes, tensor, codes, 30);
  CHECK(codes[0] == 2 && codes[7] == 2 && codes[1] == 0);
  WORKS(qtensor_mutable_data, tensor, &planes);
  CHECK(planes[4] == 0x81);
  qtensor_free(tensor);
  tensor = qtensor_create();
  WORKS(qtensor_mutable_data, tensor, &planes);
  qtensor_free(tensor);
}

/* More than any machine's memory: refused, and the tensor is as usable as before. */
static void memory_runs_out(void) {
  int64_t large[1] = {INT64_MAX};
  qtensor_t *tensor = make_tensor(large, 1, 1, false);
  uint8_t *planes = UNTOUCHED;
  REFUSES(QTENSOR_OUT_OF_MEMORY, qtensor_mutable_data, tensor, &planes);
  SAYS("1152921504606846976 bytes");
  REFUSES(QTENSOR_OUT_OF_MEMORY, qtensor_set_bit, tensor, 0, 0, true);
  CHECK(planes == UNTOUCHED && qtensor_data(tensor) == NULL);
  CHECK(qtensor_size(tensor) == INT64_MAX);
  int64_t small[1] = {8};
  WORKS(qtensor_resize, tensor, small, 1);
  WORKS(qtensor_set_bit, tensor, 0, 0, true);
  CHECK(qtensor_data(tensor)[0] == 0x80);
  qtensor_free(tensor);
}

static void the_view_shows_the_planes(void) {
  qtensor_t *tensor = make_tensor(dims, 3, 4, true);
  /* A caller built with a later, larger structure. */
  struct {
    qtensor_view_t view;
    uint8_t later[16];
  } larger;
  memset(&larger, 0x5a, sizeof larger);
  larger.view.struct_size = sizeof larger;
  CHECK(qtensor_view(tensor, &larger.view) == QTENSOR_OK);
  CHECK(larger.view.struct_size == sizeof(qtensor_view_t));
  CHECK(larger.view.size == 30 && larger.view.plane_stride == 4);
  CHECK(larger.view.precision == 4 && larger.view.is_signed && larger.view.data == NULL);
  CHECK(all_bytes(larger.later, 0x5a, sizeof larger.later));
  WORKS(qtensor_set_bit, tensor, 4, 29, true);
  qtensor_view_t view;
  view.struct_size = sizeof view;
  CHECK(qtensor_view(tensor, &view) == QTENSOR_OK);
  CHECK(view.data == qtensor_data(tensor));
  CHECK((view.data[4 * view.plane_stride + 29 / 8] & (0x80 >> (29 % 8))) != 0);

  memset(&view, 0xa5, sizeof view);
  view.struct_size = sizeof view - 1;
  qtensor_view_t before = view;
  CHECK(qtensor_view(tensor, &view) == QTENSOR_BUFFER_TOO_SMALL);
  CHECK(memcmp(&view, &before, sizeof view) == 0);
  uintptr_t odd = (uintptr_t)&larger + 1;
  CHECK(qtensor_view(tensor, (qtensor_view_t *)odd) == QTENSOR_INVALID_ARGUMENT);
  qtensor_free(tensor);
}

static void dimensions_answer(void) {
  qtensor_t *tensor = make_tensor(dims, 3, 4, true);
  int32_t number = 0;
  int64_t product = 0;
  WORKS(qtensor_dim32, tensor, 2, &number);
  CHECK(number == 5);
  WORKS(qtensor_canonical_axis_index, tensor, -3, &number);
  CHECK(number == 0);
  WORKS(qtensor_canonical_axis_index, tensor, 2, &number);
  CHECK(number == 2);
  WORKS(qtensor_size_from_dim, tensor, 1, &product);
  CHECK(product == 15);
  WORKS(qtensor_size_from_dim, tensor, INT32_MAX, &product);
  CHECK(product == 1);
  WORKS(qtensor_size_to_dim, tensor, 2, &product);
  CHECK(product == 6);
  WORKS(qtensor_size_to_dim, tensor, 0, &product);
  CHECK(product == 1);

  number = 1234;
  product = 1234;
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_dim32, tensor, 3, &number);
  SAYS("is 3");
  SAYS("0 to 2");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_dim32, tensor, -1, &number);
  SAYS("is -1");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_canonical_axis_index, tensor, 3, &number);
  SAYS("-3 to 2");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_canonical_axis_index, tensor, -4, &number);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_canonical_axis_index, tensor, INT32_MIN, &number);
  SAYS("-2147483648");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_size_from_dim, tensor, -1, &product);
  SAYS("is -1");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_size_to_dim, tensor, 3, &product);
  SAYS("is 3");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_size_to_dim, tensor, -1, &product);
  uintptr_t odd = (uintptr_t)dims + 1;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_size_to_dim, tensor, 0, (int64_t *)odd);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dim32, tensor, 0, (int32_t *)odd);
  qtensor_free(tensor);

  int64_t large[4] = {(int64_t)INT32_MAX + 1, INT64_MAX, INT32_MAX, 0};
  tensor = make_tensor(large, 4, 8, false);
  REFUSES(QTENSOR_OVERFLOW, qtensor_dim32, tensor, 0, &number);
  SAYS("2147483647");
  REFUSES(QTENSOR_OVERFLOW, qtensor_size_to_dim, tensor, 2, &product);
  SAYS("9223372036854775807");
  CHECK(number == 1234 && product == 1234);
  WORKS(qtensor_dim32, tensor, 2, &number);
  CHECK(number == INT32_MAX);
  WORKS(qtensor_size_from_dim, tensor, 0, &product);
  CHECK(product == 0);
  qtensor_free(tensor);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  bits_lie_where_the_header_says();
  bits_outside_are_refused();
  planes_can_be_written();
  memory_runs_out();
  the_view_shows_the_planes();
  dimensions_answer();
  return done();
}
