/* test_product_overlap.c: products whose results would lie in what they read are refused, and those
 * beside it are not. */
#include "product_matrices.h"

/* Memory that tensors borrow and results go to: eight bytes of planes and more. */
static union {
  float floats[32];
  int64_t sums[16];
  uint8_t bytes[128];
} memory;

static void refill(void) { memset(&memory, 0x11, sizeof memory); }

#define OVERLAPS(first, second, function, ...) \
  (REFUSES(QTENSOR_INVALID_ARGUMENT, function, __VA_ARGS__), \
   SAYS("'" first "'"), SAYS("'" second "'"), SAYS("overlap"), \
   CHECK(all_bytes(&memory, 0x11, sizeof memory)))

/* An input whose planes begin at a byte of the memory. */
static qtensor_t *input_at(size_t start) {
  qtensor_t *x = make_tensor(x_dims, 2, 4, false);
  CHECK(qtensor_nbytes(x) == 8);
  WORKS(qtensor_borrow, x, memory.bytes + start, 8, NULL, NULL);
  return x;
}

static void values_and_sums(const qtensor_packed_t *packed) {
  /* The planes inside, and one byte at either end. */
  static const size_t starts[3] = {25, 40, 55}, sum_starts[3] = {25, 64, 79};
  refill();
  for (size_t i = 0; i < 3; i++) {
    qtensor_t *x = input_at(starts[i]);
    OVERLAPS("x", "values", qtensor_product, x, packed, NULL, 0, memory.floats + 8, 6, NULL);
    qtensor_free(x);
    x = input_at(sum_starts[i]);
    OVERLAPS("x", "sums", qtensor_product_sums, x, packed, memory.sums + 4, 6, NULL);
    OVERLAPS("x", "sums", qtensor_product_sums_i32, x, packed, (int32_t *)(memory.sums + 4), 12,
             NULL);
    qtensor_free(x);
  }
  /* Right before the values and right behind the sums. */
  qtensor_t *x = input_at(24);
  WORKS(qtensor_product, x, packed, NULL, 0, memory.floats + 8, 6, NULL);
  qtensor_free(x);
  x = input_at(48);
  WORKS(qtensor_product_sums, x, packed, memory.sums, 6, NULL);
  qtensor_free(x);

  refill();
  x = make_x();
  OVERLAPS("added", "values", qtensor_product, x, packed, memory.floats + 5, 2, memory.floats, 6,
           NULL);
  memset(&memory, 0, sizeof memory);
  WORKS(qtensor_product, x, packed, memory.floats + 6, 2, memory.floats, 6, NULL);
  qtensor_free(x);
}

static void floats(const qtensor_packed_t *packed) {
  refill();
  OVERLAPS("x", "values", qtensor_product_floats, memory.floats, 15, NULL, packed, NULL, 0,
           memory.floats, 6, NULL);
  OVERLAPS("x", "values", qtensor_product_floats, memory.floats, 15, NULL, packed, NULL, 0,
           memory.floats + 14, 6, NULL);
  OVERLAPS("added", "values", qtensor_product_floats, memory.floats, 15, NULL, packed,
           memory.floats + 20, 2, memory.floats + 15, 6, NULL);
  /* What is only read may be one thing. */
  WORKS(qtensor_product_floats, memory.floats, 15, NULL, packed, memory.floats, 2,
        memory.floats + 15, 6, NULL);
}

static void codes(const qtensor_packed_t *packed) {
  /* A square matrix has a product with results of its own shape. */
  const int64_t square[2] = {5, 5};
  const int64_t some[25] = {1, 0, 1, 0, 0, 1};
  qtensor_t *x = make(square, 4, true, some, 25), *w = make(square, 4, true, some, 25);
  qtensor_packed_t *five = pack(w);
  int64_t after[25];
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_product_codes, x, five, NULL, 0, x, NULL);
  SAYS("'x'");
  SAYS("'out'");
  WORKS(qtensor_read_codes, x, after, 25);
  CHECK(memcmp(after, some, sizeof some) == 0);
  /* The weights were packed: their tensor is free. */
  WORKS(qtensor_product_codes, x, five, NULL, 0, w, NULL);
  qtensor_packed_free(five);
  qtensor_free(x);
  qtensor_free(w);

  refill();
  x = input_at(16);
  qtensor_t *out = make_tensor(out_dims, 2, 4, false);
  CHECK(qtensor_nbytes(out) == 4);
  WORKS(qtensor_borrow_mut, out, memory.bytes + 23, 4, NULL, NULL);
  OVERLAPS("x", "out", qtensor_product_codes, x, packed, NULL, 0, out, NULL);
  WORKS(qtensor_borrow_mut, out, memory.bytes + 13, 4, NULL, NULL);
  OVERLAPS("x", "out", qtensor_product_codes, x, packed, NULL, 0, out, NULL);
  WORKS(qtensor_borrow_mut, out, memory.bytes + 10, 4, NULL, NULL);
  OVERLAPS("added", "out", qtensor_product_codes, x, packed, memory.floats + 2, 2, out, NULL);
  WORKS(qtensor_borrow_mut, out, memory.bytes + 24, 4, NULL, NULL);
  WORKS(qtensor_product_codes, x, packed, memory.floats + 2, 2, out, NULL);
  CHECK(qtensor_data(out) == memory.bytes + 24);
  CHECK(all_bytes(&memory, 0x11, 24) && all_bytes(memory.bytes + 28, 0x11, 100));
  qtensor_free(out);
  qtensor_free(x);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  qtensor_t *w = make_w();
  qtensor_packed_t *packed = pack(w);
  values_and_sums(packed);
  floats(packed);
  codes(packed);
  qtensor_packed_free(packed);
  qtensor_free(w);
  return done();
}
