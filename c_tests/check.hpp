// check.hpp: check.h for the programs in C++, with what exceptions need.
//
//   THROWS(STATUS, "text", expression)   throws an Error with that status, whose message is a
//                                        sentence that contains the text.
#ifndef CHECK_HPP
#define CHECK_HPP

#include "check.h"

#include <exception>
#include <stdexcept>
#include <string>

#include "caffe2_qtensor/error.hpp"

template <class Function>
void check_throws(qtensor_status expected, const char *text, Function function, const char *call,
                  const char *file, int line) {
  try {
    function();
    check(false, call, file, line);
    fprintf(stderr, "  nothing was thrown\n");
  } catch (const caffe2_qtensor::Error &thrown) {
    check(thrown.status() == expected, call, file, line);
    if (thrown.status() != expected) {
      fprintf(stderr, "  status %d where %d is due\n", static_cast<int>(thrown.status()),
              static_cast<int>(expected));
    }
    check(is_sentence(thrown.what()), "the message is a sentence", file, line);
    snprintf(message, sizeof message, "%s", thrown.what());
    check_says(text, file, line);
  } catch (const std::exception &other) {
    check(false, call, file, line);
    fprintf(stderr, "  another exception: %s\n", other.what());
  }
}

#define THROWS(status, text, ...) \
  check_throws((status), (text), [&] { static_cast<void>(__VA_ARGS__); }, #__VA_ARGS__, __FILE__, \
               __LINE__)

// A whole file.
inline std::string file_bytes(const std::string &path) {
  size_t length;
  uint8_t *bytes = read_file(path.c_str(), &length);
  const std::string string(reinterpret_cast<const char *>(bytes), length);
  free(bytes);
  return string;
}

#endif
