// caffe2_qtensor.hpp: Caffe2's quantized tensor for C++11: the C interface in caffe2_qtensor.h,
// wrapped, header only.
//
//   caffe2_qtensor::Tensor tensor({2, 3}, 4, true);
//   tensor.write_codes({1, -2, 3, -15, 0, 15});
//   const std::string blob = tensor.serialize("fc1_w");
//   const std::vector<int32_t> codes =
//       caffe2_qtensor::Tensor::deserialize(blob).codes<int32_t>();
//
// Conventions
//
// What the library refuses throws an Error, which carries the status and says in a whole sentence
// what was wrong; the object is then as it was. Where this layer itself runs out of memory it
// throws std::bad_alloc. Destructors, moves and what is noexcept never throw.
//
// Objects that own something are moved, not copied: Tensor (clone() copies it), Dense, Blobs,
// MinidbReader, MinidbWriter, PackedWeights, Observer. Those that only refer to something are copied
// freely and are valid as long as that: TensorRef, DenseRef, Blob, View and Span. A moved-from owner
// may be destroyed or assigned to.
//
// Names and paths with a NUL inside, where the C interface would end them, are refused. Those
// that come out of files may hold any bytes.
#ifndef CAFFE2_QTENSOR_HPP
#define CAFFE2_QTENSOR_HPP

#include "caffe2_qtensor.h"
#include "caffe2_qtensor/blobs.hpp"
#include "caffe2_qtensor/choose.hpp"
#include "caffe2_qtensor/conv1d.hpp"
#include "caffe2_qtensor/dense.hpp"
#include "caffe2_qtensor/dims.hpp"
#include "caffe2_qtensor/error.hpp"
#include "caffe2_qtensor/fixed.hpp"
#include "caffe2_qtensor/halves.hpp"
#include "caffe2_qtensor/measure.hpp"
#include "caffe2_qtensor/minidb_reader.hpp"
#include "caffe2_qtensor/minidb_writer.hpp"
#include "caffe2_qtensor/observer.hpp"
#include "caffe2_qtensor/parsed.hpp"
#include "caffe2_qtensor/product.hpp"
#include "caffe2_qtensor/quantize.hpp"
#include "caffe2_qtensor/span.hpp"
#include "caffe2_qtensor/tensor.hpp"
#include "caffe2_qtensor/tensor_ref.hpp"
#include "caffe2_qtensor/version.hpp"
#include "caffe2_qtensor/view.hpp"
#include "caffe2_qtensor/wire.hpp"
#include "caffe2_qtensor/zero_point.hpp"

#endif  // CAFFE2_QTENSOR_HPP
