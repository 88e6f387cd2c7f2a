// Device memory of simulated machines: one block of host memory, given out first fit.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>

#include "device.hpp"

namespace jogak::driver {

// Device addresses start above 4 GiB, so that the high halves of address registers matter.
constexpr std::uint64_t kMemoryBase = std::uint64_t(1) << 32;
constexpr std::uint64_t kPage = 4096;

class Arena {
 public:
  // bytes: the memory at device addresses base .. base + bytes.size().
  void attach(std::span<std::uint8_t> bytes, std::uint64_t base) { bytes_ = bytes, base_ = base; }

  std::uint64_t size() const { return bytes_.size(); }
  Status alloc(std::uint64_t bytes, std::uint64_t& address) {
    if (bytes == 0) return {Code::bad_argument, "device memory: allocation, found 0 bytes, expected at least 1"};
    std::uint64_t at = 0, free = 0;
    if (bytes <= bytes_.size()) {
      for (const auto& [begin, length] : used_) {
        if (begin - at >= bytes) break;
        at = (begin + length + kPage - 1) / kPage * kPage;
      }
      free = bytes_.size() > at ? bytes_.size() - at : 0;
    }
    if (free < bytes) {
      return {Code::out_of_memory, "device memory: allocation, found " + std::to_string(bytes) + " bytes, expected a free range of a memory of " +
                                       std::to_string(bytes_.size())};
    }
    used_[at] = bytes;
    std::memset(bytes_.data() + at, 0, static_cast<std::size_t>(bytes));
    address = base_ + at;
    return {};
  }
  Status free(std::uint64_t address) {
    if (address < base_ || used_.erase(address - base_) == 0)
      return {Code::bad_argument, "device memory: free, found " + std::to_string(address) + ", expected the address of an allocation"};
    return {};
  }
  // Good if the range lies inside one allocation.
  Status check(std::uint64_t address, std::uint64_t bytes) const { return inside(address, bytes); }
  Status copy_in(std::uint64_t address, std::span<const std::uint8_t> bytes) {
    const Status s = inside(address, bytes.size());
    if (s.ok()) std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(address - base_));
    return s;
  }
  Status copy_out(std::uint64_t address, std::span<std::uint8_t> bytes) const {
    const Status s = inside(address, bytes.size());
    if (s.ok()) std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(address - base_), bytes.size(), bytes.begin());
    return s;
  }
  // Any range of the memory, allocated or not: what the machine itself can reach. Null outside.
  const std::uint8_t* reach(std::uint64_t address, std::uint64_t bytes) const {
    if (address < base_ || address - base_ > bytes_.size() || bytes > bytes_.size() - (address - base_)) return nullptr;
    return bytes_.data() + (address - base_);
  }

 private:
  Status inside(std::uint64_t address, std::uint64_t bytes) const {
    if (address >= base_) {
      const std::uint64_t at = address - base_;
      auto next = used_.upper_bound(at);
      if (next != used_.begin()) {
        const auto& [begin, length] = *--next;
        if (at - begin <= length && bytes <= length - (at - begin)) return {};
      }
    }
    return {Code::bad_argument, "device memory: copy, found " + std::to_string(bytes) + " bytes at " + std::to_string(address) +
                                    ", expected a range inside one allocation"};
  }

  std::span<std::uint8_t> bytes_;
  std::uint64_t base_ = 0;
  std::map<std::uint64_t, std::uint64_t> used_;  // offset, bytes
};

}  // namespace jogak::driver
