// UTF-8, one character at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jogak {

struct Scan {
  std::size_t length = 0;  // of the character, or of the bytes that can be none (at least 1)
  bool good = false;
  bool cut = false;        // the text ends inside a character
};

// The character at the start of text, which is not empty.
inline Scan scan(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return {1, true, false};
  if (lead < 0xc2 || lead > 0xf4) return {1, false, false};
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {i, false, true};
    unsigned low = 0x80, high = 0xbf;
    if (i == 1) {
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    }
    if (at(i) < low || at(i) > high) return {i, false, false};
  }
  return {length, true, false};
}

// The code point of a good character of `length` bytes.
inline std::int32_t code_point(std::string_view text, std::size_t length) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (length == 1) return at(0);
  std::int32_t point = at(0) & (0x7f >> length);
  for (std::size_t i = 1; i < length; ++i) point = point << 6 | (at(i) & 0x3f);
  return point;
}

}  // namespace jogak
