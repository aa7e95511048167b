/* caffe2_qtensor: Caffe2's quantized tensor behind a C interface.
 *
 * Generated from the library's source; edit that, then run `make header` there.
 *
 * A quantized tensor holds integer codes as bit planes. Caffe2 keeps one in a protobuf message, the
 * QTensorProto, puts that into another with a name and a type, the BlobProto, and stores blobs by
 * name in a database file, the minidb. In short:
 *
 *   const int64_t dims[] = {2, 3}, codes[] = {1, -2, 3, -15, 0, 15};
 *   qtensor_t *tensor = NULL;
 *   qtensor_error_t *error = NULL;
 *   uint8_t blob[256];
 *   size_t length;
 *   if (qtensor_create_with(dims, 2, 4, true, &tensor, &error) != QTENSOR_OK ||
 *       qtensor_write_codes(tensor, codes, 6, &error) != QTENSOR_OK ||
 *       qtensor_serialize(tensor, "fc1_w", blob, sizeof blob, &length, &error) != QTENSOR_OK) {
 *     fprintf(stderr, "%s\n", qtensor_error_message(error));
 *     qtensor_error_free(error);
 *   }
 *   qtensor_free(tensor);
 *
 * Conventions
 *
 * Handles (qtensor_t and the others whose members are not shown) are made by a create, clone,
 * open, load or deserialize call and freed by the free call of their type, which takes NULL too.
 * A call that takes a handle as const only reads it: any number of threads may make such calls on
 * one handle at once. Every other call needs its handle alone. Threads are started only by calls
 * that are told how many, and have ended when such a call returns. The library may be used after
 * fork(); all it keeps for itself is which instructions the processor has and a number for
 * temporary files.
 *
 * Calls that can fail return a qtensor_status and take a last argument `error`, which may be NULL.
 * A call that fails changes nothing and writes no output, except where its comment says so, and if
 * `error` is not NULL it puts an error object there, over whatever stood there; the caller frees it
 * with qtensor_error_free(). On success `*error` is left alone, so set it to NULL before if it is
 * to be looked at. Every such call may also return, beyond what its comment names:
 *   QTENSOR_NULL_ARGUMENT     a pointer was NULL that is not `error` and may not be, as its
 *                             comment says,
 *   QTENSOR_INVALID_ARGUMENT  an address is not aligned for its type, or a length is impossible,
 *   QTENSOR_OUT_OF_MEMORY     memory ran out. Where it does as the standard library opens a file or
 *                             starts a thread, that ends the process,
 *   QTENSOR_PANIC             a defect of the library was caught; its details are on stderr. What
 *                             the call was to change may be changed in part, and is valid still.
 *
 * Calls that cannot fail answer 0, false or NULL for a NULL handle, or what their comment says.
 *
 * Buffers are borrowed for the time of the call and overlap no other argument; (NULL, 0) is an
 * empty one. Pointers that the library gives out into an object are valid until the next call that
 * may change or free it. Strings are NUL-terminated, in any encoding. A structure with a first
 * member struct_size is filled by the library after the caller has set that to the structure's
 * sizeof; it then says how much was filled.
 *
 * Options are such a structure filled by the caller. NULL stands for all defaults. A program built
 * with an older header passes a smaller structure and gets the defaults of what it lacks; one built
 * with a newer header may set no option that this library does not have (QTENSOR_UNSUPPORTED). A
 * size below that of the first version is QTENSOR_BUFFER_TOO_SMALL.
 */

#ifndef CAFFE2_QTENSOR_H
#define CAFFE2_QTENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of this header; qtensor_version() is the library's. */
#define CAFFE2_QTENSOR_VERSION_MAJOR 0
#define CAFFE2_QTENSOR_VERSION_MINOR 1
#define CAFFE2_QTENSOR_VERSION_PATCH 0
#define CAFFE2_QTENSOR_VERSION "0.1.0"

// The largest number of dimensions that a tensor may have.
#define QTENSOR_MAX_DIMS 64

// Elements of 32-bit floating point.
#define QTENSOR_ELEMENT_FLOAT 1

// Elements of int32_t.
#define QTENSOR_ELEMENT_INT32 2

// Truth values, a byte each: 0 or 1.
#define QTENSOR_ELEMENT_BOOL 5

// Elements of uint8_t.
#define QTENSOR_ELEMENT_UINT8 6

// Elements of int8_t.
#define QTENSOR_ELEMENT_INT8 7

// Elements of uint16_t.
#define QTENSOR_ELEMENT_UINT16 8

// Elements of int16_t.
#define QTENSOR_ELEMENT_INT16 9

// Elements of int64_t.
#define QTENSOR_ELEMENT_INT64 10

// IEEE 754 half precision, each as the uint16_t of its bits.
#define QTENSOR_ELEMENT_FLOAT16 12

// Elements of 64-bit floating point.
#define QTENSOR_ELEMENT_DOUBLE 13

// The chooser of Caffe2's quant_utils: the scale is a double, and of the two candidates for the
// zero point, qmin - min/scale and qmax - max/scale, that with the smaller |q| - |value/scale| is
// taken.
#define QTENSOR_CHOOSER_QUANT_UTILS 0

// The chooser of fbgemm, which dnnlowp and so Caffe2's operators use: the scale is rounded to a
// float, and the candidate with the smaller |q| + |value/scale| is taken. There it knew no reduced
// range; here it takes one.
#define QTENSOR_CHOOSER_DNNLOWP 1

// By the tensor's own scale and bias, or those of its channels; logarithmic where the tensor is.
#define QTENSOR_SCHEME_PARAMETERS 0

// DoReFa's quantizer for activations, round(n * clip(v, 0, 1)) / n with n = 2^precision - 1: sets
// the tensor's scale to 1 / n and its bias to 0 and removes its channels. For unsigned tensors.
#define QTENSOR_SCHEME_DOREFA_ACTIVATIONS 1

// DoReFa's quantizer for weights, 2 * q(tanh(w) / (2 * max|tanh(w)|) + 1/2) - 1 with the q for
// activations: sets the tensor's scale to 2 / n and its bias to -n / 2 and removes its channels.
// The maximum is that of the finite weights; where all of them are 0, the quotient counts as 0. For
// unsigned tensors.
#define QTENSOR_SCHEME_DOREFA_WEIGHTS 2

// To the nearest code; from the middle between two to the even one.
#define QTENSOR_ROUND_NEAREST_EVEN 0

// To the nearest code; from the middle between two to the one farther from zero.
#define QTENSOR_ROUND_NEAREST_AWAY 1

// To the next code below; in a logarithmic tensor, as all roundings there, by the magnitude.
#define QTENSOR_ROUND_FLOOR 2

// To the next code above.
#define QTENSOR_ROUND_CEIL 3

// To the next code in the direction of code 0.
#define QTENSOR_ROUND_TOWARD_ZERO 4

// Up with the probability of the fraction, else down. Decided by the seed and the element's index
// alone.
#define QTENSOR_ROUND_STOCHASTIC 5

// As Caffe2's Int8Quantize: value and scale in single precision, and so their quotient, which is
// rounded to the nearest integer (even in the middle) before the zero point is added. The scale has
// to be a normal number in single precision too, and the bias minus a 32-bit integer.
#define QTENSOR_ROUND_CAFFE2 6

// A value that is NaN or infinite is refused with QTENSOR_NON_FINITE.
#define QTENSOR_NON_FINITE_REFUSE 0

// Infinities take the lowest or the highest code. NaN takes code 0, which stands for the value 0
// only where the bias is 0.
#define QTENSOR_NON_FINITE_SATURATE 1

// The best way for the operands: what qtensor_product_method() says.
#define QTENSOR_METHOD_BEST 0

// AND and popcount, of each plane of one side with each of the other. The best way where the two
// numbers of planes, a sign plane being one, multiply to 4 or less.
#define QTENSOR_METHOD_POPCOUNT 1

// The same in half the work, for signed codes of 1 bit on both sides.
#define QTENSOR_METHOD_TERNARY 2

// Both sides become bytes, which are multiplied: the best way for more planes than that.
#define QTENSOR_METHOD_BYTES 3

// The input becomes bytes; the weights are read as planes and are bytes in registers alone. The best
// way for more planes than that and up to 8 rows of input.
#define QTENSOR_METHOD_PLANES 4

// Scale and bias are the members of the format.
#define QTENSOR_INPUT_GIVEN 0

// Scale and bias are chosen for each call, so that the codes cover all of its values, and 0 exactly:
// without a sign by qtensor_params_choose() with its defaults, with one from the largest magnitude.
// The members of the format do not count.
#define QTENSOR_INPUT_COVERING 1

// To the nearest code; from the middle between two to the even one. Scales and biases are taken as
// the doubles that they are.
#define QTENSOR_FIXED_NEAREST 0

// Bit for bit as dnnlowp: (a * q + 2^(s - 1)) >> s, and the zero point of the result. Here a is the
// code less its zero point, or the product of two such; q / 2^s is the quotient of the scales, rounded
// to single precision as these are, with q normalized to 31 bits. The middle between two codes goes
// to the upper one. Biases are minus zero points.
#define QTENSOR_FIXED_DNNLOWP 1

// A histogram with exact sums, from which the error of any codes is told.
#define QTENSOR_OBSERVER_HISTOGRAM 0

// The smallest and the largest value, at the speed of reading.
#define QTENSOR_OBSERVER_RANGE 1

// The average of the batches' smallest values and of their largest: average + weight * (batch -
// average). It depends on the batches and their order, so such observers cannot be merged.
#define QTENSOR_OBSERVER_MOVING_AVERAGE 2

// Values that are NaN or infinite are counted and otherwise left out.
#define QTENSOR_NON_FINITE_SKIP 2

// The smallest mean squared error.
#define QTENSOR_METHOD_MSE 0

// The smallest mean absolute error.
#define QTENSOR_METHOD_MAE 1

// The range from the smallest to the largest value.
#define QTENSOR_METHOD_MIN_MAX 2

// The range from minus the largest magnitude to it.
#define QTENSOR_METHOD_MAX_ABS 3

// The range of a moving average.
#define QTENSOR_METHOD_MOVING_AVERAGE 4

// The range between the quantiles `low` and `high`, from 0 to 1.
#define QTENSOR_METHOD_PERCENTILE 5

// The range from `low` to `high`, whose scale must be from 1e-200 to 1e200.
#define QTENSOR_METHOD_FIXED 6

// Any bias. The error is smallest so.
#define QTENSOR_ZERO_FREE 0

// A bias that is a whole number: minus a zero point, which need not be a code.
#define QTENSOR_ZERO_INTEGER 1

// A bias that is minus a code, which then stands for 0 exactly. Int8 tensors need that.
#define QTENSOR_ZERO_EXACT 2

// From the smallest to the largest value.
#define QTENSOR_CAFFE2_MIN_MAX 0

// The window of a histogram's bins with the smallest sum of absolute errors.
#define QTENSOR_CAFFE2_L1 1

// The window with the smallest sum of squared errors.
#define QTENSOR_CAFFE2_L2 2

// Cuts off values for as long as the sum of squared errors falls; with preserve_sparsity it is
// QTENSOR_CAFFE2_L2.
#define QTENSOR_CAFFE2_L2_APPROX 3

// The window with the smallest Kullback-Leibler divergence, for codes of 8 bits whatever the
// precision, as there.
#define QTENSOR_CAFFE2_KL 4

// The range that holds a share of the values.
#define QTENSOR_CAFFE2_P99 5

// Linux's powercap tree.
#define QTENSOR_ENERGY_POWERCAP 1

// Linux's performance events.
#define QTENSOR_ENERGY_PERF 2

// What a call came to. Values are never renumbered; later versions may add some.
//
// A call that does not return QTENSOR_OK has changed nothing and written no output, except where
// its comment says so. Where several things are wrong, which of them is reported is not promised.
enum qtensor_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The call did what it is for.
  QTENSOR_OK = 0,
  // A pointer that must not be NULL was NULL.
  QTENSOR_NULL_ARGUMENT = 1,
  // A value that makes no sense here, such as a negative dimension, or an object that cannot do
  // this now, such as a writer that was committed.
  QTENSOR_INVALID_ARGUMENT = 2,
  // An index or a number outside the range that the object allows.
  QTENSOR_OUT_OF_RANGE = 3,
  // A size beyond what can be counted or stored.
  QTENSOR_OVERFLOW = 4,
  // Memory could not be had.
  QTENSOR_OUT_OF_MEMORY = 5,
  // Two sizes that must agree do not.
  QTENSOR_SHAPE_MISMATCH = 6,
  // Bytes or a file that are no valid message or database.
  QTENSOR_MALFORMED = 7,
  // Legal, but not something that this library does.
  QTENSOR_UNSUPPORTED = 8,
  // The result does not fit the buffer or structure that was passed.
  QTENSOR_BUFFER_TOO_SMALL = 9,
  // The operating system refused an operation on a file.
  QTENSOR_IO = 10,
  // A value that must be finite is infinite or not a number.
  QTENSOR_NON_FINITE = 11,
  // What was asked for is not there, such as a blob of that name.
  QTENSOR_UNAVAILABLE = 12,
  // A defect of this library, caught at its border. The objects that the call could change may
  // have been changed and are only to be freed; no other is affected.
  QTENSOR_PANIC = 13,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum qtensor_status qtensor_status;
#else
typedef int32_t qtensor_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Every blob of a database, decoded. It never changes, so all calls may run on one of them from
// many threads at once.
typedef struct qtensor_blobs_t qtensor_blobs_t;

// An ordinary tensor: dimensions and elements in row-major order. It never changes, so all
// calls may run on one of them from many threads at once.
typedef struct qtensor_dense_t qtensor_dense_t;

// Measures what the processor's packages take, by counters that they have, whatever runs on them. Not
// to be used by several threads at once.
typedef struct qtensor_energy_meter_t qtensor_energy_meter_t;

// Why a call failed: a status and a whole sentence in English.
//
// Owned by the caller, who frees it with qtensor_error_free(). It never changes and may be read
// from several threads at once.
typedef struct qtensor_error_t qtensor_error_t;

// What some values lost against their references: sums of the error e = y - x, of values y and
// references x, for the whole tensor or for each of its channels. It can be merged with others. Calls
// that take it as const may be made by several threads at once.
typedef struct qtensor_loss_t qtensor_loss_t;

// A database that is being read. Between calls it keeps one record's key, name and type in
// memory, whatever the file's size; the load calls read one blob at a time. The file must not be
// changed meanwhile; one that became shorter is reported as damage.
typedef struct qtensor_minidb_reader_t qtensor_minidb_reader_t;

// A database that is being written. Nothing of it is seen under its own name until
// qtensor_minidb_writer_commit().
typedef struct qtensor_minidb_writer_t qtensor_minidb_writer_t;

// Remembers of values what a choice of scale and bias needs, in memory whose size is fixed when it
// is created: for each channel 40 bytes for each bin of a histogram and 512 more, and for the work on
// all of them some three times that.
// Its state follows from the values alone, to the last bit: not from how they were split into
// batches, their order, or how observers were merged. Not to be used by several threads at once,
// except by calls that take it as const; threads observe by an observer each.
typedef struct qtensor_observer_t qtensor_observer_t;

