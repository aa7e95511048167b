// caffe2/core/qtensor_serialization.h: stands in for Caffe2's header of that name, as
// caffe2/core/qtensor.h beside it does.
//
// Bytes are Caffe2's own. What a message says is checked by the library, which refuses damage,
// values that would lose something, and data that do not fit the dimensions; the tensor that was
// to be read into is then as it was.
#ifndef CAFFE2_CORE_QTENSOR_SERIALIZATION_H_
#define CAFFE2_CORE_QTENSOR_SERIALIZATION_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "../../../wire.hpp"
#include "qtensor.h"

#ifndef CAFFE2_QTENSOR_STANDALONE
#include "caffe2/core/blob_serialization.h"

#include "../../../dropin/protobuf.hpp"
#endif

namespace caffe2 {
CAFFE2_QTENSOR_DROPIN_BEGIN

constexpr auto kQTensorBlobQType = "QTensor";

namespace qtensor_detail {

// Replaces what the tensor holds by what `read` finds.
template <class Context, class Function>
void Read(QTensor<Context>* tensor, Function read) {
  if (tensor == nullptr) {
    Refuse(::caffe2_qtensor::Error(QTENSOR_NULL_ARGUMENT, "The tensor to read into is NULL."));
  }
  std::unique_ptr<qtensor_t, Free> found(read());
  tensor->Adopt(found.get());
  found.release();
}

}  // namespace qtensor_detail

// Beyond Caffe2: the bytes of a BlobProto of type "QTensor", without Blob and protobuf.
template <class Context>
std::string SerializeQTensor(const QTensor<Context>& tensor, const std::string& name) {
  try {
    return ::caffe2_qtensor::detail::serialized(&qtensor_serialized_size, &qtensor_serialize,
                                                tensor.handle(), name);
  } catch (const ::caffe2_qtensor::Error& error) {
    qtensor_detail::Refuse(error);
  }
}

// Beyond Caffe2: reads the bytes of a BlobProto of type "QTensor" or "Int8TensorCPU". One of type
// "QTensorLog", the library's own for logarithmic tensors, is refused.
template <class Context>
void DeserializeQTensor(const std::string& blob, QTensor<Context>* tensor) {
  qtensor_detail::Read(tensor, [&blob] {
    const auto bytes = ::caffe2_qtensor::detail::bytes_of(blob);
    qtensor_t* found = nullptr;
    qtensor_detail::Call(&qtensor_deserialize, bytes.data(), bytes.size(), &found);
    return found;
  });
}

#ifdef CAFFE2_QTENSOR_STANDALONE

// With no Blob to be had, tensors take its place.
template <class Context>
class QTensorSerializer {
 public:
  using SerializationAcceptor =
      std::function<void(const std::string& blobName, const std::string& data)>;

  void Serialize(const QTensor<Context>& tensor, const string& name,
                 SerializationAcceptor acceptor) {
    acceptor(name, SerializeQTensor(tensor, name));
  }
};

template <class Context>
class QTensorDeserializer {
 public:
  void Deserialize(const std::string& blob, QTensor<Context>* tensor) {
    DeserializeQTensor(blob, tensor);
  }
};

#else  // Caffe2 is around.

namespace qtensor_detail {

// Overrides BlobSerializerBase::Serialize as it was declared at the time: for a Blob until 2018,
// for a pointer and its type from then on.
template <class Context, class Signature>
class SerializerOf;

template <class Context, class Base>
class SerializerOf<Context, void (Base::*)(const Blob&, const string&,
                                           typename Base::SerializationAcceptor)> : public Base {
 public:
  void Serialize(const Blob& blob, const string& name,
                 typename Base::SerializationAcceptor acceptor) override {
    acceptor(name, SerializeQTensor(blob.template Get<QTensor<Context>>(), name));
  }
};

template <class Context, class Base, class Meta>
class SerializerOf<Context, void (Base::*)(const void*, Meta, const string&,
                                           typename Base::SerializationAcceptor)> : public Base {
 public:
  void Serialize(const void* pointer, Meta meta, const string& name,
                 typename Base::SerializationAcceptor acceptor) override {
    CAFFE_ENFORCE(meta.template Match<QTensor<Context>>(), "This is no QTensor.");
    acceptor(name, SerializeQTensor(*static_cast<const QTensor<Context>*>(pointer), name));
  }
};

}  // namespace qtensor_detail

template <class Context>
class QTensorSerializer
    : public qtensor_detail::SerializerOf<Context, decltype(&BlobSerializerBase::Serialize)> {};

template <class Context>
class QTensorDeserializer : public BlobDeserializerBase {
 public:
  void Deserialize(const BlobProto& proto, Blob* blob) override {
    // Caffe2 finds no deserializer for that type, but client code may call this one itself.
    if (proto.type() == "QTensorLog") {
      qtensor_detail::RefuseLogarithmic();
    }
    // A blob without a qtensor has an empty one, whose missing fields are refused. What the blob
    // held stays until a tensor was read.
    std::unique_ptr<QTensor<Context>> tensor(new QTensor<Context>);
    Deserialize(proto.qtensor(), tensor.get());
    *blob->template GetMutable<QTensor<Context>>() = std::move(*tensor);
  }
  void Deserialize(const QTensorProto& proto, QTensor<Context>* tensor) {
    qtensor_detail::Read(tensor, [&proto] { return qtensor_detail::FromMessage(proto); });
  }
};

#endif  // CAFFE2_QTENSOR_STANDALONE

CAFFE2_QTENSOR_DROPIN_END
}  // namespace caffe2

#endif  // CAFFE2_CORE_QTENSOR_SERIALIZATION_H_
