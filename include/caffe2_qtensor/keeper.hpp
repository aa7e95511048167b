// keeper.hpp: what keeps borrowed memory there.
#ifndef CAFFE2_QTENSOR_KEEPER_HPP
#define CAFFE2_QTENSOR_KEEPER_HPP

#include <memory>
#include <utility>

namespace caffe2_qtensor {
namespace detail {

// An object for a call that borrows: with release() and context() the library destroys it when it
// gives the memory back. That is agreed once the call has worked, which given() says; until then
// this destroys it.
template <class Owner>
class Keeper {
 public:
  explicit Keeper(Owner owner) : kept_(new Owner(std::move(owner))) {}

  static void release(void* context) noexcept { delete static_cast<Owner*>(context); }
  void* context() const noexcept { return kept_.get(); }
  void given() noexcept { kept_.release(); }

 private:
  std::unique_ptr<Owner> kept_;
};

}  // namespace detail
}  // namespace caffe2_qtensor

#endif  // CAFFE2_QTENSOR_KEEPER_HPP
