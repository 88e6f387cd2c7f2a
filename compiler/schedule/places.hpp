// Places in a memory, one behind the other.
#pragma once
#include <cstdint>

namespace jogak::schedule {

class Places {
 public:
  // Each begins at a multiple of `unit`.
  explicit Places(int unit) : unit_(unit) {}
  // Where the next `size` begin.
  std::uint32_t take(long long size) {
    const std::uint32_t here = at_;
    at_ += static_cast<std::uint32_t>((size + unit_ - 1) / unit_ * unit_);
    return here;
  }
  std::uint32_t at() const { return at_; }
  // The next place begins here again: what was taken behind it shares its place with what comes.
  void back_to(std::uint32_t at) { at_ = at; }

 private:
  int unit_;
  std::uint32_t at_ = 0;
};

}  // namespace jogak::schedule
