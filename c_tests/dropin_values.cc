// dropin_values.cc: tensors of the drop-in header as values: copies, moves, what is left behind,
// tensors of static storage duration, empty ones, and many readers at once.
#define CAFFE2_QTENSOR_STANDALONE
#include "dropin_tensor.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

static_assert(std::is_nothrow_default_constructible<CPUTensor>::value, "allocates nothing");
static_assert(std::is_nothrow_move_constructible<CPUTensor>::value, "vectors move when they grow");
static_assert(std::is_nothrow_move_assignable<CPUTensor>::value, "and when they erase");
static_assert(std::is_copy_constructible<CPUTensor>::value, "copies are made");
static_assert(!std::is_nothrow_copy_constructible<CPUTensor>::value, "which need memory");
static_assert(std::is_nothrow_destructible<CPUTensor>::value, "nothing leaves a destructor");
static_assert(std::has_virtual_destructor<CPUTensor>::value, "as in Caffe2");
static_assert(!std::is_convertible<int, CPUTensor>::value, "its constructor is explicit");

// Made before main() and destroyed after it, and used by its neighbors in both.
struct Witness {
  Witness();
  ~Witness();
};
static Witness first_witness;
static CPUTensor global_blank;
static CPUTensor global_written({3, 3}, 2);

Witness::Witness() {
  // Elsewhere than in this file the order of construction is unknown; a tensor of its own will do.
  CPUTensor early;
  early.Resize({2, 2});
  early.SetBitAtIndex(7, 3, true);
  if (!early.GetBitAtIndex(7, 3)) {
    abort();
  }
}

// This one goes last, after the static tensors; it may still ask and make new ones.
Witness::~Witness() {
  const CPUTensor late;
  CPUTensor other({4}, 1);
  other.SetBitAtIndex(0, 3, true);
  if (late.alignment() != 8 || late.scale() != 1.0 || other.data()[0] != 0x10) {
    abort();
  }
}

static const std::string &state_of_new() {
  static const std::string state = state_of(CPUTensor());
  return state;
}

static CPUTensor numbered(int number) {
  CPUTensor tensor({number, 3}, 6, true);
  tensor.SetScale(number);
  tensor.SetBias(-number);
  for (size_t i = 0; i < tensor.size(); i++) {
    tensor.SetBitAtIndex(static_cast<unsigned char>((i + tensor.size()) % 7), i, true);
  }
  return tensor;
}

static void new_tensors() {
  CPUTensor tensor;
  CHECK(tensor.ndim() == 0 && tensor.size() == 0 && tensor.nbytes() == 0);
  CHECK(tensor.precision() == 8 && !tensor.is_signed() && tensor.alignment() == 8);
  CHECK(tensor.scale() == 1.0 && tensor.bias() == 0.0 && tensor.data() == nullptr);
  // Reading allocates nothing.
  tensor.Resize({1000});
  for (size_t i = 0; i < 1000; i++) {
    CHECK(!tensor.GetBitAtIndex(7, i));
  }
  caffe2::SerializeQTensor(tensor, "w");
  CHECK(tensor.data() == nullptr);
  const CPUTensor copy = tensor;
  CHECK(copy.data() == nullptr && state_of(copy) == state_of(tensor));
  // Writing does, and all else is 0.
  tensor.SetBitAtIndex(3, 0, false);
  CHECK(tensor.data() != nullptr && planes_of(tensor) == std::string(1000, '\0'));
  CHECK(copy.data() == nullptr);
}

static void copies_are_deep() {
  CPUTensor original = numbered(5), assigned = numbered(2);
  const std::string state = state_of(original);
  CPUTensor copy = original;
  assigned = original;
  CHECK(state_of(copy) == state && state_of(assigned) == state);
  CHECK(copy.data() != original.data() && assigned.data() != original.data());
  copy.SetBitAtIndex(0, 14, !copy.GetBitAtIndex(0, 14));
  assigned.mutable_data()[0] ^= 1;
  assigned.SetScale(9);
  CHECK(state_of(original) == state && state_of(copy) != state);
  original.Resize({2, 2});
  CHECK(state_of(copy) != state_of(original) && copy.dims() == std::vector<int>({5, 3}));

  CPUTensor &itself = copy;
  const std::string before = state_of(copy);
  const unsigned char *const planes = copy.data();
  copy = itself;
  CHECK(state_of(copy) == before);
  copy = std::move(itself);
  CHECK(state_of(copy) == before);
  copy.Swap(itself);
  CHECK(state_of(copy) == before && planes != nullptr);
  // A copy of a new tensor is a new tensor.
  const CPUTensor blank;
  copy = blank;
  CHECK(state_of(copy) == state_of_new());
}

