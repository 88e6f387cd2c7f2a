#include <doctest/doctest.h>

#include <algorithm>
#include <bit>

#include "mm_fast.hpp"
#include "rig.hpp"

using namespace jogak;
using namespace jogak::model;
using spec::Counter;
using spec::Fault;

namespace {

struct Bench {
  explicit Bench(const spec::Config& c) : config(c), memories(c) {}
  Env env(bool exact = true) { return {config, windows, memories, counters, exact}; }

  const spec::Config& config;
  Memories memories;
  Windows windows{};
  Counters counters;
};

constexpr spec::Wscale kWscales[] = {spec::Wscale::one, spec::Wscale::fp16, spec::Wscale::bf16, spec::Wscale::e8m0};

// A legal command with random sizes, strides and places.
MmCmd random_command(const spec::Config& config, std::mt19937_64& random) {
  const auto below = [&](u64 n) { return static_cast<u32>(random() % n); };
  MmCmd c{};
  c.wfmt = below(2) ? spec::Wfmt::int8 : spec::Wfmt::e2m1;
  c.wscale = kWscales[below(4)];
  c.ascale = below(4) ? spec::Ascale::bf16 : spec::Ascale::one;
  c.acc = below(2);
  c.sparse = config.sparse && below(3);
  c.colload = c.int8() && !c.sparse && below(2);
  const u32 cols = config.cols, tile = c.tile_bytes(cols);
  c.m = 1 + below(9), c.kb = 1 + below(6), c.nb = 1 + below(4);
  c.wk = tile * below(3), c.wn = tile * below(8);
  c.w = tile * below(4);
  c.ws = c.has_wscale() ? c.scale_set_bytes(cols) * below(4) : below(1000);
  c.wi = c.sparse ? config.wspm_bytes / 2 + c.index_bytes(cols) * below(9) : below(1000);
  c.a = 32 * below(20), c.am = 32 * below(9);
  c.o = cols * below(20);
  if (below(2)) {
    c.om = cols * (1 + below(3)), c.on = c.m * c.om + cols * below(3);
  } else {
    c.on = cols * (1 + below(3)), c.om = c.nb * c.on + cols * below(3);
  }
  return c;
}

void randomize(Memories& memories, std::mt19937_64& random) {
  for (auto* bytes : {&memories.wspm, &memories.wsc, &memories.aspm, &memories.asc}) {
    for (u8& b : *bytes) b = static_cast<u8>(random());
  }
  // Mostly ordinary activation scales: a NaN in every row would hide everything else.
  for (std::size_t i = 1; i < memories.asc.size(); i += 2) {
    if (random() % 8 != 0) memories.asc[i] = 0x3E + random() % 3;
  }
  for (std::size_t i = 1; i < memories.wsc.size(); i += 2) {
    if (random() % 8 != 0) memories.wsc[i] = 0x30 + random() % 16;
  }
  for (u32& w : memories.vmem) w = wild_float(random);
}

// No two values of a pair choose the same activation.
void part_indices(const MmCmd& c, u32 cols, std::vector<u8>& wspm, std::mt19937_64& random) {
  for (u64 jn = 0; jn < c.nb; ++jn) {
    for (u64 jk = 0; jk < c.kb; ++jk) {
      u8* indices = &wspm[c.indices(jn, jk)];
      for (u32 at = 0; at < 32 * cols; ++at) {
        const u32 even = at / (2 * cols) * 2 * cols + at % cols, shift = at % 4 * 2;
        if (at / cols % 2 == 0) continue;
        const u32 first = (indices[even / 4] >> (even % 4 * 2)) & 3, other = (first + 1 + random() % 3) & 3;
        indices[at / 4] = static_cast<u8>((indices[at / 4] & ~(3u << shift)) | other << shift);
      }
    }
  }
}

bool faulty(const MmCmd& c, Bench& bench) { return check(c, bench.env()) != Fault::none; }

u64 nans(const std::vector<u32>& words) {
  return static_cast<u64>(std::ranges::count_if(words, [](u32 w) { return w == 0x7FC00000; }));
}

// Every kernel this processor has gives the definition's bits.
void compare_kernels(const spec::Config& config, u64 seed, int rounds) {
  std::mt19937_64 random(seed);
  Bench bench(config);
  u64 finite = 0, bad = 0, sparse = 0, taken = 0;
  for (int round = 0; round < rounds; ++round) {
    if (round % 8 == 0) randomize(bench.memories, random);
    const MmCmd c = random_command(config, random);
    if (faulty(c, bench)) continue;
    if (c.sparse) part_indices(c, config.cols, bench.memories.wspm, random);
    const std::vector<u32> before = bench.memories.vmem;
    Env env = bench.env();
    execute(c, env);
    const std::vector<u32> expected = bench.memories.vmem;
    bad += nans(expected) - nans(before);
    finite += u64(c.m) * c.nb;
    for (const MmKernel* kernel : {&mm_kernel_plain(), mm_kernel_avx2(config.cols), mm_kernel_vnni(config.cols)}) {
      if (kernel == nullptr || (c.sparse && !mm_fast_takes(c, env))) continue;
      sparse += c.sparse, taken += c.sparse && c.kb > 1;
      bench.memories.vmem = before;
      mm_fast(c, env, *kernel);
      CAPTURE(kernel->width);
      CAPTURE(round);
      REQUIRE(bench.memories.vmem == expected);
    }
  }
  CHECK(finite > u64(rounds));
  CHECK(bad > 0);
  if (config.sparse) CHECK(sparse > u64(rounds));
  if (config.sparse) CHECK(taken > u64(rounds) / 2);
}

MmCmd small() {
  MmCmd c{};
  c.m = c.kb = c.nb = 1;
  return c;
}

Fault fault_of(const MmCmd& c, const char* config = "nano") {
  Bench bench(*spec::find_config(config));
  return check(c, bench.env());
}

}  // namespace

