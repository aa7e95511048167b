// call_cases.hpp: random calls on Caffe2's class and on ours, compared after each.
//
// Caffe2's class has undefined behavior where ours refuses or answers; there only ours is called,
// and Caffe2's is brought into the state that ours is said to be in.
#ifndef CALL_CASES_HPP
#define CALL_CASES_HPP

#include <cstring>
#include <exception>
#include <functional>

#include "random.hpp"
#include "report.hpp"
#include "stock.hpp"

class CallCase {
 public:
  CallCase(Random *random, Report *report, std::unique_ptr<Subject> ours)
      : random_(*random), report_(*report), stock_(stock_class()), ours_(std::move(ours)) {
    ours_->SetScale(1);
    ours_->SetBias(0);
  }

  void Run() {
    const int steps = random_.Between(3, 14);
    for (int step = 0; step < steps && fine_; step++) {
      Step();
      Compare("the tensors");
    }
    if (fine_) {
      Serialize();
    }
  }

 private:
  void Step() {
    switch (random_.Below(12)) {
      case 0:
      case 1: return Resize();
      case 2: {
        const int precision = random_.Once(6) ? random_.Between(0, 255) : random_.Between(0, 9);
        return Both("SetPrecision " + std::to_string(precision),
                    [=](Subject *tensor) { tensor->SetPrecision(precision); });
      }
      case 3: {
        const bool is_signed = random_.Once(2);
        return Both("SetSigned", [=](Subject *tensor) { tensor->SetSigned(is_signed); });
      }
      case 4: {
        const double value = random_.Real();
        return Both("SetScale", [=](Subject *tensor) { tensor->SetScale(value); });
      }
      case 5: {
        const double value = random_.Real();
        return Both("SetBias", [=](Subject *tensor) { tensor->SetBias(value); });
      }
      case 6: return Fill();
      case 7: return Ask();
      default: return Bit();
    }
  }

  // Runs a call on both, and compares whether it was refused.
  void Both(const std::string &what, const std::function<void(Subject *)> &call) {
    steps_ += "; " + what;
    const bool stock = Accepted(stock_.get(), call), ours = Accepted(ours_.get(), call);
    report_.Saw(stock ? "calls that both take" : "calls that both refuse");
    if (stock != ours) {
      Disagree(what + (stock ? " is refused by ours" : " is refused by Caffe2's"));
    }
  }

  static bool Accepted(Subject *tensor, const std::function<void(Subject *)> &call) {
    try {
      call(tensor);
      return true;
    } catch (const std::exception &) {
      return false;
    }
  }

  // A call that Caffe2's class does not check: ours refuses it, and nothing has changed.
  void OursRefuses(const std::string &rule, const std::function<void(Subject *)> &call) {
    report_.Saw("difference: " + rule);
    if (Accepted(ours_.get(), call)) {
      Disagree("ours takes what it should refuse: " + rule);
    }
  }

  void Resize() {
    std::vector<int> dims(random_.Below(random_.Once(8) ? 7 : 4));
    for (int &dim : dims) {
      dim = random_.Once(10) ? 0 : random_.Between(1, random_.Once(4) ? 40 : 6);
    }
    if (random_.Once(12) && !dims.empty()) {
      dims[random_.Below(dims.size())] = -random_.Between(1, 5);
      return OursRefuses("negative dimensions", [=](Subject *t) { t->Resize(dims); });
    }
    if (random_.Once(12)) {
      const std::vector<int> huge(5, 1 << 20);
      return OursRefuses("overflowing dimensions", [=](Subject *t) { t->Resize(huge); });
    }
    if (dims.empty() && !stock_->See().dims.empty()) {
      // Caffe2's would have one element then, which it cannot read back.
      report_.Saw("difference: no dimensions");
      ours_->Resize(dims);
      if (ours_->See().size != 0) {
        Disagree("a tensor without dimensions has elements");
      }
      ours_->Resize({1});
      stock_->Resize({1});
      return Drop(stock_.get()), Drop(ours_.get());
    }
    const Seen before = ours_->See();
    Both("Resize", [=](Subject *tensor) { tensor->Resize(dims); });
    const Seen after = ours_->See();
    if (before.nbytes != after.nbytes && before.has_data) {
      report_.Saw("difference: resize to another size in bytes");
      if (after.has_data) {
        Disagree("planes stay although their size changes");
      }
      // Caffe2's may keep storage that its next write refuses.
      Drop(stock_.get());
    }
  }

  static void Drop(Subject *tensor) { tensor->SetSigned(tensor->See().is_signed); }

  // The same random bytes in all planes of both.
  void Fill() {
    steps_ += "; fill";
    const std::uint64_t nbytes = ours_->See().nbytes;
    const std::string bytes = random_.Bytes(nbytes);
    for (Subject *const tensor : {stock_.get(), ours_.get()}) {
      unsigned char *const planes = tensor->Planes();
      if (nbytes != 0) {
        std::memcpy(planes, bytes.data(), nbytes);
      }
    }
  }

