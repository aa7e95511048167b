/* test_borrow.c: tensors over memory of the program's own, and when it gets that back. */
#include "check.h"

static const int64_t dims[2] = {3, 5};
static const uint8_t planes[6] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc};

static void count(void *context) { ++*(int *)context; }

/* Three planes of two bytes. */
static qtensor_t *make(void) {
  qtensor_t *tensor = NULL;
  WORKS(qtensor_create_with, dims, 2, 2, true, &tensor);
  CHECK(!qtensor_is_borrowed(tensor));
  return tensor;
}

static qtensor_t *lend(int *released) {
  const int before = *released;
  qtensor_t *tensor = make();
  WORKS(qtensor_borrow, tensor, planes, 6, count, released);
  CHECK(qtensor_is_borrowed(tensor) && qtensor_data(tensor) == planes && *released == before);
  return tensor;
}

static void nulls(void) {
  qtensor_t *tensor = make();
  qtensor_dense_t *dense = UNTOUCHED;
  uint8_t bytes[6] = {0};
  int released = 0;
  const float values[2] = {1, 2};
  NULL_CALL(qtensor_borrow, "tensor", NULL, planes, 6, count, &released);
  NULL_CALL(qtensor_borrow, "planes", tensor, NULL, 6, count, &released);
  NULL_CALL(qtensor_borrow_mut, "tensor", NULL, bytes, 6, count, &released);
  NULL_CALL(qtensor_borrow_mut, "planes", tensor, NULL, 6, count, &released);
  NULL_CALL(qtensor_dense_borrow, "dims", NULL, 1, QTENSOR_ELEMENT_FLOAT, values, 8, count,
            &released, &dense);
  NULL_CALL(qtensor_dense_borrow, "data", dims, 2, QTENSOR_ELEMENT_UINT8, NULL, 15, count,
            &released, &dense);
  NULL_CALL(qtensor_dense_borrow, "out", NULL, 0, QTENSOR_ELEMENT_FLOAT, values, 4, count,
            &released, NULL);
  NULL_ANSWER(qtensor_is_borrowed, false, NULL);
  NULL_ANSWER(qtensor_dense_is_borrowed, false, NULL);
  CHECK(released == 0 && dense == UNTOUCHED);
  CHECK(!qtensor_is_borrowed(tensor) && qtensor_data(tensor) == NULL);

  /* Nobody needs to know. */
  NULL_CONTEXT(qtensor_borrow, tensor, planes, 6, NULL, NULL);
  CHECK(qtensor_data(tensor) == planes);
  NULL_CONTEXT(qtensor_borrow_mut, tensor, bytes, 6, NULL, NULL);
  CHECK(qtensor_data(tensor) == bytes);
  NULL_CONTEXT(qtensor_dense_borrow, NULL, 0, QTENSOR_ELEMENT_FLOAT, values, 4, NULL, NULL,
               &dense);
  CHECK(qtensor_dense_data(dense) == values);
  qtensor_dense_free(dense);
  qtensor_free(tensor);
}

/* What is there is read in place, and is given back once with the tensor. */
static void read_in_place(void) {
  int released = 0;
  qtensor_t *tensor = lend(&released), *own = make(), *copy = NULL;
  uint8_t *memory = NULL, bytes[64], others[64];
  int64_t codes[15], own_codes[15];
  size_t length = 0, other_length = 0;
  WORKS(qtensor_mutable_data, own, &memory);
  memcpy(memory, planes, 6);
  WORKS(qtensor_read_codes, tensor, codes, 15);
  WORKS(qtensor_read_codes, own, own_codes, 15);
  CHECK(memcmp(codes, own_codes, sizeof codes) == 0);
  WORKS(qtensor_serialize, tensor, "w", bytes, sizeof bytes, &length);
  WORKS(qtensor_serialize, own, "w", others, sizeof others, &other_length);
  CHECK(length == other_length && memcmp(bytes, others, length) == 0);

  qtensor_view_t view = {.struct_size = sizeof view};
  CHECK(qtensor_view(tensor, &view) == QTENSOR_OK && view.data == planes && view.is_read_only);
  CHECK(qtensor_view(own, &view) == QTENSOR_OK && !view.is_read_only);

  WORKS(qtensor_clone, tensor, &copy);
  CHECK(!qtensor_is_borrowed(copy) && qtensor_data(copy) != planes);
  CHECK(memcmp(qtensor_data(copy), planes, 6) == 0);
  /* Neither do they matter to what is not the planes. */
  WORKS(qtensor_set_scale, tensor, 0.5);
  WORKS(qtensor_resize, tensor, dims + 1, 0);
  CHECK(released == 1 && !qtensor_is_borrowed(tensor));
  qtensor_free(copy);
  qtensor_free(own);
  qtensor_free(tensor);
  CHECK(released == 1);

  tensor = lend(&released);
  const int64_t same_size[2] = {5, 3};
  WORKS(qtensor_resize, tensor, same_size, 2);
  CHECK(qtensor_data(tensor) == planes && released == 1);
  qtensor_free(tensor);
  CHECK(released == 2);
}