TEST_CASE("integer products: rows times tiles, all strides, both load orders") {
  const spec::Config& config = *spec::find_config("nano");
  std::mt19937_64 random(5);
  for (const bool colload : {false, true}) {
    Bench bench(config);
    for (u8& b : bench.memories.aspm) b = static_cast<u8>(random() % 11 - 5);
    for (u8& b : bench.memories.wspm) b = static_cast<u8>(random() % 11 - 5);
    MmCmd c = small();
    c.colload = colload;
    c.m = 3, c.kb = 2, c.nb = 2;
    c.w = 256, c.wn = 1024, c.wk = 512, c.a = 64, c.am = 128, c.o = 16, c.om = 24, c.on = 8;
    c.om = 16, c.on = 64;
    Env env = bench.env();
    REQUIRE(check(c, env) == Fault::none);
    execute(c, env);
    for (u32 i = 0; i < 3; ++i) {
      for (u32 n = 0; n < 16; ++n) {
        i32 sum = 0;
        for (u32 k = 0; k < 64; ++k) {
          const u32 tile = 256 + n / 8 * 1024 + k / 32 * 512, kk = k % 32, col = n % 8;
          const u8 w = bench.memories.wspm[tile + (colload ? col * 32 + kk : kk * 8 + col)];
          sum += static_cast<i8>(bench.memories.aspm[64 + i * 128 + k]) * static_cast<i8>(w);
        }
        CHECK(std::bit_cast<float>(bench.memories.vmem[16 + i * 16 + n / 8 * 64 + n % 8]) == float(sum));
      }
    }
    CHECK(bench.counters[Counter::macs] == 3 * 64 * 16);
    CHECK(bench.counters[Counter::cmd_mm] == 1);
  }
}

