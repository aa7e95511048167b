// dropin_refusals.cc: what the library refuses throws Caffe2's exception through the drop-in
// headers, and leaves the object as it was.
#define CAFFE2_QTENSOR_STANDALONE
#include "dropin_tensor.hpp"

#include <climits>
#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

using caffe2::CPUContext;
using caffe2::DeserializeQTensor;
using caffe2::EnforceNotMet;
using caffe2::SerializeQTensor;

// Calls what must throw EnforceNotMet and nothing that is merely like it.
template <class Function>
static void call_of_caffe2(Function function) {
  try {
    function();
  } catch (const EnforceNotMet &error) {
    CHECK(error.msg() == error.what());
    CHECK(std::string(error.what_without_backtrace()) == error.what());
    throw;
  } catch (const caffe2_qtensor::Error &error) {
    throw std::runtime_error(std::string("not Caffe2's: ") + error.what());
  }
}

// THROWS, and the tensor is as it was.
#define REFUSED(tensor, status, text, ...) \
  do { \
    const std::string before_call = state_of(tensor); \
    THROWS((status), (text), call_of_caffe2([&] { static_cast<void>(__VA_ARGS__); })); \
    CHECK(state_of(tensor) == before_call); \
  } while (false)

static CPUTensor written_tensor() {
  CPUTensor tensor({2, 3, 5}, 4, true);
  tensor.SetScale(0.25);
  tensor.SetBias(-1.5);
  for (unsigned char i = 0; i < 30; i++) {
    tensor.SetBitAtIndex(i % 5, i, true);
  }
  return tensor;
}

static void bits_and_indexes() {
  CPUTensor written = written_tensor(), blank({2, 3, 5}, 4, true), fresh, none({0, 4}, 3);
  CPUTensor no_planes({9}, 0);
  for (CPUTensor *tensor : {&written, &blank}) {
    const CPUTensor &reader = *tensor;
    for (unsigned char bit : {5, 6, 255}) {
      REFUSED(*tensor, QTENSOR_OUT_OF_RANGE, std::to_string(bit).c_str(),
              tensor->SetBitAtIndex(bit, 0, true));
      REFUSED(*tensor, QTENSOR_OUT_OF_RANGE, std::to_string(bit).c_str(),
              reader.GetBitAtIndex(bit, 0));
    }
    for (size_t index : {size_t{30}, size_t{31}, size_t{1} << 32, SIZE_MAX - 7, SIZE_MAX}) {
      REFUSED(*tensor, QTENSOR_OUT_OF_RANGE, std::to_string(index).c_str(),
              tensor->SetBitAtIndex(0, index, true));
      REFUSED(*tensor, QTENSOR_OUT_OF_RANGE, std::to_string(index).c_str(),
              reader.GetBitAtIndex(4, index));
    }
  }
  // Caffe2 allocates before it throws.
  CHECK(blank.data() == nullptr);
  for (CPUTensor *tensor : {&fresh, &none}) {
    REFUSED(*tensor, QTENSOR_OUT_OF_RANGE, "0", tensor->SetBitAtIndex(0, 0, true));
    REFUSED(*tensor, QTENSOR_OUT_OF_RANGE, "0", tensor->GetBitAtIndex(0, 0));
  }
  REFUSED(no_planes, QTENSOR_OUT_OF_RANGE, "0", no_planes.SetBitAtIndex(0, 0, true));
  REFUSED(no_planes, QTENSOR_OUT_OF_RANGE, "0", no_planes.GetBitAtIndex(0, 0));
}

