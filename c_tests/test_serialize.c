/* test_serialize.c: tensors to bytes and back, and a look at bytes without decoding them. */
#include "check.h"

static const int64_t dims[2] = {2, 4};
static const int64_t codes[8] = {1, -2, 3, -7, 0, 7, 5, -6};

/* A BlobProto written by hand: [2, 4], 3 bits and a sign, scale 0.5, bias -1, name "w". */
static const uint8_t blob[] = {
    0x0a, 1, 'w', 0x12, 7, 'Q', 'T', 'e', 'n', 's', 'o', 'r', 0x2a, 36, /* the QTensorProto: */
    0x08, 2, 0x08, 4, 0x10, 3, 0x19, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0x21, 0, 0, 0, 0, 0, 0, 0xf0,
    0xbf, 0x28, 1, 0x32, 5, 0xb6, 0x01, 0x75, 0x17, 0x51, 0x3a, 1, 'w'};
static const uint8_t *const proto = blob + 14;
static const size_t proto_size = sizeof blob - 14;

static qtensor_t *make_w(void) {
  qtensor_t *tensor = make_tensor(dims, 2, 3, true);
  WORKS(qtensor_write_codes, tensor, codes, 8);
  WORKS(qtensor_set_scale, tensor, 0.5);
  WORKS(qtensor_set_bias, tensor, -1.0);
  return tensor;
}

static void nulls(void) {
  qtensor_t *tensor = make_w(), *bytes8 = make_tensor(dims, 2, 8, false), *out = UNTOUCHED;
  uint8_t buffer[256];
  size_t size = 1234;
  qtensor_blob_info_t info;
  memset(buffer, 0xa5, sizeof buffer);
  memset(&info, 0xa5, sizeof info);
  info.struct_size = sizeof info;
  qtensor_blob_info_t before = info;
  NULL_CALL(qtensor_serialized_size, "tensor", NULL, "w", &size);
  NULL_CALL(qtensor_serialized_size, "name", tensor, NULL, &size);
  NULL_CALL(qtensor_serialized_size, "out", tensor, "w", NULL);
  NULL_CALL(qtensor_serialize, "tensor", NULL, "w", buffer, 256, &size);
  NULL_CALL(qtensor_serialize, "name", tensor, NULL, buffer, 256, &size);
  NULL_CALL(qtensor_serialize, "buf", tensor, "w", NULL, 256, &size);
  NULL_CALL(qtensor_serialize, "written", tensor, "w", buffer, 256, NULL);
  NULL_CALL(qtensor_deserialize, "bytes", NULL, 1, &out);
  NULL_CALL(qtensor_deserialize, "out", blob, sizeof blob, NULL);
  NULL_CALL(qtensor_serialized_size_proto, "tensor", NULL, "w", &size);
  NULL_CALL(qtensor_serialized_size_proto, "name", tensor, NULL, &size);
  NULL_CALL(qtensor_serialized_size_proto, "out", tensor, "w", NULL);
  NULL_CALL(qtensor_serialize_proto, "tensor", NULL, "w", buffer, 256, &size);
  NULL_CALL(qtensor_serialize_proto, "name", tensor, NULL, buffer, 256, &size);
  NULL_CALL(qtensor_serialize_proto, "buf", tensor, "w", NULL, 256, &size);
  NULL_CALL(qtensor_serialize_proto, "written", tensor, "w", buffer, 256, NULL);
  NULL_CALL(qtensor_deserialize_proto, "bytes", NULL, 1, &out);
  NULL_CALL(qtensor_deserialize_proto, "out", proto, proto_size, NULL);
  NULL_CALL(qtensor_serialized_size_int8, "tensor", NULL, "w", &size);
  NULL_CALL(qtensor_serialized_size_int8, "name", bytes8, NULL, &size);
  NULL_CALL(qtensor_serialized_size_int8, "out", bytes8, "w", NULL);
  NULL_CALL(qtensor_serialize_int8, "tensor", NULL, "w", buffer, 256, &size);
  NULL_CALL(qtensor_serialize_int8, "name", bytes8, NULL, buffer, 256, &size);
  NULL_CALL(qtensor_serialize_int8, "buf", bytes8, "w", NULL, 256, &size);
  NULL_CALL(qtensor_serialize_int8, "written", bytes8, "w", buffer, 256, NULL);
  NULL_CALL(qtensor_blob_peek, "bytes", NULL, 1, &info);
  NULL_CALL(qtensor_blob_peek, "info", blob, sizeof blob, NULL);
  NULL_CALL(qtensor_proto_peek, "bytes", NULL, 1, &info);
  NULL_CALL(qtensor_proto_peek, "info", proto, proto_size, NULL);
  CHECK(size == 1234 && out == UNTOUCHED && all_bytes(buffer, 0xa5, sizeof buffer));
  CHECK(memcmp(&info, &before, sizeof info) == 0);
  qtensor_free(tensor);
  qtensor_free(bytes8);
}

