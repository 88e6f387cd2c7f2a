// npu_mx against the meaning of mm: random legal commands back to back, bit-exact vector memory, cycles equal
// to mm_latency.hpp, and the speed bars. The configuration is the program's: MX_DUT, MX_CONFIG.
#include "npu_mx_test.hpp"

#include <doctest/doctest.h>

#define MX_STRING2(x) #x
#define MX_STRING(x) MX_STRING2(x)
#include MX_STRING(MX_DUT.h)

using namespace jogak;
using namespace jogak::mx_test;

namespace {

const spec::Config& config() {
  const spec::Config* c = spec::find_config(MX_STRING(MX_CONFIG));
  REQUIRE(c != nullptr);
  return *c;
}
using MxBench = Bench<MX_DUT>;

class Random {
 public:
  explicit Random(u64 seed) : engine_(seed) {}
  u32 below(u32 n) { return static_cast<u32>(engine_() % n); }
  u32 in(u32 low, u32 high) { return low + below(high - low + 1); }
  bool chance(u32 percent) { return below(100) < percent; }
  u32 bits() { return static_cast<u32>(engine_()); }

 private:
  std::mt19937_64 engine_;
};

// Scales mostly near 1, now and then anything: zeros, subnormals, infinities, NaN.
u16 scale_bits(Random& r, u32 kind) {
  const u32 pick = r.below(100);
  if (pick < 4) return 0;
  if (pick < 6) return 0x8000;
  if (pick < 14) return static_cast<u16>(r.bits());
  if (kind == kFp16) {
    if (pick < 18) return static_cast<u16>(r.bits() & 0x83FF);  // subnormal
    if (pick < 20) return 0x7C00;
    return static_cast<u16>((r.bits() & 0x83FF) | r.in(10, 18) << 10);
  }
  if (pick < 16) return 0x7F80;
  if (pick < 18) return static_cast<u16>((r.bits() & 0x807F) | r.in(0, 2) << 7);
  return static_cast<u16>((r.bits() & 0x807F) | r.in(120, 134) << 7);
}

void fill(Memories& mem, Random& r) {
  for (u8& b : mem.wspm) b = static_cast<u8>(r.chance(3) ? 0x80 : r.bits());
  for (u8& b : mem.aspm) b = static_cast<u8>(r.chance(3) ? 0x80 : r.bits());
  for (u16& h : mem.asc) h = scale_bits(r, kBf16);
  for (std::size_t i = 0; i < mem.wsc.size(); i += 2) {
    const u16 h = r.chance(30) ? static_cast<u16>(r.in(1, 255) << 8 | r.in(1, 255)) : scale_bits(r, r.in(kFp16, kBf16));
    mem.wsc[i] = static_cast<u8>(h);
    mem.wsc[i + 1] = static_cast<u8>(h >> 8);
  }
  for (u32& x : mem.vmem) x = r.chance(10) ? r.bits() : (r.bits() & 0x807FFFFFu) | r.in(120, 140) << 23;
}

struct Limits {
  u32 m, kb, nb;
};

// Strides and base so that base + (n1-1) s1 + (n2-1) s2 + size fits; junk where a count is 1.
struct Box {
  u32 base, s1, s2;
};
Box box(Random& r, u32 memory, u32 granule, u32 size, u32 n1, u32 n2) {
  const u32 room = (memory - size) / granule;
  Box b{};
  const u32 g1 = n1 > 1 ? r.in(0, std::min(room / 2 / (n1 - 1), 40u)) : r.below(99);
  u32 used = n1 > 1 ? g1 * (n1 - 1) : 0;
  const u32 g2 = n2 > 1 ? r.in(0, std::min((room - used) / (n2 - 1), 900u)) : r.below(99);
  used += n2 > 1 ? g2 * (n2 - 1) : 0;
  b.base = r.in(0, room - used) * granule;
  b.s1 = g1 * granule;
  b.s2 = g2 * granule;
  return b;
}

void choose_rows(Random& r, Command& c, u32 cols, u32 vmem_words) {
  const u32 room = vmem_words / cols;
  if (c.nb == 1 || r.chance(50)) {  // rows inside, tiles outside
    const u32 om = r.in(1, std::max(1u, std::min(room / 2 / (c.m * c.nb), 5u)));
    const u32 on = (c.m - 1) * om + 1 + r.below(3);
    c.om = om * cols;
    c.on = on * cols;
  } else {  // tiles side by side inside one wide row
    c.on = cols;
    c.om = (c.nb + r.below(2)) * cols;
  }
  const u32 used = (c.m - 1) * c.om + (c.nb - 1) * c.on + cols;
  REQUIRE(used <= vmem_words);
  c.o = r.in(0, std::min((vmem_words - used) / cols, r.chance(60) ? 8u : 100000u)) * cols;
  if (c.m == 1 && r.chance(50)) c.om = r.below(50) * cols;
  if (c.nb == 1 && r.chance(50)) c.on = r.below(50) * cols;
}

// Accumulate at once onto one of the rows that the previous command wrote last.
void start_on_last_rows(Random& r, Command& c, const Command& previous) {
  const u32 back = std::min(r.below(4), previous.m - 1);
  const u32 o = previous.o + (previous.m - 1 - back) * previous.om + (previous.nb - 1) * previous.on;
  const u32 rest = (c.m - 1) * c.om + (c.nb - 1) * c.on + config().cols;
  if (o + rest > config().vmem_bytes / 4) return;
  c.o = o;
  c.acc = true;
}

Command random_command(Random& r, const Limits& lim, const Command* previous) {
  const spec::Config& k = config();
  Command c;
  c.e2m1 = r.chance(40);
  c.sparse = k.sparse && r.chance(60);
  c.colload = !c.e2m1 && !c.sparse && r.chance(40);
  c.wscale = r.below(4);
  c.ascale = r.chance(70);
  c.acc = r.chance(50);
  c.m = r.in(1, r.chance(50) ? std::min(lim.m, 4u) : lim.m);
  c.kb = r.in(1, r.chance(50) ? std::min(lim.kb, 2u) : lim.kb);
  c.nb = r.in(1, r.chance(50) ? std::min(lim.nb, 2u) : lim.nb);
  if (previous != nullptr && r.chance(25)) {  // the same rows again
    c.m = previous->m;
    c.nb = previous->nb;
    c.o = previous->o;
    c.om = previous->om;
    c.on = previous->on;
    if (r.chance(20) && c.o != 0) c.o -= k.cols;
    if (r.chance(20)) c.m = r.in(1, c.m);
    if (r.chance(20) && c.nb == 1 && c.m > 1 && c.om > k.cols) c.om -= k.cols;
    if (r.chance(20) && c.nb > 1) --c.nb;
  } else {
    choose_rows(r, c, k.cols, k.vmem_bytes / 4);
    if (previous != nullptr && r.chance(30)) start_on_last_rows(r, c, *previous);
  }
  const u32 tile = (c.e2m1 ? 16 : 32) * k.cols;
  const Box w = box(r, c.sparse ? k.wspm_bytes / 2 : k.wspm_bytes, tile, tile, c.kb, c.nb);
  c.w = w.base;
  c.wk = w.s1;
  c.wn = w.s2;
  const u32 set = c.wscale == kE8m0 ? k.cols : 2 * k.cols;
  const u32 tiles = ((c.kb - 1) * c.wk + (c.nb - 1) * c.wn) / tile;
  if ((u64(tiles) + 1) * set > k.wsc_bytes) {  // e2m1 tiles with wide scales reach only half of wspm
    c.wscale = kOne;
  } else {
    c.ws = r.in(0, (k.wsc_bytes - (tiles + 1) * set) / set) * set;
  }
  if (c.sparse) {
    const u32 room = k.wspm_bytes / (8 * k.cols) - tiles - 1;
    c.wi = r.in(0, room) * 8 * k.cols;
  }
  const Box a = box(r, k.aspm_bytes, 32, c.kb * (c.sparse ? 64 : 32), c.m, 1);
  c.a = a.base;
  c.am = a.s1;
  return c;
}

void compare(const Memories& got, const Memories& want, u64 seed) {
  for (std::size_t i = 0; i < want.vmem.size(); ++i) {
    if (got.vmem[i] == want.vmem[i]) continue;
    FAIL("seed " << seed << ": vmem word " << i << " (row " << i / config().cols << "), found " << std::hex
                 << got.vmem[i] << ", expected " << want.vmem[i]);
  }
}

void check_times(const std::vector<Command>& commands, const std::vector<Result>& results, u64 seed,
                 const std::vector<u64>& offers) {
  mm::Timer timer(config().rows, config().cols);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const auto t = timer.issue(commands[i].shape(), static_cast<mm::Cycle>(offers[i]));
    INFO("seed " << seed << ", command " << i);
    REQUIRE(t.accepted == static_cast<mm::Cycle>(results[i].accepted));
    REQUIRE(t.done == static_cast<mm::Cycle>(results[i].done));
  }
}

