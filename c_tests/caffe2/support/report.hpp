// report.hpp: what the differential test found: how often each deliberate difference was met, and
// disagreements beyond them.
#ifndef REPORT_HPP
#define REPORT_HPP

#include <cstdio>
#include <map>
#include <string>

class Report {
 public:
  void StartCase(std::uint64_t seed, std::uint64_t number) {
    seed_ = seed;
    case_ = number;
    cases_++;
  }
  // Something that was seen, to be counted.
  void Saw(const std::string &what) { seen_[what]++; }

  // A disagreement: printed whole, with how to repeat it.
  void Disagree(const std::string &what) {
    disagreements_++;
    if (disagreements_ <= 20) {
      std::fprintf(stderr,
                   "DISAGREEMENT in case %llu: %s\n"
                   "  again with CAFFE2_QTENSOR_SEED=%llu CAFFE2_QTENSOR_FIRST=%llu "
                   "CAFFE2_QTENSOR_CASES=1\n",
                   static_cast<unsigned long long>(case_), what.c_str(),
                   static_cast<unsigned long long>(seed_), static_cast<unsigned long long>(case_));
    }
  }

  unsigned long long cases() const { return cases_; }
  unsigned long long disagreements() const { return disagreements_; }
  unsigned long long Count(const std::string &what) const {
    const auto found = seen_.find(what);
    return found == seen_.end() ? 0 : found->second;
  }
  void Print() const {
    for (const auto &entry : seen_) {
      std::printf("%10llu  %s\n", entry.second, entry.first.c_str());
    }
  }

 private:
  std::uint64_t seed_ = 0, case_ = 0;
  unsigned long long cases_ = 0, disagreements_ = 0;
  std::map<std::string, unsigned long long> seen_;
};

inline std::string hex(const std::string &bytes) {
  const char *const digits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += digits[static_cast<unsigned char>(byte) >> 4];
    text += digits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

#endif