static void bytes_are_exact(void) {
  qtensor_t *tensor = make_w(), *copy = NULL;
  uint8_t buffer[128];
  size_t size = 0, written = 0;
  WORKS(qtensor_serialized_size, tensor, "w", &size);
  CHECK(size == sizeof blob);
  memset(buffer, 0xa5, sizeof buffer);
  WORKS(qtensor_serialize, tensor, "w", buffer, sizeof blob, &written);
  CHECK(written == sizeof blob && memcmp(buffer, blob, sizeof blob) == 0);
  CHECK(all_bytes(buffer + sizeof blob, 0xa5, sizeof buffer - sizeof blob));
  WORKS(qtensor_deserialize, blob, sizeof blob, &copy);
  CHECK(qtensor_ndim(copy) == 2 && qtensor_dims(copy)[1] == 4 && qtensor_precision(copy) == 3);
  CHECK(qtensor_is_signed(copy) && qtensor_scale(copy) == 0.5 && qtensor_bias(copy) == -1);
  int64_t read[8];
  WORKS(qtensor_read_codes, copy, read, 8);
  CHECK(memcmp(read, codes, sizeof codes) == 0);
  qtensor_free(copy);

  WORKS(qtensor_serialized_size_proto, tensor, "w", &size);
  CHECK(size == proto_size);
  WORKS(qtensor_serialize_proto, tensor, "w", buffer, proto_size, &written);
  CHECK(written == proto_size && memcmp(buffer, proto, proto_size) == 0);
  WORKS(qtensor_deserialize_proto, buffer, proto_size, &copy);
  CHECK(memcmp(qtensor_data(copy), qtensor_data(tensor), 4) == 0);
  qtensor_free(copy);
  qtensor_free(tensor);

  /* An empty name, no dimensions, no planes. */
  tensor = qtensor_create();
  WORKS(qtensor_serialize, tensor, "", buffer, sizeof buffer, &written);
  WORKS(qtensor_deserialize, buffer, written, &copy);
  CHECK(qtensor_ndim(copy) == 0 && qtensor_data(copy) == NULL);
  qtensor_free(copy);
  qtensor_free(tensor);
}

static void small_buffers_are_left_alone(void) {
  qtensor_t *tensor = make_w(), *bytes8 = make_tensor(dims, 2, 8, false);
  uint8_t buffer[256];
  size_t written = 1234, size = 0;
  memset(buffer, 0xa5, sizeof buffer);
  char needed[32];
  snprintf(needed, sizeof needed, "%zu are needed", sizeof blob);
  for (size_t capacity = 0; capacity < sizeof blob; capacity++) {
    REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_serialize, tensor, "w", buffer, capacity, &written);
    SAYS(needed);
  }
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_serialize, tensor, "w", NULL, 0, &written);
  SAYS("holds 0 bytes");
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_serialize_proto, tensor, "w", buffer, 35, &written);
  SAYS("36");
  WORKS(qtensor_serialized_size_int8, bytes8, "w", &size);
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_serialize_int8, bytes8, "w", buffer, size - 1,
          &written);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_serialize, tensor, "w", buffer, SIZE_MAX, &written);
  CHECK(written == 1234 && all_bytes(buffer, 0xa5, sizeof buffer));
  qtensor_free(tensor);
  qtensor_free(bytes8);
}

