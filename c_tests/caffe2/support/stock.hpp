// stock.hpp: the three quantized tensors that one process may hold, behind one plain interface:
// Caffe2's own class, the drop-in class, and the handle of the C interface.
//
// A call that is refused throws a std::exception.
#ifndef STOCK_HPP
#define STOCK_HPP

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// All that can be seen of a tensor from outside.
struct Seen {
  std::vector<std::int64_t> dims;
  int precision;
  bool is_signed;
  std::uint64_t scale, bias;  // as bit patterns
  std::uint64_t size, aligned_size, nbytes, alignment;
  bool has_data;
  std::string planes;

  bool operator==(const Seen &other) const;
  std::string text() const;
};

class Subject {
 public:
  virtual ~Subject() {}
  virtual void Resize(const std::vector<int> &dims) = 0;
  virtual void SetPrecision(int precision) = 0;
  virtual void SetSigned(bool is_signed) = 0;
  virtual void SetScale(double scale) = 0;
  virtual void SetBias(double bias) = 0;
  virtual void SetBit(int bit, std::size_t index, bool value) = 0;
  virtual bool GetBit(int bit, std::size_t index) = 0;
  // All planes, allocated if they are not there yet.
  virtual unsigned char *Planes() = 0;
  virtual std::int64_t CanonicalAxis(int axis) = 0;
  virtual std::int64_t SizeFrom(int k) = 0;
  virtual std::int64_t SizeTo(int k) = 0;
  virtual std::int64_t Dim(int i) = 0;
  virtual Seen See() = 0;
  virtual std::string Serialize(const std::string &name) = 0;
  virtual void Deserialize(const std::string &bytes) = 0;
};

std::unique_ptr<Subject> stock_class();
std::unique_ptr<Subject> dropin_class();
std::unique_ptr<Subject> c_handle();

// What the real Caffe2's protobuf makes of the bytes of a blob.
struct ParsedBlob {
  bool parses;  // and has all required fields
  std::string type;
  bool has_tensor;
  std::int64_t precision;
  std::vector<std::int64_t> dims;
  bool is_signed;
  std::vector<std::int32_t> data;
  bool has_kept_fields;  // those that Caffe2 drops and this library keeps
};
ParsedBlob parse_blob(const std::string &bytes);

// An Int8TensorCPU blob, as the real Caffe2 reads it.
struct SeenInt8 {
  float scale;
  std::int32_t zero_point;
  std::vector<std::int64_t> dims;
  std::vector<std::int64_t> values;
};
SeenInt8 read_int8(const std::string &bytes);

#endif