TEST_CASE("e2m1 with e8m0: low nibble first, the half in the scale") {
  Bench bench(*spec::find_config("nano"));
  constexpr float values[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  MmCmd c = small();
  c.wfmt = spec::Wfmt::e2m1, c.wscale = spec::Wscale::e8m0, c.ascale = spec::Ascale::bf16;
  c.w = 128, c.ws = 8;
  bench.memories.aspm[3] = 2;                            // k = 3
  bench.memories.asc[0] = 0x40, bench.memories.asc[1] = 0x40;  // 3.0
  for (u32 col = 0; col < 8; ++col) {
    const u8 code = static_cast<u8>(col | (col % 2 ? 8 : 0));
    bench.memories.wspm[128 + (3 * 8 + col) / 2] |= static_cast<u8>(code << col % 2 * 4);
    bench.memories.wsc[8 + col] = static_cast<u8>(125 + col);
  }
  Env env = bench.env();
  REQUIRE(check(c, env) == Fault::none);
  execute(c, env);
  for (u32 col = 0; col < 8; ++col) {
    const float scale = std::bit_cast<float>((125 + col) << 23);
    const float expected = 2 * 3 * values[col] * scale * (col % 2 ? -1.f : 1.f);
    CHECK(std::bit_cast<float>(bench.memories.vmem[col]) == expected);
  }
}

TEST_CASE("scale sets lie where the tile's offset says") {
  for (const spec::Wfmt wfmt : {spec::Wfmt::int8, spec::Wfmt::e2m1}) {
    for (const spec::Wscale wscale : {spec::Wscale::fp16, spec::Wscale::bf16, spec::Wscale::e8m0}) {
      MmCmd c = small();
      c.wfmt = wfmt, c.wscale = wscale, c.ws = 32;
      for (const u32 cols : {8u, 16u, 64u}) {
        c.wk = c.tile_bytes(cols), c.wn = 5 * c.wk;
        CHECK(c.scales(0, 0) == 32);
        CHECK(c.scales(2, 3) == 32 + 13 * c.scale_set_bytes(cols));
      }
    }
  }
}

TEST_CASE("acc adds to what is there, without it the sum starts at zero") {
  Bench bench(*spec::find_config("nano"));
  bench.memories.aspm[0] = 3, bench.memories.wspm[0] = 4;
  bench.memories.vmem[0] = std::bit_cast<u32>(100.f);
  MmCmd c = small();
  c.acc = true;
  Env env = bench.env();
  execute(c, env);
  CHECK(bench.memories.vmem[0] == std::bit_cast<u32>(112.f));
  c.acc = false;
  execute(c, env);
  CHECK(bench.memories.vmem[0] == std::bit_cast<u32>(12.f));
}

TEST_CASE("fast kernels give the definition's bits: small machines") {
  compare_kernels(*spec::find_config("nano"), 11, 300);
  compare_kernels(*spec::find_config("edge"), 12, 200);
}

TEST_CASE("fast kernels give the definition's bits: large machines") {
  compare_kernels(*spec::find_config("kria"), 13, 60);
  compare_kernels(*spec::find_config("alveo"), 14, 40);
}

TEST_CASE("fast kernels give the definition's bits: 2:4 sparse") {
  compare_kernels(*spec::find_config("nano24"), 15, 200);
  compare_kernels(*spec::find_config("edge24"), 16, 100);
}

TEST_CASE("sparse: each stored value meets the activation that its index names") {
  Bench bench(*spec::find_config("nano24"));
  std::mt19937_64 random(6);
  for (u8& b : bench.memories.aspm) b = static_cast<u8>(random() % 11 - 5);
  for (u8& b : bench.memories.wspm) b = static_cast<u8>(random() % 11 - 5);
  for (u32 i = 0; i < 4; ++i) bench.memories.wspm[4096 + i] = static_cast<u8>(random());
  for (const bool equal : {false, true}) {
    MmCmd c = small();
    c.sparse = true, c.ascale = spec::Ascale::bf16;
    c.m = 2, c.kb = 2, c.wk = 512, c.wi = 4096, c.a = 32, c.am = 160, c.om = 8;
    if (equal) std::fill_n(bench.memories.wspm.begin() + 4096, 256, u8(0x55));  // both of every pair choose value 1
    for (const u32 block : {1u, 3u, 6u, 8u}) bench.memories.asc[2 * block + 1] = 0x40;  // 2.0; those between are not used
    for (const u32 block : {2u, 4u, 7u, 9u}) bench.memories.asc[2 * block + 1] = 0x7F, bench.memories.asc[2 * block] = 0xC0;
    Env env = bench.env();
    REQUIRE(check(c, env) == Fault::none);
    for (const bool exact : {true, false}) {
      env.exact = exact;
      std::fill_n(bench.memories.vmem.begin(), 16, 0u);
      execute(c, env);
      for (u32 i = 0; i < 16; ++i) {
        i32 sum = 0;
        for (u32 k = 0; k < 64; ++k) {
          const u32 at = k % 32 * 8 + i % 8, block = k / 32;
          const u32 index = (bench.memories.wspm[4096 + block * 128 + at / 4] >> at % 4 * 2) & 3;
          sum += static_cast<i8>(bench.memories.wspm[block * 512 + at]) *
                 static_cast<i8>(bench.memories.aspm[32 + i / 8 * 160 + block * 64 + k % 32 / 2 * 4 + index]);
        }
        CHECK(std::bit_cast<float>(bench.memories.vmem[i]) == float(2 * sum));
      }
      CHECK(bench.counters[Counter::macs] % (2 * 2 * 32 * 8) == 0);
    }
  }
}

TEST_CASE("sparse: ranges and granule of the indices, twice the activations") {
  const spec::Config& config = *spec::find_config("nano24");
  const auto with = [](auto&& change) {
    MmCmd c = small();
    c.sparse = true;
    change(c);
    return fault_of(c, "nano24");
  };
  CHECK(with([&](MmCmd& c) { c.wi = config.wspm_bytes - 64; }) == Fault::none);
  CHECK(with([&](MmCmd& c) { c.wi = config.wspm_bytes - 32; }) == Fault::align);
  CHECK(with([&](MmCmd& c) { c.wi = config.wspm_bytes; }) == Fault::onchip);
  CHECK(with([&](MmCmd& c) { c.wi = config.wspm_bytes - 64, c.kb = 2, c.wk = 256; }) == Fault::onchip);
  CHECK(with([&](MmCmd& c) { c.wi = config.wspm_bytes - 128, c.kb = 2, c.wk = 256; }) == Fault::none);
  CHECK(with([&](MmCmd& c) { c.wi = config.wspm_bytes - 128, c.kb = 2, c.wk = 128, c.wfmt = spec::Wfmt::e2m1; }) == Fault::none);
  CHECK(with([&](MmCmd& c) { c.a = config.aspm_bytes - 64; }) == Fault::none);
  CHECK(with([&](MmCmd& c) { c.a = config.aspm_bytes - 32; }) == Fault::onchip);
  CHECK(with([&](MmCmd& c) { c.a = config.aspm_bytes - 96, c.kb = 2; }) == Fault::onchip);
}

TEST_CASE("extreme integer sums are exact") {
  Bench bench(*spec::find_config("edge"));
  std::ranges::fill(bench.memories.aspm, u8(0x80));
  std::ranges::fill(bench.memories.wspm, u8(0x80));
  MmCmd c = small();
  for (const bool exact : {true, false}) {
    Env env = bench.env(exact);
    execute(c, env);
    CHECK(bench.memories.vmem[15] == std::bit_cast<u32>(float(32 * 128 * 128)));
    bench.memories.vmem[15] = 0;
  }
}

TEST_CASE("mm faults in their order") {
  CHECK(fault_of(small()) == Fault::none);
  const auto with = [](auto&& change) {
    MmCmd c = small();
    change(c);
    return fault_of(c);
  };
  CHECK(with([](MmCmd& c) { c.a = 16; }) == Fault::align);
  CHECK(with([](MmCmd& c) { c.am = 16; }) == Fault::align);
  CHECK(with([](MmCmd& c) { c.w = 128; }) == Fault::align);
  CHECK(with([](MmCmd& c) { c.w = 128, c.wfmt = spec::Wfmt::e2m1; }) == Fault::none);
  CHECK(with([](MmCmd& c) { c.wn = 128; }) == Fault::align);
  CHECK(with([](MmCmd& c) { c.wk = 128; }) == Fault::align);
  CHECK(with([](MmCmd& c) { c.o = 4; }) == Fault::align);
  CHECK(with([](MmCmd& c) { c.om = 4; }) == Fault::align);
  CHECK(with([](MmCmd& c) { c.on = 4; }) == Fault::align);
  CHECK(with([](MmCmd& c) { c.ws = 8; }) == Fault::none);  // scale one: not read
  CHECK(with([](MmCmd& c) { c.ws = 8, c.wscale = spec::Wscale::fp16; }) == Fault::align);
  CHECK(with([](MmCmd& c) { c.ws = 8, c.wscale = spec::Wscale::e8m0; }) == Fault::none);
  CHECK(with([](MmCmd& c) { c.m = 65536; }) == Fault::shape);
  CHECK(with([](MmCmd& c) { c.kb = 65536, c.a = 32; }) == Fault::shape);
  CHECK(with([](MmCmd& c) { c.nb = 65536; }) == Fault::shape);
  CHECK(with([](MmCmd& c) { c.m = 2; }) == Fault::shape);
  CHECK(with([](MmCmd& c) { c.m = 2, c.om = 8; }) == Fault::none);
  CHECK(with([](MmCmd& c) { c.nb = 2; }) == Fault::shape);
  CHECK(with([](MmCmd& c) { c.nb = 2, c.on = 8; }) == Fault::none);
  CHECK(with([](MmCmd& c) { c.m = 3, c.nb = 2, c.om = 8, c.on = 16; }) == Fault::shape);
  CHECK(with([](MmCmd& c) { c.m = 3, c.nb = 2, c.om = 8, c.on = 24; }) == Fault::none);
  CHECK(with([](MmCmd& c) { c.m = 3, c.nb = 2, c.om = 16, c.on = 8; }) == Fault::none);
  CHECK(with([](MmCmd& c) { c.m = 3, c.nb = 2, c.om = 16, c.on = 24; }) == Fault::shape);
  CHECK(with([](MmCmd& c) { c.m = 2, c.kb = 0; }) == Fault::shape);
  CHECK(with([](MmCmd& c) { c.m = 0, c.o = 1 << 20; }) == Fault::none);
}

TEST_CASE("mm ranges: the last byte may be used, the next not") {
  const spec::Config& config = *spec::find_config("nano");
  const auto with = [](auto&& change) {
    MmCmd c = small();
    c.wscale = spec::Wscale::fp16;
    change(c);
    return fault_of(c);
  };
  CHECK(with([&](MmCmd& c) { c.a = config.aspm_bytes - 32; }) == Fault::none);
  CHECK(with([&](MmCmd& c) { c.a = config.aspm_bytes - 32, c.kb = 2; }) == Fault::onchip);
  CHECK(with([&](MmCmd& c) { c.w = config.wspm_bytes - 256; }) == Fault::none);
  CHECK(with([&](MmCmd& c) { c.w = config.wspm_bytes - 256, c.kb = 2, c.wk = 256; }) == Fault::onchip);
  CHECK(with([&](MmCmd& c) { c.ws = config.wsc_bytes - 16; }) == Fault::none);
  CHECK(with([&](MmCmd& c) { c.ws = config.wsc_bytes - 16, c.kb = 2, c.wk = 256; }) == Fault::onchip);
  CHECK(with([&](MmCmd& c) { c.o = config.vmem_bytes / 4 - 8; }) == Fault::none);
  CHECK(with([&](MmCmd& c) { c.o = config.vmem_bytes / 4 - 8, c.m = 2, c.om = 8; }) == Fault::onchip);
  CHECK(with([&](MmCmd& c) { c.m = 65535, c.om = 0xFFFFFFF8; }) == Fault::onchip);
}
