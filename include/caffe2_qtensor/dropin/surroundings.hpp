// surroundings.hpp: what the drop-in headers take from Caffe2, or bring themselves where
// CAFFE2_QTENSOR_STANDALONE says that there is none.
//
//   CAFFE2_QTENSOR_HAS_ARRAY_REF  whether at::ArrayRef is there: not in Caffe2 of 2017
//   CAFFE2_QTENSOR_DROPIN_BEGIN, CAFFE2_QTENSOR_DROPIN_END
//       around the drop-in classes: an inline namespace where the Caffe2 around may have been built
//       with its own header. Client code says caffe2::QTensor; to the linker and to Caffe2's type
//       registry the class is another than the one in there. A Caffe2 that was itself built with
//       these headers says CAFFE2_QTENSOR_CAFFE2_FROM_SOURCE, and needs none
#ifndef CAFFE2_QTENSOR_DROPIN_SURROUNDINGS_HPP
#define CAFFE2_QTENSOR_DROPIN_SURROUNDINGS_HPP

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "../error.hpp"

#ifdef CAFFE2_QTENSOR_STANDALONE

#include "array_ref.hpp"
#include "enforce_not_met.hpp"
#define CAFFE2_QTENSOR_HAS_ARRAY_REF 1
#define CAFFE2_QTENSOR_DROPIN_BEGIN
#define CAFFE2_QTENSOR_DROPIN_END

namespace caffe2 {

// In a namespace of its own, so that QTensor<CPUContext> is not to the linker what it is in a
// Caffe2 that the same program may have loaded.
inline namespace qtensor_standalone {
// What stands for the processor's memory in QTensor<CPUContext>.
class CPUContext {};
}  // namespace qtensor_standalone

// Names that Caffe2's own headers bring into its namespace.
using std::set;
using std::string;
using std::unique_ptr;
using std::vector;
typedef std::int64_t TIndex;
using namespace c10;

}  // namespace caffe2

#else  // Caffe2 is around.

#include "caffe2/core/common.h"
#include "caffe2/core/context.h"
#include "caffe2/core/logging.h"
#include "caffe2/core/tensor.h"

#ifdef CAFFE2_QTENSOR_CAFFE2_FROM_SOURCE
#define CAFFE2_QTENSOR_DROPIN_BEGIN
#define CAFFE2_QTENSOR_DROPIN_END
#else
#define CAFFE2_QTENSOR_DROPIN_BEGIN inline namespace qtensor_dropin {
#define CAFFE2_QTENSOR_DROPIN_END }
#endif

#define CAFFE2_QTENSOR_HAS_ARRAY_REF 0
#ifdef __has_include
#if __has_include("c10/util/ArrayRef.h")
#include "c10/util/ArrayRef.h"
#undef CAFFE2_QTENSOR_HAS_ARRAY_REF
#define CAFFE2_QTENSOR_HAS_ARRAY_REF 1
#elif __has_include("ATen/core/ArrayRef.h")
#include "ATen/core/ArrayRef.h"
#undef CAFFE2_QTENSOR_HAS_ARRAY_REF
#define CAFFE2_QTENSOR_HAS_ARRAY_REF 1
#endif
#endif

#endif  // CAFFE2_QTENSOR_STANDALONE

// Keeps what seldom happens out of the way of loops over bits.
#ifdef __GNUC__
#define CAFFE2_QTENSOR_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define CAFFE2_QTENSOR_COLD __attribute__((cold, noinline))
#else
#define CAFFE2_QTENSOR_UNLIKELY(condition) (condition)
#define CAFFE2_QTENSOR_COLD
#endif

namespace caffe2 {
CAFFE2_QTENSOR_DROPIN_BEGIN
namespace qtensor_detail {

// Throws a refusal as what Caffe2's callers catch.
[[noreturn]] inline void Refuse(const ::caffe2_qtensor::Error& error) {
#ifdef CAFFE2_QTENSOR_STANDALONE
  throw EnforceNotMet(error);
#else
  CAFFE_THROW(error.what());
  // Not reached, which not every age of the macro tells the compiler.
  throw error;
#endif
}

// Calls a function of the C interface, without its last argument.
template <class Function, class... Arguments>
void Call(Function function, Arguments... arguments) {
  try {
    ::caffe2_qtensor::detail::call(function, arguments...);
  } catch (const ::caffe2_qtensor::Error& error) {
    Refuse(error);
  }
}

}  // namespace qtensor_detail
CAFFE2_QTENSOR_DROPIN_END
}  // namespace caffe2

#endif  // CAFFE2_QTENSOR_DROPIN_SURROUNDINGS_HPP
