// Whether the engines of a decoder's program wait for one another where they must.
#pragma once
#include "shared.hpp"
#include "sim/model/machine.hpp"

namespace jogak::tests {

// A launch of six tokens and another behind it under the checker of memory that two engines touch; `fifth`: the fifth argument, if the program has one.
inline void check_order(const Program& p, std::uint32_t fifth = 0) {
  model::Machine machine(*spec::find_config(p.config.c_str()), {.check = true});
  std::uint64_t size = 0;
  std::vector<std::uint64_t> base;
  for (const std::uint64_t bytes : p.window_bytes) base.push_back(size), size += (bytes + 4095) / 4096 * 4096;
  std::vector<std::uint8_t> dram(size);
  for (const Segment& s : p.segments) {
    const auto bytes = s.all();
    std::copy(bytes.begin(), bytes.end(), dram.begin() + static_cast<std::ptrdiff_t>(base[s.window] + s.offset));
  }
  machine.dram().attach(0, dram);
  for (const std::uint32_t position : {0u, 6u}) {
    model::Launch launch{.code = p.code, .args = {position, 6, 0, 6, fifth}};
    for (std::size_t w = 0; w < base.size(); ++w)
      launch.windows[w] = {.base = base[w], .size = static_cast<std::uint32_t>(p.window_bytes[w]), .readable = true, .writable = w == 1 || w == 2};
    CHECK(machine.launch(launch).ok());
  }
  for (const std::string& v : machine.violations()) FAIL_CHECK(v);
}

}  // namespace jogak::tests
