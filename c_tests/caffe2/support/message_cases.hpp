// message_cases.hpp: blobs of bytes, whole, odd and damaged, read by the real Caffe2 and by ours.
#ifndef MESSAGE_CASES_HPP
#define MESSAGE_CASES_HPP

#include <climits>
#include <cstdlib>
#include <cstring>

#include "caffe2_qtensor.hpp"
#include "parsed_blob.hpp"
#include "random.hpp"
#include "report.hpp"
#include "stock.hpp"
#include "wire_text.hpp"

// Writes messages that protobuf reads, in every way that it does.
class MessageMaker {
 public:
  explicit MessageMaker(Random *random) : random_(*random) {}

  std::string Blob() {
    std::vector<std::string> fields = {wire_text::bytes(2, random_.Once(40) ? "Tensor?" : type_)};
    if (!random_.Once(8)) {
      fields.push_back(wire_text::bytes(1, random_.Once(6) ? random_.Bytes(random_.Below(9)) : "w"));
    }
    if (!random_.Once(30)) {
      Tensor(&fields);
    }
    while (random_.Once(6)) {
      fields.push_back(Unknown());
    }
    if (random_.Once(12)) {
      fields.push_back(wire_text::bytes(3, random_.Once(2) ? "" : random_.Bytes(3)));
    }
    return Joined(fields);
  }
  void SetType(const std::string &type) { type_ = type; }

 private:
  std::string Joined(std::vector<std::string> fields) {
    if (random_.Once(3)) {
      for (std::size_t i = fields.size(); i > 1; i--) {
        std::swap(fields[i - 1], fields[random_.Below(i)]);
      }
    }
    std::string all;
    for (const std::string &field : fields) {
      all += field;
    }
    return all;
  }

  // A number in more bytes than it needs, sometimes.
  std::string Number(std::uint64_t value) {
    std::string bytes = wire_text::varint(value);
    while (random_.Once(30) && bytes.size() < 11) {
      bytes.back() = static_cast<char>(bytes.back() | 128);
      bytes.push_back('\0');
    }
    return bytes;
  }
  std::string Field(unsigned field, std::uint64_t value) {
    return wire_text::tag(field, 0) + Number(value);
  }

  std::string Unknown() {
    const unsigned field = static_cast<unsigned>(random_.Once(9) ? 0 : random_.Between(13, 40));
    switch (random_.Below(6)) {
      case 0: return Field(field, random_.Next());
      case 1: return wire_text::tag(field, 1) + random_.Bytes(8);
      case 2: return wire_text::bytes(field, random_.Bytes(random_.Below(12)));
      case 3: return wire_text::tag(field, 5) + random_.Bytes(4);
      case 4: {
        std::string open, close;
        for (std::size_t depth = random_.Once(5) ? 95 + random_.Below(9) : 1; depth > 0; depth--) {
          open += wire_text::tag(field, 3);
          close += wire_text::tag(field, 4);
        }
        return open + (random_.Once(2) ? Field(1, 7) : "") + close;
      }
      default: return wire_text::tag(field, static_cast<unsigned>(random_.Below(8)));
    }
  }

  std::string Data(std::size_t count) {
    std::string values;
    for (std::size_t i = 0; i < count; i++) {
      values += Number(random_.Below(256));
    }
    return values;
  }

