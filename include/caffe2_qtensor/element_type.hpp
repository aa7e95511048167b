// element_type.hpp: which types the elements of an ordinary tensor may have.
#ifndef CAFFE2_QTENSOR_ELEMENT_TYPE_HPP
#define CAFFE2_QTENSOR_ELEMENT_TYPE_HPP

#include <cstdint>
#include <string>

#include "error.hpp"

namespace caffe2_qtensor {
namespace detail {

// The QTENSOR_ELEMENT_ constant of a type.
template <class T>
struct ElementType;
template <std::int32_t type>
struct ElementTypeIs {
  static constexpr std::int32_t number() noexcept { return type; }
};
template <>
struct ElementType<float> : ElementTypeIs<QTENSOR_ELEMENT_FLOAT> {};
template <>
struct ElementType<double> : ElementTypeIs<QTENSOR_ELEMENT_DOUBLE> {};
template <>
struct ElementType<bool> : ElementTypeIs<QTENSOR_ELEMENT_BOOL> {};
template <>
struct ElementType<std::uint8_t> : ElementTypeIs<QTENSOR_ELEMENT_UINT8> {};
template <>
struct ElementType<std::int8_t> : ElementTypeIs<QTENSOR_ELEMENT_INT8> {};
template <>
struct ElementType<std::uint16_t> : ElementTypeIs<QTENSOR_ELEMENT_UINT16> {};
template <>
struct ElementType<std::int16_t> : ElementTypeIs<QTENSOR_ELEMENT_INT16> {};
template <>
struct ElementType<std::int32_t> : ElementTypeIs<QTENSOR_ELEMENT_INT32> {};
template <>
struct ElementType<std::int64_t> : ElementTypeIs<QTENSOR_ELEMENT_INT64> {};
static_assert(sizeof(bool) == 1, "the library keeps a truth value in a byte");

inline std::string element_type_name(std::int32_t type) {
  switch (type) {
    case QTENSOR_ELEMENT_FLOAT: return "float";
    case QTENSOR_ELEMENT_DOUBLE: return "double";
    case QTENSOR_ELEMENT_BOOL: return "bool";
    case QTENSOR_ELEMENT_UINT8: return "uint8_t";
    case QTENSOR_ELEMENT_INT8: return "int8_t";
    case QTENSOR_ELEMENT_UINT16: return "uint16_t";
    case QTENSOR_ELEMENT_INT16: return "int16_t";
    case QTENSOR_ELEMENT_INT32: return "int32_t";
    case QTENSOR_ELEMENT_INT64: return "int64_t";
    case QTENSOR_ELEMENT_FLOAT16: return "half precision";
    default: return "number " + std::to_string(type);
  }
}

// Refuses elements of `type` as Ts. Half precision has no type in C++11 and goes by its bits.
template <class T>
void check_element_type(std::int32_t type) {
  const std::int32_t asked = ElementType<T>::number();
  if (type != asked && !(type == QTENSOR_ELEMENT_FLOAT16 && asked == QTENSOR_ELEMENT_UINT16)) {
    throw Error(QTENSOR_UNSUPPORTED, "The element type is " + element_type_name(type) +
                                         ", which is not supported: the C++ type is " +
                                         element_type_name(asked) + ".");
  }
}

}  // namespace detail
}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_ELEMENT_TYPE_HPP