// The weights of matrix products, laid out for the processor: made once from a tensor, of which it
// keeps nothing, and used any number of times. It never changes, so all calls may run on one of
// them from many threads at once.
typedef struct qtensor_packed_t qtensor_packed_t;

// A quantized tensor: integer codes of `precision` bits, kept as bit planes.
//
// A code x stands for the value scale * (x + bias), except as qtensor_set_channels() and
// qtensor_set_logarithmic() say. In a signed tensor it is a magnitude and a sign. Calls that take
// it as const may run on one tensor from many threads at once; any other call needs it alone.
typedef struct qtensor_t qtensor_t;

// A tensor's geometry and planes, for code that reads bits inline.
//
// Bit `bit` of element `i` is `data[bit * plane_stride + i / 8] & (0x80 >> (i % 8))`; the sign is
// bit `precision`. Valid until the next call that may change or free the tensor.
typedef struct {
  // Before the call the caller's sizeof(qtensor_view_t), after it the bytes that were filled.
  size_t struct_size;
  // The number of elements.
  size_t size;
  // Bytes from the start of one plane to the start of the next.
  size_t plane_stride;
  // All planes, or NULL before the first write, when every bit is 0, and where there is no byte.
  const uint8_t *data;
  // The number of magnitude planes.
  uint8_t precision;
  // Whether a sign plane follows them.
  bool is_signed;
  // Whether the planes are lent for reading: the next call that writes copies them first.
  bool is_read_only;
  // Always 0; a later version may give these bytes a meaning.
  uint8_t reserved[5];
} qtensor_view_t;

// The fields of a QTensorProto as protobuf gives them. All its required fields are there.
typedef struct {
  // The caller's sizeof(qtensor_parsed_t).
  size_t struct_size;
  // The dimensions, outermost first; may be NULL where there are none.
  const int64_t *dims;
  // The number of dimensions.
  size_t ndim;
  // The bytes of the planes, one in each value; may be NULL where there are none.
  const int32_t *data;
  // The number of values in data.
  size_t data_count;
  // One scale a channel; may be NULL where there are none.
  const double *scales;
  // The number of scales.
  size_t scale_count;
  // One bias a channel; may be NULL where there are none.
  const double *biases;
  // The number of biases.
  size_t bias_count;
  // The scale of all elements.
  double scale;
  // The bias of all elements, in units of codes.
  double bias;
  // Magnitude planes, 0 to 255.
  int32_t precision;
  // Not 0 where a sign plane follows the others.
  int32_t is_signed;
  // Not 0 where the message has an axis.
  int32_t has_axis;
  // Which dimension the channels are.
  int32_t axis;
  // Not 0 where the message says whether there are channels.
  int32_t has_is_multiparam;
  // Not 0 where there are channels.
  int32_t is_multiparam;
  // Not 0 where the message has a data type.
  int32_t has_data_type;
  // A number of TensorProto.DataType; one that it does not have counts as absent.
  int32_t data_type;
} qtensor_parsed_t;

// A blob's name and type: any bytes, not NUL-terminated. They lie in the serialized bytes and are
// valid as long as those.
typedef struct {
  // Before the call the caller's sizeof(qtensor_blob_info_t), after it the bytes filled.
  size_t struct_size;
  // The name. Not to be read where its length is 0.
  const char *name;
  // The name's length in bytes.
  size_t name_length;
  // The type, such as "QTensor". Not to be read where its length is 0.
  const char *type_name;
  // The type's length in bytes.
  size_t type_length;
} qtensor_blob_info_t;

// Tells the lender of memory that nothing reads or writes it any more.
//
// Called once for each borrowing call that succeeds, from the thread whose call ends the use, with
// the `context` of the borrowing call. It returns normally, without an exception or longjmp(), and
// calls nothing of this library with the tensor that borrowed.
typedef void (*qtensor_release_t)(void *context);

// A record of a database: byte strings, not NUL-terminated, valid until the next call on the
// reader that may change it, the next step included.
typedef struct {
  // Before the call the caller's sizeof(qtensor_minidb_entry_t), after it the bytes filled.
  size_t struct_size;
  // The record's key: the blob's name, with "#%K" behind it for a chunk of a large tensor.
  const char *key;
  // The key's length in bytes, 1 or more.
  size_t key_length;
  // The key's length without the number of a chunk: the name that
  // qtensor_minidb_reader_load_dense() takes, once it is copied and NUL-terminated.
  size_t blob_name_length;
  // The name inside the blob. Not to be read where its length is 0.
  const char *name;
  // The name's length in bytes.
  size_t name_length;
  // The blob's type, such as "QTensor". Not to be read where its length is 0.
  const char *type_name;
  // The type's length in bytes.
  size_t type_length;
  // The blob's size in bytes.
  uint64_t value_size;
  // Where the blob begins in the file, in bytes.
  uint64_t value_offset;
} qtensor_minidb_entry_t;

// What qtensor_params_choose() is asked for. The default is 0 to 255 and 0 for all else.
typedef struct {
  // The caller's sizeof(qtensor_choose_options_t).
  size_t struct_size;
  // The smallest code.
  int32_t qmin;
  // The largest code.
  int32_t qmax;
  // Not 0: a range with values on both sides of 0 is widened so that 0 falls on the code in the
  // middle.
  int32_t preserve_sparsity;
  // Not 0: the scale is rounded up to a power of two.
  int32_t force_scale_power_of_two;
  // Not 0: qmin and qmax are halved, toward 0, before anything else.
  int32_t reduce_range;
  // A QTENSOR_CHOOSER_ constant.
  int32_t chooser;
  // Not 0: sound results where Caffe2's are not, instead of the same as Caffe2. A power of two
  // is then the smallest that is not less than the scale; Caffe2's are wrong, even negative, for
  // scales above 2^30 and from 2^-31 down, and too large at 2^29. And QTENSOR_NON_FINITE where
  // Caffe2 returns an infinite scale, because the range widened for sparsity exceeds single
  // precision.
  int32_t mend_defects;
  // Must be 0; a later version may give it a meaning.
  int32_t reserved;
} qtensor_choose_options_t;

// A scale and a zero point: a code q stands for scale * (q - zero_point). A tensor takes them by
// qtensor_set_scale() and qtensor_set_zero_point().
typedef struct {
  // Before the call the caller's sizeof(qtensor_chosen_t), after it the bytes that were filled.
  size_t struct_size;
  // The distance between the values of two neighboring codes; from QTENSOR_CHOOSER_DNNLOWP one
  // that a float holds.
  double scale;
  // The code that stands for 0, from qmin to qmax.
  int32_t zero_point;
  // Always 0; a later version may give it a meaning.
  int32_t reserved;
} qtensor_chosen_t;

// How qtensor_quantize() works. The default is 0 for everything.
typedef struct {
  // The caller's sizeof(qtensor_quantize_options_t).
  size_t struct_size;
  // What stochastic rounding starts from: the same seed gives the same codes, however many
  // threads there are and whatever the machine.
  uint64_t seed;
  // A QTENSOR_SCHEME_ constant: which quantizer.
  int32_t scheme;
  // A QTENSOR_ROUND_ constant: how a position between two codes becomes one of them.
  int32_t rounding;
  // A QTENSOR_NON_FINITE_ constant: what happens to NaN and infinities.
  int32_t non_finite;
  // On how many threads to work; 0 is 1. The codes are the same for any number. Small tensors
  // get fewer.
  uint32_t threads;
} qtensor_quantize_options_t;

// What became of the values; each counts in one of the members at most.
typedef struct {
  // Before the call the caller's sizeof(qtensor_quantize_counts_t), after it the bytes that
  // were filled.
  size_t struct_size;
  // Finite values whose code would have been below the lowest one; in a logarithmic tensor, whose
  // magnitude would have been below 1, and negative ones where there is no sign.
  uint64_t saturated_low;
  // Finite values whose code, in a logarithmic tensor whose magnitude, would have been above the
  // highest one.
  uint64_t saturated_high;
  // Values other than 0 that were rounded to the code that stands for 0.
  uint64_t flushed_to_zero;
  // NaN and infinities.
  uint64_t non_finite;
} qtensor_quantize_counts_t;

// How a product is done. All 0 but struct_size are the defaults, and so is NULL.
typedef struct {
  // Its size, sizeof(qtensor_product_options_t).
  size_t struct_size;
  // A QTENSOR_METHOD constant. All give the same results.
  int32_t method;
  // The most threads to work on, 0 being 1. Small products get fewer; one row is shared by its
  // outputs, more by rows. Results are the same for any number.
  uint32_t threads;
  // A QTENSOR_FIXED_ constant: how qtensor_product_codes() rounds. The other calls
  // check it and do not use it.
  int32_t rounding;
  // 0.
  uint32_t reserved;
} qtensor_product_options_t;

// What becomes of floats before they are multiplied.
typedef struct {
  // Its size, sizeof(qtensor_input_format_t).
  size_t struct_size;
  // The scale of scale * (x + bias): positive, finite and normal.
  double scale;
  // The bias there: finite.
  double bias;
  // A QTENSOR_INPUT constant.
  int32_t parameters;
  // Bits of a code, 1 to 8.
  uint8_t precision;
  // 1 for codes with a sign, 0 for others.
  uint8_t is_signed;
  // 0.
  uint16_t reserved;
} qtensor_input_format_t;

// How fixed-point operations work. The default is 0 for everything.
typedef struct {
  // The caller's sizeof(qtensor_fixed_options_t).
  size_t struct_size;
  // A QTENSOR_FIXED_ constant: how a position between two codes becomes one of them.
  int32_t rounding;
  // On how many threads to work; 0 is 1. The codes are the same for any number. Small tensors get
  // fewer.
  uint32_t threads;
} qtensor_fixed_options_t;

// What an observer is made for. All 0 (besides struct_size) is a histogram of 4096 bins for all
// values, NaN and infinities refused.
typedef struct {
  // The caller's sizeof(qtensor_observer_options_t).
  size_t struct_size;
  // The weight of a batch in a moving average, above 0 and at most 1; otherwise not looked at.
  double weight;
  // How many channels there are, up to 2^24; 0 for one scale for all values.
  uint64_t channels;
  // Which dimension of a batch the channels are; without channels not looked at.
  int32_t axis;
  // A QTENSOR_OBSERVER_ constant.
  int32_t kind;
  // The bins of a histogram: a power of two from 256 to 16384, or 0 for 4096. The best choice for
  // codes of P bits wants 16 * 2^P.
  uint32_t bins;
  // QTENSOR_NON_FINITE_REFUSE or QTENSOR_NON_FINITE_SKIP.
  int32_t non_finite;
} qtensor_observer_options_t;

// What was seen of a channel. Numbers that there are not, because no value was finite or the
// observer does not keep them, are NaN.
typedef struct {
  // Before the call the caller's sizeof(qtensor_statistics_t), after it the bytes that were filled.
  size_t struct_size;
  // Finite values, zeros included.
  uint64_t finite;
  // NaN.
  uint64_t nan;
  // Positive infinities.
  uint64_t positive_infinite;
  // Negative infinities.
  uint64_t negative_infinite;
  // Zeros of either sign.
  uint64_t zeros;
  // Batches that a moving average has seen.
  uint64_t batches;
  // The smallest finite value.
  double min;
  // The largest finite value.
  double max;
  // The mean of the finite values, from a histogram's exact sums.
  double mean;
  // Their variance around it, over their number.
  double variance;
  // The mean of their squares.
  double mean_square;
  // The moving average of the batches' smallest values.
  double average_min;
  // The moving average of the batches' largest values.
  double average_max;
} qtensor_statistics_t;

// How parameters are chosen, and for which codes. Set precision; all else may be 0.
typedef struct {
  // The caller's sizeof(qtensor_calibrate_options_t).
  size_t struct_size;
  // The lower quantile, or the lower end of a fixed range; otherwise not looked at.
  double low;
  // The upper one.
  double high;
  // A QTENSOR_METHOD_ constant.
  int32_t method;
  // Magnitude bits of a code: 1 to 8, or to 16 where the method only looks at a range.
  int32_t precision;
  // Not 0: codes have a sign and go from -(2^precision - 1) to 2^precision - 1; else from 0.
  int32_t is_signed;
  // A QTENSOR_ZERO_ constant.
  int32_t zero;
  // Not 0: the codes' values lie around 0 evenly. The bias is then 0 for signed codes; else
  // -2^(precision - 1), or with QTENSOR_ZERO_FREE -(2^precision - 1) / 2.
  int32_t symmetric;
  // Not 0: the scale is a power of two.
  int32_t power_of_two;
  // Not 0: the lowest and the highest code are halved, toward 0.
  int32_t reduced;
  // Must be 0; a later version may give it a meaning.
  int32_t reserved;
} qtensor_calibrate_options_t;

// Chosen parameters and what the codes are predicted to be like: exact up to the positions of values
// inside a bin, and NaN where the observer has no histogram to predict it from, or no value.
typedef struct {
  // Before the call the caller's sizeof(qtensor_choice_t), after it the bytes that were filled.
  size_t struct_size;
  // The distance between the values of two neighboring codes: positive, finite and normal.
  double scale;
  // What is added to a code before it is scaled.
  double bias;
  // The mean squared error.
  double mse;
  // The mean absolute error.
  double mae;
  // The signal-to-noise ratio in decibels; infinite without an error, and minus infinity where all
  // values are 0 and have an error, because no code stands for 0.
  double sqnr;
  // The share of values, from 0 to 1, that are below the lowest code by more than half a step.
  double clipped_low;
  // The share that is above the highest code by more than half a step.
  double clipped_high;
  // Minus the bias, where that is a whole number of 32 bits; else 0.
  int32_t zero_point;
  // Whether it is: 1 or 0.
  int32_t has_zero_point;
} qtensor_choice_t;

// What qtensor_params_choose_caffe2() is asked for. Set precision; all else may be 0.
typedef struct {
  // The caller's sizeof(qtensor_caffe2_options_t).
  size_t struct_size;
  // The share of QTENSOR_CAFFE2_P99, above 0.5 and below 1; 0 for Caffe2's default of 0.99.
  double threshold;
  // A QTENSOR_CAFFE2_ constant.
  int32_t method;
  // Bits of a code: 1 to 8.
  int32_t precision;
  // Not 0: a range with values on both sides of 0 is widened so that 0 falls on the code in the
  // middle.
  int32_t preserve_sparsity;
  // Not 0: the scale is rounded up to a power of two.
  int32_t force_scale_power_of_two;
} qtensor_caffe2_options_t;

