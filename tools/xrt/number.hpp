// Numbers of a command line.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

#include "error.hpp"

namespace jogak::xrt_card {

// 1 to 2^20, with nothing behind it. Throws Error.
inline std::uint64_t whole_number(const std::string& key, const std::string& value) {
  constexpr std::uint64_t kMost = 1 << 20;
  std::uint64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [last, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || last != end || number == 0 || number > kMost)
    throw Error("xrt-sim", key, value.empty() ? "nothing" : value, "a whole number from 1 to " + std::to_string(kMost));
  return number;
}

}  // namespace jogak::xrt_card
