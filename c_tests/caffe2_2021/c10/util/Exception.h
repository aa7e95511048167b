// Exception.h: what everything throws. Its what() has the place behind the message.
#pragma once

#include <exception>
#include <sstream>
#include <string>

namespace c10 {

class Error : public std::exception {
 public:
  Error(const char *file, int line, const char *condition, const std::string &msg)
      : msg_("[enforce fail at " + std::string(file) + ":" + std::to_string(line) + "] " +
             condition + ". " + msg),
        what_(msg_ + "\n(no backtrace available)") {}

  const std::string &msg() const { return msg_; }
  const char *what() const noexcept override { return what_.c_str(); }
  const char *what_without_backtrace() const noexcept { return msg_.c_str(); }

 private:
  std::string msg_, what_;
};

inline void AppendTo(std::ostringstream &) {}
template <class First, class... Rest>
void AppendTo(std::ostringstream &out, const First &first, const Rest &...rest) {
  out << first;
  AppendTo(out, rest...);
}
template <class... Arguments>
std::string str(const Arguments &...arguments) {
  std::ostringstream out;
  AppendTo(out, arguments...);
  return out.str();
}

[[noreturn]] inline void ThrowEnforceNotMet(const char *file, int line, const char *condition,
                                            const std::string &msg) {
  throw Error(file, line, condition, msg);
}

}  // namespace c10

#define CAFFE_ENFORCE(condition, ...) \
  do { \
    if (!(condition)) { \
      ::c10::ThrowEnforceNotMet(__FILE__, __LINE__, #condition, ::c10::str(__VA_ARGS__)); \
    } \
  } while (false)

#define CAFFE_THROW(...) \
  ::c10::ThrowEnforceNotMet(__FILE__, __LINE__, "", ::c10::str(__VA_ARGS__))
