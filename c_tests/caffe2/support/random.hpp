// random.hpp: repeatable random numbers (splitmix64), the same on every machine.
#ifndef RANDOM_HPP
#define RANDOM_HPP

#include <cstddef>
#include <cstdint>
#include <string>

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  // Below a limit, which is not 0.
  std::size_t Below(std::size_t limit) { return static_cast<std::size_t>(Next() % limit); }
  int Between(int least, int most) {
    return least + static_cast<int>(Below(static_cast<std::size_t>(most - least + 1)));
  }
  // Once in so many times.
  bool Once(std::size_t times) { return Below(times) == 0; }
  std::string Bytes(std::size_t count) {
    std::string bytes(count, '\0');
    for (char &byte : bytes) {
      byte = static_cast<char>(Next());
    }
    return bytes;
  }
  double Real() {
    const double some[] = {0, -0.0, 1, -1, 0.5, 1.337, 1e300, 5e-324};
    return Once(3) ? some[Below(8)] : static_cast<double>(Next() >> 40) / 4096 - 1000;
  }

 private:
  std::uint64_t state_;
};

#endif