/* Every call that writes: the lender's bytes stay as they are, and the tensor has its own. */
static void writing_copies_first(void) {
  int released = 0;
  int64_t codes[15] = {0};
  const int32_t codes_i32[15] = {1};
  const int8_t codes_i8[15] = {-1};
  const uint8_t codes_u8[15] = {2};
  const float values[15] = {1, -1, 2};
  uint8_t *memory = NULL;
  qtensor_t *tensors[8];
  for (int i = 0; i < 8; i++) {
    tensors[i] = lend(&released);
  }
  WORKS(qtensor_set_bit, tensors[0], 0, 0, true);
  CHECK(qtensor_data(tensors[0])[0] == 0x92 && qtensor_data(tensors[0])[5] == 0xbc);
  CHECK(!qtensor_is_borrowed(tensors[0]) && released == 1);
  WORKS(qtensor_mutable_data, tensors[1], &memory);
  CHECK(memory == qtensor_data(tensors[1]) && memory != planes && memcmp(memory, planes, 6) == 0);
  WORKS(qtensor_write_codes, tensors[2], codes, 15);
  /* Padding bits stay. */
  CHECK(qtensor_data(tensors[2])[1] == (0x34 & 1) && qtensor_data(tensors[2])[5] == (0xbc & 1));
  WORKS(qtensor_write_codes_i32, tensors[3], codes_i32, 15);
  WORKS(qtensor_write_codes_i8, tensors[4], codes_i8, 15);
  WORKS(qtensor_write_codes_u8, tensors[5], codes_u8, 15);
  WORKS(qtensor_quantize, tensors[6], values, 15, NULL, NULL);
  WORKS(qtensor_read_codes, tensors[6], codes, 15);
  CHECK(codes[0] == 1 && codes[1] == -1 && codes[2] == 2);
  WORKS(qtensor_set_precision, tensors[7], 2);
  CHECK(qtensor_data(tensors[7]) == NULL);
  CHECK(released == 8);
  for (int i = 0; i < 8; i++) {
    CHECK(!qtensor_is_borrowed(tensors[i]));
    qtensor_free(tensors[i]);
  }
  CHECK(released == 8);
  static const uint8_t as_they_were[6] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc};
  CHECK(memcmp(planes, as_they_were, 6) == 0);
}

/* Planes to write to are written where they are. */
static void written_in_place(void) {
  int released = 0;
  uint8_t memory[8], *out = NULL;
  memset(memory, 0xff, sizeof memory);
  qtensor_t *tensor = make();
  WORKS(qtensor_borrow_mut, tensor, memory + 1, 6, count, &released);
  CHECK(qtensor_is_borrowed(tensor));
  const int64_t codes[15] = {1, -2, 3};
  WORKS(qtensor_write_codes, tensor, codes, 15);
  CHECK(memory[1] == 0xa0 && memory[2] == 1 && memory[3] == 0x60 && memory[5] == 0x40);
  CHECK(memory[0] == 0xff && memory[7] == 0xff);
  WORKS(qtensor_set_bit, tensor, 2, 14, true);
  CHECK(memory[6] == 3);
  WORKS(qtensor_mutable_data, tensor, &out);
  CHECK(out == memory + 1);
  const float values[15] = {3, 3, 3, 3};
  WORKS(qtensor_quantize, tensor, values, 15, NULL, NULL);
  CHECK(memory[1] == 0xf0 && memory[3] == 0xf0 && memory[5] == 0 && qtensor_is_borrowed(tensor));
  qtensor_view_t view = {.struct_size = sizeof view};
  CHECK(qtensor_view(tensor, &view) == QTENSOR_OK && !view.is_read_only);

  /* The next lender takes the place of the one before. */
  int second = 0;
  WORKS(qtensor_borrow, tensor, planes, 6, count, &second);
  CHECK(released == 1 && second == 0);
  qtensor_free(tensor);
  CHECK(released == 1 && second == 1);
}

