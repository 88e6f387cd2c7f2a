// How fast the RTL simulates: kHz of a busy machine (matrix product, loads and vector work at the same time).
//   rtl_bench [config] [rounds]
#include <ctime>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/builder.hpp"
#include "simulator.hpp"

using namespace jogak;
using spec::Engine;

int main(int argc, char** argv) {
  const std::string config = argc > 1 ? argv[1] : "edge";
  const std::uint32_t rounds = argc > 2 ? std::uint32_t(std::atoi(argv[2])) : 200;
  const auto machine = rtl::make_simulator(config, {.dram_bytes = 1 << 20});
  const spec::Config& c = machine->config();
  for (std::size_t i = 1 << 16; i < machine->dram().size(); ++i) {
    machine->dram()[i] = std::uint8_t((i * 2654435761u) >> 13);
  }

  // Each round: tiles in, a product of 64 rows with them, exp over the last product, in a pipeline of two.
  ProgramBuilder b;
  std::uint32_t next = 20;
  const auto r = [&](std::uint32_t value) { return b.li(++next, value), std::uint8_t(next); };
  const std::uint32_t tile = 32 * c.cols, half = c.vmem_bytes / 8;
  const std::uint8_t one = r(1), bytes = r(8 * tile), window = r(1 << 16), rows = r(64), kb = r(8), cols = r(c.cols);
  const std::uint8_t wk = r(tile), am = r(256), out = r(half), count = r(rounds), scale = r(0x30000000), again = r(8);
  b.signal(Engine::seq, 0);
  b.signal(Engine::seq, 2);
  b.loop(count, [&] {
    b.wait(Engine::ld, 0);
    b.load({.space = spec::Space::wspm, .da = window, .len = bytes, .n1 = one, .n2 = one});
    b.signal(Engine::ld, 1);
    b.wait(Engine::mx, 1);
    b.wait(Engine::mx, 2);
    b.mm({.wscale = spec::Wscale::one, .ascale = spec::Ascale::one, .wk = wk, .am = am, .om = cols, .m = rows, .kb = kb,
          .nb = one});
    b.signal(Engine::mx, 0);
    b.signal(Engine::mx, 3);
    b.wait(Engine::ve, 3);
    b.vec({.op = spec::Vop::mul, .bmode = spec::Bmode::scalar, .func = spec::Vfunc::exp, .wr = true, .dst = out,
           .ds = cols, .as = cols, .b = scale, .rows = rows, .cols = cols});
    b.signal(Engine::ve, 2);
    b.vec({.op = spec::Vop::mad, .bmode = spec::Bmode::scalar, .red = spec::Vred::sum, .wr = false, .a = out, .as = cols,
           .s = scale, .r = one, .rows = again, .cols = cols});
  });
  b.halt();
  std::memcpy(machine->dram().data(), b.code().data(), b.code().size() * sizeof(spec::Insn));

  sim::LaunchSetup setup{.code = 0, .code_len = b.pc()};
  setup.windows[0] = {.base = 0, .size = 1 << 20, .readable = true, .writable = true};
  const std::clock_t start = std::clock();
  const sim::RunResult result = sim::run(*machine, setup, 1'000'000'000);
  const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
  if (!result.ok()) {
    std::fprintf(stderr, "rtl_bench: fault %s at pc %u\n", spec::fault_name(unsigned(result.fault.code)), result.fault.pc);
    return 1;
  }
  const auto cycles = double(result[spec::Counter::cycles]);
  std::printf("%s: %.0f cycles in %.2f s of one core: %.0f kHz; array busy %.0f %%, vector %.0f %%, load %.0f %%\n",
              config.c_str(), cycles, seconds, cycles / seconds / 1000,
              100 * double(result[spec::Counter::mx_busy]) / cycles, 100 * double(result[spec::Counter::ve_busy]) / cycles,
              100 * double(result[spec::Counter::ld_busy]) / cycles);
}
