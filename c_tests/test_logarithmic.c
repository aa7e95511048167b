/* test_logarithmic.c: tensors of exponents, and everything that must not take them for linear. */
#include "check.h"

static const int64_t dims[2] = {2, 4};
static const int64_t codes[8] = {1, -2, 3, -7, 0, 7, 5, -6};
static const double ones[4] = {1, 1, 1, 1};

/* A BlobProto written by hand: [2, 4], 3 bits and a sign, scale 0.5, bias -1, name "w". */
static const uint8_t blob[] = {
    0x0a, 1, 'w', 0x12, 10, 'Q', 'T', 'e', 'n', 's', 'o', 'r', 'L', 'o', 'g', 0x2a, 36,
    0x08, 2, 0x08, 4, 0x10, 3, 0x19, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0x21, 0, 0, 0, 0, 0, 0, 0xf0,
    0xbf, 0x28, 1, 0x32, 5, 0xb6, 0x01, 0x75, 0x17, 0x51, 0x3a, 1, 'w'};

static qtensor_t *make_w(bool logarithmic) {
  qtensor_t *tensor = make_tensor(dims, 2, 3, true);
  WORKS(qtensor_write_codes, tensor, codes, 8);
  WORKS(qtensor_set_scale, tensor, 0.5);
  WORKS(qtensor_set_bias, tensor, -1.0);
  WORKS(qtensor_set_logarithmic, tensor, logarithmic);
  return tensor;
}

/* Whether all but the meaning of the codes is what make_w() made. */
static bool is_w(const qtensor_t *tensor) {
  int64_t found[8];
  WORKS(qtensor_read_codes, tensor, found, 8);
  return memcmp(found, codes, sizeof codes) == 0 && qtensor_precision(tensor) == 3 &&
         qtensor_is_signed(tensor) && qtensor_scale(tensor) == 0.5 && qtensor_bias(tensor) == -1;
}

static void nulls(void) {
  NULL_CALL(qtensor_set_logarithmic, "tensor", NULL, true);
  NULL_ANSWER(qtensor_is_logarithmic, false, NULL);
}

static void the_flag_is_kept(void) {
  qtensor_t *tensor = make_w(false), *copy = NULL;
  CHECK(!qtensor_is_logarithmic(tensor));
  WORKS(qtensor_set_logarithmic, tensor, true);
  CHECK(qtensor_is_logarithmic(tensor) && is_w(tensor));
  WORKS(qtensor_clone, tensor, &copy);
  CHECK(qtensor_is_logarithmic(copy) && is_w(copy));
  WORKS(qtensor_set_logarithmic, copy, false);
  CHECK(!qtensor_is_logarithmic(copy) && is_w(copy) && qtensor_is_logarithmic(tensor));
  qtensor_free(copy);
  const int64_t other[1] = {9};
  WORKS(qtensor_resize, tensor, other, 1);
  WORKS(qtensor_set_precision, tensor, 5);
  WORKS(qtensor_set_signed, tensor, false);
  WORKS(qtensor_set_scale, tensor, 2.0);
  CHECK(qtensor_is_logarithmic(tensor));
  qtensor_free(tensor);
}

