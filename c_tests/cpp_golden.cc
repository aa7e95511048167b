// cpp_golden.cc: the tensors, messages and databases that the real Caffe2 wrote, bit for bit,
// through the C++ layer. The rules are those of tests/golden.rs.
#include "golden_text.hpp"
#include "golden_wire.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::Blob;
using caffe2_qtensor::BlobInfo;
using caffe2_qtensor::Blobs;
using caffe2_qtensor::Dense;
using caffe2_qtensor::DenseRef;
using caffe2_qtensor::Error;
using caffe2_qtensor::MinidbReader;
using caffe2_qtensor::MinidbWriter;
using caffe2_qtensor::Tensor;
using caffe2_qtensor::TensorRef;
using caffe2_qtensor::View;

static bool same_dims(caffe2_qtensor::Span<const int64_t> dims, const std::vector<int64_t> &due) {
  return std::vector<int64_t>(dims.begin(), dims.end()) == due;
}

static std::string planes_of(TensorRef tensor) {
  return std::string(tensor.planes().begin(), tensor.planes().end());
}

static void fill_bit_by_bit(Tensor &tensor, const std::string &planes) {
  const size_t stride = tensor.aligned_size() / 8;
  const int count = tensor.precision() + tensor.is_signed();
  long wrong = 0;
  const auto due = [&](int plane, size_t i) {
    const char byte = planes[static_cast<size_t>(plane) * stride + i / 8];
    return (static_cast<uint8_t>(byte) & (0x80 >> (i % 8))) != 0;
  };
  for (int plane = 0; plane < count; plane++) {
    for (size_t i = 0; i < tensor.size(); i++) {
      tensor.set_bit(plane, i, due(plane, i));
    }
  }
  const View view = tensor.view();
  for (int plane = 0; plane < count; plane++) {
    for (size_t i = 0; i < tensor.size(); i++) {
      wrong += tensor.get_bit(plane, i) != due(plane, i) || view.bit(plane, i) != due(plane, i);
    }
  }
  CHECK(wrong == 0);
}

static void tensors_filled_bit_by_bit() {
  open_golden("qtensor.txt");
  while (next_line()) {
    const int before = failures;
    const int precision = static_cast<int>(integer());
    const bool is_signed = integer() != 0;
    const std::vector<int64_t> dims = integer_list();
    const double scale = double_of_bits(bits()), bias = double_of_bits(bits());
    const std::string name = hex_string();
    Tensor tensor(dims, precision, is_signed);
    tensor.set_scale(scale);
    tensor.set_bias(bias);
    CHECK(tensor.size() == size_word());
    CHECK(tensor.aligned_size() == size_word());
    CHECK(tensor.nbytes() == size_word());
    const std::string planes = hex_string(), blob = hex_string();
    fill_bit_by_bit(tensor, planes);
    CHECK(planes_of(tensor) == planes);
    CHECK(tensor.serialized_size(name) == blob.size() && tensor.serialize(name) == blob);
    std::string buffer(2 * blob.size() + 100, '\0');
    const size_t written = tensor.serialize(
        name, {reinterpret_cast<uint8_t *>(&buffer[0]), buffer.size()});
    CHECK(buffer.substr(0, written) == blob);

    const Tensor read = Tensor::deserialize(blob);
    CHECK(same_dims(read.dims(), dims) && read.serialize(name) == blob);
    CHECK(planes_of(read) == planes && planes_of(read.clone()) == planes);
    const BlobInfo info = caffe2_qtensor::peek_blob(blob);
    CHECK(info.name == name && info.type == "QTensor");
    const std::string proto = tensor.serialize_proto(name);
    CHECK(tensor.serialized_size_proto(name) == proto.size());
    CHECK(Tensor::deserialize_proto(proto).serialize_proto(name) == proto);
    CHECK(caffe2_qtensor::peek_proto(proto).name == name);
    CHECK(caffe2_qtensor::peek_proto(proto).type.empty());
    if (precision <= 63) {
      Tensor copy(tensor.dims(), precision, is_signed);
      copy.write_codes(tensor.codes<int64_t>());
      CHECK(copy.codes<int64_t>() == tensor.codes<int64_t>());
    }
    report_line("qtensor.txt", before);
  }
  close_golden();
}

