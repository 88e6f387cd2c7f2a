// How fast the model is: weights streamed from DRAM through load and mm, as in decode (one moving row) and
// in prefill. Prints one line per shape; time is the process's, best of five.
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "rig.hpp"

using namespace jogak;
using namespace jogak::model;

namespace {

struct Shape {
  const char* name;
  spec::Wfmt wfmt;
  spec::Wscale wscale;
  u32 rows;
};

constexpr u32 kDepthBlocks = 16;  // k = 512

// Half of the weight memory at a time, until `bytes` of weights went by.
void program(ProgramBuilder& b, const spec::Config& config, const Shape& shape, u32 bytes) {
  const u32 tile = (shape.wfmt == spec::Wfmt::int8 ? 32 : 16) * config.cols;
  const u32 sets = shape.wscale == spec::Wscale::e8m0 ? config.cols : 2 * config.cols;
  const u32 chunk = config.wspm_bytes / 2, tiles = chunk / tile, blocks = tiles / kDepthBlocks;
  const u32 chunk_scales = tiles * sets;
  enum : u8 { one = 1, rounds, at, length, scales, scales_at, tile_n, tile_k, act, out_m, out_n, m, kb, nb };
  b.li(one, 1), b.li(rounds, bytes / chunk), b.li(length, chunk), b.li(scales, chunk_scales);
  b.li(tile_k, tile), b.li(tile_n, tile * kDepthBlocks), b.li(act, 32 * kDepthBlocks);
  b.li(out_n, config.cols), b.li(out_m, config.cols * blocks);
  b.li(m, shape.rows), b.li(kb, kDepthBlocks), b.li(nb, blocks), b.li(scales_at, bytes);
  b.loop(rounds, [&] {
    b.load({.space = spec::Space::wspm, .da = at, .len = length, .n1 = one, .n2 = one});
    b.load({.space = spec::Space::wsc, .da = scales_at, .len = scales, .n1 = one, .n2 = one});
    b.mm({.wfmt = shape.wfmt, .wscale = shape.wscale, .ascale = spec::Ascale::bf16, .wn = tile_n, .wk = tile_k,
          .am = act, .om = out_m, .on = out_n, .m = m, .kb = kb, .nb = nb});
    b.add(at, at, length);
  });
  b.halt();
}

void measure(const spec::Config& config, const Shape& shape, bool exact) {
  const u32 bytes = exact ? 1 << 18 : 1 << 24;
  Machine machine(config, {.exact = exact});
  const auto dram = machine.dram().allocate(0, bytes + (1 << 20));
  std::mt19937_64 random(1);
  for (u8& byte : dram) byte = static_cast<u8>(random());
  machine.randomize(1);
  ProgramBuilder b;
  program(b, config, shape, bytes);
  Launch launch{.code = b.code()};
  launch.windows[0] = {0, static_cast<u32>(dram.size()), true, false};
  double best = 0;
  u64 macs = 0;
  for (int round = 0; round < 5; ++round) {
    const std::clock_t start = std::clock();
    const Result result = machine.launch(launch);
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    if (!result.ok()) {
      std::printf("fault %s at pc %u\n", spec::fault_name(static_cast<u32>(result.fault.code)), result.fault.pc);
      std::exit(1);
    }
    macs = result.counters[spec::Counter::macs];
    best = std::max(best, static_cast<double>(macs) / seconds);
  }
  std::printf("%-6s %-16s %-6s rows %3u  %8.2f GMAC/s\n", config.name, shape.name, exact ? "exact" : "fast",
              shape.rows, best / 1e9);
}

}  // namespace

int main() {
  for (const char* name : {"nano", "edge", "kria"}) {
    const spec::Config& config = *spec::find_config(name);
    for (const u32 rows : {1u, 16u, 128u}) {
      measure(config, {"int8 x fp16", spec::Wfmt::int8, spec::Wscale::fp16, rows}, false);
      measure(config, {"int8 x one", spec::Wfmt::int8, spec::Wscale::one, rows}, false);
      measure(config, {"e2m1 x e8m0", spec::Wfmt::e2m1, spec::Wscale::e8m0, rows}, false);
    }
    measure(config, {"int8 x fp16", spec::Wfmt::int8, spec::Wscale::fp16, 1}, true);
  }
}
