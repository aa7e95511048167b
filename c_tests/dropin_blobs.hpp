// dropin_blobs.hpp: the golden files through the blobs of the Caffe2 around.
//
// Before it, a program defines how that Caffe2 does it:
//   std::string blob_bytes(const caffe2::Blob &, const std::string &name)
//   void read_blob(const std::string &bytes, caffe2::Blob *)
#ifndef DROPIN_BLOBS_HPP
#define DROPIN_BLOBS_HPP

#include "dropin_tensor.hpp"

#include <string>
#include <vector>

inline void tensors_in_blobs() {
  open_golden("qtensor.txt");
  while (next_line()) {
    const int before = failures;
    const GoldenTensor golden;
    caffe2::Blob blob, read;
    CPUTensor *const tensor = blob.GetMutable<CPUTensor>();
    golden.describe(tensor);
    golden.fill(tensor);
    golden.compare(*tensor);
    CHECK(blob_bytes(blob, golden.name) == golden.blob);
    read_blob(golden.blob, &read);
    golden.compare(read.Get<CPUTensor>());
    CHECK(blob_bytes(read, golden.name) == golden.blob);
    // Over what the blob held before.
    read_blob(golden.blob, &blob);
    CHECK(blob.GetMutable<CPUTensor>() == tensor);
    golden.compare(*tensor);
    report_line("qtensor.txt", before);
  }
  close_golden();
}

// Caffe2 refuses some messages, and the library the others: either way the blob holds what it did.
inline void messages_in_blobs() {
  int accepted_count = 0, refused = 0;
  open_golden("wire.txt");
  while (next_line()) {
    const int before = failures;
    word();
    const bool accepted = integer() != 0;
    const size_t nbytes = size_word();
    const std::string bytes = hex_string();
    hex_string();
    caffe2::Blob blob;
    CPUTensor *const old = blob.GetMutable<CPUTensor>();
    old->Resize(std::vector<int>{3, 5});
    old->SetScale(0.5);
    old->SetBitAtIndex(2, 7, true);
    const std::string old_state = state_of(*old);
    bool threw = false;
    try {
      read_blob(bytes, &blob);
    } catch (const caffe2::EnforceNotMet &error) {
      threw = true;
      refused++;
      CHECK(std::string(error.what()).size() > 10);
      CHECK(&blob.Get<CPUTensor>() == old && state_of(*old) == old_state);
    }
    if (accepted && !threw) {
      accepted_count++;
      // All that the library keeps went through Caffe2's message.
      CPUTensor direct;
      caffe2::DeserializeQTensor(bytes, &direct);
      CHECK(blob.Get<CPUTensor>().nbytes() == nbytes);
      CHECK(blob_bytes(blob, "test") == caffe2::SerializeQTensor(direct, "test"));
    }
    CHECK(threw == !accepted);
    report_line("wire.txt", before);
  }
  CHECK(accepted_count > 0 && refused > 0);
  close_golden();
}

// What is refused throws Caffe2's own exception, with the library's sentence in it.
template <class Function>
void throws_theirs(const char *text, Function function) {
  bool threw = false;
  try {
    function();
  } catch (const caffe2::EnforceNotMet &error) {
    threw = true;
    CHECK(strstr(error.what(), text) != nullptr);
    if (strstr(error.what(), text) == nullptr) {
      fprintf(stderr, "  no '%s' in: %s\n", text, error.what());
    }
  }
  CHECK(threw);
}

inline void refusals_in_caffe2() {
  CPUTensor tensor({2, 3}, 3, true);
  const CPUTensor &constant = tensor;
  tensor.SetBitAtIndex(1, 4, true);
  const std::string state = state_of(tensor);
  throws_theirs("4", [&] { tensor.SetBitAtIndex(4, 0, true); });
  throws_theirs("6", [&] { tensor.SetBitAtIndex(0, 6, true); });
  throws_theirs("6", [&] { constant.GetBitAtIndex(0, 6); });
  throws_theirs("-1", [&] { tensor.Resize({2, -1}); });
  throws_theirs("4294967296", [&] { tensor.Resize({int64_t{1} << 32}); });
  throws_theirs("2", [&] { constant.canonical_axis_index(2); });
  throws_theirs("2", [&] { constant.size_to_dim(2); });
  throws_theirs("-1", [&] { constant.size_from_dim(-1); });
  throws_theirs("2", [&] { constant.dim32(2); });
  throws_theirs("-1", [&] { CPUTensor({-1}, 3); });
  throws_theirs("NUL", [&] { caffe2::SerializeQTensor(tensor, std::string("a\0b", 3)); });
  throws_theirs("NULL", [&] { caffe2::DeserializeQTensor<caffe2::CPUContext>("", nullptr); });
  throws_theirs("NULL", [&] { tensor.Adopt(nullptr); });
  CHECK(state_of(tensor) == state);

  caffe2::Blob blob;
  *blob.GetMutable<CPUTensor>() = tensor;
  throws_theirs("NUL", [&] { blob_bytes(blob, std::string("a\0b", 3)); });
  // A blob of the right type with nothing in it, and one that holds no tensor.
  throws_theirs("required", [&] { read_blob("\x12\x07QTensor", &blob); });
  CHECK(state_of(blob.Get<CPUTensor>()) == state);
  // The library's own type: Caffe2 has no deserializer for it, and that of QTensor refuses it too.
  std::string log = blob_bytes(blob, "w");
  log.replace(log.find("\x07QTensor"), 8, "\x0aQTensorLog");
  throws_theirs("QTensorLog", [&] { read_blob(log, &blob); });
  caffe2::BlobProto proto;
  CHECK(proto.ParseFromString(log) && proto.type() == "QTensorLog");
  caffe2::QTensorDeserializer<caffe2::CPUContext> deserializer;
  throws_theirs("logarithmic", [&] { deserializer.Deserialize(proto, &blob); });
  throws_theirs("logarithmic", [&] { caffe2::DeserializeQTensor(log, &tensor); });
  CHECK(state_of(blob.Get<CPUTensor>()) == state && state_of(tensor) == state);
  caffe2::Blob empty;
  throws_theirs("required", [&] { read_blob("\x12\x07QTensor", &empty); });
  CHECK(!empty.IsType<CPUTensor>());
  throws_theirs("", [&] { empty.Get<CPUTensor>(); });
}

inline void run_blobs() {
  tensors_in_blobs();
  messages_in_blobs();
  refusals_in_caffe2();
}

#endif
