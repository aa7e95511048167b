// dropin_client_2021.cc: code of 2021 in a program without Caffe2.
#define CAFFE2_QTENSOR_STANDALONE
#include "clients/client_2021.h"
#include "clients/client_strings.h"

int main(int argc, char **argv) {
  begin(argc, argv);
  run_client_2021();
  run_client_strings();
  return done();
}
