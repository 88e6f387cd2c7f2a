// Messages as XRT's hardware emulation sends them over its socket: protocol buffers of numbers and bytes, one level deep.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace jogak::xrt_card {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using Bytes = std::span<const u8>;

// A message taken apart; of a repeated field the last value counts. Views into the bytes it was made from.
// Throws Error for what is no message: cut short, an overlong number, a wire type that XRT does not use.
class Message {
 public:
  explicit Message(Bytes bytes);
  // Throws Error if the field is not there or of the other kind.
  u64 number(u32 field) const;
  Bytes bytes(u32 field) const;
  u64 number_or(u32 field, u64 otherwise) const { return numbers_.contains(field) ? number(field) : otherwise; }

 private:
  std::map<u32, u64> numbers_;
  std::map<u32, Bytes> texts_;
};

class Writer {
 public:
  Writer& number(u32 field, u64 value);
  Writer& fixed64(u32 field, u64 value);
  Writer& fixed32(u32 field, u32 value);
  Writer& bytes(u32 field, Bytes value);
  // Length and place of a field of n bytes that the caller fills.
  std::span<u8> room(u32 field, std::size_t n);
  std::vector<u8> take() { return std::move(out_); }

 private:
  void varint(u64 value);
  std::vector<u8> out_;
};

}  // namespace jogak::xrt_card
