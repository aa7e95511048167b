// logging.h: exceptions. Their what() has the place before the message.
#ifndef CAFFE2_2017_LOGGING_H
#define CAFFE2_2017_LOGGING_H

#include <exception>
#include <sstream>

#include "caffe2/core/common.h"

namespace caffe2 {

inline void MakeStringInternal(std::ostringstream &) {}
template <class First, class... Rest>
void MakeStringInternal(std::ostringstream &out, const First &first, const Rest &...rest) {
  out << first;
  MakeStringInternal(out, rest...);
}
template <class... Arguments>
string MakeString(const Arguments &...arguments) {
  std::ostringstream out;
  MakeStringInternal(out, arguments...);
  return out.str();
}

class EnforceNotMet : public std::exception {
 public:
  EnforceNotMet(const char *file, int line, const char *condition, const string &msg)
      : msg_stack_{MakeString("[enforce fail at ", file, ":", line, "] ", condition, ". ", msg)},
        full_msg_(msg_stack_[0]) {}

  string msg() const { return full_msg_; }
  const vector<string> &msg_stack() const { return msg_stack_; }
  const char *what() const noexcept override { return full_msg_.c_str(); }

 private:
  vector<string> msg_stack_;
  string full_msg_;
};

}  // namespace caffe2

#define CAFFE_ENFORCE(condition, ...) \
  do { \
    if (!(condition)) { \
      throw ::caffe2::EnforceNotMet(__FILE__, __LINE__, #condition, \
                                    ::caffe2::MakeString(__VA_ARGS__)); \
    } \
  } while (false)

#define CAFFE_THROW(...) \
  throw ::caffe2::EnforceNotMet(__FILE__, __LINE__, "", ::caffe2::MakeString(__VA_ARGS__))

#endif