static void moved_from_is_like_new() {
  const std::string state = state_of(numbered(4));
  CPUTensor source = numbered(4);
  const unsigned char *const planes = source.data();
  CPUTensor target = std::move(source);
  CHECK(target.data() == planes && state_of(target) == state);
  CHECK(state_of(source) == state_of_new());
  // It can be used again.
  source.Resize({9});
  source.SetBitAtIndex(1, 8, true);
  CHECK(source.GetBitAtIndex(1, 8) && state_of(target) == state);
  source = std::move(target);
  CHECK(source.data() == planes && state_of(target) == state_of_new());
  target.SetPrecision(3);
  CHECK(target.precision() == 3 && target.nbytes() == 0);
  target = numbered(1);
  std::swap(source, target);
  CHECK(state_of(target) == state && state_of(source) == state_of(numbered(1)));
  source.Swap(target);
  CHECK(state_of(source) == state && source.data() == planes);
}

static void handles_come_and_go() {
  CPUTensor tensor = numbered(3), other;
  const std::string state = state_of(tensor);
  const unsigned char *const planes = tensor.data();
  CHECK(qtensor_data(tensor.handle()) == planes && qtensor_ndim(tensor.handle()) == 2);
  qtensor_t *const handle = tensor.Release();
  CHECK(qtensor_data(handle) == planes && state_of(tensor) == state_of_new());
  other.Resize({7});
  other.Adopt(handle);
  CHECK(state_of(other) == state && other.data() == planes);
  // A new tensor has one to give as well, and asking for it allocates none.
  CHECK(qtensor_size(CPUTensor().handle()) == 0);
  qtensor_t *const blank = tensor.Release();
  CHECK(blank != nullptr && qtensor_precision(blank) == 8);
  qtensor_free(blank);
}

// An adopted tensor may only borrow its planes: they are read where they are, and written to only
// where that is allowed.
static void borrowed_planes() {
  unsigned char bytes[] = {1, 2, 3, 4, 5, 6};
  for (const bool writable : {false, true}) {
    CPUTensor tensor({3, 5}, 2, true);
    qtensor_t *const handle = tensor.Release();
    CHECK((writable ? qtensor_borrow_mut(handle, bytes, 6, nullptr, nullptr, nullptr)
                    : qtensor_borrow(handle, bytes, 6, nullptr, nullptr, nullptr)) == QTENSOR_OK);
    tensor.Adopt(handle);
    CHECK(tensor.data() == bytes && tensor.GetBitAtIndex(0, 7) && !tensor.GetBitAtIndex(0, 0));
    tensor.SetScale(2);
    CHECK(tensor.data() == bytes);
    CPUTensor swapped;
    swapped.Swap(tensor);
    swapped.SetBitAtIndex(0, 0, true);
    CHECK((swapped.data() == bytes) == writable && swapped.GetBitAtIndex(0, 0));
    CHECK(bytes[0] == (writable ? 0x81 : 1) && swapped.data()[5] == 6);
    CHECK(swapped.mutable_data() == swapped.data());
    CHECK(qtensor_data(swapped.handle()) == swapped.data());
  }
}

static void in_containers() {
  std::vector<CPUTensor> tensors;
  std::vector<const unsigned char *> planes;
  std::vector<std::string> states;
  for (int i = 1; i <= 20; i++) {
    tensors.push_back(numbered(i));
    planes.push_back(tensors.back().data());
    states.push_back(state_of(tensors.back()));
  }
  // Growing moved them all: their planes are where they were.
  for (size_t i = 0; i < 20; i++) {
    CHECK(tensors[i].data() == planes[i] && state_of(tensors[i]) == states[i]);
  }
  tensors.erase(tensors.begin() + 3);
  tensors.insert(tensors.begin(), tensors[5]);
  CHECK(state_of(tensors[0]) == states[6] && state_of(tensors[4]) == states[4]);
  tensors.resize(40);
  CHECK(state_of(tensors[39]) == state_of_new() && tensors[1].data() == planes[0]);
  std::vector<CPUTensor> copies = tensors;
  copies[1].SetBitAtIndex(0, 0, !copies[1].GetBitAtIndex(0, 0));
  CHECK(state_of(tensors[1]) == states[0] && state_of(copies[1]) != states[0]);
  std::map<std::string, CPUTensor> by_name;
  by_name["a"] = numbered(2);
  by_name.emplace("b", std::move(tensors[1]));
  CHECK(state_of(by_name["a"]) == states[1] && by_name["b"].data() == planes[0]);
}

