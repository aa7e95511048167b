// dropin_client_2017_in_caffe2_2021.cc: code of 2017 in a Caffe2 four years younger.
#include "clients/client_2017.h"

int main(int argc, char **argv) {
  begin(argc, argv);
  run_client_2017();
  return done();
}
