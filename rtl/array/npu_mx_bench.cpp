// Simulation speed of npu_mx alone: clock cycles per millisecond of processor time while it streams.
#include <cstdio>
#include <ctime>

#include "npu_mx_test.hpp"

#define MX_STRING2(x) #x
#define MX_STRING(x) MX_STRING2(x)
#include MX_STRING(MX_DUT.h)

using namespace jogak;
using namespace jogak::mx_test;

int main() {
  const spec::Config* config = spec::find_config(MX_STRING(MX_CONFIG));
  Bench<MX_DUT> bench(*config, 1);
  bench.noisy = false;
  std::mt19937 random(1);
  for (u8& b : bench.mem.wspm) b = static_cast<u8>(random());
  for (u8& b : bench.mem.aspm) b = static_cast<u8>(random());
  for (u16& h : bench.mem.asc) h = static_cast<u16>(0x3F00 + random() % 256);
  for (u8& b : bench.mem.wsc) b = 0x3C;
  for (int mode = 0; mode < (config->sparse ? 4 : 3); ++mode) {
    Command c;
    c.e2m1 = mode == 1;
    c.colload = mode == 2;
    c.sparse = mode == 3;
    c.wscale = kBf16;
    c.ascale = true;
    c.m = 32;
    c.am = 32;
    c.om = config->cols;
    c.kb = 500;
    c.nb = 20;
    c.on = 32 * config->cols;
    const u64 before = bench.now();
    const std::clock_t start = std::clock();
    bench.run({c}, [](std::size_t) { return 0u; });
    const double s = double(std::clock() - start) / CLOCKS_PER_SEC;
    std::printf("%s, m 32: %.0f kHz\n", mode == 0 ? "int8" : mode == 1 ? "e2m1" : mode == 2 ? "columns" : "sparse int8",
                double(bench.now() - before) / s / 1000);
  }
}