void random_round(u64 seed, const Limits& lim, u32 count, u32 gap_percent) {
  Random r(seed);
  MxBench bench(config(), static_cast<int>(seed));
  fill(bench.mem, r);
  Memories want = bench.mem;
  std::vector<Command> commands;
  for (u32 i = 0; i < count; ++i) {
    commands.push_back(random_command(r, lim, i > 0 ? &commands.back() : nullptr));
    meaning(want, commands.back(), config().cols);
  }
  std::vector<u64> gaps, offers;
  for (u32 i = 0; i <= count; ++i) gaps.push_back(r.chance(gap_percent) ? r.in(1, 60) : 0);
  const auto results = bench.run(commands, [&](std::size_t i) { return gaps[i]; });
  for (u32 i = 0; i < count; ++i) offers.push_back((i == 0 ? 1 : results[i - 1].accepted + 1) + gaps[i]);
  compare(bench.mem, want, seed);
  check_times(commands, results, seed, offers);
  u64 slices = 0;
  for (const Command& c : commands) slices += u64(c.m) * c.kb * c.nb * (32 / config().rows);
  CHECK(bench.busy == slices);
}

u64 rounds(u64 usual) {
  const char* more = std::getenv("JOGAK_MX_ROUNDS");
  return more != nullptr ? usual * std::stoull(more) : usual;
}

