// again.cc: a second source file of a program that registers the class.
#include <caffe2_qtensor/caffe2_register.h>

bool is_tensor_blob(const caffe2::Blob &blob) {
  return blob.IsType<caffe2::QTensor<caffe2::CPUContext>>();
}
