// error.hpp: what a refused call throws.
#ifndef CAFFE2_QTENSOR_ERROR_HPP
#define CAFFE2_QTENSOR_ERROR_HPP

#include <memory>
#include <stdexcept>
#include <string>

#include "../caffe2_qtensor.h"

namespace caffe2_qtensor {

// A call that the library refused. what() is a whole sentence that names the value and the limit;
// the object that was called is as it was before, except where the call's comment in
// caffe2_qtensor.h says otherwise.
class Error : public std::runtime_error {
 public:
  Error(qtensor_status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}

  qtensor_status status() const noexcept { return status_; }

 private:
  qtensor_status status_;
};

namespace detail {

// Frees the error object even where there is no memory for the exception's copy of its message.
[[noreturn]] inline void throw_error(qtensor_status status, qtensor_error_t* error) {
  const std::unique_ptr<qtensor_error_t, void (*)(qtensor_error_t*)> owned(error,
                                                                           &qtensor_error_free);
  throw Error(status, qtensor_error_message(owned.get()));
}

// Calls a function of the C interface, without its last argument, and throws what it refuses.
template <class... Parameters, class... Arguments>
void call(qtensor_status (*function)(Parameters...), Arguments... arguments) {
  qtensor_error_t* error = nullptr;
  const qtensor_status status = function(arguments..., &error);
  if (status != QTENSOR_OK) {
    throw_error(status, error);
  }
}

// Text as the C interface takes it. It ends text at a NUL, so one inside would lose the rest.
inline const char* text_argument(const char* what, const std::string& text) {
  const std::string::size_type position = text.find('\0');
  if (position != std::string::npos) {
    throw Error(QTENSOR_INVALID_ARGUMENT, "The " + std::string(what) + " of " +
                                              std::to_string(text.size()) +
                                              " bytes has a NUL at byte " +
                                              std::to_string(position) + ", where it would end.");
  }
  return text.c_str();
}

inline const char* name_argument(const std::string& name) { return text_argument("name", name); }
inline const char* path_argument(const std::string& path) { return text_argument("path", path); }

[[noreturn]] inline void throw_out_of_range(const char* what, const std::string& value,
                                            const std::string& limit) {
  const std::string outside =
      limit == "-1" ? ", but there is none." : ", outside the range 0 to " + limit + ".";
  throw Error(QTENSOR_OUT_OF_RANGE, "The " + std::string(what) + " is " + value + outside);
}

[[noreturn]] inline void throw_out_of_range(const char* what, int value, int limit) {
  throw_out_of_range(what, std::to_string(value), std::to_string(limit));
}

}  // namespace detail
}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_ERROR_HPP
