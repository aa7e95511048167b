// cpp_databases.cc: databases as ranges, damage in the middle of them, and writing them.
#include "check.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "caffe2_qtensor.hpp"

using caffe2_qtensor::Blob;
using caffe2_qtensor::Blobs;
using caffe2_qtensor::Dense;
using caffe2_qtensor::MinidbEntry;
using caffe2_qtensor::MinidbReader;
using caffe2_qtensor::MinidbWriter;
using caffe2_qtensor::Tensor;

template <class T>
struct IsMoveOnly {
  static const bool value =
      !std::is_copy_constructible<T>::value && !std::is_copy_assignable<T>::value &&
      std::is_nothrow_move_constructible<T>::value &&
      std::is_nothrow_move_assignable<T>::value && std::is_nothrow_destructible<T>::value;
};
static_assert(IsMoveOnly<Blobs>::value, "no copies by accident");
static_assert(IsMoveOnly<MinidbReader>::value, "no copies by accident");
static_assert(IsMoveOnly<MinidbWriter>::value, "no copies by accident");
static_assert(std::is_nothrow_copy_constructible<Blob>::value, "it is a pointer and an index");
static_assert(!std::is_convertible<qtensor_blobs_t *, Blobs>::value, "said aloud");
static_assert(!std::is_convertible<std::string, MinidbReader>::value, "said aloud");

static const char *const names[] = {"w0", "w1", "bias", "int8", "float_tensor"};
static const char *const types[] = {"QTensor", "QTensor", "QTensor", "Int8TensorCPU", "Tensor"};
static const std::string with_nul("a\0b", 3);

static std::string golden() { return path_in(data_folder, "blobs.minidb"); }

static std::string scratch(const char *file, const std::string &bytes) {
  const std::string path = path_in(scratch_folder, file);
  write_file(path.c_str(), bytes.data(), bytes.size());
  return path;
}

static void a_range_of_blobs() {
  const Blobs blobs = Blobs::load(golden());
  CHECK(blobs.size() == 5 && !blobs.empty() && blobs.end() - blobs.begin() == 5);
  size_t at = 0;
  for (const Blob &blob : blobs) {
    CHECK(blob.name() == names[at] && blob.type() == types[at]);
    CHECK(blob.has_tensor() == (at < 4) && blob.has_dense() == (at == 4));
    CHECK(blobs[at].name() == names[at] && blobs.begin()[at].name() == names[at]);
    at++;
  }
  CHECK(at == 5 && blobs[0].tensor().size() == 33 && blobs[4].dense().size() == 4);
  THROWS(QTENSOR_UNSUPPORTED, "index 4 holds no quantized tensor", blobs[4].tensor());
  THROWS(QTENSOR_UNSUPPORTED, "index 0 holds no ordinary tensor", blobs[0].dense());
  CHECK(blobs[5].name().empty() && !blobs[5].has_tensor() && !blobs[SIZE_MAX].has_dense());

  const auto is_int8 = [](const Blob &blob) { return blob.type() == "Int8TensorCPU"; };
  const Blobs::const_iterator found = std::find_if(blobs.begin(), blobs.end(), is_int8);
  CHECK(found - blobs.begin() == 3 && found->name() == "int8" && (*found).has_tensor());
  CHECK(std::count_if(blobs.begin(), blobs.end(), is_int8) == 1);
  CHECK(blobs.find("bias") == blobs.begin() + 2 && blobs.find("none") == blobs.end());
  CHECK(std::next(blobs.begin(), 2) == 2 + blobs.begin() && std::prev(blobs.end()) == found + 1);
  Blobs::const_iterator it = blobs.begin();
  CHECK((it++)->name() == "w0" && (++it)->name() == "bias" && (it--)->name() == "bias");
  CHECK((it += 3) == blobs.end() - 1 && (--it) == found && (it -= 1) < found && found > it);
  CHECK(it <= found && found >= it && it != found);
}

static void blobs_move() {
  Blobs blobs = Blobs::load(golden());
  const Blob first = blobs[0];
  const caffe2_qtensor::TensorRef tensor = first.tensor();
  Blobs taken(std::move(blobs));
  CHECK(blobs.size() == 0 && blobs.empty() && blobs.begin() == blobs.end());
  CHECK(blobs.find("w0") == blobs.end() && first.name() == "w0" && tensor.size() == 33);
  Blobs &itself = taken;
  taken = std::move(itself);
  CHECK(taken.size() == 5);
  blobs = std::move(taken);
  CHECK(blobs.size() == 5 && first.name() == "w0");
}

