// The vector engine against the meaning of vec and qnt: random commands of every
// kind with and without refused memory requests, chains that read what the command
// before wrote, and the latency formulas of npu_ve.sv.
#include <doctest/doctest.h>

#include <memory>
#include <random>

#include "npu_ve_bench.hpp"
#include "npu_ve_cycles.hpp"

double sc_time_stamp() { return 0; }

namespace {

using ve::Command;
using ve::num::u32;
using ve::num::u64;

class Random {
 public:
  explicit Random(u32 seed) : rng_(seed) {}
  u32 below(u32 n) { return static_cast<u32>(rng_() % n); }
  bool one_in(u32 n) { return below(n) == 0; }
  u32 value() {
    const u32 bits = static_cast<u32>(rng_());
    switch (below(24)) {
      case 0: return bits;
      case 1: return bits & 0x80000000u;
      case 2: return (bits & 0x80000000u) | 0x7F800000u | (one_in(3) ? 1u : 0u);
      case 3: return (bits & 0x807FFFFFu);
      default: return (bits & 0x807FFFFFu) | ((117 + below(16)) << 23);
    }
  }

 private:
  std::mt19937 rng_;
};

// Rows and columns that fit `words` words when every row starts at a vmem row.
void pick_shape(Random& random, u32 vmem_row, u32 words, Command& c) {
  switch (random.below(8)) {
    case 0: c.cols = 1 + random.below(vmem_row); break;
    case 1: c.cols = 1 + random.below(words / 2); break;
    case 2: c.cols = vmem_row * (1 + random.below(4)); break;
    default: c.cols = 1 + random.below(6 * vmem_row); break;
  }
  const u32 pitch = (c.cols + vmem_row - 1) / vmem_row * vmem_row;
  c.rows = 1 + random.below(std::min(words / (pitch + 2 * vmem_row), 40u));
}

// A stride that keeps the rows apart and inside `words`.
u32 pick_stride(Random& random, u32 vmem_row, u32 words, const Command& c) {
  const u32 pitch = (c.cols + vmem_row - 1) / vmem_row * vmem_row;
  const u32 most = words / c.rows / vmem_row * vmem_row;
  return std::min(most, pitch + vmem_row * random.below(3));
}

Command pick_vec(Random& random, u32 vmem_row, u32 words) {
  Command c;
  const u32 part = words / 4;
  pick_shape(random, vmem_row, part, c);
  c.op = random.below(4);
  c.bmode = random.below(3);
  c.func = random.one_in(2) ? 0 : random.below(4);
  c.red = random.below(3);
  c.wr = c.red == 0 || random.one_in(2);
  c.nega = random.one_in(4);
  c.negb = random.one_in(4);
  c.absa = random.one_in(4);
  c.swap = c.cols % 2 == 0 && random.one_in(3);
  c.masked = random.one_in(3);
  c.linc = random.one_in(2);
  c.lim = random.one_in(8) ? 0xFFFFFFFFu - random.below(3) : random.below(c.cols + 3);
  if (random.one_in(16)) c.lim += 0x10000u;
  c.s = random.value();
  c.a = 0;
  c.as = random.one_in(8) ? 0 : pick_stride(random, vmem_row, part, c);
  c.bs = random.one_in(4) ? 0 : c.bmode == 0 ? pick_stride(random, vmem_row, part, c) : random.below(9);
  c.b = c.bmode == 2 ? random.value() : c.bmode == 0 ? part : part + random.below(40);
  c.dst = 2 * part;
  c.ds = random.one_in(8) ? 0 : pick_stride(random, vmem_row, part, c);
  if (random.one_in(3) && (c.rows == 1 || c.as != 0)) {
    c.dst = c.a;
    c.ds = c.as;
  } else if (c.bmode == 0 && random.one_in(3) && (c.rows == 1 || c.bs != 0)) {
    c.dst = c.b;
    c.ds = c.bs;
  }
  c.r = 3 * part + random.below(part - c.rows);
  return c;
}

Command pick_qnt(Random& random, bool pairs, u32 vmem_row, u32 words, u32 aspm) {
  Command c;
  c.qnt = true;
  c.by_row = random.one_in(2);
  c.pair = pairs && !c.by_row && random.one_in(2);
  const u32 part = words / 4;
  pick_shape(random, vmem_row, part, c);
  if (c.by_row && c.cols > 256) c.cols = 1 + random.below(256);
  const u32 pitch = (c.cols + 31) / 32 * 32;
  c.ds = pitch + 32 * random.below(3);
  c.rows = std::min(c.rows, aspm / 2 / c.ds);
  c.as = random.one_in(8) ? 0 : pick_stride(random, vmem_row, part, c);
  c.dst = 32 * random.below(aspm / 64);
  c.r = 3 * part + random.below(part - c.rows);
  return c;
}

// Fresh values where the command reads; for qnt rows of every size of magnitude.
void fill(Random& random, const Command& c, std::vector<u32>& vmem) {
  const u32 part = static_cast<u32>(vmem.size() / 4);
  const u32 used = std::min<u32>(part, c.as * (c.rows - 1) + c.cols);
  const bool plain = c.qnt && !random.one_in(4);
  const u32 up = random.one_in(6) ? random.below(120) << 23 : 0;
  for (u32 i = 0; i < used; ++i) {
    u32 x = random.value();
    if (plain && (x & 0x7F800000u) >= 0x43800000u) x &= 0xBFFFFFFFu;
    vmem[i] = plain ? (x & 0x7F800000u) > up ? x - up : 0 : x;
  }
  if (c.qnt && random.one_in(5)) {  // multiples of 1/2 up to 127: the scale is 1, many ties
    for (u32 i = 0; i < used; ++i) vmem[i] = ve::num::i32_to_f32(static_cast<ve::num::i32>(random.below(509)) - 254);
    for (u32 i = 0; i < used; ++i) vmem[i] = ve::num::fmul(i % 32 == 0 ? 0x437E0000u : vmem[i], 0x3F000000u);
  }
  if (c.qnt || c.bmode == 2) return;
  const u32 b_used = std::min<u32>(part, c.bs * (c.rows - 1) + c.cols + 64);
  for (u32 i = 0; i < b_used; ++i) vmem[part + i] = random.value();
}

void random_commands(u32 seed, int count, unsigned refuse) {
  Random random(seed);
  auto engine = std::make_unique<ve::Engine>();
  engine->refuse = refuse;
  const u32 words = static_cast<u32>(engine->memories.vmem.size());
  const u32 aspm = static_cast<u32>(engine->memories.aspm.size());
  for (int i = 0; i < count; ++i) {
    const Command c = random.one_in(3) ? pick_qnt(random, engine->pairs, engine->cols, words, aspm)
                                       : pick_vec(random, engine->cols, words);
    fill(random, c, engine->memories.vmem);
    ve::Memories want = engine->memories;
    ve::run(c, want);
    const bool finished = engine->start(c) && engine->finish();
    const std::string wrong = ve::difference(engine->memories, want);
    INFO("seed " << seed << " command " << i << " qnt " << c.qnt << " row " << c.by_row << " op " << c.op << " bmode "
                 << c.bmode << " func " << c.func << " red " << c.red << " wr " << c.wr << " swap " << c.swap
                 << " masked " << c.masked << " rows " << c.rows << " cols " << c.cols << " as " << c.as << " bs "
                 << c.bs << " ds " << c.ds << " dst " << c.dst << " r " << c.r << " lim " << c.lim);
    REQUIRE(finished);
    REQUIRE(wrong == "");
  }
}

// Softmax over rows, then quantised: every command reads what the one before wrote.
std::vector<Command> softmax(u32 rows, u32 cols, u32 pitch, u32 words) {
  const u32 out = words / 4, side = words / 2;
  Command largest;
  largest.wr = false;
  largest.red = 2;
  largest.as = pitch;
  largest.rows = rows;
  largest.cols = cols;
  largest.r = side;
  largest.masked = largest.linc = true;
  largest.lim = cols - rows + 1;
  Command power = largest;  // exp(1 * x - max), sum
  power.wr = true;
  power.op = 1;
  power.s = ve::num::kOne;
  power.bmode = 1;
  power.b = side;
  power.bs = 1;
  power.negb = true;
  power.func = 1;
  power.red = 1;
  power.dst = out;
  power.ds = pitch;
  power.r = side + rows;
  Command inverse;
  inverse.a = side + rows;
  inverse.dst = side + 2 * rows;
  inverse.func = 2;
  inverse.cols = rows;
  Command scaled;
  scaled.a = scaled.dst = out;
  scaled.as = scaled.ds = pitch;
  scaled.rows = rows;
  scaled.cols = cols;
  scaled.bmode = 1;
  scaled.b = side + 2 * rows;
  scaled.bs = 1;
  Command quantised;
  quantised.qnt = true;
  quantised.a = out;
  quantised.as = pitch;
  quantised.rows = rows;
  quantised.cols = cols;
  quantised.ds = (cols + 31) / 32 * 32;
  return {largest, power, inverse, scaled, quantised};
}

// Cycles from taking a command to taking the next.
u64 cost(ve::Engine& engine, const Command& c) {
  REQUIRE(engine.start(c));
  const u64 before = engine.cycles;
  REQUIRE(engine.start(c));
  const u64 after = engine.cycles;
  REQUIRE(engine.finish());
  return after - before;
}

}  // namespace