  void Tensor(std::vector<std::string> *blob) {
    const bool is_int8 = type_ != "QTensor";
    std::vector<std::string> fields;
    std::uint64_t size = 1;
    std::size_t ndim = random_.Below(4);
    if (random_.Once(60)) {
      ndim = 60 + random_.Below(8);
    }
    for (std::size_t i = 0; i < ndim; i++) {
      std::uint64_t dim = ndim > 5 ? 1 : random_.Once(12) ? 0 : 1 + random_.Below(9);
      if (random_.Once(80)) {
        const std::uint64_t odd[] = {~std::uint64_t(0), std::uint64_t(1) << 31,
                                     (std::uint64_t(1) << 32) + 2, std::uint64_t(1) << 62, 1u << 30};
        dim = odd[random_.Below(5)];
      }
      size *= dim;
      fields.push_back(random_.Once(9) ? wire_text::bytes(1, Number(dim)) : Field(1, dim));
    }
    size = ndim == 0 ? (is_int8 ? 1 : 0) : size;
    std::uint64_t precision = random_.Once(9) ? random_.Below(256) : random_.Below(9);
    const bool is_signed = random_.Once(2);
    std::size_t count = static_cast<std::size_t>((size + 7) / 8 * (precision + is_signed));
    if (is_int8) {
      count = static_cast<std::size_t>(size);
    }
    if (count > 4000) {
      count = random_.Below(9);
    }
    if (random_.Once(12)) {
      count += random_.Below(3);
      count -= count != 0 && random_.Once(2);
    }
    if (random_.Once(60)) {
      precision += std::uint64_t(256) << random_.Below(40);
    }
    if (!random_.Once(60)) {
      fields.push_back(Field(2, precision));
    }
    if (!random_.Once(60)) {
      fields.push_back(wire_text::real(3, random_.Real()));
    }
    if (!random_.Once(60)) {
      const double whole = random_.Between(-300, 300);
      fields.push_back(wire_text::real(4, is_int8 ? whole : random_.Real()));
    }
    if (!random_.Once(60)) {
      fields.push_back(Field(5, is_signed ? 1 + random_.Below(2) : 0));
    }
    const bool odd = count != 0 && random_.Once(30);
    std::string data = Data(count - odd);
    if (odd) {
      const std::uint64_t byte = random_.Below(256), above = 1 + random_.Below(99);
      data += Number(random_.Once(2) ? byte + 256 : random_.Once(2) ? byte | above << 32 : random_.Next());
    }
    if (!data.empty() || random_.Once(2)) {
      fields.push_back(wire_text::bytes(6, data));
    }
    while (random_.Once(20)) {
      fields.push_back(random_.Once(2) ? Field(6, random_.Below(256)) : wire_text::bytes(6, Data(2)));
    }
    if (!random_.Once(9)) {
      fields.push_back(wire_text::bytes(7, "w"));
    }
    if (is_int8 || random_.Once(12)) {
      fields.push_back(Field(8, is_int8 && !random_.Once(9) ? 6 : random_.Below(20)));
    }
    if (random_.Once(12)) {
      fields.push_back(wire_text::real(9, 0.5));
      fields.push_back(wire_text::real(10, 2));
      fields.push_back(Field(11, random_.Once(6) ? random_.Next() : random_.Below(3)));
      fields.push_back(Field(12, random_.Below(2)));
    }
    while (random_.Once(9)) {
      fields.push_back(Unknown());
    }
    std::string message = Joined(fields);
    // One message in two pieces is one message.
    if (random_.Once(12)) {
      blob->push_back(wire_text::bytes(5, random_.Once(2) ? "" : Field(2, precision)));
    }
    blob->push_back(wire_text::bytes(5, message));
  }

  Random &random_;
  std::string type_ = "QTensor";
};

// Damages a message, or not.
inline std::string mutated(Random *random, std::string bytes, const std::string &other) {
  for (int changes = random->Between(0, 3); changes > 0 && !bytes.empty(); changes--) {
    const std::size_t at = random->Below(bytes.size());
    switch (random->Below(7)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random->Below(8))); break;
      case 1: bytes.resize(at); break;
      case 2: bytes.insert(at, random->Bytes(1 + random->Below(3))); break;
      case 3: bytes.erase(at, 1 + random->Below(3)); break;
      case 4: bytes[at] = static_cast<char>(random->Next()); break;
      case 5: bytes = bytes.substr(0, at) + other.substr(random->Below(other.size() + 1)); break;
      default: bytes += bytes.substr(at); break;
    }
  }
  return bytes;
}

class MessageCase {
 public:
  MessageCase(Random *random, Report *report) : random_(*random), report_(*report) {}