// What is kept besides sums, and how to work. All 0 (besides struct_size) is the sums alone, on one
// thread.
typedef struct {
  // The caller's sizeof(qtensor_loss_options_t).
  size_t struct_size;
  // Not 0: each code is counted, NaNs' too, up to a precision of 16; 8 bytes a code, channel and thread.
  int32_t code_histogram;
  // Not 0: the magnitudes of errors are counted, for quantiles.
  int32_t error_histogram;
  // Not 0: references and values are counted, for the divergence; 64 KiB a channel and thread.
  int32_t value_histogram;
  // On how many threads to work; 0 is 1.
  uint32_t threads;
} qtensor_loss_options_t;

// Sums and what follows from them, for a channel. Each sum is in double precision, within 3e-14 of
// the exact one relative to the sum of its terms' magnitudes. Pairs of which a number is NaN or
// infinite are counted and otherwise left out. What there is not, as an average of no pairs or what
// takes a histogram that was not asked for, is NaN.
typedef struct {
  // Before the call the caller's sizeof(qtensor_loss_metrics_t), after it the bytes that were
  // filled.
  size_t struct_size;
  // All pairs.
  uint64_t count;
  // Pairs of which a number is NaN or infinite.
  uint64_t non_finite;
  // References that are below what the codes reach by more than half a step, as
  // qtensor_quantize_counts_t counts them; 0 for qtensor_loss_compare().
  uint64_t saturated_low;
  // The same above.
  uint64_t saturated_high;
  // References other than 0 whose value is 0, saturated ones excepted.
  uint64_t flushed;
  // The index of the first element with the largest |e|, in the whole array even for a channel;
  // UINT64_MAX of no pairs.
  uint64_t max_index;
  // The largest |e|.
  double max_absolute;
  // The sum of e.
  double sum_error;
  // The sum of |e|.
  double sum_absolute;
  // The sum of e^2.
  double sum_squared;
  // The sum of x^2.
  double sum_xx;
  // The sum of x * y.
  double sum_xy;
  // The sum of y^2.
  double sum_yy;
  // The mean of e.
  double mean_error;
  // The mean of e^2.
  double mse;
  // Its root.
  double rmse;
  // The mean of |e|.
  double mae;
  // 10 * log10(sum_xx / sum_squared), in decibels; infinite where nothing was lost.
  double sqnr;
  // sum_xy over the root of sum_xx * sum_yy; 1 where both are 0 everywhere, 0 where one is.
  double cosine;
  // (sqnr - 1.76) / 6.02.
  double effective_bits;
  // The entropy of the codes, in bits.
  double code_entropy;
  // The divergence of Kullback and Leibler of what the values keep of the references' distribution,
  // in bits: the references' shares of 4096 bins against the values' shares, each spread over the
  // bins of the references of the same ranks. Only the order of bins counts, so an error that keeps
  // it, such as a factor, has 0.
  double kl;
  // The median of |e|, within 1/64 of it; as qtensor_loss_quantile() gives it.
  double p50;
  // What 95 of 100 do not exceed.
  double p95;
  // What 99 of 100 do not exceed.
  double p99;
} qtensor_loss_metrics_t;

// A bin of a histogram of errors: magnitudes from `low` on and below `high`, or exactly 0 where both
// are 0.
typedef struct {
  // The lower end, which is in the bin.
  double low;
  // The upper end, which is not.
  double high;
  // How many errors there are.
  uint64_t count;
} qtensor_loss_bin_t;

// Bytes that a tensor takes in its several forms.
typedef struct {
  // Before the call the caller's sizeof(qtensor_sizes_t), after it the bytes that were filled.
  size_t struct_size;
  // The bit planes alone.
  uint64_t planes;
  // What the tensor takes in memory: planes that are there, dimensions, channels and the object.
  uint64_t resident;
  // What qtensor_serialize() writes: a plane byte of 128 and more takes two.
  uint64_t wire;
  // As many elements in single precision.
  uint64_t floats;
  // How many times smaller the planes are than the floats; NaN without any plane.
  double ratio;
  // How many times smaller the serialized tensor is.
  double wire_ratio;
} qtensor_sizes_t;

// What codes a tensor has.
typedef struct {
  // Before the call the caller's sizeof(qtensor_code_statistics_t), after it the bytes that were
  // filled.
  size_t struct_size;
  // How many there are: the tensor's size.
  uint64_t count;
  // How many are 0.
  uint64_t zeros;
  // How many different ones occur; 0 above precision 16, where they are not counted one by one.
  uint64_t distinct;
  // The lowest code that occurs; 0 of no elements.
  int64_t lowest;
  // The highest one.
  int64_t highest;
  // Their entropy in bits; NaN above precision 16 and of no elements.
  double entropy;
} qtensor_code_statistics_t;

// What several runs of the same thing took, in seconds.
typedef struct {
  // Before the call the caller's sizeof(qtensor_timing_t), after it the bytes that were filled.
  size_t struct_size;
  // How many runs there were.
  uint64_t runs;
  // All of them together.
  double total;
  // The fastest one.
  double minimum;
  // The one in the middle, or the mean of the two that are.
  double median;
  // The mean.
  double mean;
  // The one that 95 of 100 do not exceed.
  double p95;
  // The slowest one.
  double maximum;
} qtensor_timing_t;

// What each of them takes, in picojoules; qtensor_energy_table_default() fills it.
typedef struct {
  // The caller's sizeof(qtensor_energy_table_t).
  size_t struct_size;
  // Additions of 8-bit integers.
  double int8_adds;
  // Additions of 32-bit integers.
  double int32_adds;
  // Multiplications of 8-bit integers.
  double int8_multiplies;
  // Multiplications of 32-bit integers.
  double int32_multiplies;
  // Additions in half precision.
  double half_adds;
  // Additions in single precision.
  double float_adds;
  // Multiplications in half precision.
  double half_multiplies;
  // Multiplications in single precision.
  double float_multiplies;
  // ANDs and popcounts of 32 bits.
  double bit_operations;
  // Bytes read from a cache of 8 KiB.
  double cache_8k_bytes;
  // Bytes read from a cache of 32 KiB.
  double cache_32k_bytes;
  // Bytes read from a cache of 1 MiB.
  double cache_1m_bytes;
  // Bytes read from memory.
  double memory_bytes;
} qtensor_energy_table_t;

// What was done, in numbers of operations and of bytes.
typedef struct {
  // The caller's sizeof(qtensor_energy_work_t).
  size_t struct_size;
  // Additions of 8-bit integers.
  uint64_t int8_adds;
  // Additions of 32-bit integers.
  uint64_t int32_adds;
  // Multiplications of 8-bit integers.
  uint64_t int8_multiplies;
  // Multiplications of 32-bit integers.
  uint64_t int32_multiplies;
  // Additions in half precision.
  uint64_t half_adds;
  // Additions in single precision.
  uint64_t float_adds;
  // Multiplications in half precision.
  uint64_t half_multiplies;
  // Multiplications in single precision.
  uint64_t float_multiplies;
  // ANDs and popcounts of 32 bits.
  uint64_t bit_operations;
  // Bytes read from a cache of 8 KiB.
  uint64_t cache_8k_bytes;
  // Bytes read from a cache of 32 KiB.
  uint64_t cache_32k_bytes;
  // Bytes read from a cache of 1 MiB.
  uint64_t cache_1m_bytes;
  // Bytes read from memory.
  uint64_t memory_bytes;
} qtensor_energy_work_t;

// Energy as a model has it: no measurement.
typedef struct {
  // Before the call the caller's sizeof(qtensor_energy_modeled_t), after it the bytes that were
  // filled.
  size_t struct_size;
  // Joules of operations.
  double operations;
  // Joules of accesses to memory and caches.
  double memory;
  // Joules of both.
  double joules;
} qtensor_energy_modeled_t;

// Energy that was measured, and over what time.
typedef struct {
  // Before the call the caller's sizeof(qtensor_energy_reading_t), after it the bytes that were
  // filled.
  size_t struct_size;
  // Joules of all packages together; above 0.
  double joules;
  // Seconds.
  double seconds;
  // Watts on average. Those of an idle machine, times the seconds, are to be subtracted.
  double watts;
} qtensor_energy_reading_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The status that the failed call returned; 0 for NULL.
int32_t qtensor_error_code(const qtensor_error_t *error);

// What went wrong: a whole sentence that names the value and the limit, NUL-terminated, valid
// until the error is freed; NULL for NULL.
const char *qtensor_error_message(const qtensor_error_t *error);

// Frees an error object; NULL does nothing.
void qtensor_error_free(qtensor_error_t *error);

// A new, empty tensor: no dimensions, size 0, precision 8, unsigned, scale 1, bias 0, linear; NULL
// where memory has run out. Free it with qtensor_free().
qtensor_t *qtensor_create(void);

// A new tensor of this shape, every code 0. Planes are allocated by the first write.
//
// `dims` points to `ndim` dimensions, at most 64, outermost first, and may be NULL where `ndim`
// is 0. `precision` is the number of magnitude bits, 0 to 255; `is_signed` adds a sign plane.
// `*out` receives the tensor, to be freed with qtensor_free().
//
// QTENSOR_INVALID_ARGUMENT for a negative dimension; QTENSOR_OUT_OF_RANGE for more than 64 of
// them; QTENSOR_OVERFLOW where the number of elements or bytes does not fit int64_t.
qtensor_status qtensor_create_with(const int64_t *dims,
                                   size_t ndim,
                                   uint8_t precision,
                                   bool is_signed,
                                   qtensor_t **out,
                                   qtensor_error_t **error);

// A copy of a tensor, planes and channels included. `*out` receives it, to be freed with
// qtensor_free().
qtensor_status qtensor_clone(const qtensor_t *tensor, qtensor_t **out, qtensor_error_t **error);

// Frees a tensor; NULL does nothing.
void qtensor_free(qtensor_t *tensor);

// Gives a tensor another shape.
//
// The same dimensions change nothing. Others keep the planes byte for byte where their total
// size stays what it was, padding bits included, and drop them where it does not. Scale, bias
// and channels stay.
//
// Refuses what qtensor_create_with() refuses.
qtensor_status qtensor_resize(qtensor_t *tensor,
                              const int64_t *dims,
                              size_t ndim,
                              qtensor_error_t **error);

// Sets the number of magnitude bits, 0 to 255, and drops the planes even where it stays.
//
// QTENSOR_OVERFLOW where the planes would take more bytes than fit int64_t.
qtensor_status qtensor_set_precision(qtensor_t *tensor, uint8_t precision, qtensor_error_t **error);

// Adds or removes the sign plane, and drops the planes even where nothing changes.
//
// QTENSOR_OVERFLOW where the planes would take more bytes than fit int64_t.
qtensor_status qtensor_set_signed(qtensor_t *tensor, bool is_signed, qtensor_error_t **error);

// Sets the scale: any double, its bit pattern kept.
qtensor_status qtensor_set_scale(qtensor_t *tensor, double scale, qtensor_error_t **error);

// Sets the bias, in units of codes: any double, its bit pattern kept.
qtensor_status qtensor_set_bias(qtensor_t *tensor, double bias, qtensor_error_t **error);

// The number of dimensions; 0 for NULL.
size_t qtensor_ndim(const qtensor_t *tensor);

// The dimensions, qtensor_ndim() of them, valid until the next call that may change the tensor;
// NULL for NULL. Not to be read where there are none.
const int64_t *qtensor_dims(const qtensor_t *tensor);

// The number of elements: the product of the dimensions, 0 where there are none; 0 for NULL.
size_t qtensor_size(const qtensor_t *tensor);

// The size rounded up to whole plane bytes: 8 * ceil(size / 8) elements; 0 for NULL.
size_t qtensor_aligned_size(const qtensor_t *tensor);

// The bytes that all planes take: aligned_size / 8 * (precision + sign plane); 0 for NULL.
size_t qtensor_nbytes(const qtensor_t *tensor);

// The elements in a plane byte: 8; 0 for NULL.
uint8_t qtensor_alignment(const qtensor_t *tensor);

// The number of magnitude bits; 0 for NULL.
uint8_t qtensor_precision(const qtensor_t *tensor);

// Whether there is a sign plane; false for NULL.
bool qtensor_is_signed(const qtensor_t *tensor);

// The scale; 0 for NULL.
double qtensor_scale(const qtensor_t *tensor);

// The bias, in units of codes; 0 for NULL.
double qtensor_bias(const qtensor_t *tensor);

// All planes, qtensor_nbytes() bytes, 64-byte aligned where they are not borrowed, valid until the
// next call that may change or free the tensor; NULL before the first write, when every bit is 0,
// where there is no byte, and for NULL.
const uint8_t *qtensor_data(const qtensor_t *tensor);

// All planes, for writing; allocated, all 0, if there are none yet, and copied if they are lent for
// reading.
//
// `*out` receives a pointer to qtensor_nbytes() bytes, valid until the next call that may change
// the tensor. For a tensor without a byte the call succeeds and the pointer is not to be read.
// Bits behind the last element of a plane are serialized as they are; leave them 0.
qtensor_status qtensor_mutable_data(qtensor_t *tensor, uint8_t **out, qtensor_error_t **error);

// Dimension `i` as an int32_t.
//
// QTENSOR_OUT_OF_RANGE unless 0 <= i < ndim; QTENSOR_OVERFLOW where it does not fit.
qtensor_status qtensor_dim32(const qtensor_t *tensor,
                             int32_t i,
                             int32_t *out,
                             qtensor_error_t **error);

// The dimension that `axis` names, counted from the end where it is negative.
//
// QTENSOR_OUT_OF_RANGE unless -ndim <= axis < ndim.
qtensor_status qtensor_canonical_axis_index(const qtensor_t *tensor,
                                            int32_t axis,
                                            int32_t *out,
                                            qtensor_error_t **error);

// The product of the dimensions from `k` on; 1 where k >= ndim.
//
// QTENSOR_OUT_OF_RANGE for a negative k; QTENSOR_OVERFLOW where the product does not fit.
qtensor_status qtensor_size_from_dim(const qtensor_t *tensor,
                                     int32_t k,
                                     int64_t *out,
                                     qtensor_error_t **error);

// The product of the dimensions before `k`.
//
// QTENSOR_OUT_OF_RANGE unless 0 <= k < ndim (ndim itself is refused, as in Caffe2);
// QTENSOR_OVERFLOW where the product does not fit.
qtensor_status qtensor_size_to_dim(const qtensor_t *tensor,
                                   int32_t k,
                                   int64_t *out,
                                   qtensor_error_t **error);

// Bit `bit` of element `index`; the sign is bit `precision`. Without planes every bit is 0.
//
// QTENSOR_OUT_OF_RANGE where there is no such bit or element.
qtensor_status qtensor_get_bit(const qtensor_t *tensor,
                               uint8_t bit,
                               size_t index,
                               bool *out,
                               qtensor_error_t **error);

// Sets bit `bit` of element `index`; the sign is bit `precision`. The first write allocates the
// planes, whatever the value.
//
// QTENSOR_OUT_OF_RANGE where there is no such bit or element.
qtensor_status qtensor_set_bit(qtensor_t *tensor,
                               uint8_t bit,
                               size_t index,
                               bool value,
                               qtensor_error_t **error);

// The version of this library, "MAJOR.MINOR.PATCH"; a string that lives as long as the library.
const char *qtensor_version(void);

