#include "wire.hpp"

#include <algorithm>

#include "error.hpp"

namespace jogak::xrt_card {
namespace {

enum Kind : u32 { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

class Reader {
 public:
  explicit Reader(Bytes rest) : rest_(rest) {}
  bool more() const { return !rest_.empty(); }

  u64 varint() {
    u64 value = 0;
    for (u32 shift = 0; shift < 70; shift += 7) {
      const u8 byte = take(1)[0];
      if (shift == 63 && byte > 1) break;
      value |= u64(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw Error("xrt card", "message", "a number of more than 64 bits", "at most 10 bytes, the last below 2");
  }
  u64 fixed(std::size_t n) {
    const Bytes bytes = take(n);
    u64 value = 0;
    for (std::size_t i = 0; i < n; ++i) value |= u64(bytes[i]) << (8 * i);
    return value;
  }
  Bytes take(u64 n) {
    if (n > rest_.size()) throw Error("xrt card", "message", "its end after " + std::to_string(rest_.size()) + " bytes", std::to_string(n) + " more");
    const Bytes head = rest_.first(static_cast<std::size_t>(n));
    rest_ = rest_.subspan(static_cast<std::size_t>(n));
    return head;
  }

 private:
  Bytes rest_;
};

}  // namespace

Message::Message(Bytes bytes) {
  for (Reader in(bytes); in.more();) {
    const u64 key = in.varint();
    const u32 field = static_cast<u32>(key >> 3);
    if (key >> 3 == 0 || key >> 3 > 0x1fffffff) throw Error("xrt card", "message", "field " + std::to_string(key >> 3), "1 to 536870911");
    switch (key & 7) {
      case kVarint: numbers_[field] = in.varint(); break;
      case kFixed64: numbers_[field] = in.fixed(8); break;
      case kFixed32: numbers_[field] = in.fixed(4); break;
      case kBytes: texts_[field] = in.take(in.varint()); break;
      default: throw Error("xrt card", "message", "wire type " + std::to_string(key & 7), "0, 1, 2 or 5");
    }
  }
}

u64 Message::number(u32 field) const {
  const auto found = numbers_.find(field);
  if (found == numbers_.end()) throw Error("xrt card", "message", "no number in field " + std::to_string(field), "one");
  return found->second;
}

Bytes Message::bytes(u32 field) const {
  const auto found = texts_.find(field);
  if (found == texts_.end()) throw Error("xrt card", "message", "no bytes in field " + std::to_string(field), "some");
  return found->second;
}

void Writer::varint(u64 value) {
  for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<u8>(value | 0x80));
  out_.push_back(static_cast<u8>(value));
}

Writer& Writer::number(u32 field, u64 value) {
  varint(u64(field) << 3 | kVarint);
  varint(value);
  return *this;
}
Writer& Writer::fixed64(u32 field, u64 value) {
  varint(u64(field) << 3 | kFixed64);
  for (int i = 0; i < 8; ++i) out_.push_back(static_cast<u8>(value >> (8 * i)));
  return *this;
}
Writer& Writer::fixed32(u32 field, u32 value) {
  varint(u64(field) << 3 | kFixed32);
  for (int i = 0; i < 4; ++i) out_.push_back(static_cast<u8>(value >> (8 * i)));
  return *this;
}
Writer& Writer::bytes(u32 field, Bytes value) {
  std::ranges::copy(value, room(field, value.size()).begin());
  return *this;
}
std::span<u8> Writer::room(u32 field, std::size_t n) {
  varint(u64(field) << 3 | kBytes);
  varint(n);
  out_.resize(out_.size() + n);
  return std::span(out_).last(n);
}

}  // namespace jogak::xrt_card
