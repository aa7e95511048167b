// protobuf C++ behind a C interface, for the benchmarks to load at run time.
//
// Timed are SerializeToArray of a message that is ready (copying the planes into it is not
// counted, to protobuf's advantage), and ParseFromArray into a fresh message with its release.

#include <cstddef>
#include <cstdint>
#include <string>

#include "blob.pb.h"

using caffe2_qtensor_peer::BlobProto;

extern "C" {

// The blob of an unsigned 8-bit tensor with one dimension, these planes, scale 1 and bias 0.
void* protobuf_peer_create(const uint8_t* planes, size_t len, const char* name, size_t name_len) {
  auto* blob = new BlobProto;
  blob->set_name(std::string(name, name_len));
  blob->set_type("QTensor");
  auto* qtensor = blob->mutable_qtensor();
  qtensor->add_dims(static_cast<int64_t>(len));
  qtensor->set_precision(8);
  qtensor->set_scale(1.0);
  qtensor->set_bias(0.0);
  qtensor->set_is_signed(false);
  qtensor->mutable_data()->Reserve(static_cast<int>(len));
  for (size_t i = 0; i < len; ++i) {
    qtensor->mutable_data()->AddAlreadyReserved(planes[i]);
  }
  qtensor->set_name(std::string(name, name_len));
  return blob;
}

// The bytes written, or 0 where they do not fit.
size_t protobuf_peer_serialize(const void* handle, uint8_t* buffer, size_t capacity) {
  const auto* blob = static_cast<const BlobProto*>(handle);
  if (!blob->SerializeToArray(buffer, static_cast<int>(capacity))) {
    return 0;
  }
  return static_cast<size_t>(blob->GetCachedSize());
}

// A fresh message, or null where the bytes are none.
void* protobuf_peer_parse(const uint8_t* bytes, size_t len) {
  auto* blob = new BlobProto;
  if (!blob->ParseFromArray(bytes, static_cast<int>(len))) {
    delete blob;
    return nullptr;
  }
  return blob;
}

void protobuf_peer_free(void* handle) { delete static_cast<BlobProto*>(handle); }

}  // extern "C"
