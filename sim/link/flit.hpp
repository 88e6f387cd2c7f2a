// Flits of the die-to-die link, as rtl/link/npu_link_pkg.sv lays them out: 68 bytes of header, payload and CRC.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace jogak::link {

constexpr unsigned kWindow = 64;  // flits that may be on their way
constexpr unsigned kSeqMask = 2 * kWindow - 1;
constexpr unsigned kPayloadBytes = 64;
constexpr unsigned kFlitBytes = 68;

enum class FlitKind : std::uint8_t { kNull, kData, kNak, kTrain };
enum class PacketKind : std::uint8_t { kNone, kWrite, kSignal };
enum class Width : std::uint8_t { kFull, kLow, kHigh };  // lanes in use: all, the lower half, the upper half

using Payload = std::array<std::uint32_t, kPayloadBytes / 4>;

struct Flit {
  FlitKind kind = FlitKind::kNull;
  std::uint8_t seq = 0, ack = 0;
  Payload payload{};
  bool operator==(const Flit&) const = default;
};

// On the wires: bit 0 of word 0 comes first.
using Wire = std::array<std::uint32_t, kFlitBytes / 4>;

// CRC-16 of the first 66 bytes, as on the wires (inverted).
std::uint16_t crc(const Wire& wire);
Wire encode(const Flit& flit);
// False where the CRC is wrong; flit is then undefined.
bool decode(const Wire& wire, Flit& flit);
// The same in two steps, for who knows which flits the channel left alone: those need no CRC.
Wire encode_open(const Flit& flit);  // CRC 0
void seal(Wire& wire);
void read(const Wire& wire, Flit& flit);

// The low 64 bits of a packet's header word; fields as in npu_link_pkg.
struct PacketHead {
  PacketKind kind = PacketKind::kNone;
  unsigned dst_x = 0, dst_y = 0, src_x = 0, src_y = 0;
  unsigned addr = 0;   // word address; of a signal: semaphore + 32 * amount
  unsigned space = 0;
  unsigned words = 1;  // data words of a write, 1 to 64
  unsigned head = 0;   // first byte of the first word that counts
  unsigned tail = 0;   // last byte of the last word that counts
  bool operator==(const PacketHead&) const = default;
};
std::uint64_t pack(const PacketHead& head);
PacketHead unpack(std::uint64_t bits);

}  // namespace jogak::link
