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

// Who has which part of a memory; does not touch the memory itself.
class Ranges {
 public:
  void attach(std::uint64_t size, std::uint64_t base) { size_ = size, base_ = base; }

  std::uint64_t size() const { return size_; }
  std::uint64_t base() const { return base_; }
  Status alloc(std::uint64_t bytes, std::uint64_t& address) {
    if (bytes == 0) return {Code::bad_argument, "device memory: allocation, found 0 bytes, expected at least 1"};
    std::uint64_t at = 0, free = 0;
    if (bytes <= size_) {
      for (const auto& [begin, length] : used_) {
        if (begin - at >= bytes) break;
        at = (begin + length + kPage - 1) / kPage * kPage;
      }
      free = size_ > at ? size_ - at : 0;
    }
    if (free < bytes) {
      return {Code::out_of_memory, "device memory: allocation, found " + std::to_string(bytes) + " bytes, expected a free range of a memory of " +
                                       std::to_string(size_)};
    }
    used_[at] = bytes;
    address = base_ + at;
    return {};
  }
  Status free(std::uint64_t address) {
    if (address < base_ || used_.erase(address - base_) == 0)
      return {Code::bad_argument, "device memory: free, found " + std::to_string(address) + ", expected the address of an allocation"};
    return {};
  }
  // Of the allocation at this address; 0: none.
  std::uint64_t bytes_of(std::uint64_t address) const {
    const auto found = used_.find(address - base_);
    return found == used_.end() ? 0 : found->second;
  }
  // Good if the range lies inside one allocation.
  Status check(std::uint64_t address, std::uint64_t bytes) const {
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

 private:
  std::uint64_t size_ = 0, base_ = 0;
  std::map<std::uint64_t, std::uint64_t> used_;  // offset, bytes
};

class Arena {
 public:
  // bytes: the memory at device addresses base .. base + bytes.size().
  void attach(std::span<std::uint8_t> bytes, std::uint64_t base) { bytes_ = bytes, ranges_.attach(bytes.size(), base); }

  std::uint64_t size() const { return bytes_.size(); }
  Status alloc(std::uint64_t bytes, std::uint64_t& address) {
    const Status s = ranges_.alloc(bytes, address);
    if (s.ok()) std::memset(bytes_.data() + (address - ranges_.base()), 0, static_cast<std::size_t>(bytes));
    return s;
  }
  Status free(std::uint64_t address) { return ranges_.free(address); }
  Status check(std::uint64_t address, std::uint64_t bytes) const { return ranges_.check(address, bytes); }
  Status copy_in(std::uint64_t address, std::span<const std::uint8_t> bytes) {
    const Status s = check(address, bytes.size());
    if (s.ok()) std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(address - ranges_.base()));
    return s;
  }
  Status copy_out(std::uint64_t address, std::span<std::uint8_t> bytes) const {
    const Status s = check(address, bytes.size());
    if (s.ok()) std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(address - ranges_.base()), bytes.size(), bytes.begin());
    return s;
  }
  // Any range of the memory, allocated or not: what the machine itself can reach. Null outside.
  const std::uint8_t* reach(std::uint64_t address, std::uint64_t bytes) const {
    const std::uint64_t base = ranges_.base();
    if (address < base || address - base > bytes_.size() || bytes > bytes_.size() - (address - base)) return nullptr;
    return bytes_.data() + (address - base);
  }

 private:
  std::span<std::uint8_t> bytes_;
  Ranges ranges_;
};

}  // namespace jogak::driver
