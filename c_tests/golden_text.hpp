// golden_text.hpp: golden_text.h for the programs in C++: lists and bytes that free themselves.
#ifndef GOLDEN_TEXT_HPP
#define GOLDEN_TEXT_HPP

#include "golden_text.h"

#include <string>
#include <vector>

#include "check.hpp"

inline std::vector<int64_t> integer_list() {
  size_t count;
  int64_t *list = integers(&count);
  const std::vector<int64_t> copy(list, list + count);
  free(list);
  return copy;
}

inline std::string hex_string() {
  const byte_string bytes = hex();
  const std::string copy(reinterpret_cast<const char *>(bytes.bytes), bytes.length);
  free(bytes.bytes);
  return copy;
}

#endif
