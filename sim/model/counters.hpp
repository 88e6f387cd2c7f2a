// The exact counters of npu.yaml, by index. Timing counters stay zero here.
#pragma once

#include <array>
#include <cstdint>

#include "npu_spec.hpp"

namespace jogak::model {

constexpr std::size_t kCounters = 64;

struct Counters {
  std::array<std::uint64_t, kCounters> values{};

  std::uint64_t& operator[](spec::Counter c) { return values[static_cast<std::size_t>(c)]; }
  std::uint64_t operator[](spec::Counter c) const { return values[static_cast<std::size_t>(c)]; }
  bool operator==(const Counters&) const = default;
};

}  // namespace jogak::model