/* No part of a message is a message, and a refusal makes nothing. */
static void damage_is_refused(void) {
  qtensor_t *out = UNTOUCHED;
  for (size_t length = 0; length < sizeof blob; length++) {
    /* In memory of its own, so that a read behind the end shows. */
    uint8_t *part = allocate(length);
    memcpy(part, blob, length);
    REFUSES(QTENSOR_MALFORMED, qtensor_deserialize, part, length, &out);
    free(part);
  }
  REFUSES(QTENSOR_MALFORMED, qtensor_deserialize, NULL, 0, &out);
  SAYS("type");
  REFUSES(QTENSOR_MALFORMED, qtensor_deserialize_proto, NULL, 0, &out);
  REFUSES(QTENSOR_MALFORMED, qtensor_deserialize_proto, proto, 20, &out);
  SAYS("byte");
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_deserialize, blob, SIZE_MAX, &out);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_deserialize_proto, blob, SIZE_MAX / 2 + 1, &out);
  uint8_t changed[sizeof blob];
  memcpy(changed, blob, sizeof blob);
  changed[15] = 3; /* [3, 4] needs two bytes a plane. */
  REFUSES(QTENSOR_SHAPE_MISMATCH, qtensor_deserialize, changed, sizeof blob, &out);
  SAYS("4");
  SAYS("8");
  memcpy(changed, blob, sizeof blob);
  changed[5] = 'R';
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_deserialize, changed, sizeof blob, &out);
  SAYS("'RTensor'");
  CHECK(out == UNTOUCHED);
}

static void int8_blobs(void) {
  qtensor_t *tensor = make_tensor(dims, 2, 8, false), *copy = NULL;
  const uint8_t bytes[8] = {0, 1, 2, 3, 127, 128, 254, 255};
  uint8_t buffer[256], read[8];
  size_t size = 1234, written = 1234;
  WORKS(qtensor_write_codes_u8, tensor, bytes, 8);
  WORKS(qtensor_set_scale, tensor, 0.5);
  WORKS(qtensor_set_bias, tensor, -128.0);
  WORKS(qtensor_serialized_size_int8, tensor, "w", &size);
  WORKS(qtensor_serialize_int8, tensor, "w", buffer, sizeof buffer, &written);
  CHECK(size == written);
  WORKS(qtensor_deserialize, buffer, written, &copy);
  WORKS(qtensor_read_codes_u8, copy, read, 8);
  CHECK(memcmp(bytes, read, 8) == 0 && qtensor_bias(copy) == -128);
  qtensor_free(copy);

  size = written = 1234;
  memset(buffer, 0xa5, sizeof buffer);
  WORKS(qtensor_set_bias, tensor, 2147483649.0);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_serialize_int8, tensor, "w", buffer, 256, &written);
  SAYS("2147483649");
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_serialized_size_int8, tensor, "w", &size);
  WORKS(qtensor_set_bias, tensor, 0.5);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_serialize_int8, tensor, "w", buffer, 256, &written);
  SAYS("0.5");
  SAYS("32-bit integer");
  WORKS(qtensor_set_bias, tensor, 1e300);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_serialize_int8, tensor, "w", buffer, 256, &written);
  SAYS("1e300");
  WORKS(qtensor_set_bias, tensor, 0.0);
  const double two[2] = {1, 1};
  WORKS(qtensor_set_channels, tensor, 0, two, two, 2);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_serialize_int8, tensor, "w", buffer, 256, &written);
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_serialized_size_int8, tensor, "w", &size);
  qtensor_free(tensor);
  tensor = make_w();
  REFUSES(QTENSOR_UNSUPPORTED, qtensor_serialize_int8, tensor, "w", buffer, 256, &written);
  SAYS("is 3");
  WORKS(qtensor_set_precision, tensor, 32);
  const int64_t large[8] = {(int64_t)INT32_MAX + 1};
  WORKS(qtensor_write_codes, tensor, large, 8);
  REFUSES(QTENSOR_OUT_OF_RANGE, qtensor_serialize_int8, tensor, "w", buffer, 256, &written);
  SAYS("2147483648");
  CHECK(size == 1234 && written == 1234 && all_bytes(buffer, 0xa5, sizeof buffer));
  qtensor_free(tensor);
}

