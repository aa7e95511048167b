// dropin_blobs_in_caffe2_2021.cc: the golden files through the blobs of a prebuilt Caffe2 of 2021.
#define CAFFE2_IS_PREBUILT
#include "clients/known_qtensor.h"

static std::string blob_bytes(const caffe2::Blob &blob, const std::string &name) {
  return caffe2::SerializeBlob(blob, name);
}

static void read_blob(const std::string &bytes, caffe2::Blob *blob) {
  caffe2::DeserializeBlob(bytes, blob);
}

#include "dropin_blobs.hpp"

int main(int argc, char **argv) {
  begin(argc, argv);
  run_blobs();
  return done();
}
