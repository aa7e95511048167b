// qtensor_serialization.h: must never be read.
//
// The drop-in header of that name is found before it; later its include guard, which is this one,
// stops it.
#ifndef CAFFE2_CORE_QTENSOR_SERIALIZATION_H_
#define CAFFE2_CORE_QTENSOR_SERIALIZATION_H_
#error "Caffe2's own qtensor_serialization.h was read."
#endif