// Names may hold a NUL, other libraries' types hold nothing, and a file may be empty.
static void strange_databases() {
  const std::string record("\3\0\0\0\3\0\0\0a\0b\x12\1X", 14);
  const std::string path = scratch("strange.minidb", record);
  const Blobs blobs = Blobs::load(path);
  CHECK(blobs.size() == 1 && blobs[0].name() == with_nul && blobs[0].type() == "X");
  CHECK(blobs.find(with_nul) == blobs.begin() && blobs.find("a") == blobs.end());
  CHECK(!blobs[0].has_tensor() && !blobs[0].has_dense());
  MinidbReader reader(path);
  CHECK(reader.begin()->key == with_nul && reader.begin()->blob_name == with_nul);
  CHECK(reader.begin()->name.empty() && reader.read() == record.substr(11));
  const std::string nothing = scratch("empty.minidb", "");
  CHECK(Blobs::load(nothing).empty());
  MinidbReader none(nothing);
  CHECK(none.begin() == none.end());
  THROWS(QTENSOR_IO, "open", Blobs::load(path_in(scratch_folder, "none")));
  THROWS(QTENSOR_IO, "open", MinidbReader(path_in(scratch_folder, "none")));
  THROWS(QTENSOR_INVALID_ARGUMENT, "path of 3 bytes has a NUL at byte 1", Blobs::load(with_nul));
  THROWS(QTENSOR_INVALID_ARGUMENT, "path of 3 bytes", MinidbReader{with_nul});
  THROWS(QTENSOR_INVALID_ARGUMENT, "path of 3 bytes", MinidbWriter{with_nul});
  THROWS(QTENSOR_INVALID_ARGUMENT, "name of 3 bytes", reader.load(with_nul));
  THROWS(QTENSOR_INVALID_ARGUMENT, "name of 3 bytes", reader.load_dense(with_nul));
}

static void a_range_of_records() {
  const std::string file = file_bytes(golden());
  MinidbReader reader(golden());
  THROWS(QTENSOR_INVALID_ARGUMENT, "no record", reader.read());
  for (int pass = 0; pass < 2; pass++) {
    size_t at = 0;
    for (const MinidbEntry &entry : reader) {
      CHECK(entry.blob_name == names[at] && entry.name == names[at] && entry.type == types[at]);
      CHECK(entry.key == (at == 4 ? "float_tensor#%0" : names[at]));
      const size_t size = static_cast<size_t>(entry.value_size);
      const std::string value = file.substr(static_cast<size_t>(entry.value_offset), size);
      CHECK(reader.read() == value && value.size() == size);
      std::vector<uint8_t> buffer(size + 1, 0xa5);
      CHECK(reader.read(buffer) == size && buffer[size] == 0xa5);
      CHECK(std::string(buffer.begin(), buffer.end() - 1) == value);
      buffer.resize(size - 1);
      THROWS(QTENSOR_BUFFER_TOO_SMALL, std::to_string(size).c_str(), reader.read(buffer));
      at++;
      if (pass == 0 && at == 3) {
        break;
      }
    }
    CHECK(at == (pass == 0 ? 3u : 5u));
  }
  THROWS(QTENSOR_INVALID_ARGUMENT, "no record", reader.read());
  const auto is_int8 = [](const MinidbEntry &entry) { return entry.type == "Int8TensorCPU"; };
  CHECK(std::find_if(reader.begin(), reader.end(), is_int8)->key == "int8");
  MinidbReader::iterator it = reader.begin();
  CHECK((*it++).key == "w0" && it->key == "w1" && (++it)->key == "bias" && it != reader.end());

  MinidbEntry entry;
  reader.rewind();
  CHECK(reader.next(entry) && entry.key == "w0");
  CHECK(reader.load("bias").size() == 55 && reader.load_dense("float_tensor").size() == 4);
  THROWS(QTENSOR_UNAVAILABLE, "'none'", reader.load("none"));
  THROWS(QTENSOR_UNAVAILABLE, "'none'", reader.load_dense("none"));
  THROWS(QTENSOR_UNSUPPORTED, "", reader.load_dense("w0"));
  CHECK(Tensor::deserialize(reader.read()).size() == 33);
  CHECK(reader.next(entry) && entry.key == "w1");
  while (reader.next(entry)) {
  }
  CHECK(entry.key == "float_tensor#%0" && !reader.next(entry));
}

static void readers_move() {
  MinidbReader reader(golden());
  MinidbEntry entry;
  CHECK(reader.next(entry));
  MinidbReader taken(std::move(reader));
  CHECK(taken.next(entry) && entry.key == "w1" && taken.read().size() == entry.value_size);
  THROWS(QTENSOR_NULL_ARGUMENT, "NULL", reader.next(entry));
  THROWS(QTENSOR_NULL_ARGUMENT, "NULL", reader.begin());
  THROWS(QTENSOR_NULL_ARGUMENT, "NULL", reader.read());
  THROWS(QTENSOR_NULL_ARGUMENT, "NULL", reader.load("w0"));
  CHECK(entry.key == "w1");
  MinidbReader &itself = taken;
  taken = std::move(itself);
  CHECK(taken.next(entry) && entry.key == "bias");
  reader = std::move(taken);
  CHECK(reader.next(entry) && entry.key == "int8");
}

