#include "codes.hpp"

#include <cstring>

#include "blocks.hpp"

namespace jogak::passes {
namespace {

using ir::DType;

// One block with scale 1 is its codes.
void integer_codes(DType type, const std::byte* block, std::size_t bytes, std::int8_t* codes) {
  std::byte copy[64];
  std::memcpy(copy, block, bytes);
  const std::uint16_t one = 0x3c00;
  std::memcpy(copy, &one, 2);
  float values[32];
  decode_block(type, copy, values);
  for (int i = 0; i < 32; ++i) codes[i] = static_cast<std::int8_t>(values[i]);
}

void mxfp4_codes(const std::byte* nibbles, std::int8_t* codes) {
  for (int i = 0; i < 16; ++i) {
    codes[i] = static_cast<std::int8_t>(nibbles[i] & std::byte{15});
    codes[i + 16] = static_cast<std::int8_t>(nibbles[i] >> 4);
  }
}

}  // namespace

std::optional<ir::Format> kept_format(DType type) {
  switch (type) {
    case DType::q8_0: case DType::q4_0: case DType::q5_0: case DType::iq4_nl: return ir::Format::int8;
    case DType::mxfp4: return ir::Format::mxfp4;
    default: return std::nullopt;
  }
}

Block block_of(const ir::QMatrix& m, std::int64_t n, std::int64_t kb, std::int8_t (&room)[32]) {
  const auto index = static_cast<std::size_t>(n * m.kb() + kb);
  if (m.blocks.empty()) return {m.codes.data() + index * 32, m.scales.empty() ? std::uint16_t{0} : m.scales[index]};
  const auto bytes = static_cast<std::size_t>(block_layout(m.stored)->bytes);
  const std::byte* block = m.blocks.data() + index * bytes;
  std::uint16_t scale = 0;
  if (m.stored == DType::mxfp4) {
    mxfp4_codes(block + 1, room);
    return {room, static_cast<std::uint16_t>(block[0])};
  }
  std::memcpy(&scale, block, 2);
  if (m.stored == DType::q8_0) return {reinterpret_cast<const std::int8_t*>(block + 2), scale};
  integer_codes(m.stored, block, bytes, room);
  return {room, scale};
}

}  // namespace jogak::passes
