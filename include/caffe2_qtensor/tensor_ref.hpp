// tensor_ref.hpp: a quantized tensor that belongs to somebody else.
#ifndef CAFFE2_QTENSOR_TENSOR_REF_HPP
#define CAFFE2_QTENSOR_TENSOR_REF_HPP

#include "tensor.hpp"
#include "tensor_reader.hpp"

namespace caffe2_qtensor {

// A quantized tensor to read: a pointer, copied freely and valid as long as the tensor. What
// takes one by value takes a Tensor too. All calls may run on one tensor from many threads at
// once while no other call does.
class TensorRef : public detail::TensorReader {
 public:
  // `tensor` is for the C interface's own; it stays its owner's.
  explicit TensorRef(const qtensor_t* tensor) noexcept : TensorReader(tensor) {}

  TensorRef(const Tensor& tensor) noexcept : TensorReader(tensor.get()) {}

  Tensor clone() const { return Tensor(cloned()); }

  // As Tensor::to_int8().
  Tensor to_int8() const { return Tensor(as_int8()); }

  const qtensor_t* get() const noexcept { return handle_; }
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_TENSOR_REF_HPP
