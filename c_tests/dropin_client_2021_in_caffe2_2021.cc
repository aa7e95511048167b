// dropin_client_2021_in_caffe2_2021.cc: code of 2021 in a prebuilt Caffe2 of its age.
#define CAFFE2_IS_PREBUILT
#include "clients/known_qtensor.h"

#include "clients/client_2021.h"
#include "clients/client_2021_blobs.h"

// What dims() returns is copied without what it refers to, so that an ArrayRef of the copy holds.
static at::ArrayRef<int> Shape(const caffe2::QTensor<caffe2::CPUContext> &tensor) {
  auto dims = tensor.dims();
  return dims;
}

static void copies_of_dims() {
  const caffe2::QTensor<caffe2::CPUContext> tensor({2, 3, 5}, 4);
  CHECK(Shape(tensor).data() == tensor.sizes().data() && Shape(tensor).size() == 3);
  auto dims = tensor.dims();
  const std::vector<int> &vector = dims;
  CHECK(vector.data() == dims.data() && vector.size() == 3);
  dims = dims.slice(1);
  CHECK(dims.vec() == std::vector<int>({3, 5}));
  bool refused = false;
  try {
    const std::vector<int> &part = dims;
    CHECK(part.empty());
  } catch (const caffe2::EnforceNotMet &) {
    refused = true;
  }
  CHECK(refused);
  dims = tensor.sizes();
  const int *first = tensor.dims().begin();
  CHECK(*first == 2 && dims == tensor.sizes());
}

int main(int argc, char **argv) {
  begin(argc, argv);
  run_client_2021();
  run_client_2021_blobs();
  copies_of_dims();
  return done();
}
