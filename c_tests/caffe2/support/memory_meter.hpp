// memory_meter.hpp: how many bytes of the heap are in use at most. It stands in for malloc in the
// program that includes it, once, and so sees what every library of the process takes.
#ifndef MEMORY_METER_HPP
#define MEMORY_METER_HPP

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

extern "C" {
void *__libc_malloc(std::size_t size);
void *__libc_calloc(std::size_t count, std::size_t size);
void *__libc_realloc(void *block, std::size_t size);
void *__libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void *block);
}

namespace memory_meter {

static std::atomic<long long> in_use, most;

inline void *taken(void *block) {
  if (block != nullptr) {
    const long long size = static_cast<long long>(malloc_usable_size(block));
    const long long now = in_use.fetch_add(size) + size;
    if (now > most.load()) {
      most.store(now);
    }
  }
  return block;
}

inline void given_back(void *block) {
  if (block != nullptr) {
    in_use.fetch_sub(static_cast<long long>(malloc_usable_size(block)));
  }
}

// The bytes that a call has in use at most, beyond those from before it.
template <class Call>
double peak(const Call &call) {
  const long long before = in_use.load();
  most.store(before);
  call();
  return static_cast<double>(most.load() - before);
}

}  // namespace memory_meter

extern "C" {
void *malloc(std::size_t size) { return memory_meter::taken(__libc_malloc(size)); }
void *calloc(std::size_t count, std::size_t size) {
  return memory_meter::taken(__libc_calloc(count, size));
}
void *realloc(void *block, std::size_t size) {
  const long long old = block == nullptr ? 0 : static_cast<long long>(malloc_usable_size(block));
  void *const moved = __libc_realloc(block, size);
  if (moved != nullptr || size == 0) {
    memory_meter::in_use.fetch_sub(old);
  }
  return memory_meter::taken(moved);
}
void *memalign(std::size_t alignment, std::size_t size) {
  return memory_meter::taken(__libc_memalign(alignment, size));
}
void *aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void **out, std::size_t alignment, std::size_t size) {
  void *const block = memalign(alignment, size);
  if (block == nullptr) {
    return ENOMEM;
  }
  *out = block;
  return 0;
}
void free(void *block) {
  memory_meter::given_back(block);
  __libc_free(block);
}
}

#endif