TEST_CASE("vector engine: random commands, memory always ready") { random_commands(1, 3000, 0); }
TEST_CASE("vector engine: random commands, a quarter of the requests refused") { random_commands(2, 3000, 64); }
TEST_CASE("vector engine: random commands, most requests refused") { random_commands(3, 1000, 200); }

TEST_CASE("vector engine: chains without a pause") {
  for (const unsigned refuse : {0u, 100u}) {
    Random random(5 + refuse);
    auto engine = std::make_unique<ve::Engine>();
    engine->refuse = refuse;
    const u32 words = static_cast<u32>(engine->memories.vmem.size());
    for (int i = 0; i < 100; ++i) {
      // rows is a multiple of a vmem row, so that the rows' words can be an operand
      const u32 rows = engine->cols * (1 + random.below(2)), cols = rows + random.below(2 * engine->cols);
      const u32 pitch = (cols + engine->cols - 1) / engine->cols * engine->cols;
      for (u32 w = 0; w < words / 4; ++w) {
        engine->memories.vmem[w] = (random.below(0x2000000) + 0x3F800000u) ^ (random.below(2) << 31);
      }
      ve::Memories want = engine->memories;
      for (const Command& c : softmax(rows, cols, pitch, words)) {
        ve::run(c, want);
        REQUIRE(engine->start(c));
      }
      REQUIRE(engine->finish());
      REQUIRE(ve::difference(engine->memories, want) == "");
    }
  }
}

