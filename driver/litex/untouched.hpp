// Ranges of device memory that are promised to be zero but not written yet.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>

namespace jogak::driver::litex {

class Untouched {
 public:
  void add(std::uint64_t begin, std::uint64_t end) {
    remove(begin, end);
    if (begin < end) ranges_[begin] = end;
  }
  void remove(std::uint64_t begin, std::uint64_t end) {
    auto it = ranges_.upper_bound(begin);
    if (it != ranges_.begin()) --it;
    while (it != ranges_.end() && it->first < end) {
      const auto [from, to] = *it;
      if (to <= begin) {
        ++it;
        continue;
      }
      it = ranges_.erase(it);
      if (from < begin) ranges_[from] = begin;
      if (end < to) it = ranges_.emplace(end, to).first;
    }
  }
  // The first part of one of them that lies in begin .. end; empty (both 0) if none does.
  std::pair<std::uint64_t, std::uint64_t> within(std::uint64_t begin, std::uint64_t end) const {
    auto it = ranges_.upper_bound(begin);
    if (it != ranges_.begin() && std::prev(it)->second > begin) --it;
    if (it == ranges_.end() || it->first >= end) return {0, 0};
    return {std::max(it->first, begin), std::min(it->second, end)};
  }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;
};

}  // namespace jogak::driver::litex
