// caffe2_convert.h: between this library's tensors and those of a Caffe2 with its own QTensor.
//
// For a program that keeps Caffe2's class, with Caffe2's header, and uses this library beside it:
//
//   borrow_from(const QTensor&)    the planes stay where they are, to read; a call that writes to the
//                                  result copies them first. Valid as long as the QTensor is there
//                                  and does not change.
//   take_from(QTensor*)            the planes are moved, not copied; the QTensor is like a new one.
//   give_to(Tensor, QTensor*)      the same in the other direction.
//   borrow_from(const Tensor&)     an ordinary tensor's elements stay where they are, to read. They
//                                  are kept there, also when the tensor goes; nobody writes to them
//                                  meanwhile.
//   give_to(Dense, Tensor*)        the elements are moved, not copied, unless they are borrowed.
//   copy_from(const Int8TensorCPU&), copy_to(TensorRef, Int8TensorCPU*)
//                                  codes are bytes there and bit planes here: all are copied.
//   floats_of(const Tensor&)       its elements, for Tensor::quantize(). As long as the tensor is there
//                                  and does not change.
//   dequantize_to(TensorRef, Tensor*)  the values of the codes, straight into the other's memory.
//
// What is refused throws caffe2_qtensor::Error, a std::exception, and changes nothing.
//
// caffe2_register.h is the other way: it puts this library's class in place of Caffe2's. A source
// file includes one of the two.
#ifndef CAFFE2_QTENSOR_CAFFE2_CONVERT_H
#define CAFFE2_QTENSOR_CAFFE2_CONVERT_H

#include "caffe2/core/qtensor.h"

#ifdef CAFFE2_QTENSOR_DROPIN_QTENSOR
#error "caffe2_convert.h is for Caffe2's own QTensor, and the drop-in one is in its place."
#endif

#include <climits>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../caffe2_qtensor.hpp"
#include "c10/core/Allocator.h"
#include "c10/core/Storage.h"
#include "c10/util/Half.h"
#include "c10/util/typeid.h"
#include "caffe2/core/tensor.h"
#include "caffe2/core/tensor_int8.h"