static void it_has_a_type_of_its_own(void) {
  qtensor_t *tensor = make_w(true), *copy = NULL;
  size_t size = 0, written = 0;
  WORKS(qtensor_serialized_size, tensor, "w", &size);
  CHECK(size == sizeof blob);
  /* In two passes, and in one where there is room for it. */
  for (size_t room = 0; room <= 100; room += 100) {
    uint8_t bytes[sizeof blob + 100];
    memset(bytes, 0xa5, sizeof bytes);
    WORKS(qtensor_serialize, tensor, "w", bytes, sizeof blob + room, &written);
    CHECK(written == sizeof blob && memcmp(bytes, blob, sizeof blob) == 0);
    CHECK(room == 100 || all_bytes(bytes + sizeof blob, 0xa5, 100));
  }
  uint8_t small[sizeof blob - 1];
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_serialize, tensor, "w", small, sizeof small, &written);
  qtensor_free(tensor);

  WORKS(qtensor_deserialize, blob, sizeof blob, &copy);
  CHECK(qtensor_is_logarithmic(copy) && is_w(copy));
  qtensor_free(copy);
  qtensor_blob_info_t info = {.struct_size = sizeof info};
  WORKS(qtensor_blob_peek, blob, sizeof blob, &info);
  CHECK(same_text(info.type_name, info.type_length, "QTensorLog"));
  CHECK(same_text(info.name, info.name_length, "w"));

  /* A linear one is what it was: the same message with the shorter type. */
  tensor = make_w(false);
  uint8_t linear[sizeof blob];
  WORKS(qtensor_serialize, tensor, "w", linear, sizeof linear, &written);
  CHECK(written == sizeof blob - 3 && memcmp(linear + 3, "\x12\x07QTensor\x2a", 10) == 0);
  CHECK(memcmp(linear + 13, blob + 16, sizeof blob - 16) == 0);
  qtensor_free(tensor);
}

static void others_refuse_it(void) {
  qtensor_t *tensor = make_w(true), *bytes8 = make_tensor(dims, 2, 8, false), *out = UNTOUCHED;
  qtensor_t *wide = make_tensor(dims, 2, 32, true);
  uint8_t buffer[256];
  size_t written = 1234;
  memset(buffer, 0xa5, sizeof buffer);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_serialize_proto, tensor, "w", buffer, 256, &written);
  SAYS("logarithmic");
  SAYS("QTensorProto");
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_serialized_size_proto, tensor, "w", &written);
  SAYS("logarithmic");
  qtensor_t *const forms[] = {bytes8, wide};
  for (size_t i = 0; i < 2; i++) {
    WORKS(qtensor_set_logarithmic, forms[i], true);
    REFUSES(QTENSOR_UNSUPPORTED, qtensor_serialize_int8, forms[i], "w", buffer, 256, &written);
    SAYS("logarithmic");
    SAYS("Int8TensorCPU");
    REFUSES(QTENSOR_UNSUPPORTED, qtensor_serialized_size_int8, forms[i], "w", &written);
    REFUSES(QTENSOR_UNSUPPORTED, qtensor_to_int8, forms[i], &out);
    SAYS("logarithmic");
  }
  CHECK(written == 1234 && all_bytes(buffer, 0xa5, sizeof buffer) && out == UNTOUCHED);
  /* Linear again, they are taken. */
  WORKS(qtensor_set_logarithmic, bytes8, false);
  WORKS(qtensor_serialize_int8, bytes8, "w", buffer, 256, &written);
  WORKS(qtensor_set_logarithmic, tensor, false);
  WORKS(qtensor_serialize_proto, tensor, "w", buffer, 256, &written);
  CHECK(written == 36 && memcmp(buffer, blob + 17, 36) == 0);
  WORKS(qtensor_deserialize_proto, buffer, written, &out);
  CHECK(!qtensor_is_logarithmic(out) && is_w(out));
  qtensor_free(out);
  qtensor_free(wide);
  qtensor_free(bytes8);
  qtensor_free(tensor);
}

