// registered_blobs.cc: this library's class inside a prebuilt Caffe2, through caffe2_register.h
// alone: Blob, SerializeBlob, DeserializeBlob, Workspace, Save and Load.
#include <caffe2_qtensor/caffe2_register.h>

#include <caffe2_qtensor.hpp>

#include "caffe2/core/operator.h"
#include "caffe2/core/workspace.h"
#include "caffe2/utils/proto_utils.h"

// Of Caffe2's logging; the tests have their own.
#undef CHECK
#include "check.hpp"
#include "stock.hpp"
#include "wire_text.hpp"

using caffe2::Blob;
using caffe2::CPUContext;
using CPUTensor = caffe2::QTensor<CPUContext>;

bool is_tensor_blob(const Blob &blob);

static uint64_t random_state = 1;

static uint64_t next_random() {
  uint64_t mixed = random_state += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

static void fill(CPUTensor *tensor, const std::vector<int> &dims, unsigned char precision,
                 bool is_signed) {
  tensor->SetPrecision(precision);
  tensor->SetSigned(is_signed);
  tensor->SetScale(0.25 * static_cast<double>(precision));
  tensor->SetBias(-1.5);
  tensor->Resize(dims);
  for (size_t i = 0; i < tensor->size(); i++) {
    for (int bit = 0; bit < precision + is_signed; bit++) {
      tensor->SetBitAtIndex(static_cast<unsigned char>(bit), i, next_random() % 2 != 0);
    }
  }
}

static bool same(const CPUTensor &left, const CPUTensor &right) {
  return left.dims() == right.dims() && left.precision() == right.precision() &&
         left.is_signed() == right.is_signed() && left.scale() == right.scale() &&
         left.bias() == right.bias() && left.nbytes() == right.nbytes() &&
         (left.nbytes() == 0 || memcmp(left.data(), right.data(), left.nbytes()) == 0);
}

static void blobs_go_round() {
  for (int precision = 0; precision <= 255; precision += precision < 9 ? 1 : 41) {
    for (int is_signed = 0; is_signed < 2; is_signed++) {
      Blob blob, read;
      CPUTensor *const tensor = blob.GetMutable<CPUTensor>();
      fill(tensor, {3, 1 + precision % 7}, static_cast<unsigned char>(precision), is_signed != 0);
      CHECK(is_tensor_blob(blob));
      const std::string bytes = caffe2::SerializeBlob(blob, "w");
      CHECK(bytes == caffe2::SerializeQTensor(*tensor, "w"));
      // The original class reads the same out of them, and writes them again.
      const std::unique_ptr<Subject> stock = stock_class();
      stock->Deserialize(bytes);
      CHECK(stock->Serialize("w") == bytes);
      caffe2::DeserializeBlob(bytes, &read);
      CHECK(is_tensor_blob(read) && same(read.Get<CPUTensor>(), *tensor));
      // Into a blob that held another tensor, and one that held something else.
      fill(read.GetMutable<CPUTensor>(), {40}, 3, true);
      caffe2::DeserializeBlob(bytes, &read);
      CHECK(same(read.Get<CPUTensor>(), *tensor));
      Blob other;
      *other.GetMutable<std::string>() = "text";
      caffe2::DeserializeBlob(bytes, &other);
      CHECK(is_tensor_blob(other) && same(other.Get<CPUTensor>(), *tensor));
    }
  }
}

static bool run(caffe2::Workspace *workspace, const std::string &definition) {
  caffe2::OperatorDef op;
  if (!caffe2::ParseProtoFromLargeString(definition, &op)) {
    return false;
  }
  return workspace->RunOperatorOnce(op);
}

static void databases_go_both_ways() {
  const std::string theirs = path_in(scratch_folder, "theirs.minidb");
  const std::string ours = path_in(scratch_folder, "ours.minidb");
  caffe2::Workspace workspace;
  fill(workspace.CreateBlob("fc1_w")->GetMutable<CPUTensor>(), {64, 33}, 4, true);
  fill(workspace.CreateBlob("fc2_w")->GetMutable<CPUTensor>(), {5}, 8, false);
  CHECK(run(&workspace, wire_text::database_operator("Save", theirs, {"fc1_w", "fc2_w"})));

  // What Save wrote, read by this library; written by this library, for Load.
  size_t count = 0;
  caffe2_qtensor::MinidbWriter writer(ours);
  for (const caffe2_qtensor::Blob &blob : caffe2_qtensor::Blobs::load(theirs)) {
    const CPUTensor &saved = workspace.GetBlob(blob.name())->Get<CPUTensor>();
    CHECK(blob.tensor().serialize(blob.name()) == caffe2::SerializeQTensor(saved, blob.name()));
    writer.append(blob.name(), blob.tensor());
    count++;
  }
  CHECK(count == 2);
  writer.commit();
  CHECK(file_bytes(theirs) == file_bytes(ours));

  caffe2::Workspace other;
  CHECK(run(&other, wire_text::database_operator("Load", ours, {"fc1_w", "fc2_w"})));
  for (const char *name : {"fc1_w", "fc2_w"}) {
    CHECK(other.HasBlob(name));
    CHECK(same(other.GetBlob(name)->Get<CPUTensor>(), workspace.GetBlob(name)->Get<CPUTensor>()));
  }
}

// Every byte changed and every length: what is refused is an exception that Caffe2's callers catch,
// and the blob keeps what it held.
static void damage_is_an_exception() {
  Blob blob;
  fill(blob.GetMutable<CPUTensor>(), {3, 5}, 4, true);
  const std::string whole = caffe2::SerializeBlob(blob, "w");
  Blob held;
  CPUTensor *const tensor = held.GetMutable<CPUTensor>();
  int refused = 0, accepted = 0;
  for (size_t i = 0; i < whole.size(); i++) {
    for (int change = -1; change < 8; change++) {
      std::string bytes = whole;
      if (change < 0) {
        bytes.resize(i);
      } else {
        bytes[i] = static_cast<char>(bytes[i] ^ (1 << change));
      }
      fill(tensor, {7}, 2, false);
      const std::string before = caffe2::SerializeQTensor(*tensor, "held");
      try {
        caffe2::DeserializeBlob(bytes, &held);
        accepted++;
      } catch (const std::exception &error) {
        refused++;
        CHECK(std::string(error.what()).size() > 10);
        CHECK(dynamic_cast<const caffe2::EnforceNotMet *>(&error) != nullptr);
        CHECK(&held.Get<CPUTensor>() == tensor);
        CHECK(caffe2::SerializeQTensor(*tensor, "held") == before);
      }
    }
  }
  CHECK(refused > 100 && accepted > 100);

  const std::string missing = path_in(scratch_folder, "missing.minidb");
  caffe2::Workspace workspace;
  bool threw = false;
  try {
    threw = !run(&workspace, wire_text::database_operator("Load", missing, {"w"}));
  } catch (const std::exception &) {
    threw = true;
  }
  CHECK(threw);
}

// What the library keeps beyond Caffe2 goes through Caffe2's message.
static void channels_are_kept() {
  caffe2_qtensor::Tensor channels({2, 5}, 3, true);
  channels.write_codes({1, -2, 3, -4, 5, -6, 7, 0, 1, 2});
  const double scales[] = {0.5, 0.25}, biases[] = {1, -1};
  channels.set_channels(0, scales, biases);
  channels.set_data_type(6);
  const std::string bytes = channels.serialize("w");
  Blob blob;
  caffe2::DeserializeBlob(bytes, &blob);
  CHECK(caffe2::SerializeBlob(blob, "w") == bytes);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  blobs_go_round();
  databases_go_both_ways();
  damage_is_an_exception();
  channels_are_kept();
  return done();
}
