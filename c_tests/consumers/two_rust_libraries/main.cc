// Calls both libraries; the second one panics inside, and catches it.
#include <caffe2_qtensor.h>

#include <cstdlib>
#include <iostream>

extern "C" int second_divide(int dividend, int divisor, int otherwise);

int main() {
  qtensor_error_t* error = nullptr;
  qtensor_t* tensor = qtensor_create();
  const qtensor_status refused = qtensor_set_bit(tensor, 200, 5, true, &error);
  std::cout << qtensor_error_message(error) << "\n";
  qtensor_error_free(error);
  qtensor_free(tensor);
  const bool good = refused != QTENSOR_OK && second_divide(7, 2, -1) == 3 &&
                    second_divide(7, 0, -1) == -1;
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
