// A device's memory on this computer.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "error.hpp"

namespace jogak::driver {

// Zero-filled; pages come when they are touched, large ones where the system has them: weights are read from end to end for each token.
class HostMemory {
 public:
  explicit HostMemory(std::size_t bytes) : size_(bytes) {
    if (bytes == 0) return;
    void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) throw Error("driver", "device memory", std::to_string(bytes) + " bytes", "less, or more free memory");
    at_ = static_cast<std::uint8_t*>(at);
    (void)madvise(at, bytes, MADV_HUGEPAGE);
  }
  ~HostMemory() {
    if (at_ != nullptr) munmap(at_, size_);
  }
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  std::size_t size() const { return size_; }
  std::span<std::uint8_t> bytes() const { return {at_, size_}; }

 private:
  std::size_t size_;
  std::uint8_t* at_ = nullptr;
};

}  // namespace jogak::driver
