/* golden_tensors.c: the tensors and messages that the real Caffe2 wrote, bit for bit, from C.
 *
 * The rules are those of tests/golden.rs.
 */
#include "golden_text.h"

static void check_shape(const qtensor_t *tensor, const int64_t *dims, size_t ndim) {
  CHECK(qtensor_ndim(tensor) == ndim);
  CHECK(qtensor_ndim(tensor) == ndim &&
        (ndim == 0 || memcmp(qtensor_dims(tensor), dims, ndim * sizeof *dims) == 0));
}

static void codes_come_back(const qtensor_t *tensor) {
  size_t size = qtensor_size(tensor);
  int64_t *codes = allocate(size * sizeof *codes), *again = allocate(size * sizeof *codes);
  qtensor_t *copy =
      make_tensor(qtensor_dims(tensor), qtensor_ndim(tensor), qtensor_precision(tensor),
                  qtensor_is_signed(tensor));
  WORKS(qtensor_read_codes, tensor, codes, size);
  WORKS(qtensor_write_codes, copy, codes, size);
  WORKS(qtensor_read_codes, copy, again, size);
  CHECK(memcmp(codes, again, size * sizeof *codes) == 0);
  qtensor_free(copy);
  free(codes);
  free(again);
}

static void fill_bit_by_bit(qtensor_t *tensor, byte_string planes) {
  size_t size = qtensor_size(tensor), stride = qtensor_aligned_size(tensor) / 8;
  int count = qtensor_precision(tensor) + qtensor_is_signed(tensor);
  long wrong = 0;
  for (int plane = 0; plane < count; plane++) {
    for (size_t i = 0; i < size; i++) {
      bool bit = (planes.bytes[(size_t)plane * stride + i / 8] & (0x80 >> (i % 8))) != 0;
      bool seen = !bit;
      wrong += qtensor_set_bit(tensor, (uint8_t)plane, i, bit, NULL) != QTENSOR_OK;
      wrong += qtensor_get_bit(tensor, (uint8_t)plane, i, &seen, NULL) != QTENSOR_OK;
      wrong += seen != bit;
    }
  }
  CHECK(wrong == 0);
}

static void tensors_filled_bit_by_bit(void) {
  open_golden("qtensor.txt");
  while (next_line()) {
    int before = failures;
    uint8_t precision = (uint8_t)integer();
    bool is_signed = integer() != 0;
    size_t ndim;
    int64_t *dims = integers(&ndim);
    double scale = double_of_bits(bits()), bias = double_of_bits(bits());
    byte_string name = hex();
    const char *text = (const char *)name.bytes;
    qtensor_t *tensor = make_tensor(dims, ndim, precision, is_signed), *read = NULL;
    WORKS(qtensor_set_scale, tensor, scale);
    WORKS(qtensor_set_bias, tensor, bias);
    CHECK(qtensor_size(tensor) == size_word());
    CHECK(qtensor_aligned_size(tensor) == size_word());
    CHECK(qtensor_nbytes(tensor) == size_word());
    byte_string planes = hex(), blob = hex();
    fill_bit_by_bit(tensor, planes);
    if (qtensor_data(tensor) != NULL) {
      CHECK(same_bytes(qtensor_data(tensor), qtensor_nbytes(tensor), planes));
    } else {
      CHECK(planes.length == 0);
    }
    byte_string ours = blob_of(tensor, text);
    CHECK(same_bytes(ours.bytes, ours.length, blob));
    free(ours.bytes);

    WORKS(qtensor_deserialize, blob.bytes, blob.length, &read);
    check_shape(read, dims, ndim);
    CHECK(planes.length == 0 || same_bytes(qtensor_data(read), qtensor_nbytes(read), planes));
    ours = blob_of(read, text);
    CHECK(same_bytes(ours.bytes, ours.length, blob));
    free(ours.bytes);
    qtensor_free(read);
    qtensor_blob_info_t info;
    info.struct_size = sizeof info;
    WORKS(qtensor_blob_peek, blob.bytes, blob.length, &info);
    CHECK(same_bytes(info.name, info.name_length, name));
    CHECK(same_text(info.type_name, info.type_length, "QTensor"));

    byte_string proto = proto_of(tensor, text);
    WORKS(qtensor_deserialize_proto, proto.bytes, proto.length, &read);
    ours = proto_of(read, text);
    CHECK(same_bytes(ours.bytes, ours.length, proto));
    free(ours.bytes);
    free(proto.bytes);
    qtensor_free(read);
    if (precision <= 63) {
      codes_come_back(tensor);
    }
    qtensor_free(tensor);
    free(dims);
    free(name.bytes);
    free(planes.bytes);
    free(blob.bytes);
    report_line("qtensor.txt", before);
  }
  close_golden();
}

