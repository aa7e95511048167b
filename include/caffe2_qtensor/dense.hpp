// dense.hpp: ordinary tensors, which Caffe2 keeps its float weights in.
#ifndef CAFFE2_QTENSOR_DENSE_HPP
#define CAFFE2_QTENSOR_DENSE_HPP

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>

#include "dense_reader.hpp"
#include "dims.hpp"
#include "element_type.hpp"
#include "error.hpp"
#include "keeper.hpp"
#include "span.hpp"
#include "wire.hpp"

namespace caffe2_qtensor {

// An ordinary tensor that belongs to this object: dimensions and elements in row-major order. It
// never changes; it is moved freely and copied never. After a move the old object has no tensor:
// it may be destroyed or assigned to, and all else is as the comment of DenseReader says.
class Dense : public detail::DenseReader {
 public:
  // A copy of the elements in a vector, a Span or whatever has data() and size(), an array, or a
  // braced list. Without dimensions the tensor is a scalar, one element. Those of half precision
  // are made of uint16_t, with QTENSOR_ELEMENT_FLOAT16 as `element_type`; otherwise T decides.
  template <class Container,
            class T = typename std::remove_cv<typename std::remove_pointer<
                decltype(std::declval<const Container&>().data())>::type>::type>
  static Dense of(const Dims& dims, const Container& elements,
                  std::int32_t element_type = detail::ElementType<T>::number()) {
    return from<T>(dims, elements.data(), elements.size(), element_type);
  }
  template <class T, std::size_t N>
  static Dense of(const Dims& dims, const T (&elements)[N],
                  std::int32_t element_type = detail::ElementType<T>::number()) {
    return from<T>(dims, elements, N, element_type);
  }
  template <class T>
  static Dense of(const Dims& dims, std::initializer_list<T> elements,
                  std::int32_t element_type = detail::ElementType<T>::number()) {
    return from<T>(dims, elements.begin(), elements.size(), element_type);
  }

  // A copy of elements as they lie in memory, which need not be aligned for their type.
  Dense(const Dims& dims, std::int32_t element_type, Span<const std::uint8_t> bytes)
      : Dense(dims, element_type, bytes.data(), bytes.size()) {}

  // A tensor of elements that belong to somebody else, aligned for their type. They stay there, and
  // as they are, until `give_back` is called with `context`, or longer than the tensor.
  static Dense borrow(const Dims& dims, std::int32_t element_type, Span<const std::uint8_t> bytes,
                      qtensor_release_t give_back = nullptr, void* context = nullptr) {
    qtensor_dense_t* made = nullptr;
    detail::call(&qtensor_dense_borrow, dims.data(), dims.size(), element_type,
                 static_cast<const void*>(bytes.data()), bytes.size(), give_back, context, &made);
    return Dense(made);
  }

  // The same, with an object that keeps them there: it is moved in, and destroyed with the tensor.
  template <class Owner>
  static Dense borrow_keeping(const Dims& dims, std::int32_t element_type,
                              Span<const std::uint8_t> bytes, Owner owner) {
    detail::Keeper<Owner> keeper(std::move(owner));
    Dense made =
        borrow(dims, element_type, bytes, &detail::Keeper<Owner>::release, keeper.context());
    keeper.given();
    return made;
  }

  // Takes over a tensor that the C interface made; this object frees it.
  explicit Dense(qtensor_dense_t* owned) noexcept : DenseReader(owned) {}

  Dense(Dense&& other) noexcept : DenseReader(other.release()) {}

  Dense& operator=(Dense&& other) noexcept {
    Dense moved(std::move(other));
    std::swap(handle_, moved.handle_);
    return *this;
  }

  Dense(const Dense&) = delete;
  Dense& operator=(const Dense&) = delete;

  ~Dense() { qtensor_dense_free(owned()); }

  // Reads a BlobProto of type "Tensor" that holds a whole tensor.
  static Dense deserialize(Span<const std::uint8_t> bytes) {
    qtensor_dense_t* made = nullptr;
    detail::call(&qtensor_dense_deserialize, bytes.data(), bytes.size(), &made);
    return Dense(made);
  }
  static Dense deserialize(const std::string& bytes) {
    return deserialize(detail::bytes_of(bytes));
  }

  // The tensor, for the C interface; it stays this object's.
  const qtensor_dense_t* get() const noexcept { return handle_; }

  // Gives the tensor away, to be freed with qtensor_dense_free(); this object is then as after a
  // move.
  qtensor_dense_t* release() noexcept {
    qtensor_dense_t* const given = owned();
    handle_ = nullptr;
    return given;
  }

 private:
  Dense(const Dims& dims, std::int32_t element_type, const void* data, std::size_t nbytes)
      : DenseReader(nullptr) {
    qtensor_dense_t* made = nullptr;
    detail::call(&qtensor_dense_create, dims.data(), dims.size(), element_type, data, nbytes,
                 &made);
    handle_ = made;
  }

  template <class T>
  static Dense from(const Dims& dims, const T* elements, std::size_t count,
                    std::int32_t element_type) {
    detail::check_element_type<T>(element_type);
    return Dense(dims, element_type, elements, count * sizeof(T));
  }

  // Only a tensor that was not const ever came in.
  qtensor_dense_t* owned() noexcept { return const_cast<qtensor_dense_t*>(handle_); }
};

// An ordinary tensor to read that belongs to somebody else: a pointer, copied freely and valid as
// long as the tensor. What takes one by value takes a Dense too.
class DenseRef : public detail::DenseReader {
 public:
  // `dense` is for the C interface's own; it stays its owner's.
  explicit DenseRef(const qtensor_dense_t* dense) noexcept : DenseReader(dense) {}

  DenseRef(const Dense& dense) noexcept : DenseReader(dense.get()) {}

  const qtensor_dense_t* get() const noexcept { return handle_; }
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_DENSE_HPP