// Rows that nearly fill the memory: the deepest trees.
TEST_CASE("vector engine: long rows") {
  auto engine = std::make_unique<ve::Engine>();
  Random random(13);
  const u32 words = static_cast<u32>(engine->memories.vmem.size());
  for (u32& word : engine->memories.vmem) word = (0x3F800000u + random.below(0x1000000)) ^ (random.below(2) << 31);
  for (int i = 0; i < 12; ++i) {
    Command c;
    c.wr = false;
    c.red = 1 + random.below(2);
    c.rows = 1 + random.below(3);
    c.cols = std::min(words - 4 * engine->cols, 65535u) - random.below(engine->cols * 40);
    c.r = words - 4;
    ve::Memories want = engine->memories;
    ve::run(c, want);
    REQUIRE(engine->start(c));
    REQUIRE(engine->finish());
    REQUIRE(ve::difference(engine->memories, want) == "");
  }
}

TEST_CASE("vector engine: cycles of a command") {
  auto engine = std::make_unique<ve::Engine>();
  const u32 lanes = engine->lanes, vmem_row = engine->cols, words = static_cast<u32>(engine->memories.vmem.size());
  const jogak::rtl::VeSizes sizes{vmem_row, lanes};
  Random random(9);
  for (int i = 0; i < 400; ++i) {
    Command c;
    c.qnt = random.one_in(3);
    c.by_row = random.one_in(2);
    c.pair = engine->pairs && c.qnt && !c.by_row && random.one_in(2);
    c.cols = 1 + random.below(c.qnt ? 256 : random.one_in(4) ? 80 * lanes : 12 * lanes);
    c.rows = 1 + random.below(words / 4 / (c.cols + vmem_row));
    if (c.rows > 40) c.rows = 1 + random.below(40);
    c.as = (c.cols + vmem_row - 1) / vmem_row * vmem_row;
    c.ds = c.qnt ? (c.cols + 31) / 32 * 32 : c.as;
    c.dst = c.qnt ? 0 : words / 4;
    c.r = words / 2 + random.below(2 * vmem_row);
    c.red = random.below(3);
    c.func = random.below(4);
    c.wr = c.red == 0 || random.one_in(2);
    const jogak::rtl::VeShape shape{c.rows, c.cols, c.qnt, c.by_row, c.pair, c.func != 0, static_cast<jogak::rtl::VeRed>(c.red),
                                    c.r % vmem_row};
    CAPTURE(c.qnt);
    CAPTURE(c.by_row);
    CAPTURE(c.pair);
    CAPTURE(c.red);
    CAPTURE(c.func);
    CAPTURE(c.wr);
    CAPTURE(c.rows);
    CAPTURE(c.cols);
    CAPTURE(c.r % vmem_row);
    CHECK(cost(*engine, c) == jogak::rtl::ve_cycles(shape, sizes));
  }
}