static void questions_about_dimensions() {
  const CPUTensor tensor = written_tensor(), fresh, none({0, INT_MAX, INT_MAX, INT_MAX}, 3);
  for (int i : {INT_MIN, -4, 3, INT_MAX}) {
    const std::string said = std::to_string(i);
    REFUSED(tensor, QTENSOR_OUT_OF_RANGE, said.c_str(), tensor.canonical_axis_index(i));
    REFUSED(tensor, QTENSOR_OUT_OF_RANGE, said.c_str(), tensor.dim32(i));
    REFUSED(tensor, QTENSOR_OUT_OF_RANGE, said.c_str(), tensor.size_to_dim(i));
  }
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "-1", tensor.dim32(-1));
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "-1", tensor.size_to_dim(-1));
  REFUSED(tensor, QTENSOR_OUT_OF_RANGE, "-1", tensor.size_from_dim(-1));
  REFUSED(fresh, QTENSOR_OUT_OF_RANGE, "0", fresh.canonical_axis_index(0));
  REFUSED(fresh, QTENSOR_OUT_OF_RANGE, "-1", fresh.canonical_axis_index(-1));
  REFUSED(fresh, QTENSOR_OUT_OF_RANGE, "0", fresh.dim32(0));
  REFUSED(fresh, QTENSOR_OUT_OF_RANGE, "0", fresh.size_to_dim(0));
  CHECK(fresh.size_from_dim(0) == 1 && tensor.size_from_dim(INT_MAX) == 1);
  CHECK(none.size_from_dim(0) == 0 && none.dim32(1) == INT_MAX);
  REFUSED(none, QTENSOR_OVERFLOW, "product", none.size_from_dim(1));
}

static void shapes() {
  const std::vector<int> many(64, 1), too_many(65, 1);
  CPUTensor written = written_tensor(), fresh, large({INT_MAX, INT_MAX}, 8);
  for (CPUTensor *tensor : {&written, &fresh, &large}) {
    REFUSED(*tensor, QTENSOR_INVALID_ARGUMENT, "-1", tensor->Resize({-1}));
    REFUSED(*tensor, QTENSOR_INVALID_ARGUMENT, "-3", tensor->Resize({2, -3, 0}));
    REFUSED(*tensor, QTENSOR_INVALID_ARGUMENT, "-2147483648", tensor->Resize(INT_MIN));
    REFUSED(*tensor, QTENSOR_INVALID_ARGUMENT, "-2", tensor->Resize({-2, -2}));
    REFUSED(*tensor, QTENSOR_OVERFLOW, "", tensor->Resize({INT_MAX, INT_MAX, INT_MAX}));
    REFUSED(*tensor, QTENSOR_OVERFLOW, "", tensor->Resize({65536, 65536, 65536, 65536}));
    REFUSED(*tensor, QTENSOR_OVERFLOW, "2147483648", tensor->Resize({1, 2147483648u}));
    REFUSED(*tensor, QTENSOR_OUT_OF_RANGE, "64", tensor->Resize(too_many));
  }
  written.Resize(many);
  CHECK(written.ndim() == 64 && written.size() == 1 && written.dims() == many);
  THROWS(QTENSOR_INVALID_ARGUMENT, "-1", CPUTensor({3, -1}, 4));
  THROWS(QTENSOR_OVERFLOW, "", CPUTensor({INT_MAX, INT_MAX}, 255, true));
  THROWS(QTENSOR_OVERFLOW, "4294967296", CPUTensor({INT64_C(1) << 32}, 1));
  THROWS(QTENSOR_OUT_OF_RANGE, "64", CPUTensor(too_many, 4));
}

// More bytes than an int64_t counts.
static void precisions() {
  CPUTensor tensor({INT_MAX, INT_MAX}, 16);
  REFUSED(tensor, QTENSOR_OVERFLOW, "", tensor.SetPrecision(17));
  REFUSED(tensor, QTENSOR_OVERFLOW, "", tensor.SetPrecision(255));
  REFUSED(tensor, QTENSOR_OVERFLOW, "", tensor.SetSigned());
  tensor.SetPrecision(15);
  tensor.SetSigned();
  CHECK(tensor.precision() == 15 && tensor.is_signed());
}