// One command on a fresh engine: cycles per tile between two lengths, so that start and end cancel.
double tile_cycles(Command c, u32 few, u32 many) {
  u64 cycles[2];
  for (int i = 0; i < 2; ++i) {
    MxBench bench(config(), 1);
    c.kb = i == 0 ? few : many;
    const auto t = bench.run({c}, [](std::size_t) { return 0u; });
    cycles[i] = t[0].done - t[0].accepted;
  }
  return double(cycles[1] - cycles[0]) / (many - few);
}

Command shape(mm::Order order, u32 m) {
  Command c;
  c.e2m1 = order == mm::Order::e2m1 || order == mm::Order::sparse_e2m1;
  c.sparse = order == mm::Order::sparse_int8 || order == mm::Order::sparse_e2m1;
  c.colload = order == mm::Order::columns;
  c.wscale = kE8m0;
  c.ascale = true;
  c.m = m;
  c.om = config().cols;
  c.am = 32;
  c.wk = 0;
  return c;
}

std::vector<mm::Order> orders() {
  std::vector<mm::Order> all = {mm::Order::int8, mm::Order::e2m1, mm::Order::columns};
  if (config().sparse) all.insert(all.end(), {mm::Order::sparse_int8, mm::Order::sparse_e2m1});
  return all;
}

}  // namespace

TEST_CASE("small random commands back to back") {
  for (u64 seed = 1; seed <= rounds(60); ++seed) random_round(seed, {6, 3, 3}, 40, 5);
}

TEST_CASE("random commands with gaps") {
  for (u64 seed = 1001; seed <= 1000 + rounds(20); ++seed) random_round(seed, {12, 4, 4}, 25, 60);
}

TEST_CASE("larger random commands") {
  for (u64 seed = 2001; seed <= 2000 + rounds(12); ++seed) random_round(seed, {70, 9, 7}, 8, 10);
}

TEST_CASE("one row, one tile: commands as short as they can be") {
  for (u64 seed = 3001; seed <= 3000 + rounds(20); ++seed) random_round(seed, {1, 1, 1}, 60, 5);
}

TEST_CASE("largest counts of one kind") {
  for (const auto& c : {Limits{500, 1, 1}, Limits{1, 60, 1}, Limits{1, 1, 60}})
    for (u64 seed = 4001; seed <= 4000 + rounds(4); ++seed) random_round(seed, c, 6, 10);
}

