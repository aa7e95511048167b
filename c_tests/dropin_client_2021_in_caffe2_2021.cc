// dropin_client_2021_in_caffe2_2021.cc: code of 2021 in a prebuilt Caffe2 of its age.
#define CAFFE2_IS_PREBUILT
#include "clients/known_qtensor.h"

#include "clients/client_2021.h"
#include "clients/client_2021_blobs.h"

int main(int argc, char **argv) {
  begin(argc, argv);
  run_client_2021();
  run_client_2021_blobs();
  return done();
}
