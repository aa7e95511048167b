// blobs.hpp: all blobs of a database at once.
#ifndef CAFFE2_QTENSOR_BLOBS_HPP
#define CAFFE2_QTENSOR_BLOBS_HPP

#include <cstddef>
#include <iterator>
#include <string>

#include "dense.hpp"
#include "error.hpp"
#include "handle.hpp"
#include "tensor_ref.hpp"
#include "wire.hpp"

namespace caffe2_qtensor {

// One blob of a Blobs object: copied freely and valid, with all it gives out, as long as the
// Blobs, which may be moved meanwhile. Any number of threads may use one at once.
class Blob {
 public:
  Blob(const qtensor_blobs_t* blobs, std::size_t index) noexcept : blobs_(blobs), index_(index) {}

  // Any bytes, a NUL among them included.
  std::string name() const { return text(&qtensor_blobs_name); }

  // Such as "QTensor".
  std::string type() const { return text(&qtensor_blobs_type); }

  bool has_tensor() const noexcept { return qtensor_blobs_tensor(blobs_, index_) != nullptr; }

  // QTENSOR_UNSUPPORTED where the blob holds no quantized tensor.
  TensorRef tensor() const {
    return TensorRef(held(qtensor_blobs_tensor(blobs_, index_), "quantized"));
  }

  bool has_dense() const noexcept { return qtensor_blobs_dense(blobs_, index_) != nullptr; }

  // QTENSOR_UNSUPPORTED where the blob holds no ordinary tensor.
  DenseRef dense() const {
    return DenseRef(held(qtensor_blobs_dense(blobs_, index_), "ordinary"));
  }

 private:
  std::string text(const char* (*function)(const qtensor_blobs_t*, std::size_t,
                                           std::size_t*)) const {
    std::size_t length = 0;
    const char* const bytes = function(blobs_, index_, &length);
    return bytes == nullptr ? std::string() : detail::string_of(bytes, length);
  }

  template <class T>
  const T* held(const T* tensor, const char* kind) const {
    if (tensor == nullptr) {
      throw Error(QTENSOR_UNSUPPORTED, "The blob at index " + std::to_string(index_) +
                                           " holds no " + std::string(kind) + " tensor.");
    }
    return tensor;
  }

  const qtensor_blobs_t* blobs_;
  std::size_t index_;
};

// Every blob of a database, decoded, in the order of their first records: a range of Blob. It
// never changes, so any number of threads may use one at once. It is moved freely and copied
// never; after a move the old object holds no blobs, and iterators and Blobs stay valid.
class Blobs {
 public:
  // Goes over the blobs. What it points to is made as it is asked for, so references to that are
  // not kept; the Blob itself may be.
  class const_iterator {
   public:
    typedef std::random_access_iterator_tag iterator_category;
    typedef Blob value_type;
    typedef std::ptrdiff_t difference_type;
    typedef Blob reference;

    // What -> needs to point to.
    class pointer {
     public:
      explicit pointer(Blob blob) noexcept : blob_(blob) {}
      const Blob* operator->() const noexcept { return &blob_; }

     private:
      Blob blob_;
    };

    const_iterator() noexcept : const_iterator(nullptr, 0) {}
    const_iterator(const qtensor_blobs_t* blobs, difference_type at) noexcept
        : blobs_(blobs), at_(at) {}

    Blob operator*() const noexcept { return Blob(blobs_, static_cast<std::size_t>(at_)); }
    pointer operator->() const noexcept { return pointer(**this); }
    Blob operator[](difference_type by) const noexcept { return *(*this + by); }

    const_iterator& operator++() noexcept { return *this += 1; }
    const_iterator& operator--() noexcept { return *this -= 1; }
    const_iterator operator++(int) noexcept {
      const const_iterator before = *this;
      ++*this;
      return before;
    }
    const_iterator operator--(int) noexcept {
      const const_iterator before = *this;
      --*this;
      return before;
    }
    const_iterator& operator+=(difference_type by) noexcept {
      at_ += by;
      return *this;
    }
    const_iterator& operator-=(difference_type by) noexcept {
      at_ -= by;
      return *this;
    }
    friend const_iterator operator+(const_iterator it, difference_type by) noexcept {
      return it += by;
    }
    friend const_iterator operator+(difference_type by, const_iterator it) noexcept {
      return it += by;
    }
    friend const_iterator operator-(const_iterator it, difference_type by) noexcept {
      return it -= by;
    }
    friend difference_type operator-(const_iterator left, const_iterator right) noexcept {
      return left.at_ - right.at_;
    }

    friend bool operator==(const_iterator left, const_iterator right) noexcept {
      return left.at_ == right.at_;
    }
    friend bool operator!=(const_iterator left, const_iterator right) noexcept {
      return left.at_ != right.at_;
    }
    friend bool operator<(const_iterator left, const_iterator right) noexcept {
      return left.at_ < right.at_;
    }
    friend bool operator>(const_iterator left, const_iterator right) noexcept {
      return left.at_ > right.at_;
    }
    friend bool operator<=(const_iterator left, const_iterator right) noexcept {
      return left.at_ <= right.at_;
    }
    friend bool operator>=(const_iterator left, const_iterator right) noexcept {
      return left.at_ >= right.at_;
    }

   private:
    const qtensor_blobs_t* blobs_;
    difference_type at_;
  };
  typedef const_iterator iterator;
  typedef Blob value_type;

  // Reads the database at `path`. Blobs of types that the library does not read are there but
  // hold nothing. It refuses what qtensor_blobs_load() does.
  static Blobs load(const std::string& path) {
    qtensor_blobs_t* made = nullptr;
    detail::call(&qtensor_blobs_load, detail::path_argument(path), &made);
    return Blobs(made);
  }

  // Takes over blobs that the C interface loaded; this object frees them.
  explicit Blobs(qtensor_blobs_t* owned) noexcept : blobs_(owned) {}

  std::size_t size() const noexcept { return qtensor_blobs_count(blobs_.get()); }
  bool empty() const noexcept { return size() == 0; }

  // The blob at an index below size(). One elsewhere has no name and holds nothing.
  Blob operator[](std::size_t index) const noexcept { return Blob(blobs_.get(), index); }

  const_iterator begin() const noexcept { return const_iterator(blobs_.get(), 0); }
  const_iterator end() const noexcept {
    return const_iterator(blobs_.get(), static_cast<std::ptrdiff_t>(size()));
  }

  // The first blob of this name, or end(). The name may hold any bytes.
  const_iterator find(const std::string& name) const {
    const_iterator it = begin();
    while (it != end() && it->name() != name) {
      ++it;
    }
    return it;
  }

 private:
  detail::Handle<qtensor_blobs_t> blobs_;
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_BLOBS_HPP