// A slice of a class of the client's, and that class as a whole.
class Labeled : public CPUTensor {
 public:
  using CPUTensor::CPUTensor;
  std::string label;
};

static void in_derived_classes() {
  Labeled labeled({2, 2}, 3, true);
  labeled.label = "label";
  labeled.SetBitAtIndex(3, 1, true);
  const std::string state = state_of(labeled);
  Labeled copy = labeled, moved = std::move(labeled);
  CHECK(copy.label == "label" && state_of(copy) == state && state_of(moved) == state);
  CHECK(state_of(labeled) == state_of_new());
  const CPUTensor slice = copy;
  CHECK(state_of(slice) == state);
  caffe2::DeserializeQTensor(caffe2::SerializeQTensor(numbered(3), "w"), &copy);
  CHECK(copy.label == "label" && state_of(copy) == state_of(numbered(3)));
  std::unique_ptr<CPUTensor> base(new Labeled(std::move(copy)));
  CHECK(state_of(*base) == state_of(numbered(3)));
}

static void empty_and_large() {
  CPUTensor none({3, 0, 5}, 4, true);
  CHECK(none.size() == 0 && none.nbytes() == 0 && none.ndim() == 3 && none.data() == nullptr);
  none.mutable_data();
  CHECK(none.size() == 0 && none.size_from_dim(0) == 0 && none.size_from_dim(2) == 5);
  const std::string blob = caffe2::SerializeQTensor(none, "w");
  CPUTensor read;
  caffe2::DeserializeQTensor(blob, &read);
  CHECK(read.dims() == none.dims() && caffe2::SerializeQTensor(read, "w") == blob);
  const CPUTensor copy = none, moved = std::move(none);
  CHECK(copy.ndim() == 3 && moved.ndim() == 3);
  CPUTensor blank;
  blank.mutable_data();
  CHECK(blank.size() == 0 && blank.nbytes() == 0);
  // Elements without planes.
  CPUTensor flat({10}, 0);
  flat.mutable_data();
  CHECK(flat.nbytes() == 0 && flat.size() == 10);

  // As many planes as there can be.
  CPUTensor deep({9}, 255, true);
  CHECK(deep.nbytes() == 512);
  for (int bit = 0; bit < 256; bit += 5) {
    deep.SetBitAtIndex(static_cast<unsigned char>(bit), static_cast<size_t>(bit % 9), true);
  }
  for (int bit = 0; bit < 256; bit++) {
    for (int i = 0; i < 9; i++) {
      const bool due = bit % 5 == 0 && bit % 9 == i;
      CHECK(deep.GetBitAtIndex(static_cast<unsigned char>(bit), static_cast<size_t>(i)) == due);
    }
  }
  CHECK(deep.data()[255 * 2] == (0x80 >> (255 % 9)));
  caffe2::DeserializeQTensor(caffe2::SerializeQTensor(deep, ""), &read);
  CHECK(state_of(read) == state_of(deep));
}

// const members only; the tensors that are new share one empty handle.
static void many_readers() {
  const CPUTensor tensor = numbered(100), blank, unwritten({7, 7}, 2);
  const std::string state = state_of(tensor), blob = caffe2::SerializeQTensor(tensor, "w");
  const std::string blank_state = state_of(blank), unwritten_state = state_of(unwritten);
  std::atomic<int> wrong(0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; i++) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; round++) {
        wrong += state_of(tensor) != state || caffe2::SerializeQTensor(tensor, "w") != blob;
        wrong += state_of(blank) != blank_state || state_of(unwritten) != unwritten_state;
        wrong += state_of(CPUTensor()) != blank_state;
        CPUTensor copy = tensor;
        copy.SetBitAtIndex(0, 0, true);
        wrong += copy.data() == tensor.data();
        try {
          tensor.GetBitAtIndex(7, 0);
          wrong++;
        } catch (const caffe2::EnforceNotMet &) {
        }
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  CHECK(state_of(global_blank) == state_of_new());
  global_written.SetBitAtIndex(1, 8, true);
  global_blank = global_written;
  CHECK(global_blank.GetBitAtIndex(1, 8));
  new_tensors();
  copies_are_deep();
  moved_from_is_like_new();
  handles_come_and_go();
  borrowed_planes();
  in_containers();
  in_derived_classes();
  empty_and_large();
  many_readers();
  return done();
}