  void Run() {
    MessageMaker maker(&random_);
    const bool is_int8 = random_.Once(5);
    maker.SetType(is_int8 ? "Int8TensorCPU" : "QTensor");
    const std::string whole = maker.Blob();
    bytes_ = random_.Once(3) ? whole : mutated(&random_, whole, maker.Blob());
    const ParsedBlob parsed = parse_blob(bytes_);
    if (parsed.parses && parsed.type == "Int8TensorCPU") {
      return Int8(parsed);
    }
    const bool mine = Reads(c_handle(), &ours_, &refusal_);
    if (!parsed.parses || parsed.type != "QTensor") {
      report_.Saw("messages that both refuse");
      if (mine) {
        Disagree("ours reads what is no message of a tensor");
      }
      return;
    }
    std::string ignored;
    std::unique_ptr<Subject> dropin;
    const bool in_caffe2 = Reads(dropin_class(), &dropin, &ignored);
    const std::string rule = Deliberate(parsed);
    if (!rule.empty()) {
      report_.Saw("difference: " + rule);
      if (rule == "a dimension beyond int") {
        // The library has dimensions of 64 bits, but the class has int.
        if (in_caffe2 || (mine && ours_->See().dims != parsed.dims)) {
          Disagree("a dimension beyond int is cut off");
        }
      } else if (rule == "more elements than int counts") {
        if (mine != in_caffe2 || (mine && dropin->See().dims != parsed.dims)) {
          Disagree("elements are counted as int");
        }
        return;
      } else if (mine) {
        Disagree("ours reads what it should refuse: " + rule);
      }
      if (rule.find("beyond 32 bits") == std::string::npos) {
        if (in_caffe2) {
          Disagree("the drop-in class reads what it should refuse: " + rule);
        }
        return;
      }
    } else if (mine != in_caffe2) {
      return Disagree("the drop-in class and the library differ: " + ignored);
    }
    std::unique_ptr<Subject> stock;
    const bool theirs = Reads(stock_class(), &stock, &ignored);
    report_.Saw(theirs ? "messages that both read" : "messages that both refuse");
    if (theirs != in_caffe2) {
      return Disagree(theirs ? "ours refuses it: " + refusal_ : "Caffe2 refuses it: " + ignored);
    }
    if (!theirs) {
      return;
    }
    Same(*stock, *dropin, "the drop-in class");
    if (!rule.empty()) {
      return;  // Protobuf had cut a number off before the class saw it.
    }
    Same(*stock, *ours_, "the library");
    const std::string again = ours_->Serialize("again");
    if (dropin->Serialize("again") != again) {
      Disagree("the drop-in class writes other bytes than the library");
    }
    if (!parsed.has_kept_fields && stock->Serialize("again") != again) {
      Disagree("it is written as " + hex(again) + ", not " + hex(stock->Serialize("again")));
    }
    if (parsed.has_kept_fields) {
      // Caffe2 drops those fields; it reads the same tensor from what ours writes.
      report_.Saw("difference: kept fields");
      stock->Deserialize(again);
      Same(*stock, *ours_, "the tensor read back");
    }
  }

 private:
  bool Reads(std::unique_ptr<Subject> reader, std::unique_ptr<Subject> *into, std::string *why) {
    try {
      reader->Deserialize(bytes_);
      *into = std::move(reader);
      return true;
    } catch (const std::exception &error) {
      *why = error.what();
      return false;
    }
  }

  bool Refused(const char *text) const { return refusal_.find(text) != std::string::npos; }

  // Which of the deliberate differences a message that protobuf reads falls under; it is one where
  // the message is so, whatever either library does.
  std::string Deliberate(const ParsedBlob &parsed) const {
    if (!parsed.has_tensor) {
      return "a blob without a tensor";
    }
    if (parsed.dims.size() > 64) {
      return "more than 64 dimensions";
    }
    std::uint64_t product = 1;
    bool zero = parsed.dims.empty(), negative = false, beyond = false;
    for (const std::int64_t dim : parsed.dims) {
      zero = zero || dim == 0;
      negative = negative || dim < 0;
      beyond = beyond || dim > INT_MAX;
    }
    for (const std::int64_t dim : parsed.dims) {
      if (!zero && !negative && product <= INT_MAX) {
        product *= static_cast<std::uint64_t>(dim > INT_MAX ? INT_MAX : dim);
      }
    }
    if (negative) {
      return "negative dimensions in a message";
    }
    if (beyond) {
      return "a dimension beyond int";
    }
    if (product > INT_MAX) {
      // Caffe2 multiplies them as int. A tensor without planes may have that many elements here.
      return parsed.precision == 0 && !parsed.is_signed ? "more elements than int counts"
                                                        : "overflowing dimensions in a message";
    }
    if (parsed.precision < 0 || parsed.precision > 255) {
      return "a precision beyond 255";
    }
    for (const std::int32_t value : parsed.data) {
      if (value < 0 || value > 255) {
        // Where there are too many or too few, that is what both say.
        return DataFit(parsed, product, zero) ? "data beyond a byte" : "";
      }
    }
    return Cut(parsed);
  }

