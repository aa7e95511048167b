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

#endif