static void refused(void) {
  int released = 0;
  qtensor_t *tensor = lend(&released);
  uint8_t memory[8] = {0};
  int other = 0;
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_borrow, tensor, memory, 5, count, &other);
  SAYS("planes");
  SAYS("5");
  SAYS("6");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_borrow_mut, tensor, memory, 7, count, &other);
  SAYS("7");
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_borrow, tensor, NULL, 0, count, &other);
  /* Neither does a write that is refused end anything. */
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_set_bit, tensor, 3, 0, true);
  const int64_t large[15] = {4};
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_write_codes, tensor, large, 15);
  CHECK(qtensor_data(tensor) == planes && released == 0 && other == 0);
  qtensor_free(tensor);

  /* Nothing to borrow, and so nothing to wait for. */
  tensor = qtensor_create();
  WORKS(qtensor_borrow, tensor, NULL, 0, count, &other);
  CHECK(other == 1 && !qtensor_is_borrowed(tensor));
  WORKS(qtensor_borrow_mut, tensor, memory, 0, count, &other);
  CHECK(other == 2 && qtensor_data(tensor) == NULL);
  qtensor_free(tensor);
}

static void dense_in_place(void) {
  int released = 0;
  const float values[15] = {0, 1, -2.5f};
  qtensor_dense_t *borrowed = NULL, *own = NULL;
  uint8_t bytes[256], others[256];
  size_t length = 0, other_length = 0;
  WORKS(qtensor_dense_borrow, dims, 2, QTENSOR_ELEMENT_FLOAT, values, sizeof values, count,
        &released, &borrowed);
  WORKS(qtensor_dense_create, dims, 2, QTENSOR_ELEMENT_FLOAT, values, sizeof values, &own);
  CHECK(qtensor_dense_is_borrowed(borrowed) && !qtensor_dense_is_borrowed(own));
  CHECK(qtensor_dense_data(borrowed) == values && qtensor_dense_size(borrowed) == 15);
  CHECK(qtensor_dense_nbytes(borrowed) == sizeof values);
  CHECK(qtensor_dense_element_type(borrowed) == QTENSOR_ELEMENT_FLOAT);
  WORKS(qtensor_dense_serialize, borrowed, "w", bytes, sizeof bytes, &length);
  WORKS(qtensor_dense_serialize, own, "w", others, sizeof others, &other_length);
  CHECK(length == other_length && memcmp(bytes, others, length) == 0 && released == 0);
  qtensor_dense_free(borrowed);
  CHECK(released == 1);
  qtensor_dense_free(own);
}

/* Each type, and what each asks of its memory. */
static void dense_types(void) {
  static const struct {
    int32_t type;
    size_t size;
  } types[] = {
      {QTENSOR_ELEMENT_FLOAT, 4},  {QTENSOR_ELEMENT_INT32, 4},   {QTENSOR_ELEMENT_BOOL, 1},
      {QTENSOR_ELEMENT_UINT8, 1},  {QTENSOR_ELEMENT_INT8, 1},    {QTENSOR_ELEMENT_UINT16, 2},
      {QTENSOR_ELEMENT_INT16, 2},  {QTENSOR_ELEMENT_INT64, 8},   {QTENSOR_ELEMENT_FLOAT16, 2},
      {QTENSOR_ELEMENT_DOUBLE, 8},
  };
  union {
    double aligned[18];
    uint8_t bytes[144];
  } memory;
  memset(&memory, 1, sizeof memory);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    int released = 0;
    const size_t nbytes = 15 * types[i].size;
    qtensor_dense_t *dense = NULL;
    WORKS(qtensor_dense_borrow, dims, 2, types[i].type, memory.bytes, nbytes, count, &released,
          &dense);
    CHECK(qtensor_dense_data(dense) == memory.bytes && qtensor_dense_nbytes(dense) == nbytes);
    CHECK(qtensor_dense_element_type(dense) == types[i].type && released == 0);
    qtensor_dense_free(dense);
    CHECK(released == 1);
    dense = (qtensor_dense_t *)UNTOUCHED;
    if (types[i].size > 1) {
      REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dense_borrow, dims, 2, types[i].type,
              memory.bytes + 1, nbytes, count, &released, &dense);
      SAYS("'data'");
    }
    REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_dense_borrow, dims, 2, types[i].type, memory.bytes,
            nbytes - 1, count, &released, &dense);
    CHECK(released == 1 && dense == UNTOUCHED);
  }
  qtensor_dense_t *dense = (qtensor_dense_t *)UNTOUCHED;
  int released = 0;
  memory.bytes[14] = 2;
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_dense_borrow, dims, 2, QTENSOR_ELEMENT_BOOL, memory.bytes,
          15, count, &released, &dense);
  SAYS("truth value is 2");
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_dense_borrow, dims, 2, 3, memory.bytes, 15, count,
          &released, &dense);
  const int64_t negative = -1;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_dense_borrow, &negative, 1, QTENSOR_ELEMENT_UINT8,
          memory.bytes, 15, count, &released, &dense);
  CHECK(released == 0 && dense == UNTOUCHED);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  read_in_place();
  writing_copies_first();
  written_in_place();
  refused();
  dense_in_place();
  dense_types();
  return done();
}