  static bool DataFit(const ParsedBlob &parsed, std::uint64_t product, bool zero) {
    const std::uint64_t size = zero ? 0 : product;
    const auto planes = static_cast<std::uint64_t>(parsed.precision + parsed.is_signed);
    return (size + 7) / 8 * planes == parsed.data.size();
  }

  // Numbers beyond 32 bits, which protobuf cuts off before anybody sees them: the number that ours
  // names has to be one, and to become by the cut what protobuf gives.
  std::string Cut(const ParsedBlob &parsed) const {
    const char *const held = std::strstr(refusal_.c_str(), "holds ");
    if (held == nullptr) {
      return "";
    }
    const long long value = std::strtoll(held + 6, nullptr, 10);
    if (value >= INT_MIN && value <= INT_MAX) {
      return "";
    }
    const auto cut = static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
    if (Refused("'precision'") && cut == parsed.precision) {
      return "a precision beyond 32 bits";
    }
    if (Refused("'axis'") && parsed.has_kept_fields) {
      return "an axis beyond 32 bits";
    }
    for (const std::int32_t data : parsed.data) {
      if (Refused("'data'") && cut == data) {
        return "data beyond 32 bits";
      }
    }
    return "";
  }

  void Same(Subject &stock, Subject &ours, const char *who) {
    const Seen theirs = stock.See(), mine = ours.See();
    if (!(theirs == mine)) {
      Disagree(std::string(who) + " reads\n  " + mine.text() + "\n  and Caffe2\n  " +
               theirs.text());
    }
  }

  void Int8(const ParsedBlob &parsed) {
    SeenInt8 theirs = SeenInt8();
    std::string why;
    bool stock = true;
    std::uint64_t product = 1;
    bool odd = parsed.dims.size() > 64, beyond = false;
    for (const std::int64_t dim : parsed.dims) {
      odd = odd || dim < 0;
      beyond = beyond || dim > INT_MAX;
      product = product > INT_MAX ? UINT64_MAX : product * static_cast<std::uint64_t>(dim);
    }
    const bool mine = Reads(c_handle(), &ours_, &refusal_);
    if (odd || beyond || product > 1 << 20) {
      report_.Saw("difference: odd dimensions of an Int8TensorCPU");
      if (mine && (odd || ours_->See().dims != parsed.dims)) {
        Disagree("ours reads an Int8TensorCPU of odd dimensions");
      }
      return;
    }
    try {
      theirs = read_int8(bytes_);
    } catch (const std::exception &error) {
      stock = false;
      why = error.what();
    }
    if (stock && !mine) {
      // Each has to name a field whose value the message cannot keep.
      for (const char *field : {"'data'", "'bias'", "'axis'", "'qtensor'", "zero point", "type"}) {
        if (Refused(field)) {
          return report_.Saw(std::string("difference: Int8TensorCPU, lossy ") + field);
        }
      }
      return Disagree("ours refuses an Int8TensorCPU: " + refusal_);
    }
    if (!stock && mine) {
      return Disagree("Caffe2 refuses an Int8TensorCPU: " + why);
    }
    report_.Saw(stock ? "Int8TensorCPUs that both read" : "Int8TensorCPUs that both refuse");
    if (!stock) {
      return;
    }
    const auto read = caffe2_qtensor::Tensor::deserialize(bytes_);
    std::vector<std::int64_t> dims = theirs.dims;
    if (dims.empty()) {
      dims.push_back(1);
    }
    const bool same_dims = std::vector<std::int64_t>(read.dims().begin(), read.dims().end()) == dims;
    const auto codes = read.codes<std::int64_t>();
    const bool same_scale = static_cast<float>(read.scale()) == theirs.scale;
    if (!same_dims || codes != theirs.values || !same_scale ||
        read.bias() != -static_cast<double>(theirs.zero_point)) {
      Disagree("an Int8TensorCPU is read otherwise");
    }
  }

  void Disagree(const std::string &what) {
    report_.Disagree(what + "\n  message " + hex(bytes_) + "\n  ours says: " + refusal_);
  }

  Random &random_;
  Report &report_;
  std::unique_ptr<Subject> ours_;
  std::string bytes_, refusal_;
};

#endif