static void messages_have_a_largest_size(void) {
  int64_t large[1] = {(int64_t)1 << 40};
  qtensor_t *tensor = make_tensor(large, 1, 1, false);
  size_t size = 1234, written = 1234;
  uint8_t buffer[8];
  REFUSES(QTENSOR_OVERFLOW, qtensor_serialized_size, tensor, "w", &size);
  SAYS("2147483647");
  REFUSES(QTENSOR_OVERFLOW, qtensor_serialized_size_proto, tensor, "w", &size);
  REFUSES(QTENSOR_OVERFLOW, qtensor_serialize, tensor, "w", buffer, sizeof buffer, &written);
  REFUSES(QTENSOR_OVERFLOW, qtensor_serialize_proto, tensor, "w", buffer, 8, &written);
  CHECK(size == 1234 && written == 1234);
  qtensor_free(tensor);
}

static void names_and_types_are_seen(void) {
  struct {
    qtensor_blob_info_t info;
    uint8_t later[16];
  } larger;
  memset(&larger, 0x5a, sizeof larger);
  larger.info.struct_size = sizeof larger;
  WORKS(qtensor_blob_peek, blob, sizeof blob, &larger.info);
  CHECK(larger.info.struct_size == sizeof larger.info);
  CHECK(same_text(larger.info.name, larger.info.name_length, "w"));
  CHECK(same_text(larger.info.type_name, larger.info.type_length, "QTensor"));
  CHECK((const uint8_t *)larger.info.name == blob + 2); /* Borrowed. */
  CHECK(all_bytes(larger.later, 0x5a, sizeof larger.later));
  qtensor_blob_info_t info;
  info.struct_size = sizeof info;
  WORKS(qtensor_proto_peek, proto, proto_size, &info);
  CHECK(same_text(info.name, info.name_length, "w") && info.type_length == 0);
  WORKS(qtensor_blob_peek, NULL, 0, &info);
  CHECK(info.name_length == 0 && info.type_length == 0);

  memset(&info, 0xa5, sizeof info);
  info.struct_size = sizeof info - 1;
  qtensor_blob_info_t before = info;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_blob_peek, blob, sizeof blob, &info);
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_proto_peek, proto, proto_size, &info);
  before.struct_size = info.struct_size = sizeof info;
  REFUSES(QTENSOR_MALFORMED, qtensor_blob_peek, blob, 2, &info);
  REFUSES(QTENSOR_MALFORMED, qtensor_proto_peek, proto, 10, &info);
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_blob_peek, blob, SIZE_MAX, &info);
  uintptr_t odd = (uintptr_t)&larger + 1;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_blob_peek, blob, 0, (qtensor_blob_info_t *)odd);
  CHECK(memcmp(&info, &before, sizeof info) == 0);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  bytes_are_exact();
  small_buffers_are_left_alone();
  damage_is_refused();
  int8_blobs();
  messages_have_a_largest_size();
  names_and_types_are_seen();
  return done();
}