// A shape that is legal, and for which no machine has the memory.
static void memory_runs_out() {
  CPUTensor tensor({INT_MAX, INT_MAX}, 8, true);
  tensor.SetScale(3);
  CHECK(!tensor.GetBitAtIndex(8, tensor.size() - 1) && tensor.data() == nullptr);
  REFUSED(tensor, QTENSOR_OUT_OF_MEMORY, "bytes", tensor.SetBitAtIndex(0, 0, true));
  const size_t last = tensor.size() - 1;
  REFUSED(tensor, QTENSOR_OUT_OF_MEMORY, "bytes", tensor.SetBitAtIndex(8, last, false));
  REFUSED(tensor, QTENSOR_OUT_OF_MEMORY, "bytes", tensor.mutable_data());
  REFUSED(tensor, QTENSOR_OVERFLOW, "", SerializeQTensor(tensor, "w"));
  const CPUTensor copy = tensor;
  CHECK(state_of(copy) == state_of(tensor));
  tensor.Resize(8);
  tensor.SetBitAtIndex(0, 0, true);
  CHECK(tensor.data()[0] == 0x80 && tensor.scale() == 3);
}

static void strings() {
  CPUTensor tensor = written_tensor(), fresh;
  const std::string blob = SerializeQTensor(tensor, "w");
  for (CPUTensor *target : {&tensor, &fresh}) {
    int accepted = 0;
    for (size_t length = 0; length < blob.size(); length++) {
      const std::string part = blob.substr(0, length);
      REFUSED(*target, QTENSOR_MALFORMED, "", DeserializeQTensor(part, target));
    }
    // Each bit of the message in turn: taken or refused, and then the tensor is as it was.
    for (size_t bit = 0; bit < 8 * blob.size(); bit++) {
      std::string damaged = blob;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      CPUTensor into = *target;
      try {
        DeserializeQTensor(damaged, &into);
        accepted++;
      } catch (const EnforceNotMet &error) {
        CHECK(is_sentence(error.what()) && state_of(into) == state_of(*target));
      }
    }
    CHECK(accepted > 0 && accepted < static_cast<int>(8 * blob.size()));
    REFUSED(*target, QTENSOR_MALFORMED, "", DeserializeQTensor(std::string(), target));
    REFUSED(*target, QTENSOR_MALFORMED, "", DeserializeQTensor(blob + blob + "x", target));
    std::string other_type = blob;
    other_type[other_type.find("QTensor")] = 'X';
    REFUSED(*target, QTENSOR_UNSUPPORTED, "XTensor", DeserializeQTensor(other_type, target));
    caffe2::QTensorDeserializer<CPUContext> deserializer;
    REFUSED(*target, QTENSOR_MALFORMED, "", deserializer.Deserialize("?", target));
  }

  THROWS(QTENSOR_NULL_ARGUMENT, "NULL", DeserializeQTensor<CPUContext>(blob, nullptr));
  const std::string names[] = {std::string(1, '\0'), std::string("a\0b", 3),
                               std::string("ab\0", 3)};
  for (const std::string &name : names) {
    REFUSED(tensor, QTENSOR_INVALID_ARGUMENT, "NUL", SerializeQTensor(tensor, name));
    bool called = false;
    caffe2::QTensorSerializer<CPUContext> serializer;
    REFUSED(tensor, QTENSOR_INVALID_ARGUMENT, "NUL",
            serializer.Serialize(tensor, name, [&](const std::string &, const std::string &) {
              called = true;
            }));
    CHECK(!called);
  }

  // What the caller's own acceptor throws comes through.
  caffe2::QTensorSerializer<CPUContext> serializer;
  bool came = false;
  try {
    serializer.Serialize(tensor, "w", [](const std::string &, const std::string &) { throw 7; });
  } catch (int thrown) {
    came = thrown == 7;
  }
  CHECK(came && state_of(tensor) == state_of(written_tensor()));

  // A dimension beyond int, which the library reads and an int cannot hold. A zero beside it
  // spares the data.
  const int64_t wide[2] = {int64_t{INT_MAX} + 1, 0};
  qtensor_t *const handle = make_tensor(wide, 2, 3, true);
  const byte_string bytes = blob_of(handle, "wide");
  const std::string wide_blob(reinterpret_cast<const char *>(bytes.bytes), bytes.length);
  free(bytes.bytes);
  REFUSED(tensor, QTENSOR_OVERFLOW, "2147483648", DeserializeQTensor(wide_blob, &tensor));
  REFUSED(tensor, QTENSOR_OVERFLOW, "2147483648", tensor.Adopt(handle));
  REFUSED(fresh, QTENSOR_OVERFLOW, "2147483648", fresh.Adopt(handle));
  // Refused, it stays the caller's.
  CHECK(qtensor_ndim(handle) == 2 && qtensor_precision(handle) == 3);
  qtensor_free(handle);
  REFUSED(tensor, QTENSOR_NULL_ARGUMENT, "NULL", tensor.Adopt(nullptr));
  REFUSED(fresh, QTENSOR_NULL_ARGUMENT, "NULL", fresh.Adopt(nullptr));
}

