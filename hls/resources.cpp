#include "resources.hpp"

#include <algorithm>
#include <array>

#include "csim/kernel.hpp"
#include "csim/processes.h"
#include "depths.hpp"

namespace jogak::hls_csim {

namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

u64 ceil_div(u64 a, u64 b) { return (a + b - 1) / b; }

// The least blocks of 18 kbit for words of so many bytes.
u64 halves(u64 words, u64 bytes) {
  u64 least = ~u64(0);
  for (u64 width = 4, depth = 512; width > 0; width /= 2, depth *= 2) least = std::min(least, ceil_div(bytes, width) * ceil_div(words, depth));
  return least;
}

}  // namespace

u64 Ram::block_rams() const { return ceil_div(banks * (bytes / part) * halves(words, part), 2); }

u64 Stream::luts() const { return bits * ceil_div(depth, 32); }
u64 Stream::block_rams() const { return ceil_div(halves(depth, ceil_div(bits, 8)), 2); }

Multipliers multipliers(const spec::Config& config) {
  constexpr u64 kSignificands = 2;   // 24 x 24 bits
  constexpr u64 kInterpolation = 2;  // 18 x 13 and 18 x 18
  constexpr u64 kLog2 = 2;           // 24 x 32, in front of exp
  return {.array = u64(config.rows) * config.cols,
          .foot = config.cols * 2 * kSignificands,  // both scales' product, and that times the sum
          .lanes = config.lanes * (kSignificands + kLog2 + kInterpolation),
          .quantiser = spec::limit::block * kSignificands + kSignificands + kInterpolation,  // values; scale and its reciprocal
          .sequencer = 3};                                                                   // alu fn=mul: 32 x 32
}

std::vector<Ram> rams(const spec::Config& config) {
  const u32 weights = 2 * config.cols, row = 4 * config.cols, port = config.port_bytes;
  return {{"wspm", config.wspm_bytes / weights, weights, 1, 1},
          {"wsc", config.wsc_bytes / weights, weights, 1, 1},
          {"aspm", config.aspm_bytes / spec::limit::block, spec::limit::block, 1, 1},
          {"asc", config.asc_bytes / port, port, 2, 1},
          {"vmem", config.vmem_bytes / row / hls_depth::banks, row, sizeof(u32), hls_depth::banks},
          {"program", config.imem_words, sizeof(spec::Insn), sizeof(u64), 1},
          {"reduction", config.vmem_bytes / 4 / config.lanes, sizeof(u32), sizeof(u32), 1}};
}

Resources resources(const spec::Config& config) {
  Resources r{multipliers(config), rams(config), {}};
  // A job of one instruction makes every stream.
  const auto kernel = make_kernel(config.name);
  alignas(64) std::array<std::uint8_t, 4096> memory{};
  const spec::Insn halt = spec::encode(spec::Halt{});
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&halt), sizeof halt, memory.begin());
  std::array<u32, kRegisterWords> regs{};
  regs[spec::csr::code_len / 4] = 1;
  std::vector<csim::Declared> declared;
  csim::record_streams(&declared);
  kernel->run(regs, memory, 0);
  csim::record_streams(nullptr);
  for (const csim::Declared& d : declared)
    if (std::string_view(d.name) != "network") r.streams.push_back({d.name, static_cast<u32>(8 * d.bytes), static_cast<u32>(d.depth)});
  return r;
}

}  // namespace jogak::hls_csim