static void channels_exclude_it(void) {
  qtensor_t *tensor = make_w(true);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_set_channels, tensor, 1, ones, ones, 4);
  SAYS("logarithmic");
  SAYS("channels");
  CHECK(!qtensor_is_multiparam(tensor) && qtensor_channel_axis(tensor) == -1 && is_w(tensor));
  WORKS(qtensor_set_logarithmic, tensor, false);
  WORKS(qtensor_set_channels, tensor, 1, ones, ones, 4);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_set_logarithmic, tensor, true);
  SAYS("is 4");
  SAYS("logarithmic");
  CHECK(!qtensor_is_logarithmic(tensor) && qtensor_is_multiparam(tensor) && is_w(tensor));
  WORKS(qtensor_set_logarithmic, tensor, false);
  WORKS(qtensor_clear_channels, tensor);
  WORKS(qtensor_set_logarithmic, tensor, true);
  CHECK(qtensor_is_logarithmic(tensor));
  qtensor_free(tensor);

  /* Another writer's: what it says is kept and written back. */
  uint8_t both[sizeof blob + 2], again[128];
  memcpy(both, blob, sizeof blob);
  both[16] += 2; /* The length of the QTensorProto, whose last field is now is_multiparam. */
  both[sizeof blob] = 0x60;
  both[sizeof blob + 1] = 1;
  size_t written = 0;
  WORKS(qtensor_deserialize, both, sizeof both, &tensor);
  CHECK(qtensor_is_logarithmic(tensor) && qtensor_is_multiparam(tensor) && is_w(tensor));
  WORKS(qtensor_serialize, tensor, "w", again, sizeof again, &written);
  CHECK(written == sizeof both && memcmp(again, both, sizeof both) == 0);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_set_logarithmic, tensor, true);
  SAYS("is 0");
  WORKS(qtensor_clear_channels, tensor);
  CHECK(qtensor_is_logarithmic(tensor) && !qtensor_is_multiparam(tensor));
  qtensor_free(tensor);
}

static void databases_hold_it(void) {
  char path[4096];
  snprintf(path, sizeof path, "%s", path_in(scratch_folder, "log.minidb"));
  qtensor_t *tensor = make_w(true), *linear = make_w(false), *loaded = NULL;
  qtensor_minidb_writer_t *writer = NULL;
  WORKS(qtensor_minidb_writer_create, path, &writer);
  WORKS(qtensor_minidb_writer_append, writer, "log", tensor);
  WORKS(qtensor_minidb_writer_append, writer, "linear", linear);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_minidb_writer_append_int8, writer, "int8", tensor);
  SAYS("logarithmic");
  WORKS(qtensor_minidb_writer_commit, writer);
  qtensor_minidb_writer_free(writer);

  qtensor_minidb_reader_t *reader = NULL;
  WORKS(qtensor_minidb_reader_open, path, &reader);
  WORKS(qtensor_minidb_reader_load, reader, "log", &loaded);
  CHECK(qtensor_is_logarithmic(loaded) && is_w(loaded));
  qtensor_free(loaded);
  WORKS(qtensor_minidb_reader_load, reader, "linear", &loaded);
  CHECK(!qtensor_is_logarithmic(loaded) && is_w(loaded));
  qtensor_free(loaded);
  qtensor_dense_t *dense = UNTOUCHED;
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_minidb_reader_load_dense, reader, "log", &dense);
  SAYS("QTensorLog");
  CHECK(dense == UNTOUCHED);
  qtensor_minidb_reader_free(reader);

  qtensor_blobs_t *blobs = NULL;
  WORKS(qtensor_blobs_load, path, &blobs);
  CHECK(qtensor_blobs_count(blobs) == 2);
  CHECK(strcmp(qtensor_blobs_type(blobs, 0, NULL), "QTensorLog") == 0);
  CHECK(qtensor_is_logarithmic(qtensor_blobs_tensor(blobs, 0)));
  CHECK(is_w(qtensor_blobs_tensor(blobs, 0)) && qtensor_blobs_dense(blobs, 0) == NULL);
  CHECK(strcmp(qtensor_blobs_type(blobs, 1, NULL), "QTensor") == 0);
  CHECK(!qtensor_is_logarithmic(qtensor_blobs_tensor(blobs, 1)));
  qtensor_blobs_free(blobs);
  qtensor_free(linear);
  qtensor_free(tensor);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  the_flag_is_kept();
  it_has_a_type_of_its_own();
  others_refuse_it();
  channels_exclude_it();
  databases_hold_it();
  return done();
}