// A damaged blob is stepped over; a damaged record ends all.
static void damage_in_the_middle() {
  std::vector<MinidbEntry> entries;
  {
    MinidbReader reader(golden());
    entries.assign(reader.begin(), reader.end());
  }
  CHECK(entries.size() == 5);
  std::string bytes = file_bytes(golden());
  const std::string whole = bytes;
  bytes[static_cast<size_t>(entries[1].value_offset)] = '\xff';
  MinidbReader reader(scratch("damaged.minidb", bytes));
  std::vector<std::string> seen;
  const auto walk = [&] {
    for (const MinidbEntry &entry : reader) {
      seen.push_back(entry.key);
    }
  };
  THROWS(QTENSOR_MALFORMED, "malformed at byte", walk());
  CHECK(seen == std::vector<std::string>{"w0"});
  THROWS(QTENSOR_INVALID_ARGUMENT, "no record", reader.read());
  MinidbEntry entry;
  while (reader.next(entry)) {
    seen.push_back(entry.key);
  }
  CHECK(seen == (std::vector<std::string>{"w0", "bias", "int8", "float_tensor#%0"}));
  reader.rewind();
  CHECK(reader.next(entry) && entry.key == "w0");
  THROWS(QTENSOR_MALFORMED, "malformed", reader.next(entry));
  CHECK(entry.key == "w0" && entry.value_size == entries[0].value_size);
  THROWS(QTENSOR_MALFORMED, "malformed", Blobs::load(path_in(scratch_folder, "damaged.minidb")));

  const size_t middle = static_cast<size_t>(entries[2].value_offset + 3);
  MinidbReader cut(scratch("cut.minidb", whole.substr(0, middle)));
  CHECK(cut.next(entry) && cut.next(entry) && entry.key == "w1");
  for (int i = 0; i < 2; i++) {
    THROWS(QTENSOR_MALFORMED, "malformed", cut.next(entry));
    CHECK(entry.key == "w1");
  }
}

static void writing() {
  const std::string path = scratch("new.minidb", "old");
  Tensor tensor({3}, 8);
  tensor.write_codes({1, 2, 3});
  const Dense dense = Dense::of({5}, {1.0f, 2.0f, 3.0f, 4.0f, 5.0f});
  {
    MinidbWriter writer(path);
    writer.append("w", tensor);
  }
  CHECK(file_bytes(path) == "old");
  try {
    MinidbWriter writer(path);
    writer.append("w", tensor);
    throw std::runtime_error("the program's own");
  } catch (const std::runtime_error &) {
  }
  CHECK(file_bytes(path) == "old");

  MinidbWriter begun(path);
  begun.append("w", tensor);
  THROWS(QTENSOR_INVALID_ARGUMENT, "name of 3 bytes", begun.append(with_nul, tensor));
  THROWS(QTENSOR_INVALID_ARGUMENT, "name of 3 bytes", begun.append_int8(with_nul, tensor));
  THROWS(QTENSOR_INVALID_ARGUMENT, "name of 3 bytes", begun.append(with_nul, dense));
  THROWS(QTENSOR_INVALID_ARGUMENT, "", begun.append("", tensor));
  THROWS(QTENSOR_UNSUPPORTED, "7", begun.append_int8("w", Tensor({1}, 7)));
  THROWS(QTENSOR_INVALID_ARGUMENT, "", begun.append_bytes("", "value"));
  THROWS(QTENSOR_INVALID_ARGUMENT, "", begun.append_bytes("key", ""));
  MinidbWriter writer(std::move(begun));
  THROWS(QTENSOR_NULL_ARGUMENT, "NULL", begun.append("w", tensor));
  THROWS(QTENSOR_NULL_ARGUMENT, "NULL", begun.commit());
  writer.append_int8("i", tensor);
  writer.append("d", dense, 2);
  const std::string blob = tensor.serialize("inside");
  writer.append_bytes(with_nul, blob);
  const uint8_t raw[] = {0x0a, 1, 'r'};
  writer.append_bytes("raw", raw);
  CHECK(file_bytes(path) == "old");
  writer.commit();
  THROWS(QTENSOR_INVALID_ARGUMENT, "committed", writer.append("w", tensor));
  THROWS(QTENSOR_INVALID_ARGUMENT, "committed", writer.commit());

  MinidbReader reader(path);
  std::vector<std::string> keys;
  for (const MinidbEntry &entry : reader) {
    keys.push_back(entry.key);
    CHECK(entry.key != with_nul || (entry.name == "inside" && reader.read() == blob));
  }
  CHECK(keys == (std::vector<std::string>{"w", "i", "d#%0", "d#%1", "d#%2", with_nul, "raw"}));
  CHECK(reader.load("w").codes<int32_t>() == (std::vector<int32_t>{1, 2, 3}));
  CHECK(reader.load_dense("d").serialize("d") == dense.serialize("d"));
  THROWS(QTENSOR_IO, "", MinidbWriter{scratch_folder});
}

int main(int argc, char **argv) {
  begin(argc, argv);
  a_range_of_blobs();
  blobs_move();
  strange_databases();
  a_range_of_records();
  readers_move();
  damage_in_the_middle();
  writing();
  return done();
}