// Code written for Caffe2 would take the codes for linear ones.
static void logarithmic_tensors() {
  const int64_t dims[2] = {2, 3};
  qtensor_t *const handle = make_tensor(dims, 2, 3, true);
  WORKS(qtensor_set_logarithmic, handle, true);
  const byte_string bytes = blob_of(handle, "log");
  const std::string blob(reinterpret_cast<const char *>(bytes.bytes), bytes.length);
  free(bytes.bytes);
  CHECK(blob.find("QTensorLog") != std::string::npos);
  CPUTensor tensor = written_tensor(), fresh;
  caffe2::QTensorDeserializer<CPUContext> deserializer;
  for (CPUTensor *target : {&tensor, &fresh}) {
    REFUSED(*target, QTENSOR_UNSUPPORTED, "logarithmic", DeserializeQTensor(blob, target));
    REFUSED(*target, QTENSOR_UNSUPPORTED, "logarithmic", deserializer.Deserialize(blob, target));
    REFUSED(*target, QTENSOR_UNSUPPORTED, "logarithmic", target->Adopt(handle));
  }
  // Refused, it stays the caller's, who can make it linear.
  CHECK(qtensor_is_logarithmic(handle) && qtensor_ndim(handle) == 2);
  WORKS(qtensor_set_logarithmic, handle, false);
  fresh.Adopt(handle);
  CHECK(fresh.precision() == 3 && fresh.handle() == handle);
}

// Client code catches whichever of these it knows.
static void what_is_thrown() {
  static_assert(std::is_base_of<std::exception, EnforceNotMet>::value, "by its base");
  static_assert(std::is_base_of<caffe2_qtensor::Error, EnforceNotMet>::value, "with a status");
  static_assert(std::is_same<c10::Error, EnforceNotMet>::value, "by its later name");
  static_assert(std::is_nothrow_copy_constructible<EnforceNotMet>::value, "as exceptions are");
  const int dims[] = {2, 3};
  const at::ArrayRef<int> list(dims);
  THROWS(QTENSOR_OUT_OF_RANGE, "2", call_of_caffe2([&] { list.at(2); }));
  THROWS(QTENSOR_OUT_OF_RANGE, "", call_of_caffe2([&] { list.slice(1, 2); }));
  THROWS(QTENSOR_OUT_OF_RANGE, "", call_of_caffe2([&] { list.slice(3); }));
  THROWS(QTENSOR_OUT_OF_RANGE, "", call_of_caffe2([&] { list.slice(1, SIZE_MAX); }));
  THROWS(QTENSOR_OUT_OF_RANGE, "", call_of_caffe2([&] { at::ArrayRef<int>().front(); }));
  THROWS(QTENSOR_OUT_OF_RANGE, "", call_of_caffe2([&] { at::ArrayRef<int>().back(); }));
}

int main(int argc, char **argv) {
  begin(argc, argv);
  bits_and_indexes();
  questions_about_dimensions();
  shapes();
  precisions();
  memory_runs_out();
  strings();
  logarithmic_tensors();
  what_is_thrown();
  return done();
}