namespace caffe2_qtensor {
namespace detail {

typedef ::caffe2::QTensor<::caffe2::CPUContext> Caffe2QTensor;

// The members of Caffe2's class, which has no other way in or out for planes.
struct Caffe2Members : Caffe2QTensor {
  static at::DataPtr& data(Caffe2QTensor& tensor) { return tensor.*(&Caffe2Members::data_ptr_); }
  static std::size_t& capacity(Caffe2QTensor& tensor) {
    return tensor.*(&Caffe2Members::capacity_);
  }
  static std::size_t capacity(const Caffe2QTensor& tensor) {
    return tensor.*(&Caffe2Members::capacity_);
  }
  static std::vector<int>& dims(Caffe2QTensor& tensor) { return tensor.*(&Caffe2Members::dims_); }
  static std::size_t& size(Caffe2QTensor& tensor) { return tensor.*(&Caffe2Members::size_); }
};

// Everything but the planes.
inline Tensor shaped_as(const Caffe2QTensor& source) {
  const std::vector<std::int64_t> dims(source.dims().begin(), source.dims().end());
  Tensor made(dims, source.precision(), source.is_signed());
  // Caffe2 counts in int, and takes a shape without dimensions for one value in some cases.
  if (made.size() != source.size() || made.nbytes() != source.nbytes()) {
    throw Error(QTENSOR_SHAPE_MISMATCH, "The QTensor says that it has " +
                                            std::to_string(source.size()) +
                                            " elements, but its dimensions make " +
                                            std::to_string(made.size()) + ".");
  }
  if (source.data() != nullptr && Caffe2Members::capacity(source) / CHAR_BIT < made.nbytes()) {
    throw Error(QTENSOR_SHAPE_MISMATCH,
                "The QTensor has planes of " +
                    std::to_string(Caffe2Members::capacity(source) / CHAR_BIT) +
                    " bytes, but its dimensions need " + std::to_string(made.nbytes()) + ".");
  }
  made.set_scale(source.scale());
  made.set_bias(source.bias());
  return made;
}

inline void check_on_cpu(const ::caffe2::Tensor& tensor) {
  if (tensor.GetDeviceType() != ::caffe2::CPU || !tensor.is_contiguous()) {
    throw Error(QTENSOR_UNSUPPORTED,
                "The tensor is not in one piece in the memory of the processor.");
  }
  if (tensor.numel() != 0 && !tensor.storage_initialized()) {
    throw Error(QTENSOR_INVALID_ARGUMENT, "The tensor has " + std::to_string(tensor.numel()) +
                                              " elements, but no memory yet.");
  }
}

// Calls `found(element_type, TypeMeta)` for each pair that stands for the same elements.
template <class Found>
void each_element_type(const Found& found) {
  found(QTENSOR_ELEMENT_FLOAT, caffe2::TypeMeta::Make<float>());
  found(QTENSOR_ELEMENT_INT32, caffe2::TypeMeta::Make<std::int32_t>());
  found(QTENSOR_ELEMENT_BOOL, caffe2::TypeMeta::Make<bool>());
  found(QTENSOR_ELEMENT_UINT8, caffe2::TypeMeta::Make<std::uint8_t>());
  found(QTENSOR_ELEMENT_INT8, caffe2::TypeMeta::Make<std::int8_t>());
  found(QTENSOR_ELEMENT_UINT16, caffe2::TypeMeta::Make<std::uint16_t>());
  found(QTENSOR_ELEMENT_INT16, caffe2::TypeMeta::Make<std::int16_t>());
  found(QTENSOR_ELEMENT_INT64, caffe2::TypeMeta::Make<std::int64_t>());
  found(QTENSOR_ELEMENT_FLOAT16, caffe2::TypeMeta::Make<at::Half>());
  found(QTENSOR_ELEMENT_DOUBLE, caffe2::TypeMeta::Make<double>());
}

inline std::int32_t element_type_of(const caffe2::TypeMeta meta) {
  std::int32_t type = 0;
  each_element_type([&](std::int32_t number, const caffe2::TypeMeta other) {
    if (other == meta) {
      type = number;
    }
  });
  if (type == 0) {
    throw Error(QTENSOR_UNSUPPORTED, "The element type is " + std::string(meta.name()) +
                                         ", which no ordinary tensor of this library has.");
  }
  return type;
}

inline caffe2::TypeMeta meta_of(std::int32_t element_type) {
  caffe2::TypeMeta meta;
  each_element_type([&](std::int32_t number, const caffe2::TypeMeta other) {
    if (number == element_type) {
      meta = other;
    }
  });
  return meta;
}

inline std::vector<std::int64_t> dims_of(const ::caffe2::Tensor& tensor) {
  return std::vector<std::int64_t>(tensor.sizes().begin(), tensor.sizes().end());
}

template <class Reader>
std::vector<std::int64_t> dims_of(const Reader& tensor) {
  return std::vector<std::int64_t>(tensor.dims().begin(), tensor.dims().end());
}

}  // namespace detail

inline Tensor borrow_from(const ::caffe2::QTensor<::caffe2::CPUContext>& source) {
  Tensor made = detail::shaped_as(source);
  if (source.data() != nullptr) {
    made.borrow(Span<const std::uint8_t>(source.data(), made.nbytes()));
  }
  return made;
}

inline Tensor take_from(::caffe2::QTensor<::caffe2::CPUContext>* source) {
  Tensor made = detail::shaped_as(*source);
  at::DataPtr& data = detail::Caffe2Members::data(*source);
  if (data) {
    std::uint8_t* const planes = static_cast<std::uint8_t*>(data.get());
    // All that needs memory comes before the planes leave the QTensor.
    const auto owner = std::make_shared<at::DataPtr>();
    made.borrow_mut_keeping(Span<std::uint8_t>(planes, made.nbytes()), owner);
    *owner = std::move(data);
  }
  data.clear();
  detail::Caffe2Members::capacity(*source) = 0;
  detail::Caffe2Members::dims(*source).clear();
  detail::Caffe2Members::size(*source) = 0;
  source->SetPrecision(CHAR_BIT);
  source->SetSigned(false);
  return made;
}

// QTENSOR_UNSUPPORTED where the tensor has channels or is logarithmic, which Caffe2's class cannot
// be; QTENSOR_OUT_OF_RANGE where a dimension or the number of elements is beyond its int. The data
// type, for which that class has no place either, is left behind.
inline void give_to(Tensor tensor, ::caffe2::QTensor<::caffe2::CPUContext>* out) {
  if (tensor.is_multiparam() || tensor.channel_axis() != -1 || tensor.is_logarithmic() ||
      !tensor.channel_scales().empty() || !tensor.channel_biases().empty()) {
    throw Error(QTENSOR_UNSUPPORTED,
                "The tensor has channels or is logarithmic, which Caffe2's QTensor is not.");
  }
  std::vector<int> dims;
  for (const std::int64_t dim : tensor.dims()) {
    if (dim > INT_MAX) {
      detail::throw_out_of_range("dimension", std::to_string(dim), std::to_string(INT_MAX));
    }
    dims.push_back(static_cast<int>(dim));
  }
  if (tensor.size() > static_cast<std::size_t>(INT_MAX)) {
    detail::throw_out_of_range("number of elements", std::to_string(tensor.size()),
                               std::to_string(INT_MAX));
  }
  // Those that are only borrowed for reading are copied here, and those that nobody has written to
  // become the zeros that they read as: Caffe2 would take memory as it finds it.
  const std::size_t size = tensor.size(), nbytes = tensor.nbytes();
  std::uint8_t* const planes = tensor.mutable_planes().data();
  out->SetPrecision(static_cast<unsigned char>(tensor.precision()));
  out->SetSigned(tensor.is_signed());
  out->SetScale(tensor.scale());
  out->SetBias(tensor.bias());
  detail::Caffe2Members::dims(*out).swap(dims);
  detail::Caffe2Members::size(*out) = size;
  detail::Caffe2Members::capacity(*out) = nbytes * CHAR_BIT;
  if (nbytes != 0) {
    const auto free = [](void* handle) { qtensor_free(static_cast<qtensor_t*>(handle)); };
    detail::Caffe2Members::data(*out) =
        at::DataPtr(planes, tensor.release(), free, at::Device(at::DeviceType::CPU));
  }
}

inline Dense borrow_from(const ::caffe2::Tensor& source) {
  detail::check_on_cpu(source);
  const std::uint8_t* const bytes =
      source.numel() == 0 ? nullptr : static_cast<const std::uint8_t*>(source.raw_data());
  // The storage alone: the tensor may be given another one.
  return Dense::borrow_keeping(detail::dims_of(source), detail::element_type_of(source.dtype()),
                               Span<const std::uint8_t>(bytes, source.nbytes()),
                               at::Storage(source.getIntrusivePtr()->storage()));
}

inline void give_to(Dense dense, ::caffe2::Tensor* out) {
  const caffe2::TypeMeta meta = detail::meta_of(dense.element_type());
  ::caffe2::Tensor made(::caffe2::CPU);
  made.Resize(detail::dims_of(dense));
  const std::size_t nbytes = dense.nbytes();
  if (nbytes == 0 || dense.is_borrowed()) {
    void* const memory = made.raw_mutable_data(meta);
    if (nbytes != 0) {
      std::memcpy(memory, dense.bytes().data(), nbytes);
    }
  } else {
    // Nobody else has the tensor, so its elements may be written to from now on.
    void* const memory = const_cast<std::uint8_t*>(dense.bytes().data());
    const auto free = [](void* handle) {
      qtensor_dense_free(static_cast<qtensor_dense_t*>(handle));
    };
    made.ShareExternalPointer(
        at::DataPtr(memory, dense.release(), free, at::Device(at::DeviceType::CPU)), meta, nbytes);
  }
  *out = std::move(made);
}

// An Int8TensorCPU of bytes, or one of int32_t, as biases are: unsigned codes of 8 bits, or signed
// ones of 32, with the data type that says which.
inline Tensor copy_from(const ::caffe2::int8::Int8TensorCPU& source) {
  detail::check_on_cpu(source.t);
  const std::vector<std::int64_t> dims = detail::dims_of(source.t);
  const std::size_t count = static_cast<std::size_t>(source.t.numel());
  const double scale = static_cast<double>(source.scale);
  const std::int32_t type = detail::element_type_of(source.t.dtype());
  if (type == QTENSOR_ELEMENT_UINT8) {
    const std::uint8_t* const q = count == 0 ? nullptr : source.t.data<std::uint8_t>();
    return Tensor::from_int8(dims, Span<const std::uint8_t>(q, count), scale, source.zero_point);
  }
  if (type != QTENSOR_ELEMENT_INT32) {
    throw Error(QTENSOR_UNSUPPORTED, "The element type of the Int8TensorCPU is " +
                                         detail::element_type_name(type) +
                                         ", but it must be uint8_t or int32_t.");
  }
  Tensor made(dims.empty() ? std::vector<std::int64_t>(1, 1) : dims, 32, true);
  made.set_scale(scale);
  made.set_zero_point(source.zero_point);
  made.set_data_type(QTENSOR_ELEMENT_INT32);
  const std::int32_t* const q = count == 0 ? nullptr : source.t.data<std::int32_t>();
  made.write_codes(Span<const std::int32_t>(q, count));
  return made;
}

// As Tensor::to_int8() says, or int32_t where the data type says that and the codes have 32 bits and
// a sign. The scale is rounded to a float.
inline void copy_to(TensorRef source, ::caffe2::int8::Int8TensorCPU* out) {
  ::caffe2::int8::Int8TensorCPU made;
  made.scale = static_cast<float>(source.scale());
  made.t.Resize(detail::dims_of(source));
  if (source.ndim() == 0) {
    made.t.Resize(0);
  }
  if (source.data_type() == QTENSOR_ELEMENT_INT32 && source.precision() == 32 &&
      source.is_signed() && !source.is_multiparam() && !source.is_logarithmic()) {
    made.zero_point = zero_point_of_bias(source.bias());
    std::int32_t* q = made.t.mutable_data<std::int32_t>();
    for (const std::int64_t code : source.codes<std::int64_t>()) {
      if (code < INT32_MIN || code > INT32_MAX) {
        throw Error(QTENSOR_OUT_OF_RANGE, "The code " + std::to_string(code) +
                                              " is outside the range of a 32-bit integer.");
      }
      *q++ = static_cast<std::int32_t>(code);
    }
  } else {
    const Tensor bytes = source.to_int8();
    made.zero_point = zero_point_of_bias(bytes.bias());
    bytes.read_codes(Span<std::uint8_t>(made.t.mutable_data<std::uint8_t>(), bytes.size()));
  }
  *out = std::move(made);
}

inline Span<const float> floats_of(const ::caffe2::Tensor& tensor) {
  detail::check_on_cpu(tensor);
  detail::check_element_type<float>(detail::element_type_of(tensor.dtype()));
  const std::size_t count = static_cast<std::size_t>(tensor.numel());
  return Span<const float>(count == 0 ? nullptr : tensor.data<float>(), count);
}

inline void dequantize_to(TensorRef source, ::caffe2::Tensor* out, std::uint32_t threads = 1) {
  ::caffe2::Tensor made(::caffe2::CPU);
  made.Resize(detail::dims_of(source));
  if (source.ndim() == 0) {
    made.Resize(0);
  }
  source.dequantize(Span<float>(made.mutable_data<float>(), source.size()), threads);
  *out = std::move(made);
}

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_CAFFE2_CONVERT_H
