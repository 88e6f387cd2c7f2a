// What a machine holds between instructions: on-chip memories, DRAM, windows.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "npu_spec.hpp"

namespace jogak::model {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i32 = std::int32_t;

static_assert(std::endian::native == std::endian::little, "model: memories are little endian bytes");

// The on-chip memories of one configuration; all zero at first.
struct Memories {
  explicit Memories(const spec::Config& config);

  std::vector<u8> wspm, wsc, aspm, asc;
  std::vector<u32> vmem;  // words

  std::span<u8> bytes(spec::Space space);
  bool operator==(const Memories&) const = default;
};

// Physical memory: spans of host memory at 40-bit addresses.
class Dram {
 public:
  // Zero-filled memory owned by this object.
  std::span<u8> allocate(u64 base, std::size_t bytes);
  // The caller's memory; it must outlive every launch.
  void attach(u64 base, std::span<u8> bytes);
  void clear() { spans_.clear(); }
  // Host address of [address, address + bytes), null unless one span holds all of it.
  u8* find(u64 address, u64 bytes) const;
  // A copy that shares nothing, attached memory included.
  Dram clone() const;
  bool operator==(const Dram& other) const;

 private:
  struct Mapping {
    u64 base;
    std::span<u8> bytes;
    std::shared_ptr<std::vector<u8>> owned;  // shared: copies of a Dram see the same memory
  };
  void insert(Mapping mapping);
  std::vector<Mapping> spans_;
};

// A window as the host programs it: base in bytes (multiple of 64), size 0 is closed.
struct Window {
  u64 base = 0;
  u32 size = 0;
  bool readable = false;
  bool writable = false;
};

// A window together with the host memory that it shows.
struct BoundWindow : Window {
  u8* host = nullptr;
};

// Other chiplets' memories, as stores reach them.
class Remote {
 public:
  virtual ~Remote() = default;
  // The bytes of one burst; false: no such chiplet or memory (fault bus).
  virtual bool write(u64 address, std::span<const u8> bytes) = 0;
};
constexpr bool is_remote(u64 address) { return (address >> spec::limit::remote_bit & 1) != 0; }

}  // namespace jogak::model
