// caffe2_register.h: the drop-in class inside a prebuilt Caffe2.
//
// Include it before any other header of Caffe2's that may bring the original QTensor. From then on
// caffe2::QTensor<caffe2::CPUContext> is this library's class, and Blob, SerializeBlob,
// DeserializeBlob, Workspace and the Save and Load operators of that Caffe2 take it: nothing else
// has to be called. Any number of source files of a program may include it.
//
// Blobs of the original class, which other code in the process may have made, are still written by
// the original's serializer; those that are read become ours. Code that was compiled with Caffe2's
// own header finds another type in them: the two are told apart by an inline namespace, to the
// linker and to Caffe2's registry of types.
//
// Tried with the Caffe2 of torch 1.8.1.
#ifndef CAFFE2_QTENSOR_CAFFE2_REGISTER_H
#define CAFFE2_QTENSOR_CAFFE2_REGISTER_H

#ifdef CAFFE2_QTENSOR_STANDALONE
#error "caffe2_register.h is for a program with Caffe2, and CAFFE2_QTENSOR_STANDALONE says there is none."
#endif
#ifdef CAFFE2_QTENSOR_CAFFE2_FROM_SOURCE
#error "A Caffe2 that was built with the drop-in headers has registered the class itself."
#endif

#include "compat/caffe2/core/qtensor_serialization.h"

#ifndef CAFFE2_QTENSOR_DROPIN_QTENSOR
#error "Include caffe2_register.h before Caffe2's own qtensor.h and qtensor_serialization.h."
#endif

#include <memory>

#include "c10/util/Registry.h"
#include "c10/util/typeid.h"
#include "caffe2/core/blob_serializer_base.h"

namespace caffe2 {

// CAFFE_KNOWN_TYPE defines a function; in a header that has to be an inline one.
#pragma push_macro("EXPORT_IF_NOT_GCC")
#undef EXPORT_IF_NOT_GCC
#define EXPORT_IF_NOT_GCC inline
CAFFE_KNOWN_TYPE(QTensor<CPUContext>)
#pragma pop_macro("EXPORT_IF_NOT_GCC")

CAFFE2_QTENSOR_DROPIN_BEGIN
namespace qtensor_detail {

// Tells Caffe2 of the class, once for the program.
inline bool Register() {
  const auto type = TypeMeta::Id<QTensor<CPUContext>>();
  // Another shared library of the process may have done it, for the same class. A second time ends
  // the process.
  if (BlobSerializerRegistry()->Has(type)) {
    return true;
  }
  BlobSerializerRegistry()->Register(type, [] {
    return std::unique_ptr<BlobSerializerBase>(new QTensorSerializer<CPUContext>);
  });
  // Caffe2 has one for "QTensor" already: the original's. This one is preferred.
  BlobDeserializerRegistry()->Register(
      kQTensorBlobQType,
      [] { return std::unique_ptr<BlobDeserializerBase>(new QTensorDeserializer<CPUContext>); },
      "caffe2_qtensor", c10::REGISTRY_PREFERRED);
  return true;
}

template <class Nothing>
struct Registration {
  static const bool done;
};
template <class Nothing>
const bool Registration<Nothing>::done = Register();

// Before main(), or when the shared library that includes this is loaded.
template struct Registration<void>;

}  // namespace qtensor_detail
CAFFE2_QTENSOR_DROPIN_END
}  // namespace caffe2

#endif  // CAFFE2_QTENSOR_CAFFE2_REGISTER_H