TEST_CASE("special values: extreme integers, zero, infinite and NaN scales") {
  const u32 cols = config().cols;
  const u16 scales[] = {0x0000, 0x8000, 0x7F80, 0xFF80, 0x7FC1, 0x0080, 0x0001, 0x7F7F, 0x3F80, 0xBF81};
  MxBench bench(config(), 7);
  std::fill(bench.mem.wspm.begin(), bench.mem.wspm.end(), u8(0x80));
  std::fill(bench.mem.aspm.begin(), bench.mem.aspm.end(), u8(0x80));
  std::fill(bench.mem.aspm.begin() + 32, bench.mem.aspm.begin() + 64, u8(0));
  for (std::size_t i = 0; i < bench.mem.wsc.size(); ++i) bench.mem.wsc[i] = static_cast<u8>(i * 7 + i / 64);
  for (std::size_t i = 0; i < bench.mem.asc.size(); ++i) bench.mem.asc[i] = scales[i / 3 % std::size(scales)];
  for (std::size_t i = 0; i < bench.mem.vmem.size(); ++i) bench.mem.vmem[i] = u32(i) * 0x9E3779B9u;
  Memories want = bench.mem;
  std::vector<Command> commands;
  for (u32 wscale : {kOne, kFp16, kBf16, kE8m0})
    for (u32 e2m1 : {0u, 1u}) {
      Command c;
      c.e2m1 = e2m1 != 0;
      c.wscale = wscale;
      c.ascale = c.acc = true;
      c.m = 30;
      c.am = 32;
      c.om = cols;
      c.nb = 8;
      c.on = 30 * cols;
      c.wn = (c.e2m1 ? 16 : 32) * cols;
      commands.push_back(c);
      meaning(want, c, cols);
    }
  bench.run(commands, [](std::size_t) { return 0u; });
  compare(bench.mem, want, 0);
}

TEST_CASE("latency recurrence: long commands jump to the same end") {
  const spec::Config& k = config();
  for (u32 m : {1u, 3u, 8u, 20u})
    for (auto order : orders()) {
      Command c = shape(order, m);
      c.kb = 300;
      c.nb = 3;
      c.a = 0;
      c.am = 0;
      c.on = m * k.cols;
      MxBench bench(config(), 1);
      const auto t = bench.run({c}, [](std::size_t) { return 0u; });
      mm::Timer timer(k.rows, k.cols);
      CHECK(timer.issue(c.shape(), 1).done == static_cast<mm::Cycle>(t[0].done));
    }
}

TEST_CASE("cycles per tile") {
  const mm::Constants k(config().rows, config().cols);
  const char* names[] = {"int8", "e2m1", "columns", "sparse int8", "sparse e2m1"};
  for (auto order : orders())
    for (u32 m : {1u, 2u, 4u, 8u, 12u, 16u, 32u, 64u}) {
      const double measured = tile_cycles(shape(order, m), 60, 180);
      CHECK(measured == doctest::Approx(mm::tile_period(k, order, m)));
      MESSAGE(std::string(names[int(order)]) << " m=" << m << ": " << measured);
    }
}

TEST_CASE("bars") {
  const u32 rows = config().rows, slices = 32 / rows;
  CHECK(tile_cycles(shape(mm::Order::int8, 32), 60, 180) == doctest::Approx(32.0 * slices));
  if (rows <= 16) CHECK(tile_cycles(shape(mm::Order::int8, 1), 60, 180) <= 18);
  if (rows <= 16) CHECK(tile_cycles(shape(mm::Order::e2m1, 1), 60, 180) <= 13);
  CHECK(tile_cycles(shape(mm::Order::columns, 1), 60, 180) <= 2 * rows + 4);
  if (config().sparse) {  // half the cycles of the dense product, as there are half the tiles
    CHECK(tile_cycles(shape(mm::Order::sparse_int8, 32), 60, 180) == doctest::Approx(32.0 * slices));
    CHECK(tile_cycles(shape(mm::Order::sparse_int8, 1), 60, 180) <= 20);
    CHECK(tile_cycles(shape(mm::Order::sparse_e2m1, 1), 60, 180) <= 16);
  }

  // GEMM: commands of 32 rows and many tiles without a gap between tiles or commands.
  std::vector<Command> commands(6, shape(mm::Order::int8, 32));
  for (std::size_t i = 0; i < commands.size(); ++i) {
    commands[i].kb = 16;
    commands[i].nb = 2;
    commands[i].on = 32 * config().cols;
    commands[i].acc = i % 2 != 0;
  }
  MxBench bench(config(), 1);
  const auto t = bench.run(commands, [](std::size_t) { return 0u; });
  const u64 total = t.back().done - t.front().accepted;
  const u64 start_and_end = t.front().done - t.front().accepted - u64(32) * slices * 32;
  CHECK(bench.busy == 6u * 32 * 32 * slices);
  CHECK(total == bench.busy + start_and_end);
  MESSAGE("6 commands of 32 tiles, 32 rows: " << total << " cycles, " << 100.0 * double(bench.busy) / double(total)
                                              << " % busy");
}
