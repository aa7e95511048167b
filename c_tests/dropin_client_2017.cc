// dropin_client_2017.cc: code of 2017 in a program without Caffe2.
// Headers of the client's own may have declared the class before.
namespace caffe2 {
template <class Context>
class QTensor;
}
#define CAFFE2_QTENSOR_STANDALONE
#include "clients/client_2017.h"
#include "clients/client_2017_types.h"
#include "clients/client_strings.h"

int main(int argc, char **argv) {
  begin(argc, argv);
  run_client_2017();
  run_client_2017_types();
  run_client_strings();
  return done();
}
