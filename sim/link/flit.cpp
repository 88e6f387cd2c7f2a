#include "sim/link/flit.hpp"

#include <cstddef>
#include <cstring>

namespace jogak::link {

namespace {

// x^16 + x^15 + x^2 + 1, least significant bit first; table k is for a byte with k bytes behind it.
constexpr std::uint16_t kPolynomial = 0xa001;
constexpr unsigned kSlices = 8;
using Tables = std::array<std::array<std::uint16_t, 256>, kSlices>;

constexpr Tables make_tables() {
  Tables t{};
  for (unsigned b = 0; b < 256; ++b) {
    unsigned c = b;
    for (int i = 0; i < 8; ++i) c = (c >> 1) ^ ((c & 1) != 0 ? kPolynomial : 0u);
    t[0][b] = static_cast<std::uint16_t>(c);
  }
  for (unsigned k = 1; k < kSlices; ++k)
    for (unsigned b = 0; b < 256; ++b) t[k][b] = static_cast<std::uint16_t>((t[k - 1][b] >> 8) ^ t[0][t[k - 1][b] & 0xff]);
  return t;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint16_t crc(const Wire& wire) {
  unsigned c = 0;
  for (std::size_t w = 0; w < 16; w += 2) {
    const std::uint32_t lo = wire[w] ^ c, hi = wire[w + 1];
    c = kTables[7][lo & 0xff] ^ kTables[6][lo >> 8 & 0xff] ^ kTables[5][lo >> 16 & 0xff] ^ kTables[4][lo >> 24] ^ kTables[3][hi & 0xff] ^
        kTables[2][hi >> 8 & 0xff] ^ kTables[1][hi >> 16 & 0xff] ^ kTables[0][hi >> 24];
  }
  for (unsigned shift = 0; shift < 16; shift += 8) c = (c >> 8) ^ kTables[0][(c ^ wire[16] >> shift) & 0xff];
  return static_cast<std::uint16_t>(~c);
}

Wire encode_open(const Flit& flit) {
  Wire w;
  const unsigned head = static_cast<unsigned>(flit.kind) | unsigned{flit.seq} << 2 | unsigned{flit.ack} << 9;
  w[0] = head | flit.payload[0] << 16;
  for (std::size_t i = 1; i < 16; ++i) w[i] = flit.payload[i - 1] >> 16 | flit.payload[i] << 16;
  w[16] = flit.payload[15] >> 16;
  return w;
}

void seal(Wire& wire) { wire[16] |= std::uint32_t{crc(wire)} << 16; }

Wire encode(const Flit& flit) {
  Wire w = encode_open(flit);
  seal(w);
  return w;
}

void read(const Wire& wire, Flit& flit) {
  flit.kind = static_cast<FlitKind>(wire[0] & 3);
  flit.seq = wire[0] >> 2 & kSeqMask;
  flit.ack = wire[0] >> 9 & kSeqMask;
  for (std::size_t i = 0; i < 16; ++i) flit.payload[i] = wire[i] >> 16 | wire[i + 1] << 16;
}

bool decode(const Wire& wire, Flit& flit) {
  if (crc(wire) != wire[16] >> 16) return false;
  read(wire, flit);
  return true;
}

std::uint64_t pack(const PacketHead& h) {
  return static_cast<std::uint64_t>(h.kind) | std::uint64_t{h.dst_x} << 2 | std::uint64_t{h.dst_y} << 6 | std::uint64_t{h.src_x} << 10 |
         std::uint64_t{h.src_y} << 14 | std::uint64_t{h.addr} << 18 | std::uint64_t{h.space} << 38 | std::uint64_t{h.words - 1} << 41 |
         std::uint64_t{h.head} << 47 | std::uint64_t{h.tail} << 53;
}

PacketHead unpack(std::uint64_t b) {
  const auto field = [b](unsigned at, unsigned bits) { return static_cast<unsigned>(b >> at & ((1ull << bits) - 1)); };
  return {static_cast<PacketKind>(field(0, 2)), field(2, 4), field(6, 4), field(10, 4), field(14, 4), field(18, 20), field(38, 3), field(41, 6) + 1, field(47, 6), field(53, 6)};
}

}  // namespace jogak::link
