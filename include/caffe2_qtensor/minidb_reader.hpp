// minidb_reader.hpp: a database, one record at a time.
#ifndef CAFFE2_QTENSOR_MINIDB_READER_HPP
#define CAFFE2_QTENSOR_MINIDB_READER_HPP

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include "dense.hpp"
#include "error.hpp"
#include "handle.hpp"
#include "span.hpp"
#include "tensor.hpp"
#include "wire.hpp"

namespace caffe2_qtensor {

// A record of a database. Its strings may hold any bytes.
struct MinidbEntry {
  // The blob's name, with "#%K" behind it for a chunk of a large tensor.
  std::string key;
  // The key without the number of a chunk, which is what load_dense() takes.
  std::string blob_name;
  // The name inside the blob, and the blob's type, such as "QTensor".
  std::string name;
  std::string type;
  // The blob's size, and where it begins in the file, in bytes.
  std::uint64_t value_size = 0;
  std::uint64_t value_offset = 0;
};

// A database that is being read: a range of MinidbEntry, to be walked once at a time. Only one
// record is in memory, whatever the file's size. The file must not be changed meanwhile.
//
// Calls that are const may run on one reader from many threads at once; every other call, and
// every step of an iterator, needs it alone. It is moved and copied never; a move ends its
// iterators, and after it the old object may be destroyed or assigned to and throws
// QTENSOR_NULL_ARGUMENT for all else.
class MinidbReader {
 public:
  // Goes over the records. All iterators of a reader share its place in the file, and the entry
  // is overwritten by the next step.
  class iterator {
   public:
    typedef std::input_iterator_tag iterator_category;
    typedef MinidbEntry value_type;
    typedef std::ptrdiff_t difference_type;
    typedef const MinidbEntry* pointer;
    typedef const MinidbEntry& reference;

    // The entry as it was before the step.
    class Before {
     public:
      explicit Before(const MinidbEntry& entry) : entry_(entry) {}
      const MinidbEntry& operator*() const noexcept { return entry_; }

     private:
      MinidbEntry entry_;
    };

    iterator() noexcept : reader_(nullptr) {}

    reference operator*() const noexcept { return reader_->entry_; }
    pointer operator->() const noexcept { return &reader_->entry_; }

    // Throws what next() throws. The walk goes on behind a damaged blob by next().
    iterator& operator++() {
      if (!reader_->next(reader_->entry_)) {
        reader_ = nullptr;
      }
      return *this;
    }
    Before operator++(int) {
      Before before(**this);
      ++*this;
      return before;
    }

    friend bool operator==(const iterator& left, const iterator& right) noexcept {
      return left.reader_ == right.reader_;
    }
    friend bool operator!=(const iterator& left, const iterator& right) noexcept {
      return left.reader_ != right.reader_;
    }

   private:
    friend class MinidbReader;
    explicit iterator(MinidbReader* reader) noexcept : reader_(reader) {}

    MinidbReader* reader_;
  };
  typedef iterator const_iterator;
  typedef MinidbEntry value_type;

  // Opens the database at `path`. QTENSOR_IO where it cannot be read.
  explicit MinidbReader(const std::string& path) {
    qtensor_minidb_reader_t* made = nullptr;
    detail::call(&qtensor_minidb_reader_open, detail::path_argument(path), &made);
    reader_.reset(made);
  }

  // Goes back to the first record and reads it.
  iterator begin() {
    rewind();
    return ++iterator(this);
  }
  iterator end() noexcept { return iterator(); }

  // Goes back to before the first record.
  void rewind() {
    detail::call(&qtensor_minidb_reader_rewind, reader_.get());
    value_size_ = 0;
  }

  // Steps to the next record, the first one after opening. False at the end, and then the entry
  // is as it was, as it is after an exception.
  //
  // QTENSOR_MALFORMED for damage. Where only a blob is damaged the next call goes on behind it;
  // where the record is, each call fails.
  bool next(MinidbEntry& entry) {
    qtensor_minidb_entry_t seen;
    seen.struct_size = sizeof seen;
    bool found = false;
    value_size_ = 0;
    detail::call(&qtensor_minidb_reader_next, reader_.get(), &seen, &found);
    if (!found) {
      return false;
    }
    value_size_ = seen.value_size;
    MinidbEntry next;
    next.key = detail::string_of(seen.key, seen.key_length);
    next.blob_name = detail::string_of(seen.key, seen.blob_name_length);
    next.name = detail::string_of(seen.name, seen.name_length);
    next.type = detail::string_of(seen.type_name, seen.type_length);
    next.value_size = seen.value_size;
    next.value_offset = seen.value_offset;
    entry = std::move(next);
    return true;
  }

  // The current record's blob, undecoded: as a string, or in the caller's buffer, of which the
  // number of bytes used is returned. QTENSOR_INVALID_ARGUMENT where there is no current record.
  std::string read() const {
    std::string bytes(static_cast<std::size_t>(value_size_), '\0');
    bytes.resize(read(Span<std::uint8_t>(detail::buffer_of(bytes), bytes.size())));
    return bytes;
  }
  std::size_t read(Span<std::uint8_t> buffer) const {
    std::size_t written = 0;
    detail::call(&qtensor_minidb_reader_read, reader_.get(), buffer.data(), buffer.size(),
                 &written);
    return written;
  }

  // The quantized tensor in the first record whose key is `name`; the current record stays what
  // it is. Each call walks the file from its start, Blobs::load() once for all.
  Tensor load(const std::string& name) const {
    qtensor_t* made = nullptr;
    detail::call(&qtensor_minidb_reader_load, reader_.get(), detail::name_argument(name), &made);
    return Tensor(made);
  }

  // The ordinary tensor of this name, put together from its chunks; otherwise like load().
  Dense load_dense(const std::string& name) const {
    qtensor_dense_t* made = nullptr;
    detail::call(&qtensor_minidb_reader_load_dense, reader_.get(), detail::name_argument(name),
                 &made);
    return Dense(made);
  }

 private:
  detail::Handle<qtensor_minidb_reader_t> reader_;
  MinidbEntry entry_;
  // The current record's; 0 where there is none.
  std::uint64_t value_size_ = 0;
};

}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_MINIDB_READER_HPP
