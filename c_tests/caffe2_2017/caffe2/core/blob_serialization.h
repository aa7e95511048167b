// blob_serialization.h: serialization. In 2017 it was blobs that had the calls.
#ifndef CAFFE2_2017_BLOB_SERIALIZATION_H
#define CAFFE2_2017_BLOB_SERIALIZATION_H

#include "caffe2/core/blob.h"
#include "caffe2/core/blob_serializer_base.h"
#include "caffe2/core/tensor.h"

// Caffe2's own sources include its headers by quotes, and so past any other folder. This must
// find the include guard set.
#ifdef CAFFE2_CORE_QTENSOR_SERIALIZATION_H_
#include "qtensor.h"
#include "qtensor_serialization.h"
#endif

#endif