// Fills `*view`, whose struct_size the caller has set to sizeof(qtensor_view_t). The one call that
// can fail and gives no error object.
//
// QTENSOR_NULL_ARGUMENT where either pointer is NULL; QTENSOR_INVALID_ARGUMENT where `view` is not
// aligned; QTENSOR_BUFFER_TOO_SMALL where struct_size is smaller than this version's.
qtensor_status qtensor_view(const qtensor_t *tensor, qtensor_view_t *view);

// Reads the code of every element, in order, into `codes`, which holds `n` of them.
//
// A code is the integer x of scale * (x + bias), its sign applied. A tensor never written holds
// zeros; a sign bit on magnitude 0 reads as 0.
//
// QTENSOR_SHAPE_MISMATCH unless n is the tensor's size; QTENSOR_UNSUPPORTED above precision 63,
// even where there is no element.
qtensor_status qtensor_read_codes(const qtensor_t *tensor,
                                  int64_t *codes,
                                  size_t n,
                                  qtensor_error_t **error);

// Like qtensor_read_codes(), for unsigned tensors of precision 8 or less; others are
// QTENSOR_UNSUPPORTED. The fastest way to read them.
qtensor_status qtensor_read_codes_u8(const qtensor_t *tensor,
                                     uint8_t *codes,
                                     size_t n,
                                     qtensor_error_t **error);

// Like qtensor_read_codes(), for tensors of precision 7 or less; others are
// QTENSOR_UNSUPPORTED.
qtensor_status qtensor_read_codes_i8(const qtensor_t *tensor,
                                     int8_t *codes,
                                     size_t n,
                                     qtensor_error_t **error);

// Like qtensor_read_codes(), for tensors of precision 31 or less; others are
// QTENSOR_UNSUPPORTED.
qtensor_status qtensor_read_codes_i32(const qtensor_t *tensor,
                                      int32_t *codes,
                                      size_t n,
                                      qtensor_error_t **error);

// Writes the code of every element, in order, from `codes`, which holds `n` of them. Padding
// bits stay as they are.
//
// A code lies between 0, or -(2^precision - 1) in a signed tensor, and 2^precision - 1.
//
// QTENSOR_SHAPE_MISMATCH unless n is the tensor's size; QTENSOR_OUT_OF_RANGE for a code outside
// that range; QTENSOR_UNSUPPORTED above precision 63. Nothing is written then.
qtensor_status qtensor_write_codes(qtensor_t *tensor,
                                   const int64_t *codes,
                                   size_t n,
                                   qtensor_error_t **error);

// Like qtensor_write_codes(), from unsigned bytes: the fastest way to write codes. The precision
// need not be 8; what counts is that every value is a code of the tensor.
qtensor_status qtensor_write_codes_u8(qtensor_t *tensor,
                                      const uint8_t *codes,
                                      size_t n,
                                      qtensor_error_t **error);

// Like qtensor_write_codes(), from signed bytes, whatever the precision.
qtensor_status qtensor_write_codes_i8(qtensor_t *tensor,
                                      const int8_t *codes,
                                      size_t n,
                                      qtensor_error_t **error);

// Like qtensor_write_codes(), from 32-bit integers, whatever the precision.
qtensor_status qtensor_write_codes_i32(qtensor_t *tensor,
                                       const int32_t *codes,
                                       size_t n,
                                       qtensor_error_t **error);

// Gives every index along dimension `axis` a scale and a bias of its own: an element with index
// c there has the value `scales[c] * (x + biases[c])`.
//
// `scales` and `biases` point to `channels` doubles each, which are copied; for a dimension of 0
// they may be NULL. They are serialized with the tensor, whose own scale and bias stay what they
// are. A later resize keeps them even where they no longer fit.
//
// QTENSOR_OUT_OF_RANGE unless 0 <= axis < ndim; QTENSOR_SHAPE_MISMATCH unless `channels` is the
// extent of that dimension; QTENSOR_UNSUPPORTED where qtensor_is_logarithmic() is true.
qtensor_status qtensor_set_channels(qtensor_t *tensor,
                                    int32_t axis,
                                    const double *scales,
                                    const double *biases,
                                    size_t channels,
                                    qtensor_error_t **error);

// Removes the channels: the tensor's own scale and bias count again.
qtensor_status qtensor_clear_channels(qtensor_t *tensor, qtensor_error_t **error);

// Whether the tensor says that its channels count; false for NULL.
bool qtensor_is_multiparam(const qtensor_t *tensor);

// The dimension that the channels are; -1 where the tensor names none and for NULL. A tensor that
// was read may name a dimension that it does not have, even -1, or have channels and name none,
// which are then those of dimension 0.
int32_t qtensor_channel_axis(const qtensor_t *tensor);

// How many channel scales there are; 0 for NULL. A tensor that was read or resized may have
// another number than its dimension has.
size_t qtensor_channel_scale_count(const qtensor_t *tensor);

// The channel scales, valid until the next call that may change the tensor; NULL for NULL. Not
// to be read where there are none.
const double *qtensor_channel_scales(const qtensor_t *tensor);

// How many channel biases there are; 0 for NULL. A tensor that was read or resized may have
// another number than its dimension has.
size_t qtensor_channel_bias_count(const qtensor_t *tensor);

// The channel biases, valid until the next call that may change the tensor; NULL for NULL. Not
// to be read where there are none.
const double *qtensor_channel_biases(const qtensor_t *tensor);

// The element type that a serialized form named, a number of Caffe2's TensorProto.DataType; -1
// where it named none and for NULL. It says nothing about the codes; qtensor_serialize() writes
// it back.
int32_t qtensor_data_type(const qtensor_t *tensor);

// Sets the element type that is serialized with the tensor, or removes it where `data_type` is
// -1, as Caffe2's own QTensor blobs have none.
//
// QTENSOR_INVALID_ARGUMENT for a number that TensorProto.DataType does not have.
qtensor_status qtensor_set_data_type(qtensor_t *tensor, int32_t data_type, qtensor_error_t **error);

// Makes a tensor logarithmic where `logarithmic` is true, or linear again where it is false.
//
// In a logarithmic tensor code 0 has the value 0, and any other code x the value
// 2^(scale * (|x| - 1 + bias)) with the sign of x: scale 1 makes powers of two, scale 1/2 powers
// of their square root, and scale * bias is the exponent of code 1. Only this meaning changes:
// precision, sign, planes, scale and bias stay, so that the codes stand for other values
// afterwards. A clone is logarithmic too, and no other call changes it.
//
// qtensor_serialize() and the database calls write such a tensor as a BlobProto of type
// "QTensorLog" around the same QTensorProto, and read that again. Caffe2 knows no such type and
// refuses the blob; one of type "QTensor" it would read as linear. What would be taken for a
// linear tensor is refused with QTENSOR_UNSUPPORTED: channels, a bare QTensorProto and an
// Int8TensorCPU.
//
// QTENSOR_UNSUPPORTED where `logarithmic` is true and so is qtensor_is_multiparam().
qtensor_status qtensor_set_logarithmic(qtensor_t *tensor,
                                       bool logarithmic,
                                       qtensor_error_t **error);

// Whether the tensor is logarithmic, as qtensor_set_logarithmic() says; false for NULL.
bool qtensor_is_logarithmic(const qtensor_t *tensor);

// The code that stands for 0: minus the tensor's own bias. Channels have biases of their own.
//
// QTENSOR_OUT_OF_RANGE where the bias is no whole number or its negation does not fit int32_t.
qtensor_status qtensor_zero_point(const qtensor_t *tensor, int32_t *out, qtensor_error_t **error);

// Sets the bias by the code that is to stand for 0: to -zero_point. Channels keep their biases.
qtensor_status qtensor_set_zero_point(qtensor_t *tensor,
                                      int32_t zero_point,
                                      qtensor_error_t **error);

// The zero point of a bias: -bias, both in units of codes. May be called from many threads at
// once.
//
// QTENSOR_OUT_OF_RANGE where the bias is no whole number or its negation does not fit int32_t.
qtensor_status qtensor_zero_point_of_bias(double bias, int32_t *out, qtensor_error_t **error);

// The bias of a zero point: -zero_point, and +0 for 0, both in units of codes. May be called from
// many threads at once.
double qtensor_bias_of_zero_point(int32_t zero_point);

// A new tensor with what an Int8TensorCPU of bytes holds: values scale * (q - zero_point).
//
// `dims` points to `ndim` dimensions, at most 64, outermost first, and may be NULL where `ndim` is
// 0: as in Caffe2 there is one value then, and the tensor has one dimension of 1. `data` points to
// the `n` bytes q, which become the codes of an unsigned tensor of precision 8; its bias is minus
// the zero point and its qtensor_data_type() UINT8 (6), as qtensor_deserialize() reads such a
// blob. `scale` is a float in Caffe2; every double is kept as it is. `*out` receives the tensor,
// to be freed with qtensor_free().
//
// QTENSOR_SHAPE_MISMATCH unless n is the product of the dimensions; for these
// QTENSOR_INVALID_ARGUMENT, QTENSOR_OUT_OF_RANGE and QTENSOR_OVERFLOW as qtensor_create_with().
qtensor_status qtensor_create_int8(const int64_t *dims,
                                   size_t ndim,
                                   const uint8_t *data,
                                   size_t n,
                                   double scale,
                                   int32_t zero_point,
                                   qtensor_t **out,
                                   qtensor_error_t **error);

// A new tensor of exactly the same values in the form of an Int8TensorCPU of bytes: unsigned,
// precision 8, its bias minus the zero point. Its codes, as qtensor_read_codes_u8() reads them,
// are the bytes q of scale * (q - zero_point), and qtensor_serialize_int8() writes it.
//
// Codes of an unsigned tensor stay what they are. Those of a signed one are moved up by 128, and
// the zero point with them. The scale stays, too; Caffe2 keeps it as a float and rounds one that
// is none when it reads the blob. `*out` receives the tensor, to be freed with qtensor_free().
//
// QTENSOR_UNSUPPORTED above precision 8, or 7 where the tensor is signed, and where
// qtensor_is_multiparam() or qtensor_is_logarithmic() is true; QTENSOR_OUT_OF_RANGE where the bias
// has a fraction or the zero point would be no 32-bit integer; QTENSOR_OVERFLOW where 8 planes
// would take more bytes than fit int64_t.
qtensor_status qtensor_to_int8(const qtensor_t *tensor, qtensor_t **out, qtensor_error_t **error);

// The bytes that qtensor_serialize() writes.
//
// QTENSOR_OVERFLOW where the message would be longer than protobuf's 2^31 - 1 bytes.
qtensor_status qtensor_serialized_size(const qtensor_t *tensor,
                                       const char *name,
                                       size_t *out,
                                       qtensor_error_t **error);

// Writes a BlobProto of type "QTensor", byte for byte what Caffe2's SerializeBlob writes; of type
// "QTensorLog" where qtensor_is_logarithmic() is true.
//
// `name` is NUL-terminated, in any encoding. `buf` holds `capacity` bytes; `*written` receives
// the number that was used. Channels, and a data type that was read or set, are written too;
// Caffe2 ignores them. A buffer with room for two bytes per plane byte is filled in one pass over
// the planes; with less room they are read twice.
//
// QTENSOR_BUFFER_TOO_SMALL where qtensor_serialized_size() is above the capacity; QTENSOR_OVERFLOW
// as there. Nothing is written then.
qtensor_status qtensor_serialize(const qtensor_t *tensor,
                                 const char *name,
                                 uint8_t *buf,
                                 size_t capacity,
                                 size_t *written,
                                 qtensor_error_t **error);

// Reads a BlobProto of type "QTensor", "QTensorLog" or "Int8TensorCPU" of `len` bytes.
//
// An Int8TensorCPU of bytes becomes 8 bits unsigned, one of 32-bit integers 32 bits signed; its
// bias is minus the zero point, and without dimensions it has one of 1. `*out` receives the
// tensor, to be freed with qtensor_free(). At most 8 bytes are allocated per byte present,
// whatever a message claims.
//
// QTENSOR_MALFORMED for damage, missing fields and values that would lose something;
// QTENSOR_SHAPE_MISMATCH where data and dimensions disagree; QTENSOR_UNSUPPORTED for other types
// of blob and for more than 64 dimensions; QTENSOR_OVERFLOW where the dimensions' product does not
// fit int64_t.
qtensor_status qtensor_deserialize(const uint8_t *bytes,
                                   size_t len,
                                   qtensor_t **out,
                                   qtensor_error_t **error);

// The bytes that qtensor_serialize_proto() writes.
//
// QTENSOR_OVERFLOW where the message would be longer than protobuf's 2^31 - 1 bytes;
// QTENSOR_UNSUPPORTED as there.
qtensor_status qtensor_serialized_size_proto(const qtensor_t *tensor,
                                             const char *name,
                                             size_t *out,
                                             qtensor_error_t **error);

// Writes a bare QTensorProto, without the BlobProto around it; otherwise as qtensor_serialize().
//
// QTENSOR_UNSUPPORTED where qtensor_is_logarithmic() is true: the type that says so is the blob's,
// and the message alone would be read as a linear tensor.
qtensor_status qtensor_serialize_proto(const qtensor_t *tensor,
                                       const char *name,
                                       uint8_t *buf,
                                       size_t capacity,
                                       size_t *written,
                                       qtensor_error_t **error);

// Reads a bare QTensorProto of `len` bytes as a quantized tensor, never a logarithmic one;
// otherwise as qtensor_deserialize().
qtensor_status qtensor_deserialize_proto(const uint8_t *bytes,
                                         size_t len,
                                         qtensor_t **out,
                                         qtensor_error_t **error);

// The bytes that qtensor_serialize_int8() writes. Refuses what that refuses.
qtensor_status qtensor_serialized_size_int8(const qtensor_t *tensor,
                                            const char *name,
                                            size_t *out,
                                            qtensor_error_t **error);

// Writes a BlobProto of type "Int8TensorCPU", byte for byte what Caffe2's SerializeBlob writes.
//
// An unsigned tensor of precision 8 becomes one of bytes, a signed one of precision 32 becomes
// one of 32-bit integers; the zero point is minus the bias. A tensor without dimensions is written
// as an empty one of dimension 0. Otherwise as qtensor_serialize().
//
// qtensor_to_int8() brings tensors of up to 8 bits into the first form.
//
// QTENSOR_UNSUPPORTED for other precisions and where qtensor_is_multiparam() or
// qtensor_is_logarithmic() is true; QTENSOR_OUT_OF_RANGE where minus the bias is no 32-bit integer
// or a code does not fit one.
qtensor_status qtensor_serialize_int8(const qtensor_t *tensor,
                                      const char *name,
                                      uint8_t *buf,
                                      size_t capacity,
                                      size_t *written,
                                      qtensor_error_t **error);