static void unusual_and_damaged_messages() {
  int kept = 0, refused = 0;
  open_golden("wire.txt");
  while (next_line()) {
    const int before = failures;
    const char *const what = word();
    const bool accepted = integer() != 0;
    const size_t nbytes = size_word();
    const std::string blob = hex_string(), theirs = hex_string();
    bool threw = false;
    try {
      const Tensor tensor = Tensor::deserialize(blob);
      CHECK(tensor.nbytes() == nbytes);
      // What was read was written again under this name, whatever it was called.
      const std::string ours = tensor.serialize("test");
      if (accepted && ours != theirs) {
        kept++;
        CHECK(only_kept_fields_differ(ours, theirs));
      }
    } catch (const Error &error) {
      threw = true;
      refused++;
      CHECK(status_is_due(what, error.status()) && is_sentence(error.what()));
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
    const std::vector<int64_t> dims = integer_list();
    const bool is_byte = integer() != 0;
    const uint32_t pattern = static_cast<uint32_t>(bits());
    float scale;
    memcpy(&scale, &pattern, sizeof scale);
    const double zero_point = static_cast<double>(integer());
    const std::string name = hex_string();
    const std::vector<int64_t> values = integer_list();
    const std::string blob = hex_string();
    const Tensor tensor = Tensor::deserialize(blob);
    const double found = tensor.scale(), due = scale;
    CHECK(memcmp(&found, &due, sizeof due) == 0);
    CHECK(tensor.bias() == -zero_point && same_dims(tensor.dims(), dims));
    CHECK(tensor.precision() == (is_byte ? 8 : 32) && tensor.is_signed() == !is_byte);
    CHECK(tensor.codes<int64_t>() == values);
    CHECK(tensor.serialize_int8(name) == blob);
    CHECK(tensor.serialized_size_int8(name) == blob.size());
    CHECK(caffe2_qtensor::peek_blob(blob).type == "Int8TensorCPU");
    report_line("int8_tensor.txt", before);
  }
  close_golden();
}

static void the_blobs_are_what_they_were() {
  const MinidbReader reader(path_in(data_folder, "blobs.minidb"));
  const Blobs blobs = Blobs::load(path_in(data_folder, "blobs.minidb"));
  open_golden("blobs.txt");
  while (next_line()) {
    const std::string name = hex_string();
    const int precision = static_cast<int>(integer());
    const bool is_signed = integer() != 0;
    const std::vector<int64_t> dims = integer_list();
    const std::string planes = hex_string();
    const Tensor tensor = reader.load(name);
    CHECK(blobs.find(name) != blobs.end());
    const TensorRef among_all = (*blobs.find(name)).tensor();
    for (const TensorRef found : {TensorRef(tensor), among_all}) {
      CHECK(found.precision() == precision && found.is_signed() == is_signed);
      CHECK(same_dims(found.dims(), dims) && planes_of(found) == planes);
    }
  }
  close_golden();
  const std::vector<float> floats = {0, 0.5f, 1, 1.5f};
  const Dense dense = reader.load_dense("float_tensor");
  CHECK(dense.dims().size() == 1 && dense.dims()[0] == 4);
  CHECK(std::vector<float>(dense.elements<float>().begin(), dense.elements<float>().end()) ==
        floats);
}

// What was read, written by this library, is Caffe2's own file, byte for byte.
static void written_back(const char *file) {
  const std::string path = path_in(scratch_folder, "back.minidb");
  const std::string original = path_in(data_folder, file);
  MinidbWriter writer(path);
  const Blobs blobs = Blobs::load(original);
  CHECK(!blobs.empty());
  for (const Blob &blob : blobs) {
    if (blob.has_dense()) {
      writer.append(blob.name(), blob.dense());
    } else if (blob.type() == "Int8TensorCPU") {
      writer.append_int8(blob.name(), blob.tensor());
    } else {
      writer.append(blob.name(), blob.tensor());
    }
  }
  writer.commit();
  CHECK(file_bytes(path) == file_bytes(original));
}

static void chunks_in_any_order() {
  const std::string chunked = path_in(data_folder, "chunked.minidb");
  const Dense from_chunks = MinidbReader(chunked).load_dense("fc1_w");
  const MinidbReader mlp(path_in(data_folder, "digits/digits_mlp.minidb"));
  const Dense whole = mlp.load_dense("fc1_w");
  CHECK(whole.nbytes() > 0 && from_chunks.serialize("w") == whole.serialize("w"));
  const Blobs blobs = Blobs::load(chunked);
  CHECK(blobs.size() == 1 && blobs[0].name() == "fc1_w");
  CHECK(blobs[0].dense().serialize("w") == whole.serialize("w"));

  // In Caffe2's own chunks each record is Caffe2's, but for their order in the file.
  const std::string copy = path_in(scratch_folder, "chunked.minidb");
  MinidbWriter writer(copy);
  writer.append("fc1_w", whole, 1000);
  writer.commit();
  std::vector<std::pair<std::string, std::string>> ours, theirs;
  MinidbReader our_reader(copy), their_reader(chunked);
  for (const auto &entry : our_reader) {
    ours.push_back(std::make_pair(entry.key, our_reader.read()));
  }
  for (const auto &entry : their_reader) {
    theirs.push_back(std::make_pair(entry.key, their_reader.read()));
  }
  std::sort(ours.begin(), ours.end());
  std::sort(theirs.begin(), theirs.end());
  CHECK(ours.size() == 9 && ours == theirs);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  tensors_filled_bit_by_bit();
  unusual_and_damaged_messages();
  int8_tensors();
  the_blobs_are_what_they_were();
  written_back("blobs.minidb");
  written_back("digits/digits_mlp.minidb");
  written_back("digits/digits_int8.minidb");
  written_back("digits/digits_logits.minidb");
  chunks_in_any_order();
  return done();
}
