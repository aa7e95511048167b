// dropin_blobs_in_caffe2_2017.cc: the golden files through the blobs of a Caffe2 of 2017, which
// knows nothing of a QTensor's channels and keeps them as unknown fields.
#include "clients/known_qtensor.h"

static std::string blob_bytes(const caffe2::Blob &blob, const std::string &name) {
  return blob.Serialize(name);
}

static void read_blob(const std::string &bytes, caffe2::Blob *blob) { blob->Deserialize(bytes); }

#include "dropin_blobs.hpp"

int main(int argc, char **argv) {
  begin(argc, argv);
  run_blobs();
  return done();
}