// The tensor that a message describes which protobuf has read: the one that
// qtensor_deserialize_proto() reads from its bytes, without a second time through these.
//
// `*out` receives the tensor, to be freed with qtensor_free(). What the structure points to is
// borrowed for the call.
//
// QTENSOR_MALFORMED for values that would lose something; QTENSOR_SHAPE_MISMATCH where data and
// dimensions disagree; QTENSOR_UNSUPPORTED for more than 64 dimensions; QTENSOR_OVERFLOW where
// their product does not fit int64_t. QTENSOR_BUFFER_TOO_SMALL where struct_size is below that of
// the first version; QTENSOR_UNSUPPORTED where it says of a member that this library does not have
// that it is not 0.
qtensor_status qtensor_create_parsed(const qtensor_parsed_t *parsed,
                                     qtensor_t **out,
                                     qtensor_error_t **error);

// Reads the name and type of a BlobProto of `len` bytes without decoding what it holds.
//
// The caller has set info->struct_size to sizeof(qtensor_blob_info_t). QTENSOR_MALFORMED where
// the bytes are no protobuf message.
qtensor_status qtensor_blob_peek(const uint8_t *bytes,
                                 size_t len,
                                 qtensor_blob_info_t *info,
                                 qtensor_error_t **error);

// Reads the name of a bare QTensorProto of `len` bytes; the type stays empty.
//
// The caller has set info->struct_size to sizeof(qtensor_blob_info_t). QTENSOR_MALFORMED where
// the bytes are no protobuf message.
qtensor_status qtensor_proto_peek(const uint8_t *bytes,
                                  size_t len,
                                  qtensor_blob_info_t *info,
                                  qtensor_error_t **error);

// A new ordinary tensor with a copy of the caller's elements.
//
// `dims` points to `ndim` dimensions, at most 64; without any the tensor is a scalar, one
// element. `element_type` is a QTENSOR_ELEMENT_ constant. `data` points to `nbytes` bytes, in
// row-major order and the byte order of this machine; it needs no alignment. Truth values other
// than 0 become 1. `*out` receives the tensor, to be freed with qtensor_dense_free().
//
// QTENSOR_SHAPE_MISMATCH unless `nbytes` is the product of the dimensions and the element's
// size; QTENSOR_INVALID_ARGUMENT for a negative dimension; QTENSOR_OUT_OF_RANGE for too many of
// them; QTENSOR_UNSUPPORTED for another element type; QTENSOR_OVERFLOW where the number of
// elements does not fit.
qtensor_status qtensor_dense_create(const int64_t *dims,
                                    size_t ndim,
                                    int32_t element_type,
                                    const void *data,
                                    size_t nbytes,
                                    qtensor_dense_t **out,
                                    qtensor_error_t **error);

// Frees an ordinary tensor; NULL does nothing.
void qtensor_dense_free(qtensor_dense_t *dense);

// The number of dimensions; 0 for NULL.
size_t qtensor_dense_ndim(const qtensor_dense_t *dense);

// The dimensions, valid as long as the tensor; NULL for NULL. Not to be read where there are
// none.
const int64_t *qtensor_dense_dims(const qtensor_dense_t *dense);

// The number of elements; 0 for NULL.
size_t qtensor_dense_size(const qtensor_dense_t *dense);

// The bytes that the elements take; 0 for NULL.
size_t qtensor_dense_nbytes(const qtensor_dense_t *dense);

// The type of the elements, a QTENSOR_ELEMENT_ constant; 0 for NULL.
int32_t qtensor_dense_element_type(const qtensor_dense_t *dense);

// The elements, qtensor_dense_nbytes() bytes aligned for their type, valid as long as the
// tensor; NULL for NULL. Not to be read where there are none. They never change; who shares the
// tensor with nobody may write to them all the same where qtensor_dense_is_borrowed() is false.
const void *qtensor_dense_data(const qtensor_dense_t *dense);

// The bytes that qtensor_dense_serialize() writes.
//
// QTENSOR_OVERFLOW where the message would be longer than protobuf's 2^31 - 1 bytes.
qtensor_status qtensor_dense_serialized_size(const qtensor_dense_t *dense,
                                             const char *name,
                                             size_t *out,
                                             qtensor_error_t **error);

// Writes a BlobProto of type "Tensor" that holds the whole tensor, byte for byte what Caffe2's
// SerializeBlob writes. Arguments and errors are those of qtensor_serialize().
qtensor_status qtensor_dense_serialize(const qtensor_dense_t *dense,
                                       const char *name,
                                       uint8_t *buf,
                                       size_t capacity,
                                       size_t *written,
                                       qtensor_error_t **error);

// Reads a BlobProto of type "Tensor" of `len` bytes that holds a whole tensor. `*out` receives
// it, to be freed with qtensor_dense_free(). At most 8 bytes are allocated per byte present.
//
// QTENSOR_MALFORMED for damage and values that would lose something; QTENSOR_SHAPE_MISMATCH
// where data and dimensions disagree; QTENSOR_UNSUPPORTED for other types of blob or element,
// and for a blob that says it is a chunk of a larger tensor, which
// qtensor_minidb_reader_load_dense() puts together.
qtensor_status qtensor_dense_deserialize(const uint8_t *bytes,
                                         size_t len,
                                         qtensor_dense_t **out,
                                         qtensor_error_t **error);

// Puts planes that belong to somebody else in place of a tensor's own, to read: no byte is copied.
//
// `planes` points to `nbytes` bytes in the layout of qtensor_data(), of any alignment. They must
// be there, and stay as they are, until `release` is called with `context`; both may be NULL, where
// nobody needs to know. That is when the tensor is freed; when it drops its planes, as another
// size or precision makes it; when a call that writes has copied them, to write to the copy; and
// when others are borrowed. Where there is no byte, it is before this call returns. A call that is
// refused has borrowed nothing and does not call `release`. A clone has planes of its own.
//
// QTENSOR_SHAPE_MISMATCH unless `nbytes` is qtensor_nbytes().
qtensor_status qtensor_borrow(qtensor_t *tensor,
                              const uint8_t *planes,
                              size_t nbytes,
                              qtensor_release_t release,
                              void *context,
                              qtensor_error_t **error);

// The same for planes that may be written: calls that write do so in the lender's memory.
//
// Nobody else reads or writes the planes until `release` is called.
//
// QTENSOR_SHAPE_MISMATCH unless `nbytes` is qtensor_nbytes().
qtensor_status qtensor_borrow_mut(qtensor_t *tensor,
                                  uint8_t *planes,
                                  size_t nbytes,
                                  qtensor_release_t release,
                                  void *context,
                                  qtensor_error_t **error);

// Whether the planes belong to somebody else; false for NULL.
bool qtensor_is_borrowed(const qtensor_t *tensor);

// A new ordinary tensor whose elements belong to somebody else: no byte of them is copied.
//
// The arguments are those of qtensor_dense_create(), but `data` is aligned for its type and truth
// values are 0 or 1. The elements must be there, and stay as they are, until `release` is called
// with `context`; both may be NULL, where nobody needs to know. That is when the tensor is freed.
// A call that is refused has borrowed nothing and does not call `release`.
//
// What qtensor_dense_create() refuses; QTENSOR_INVALID_ARGUMENT where `data` is not aligned for its
// type; QTENSOR_OUT_OF_RANGE for another truth value.
qtensor_status qtensor_dense_borrow(const int64_t *dims,
                                    size_t ndim,
                                    int32_t element_type,
                                    const void *data,
                                    size_t nbytes,
                                    qtensor_release_t release,
                                    void *context,
                                    qtensor_dense_t **out,
                                    qtensor_error_t **error);

// Whether the elements belong to somebody else; false for NULL.
bool qtensor_dense_is_borrowed(const qtensor_dense_t *dense);

// Opens the database at `path` for reading. `*out` receives the reader, to be freed with
// qtensor_minidb_reader_free(). An empty file is a database without records.
//
// QTENSOR_IO where the file cannot be read.
qtensor_status qtensor_minidb_reader_open(const char *path,
                                          qtensor_minidb_reader_t **out,
                                          qtensor_error_t **error);

// Closes the file and frees the reader; NULL does nothing.
void qtensor_minidb_reader_free(qtensor_minidb_reader_t *reader);

// Goes back to the first record.
qtensor_status qtensor_minidb_reader_rewind(qtensor_minidb_reader_t *reader,
                                            qtensor_error_t **error);

// Steps to the next record, the first one after opening, and reads its key and its blob's name
// and type without decoding the blob.
//
// `*found` receives false at the end of the file, and then `*entry` is left alone. The caller
// has set entry->struct_size to sizeof(qtensor_minidb_entry_t). At the end there is no current
// record.
//
// QTENSOR_MALFORMED for damage. Where only the blob is damaged the reader steps over it: there is
// no current record, and the next call goes on behind it. Where the record itself is damaged,
// each call fails, and the reader stays where it is, as after QTENSOR_IO and all others.
qtensor_status qtensor_minidb_reader_next(qtensor_minidb_reader_t *reader,
                                          qtensor_minidb_entry_t *entry,
                                          bool *found,
                                          qtensor_error_t **error);

// Reads the current record's blob, undecoded: `entry.value_size` bytes into `buf`, which holds
// `capacity`. `*written` receives the number.
//
// QTENSOR_INVALID_ARGUMENT where there is no current record; QTENSOR_BUFFER_TOO_SMALL;
// QTENSOR_IO.
qtensor_status qtensor_minidb_reader_read(const qtensor_minidb_reader_t *reader,
                                          uint8_t *buf,
                                          size_t capacity,
                                          size_t *written,
                                          qtensor_error_t **error);

// Loads the quantized tensor in the first record whose key is `name`. `*out` receives it, to be
// freed with qtensor_free(). The current record stays what it is. Each call walks the file from
// its start; qtensor_blobs_load() reads many blobs in one walk.
//
// QTENSOR_UNAVAILABLE where there is no such key; QTENSOR_UNSUPPORTED where it is something else;
// QTENSOR_MALFORMED and QTENSOR_IO as for qtensor_minidb_reader_next(); what
// qtensor_deserialize() refuses.
qtensor_status qtensor_minidb_reader_load(const qtensor_minidb_reader_t *reader,
                                          const char *name,
                                          qtensor_t **out,
                                          qtensor_error_t **error);

// Loads the ordinary tensor of this name, put together from its chunks, which may stand in any
// order. `*out` receives it, to be freed with qtensor_dense_free(). The current record stays
// what it is. Each call walks the file from its start.
//
// QTENSOR_UNAVAILABLE where there is no such key; QTENSOR_MALFORMED where chunks overlap,
// disagree or leave a gap; QTENSOR_IO; what qtensor_dense_deserialize() refuses.
qtensor_status qtensor_minidb_reader_load_dense(const qtensor_minidb_reader_t *reader,
                                                const char *name,
                                                qtensor_dense_t **out,
                                                qtensor_error_t **error);

// Begins a database that will replace the file at `path`, if there is one. `*out` receives the
// writer, to be freed with qtensor_minidb_writer_free().
//
// Records go to a temporary file in the same folder, PATH.tmp-PROCESS-NUMBER, which a process
// that is killed leaves behind. Where `path` is a symbolic link, what it points to is replaced.
//
// A relative path is looked up again by qtensor_minidb_writer_commit(), so the working folder must
// stay what it is. In a child process, the writer can only be freed.
//
// QTENSOR_IO where the temporary file cannot be made, as for a file name near the system's limit,
// and where `path` leads to a folder, a device, or by a link to nothing, or the system cannot tell
// what is there.
qtensor_status qtensor_minidb_writer_create(const char *path,
                                            qtensor_minidb_writer_t **out,
                                            qtensor_error_t **error);

// Frees the writer; NULL does nothing. Without qtensor_minidb_writer_commit() before it, all
// that was appended is discarded and the old file stays as it was.
void qtensor_minidb_writer_free(qtensor_minidb_writer_t *writer);

// Appends a quantized tensor under `name`, as a blob of type "QTensor", or "QTensorLog" where
// qtensor_is_logarithmic() is true.
//
// QTENSOR_INVALID_ARGUMENT for an empty name and for a writer that failed or was committed;
// QTENSOR_OVERFLOW for a record beyond 2^31 - 1 bytes; QTENSOR_IO, after which the writer can only
// be freed. After any other refusal it can be used on.
qtensor_status qtensor_minidb_writer_append(qtensor_minidb_writer_t *writer,
                                            const char *name,
                                            const qtensor_t *tensor,
                                            qtensor_error_t **error);

// Appends a quantized tensor under `name`, as a blob of type "Int8TensorCPU". Refuses what
// qtensor_minidb_writer_append() and qtensor_serialize_int8() refuse.
qtensor_status qtensor_minidb_writer_append_int8(qtensor_minidb_writer_t *writer,
                                                 const char *name,
                                                 const qtensor_t *tensor,
                                                 qtensor_error_t **error);

// Appends an ordinary tensor under `name`, as Caffe2's Save operator does: in chunks of at most
// `chunk_size` elements, 1,000,000 where that is 0, with the keys "name#%0", "name#%1" and so
// on. Refuses what qtensor_minidb_writer_append() refuses; the writer may then hold some of the
// chunks, and refuses all but being freed if it does.
qtensor_status qtensor_minidb_writer_append_dense(qtensor_minidb_writer_t *writer,
                                                  const char *name,
                                                  const qtensor_dense_t *dense,
                                                  size_t chunk_size,
                                                  qtensor_error_t **error);

// Appends a record as it is: `key_length` bytes at `key`, `value_length` bytes at `value`, each
// 1 or more. Refuses what qtensor_minidb_writer_append() refuses.
qtensor_status qtensor_minidb_writer_append_bytes(qtensor_minidb_writer_t *writer,
                                                  const char *key,
                                                  size_t key_length,
                                                  const uint8_t *value,
                                                  size_t value_length,
                                                  qtensor_error_t **error);

// Puts the new file in place of the old one in one step: flushed to the disk, renamed, and its
// folder flushed too. The writer can then only be freed.
//
// QTENSOR_IO: the old file is still there, whole. Only where the folder's flush fails is the new
// one in its place already, and a loss of power may bring the old one back.
// QTENSOR_INVALID_ARGUMENT for a writer that failed or was committed.
qtensor_status qtensor_minidb_writer_commit(qtensor_minidb_writer_t *writer,
                                            qtensor_error_t **error);

// Reads every blob of the database at `path`. `*out` receives them, to be freed with
// qtensor_blobs_free(), in the order of their first records; chunks of one tensor are one blob.
// Records of different types may share a name.
//
// QTENSOR_IO where the file cannot be read; QTENSOR_MALFORMED where it is damaged or chunks do not
// fit; for damaged blobs what qtensor_deserialize() and qtensor_dense_deserialize() return. Blobs
// of types that neither reads are listed but hold nothing. At most 64 bytes are allocated per byte
// of the file.
qtensor_status qtensor_blobs_load(const char *path, qtensor_blobs_t **out, qtensor_error_t **error);

// Frees the blobs and all they hold; NULL does nothing.
void qtensor_blobs_free(qtensor_blobs_t *blobs);

// How many blobs there are; 0 for NULL.
size_t qtensor_blobs_count(const qtensor_blobs_t *blobs);

