// bench_caffe2.cc: this library and Caffe2 side by side, in one process.
//
//   bench_caffe2 FOLDER
//
// FOLDER is where databases are written. Each line is a case: the medians of both, alternating, the
// ratio (Caffe2's over ours), what is in use of the heap at most, and whether it is what it must be.
// What both made is compared first.
#include <caffe2_qtensor/caffe2_register.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <caffe2_qtensor.hpp>

#include "bit_loops.hpp"
#include "caffe2/core/operator.h"
#include "caffe2/core/tensor_int8.h"
#include "caffe2/core/workspace.h"
#include "caffe2/utils/proto_utils.h"
#include "memory_meter.hpp"
#include "stock_blob.hpp"
#include "wire_text.hpp"

using caffe2::Blob;
using caffe2_qtensor::Span;
using caffe2_qtensor::Tensor;
using Registered = caffe2::QTensor<caffe2::CPUContext>;
using Call = std::function<void()>;

static int missed;

static void must(bool holds, const char *what) {
  if (!holds) {
    throw std::runtime_error(std::string("not the same: ") + what);
  }
}

static double seconds(const Call &call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

static double median(std::vector<double> times) {
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

static std::string in_units(double seconds) {
  char text[32];
  const bool is_long = seconds >= 1e-3;
  std::snprintf(text, sizeof text, "%.4g %s", seconds * (is_long ? 1e3 : 1e6),
                is_long ? "ms" : "us");
  return text;
}

// What a case must reach; 0 where it is only told.
struct Goal {
  double ratio, memory;
};

static void compare(const std::string &name, const Call &ours, const Call &theirs, Goal goal) {
  // Once for what the first call alone does; the memory is that of the second.
  ours();
  theirs();
  const double our_memory = memory_meter::peak(ours), their_memory = memory_meter::peak(theirs);
  // Some three seconds, and three rounds at least.
  const double once = seconds(ours) + seconds(theirs);
  const int rounds = std::max(3, std::min(1001, static_cast<int>(3 / once)));
  // A call of ours that is short is repeated, so that the clock, and what Caffe2's call has left of
  // the caches, are not most of the result: Caffe2's is long enough to make up for ours.
  const int repeats = std::max(1, static_cast<int>(1e-3 / std::max(1e-9, seconds(ours))));
  std::vector<double> our_times, their_times;
  for (int round = 0; round < rounds; round++) {
    our_times.push_back(seconds([&] {
                          for (int i = 0; i < repeats; i++) {
                            ours();
                          }
                        }) /
                        repeats);
    their_times.push_back(seconds(theirs));
  }
  const double our_time = median(our_times), their_time = median(their_times);
  const double ratio = their_time / our_time;
  std::string verdict;
  if ((goal.ratio > 0 && ratio < goal.ratio) ||
      (goal.memory > 0 && our_memory > goal.memory * their_memory)) {
    verdict = "  MISSED";
    missed++;
  }
  char memory[64] = "";
  if (our_memory > 4096 || their_memory > 4096) {
    std::snprintf(memory, sizeof memory, "%8.2f MiB %8.2f MiB", our_memory / 1048576,
                  their_memory / 1048576);
  }
  char wanted[32] = "";
  if (goal.ratio > 0) {
    std::snprintf(wanted, sizeof wanted, ">= %g", goal.ratio);
  }
  std::printf("%-54s %11s %11s %8.2fx %-6s %s%s\n", name.c_str(), in_units(our_time).c_str(),
              in_units(their_time).c_str(), ratio, wanted, memory, verdict.c_str());
  std::fflush(stdout);
}

static std::vector<std::uint8_t> random_bytes(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  std::uint64_t state = 0x9e3779b97f4a7c15;
  for (std::uint8_t &byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<std::uint8_t>(state >> 32);
  }
  return bytes;
}

// One tensor three times: of the C interface, of the registered class, and of Caffe2's own.
struct Trio {
  explicit Trio(std::size_t nbytes) : handle({static_cast<std::int64_t>(nbytes)}, 7, true) {
    const std::vector<std::uint8_t> planes = random_bytes(nbytes);
    handle.set_scale(0.5);
    std::memcpy(handle.mutable_planes().data(), planes.data(), nbytes);
    registered.GetMutable<Registered>()->Adopt(handle.clone().release());
    fill_stock_blob(&stock, static_cast<int>(nbytes), 7, true, planes.data());
  }

  Tensor handle;
  Blob registered, stock;
};

static void single_bits() {
  const int elements = 1 << 16;
  std::vector<std::uint32_t> codes(elements);
  const std::vector<std::uint8_t> random = random_bytes(elements * 4);
  std::memcpy(codes.data(), random.data(), random.size());
  Trio trio(elements);
  Registered *const ours = trio.registered.GetMutable<Registered>();
  compare("SetBitAtIndex, 512 Ki bits", [&] { set_all_bits(ours, codes.data()); },
          [&] { set_stock_bits(&trio.stock, codes.data()); }, {1, 0});
  must(caffe2::SerializeBlob(trio.registered, "w") == caffe2::SerializeBlob(trio.stock, "w"),
       "bits that were set");
  std::uint64_t counted = 0, expected = 1;
  compare("GetBitAtIndex, 512 Ki bits", [&] { counted = count_all_bits(*ours); },
          [&] { expected = count_stock_bits(trio.stock); }, {1, 0});
  must(counted == expected, "bits that were read");
}

// The type of a BlobProto stands in it as a field of its own, before the tensor.
static std::string of_stock_type(const std::string &blob) {
  const std::string type = wire_text::bytes(2, "QTensor");
  const std::size_t at = blob.find(type);
  must(at != std::string::npos && at < 16, "the type of a message");
  return blob.substr(0, at) + wire_text::bytes(2, kStockType) + blob.substr(at + type.size());
}

static void messages(std::size_t nbytes) {
  const std::string size = nbytes >= 1 << 20 ? std::to_string(nbytes >> 20) + " MiB"
                                             : std::to_string(nbytes >> 10) + " KiB";
  const bool counts = nbytes >= 1 << 20;
  Trio trio(nbytes);
  const std::string expected = caffe2::SerializeBlob(trio.stock, "w");
  must(trio.handle.serialize("w") == expected, "a message through the C interface");
  must(caffe2::SerializeBlob(trio.registered, "w") == expected, "a message of the class");
  const Call stock_writes = [&] { must(!caffe2::SerializeBlob(trio.stock, "w").empty(), ""); };

  const qtensor_t *const handle = trio.handle.get();
  const std::size_t room = 2 * nbytes + 256;
  std::vector<std::uint8_t> buffer(room);
  compare(size + ": qtensor_serialize, a buffer of the caller's",
          [&] {
            std::size_t written = 0;
            qtensor_serialize(handle, "w", buffer.data(), room, &written, nullptr);
            must(written == expected.size(), "its size");
          },
          stock_writes, {counts ? 100. : 0, 0.25});
  compare(size + ": the same, a new buffer of the exact size",
          [&] {
            std::size_t written = 0;
            qtensor_serialized_size(handle, "w", &written, nullptr);
            void *const exact = std::malloc(written);
            qtensor_serialize(handle, "w", static_cast<std::uint8_t *>(exact), written, &written,
                              nullptr);
            must(written == expected.size(), "its size");
            std::free(exact);
          },
          stock_writes, {0, 0.25});
  compare(size + ": SerializeBlob of the registered class",
          [&] { must(!caffe2::SerializeBlob(trio.registered, "w").empty(), ""); }, stock_writes,
          {10, 0});

  const std::string stock_message = of_stock_type(expected);
  Blob read;
  const Call stock_reads = [&] {
    Blob fresh;
    caffe2::DeserializeBlob(stock_message, &fresh);
    read.swap(fresh);
  };
  stock_reads();
  must(caffe2::SerializeBlob(read, "w") == expected, "a message that Caffe2 read");
  const std::uint8_t *const bytes = reinterpret_cast<const std::uint8_t *>(expected.data());
  compare(size + ": qtensor_deserialize",
          [&] {
            qtensor_t *made = nullptr;
            must(qtensor_deserialize(bytes, expected.size(), &made, nullptr) == QTENSOR_OK, "");
            qtensor_free(made);
          },
          stock_reads, {counts ? 60. : 0, 0.25});
  Blob ours;
  compare(size + ": DeserializeBlob of the registered class",
          [&] {
            Blob fresh;
            caffe2::DeserializeBlob(expected, &fresh);
            ours.swap(fresh);
          },
          stock_reads, {1, 0});
  must(caffe2::SerializeBlob(ours, "w") == expected, "a message that the class read");
}

static void run(caffe2::Workspace *workspace, const std::string &definition) {
  caffe2::OperatorDef op;
  must(caffe2::ParseProtoFromLargeString(definition, &op) && workspace->RunOperatorOnce(op),
       "an operator works");
}

// A database of one record, as Caffe2's minidb lays it out.
static void write_record(const std::string &path, const std::string &key,
                         const std::string &value) {
  FILE *const file = std::fopen(path.c_str(), "wb");
  const int lengths[2] = {static_cast<int>(key.size()), static_cast<int>(value.size())};
  must(file != nullptr && std::fwrite(lengths, sizeof lengths, 1, file) == 1 &&
           std::fwrite(key.data(), key.size(), 1, file) == 1 &&
           std::fwrite(value.data(), value.size(), 1, file) == 1 && std::fclose(file) == 0,
       "a file is written");
}

static void databases(const std::string &folder) {
  const std::string path = folder + "/bench.minidb", other = folder + "/bench_stock.minidb";
  Trio trio(64 << 20);
  caffe2::Workspace ours, theirs;
  ours.CreateBlob("w")->GetMutable<Registered>()->Adopt(trio.handle.clone().release());
  const std::vector<std::uint8_t> planes(trio.handle.planes().begin(),
                                         trio.handle.planes().end());
  fill_stock_blob(theirs.CreateBlob("w"), static_cast<int>(planes.size()), 7, true,
                  planes.data());
  const std::string save_path = wire_text::database_operator("Save", path, {"w"});
  const std::string save_other = wire_text::database_operator("Save", other, {"w"});
  const auto remove_both = [&] {
    std::remove(path.c_str());
    std::remove(other.c_str());
  };
  const Call stock_saves = [&] {
    std::remove(other.c_str());
    run(&theirs, save_other);
  };
  compare("64 MiB: Save, and MinidbWriter",
          [&] {
            std::remove(path.c_str());
            caffe2_qtensor::MinidbWriter writer(path);
            writer.append("w", trio.handle);
            writer.commit();
          },
          stock_saves, {});
  compare("64 MiB: Save of the registered class",
          [&] {
            std::remove(path.c_str());
            run(&ours, save_path);
          },
          stock_saves, {});
  // For Caffe2's own class to be loaded, the record has the type that still means it.
  write_record(other, "w", of_stock_type(trio.handle.serialize("w")));
  caffe2::Workspace loaded;
  const std::string load_path = wire_text::database_operator("Load", path, {"w"});
  const std::string load_other = wire_text::database_operator("Load", other, {"w"});
  const Call stock_loads = [&] { run(&theirs, load_other); };
  compare("64 MiB: Load, and MinidbReader",
          [&] { must(caffe2_qtensor::MinidbReader(path).load("w").size() != 0, ""); },
          stock_loads, {});
  compare("64 MiB: Load of the registered class", [&] { run(&loaded, load_path); }, stock_loads,
          {});
  remove_both();
}

static void int8_quantize(std::size_t count) {
  caffe2::Workspace workspace;
  caffe2::Tensor *const floats =
      caffe2::BlobGetMutableTensor(workspace.CreateBlob("x"), caffe2::CPU);
  floats->Resize(static_cast<std::int64_t>(count));
  float *const values = floats->mutable_data<float>();
  const std::vector<std::uint8_t> random = random_bytes(count * 2);
  for (std::size_t i = 0; i < count; i++) {
    values[i] = static_cast<float>(random[2 * i] * 256 + random[2 * i + 1]) / 1024 - 32;
  }
  const float scale = 0.25f;
  std::uint32_t scale_bits;
  std::memcpy(&scale_bits, &scale, sizeof scale_bits);
  std::string real = wire_text::tag(2, 5);
  for (int shift = 0; shift < 32; shift += 8) {
    real.push_back(static_cast<char>(scale_bits >> shift));
  }
  const std::string op = wire_text::bytes(1, "x") + wire_text::bytes(2, "y") +
                         wire_text::bytes(4, "Int8Quantize") +
                         wire_text::bytes(5, wire_text::bytes(1, "Y_scale") + real) +
                         wire_text::bytes(5, wire_text::bytes(1, "Y_zero_point") +
                                                 wire_text::number(3, 128));
  Tensor ours({static_cast<std::int64_t>(count)}, 8);
  ours.set_scale(scale);
  ours.set_zero_point(128);
  const Span<const float> span(values, count);
  caffe2_qtensor::QuantizeOptions options;
  compare(std::to_string(count >> 10) + " Ki floats: Int8Quantize, and quantize to 8 planes",
          [&] { ours.quantize(span, options); }, [&] { run(&workspace, op); }, {});
  const auto &theirs = workspace.GetBlob("y")->Get<caffe2::int8::Int8TensorCPU>();
  must(std::memcmp(ours.codes<std::uint8_t>().data(), theirs.t.data<std::uint8_t>(), count) == 0,
       "codes");
}

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  std::printf("%-54s %11s %11s %9s %-6s %12s %12s\n", "", "ours", "Caffe2", "ratio", "goal",
              "our peak", "Caffe2's");
  single_bits();
  for (const std::size_t nbytes : {64 << 10, 1 << 20, 8 << 20, 64 << 20}) {
    messages(nbytes);
  }
  databases(argv[1]);
  int8_quantize(4 << 10);
  int8_quantize(1 << 20);
  int8_quantize(16 << 20);
  std::printf("%d missed\n", missed);
  return missed == 0 ? 0 : 1;
}
