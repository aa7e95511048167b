// dropin_client_2017_in_caffe2_2017.cc: code of 2017 in a Caffe2 of its age, which was itself built
// with these headers: so the class may have been declared before.
#define CAFFE2_QTENSOR_CAFFE2_FROM_SOURCE
namespace caffe2 {
template <class Context>
class QTensor;
}
#include "clients/known_qtensor.h"

#include "clients/client_2017.h"
#include "clients/client_2017_blobs.h"
#include "clients/client_2017_types.h"

int main(int argc, char **argv) {
  begin(argc, argv);
  run_client_2017();
  run_client_2017_types();
  run_client_2017_blobs();
  return done();
}