// The name of blob `index`, NUL-terminated, valid as long as `blobs`; NULL where there is no
// such blob. `*length`, unless NULL, receives its length in bytes, which a NUL inside the name
// does not end.
const char *qtensor_blobs_name(const qtensor_blobs_t *blobs, size_t index, size_t *length);

// The type of blob `index`, such as "QTensor", otherwise like qtensor_blobs_name().
const char *qtensor_blobs_type(const qtensor_blobs_t *blobs, size_t index, size_t *length);

// The quantized tensor in blob `index`, valid as long as `blobs` and not to be freed; NULL where
// the blob holds none or is not there.
const qtensor_t *qtensor_blobs_tensor(const qtensor_blobs_t *blobs, size_t index);

// The ordinary tensor in blob `index`, valid as long as `blobs` and not to be freed; NULL where
// the blob holds none or is not there.
const qtensor_dense_t *qtensor_blobs_dense(const qtensor_blobs_t *blobs, size_t index);

// Chooses the scale and zero point by which codes from qmin to qmax cover values from `min` to
// `max`, bit for bit as Caffe2's ChooseQuantizationParams.
//
// The range is widened to hold 0. A scale that is 0, or whose reciprocal is infinite in single
// precision, becomes 0.1. `options` may be NULL. The caller has set out->struct_size to
// sizeof(qtensor_chosen_t). May be called from many threads at once.
//
// QTENSOR_NON_FINITE where `min` or `max` is infinite or NaN; QTENSOR_INVALID_ARGUMENT where `min`
// is above `max`, and for a chooser that there is not; QTENSOR_OUT_OF_RANGE where qmin is not less
// than qmax, after it was halved if that was asked for, and where sparsity is to be preserved with
// only two codes; QTENSOR_BUFFER_TOO_SMALL where out->struct_size is smaller than this version's.
qtensor_status qtensor_params_choose(float min,
                                     float max,
                                     const qtensor_choose_options_t *options,
                                     qtensor_chosen_t *out,
                                     qtensor_error_t **error);

// Turns `n` floats into the codes of a tensor, in order; `n` is its size.
//
// The code of a value is value / scale - bias, both operations in double precision, rounded to an
// integer and clamped to the codes that there are: from 0, or -(2^precision - 1) in a signed
// tensor, to 2^precision - 1. It is exactly that on every machine, as long as the program leaves
// the processor's floating-point modes at their defaults (rounding to nearest, subnormal numbers
// not taken for 0). Where the tensor has channels,
// scale and bias are those of the element's channel; qtensor_set_channels() sets them. In a
// logarithmic tensor 0 has code 0, and the magnitude of any other code is
// log2(|value|) / scale - bias + 1, rounded and clamped to 1 to 2^precision - 1; an unsigned one
// gives negative values code 0. Padding bits stay as they are.
//
// `options` may be NULL: by the tensor's own parameters, to the nearest code (even in the middle),
// values that are not finite refused, one thread. `counts` may be NULL: then nothing is counted,
// which is faster. Otherwise the caller has set counts->struct_size to
// sizeof(qtensor_quantize_counts_t). The tensor must not be used by anyone else during the call;
// threads that it starts have ended when it returns, and where one cannot be started its part is
// done by another.
//
// QTENSOR_NON_FINITE for a value that is NaN or infinite, unless the options say otherwise;
// QTENSOR_SHAPE_MISMATCH unless n is the tensor's size, and where its channels do not fit its
// dimensions; QTENSOR_INVALID_ARGUMENT for a scale that is not positive, finite and normal and
// for a bias that is not finite, in whichever channel, unless the scheme sets them itself; for
// what QTENSOR_ROUND_CAFFE2 cannot work with, and for an option that is none of its constants;
// QTENSOR_OUT_OF_RANGE for a precision of 0 or above 32 and for channels along a dimension
// that is not there; QTENSOR_UNSUPPORTED for a DoReFa scheme where the tensor is signed or
// logarithmic, for QTENSOR_ROUND_CAFFE2 with such a scheme or in a logarithmic tensor, and for
// options of a later version; QTENSOR_BUFFER_TOO_SMALL where a struct_size is smaller than the first
// version's. The tensor stays as it was then, parameters and planes.
qtensor_status qtensor_quantize(qtensor_t *tensor,
                                const float *values,
                                size_t n,
                                const qtensor_quantize_options_t *options,
                                qtensor_quantize_counts_t *counts,
                                qtensor_error_t **error);

// Like qtensor_quantize(), for doubles: nothing of them is rounded before the division, except by
// QTENSOR_ROUND_CAFFE2.
qtensor_status qtensor_quantize_f64(qtensor_t *tensor,
                                    const double *values,
                                    size_t n,
                                    const qtensor_quantize_options_t *options,
                                    qtensor_quantize_counts_t *counts,
                                    qtensor_error_t **error);

// Like qtensor_quantize(), for half precision, as the bits of unsigned integers.
qtensor_status qtensor_quantize_f16(qtensor_t *tensor,
                                    const uint16_t *values,
                                    size_t n,
                                    const qtensor_quantize_options_t *options,
                                    qtensor_quantize_counts_t *counts,
                                    qtensor_error_t **error);

// Like qtensor_quantize(), for bfloat16, as the bits of unsigned integers.
qtensor_status qtensor_quantize_bf16(qtensor_t *tensor,
                                     const uint16_t *values,
                                     size_t n,
                                     const qtensor_quantize_options_t *options,
                                     qtensor_quantize_counts_t *counts,
                                     qtensor_error_t **error);

// Turns the codes of a tensor into the values that they stand for, in order, into `values`, which
// has room for `n` of them; `n` is the tensor's size.
//
// The value of code x is scale * (x + bias), both operations in double precision, rounded to the
// nearest float (even in the middle): too large a one becomes infinite. Where the tensor has
// channels, scale and bias are those of the element's channel. They are taken as they are,
// whatever the scale. In a logarithmic tensor code 0 has the value 0 and any other code
// 2^(scale * (|x| - 1 + bias)) with the sign of x. A tensor never written holds codes 0, and a
// sign on magnitude 0 is ignored.
//
// Works on `threads` threads, 0 being 1; small tensors get fewer. The values are the same for any
// number. Those that the call starts have ended when it returns, and where one cannot be started
// its part is done by another. Any number of such calls may read one tensor at once.
//
// QTENSOR_SHAPE_MISMATCH unless n is the tensor's size, and where its channels do not fit its
// dimensions; QTENSOR_OUT_OF_RANGE for a precision of 0 or above 32 and for channels along a
// dimension that is not there. Nothing is written then.
qtensor_status qtensor_dequantize(const qtensor_t *tensor,
                                  float *values,
                                  size_t n,
                                  uint32_t threads,
                                  qtensor_error_t **error);

// Like qtensor_dequantize(), into doubles, which hold scale * (x + bias) as it was computed.
qtensor_status qtensor_dequantize_f64(const qtensor_t *tensor,
                                      double *values,
                                      size_t n,
                                      uint32_t threads,
                                      qtensor_error_t **error);

// Like qtensor_dequantize(), into half precision, as the bits of unsigned integers. From 65520
// on magnitudes become infinite.
qtensor_status qtensor_dequantize_f16(const qtensor_t *tensor,
                                      uint16_t *values,
                                      size_t n,
                                      uint32_t threads,
                                      qtensor_error_t **error);

// Like qtensor_dequantize(), into bfloat16, as the bits of unsigned integers.
qtensor_status qtensor_dequantize_bf16(const qtensor_t *tensor,
                                       uint16_t *values,
                                       size_t n,
                                       uint32_t threads,
                                       qtensor_error_t **error);

// The value of IEEE 754 half-precision bits, any of them; exact. A NaN keeps its sign and payload
// and is made quiet. May be called from many threads at once, as all conversions.
float qtensor_half_to_float(uint16_t bits);

// The half-precision bits nearest to a value, ties to even; infinity from 65520 on. A NaN keeps
// its sign and the upper ten bits of its payload and is made quiet.
uint16_t qtensor_half_from_float(float value);

// The value of bfloat16 bits, which are the upper half of a float; exact.
float qtensor_bfloat16_to_float(uint16_t bits);

// The bfloat16 bits nearest to a value, ties to even; what is too large becomes infinity. A NaN
// keeps its sign and the upper seven bits of its payload and is made quiet.
uint16_t qtensor_bfloat16_from_float(float value);

// Brings `n` values into the range of half precision, -65504 to 65504, in place; `*out_of_range`
// receives how many lay outside.
//
// Infinities lie outside too. NaN stays what it is and is not counted. Small values stay as they
// are. The values need to be the caller's alone during the call.
qtensor_status qtensor_half_saturate(float *values,
                                     size_t n,
                                     size_t *out_of_range,
                                     qtensor_error_t **error);

// An argument of a Conv1d, such as its strides, as the Conv2d needs it that computes it: `base`
// for the dimension that was added in front, then the argument's own value.
//
// `arguments` points to the `n` values it has; `out` receives two. Of two values or more the
// second is the argument's own, as in Caffe2's MakeArgForConv1d. May be called from many threads
// at once.
//
// QTENSOR_OUT_OF_RANGE where there is no value.
qtensor_status qtensor_conv1d_argument(const int64_t *arguments,
                                       size_t n,
                                       int64_t base,
                                       int64_t *out,
                                       qtensor_error_t **error);

// Makes the weights W of products X * W^T ready.
//
// `weights` has two dimensions: outputs, and what is summed over. Its precision is 1 to 8, signed or
// not; it has one scale and bias, or channels along the outputs. `*out` receives the packed weights,
// to be freed with qtensor_packed_free(). They take as many bits for each code as the
// tensor's planes, the outputs rounded up to 64 and what is summed over to 32.
//
// QTENSOR_SHAPE_MISMATCH for another number of dimensions, and where channels do not fit them;
// QTENSOR_INVALID_ARGUMENT where a dimension is 0, and for channels along the second;
// QTENSOR_OUT_OF_RANGE for another precision, and for channels along a dimension that is not there;
// QTENSOR_UNSUPPORTED for a logarithmic tensor; QTENSOR_NON_FINITE where a scale or a bias is;
// QTENSOR_OVERFLOW where the packed weights would be larger than memory.
qtensor_status qtensor_packed_create(const qtensor_t *weights,
                                     qtensor_packed_t **out,
                                     qtensor_error_t **error);

// Frees packed weights; NULL does nothing.
void qtensor_packed_free(qtensor_packed_t *packed);

// The number of outputs; 0 for NULL.
size_t qtensor_packed_rows(const qtensor_packed_t *packed);

// The number of products that are summed for each output; 0 for NULL.
size_t qtensor_packed_columns(const qtensor_packed_t *packed);

// The bytes that the packed codes take; 0 for NULL.
size_t qtensor_packed_nbytes(const qtensor_packed_t *packed);

// The method that a product of `x` and the packed weights is done by: that of the options, or the best
// one. `*method` receives a QTENSOR_METHOD constant other than QTENSOR_METHOD_BEST.
//
// QTENSOR_UNSUPPORTED where that of the options cannot be used with them; else what
// qtensor_product_sums() refuses in `x` and the options.
qtensor_status qtensor_product_method(const qtensor_t *x,
                                      const qtensor_packed_t *packed,
                                      const qtensor_product_options_t *options,
                                      int32_t *method,
                                      qtensor_error_t **error);

// Multiplies two matrices, X * W^T + added, into floats.
//
// The last dimension of `x` is the weights' columns, all before it are its M rows. `values`, with
// room for `n` = M * outputs floats, receives for row m and output k at m * outputs + k: the sum of
// the products of the values of row m of `x` and row k of the weights, and `added[k]`. `added` points
// to `added_count` floats, one for each output, or to none.
//
// The sum of the products of codes is exact. Scales and biases, as in scale * (x + bias), and
// `added` join it in double precision, and the whole is rounded to a float once; too large a one
// becomes infinite.
//
// `options` may be NULL: the best method, on one thread. Threads that the call starts have ended when
// it returns. `values` must not share memory with `added` or the planes of `x`.
//
// QTENSOR_SHAPE_MISMATCH where the columns differ, unless n is M * outputs, and unless added_count is
// 0 or the outputs; QTENSOR_INVALID_ARGUMENT for an `x` without elements, for another method than the
// constants, and where `values` shares memory with what is read; QTENSOR_OUT_OF_RANGE for an `x`
// whose precision is not 1 to 8; QTENSOR_UNSUPPORTED for one with channels, for a logarithmic
// one, for a method that cannot be used with these precisions, and for options of a later version;
// QTENSOR_BUFFER_TOO_SMALL where a struct_size is smaller than the first version's; QTENSOR_NON_FINITE
// where the scale or bias of `x` or a value to add is not finite, nor what scales and biases make
// together: the product of the scales, and that of the biases, or of one and all of the largest codes;
// QTENSOR_INVALID_ARGUMENT also where two scales other than 0 have a product below 2^-1022;
// QTENSOR_OVERFLOW where M * outputs is no length. Nothing is written then, nor where memory runs out.
qtensor_status qtensor_product(const qtensor_t *x,
                               const qtensor_packed_t *packed,
                               const float *added,
                               size_t added_count,
                               float *values,
                               size_t n,
                               const qtensor_product_options_t *options,
                               qtensor_error_t **error);

// The integers inside such a product: `sums[m * outputs + k]` is the sum of the products of the
// codes of row m of `x` and row k of the weights. Exact. Scales, biases and channels of `x` do not
// matter. `sums` must not share memory with the planes of `x`.
//
// QTENSOR_OVERFLOW where some codes of these precisions have sums beyond 64 bits, be they these or
// others; else what qtensor_product() refuses, parameters and channels aside.
qtensor_status qtensor_product_sums(const qtensor_t *x,
                                    const qtensor_packed_t *packed,
                                    int64_t *sums,
                                    size_t n,
                                    const qtensor_product_options_t *options,
                                    qtensor_error_t **error);

// The same in 32 bits, which is faster.
//
// QTENSOR_OVERFLOW where some codes of these precisions have sums beyond 32 bits, be they these or
// others: where (2^precision - 1) of both sides and the weights' columns multiply to 2^31 or more; else
// what qtensor_product_sums() refuses.
qtensor_status qtensor_product_sums_i32(const qtensor_t *x,
                                        const qtensor_packed_t *packed,
                                        int32_t *sums,
                                        size_t n,
                                        const qtensor_product_options_t *options,
                                        qtensor_error_t **error);

