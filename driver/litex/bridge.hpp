// The bridge of a board over a line that may lose or change bytes: reads and writes of 32-bit words on the board's bus.
//
// The protocol is LiteX's UART bridge: command, count, word address (4 bytes, high first), data (likewise). It has no
// acknowledgement, so the board keeps checksums of what it took and sent, and a count of the writes it did
// (boards/common/soc_parts.py, Link); every operation ends by reading them. Until they are right, nothing counts as
// done: the line is brought back in step and the operation repeated as a whole. What a garbled command may do meanwhile
// is bounded by the gate: the board drops every write outside the range that is being written.
#pragma once

#include <vector>

#include "transport.hpp"

namespace jogak::driver::litex {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

struct Patience {
  Milliseconds answer{4000};  // beside the time on the line
  Milliseconds silence{150};  // longer than the bridge's own time-out of 100 ms
  int tries = 4;
};

enum class Trouble { none, silent, garbled };

// CRC-32, reflected, without the final inversion.
u32 crc32_of(std::span<const u8> bytes, u32 start = 0xffffffff);

class Bridge {
 public:
  Bridge(std::unique_ptr<Transport> line, Patience patience) : line_(std::move(line)), patience_(patience) {}

  std::string name() const { return line_->name(); }
  // The words at address 0, which describe the board: before `use_link`, checked by their own CRC. Throws Error.
  std::vector<u32> description();
  // From here on every operation is checked; link: address of the link's registers.
  void use_link(u32 link);

  // Addresses are multiples of 4. All throw Error when `tries` were not enough, or where nobody answers on the bus.
  void read(u32 address, std::span<u32> words);
  void write(u32 address, std::span<const u32> words);
  // One try; after trouble the line is in step again, and the write may have happened or not.
  Trouble try_write(u32 address, std::span<const u32> words);

  u64 troubles() const { return troubles_; }

 private:
  struct Status {
    u32 sent, taken, counts;
    bool operator==(const Status&) const = default;
  };

  void put(std::span<const u8> bytes);
  bool get(std::span<u8> bytes);
  void put_read(u32 address, std::size_t words);
  void put_write(u32 address, std::span<const u32> words);
  bool get_words(std::span<u32> words);
  Trouble confirm();
  Trouble once_read(u32 address, std::span<u32> words);
  Trouble once_write(u32 address, std::span<const u32> words);
  bool adopt();
  void resync();
  void drain(Milliseconds silence);
  [[noreturn]] void give_up(const char* what, u32 address, Trouble last) const;

  std::unique_ptr<Transport> line_;
  Patience patience_;
  u32 link_ = 0;
  u32 session_ = 0;                           // what the board must still hold; 0: not set yet
  Status mirror_{0xffffffff, 0xffffffff, 0};  // what the board must have
  std::size_t behind_ = 0;                    // bytes sent since the last answer
  u64 troubles_ = 0;
};

}  // namespace jogak::driver::litex