  void Bit() {
    const Seen seen = ours_->See();
    const int planes = seen.precision + seen.is_signed;
    if (seen.size == 0 || random_.Once(20)) {
      const std::size_t index = seen.size + random_.Below(3);
      const int bit = planes == 0 ? 0 : random_.Between(0, planes - 1);
      OursRefuses("element index", [=](Subject *t) { t->SetBit(bit, index, true); });
      return OursRefuses("element index", [=](Subject *t) { t->GetBit(bit, index); });
    }
    const std::size_t index = random_.Below(seen.size);
    if (planes == 0 || (planes < 256 && random_.Once(8))) {
      const int bit = random_.Between(planes, 255);
      OursRefuses("bit index in GetBitAtIndex", [=](Subject *t) { t->GetBit(bit, index); });
      if (!seen.has_data) {
        return OursRefuses("refused bit without planes",
                           [=](Subject *t) { t->SetBit(bit, index, true); });
      }
      return Both("SetBit " + std::to_string(bit),
                  [=](Subject *tensor) { tensor->SetBit(bit, index, true); });
    }
    const int bit = random_.Between(0, planes - 1);
    if (!seen.has_data) {
      report_.Saw("difference: bits before the first write");
      if (ours_->GetBit(bit, index)) {
        Disagree("a bit is set before the first write");
      }
      // Caffe2's are not initialized.
      unsigned char *const fresh = stock_->Planes();
      std::memset(fresh, 0, seen.nbytes);
    }
    const bool value = random_.Once(2);
    Both("SetBit " + std::to_string(bit) + " of " + std::to_string(index),
         [=](Subject *tensor) { tensor->SetBit(bit, index, value); });
    const std::size_t other = random_.Below(seen.size);
    if (stock_->GetBit(bit, other) != ours_->GetBit(bit, other)) {
      Disagree("bit " + std::to_string(bit) + " of " + std::to_string(other));
    }
  }

  void Ask() {
    const int ndim = static_cast<int>(ours_->See().dims.size());
    const int axis = random_.Between(-ndim - 2, ndim + 1);
    Answer("canonical_axis_index", [=](Subject *t) { return t->CanonicalAxis(axis); });
    const int k = random_.Between(-2, ndim + 2);
    if (k < 0) {
      OursRefuses("size_from_dim of a negative index", [=](Subject *t) { t->SizeFrom(k); });
      OursRefuses("size_to_dim of a negative index", [=](Subject *t) { t->SizeTo(k); });
      return OursRefuses("dim32 out of range", [=](Subject *t) { t->Dim(k); });
    }
    Answer("size_from_dim", [=](Subject *t) { return t->SizeFrom(k); });
    Answer("size_to_dim", [=](Subject *t) { return t->SizeTo(k); });
    if (k >= ndim) {
      return OursRefuses("dim32 out of range", [=](Subject *t) { t->Dim(k); });
    }
    Answer("dim32", [=](Subject *t) { return t->Dim(k); });
  }

  void Answer(const std::string &what, const std::function<std::int64_t(Subject *)> &ask) {
    std::int64_t answers[2] = {0, 0};
    int next = 0;
    Both(what, [&](Subject *tensor) {
      const int mine = next++;
      answers[mine] = ask(tensor);
    });
    if (answers[0] != answers[1]) {
      Disagree(what + " is " + std::to_string(answers[1]) + ", not " + std::to_string(answers[0]));
    }
  }

  // Bytes, and each reading the other's.
  void Serialize() {
    if (!ours_->See().has_data) {
      Fill();
    }
    const std::string name = random_.Once(20) ? std::string(300, 'n') : random_.Once(4) ? "" : "w";
    const std::string theirs = stock_->Serialize(name), mine = ours_->Serialize(name);
    report_.Saw("tensors serialized by both");
    if (theirs != mine) {
      return Disagree("bytes " + hex(mine) + ", not " + hex(theirs));
    }
    stock_->Deserialize(mine);
    ours_->Deserialize(theirs);
    Compare("the tensors that were read");
  }

  void Compare(const std::string &what) {
    const Seen theirs = stock_->See(), mine = ours_->See();
    if (!(theirs == mine)) {
      Disagree(what + " differ:\n  Caffe2's " + theirs.text() + "\n  ours     " + mine.text());
    }
  }

  void Disagree(const std::string &what) {
    fine_ = false;
    report_.Disagree(what + "\n  after" + steps_);
  }

  Random &random_;
  Report &report_;
  std::unique_ptr<Subject> stock_, ours_;
  std::string steps_;
  bool fine_ = true;
};

#endif