// Multiplies two matrices into codes: those of the values that qtensor_product() gives, not rounded to
// floats, by the precision, sign, scale and bias of `out`, or its channels along the last dimension.
//
// `out` has any dimensions of M * outputs elements together, the last of which is the outputs. A code
// is value / scale - bias, rounded to the nearest integer, the even one of two as near, and clamped to
// the codes that there are: an `out` without a sign, of a positive scale
// and with a bias of 0 so is a ReLU. All that is not
// an integer is put together in double precision, with one factor for each output: before it is
// clamped, a code is at most 1/2 and 2^-45 of the largest magnitude that went into it from the exact
// quotient. Padding bits become 0.
//
// With the rounding QTENSOR_FIXED_DNNLOWP it is dnnlowp's, (a * q + 2^(s - 1)) >> s and the zero point,
// with q and s as that constant says. Here a is the exact sum of the products of codes less their zero
// points, and of `added` in units of both scales, rounded to a 32-bit integer as fbgemm's Quantize
// does, in single precision. A code is off by at most 1/2 and 2^-21 of its distance from the zero point,
// besides what that rounding of `added` brings.
//
// QTENSOR_SHAPE_MISMATCH too where `out` has other dimensions; QTENSOR_OUT_OF_RANGE where its
// precision is not 1 to 16; QTENSOR_UNSUPPORTED where it is logarithmic or has channels along another
// dimension; QTENSOR_INVALID_ARGUMENT where its scale is 0, and where it is `x` or its planes share
// memory with those of `x` or with `added`; QTENSOR_NON_FINITE where its scale or bias is, and where its
// scale is too small to divide by; else what qtensor_product() refuses. With
// dnnlowp's rounding QTENSOR_UNSUPPORTED too for biases that are not minus 32-bit integers, for scales
// that are not positive and normal in single precision, nor the product of the first two, for their
// quotient outside of 2^-33 to 2^30, and for a value to add beyond 32 bits in those units;
// QTENSOR_OVERFLOW where its sums could be beyond 64 bits. `out` is as it was then, also where memory
// runs out.
qtensor_status qtensor_product_codes(const qtensor_t *x,
                                     const qtensor_packed_t *packed,
                                     const float *added,
                                     size_t added_count,
                                     qtensor_t *out,
                                     const qtensor_product_options_t *options,
                                     qtensor_error_t **error);

// qtensor_product() of floats, which are quantized on the way, to the nearest code.
//
// `x` points to `x_count` floats, whole rows of the weights' columns. `format` says what codes they
// become, and may be NULL: unsigned ones of 8 bits that cover the values of this call. `values` must
// not share memory with `x` or `added`.
//
// QTENSOR_SHAPE_MISMATCH where x_count is no multiple of the columns; QTENSOR_INVALID_ARGUMENT where
// it is 0, for a scale that is not positive, finite and normal, and for a member of the format that is
// none of its constants; QTENSOR_OUT_OF_RANGE for a precision that is not 1 to 8; QTENSOR_NON_FINITE
// where a value of `x` or the bias is; else what qtensor_product() refuses. Nothing is written then,
// nor where memory runs out.
qtensor_status qtensor_product_floats(const float *x,
                                      size_t x_count,
                                      const qtensor_input_format_t *format,
                                      const qtensor_packed_t *packed,
                                      const float *added,
                                      size_t added_count,
                                      float *values,
                                      size_t n,
                                      const qtensor_product_options_t *options,
                                      qtensor_error_t **error);

// Turns the codes of `x` into those of `out` for the same values, in integers.
//
// The caller has made `out` with the dimensions of `x` and any precision, sign, scale and bias, or
// channels; the call writes all of its codes. Precisions are 1 to 16. Scales may be negative, and
// biases need not be integers; both tensors may have channels, along the same dimension. Padding bits
// stay as they are, and so does `out` where the call is refused or memory runs out.
//
// Error bound: the exact position of the value v of a code among those of `out` is
// v / scale - bias, with the scale and bias of `out`. The code written is that position, rounded and
// clamped to the codes that there are: it differs from the clamped position by at most 1/2 + 2^-45,
// and with QTENSOR_FIXED_DNNLOWP by at most 1/2 + 2^-21 * |v / scale|. It is the same on every
// machine and for any number of threads.
//
// `options` may be NULL: QTENSOR_FIXED_NEAREST, one thread. `out` must not be `x`, and its planes
// must not overlap those of `x`; nobody else uses it during the call. Threads that the call starts
// have ended when it returns.
//
// QTENSOR_INVALID_ARGUMENT where `out` and `x` are one tensor or share planes, for a scale of 0, and
// for another rounding; QTENSOR_SHAPE_MISMATCH for different dimensions, and where channels do not
// fit them; QTENSOR_OUT_OF_RANGE for another precision; QTENSOR_NON_FINITE for a scale or bias that
// is; QTENSOR_UNSUPPORTED for a logarithmic tensor, for channels along different dimensions, for
// options of a later version, and with QTENSOR_FIXED_DNNLOWP for a bias that is not minus a 32-bit
// integer, a scale that is no normal number in single precision, and a quotient of the scales that is
// not from 2^-33 to below 2^30; QTENSOR_OVERFLOW where the quotient of the scales is 2^40 or more or
// a bias in steps of the result 2^60 or more, and with QTENSOR_FIXED_DNNLOWP where a code with its
// bias would be beyond 32 bits; QTENSOR_BUFFER_TOO_SMALL for a struct_size below that of the first
// version.
qtensor_status qtensor_requantize(const qtensor_t *x,
                                  qtensor_t *out,
                                  const qtensor_fixed_options_t *options,
                                  qtensor_error_t **error);

// Like qtensor_requantize(), for the values of `x` or 0, whichever is larger.
//
// Codes stand for 0 at least, or for the nearest value to it where the bias of `out` is not an
// integer (from the middle to the even code). The error bound is that of qtensor_requantize(), and so
// are the refusals.
qtensor_status qtensor_relu(const qtensor_t *x,
                            qtensor_t *out,
                            const qtensor_fixed_options_t *options,
                            qtensor_error_t **error);

// Like qtensor_requantize(), for the values of `x` where they are from `low` to `high`, and for the
// nearer of these two elsewhere.
//
// `low` and `high` are values. Each becomes a code of `out` once, the nearest (from the middle to the
// even one), and results are between these codes. Either may be infinite. The error bound is that of
// qtensor_requantize(), and so are the refusals; also QTENSOR_INVALID_ARGUMENT where a limit is NaN
// and where `low` is above `high`.
qtensor_status qtensor_clamp(const qtensor_t *x,
                             double low,
                             double high,
                             qtensor_t *out,
                             const qtensor_fixed_options_t *options,
                             qtensor_error_t **error);

// Makes the codes of `out` those of the sums of the values of `a` and `b`, element by element, in
// integers.
//
// What qtensor_requantize() says of `x` goes for `a` and `b`, which may be one tensor; all three have
// the same dimensions. The sum is rounded once: a code differs from the exact position, clamped, by
// at most 1/2 + 2^-45. What qtensor_requantize() refuses for either; also QTENSOR_UNSUPPORTED for
// QTENSOR_FIXED_DNNLOWP, whose sums have no formula of their own.
qtensor_status qtensor_add(const qtensor_t *a,
                           const qtensor_t *b,
                           qtensor_t *out,
                           const qtensor_fixed_options_t *options,
                           qtensor_error_t **error);

// Makes the codes of `out` those of the products of the values of `a` and `b`, element by element, in
// integers.
//
// What qtensor_requantize() says of `x` goes for `a` and `b`, which may be one tensor; all three have
// the same dimensions. The product is rounded once: a code differs from the exact position, clamped,
// by at most 1/2 + 2^-30, and with QTENSOR_FIXED_DNNLOWP, v being the product, by at most
// 1/2 + 2^-21 * |v / scale|.
//
// What qtensor_requantize() refuses for either, the quotient being that of the product of the scales
// of `a` and `b` by the scale of `out`; QTENSOR_OVERFLOW also where that is 2^28 or more, where that
// times a bias is 2^44 or more, and with QTENSOR_FIXED_DNNLOWP where the product of two codes with
// their biases could be beyond 32 bits.
qtensor_status qtensor_multiply(const qtensor_t *a,
                                const qtensor_t *b,
                                qtensor_t *out,
                                const qtensor_fixed_options_t *options,
                                qtensor_error_t **error);

// The sum of the products of the values of two tensors, element by element.
//
// Both have the same dimensions, precisions from 1 to 16, and channels along the same dimension or
// none; they may be one tensor. With scales s and t and biases b and c the value is
// s t (sum x y + c sum x + b sum y + n b c), summed over the channels. The sums are exact integers,
// and what joins them is kept at 106 bits. Error bound: 2^-51 of the result and, for each channel,
// 2^-100 of the sum of the magnitudes of these terms, where the result is not below the normal doubles.
//
// QTENSOR_SHAPE_MISMATCH for different dimensions, and where channels do not fit them;
// QTENSOR_INVALID_ARGUMENT for tensors without elements, for a scale of 0, and where `out` is in the
// planes of one of them; QTENSOR_OUT_OF_RANGE for another precision; QTENSOR_NON_FINITE for a scale
// or bias that is, and where the value would be beyond a double; QTENSOR_UNSUPPORTED for a logarithmic
// tensor and for channels along different dimensions; QTENSOR_OVERFLOW where a sum could be beyond 64
// bits, and for a bias of 2^60 or more.
qtensor_status qtensor_dot(const qtensor_t *a,
                           const qtensor_t *b,
                           double *out,
                           qtensor_error_t **error);

// The sum of the products of the codes of two tensors, element by element: exact, without scales and
// biases.
//
// What qtensor_dot() refuses, but for channels along different dimensions and what concerns the value.
qtensor_status qtensor_dot_codes(const qtensor_t *a,
                                 const qtensor_t *b,
                                 int64_t *out,
                                 qtensor_error_t **error);

// Finds the largest value of each row of a tensor: `indices[m]` receives the index, within row m, of
// the first element that has it.
//
// A row is all elements along the last dimension; all dimensions before it count the `n` rows. Values
// are compared exactly, by their codes; where the last dimension is that of the channels, they are
// those of qtensor_dequantize_f64(). Of a negative scale the lowest code has the largest value.
//
// QTENSOR_SHAPE_MISMATCH unless n is the number of rows, and where channels do not fit the dimensions;
// QTENSOR_INVALID_ARGUMENT for a tensor without elements, for a scale of 0, and where `indices`
// overlaps the planes; QTENSOR_OUT_OF_RANGE for a precision that is not 1 to 16; QTENSOR_NON_FINITE
// for a scale or bias that is; QTENSOR_UNSUPPORTED for a logarithmic tensor.
qtensor_status qtensor_argmax(const qtensor_t *x,
                              int64_t *indices,
                              size_t n,
                              qtensor_error_t **error);

// Makes an observer that has seen nothing. All the memory that it will ever have is taken here;
// qtensor_observer_free() frees it. `options` may be NULL.
//
// QTENSOR_INVALID_ARGUMENT for an option that is none of its constants, a negative axis, a number of
// bins or a weight that there is not; QTENSOR_OUT_OF_RANGE for more than 2^24 channels and an axis
// above 63; QTENSOR_UNSUPPORTED for options of a later version; QTENSOR_BUFFER_TOO_SMALL where
// struct_size is smaller than the first version's.
qtensor_status qtensor_observer_create(const qtensor_observer_options_t *options,
                                       qtensor_observer_t **out,
                                       qtensor_error_t **error);

// Frees an observer; NULL does nothing.
void qtensor_observer_free(qtensor_observer_t *observer);

// Makes a second observer with the same state, to be freed with qtensor_observer_free().
qtensor_status qtensor_observer_clone(const qtensor_observer_t *observer,
                                      qtensor_observer_t **out,
                                      qtensor_error_t **error);

// How many channels an observer has; 1 where there is one scale for all values.
size_t qtensor_observer_channels(const qtensor_observer_t *observer);

// Sees a batch of `n` values with `ndim` dimensions, of which one may be the channels; without
// channels dims may be (NULL, 0).
//
// QTENSOR_NON_FINITE for a NaN or an infinity unless the options skip them; QTENSOR_SHAPE_MISMATCH
// for another number of values than the dimensions have, or of channels than the observer has;
// QTENSOR_OUT_OF_RANGE for an axis that is not there and for more than 64 dimensions;
// QTENSOR_INVALID_ARGUMENT for a negative dimension; QTENSOR_OVERFLOW beyond 2^62 values in a
// channel, and for dimensions whose product is 2^63 or more.
qtensor_status qtensor_observer_observe(qtensor_observer_t *observer,
                                        const float *values,
                                        size_t n,
                                        const int64_t *dims,
                                        size_t ndim,
                                        qtensor_error_t **error);

// Adds to an observer what another one has seen, here or, after qtensor_observer_deserialize(), on
// another machine.
//
// QTENSOR_UNSUPPORTED for moving averages, for an observer of another kind or treatment of values
// that are not finite, and for the observer itself; QTENSOR_SHAPE_MISMATCH for another number of
// channels or bins or another axis; QTENSOR_OVERFLOW beyond 2^62 values in a channel.
qtensor_status qtensor_observer_merge(qtensor_observer_t *observer,
                                      const qtensor_observer_t *other,
                                      qtensor_error_t **error);

// Forgets everything that an observer has seen.
qtensor_status qtensor_observer_reset(qtensor_observer_t *observer, qtensor_error_t **error);

// The bytes of an observer's serialized state: the same for all observers with its options, whatever
// they have seen, so that states can be put into arrays.
qtensor_status qtensor_observer_serialized_size(const qtensor_observer_t *observer,
                                                size_t *out,
                                                qtensor_error_t **error);

// Writes an observer's state: the same bytes on every machine and for every order of the same values.
//
// QTENSOR_BUFFER_TOO_SMALL where `capacity` is less than qtensor_observer_serialized_size().
qtensor_status qtensor_observer_serialize(const qtensor_observer_t *observer,
                                          uint8_t *buf,
                                          size_t capacity,
                                          size_t *written,
                                          qtensor_error_t **error);

// Makes an observer with a state that was serialized, to be freed with qtensor_observer_free().
//
// QTENSOR_UNSUPPORTED for a state of another version; QTENSOR_MALFORMED for what is no state: of
// another length than it says, with a changed bit, or with numbers that no values have. At most 16
// bytes are allocated per byte present.
qtensor_status qtensor_observer_deserialize(const uint8_t *bytes,
                                            size_t len,
                                            qtensor_observer_t **out,
                                            qtensor_error_t **error);

// What was seen of a channel; without channels it is channel 0. The caller has set out->struct_size
// to sizeof(qtensor_statistics_t).
//
// QTENSOR_OUT_OF_RANGE for a channel that is not there; QTENSOR_BUFFER_TOO_SMALL where
// out->struct_size is smaller than the first version's.
qtensor_status qtensor_observer_statistics(const qtensor_observer_t *observer,
                                           size_t channel,
                                           qtensor_statistics_t *out,
                                           qtensor_error_t **error);

