// dropin_golden.cc: the tensors, messages and databases that the real Caffe2 wrote, bit for bit,
// through the drop-in headers. The rules are those of tests/golden.rs.
#define CAFFE2_QTENSOR_STANDALONE
#include "dropin_tensor.hpp"
#include "golden_wire.hpp"

#include <string>
#include <utility>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2::DeserializeQTensor;
using caffe2::SerializeQTensor;

static void tensors_filled_bit_by_bit() {
  open_golden("qtensor.txt");
  while (next_line()) {
    const int before = failures;
    const GoldenTensor golden;
    CPUTensor tensor(golden.dims, golden.precision, golden.is_signed), read({3}, 2);
    tensor.SetScale(golden.scale);
    tensor.SetBias(golden.bias);
    CHECK(tensor.data() == nullptr && tensor.size() == golden.size);
    golden.fill(&tensor);
    golden.compare(tensor);
    CHECK(SerializeQTensor(tensor, golden.name) == golden.blob);

    DeserializeQTensor(golden.blob, &read);
    golden.compare(read);
    CHECK(SerializeQTensor(read, golden.name) == golden.blob);

    // In the other order, over what another tensor left, and as a block.
    golden.describe(&read);
    CHECK(read.size() == golden.size && read.nbytes() == golden.nbytes);
    unsigned char *const planes = read.mutable_data();
    if (golden.nbytes != 0) {
      memcpy(planes, golden.planes.data(), golden.nbytes);
    }
    golden.compare(read);
    const CPUTensor copy = read, moved = std::move(read);
    golden.compare(copy);
    golden.compare(moved);
    CHECK(SerializeQTensor(copy, golden.name) == golden.blob);
    CHECK(SerializeQTensor(moved, golden.name) == golden.blob);
    report_line("qtensor.txt", before);
  }
  close_golden();
}

static void unusual_and_damaged_messages() {
  int kept = 0, refused = 0;
  CPUTensor old({3, 5}, 3, true);
  old.SetScale(0.5);
  old.SetBitAtIndex(2, 7, true);
  const std::string old_state = state_of(old);
  open_golden("wire.txt");
  while (next_line()) {
    const int before = failures;
    const std::string what = word();
    const bool accepted = integer() != 0;
    const size_t nbytes = size_word();
    const std::string blob = hex_string(), theirs = hex_string();
    CPUTensor tensor = old;
    bool threw = false;
    try {
      DeserializeQTensor(blob, &tensor);
      CHECK(tensor.nbytes() == nbytes);
      // What was read was written again under this name, whatever it was called.
      const std::string ours = SerializeQTensor(tensor, "test");
      if (accepted && ours != theirs) {
        kept++;
        CHECK(only_kept_fields_differ(ours, theirs));
      }
    } catch (const caffe2::EnforceNotMet &error) {
      threw = true;
      refused++;
      CHECK(status_is_due(what.c_str(), error.status()) && is_sentence(error.what()));
      CHECK(state_of(tensor) == old_state);
    }
    CHECK(threw == !accepted);
    report_line("wire.txt", before);
  }
  CHECK(kept > 0 && refused > 0);
  close_golden();
}

static void int8_tensors() {
  open_golden("int8_tensor.txt");
  while (next_line()) {
    const int before = failures;
    const std::vector<int64_t> due = integer_list();
    const std::vector<int> dims(due.begin(), due.end());
    const bool is_byte = integer() != 0;
    const uint32_t pattern = static_cast<uint32_t>(bits());
    float scale;
    memcpy(&scale, &pattern, sizeof scale);
    const double zero_point = static_cast<double>(integer());
    const std::string name = hex_string();
    const std::vector<int64_t> values = integer_list();
    const std::string blob = hex_string();
    CPUTensor tensor;
    DeserializeQTensor(blob, &tensor);
    CHECK(bits_of(tensor.scale()) == bits_of(scale) && tensor.bias() == -zero_point);
    CHECK(tensor.dims() == dims && tensor.size() == values.size());
    CHECK(tensor.precision() == (is_byte ? 8 : 32) && tensor.is_signed() == !is_byte);
    for (size_t i = 0; i < values.size() && i < tensor.size(); i++) {
      CHECK(code_of(tensor, i) == values[i]);
    }
    const byte_string ours = int8_of(tensor.handle(), name.c_str());
    CHECK(blob == std::string(reinterpret_cast<char *>(ours.bytes), ours.length));
    free(ours.bytes);
    report_line("int8_tensor.txt", before);
  }
  close_golden();
}

// A record as bytes, or the tensor that the database read, put into the drop-in class.
static void blobs_of_a_database() {
  caffe2_qtensor::MinidbReader reader(path_in(data_folder, "blobs.minidb"));
  open_golden("blobs.txt");
  while (next_line()) {
    const std::string name = hex_string();
    const int precision = static_cast<int>(integer());
    const bool is_signed = integer() != 0;
    const std::vector<int64_t> due = integer_list();
    const std::vector<int> dims(due.begin(), due.end());
    const std::string planes = hex_string();
    CPUTensor from_bytes, adopted;
    int found = 0;
    for (const auto &entry : reader) {
      if (entry.key == name) {
        found++;
        const std::string blob = reader.read();
        DeserializeQTensor(blob, &from_bytes);
        CHECK(entry.type != caffe2::kQTensorBlobQType ||
              SerializeQTensor(from_bytes, entry.name) == blob);
      }
    }
    CHECK(found == 1);
    adopted.Adopt(reader.load(name).release());
    for (const CPUTensor *tensor : {&from_bytes, &adopted}) {
      CHECK(tensor->precision() == precision && tensor->is_signed() == is_signed);
      CHECK(tensor->dims() == dims && planes_of(*tensor) == planes);
    }
  }
  close_golden();
}

int main(int argc, char **argv) {
  begin(argc, argv);
  tensors_filled_bit_by_bit();
  unusual_and_damaged_messages();
  int8_tensors();
  blobs_of_a_database();
  return done();
}