/* What a message that Caffe2 refused, or that lost something there, is refused with here. */
static qtensor_status expected_refusal(const char *what, qtensor_status status) {
  if (word_is(what, "data_too_long") || word_is(what, "data_too_short") ||
      word_is(what, "dim_beyond_int32") || word_is(what, "dim_zero")) {
    return QTENSOR_SHAPE_MISMATCH;
  }
  return word_is(what, "byte_flipped") ? status : QTENSOR_MALFORMED;
}

/* Whether the messages differ only in the fields that Caffe2 drops and this library keeps: the
 * channels, and the data type (field 8), which then is what stands behind their end. */
static bool only_kept_fields_differ(byte_string ours, byte_string theirs) {
  qtensor_t *plain = NULL, *their_tensor = NULL;
  WORKS(qtensor_deserialize, ours.bytes, ours.length, &plain);
  WORKS(qtensor_deserialize, theirs.bytes, theirs.length, &their_tensor);
  byte_string again = blob_of(plain, "test");
  CHECK(same_bytes(again.bytes, again.length, ours));
  free(again.bytes);
  bool had_channels = qtensor_is_multiparam(plain);
  WORKS(qtensor_clear_channels, plain);
  byte_string left = proto_of(plain, "test"), right = proto_of(their_tensor, "test");
  bool same = left.length >= right.length && memcmp(left.bytes, right.bytes, right.length) == 0;
  bool data_type = same && left.length > right.length;
  if (data_type) {
    same = left.bytes[right.length] == 0x40;
  }
  free(left.bytes);
  free(right.bytes);
  qtensor_free(plain);
  qtensor_free(their_tensor);
  return same && (had_channels || data_type);
}

static void unusual_and_damaged_messages(void) {
  int kept = 0;
  open_golden("wire.txt");
  while (next_line()) {
    int before = failures;
    const char *what = word();
    bool accepted = integer() != 0;
    size_t nbytes = size_word();
    byte_string blob = hex(), theirs = hex();
    qtensor_t *tensor = UNTOUCHED;
    if (accepted) {
      WORKS(qtensor_deserialize, blob.bytes, blob.length, &tensor);
      CHECK(qtensor_nbytes(tensor) == nbytes);
      /* What was read was written again under this name, whatever it was called. */
      byte_string ours = blob_of(tensor, "test");
      if (!same_bytes(ours.bytes, ours.length, theirs)) {
        kept++;
        CHECK(only_kept_fields_differ(ours, theirs));
      }
      free(ours.bytes);
      qtensor_free(tensor);
    } else {
      qtensor_status status = qtensor_deserialize(blob.bytes, blob.length, &tensor, NULL);
      REFUSES(expected_refusal(what, status), qtensor_deserialize, blob.bytes, blob.length,
              &tensor);
      CHECK(status != QTENSOR_OK && tensor == UNTOUCHED);
    }
    free(blob.bytes);
    free(theirs.bytes);
    if (failures > before) {
      fprintf(stderr, "  %.30s\n", what);
    }
    report_line("wire.txt", before);
  }
  CHECK(kept > 0);
  close_golden();
}

static void int8_tensors(void) {
  open_golden("int8_tensor.txt");
  while (next_line()) {
    int before = failures;
    size_t ndim, count;
    int64_t *dims = integers(&ndim);
    bool is_byte = integer() != 0;
    uint32_t pattern = (uint32_t)bits();
    float scale;
    memcpy(&scale, &pattern, sizeof scale);
    double expected_scale = scale, found_scale;
    double zero_point = (double)integer();
    byte_string name = hex();
    int64_t *values = integers(&count);
    byte_string blob = hex();
    qtensor_t *tensor = NULL;
    WORKS(qtensor_deserialize, blob.bytes, blob.length, &tensor);
    found_scale = qtensor_scale(tensor);
    CHECK(memcmp(&found_scale, &expected_scale, sizeof found_scale) == 0);
    CHECK(qtensor_bias(tensor) == -zero_point);
    check_shape(tensor, dims, ndim);
    CHECK(qtensor_precision(tensor) == (is_byte ? 8 : 32));
    CHECK(qtensor_is_signed(tensor) == !is_byte);
    int64_t *codes = allocate(count * sizeof *codes);
    WORKS(qtensor_read_codes, tensor, codes, count);
    CHECK(memcmp(codes, values, count * sizeof *codes) == 0);
    byte_string ours = int8_of(tensor, (const char *)name.bytes);
    CHECK(same_bytes(ours.bytes, ours.length, blob));
    free(ours.bytes);
    free(codes);
    free(values);
    free(dims);
    free(name.bytes);
    free(blob.bytes);
    qtensor_free(tensor);
    report_line("int8_tensor.txt", before);
  }
  close_golden();
}

int main(int argc, char **argv) {
  begin(argc, argv);
  tensors_filled_bit_by_bit();
  unusual_and_damaged_messages();
  int8_tensors();
  return done();
}