// Chooses parameters for the codes of a channel's values; without channels it is channel 0. Takes
// one to two milliseconds for an error to be smallest, and less for a range. `options` may be NULL:
// the smallest mean squared error of unsigned codes of 8 bits. The caller has set out->struct_size
// to sizeof(qtensor_choice_t).
//
// Values that are all equal get parameters by which a code stands for just that value, where the
// options allow it.
//
// QTENSOR_OUT_OF_RANGE for a channel that is not there, and for a precision of 0, above 8 where an
// error is to be small, or above 16; QTENSOR_INVALID_ARGUMENT for an option that is none of its
// constants, for quantiles or a range that are none, and where no finite value was seen, unless the
// range is fixed; QTENSOR_UNSUPPORTED for a method that the observer's kind cannot serve and for
// options of a later version; QTENSOR_NON_FINITE for a range that is not finite;
// QTENSOR_BUFFER_TOO_SMALL where a struct_size is smaller than the first version's.
qtensor_status qtensor_observer_choose(const qtensor_observer_t *observer,
                                       size_t channel,
                                       const qtensor_calibrate_options_t *options,
                                       qtensor_choice_t *out,
                                       qtensor_error_t **error);

// Chooses parameters for the codes of `n` values by the values themselves, which are copied and
// sorted: 12 bytes a value. What an observer chooses is measured against this.
//
// As qtensor_observer_choose(), and QTENSOR_NON_FINITE for a value that is NaN or infinite.
qtensor_status qtensor_params_choose_exact(const float *values,
                                           size_t n,
                                           const qtensor_calibrate_options_t *options,
                                           qtensor_choice_t *out,
                                           qtensor_error_t **error);

// Quantizes `n` values as well as possible: makes a tensor with `ndim` dimensions, parameters chosen
// for the values, and their codes. It is to be freed with qtensor_free().
//
// With an `axis` of 0 or more each index along that dimension gets a scale and a bias of its own;
// with -1 there is one for all. `options` may be NULL, as for qtensor_observer_choose(). No values
// give an empty tensor.
//
// What qtensor_create_with() and qtensor_observer_choose() refuse; QTENSOR_SHAPE_MISMATCH unless the
// dimensions hold n values; QTENSOR_OUT_OF_RANGE for an axis that is not there; QTENSOR_NON_FINITE
// for a value that is NaN or infinite; QTENSOR_UNSUPPORTED for QTENSOR_METHOD_MOVING_AVERAGE.
qtensor_status qtensor_quantize_best(const float *values,
                                     size_t n,
                                     const int64_t *dims,
                                     size_t ndim,
                                     int32_t axis,
                                     const qtensor_calibrate_options_t *options,
                                     qtensor_t **out,
                                     qtensor_error_t **error);

// The scale and zero point that Caffe2's dnnlowp chose for `n` values, bit for bit; where all values
// are equal, on which Caffe2 ended in a crash, those of QTENSOR_CAFFE2_MIN_MAX. `options` may be
// NULL. The caller has set out->struct_size to sizeof(qtensor_chosen_t).
//
// At 8 bits QTENSOR_CAFFE2_L2 takes some 0.1 to 1 s, QTENSOR_CAFFE2_L1 and _KL up to a few seconds. Where
// a bin, a 2048th of the range, is narrower than 1e-10 or wider than 1e6, for L1 than 1e-16 or 1e14, every
// window is tried, as in the original: seconds for L2, a minute and more for L1.
//
// QTENSOR_NON_FINITE for a value that is NaN or infinite and for a range beyond single precision;
// QTENSOR_OUT_OF_RANGE for a precision that is not 1 to 8 and where there are only two codes to
// preserve sparsity with; QTENSOR_INVALID_ARGUMENT for a method that is none of the constants and a
// threshold that is not above 0.5 and below 1; QTENSOR_OVERFLOW where the values lie so far from 0
// that more than 32,768 bins would lead there; QTENSOR_UNSUPPORTED for options of a later version;
// QTENSOR_BUFFER_TOO_SMALL where a struct_size is smaller than the first version's.
qtensor_status qtensor_params_choose_caffe2(const float *values,
                                            size_t n,
                                            const qtensor_caffe2_options_t *options,
                                            qtensor_chosen_t *out,
                                            qtensor_error_t **error);

// Measures what a tensor lost against the `n` floats that it was made from, without writing the
// dequantized values out. `options` may be NULL; `*out` is freed with qtensor_loss_free().
//
// In the processor's default modes for floating point: where subnormal numbers are taken for 0, so
// they are here.
//
// QTENSOR_SHAPE_MISMATCH unless n is qtensor_size() and the channels fit the dimensions;
// QTENSOR_OUT_OF_RANGE for a precision of 0 or above 32; QTENSOR_UNSUPPORTED for a histogram of codes above precision 16 and for options of a later
// version; QTENSOR_BUFFER_TOO_SMALL where options->struct_size is smaller than the first version's.
qtensor_status qtensor_loss_measure(const qtensor_t *tensor,
                                    const float *reference,
                                    size_t n,
                                    const qtensor_loss_options_t *options,
                                    qtensor_loss_t **out,
                                    qtensor_error_t **error);

// The same for each index along dimension `axis`, whether or not the tensor has parameters for each
// of them.
//
// Refusals are those of qtensor_loss_measure(), and QTENSOR_OUT_OF_RANGE for an axis that is not
// there.
qtensor_status qtensor_loss_measure_per_channel(const qtensor_t *tensor,
                                                const float *reference,
                                                size_t n,
                                                int32_t axis,
                                                const qtensor_loss_options_t *options,
                                                qtensor_loss_t **out,
                                                qtensor_error_t **error);

// The same of any `n` values against as many references; there are no codes to be counted.
//
// QTENSOR_UNSUPPORTED for a histogram of codes and for options of a later version;
// QTENSOR_BUFFER_TOO_SMALL as above.
qtensor_status qtensor_loss_compare(const float *reference,
                                    const float *values,
                                    size_t n,
                                    const qtensor_loss_options_t *options,
                                    qtensor_loss_t **out,
                                    qtensor_error_t **error);

// Frees a loss; NULL does nothing.
void qtensor_loss_free(qtensor_loss_t *loss);

// How many channels a loss has; 1 of a whole tensor.
size_t qtensor_loss_channels(const qtensor_loss_t *loss);

// Adds the loss of other pairs, channel by channel. The order does not matter: counts are exact, and
// sums as exact as measured at once. An index of a largest error stays that in its own array.
//
// QTENSOR_SHAPE_MISMATCH for another number of channels or histograms of other codes;
// QTENSOR_UNSUPPORTED where one has a histogram that the other has not, and for the loss itself;
// QTENSOR_OVERFLOW beyond 2^62 pairs.
qtensor_status qtensor_loss_merge(qtensor_loss_t *loss,
                                  const qtensor_loss_t *other,
                                  qtensor_error_t **error);

// What a channel lost; of a whole tensor it is channel 0. The caller has set out->struct_size to
// sizeof(qtensor_loss_metrics_t).
//
// QTENSOR_OUT_OF_RANGE for a channel that is not there; QTENSOR_BUFFER_TOO_SMALL where
// out->struct_size is smaller than the first version's.
qtensor_status qtensor_loss_get(const qtensor_loss_t *loss,
                                size_t channel,
                                qtensor_loss_metrics_t *out,
                                qtensor_error_t **error);

// The magnitude that a share `p` of a channel's errors does not exceed: of rank max(1, ceil(p * n)),
// within 1/64 of it.
//
// QTENSOR_INVALID_ARGUMENT unless 0 <= p <= 1; QTENSOR_UNAVAILABLE without a histogram of errors and
// of no pairs; QTENSOR_OUT_OF_RANGE for a channel that is not there.
qtensor_status qtensor_loss_quantile(const qtensor_loss_t *loss,
                                     size_t channel,
                                     double p,
                                     double *out,
                                     qtensor_error_t **error);

// How many bins of a channel's histogram of errors are not empty; 0 where that was not asked for.
size_t qtensor_loss_error_bins(const qtensor_loss_t *loss, size_t channel);

// The bins of a channel's histogram of errors that are not empty, in order; `*written` receives their
// number. Each octave of magnitudes has 32 bins of one width, the same for all data.
//
// QTENSOR_BUFFER_TOO_SMALL where `capacity`, a number of bins, is less than
// qtensor_loss_error_bins(); QTENSOR_OUT_OF_RANGE for a channel that is not there.
qtensor_status qtensor_loss_error_histogram(const qtensor_loss_t *loss,
                                            size_t channel,
                                            qtensor_loss_bin_t *bins,
                                            size_t capacity,
                                            size_t *written,
                                            qtensor_error_t **error);

// How many codes a channel's histogram of codes has places for; 0 where that was not asked for.
size_t qtensor_loss_code_bins(const qtensor_loss_t *loss, size_t channel);

// How often each code occurs in a channel, from the lowest one on: -(2^precision - 1) with a sign and
// else 0. `*written` receives the number of codes.
//
// QTENSOR_BUFFER_TOO_SMALL where `capacity`, a number of codes, is less than
// qtensor_loss_code_bins(); QTENSOR_OUT_OF_RANGE for a channel that is not there.
qtensor_status qtensor_loss_code_histogram(const qtensor_loss_t *loss,
                                           size_t channel,
                                           uint64_t *histogram,
                                           size_t capacity,
                                           size_t *written,
                                           qtensor_error_t **error);

// How much room a tensor takes; `name` is what it would be serialized with. The caller has set
// out->struct_size to sizeof(qtensor_sizes_t).
//
// QTENSOR_OVERFLOW where the message would be longer than protobuf's 2^31 - 1 bytes;
// QTENSOR_BUFFER_TOO_SMALL where out->struct_size is smaller than the first version's.
qtensor_status qtensor_sizes(const qtensor_t *tensor,
                             const char *name,
                             qtensor_sizes_t *out,
                             qtensor_error_t **error);

// What codes a tensor has. The caller has set out->struct_size to
// sizeof(qtensor_code_statistics_t).
//
// QTENSOR_UNSUPPORTED above precision 63; QTENSOR_BUFFER_TOO_SMALL where out->struct_size is smaller
// than the first version's.
qtensor_status qtensor_code_statistics(const qtensor_t *tensor,
                                       qtensor_code_statistics_t *out,
                                       qtensor_error_t **error);

// How many bits are set in each plane of a tensor, of the least significant bit first, the signs
// last. `n` is the number of planes: the precision, and one more with a sign.
//
// QTENSOR_SHAPE_MISMATCH for another n; QTENSOR_UNSUPPORTED above precision 63.
qtensor_status qtensor_plane_ones(const qtensor_t *tensor,
                                  uint64_t *ones,
                                  size_t n,
                                  qtensor_error_t **error);

// How often each code occurs in a tensor, from the lowest one on. `n` is the number of codes:
// 2^precision, or 2^(precision + 1) - 1 with a sign, of which the first is -(2^precision - 1).
//
// QTENSOR_SHAPE_MISMATCH for another n; QTENSOR_UNSUPPORTED above precision 16.
qtensor_status qtensor_code_histogram(const qtensor_t *tensor,
                                      uint64_t *histogram,
                                      size_t n,
                                      qtensor_error_t **error);

// Nanoseconds from some beginning, by a clock that never goes back: what lies between two calls is a
// time. 0 where the system has no such clock.
uint64_t qtensor_clock_now(void);

// What `n` runs took, from the seconds of each in any order. The caller has set out->struct_size to
// sizeof(qtensor_timing_t).
//
// QTENSOR_OUT_OF_RANGE for no runs; QTENSOR_NON_FINITE for one that took no finite number of seconds;
// QTENSOR_INVALID_ARGUMENT for one that took less than 0; QTENSOR_BUFFER_TOO_SMALL where
// out->struct_size is smaller than the first version's.
qtensor_status qtensor_timing_summarize(const double *seconds,
                                        size_t n,
                                        qtensor_timing_t *out,
                                        qtensor_error_t **error);

// The table of a process of 45 nm (M. Horowitz, "Computing's Energy Problem", ISSCC 2014). Two entries
// are not his: bit operations, for which the addition of 32-bit integers stands in, and memory, where
// he gives 1300 to 2600 pJ for 64 bits and this has the middle. The caller has set out->struct_size
// to sizeof(qtensor_energy_table_t).
//
// QTENSOR_BUFFER_TOO_SMALL where that is smaller than the first version's.
qtensor_status qtensor_energy_table_default(qtensor_energy_table_t *out,
                                            qtensor_error_t **error);

// The energy that work takes by a table: the sum of the numbers times what each takes. The caller has
// set the struct_size of all three.
//
// QTENSOR_INVALID_ARGUMENT for an entry of the table that is negative or not finite;
// QTENSOR_UNSUPPORTED for work or a table of a later version; QTENSOR_BUFFER_TOO_SMALL where a
// struct_size is smaller than the first version's.
qtensor_status qtensor_energy_model(const qtensor_energy_work_t *work,
                                    const qtensor_energy_table_t *table,
                                    qtensor_energy_modeled_t *out,
                                    qtensor_error_t **error);

// Opens the system's counters of energy, Linux's powercap tree or its performance events, and starts
// to measure. `*out` is freed with qtensor_energy_meter_free().
//
// QTENSOR_UNAVAILABLE where there are none, as in most virtual machines, and where they are not for
// everybody to read; QTENSOR_MALFORMED for files with something else in them.
qtensor_status qtensor_energy_meter_open(qtensor_energy_meter_t **out,
                                         qtensor_error_t **error);

// The same by the powercap tree whose root is the folder `root`, for containers that have it
// elsewhere, and for tests.
qtensor_status qtensor_energy_meter_open_powercap(const char *root,
                                                  qtensor_energy_meter_t **out,
                                                  qtensor_error_t **error);

// Frees a meter; NULL does nothing.
void qtensor_energy_meter_free(qtensor_energy_meter_t *meter);

// How many packages are measured.
size_t qtensor_energy_meter_packages(const qtensor_energy_meter_t *meter);

// Where the numbers of a meter come from: QTENSOR_ENERGY_POWERCAP or QTENSOR_ENERGY_PERF; 0 for NULL.
int32_t qtensor_energy_meter_source(const qtensor_energy_meter_t *meter);

// Starts a measurement anew.
//
// QTENSOR_UNAVAILABLE where a counter cannot be read any more; QTENSOR_MALFORMED for files with
// something else in them.
qtensor_status qtensor_energy_meter_start(qtensor_energy_meter_t *meter, qtensor_error_t **error);

// What was taken since the start; the measurement goes on. Counters are updated about once a
// millisecond, so measure a second or more; one of the powercap tree begins again at 0 after minutes
// or an hour, which is seen once between two readings. One that was set to 0 by something else, as by
// a suspended machine or a driver that was loaded anew, is told from that where a package would have
// taken more than 2000 W since the last reading; where it would not, or the counter is beyond its old
// number again, it cannot be told, so read often. The caller has set out->struct_size to
// sizeof(qtensor_energy_reading_t).
//
// QTENSOR_UNAVAILABLE where no counter has moved, where one was set to 0 (and then until the next
// start), and as for qtensor_energy_meter_start(); QTENSOR_BUFFER_TOO_SMALL where
// out->struct_size is smaller than the first version's.
qtensor_status qtensor_energy_meter_read(qtensor_energy_meter_t *meter,
                                         qtensor_energy_reading_t *out,
                                         qtensor_error_t **error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CAFFE2_QTENSOR_H */
