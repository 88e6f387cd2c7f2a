// Model and RTL agree bit by bit: every kind of command once, then random programs in which all engines work at
// the same time on different parts of the memories, with random memory latency and stalls.
#include "cosim.hpp"

using namespace jogak;
using namespace jogak::rtl;
using spec::Engine;

namespace {

// Memories are dealt in eighths: in a phase each engine writes its own share and reads that or the common one.
constexpr u32 kShares = 8, kIndexShare = 7, kIndices = 64, kLimit = 61;

class Programs {
 public:
  Programs(Cosim& cosim, u64 seed) : c_(cosim), random_(seed), cfg_(cosim.machine.config()) {
    words_ = cfg_.vmem_bytes / 4 / kShares;
    // Index lists: small numbers that nothing overwrites.
    for (u32 i = 0; i < kIndices; ++i) c_.machine.memories().vmem[kIndexShare * words_ + i] = below(12);
    c_.share();
  }

  // `commands` random commands between two barriers.
  void phase(u32 commands) {
    std::iota(shares_.begin(), shares_.end(), 0);
    std::shuffle(shares_.begin(), shares_.end(), random_);
    for (u32 i = 0; i < commands; ++i) {
      command();
      if (one_in(2)) semaphore();
      if (one_in(6)) scalar();
    }
    c_.barrier();
  }
  // Commands, and somewhere among them an instruction that faults while engines are at work.
  void faulty_phase(u32 commands) {
    std::iota(shares_.begin(), shares_.end(), 0);
    std::shuffle(shares_.begin(), shares_.end(), random_);
    const u32 at = below(commands);
    for (u32 i = 0; i < commands; ++i) {
      if (i == at) fault();
      command();
    }
  }

 private:
  u32 below(u64 n) { return u32(random_() % n); }
  bool one_in(u32 n) { return below(n) == 0; }
  u32 share(Engine e) const { return shares_[u32(e)]; }
  u32 own_or_common(Engine e) { return one_in(3) ? shares_[4] : share(e); }
  // A multiple of granule in share s of a memory of `bytes`, with room for `extent`.
  u32 place(u64 bytes, u32 s, u64 extent, u32 granule) {
    const u64 part = bytes / kShares;
    REQUIRE(extent <= part);
    return u32(s * part + below((part - extent) / granule + 1) * granule);
  }

  // Engine e signals f through semaphore 4 e + f, sometimes more units than are waited for.
  void semaphore() {
    const u32 e = below(4), f = (e + 1 + below(3)) % 4, sem = 4 * e + f;
    for (u32 n = below(3); n > 0; --n) {
      if (one_in(3)) command();
      const u32 units = 1 + below(5);
      if (balance_[sem] + units > 255) break;
      c_.b.signal(static_cast<Engine>(e), sem, units);
      balance_[sem] += units;
    }
    if (balance_[sem] == 0) return;
    const u32 units = 1 + below(std::min(balance_[sem], 9u));
    c_.b.wait(static_cast<Engine>(f), sem, units);
    balance_[sem] -= units;
  }

  // A word of the index lists to the register that masked vectors take as their limit.
  void scalar() { c_.b.lds(kLimit, c_.r(kIndexShare * words_ + below(kIndices))); }

  void fault() {
    const u8 bytes = c_.r(64), one = c_.r(1), high = c_.r(~0u - 63);
    switch (below(6)) {
      case 0: return c_.b.emit(spec::Insn{0xEE, 0});
      case 1: return c_.b.emit(spec::Insn{u32(spec::Op::halt), 1ull << below(64)});
      case 2: return c_.b.wait(static_cast<Engine>(below(5)), 20);
      case 3: return c_.b.load({.da = high, .len = bytes, .n1 = one, .n2 = one});
      case 4: return c_.b.load({.ca = high, .len = bytes, .n1 = one, .n2 = one});
      default: return c_.b.lds(kLimit, high);
    }
  }

  void command() {
    switch (below(6)) {
      case 0: return load();
      case 1: return store();
      case 2: case 3: return mm();
      case 4: return vec();
      default: return qnt();
    }
  }

  // Two dimensions of runs of `len` bytes without overlap, at most `room` bytes long.
  struct Box {
    u32 len, n1, n2, s1, s2;
    u64 extent() const { return u64(n1 - 1) * s1 + u64(n2 - 1) * s2 + len; }
  };
  Box box(u32 len, u32 n1, u32 n2, u32 granule, u64 room) {
    for (;;) {
      Box x{len, n1, n2, len + granule * (one_in(2) ? 0 : below(20)), 0};
      x.s2 = n1 * x.s1 + granule * (one_in(2) ? 0 : below(20));
      if (x.extent() <= room) return x;
      if (n2 > 1) n2 = 1;
      else if (n1 > 1) n1 /= 2;
    }
  }

  u64 space_bytes(spec::Space s) { return c_.machine.memories().bytes(s).size(); }

  void load() {
    const auto space = static_cast<spec::Space>(below(5));
    const u32 granule = space == spec::Space::vmem ? 4 : 2;
    const u64 room = space_bytes(space) / kShares;
    const u32 len = granule * (1 + below(one_in(4) ? 200 : 40)), n1 = 1 + below(8), n2 = 1 + below(3);
    const Box chip = box(std::min<u64>(len, room), n1, n2, granule, room);
    spec::Load i{.win = u8(2 * below(2)), .space = space, .gather = one_in(3)};
    Box dram = box(chip.len, i.gather ? 12 : chip.n1, chip.n2, 2, kWindowBytes / kShares);
    if (dram.n2 < chip.n2 || dram.n1 < chip.n1 || (i.gather && dram.n1 < 12)) return;
    i.da = c_.r(place(kWindowBytes, own_or_common(Engine::ld), dram.extent(), 2));
    i.ca = c_.r(place(space_bytes(space), share(Engine::ld), chip.extent(), granule));
    i.len = c_.r(chip.len), i.n1 = c_.r(chip.n1), i.n2 = c_.r(chip.n2);
    i.ds1 = c_.r(dram.s1), i.ds2 = c_.r(dram.s2), i.cs1 = c_.r(chip.s1), i.cs2 = c_.r(chip.s2);
    i.idx = c_.r(kIndexShare * words_ + below(kIndices - chip.n1));
    c_.b.load(i);
  }

  void store() {
    const auto space = std::array{spec::Space::aspm, spec::Space::asc, spec::Space::vmem}[below(3)];
    const u32 granule = space == spec::Space::vmem ? 4 : 2;
    const u64 room = space_bytes(space) / kShares;
    const u32 len = granule * (1 + below(one_in(4) ? 200 : 40));
    const Box chip = box(std::min<u64>(len, room), 1 + below(8), 1 + below(3), granule, room);
    const Box dram = box(chip.len, chip.n1, chip.n2, 2, kWindowBytes / kShares);
    if (dram.n2 < chip.n2 || dram.n1 < chip.n1) return;
    spec::Store i{.win = u8(1 + below(2)), .space = space};
    i.da = c_.r(place(kWindowBytes, share(Engine::st), dram.extent(), 2));
    i.ca = c_.r(place(space_bytes(space), own_or_common(Engine::st), chip.extent(), granule));
    i.len = c_.r(chip.len), i.n1 = c_.r(chip.n1), i.n2 = c_.r(chip.n2);
    i.ds1 = c_.r(dram.s1), i.ds2 = c_.r(dram.s2), i.cs1 = c_.r(chip.s1), i.cs2 = c_.r(chip.s2);
    c_.b.store(i);
  }

  void mm() {
    spec::Mm i{.wfmt = static_cast<spec::Wfmt>(below(2)), .wscale = static_cast<spec::Wscale>(below(4)),
               .ascale = static_cast<spec::Ascale>(below(2)), .acc = one_in(2), .colload = false};
    const bool int8 = i.wfmt == spec::Wfmt::int8, e8m0 = i.wscale == spec::Wscale::e8m0;
    i.colload = int8 && one_in(3);
    const u32 tile = (int8 ? 32 : 16) * cfg_.cols, set = (e8m0 ? 1 : 2) * cfg_.cols;
    const u32 shift = (int8 ? 5 : 4) - (e8m0 ? 0 : 1);
    const u32 m = 1 + below(one_in(3) ? 12 : 3), kb = 1 + below(4), nb = 1 + below(3);
    const u32 wk = tile * (1 + below(2)), wn = one_in(4) ? 0 : wk * kb;
    const u64 span = u64(nb - 1) * wn + u64(kb - 1) * wk;
    if (span + tile > cfg_.wspm_bytes / kShares) return;
    const u32 am = one_in(4) ? 0 : 32 * (kb + below(2));
    const u32 om = cfg_.cols * (1 + below(3)), on = one_in(2) ? cfg_.cols * 40 : om * m;
    const bool rows_inside = (m - 1) * om + cfg_.cols <= on || nb == 1;
    const u32 stride_m = rows_inside ? om : cfg_.cols * nb, stride_n = rows_inside ? on : cfg_.cols;
    const u32 w_share = own_or_common(Engine::mx);
    i.w = c_.r(place(cfg_.wspm_bytes, w_share, span + tile, tile));
    i.ws = c_.r(place(cfg_.wsc_bytes, own_or_common(Engine::mx), (span >> shift) + set, set));
    i.wn = c_.r(wn), i.wk = c_.r(wk);
    i.a = c_.r(place(cfg_.aspm_bytes, own_or_common(Engine::mx), u64(m - 1) * am + kb * 32, 32));
    i.am = c_.r(am);
    const u64 out = u64(m - 1) * stride_m + u64(nb - 1) * stride_n + cfg_.cols;
    i.o = c_.r(place(cfg_.vmem_bytes / 4, share(Engine::mx), out, cfg_.cols));
    i.om = c_.r(stride_m), i.on = c_.r(stride_n), i.m = c_.r(m), i.kb = c_.r(kb), i.nb = c_.r(nb);
    c_.b.mm(i);
  }

  // Word address of rows x cols words in quarters [q, q + n) of a share.
  u32 words(u32 s, u32 q, u32 n, u64 extent, u32 granule) {
    const u32 part = words_ / 4;
    REQUIRE(extent <= n * part);
    return s * words_ + q * part + below((n * part - extent) / granule + 1) * granule;
  }

  // Quarters 0, 1 of the own share take results, 2 holds operands, 3 reductions.
  void vec() {
    const u32 c = cfg_.cols;
    spec::Vec i{.op = static_cast<spec::Vop>(below(4)), .bmode = static_cast<spec::Bmode>(below(3)),
                .func = static_cast<spec::Vfunc>(one_in(2) ? 0 : below(4)), .red = static_cast<spec::Vred>(below(3))};
    i.wr = !one_in(4), i.nega = one_in(3), i.negb = one_in(3), i.absa = one_in(3);
    i.swap = one_in(4), i.masked = one_in(3), i.linc = one_in(2);
    u32 rows = 1 + below(5), cols = 1 + below(one_in(3) ? 5 * c : 2 * c);
    if (i.swap) cols += cols % 2;
    const u32 wide = (cols + c - 1) / c * c, room = words_ / 4;
    const u32 as = one_in(5) ? 0 : wide + c * below(2), ds = wide + c * below(2);
    while (rows > 1 && std::max<u64>(as, ds) * rows + wide > room) --rows;
    const u32 share_a = own_or_common(Engine::ve), share_b = own_or_common(Engine::ve);
    const auto operand = [&](u32 s, u64 extent, u32 granule) {
      return s == share(Engine::ve) ? words(s, 2, 1, extent, granule) : words(s, 0, 4, extent, granule);
    };
    const u64 a_extent = u64(rows - 1) * as + cols;
    u32 a = operand(share_a, a_extent, c), stride_a = as;
    const u32 dst = words(share(Engine::ve), 0, 2, u64(rows - 1) * ds + cols, c);
    if (i.wr && one_in(3)) a = dst, stride_a = ds;  // in place
    const bool vector = i.bmode == spec::Bmode::vector;
    const u32 bs = one_in(3) ? 0 : vector ? wide : 1 + below(5);
    i.dst = c_.r(dst), i.ds = c_.r(ds), i.a = c_.r(a), i.as = c_.r(stride_a);
    i.b = c_.r(i.bmode == spec::Bmode::scalar ? Cosim::float_bits(random_)
                                              : operand(share_b, u64(rows - 1) * bs + (vector ? cols : 1), vector ? c : 1));
    i.bs = c_.r(bs), i.s = c_.r(Cosim::float_bits(random_)), i.lim = one_in(2) ? u8(kLimit) : c_.r(below(cols + 3));
    i.r = c_.r(words(share(Engine::ve), 3, 1, rows, 1)), i.rows = c_.r(rows), i.cols = c_.r(cols);
    c_.b.vec(i);
  }

  void qnt() {
    const u32 c = cfg_.cols;
    spec::Qnt i{.group = static_cast<spec::Qgroup>(below(2))};
    const bool row = i.group == spec::Qgroup::row;
    u32 rows = 1 + below(4);
    const u32 cols = 1 + below(row ? 256 : 100), wide = (cols + c - 1) / c * c, blocks = (cols + 31) / 32;
    const u32 as = wide, ds = 32 * (blocks + below(2));
    while (rows > 1 && (u64(rows) * as > words_ / 4 || u64(rows) * ds > cfg_.aspm_bytes / kShares)) --rows;
    const u32 s = own_or_common(Engine::ve);
    const u64 extent = u64(rows - 1) * as + cols;
    i.a = c_.r(s == share(Engine::ve) ? words(s, 2, 1, extent, c) : words(s, 0, 4, extent, c));
    i.as = c_.r(as);
    i.dst = c_.r(place(cfg_.aspm_bytes, share(Engine::ve), u64(rows - 1) * ds + blocks * 32, 32));
    i.ds = c_.r(ds), i.r = c_.r(words(share(Engine::ve), 3, 1, rows, 1));
    i.rows = c_.r(rows), i.cols = c_.r(cols);
    c_.b.qnt(i);
  }

  Cosim& c_;
  std::mt19937_64 random_;
  const spec::Config& cfg_;
  u32 words_;  // of vector memory in a share
  std::array<u32, 7> shares_{};
  std::array<u32, 16> balance_{};
};

Options options(u64 seed) {
  Options o{.seed = seed};
  o.read_latency = o.write_latency = std::array<u32, 4>{1, 5, 64, 200}[seed % 4];
  o.stall = std::array<u32, 3>{0, 64, 160}[seed / 4 % 3];
  return o;
}

void random_programs(const std::string& config, u32 programs, u32 phases, u32 commands) {
  for (u64 seed = 1; seed <= programs; ++seed) {
    CAPTURE(config);
    CAPTURE(seed);
    Cosim cosim(config.c_str(), options(seed));
    Programs make(cosim, seed);
    for (u32 p = 0; p < phases; ++p) make.phase(commands);
    cosim.b.halt();
    cosim.run();
    cosim.compare();
    CHECK(cosim.result.ok());
  }
}

void faulty_programs(const char* config, u32 programs) {
  for (u64 seed = 1; seed <= programs; ++seed) {
    CAPTURE(seed);
    Cosim cosim(config, options(seed));
    Programs make(cosim, seed);
    make.phase(10);
    make.faulty_phase(20);
    cosim.b.halt();
    cosim.run();
    cosim.compare();
    CHECK(cosim.result.fault.code != spec::Fault::none);
  }
}

// Stopped at a random cycle with everything in flight, the machine runs the same program right afterwards.
void aborted_programs(const char* config, u32 programs) {
  for (u64 seed = 1; seed <= programs; ++seed) {
    CAPTURE(seed);
    Cosim cosim(config, options(seed));
    Programs make(cosim, seed);
    for (u32 p = 0; p < 3; ++p) make.phase(25);
    cosim.b.halt();
    cosim.put_code();
    sim::launch(*cosim.rtl, cosim.setup);
    cosim.rtl->run_until_irq(1 + seed * 7919 % 9000);
    cosim.rtl->write_csr(spec::csr::control, 1);
    REQUIRE(cosim.rtl->run_until_irq(100'000));
    cosim.share();
    cosim.run();
    cosim.compare();
    CHECK(cosim.result.ok());
  }
}

// A dense layer by hand: weights and activations in, quantised product of a product out.
void layer(const char* config) {
  Cosim c(config, {.stall = 64, .seed = 9});
  const u32 cols = c.machine.config().cols, tile = 32 * cols;
  auto load = [&](spec::Space space, u32 da, u32 bytes) {
    c.b.load({.win = 0, .space = space, .da = c.r(da), .len = c.r(bytes), .n1 = c.r(1), .n2 = c.r(1)});
  };
  // Scales that keep everything finite: 2^-6 as bf16.
  for (u32 i = 0; i < 2048; i += 2) c.data()[0x8000 + i] = 0x80, c.data()[0x8001 + i] = 0x3C;
  c.share();
  load(spec::Space::wspm, 0, 4 * tile);
  load(spec::Space::wsc, 0x8000, 4 * 2 * cols);
  load(spec::Space::aspm, 0x4000, 8 * 64);
  load(spec::Space::asc, 0x8400, 32);
  c.b.signal(Engine::ld, 0);
  c.b.wait(Engine::mx, 0);
  c.b.mm({.wscale = spec::Wscale::bf16, .ascale = spec::Ascale::bf16, .wn = c.r(2 * tile), .wk = c.r(tile),
          .am = c.r(64), .om = c.r(2 * cols), .on = c.r(cols), .m = c.r(8), .kb = c.r(2), .nb = c.r(2)});
  c.b.signal(Engine::mx, 1);
  c.b.wait(Engine::ve, 1);
  c.b.vec({.op = spec::Vop::mul, .bmode = spec::Bmode::scalar, .func = spec::Vfunc::exp, .red = spec::Vred::sum,
           .wr = true, .dst = c.r(1024), .ds = c.r(2 * cols), .as = c.r(2 * cols), .b = c.r(0x3A000000),
           .r = c.r(2048), .rows = c.r(8), .cols = c.r(2 * cols)});
  c.b.qnt({.dst = c.r(2048), .ds = c.r(32), .a = c.r(1024), .as = c.r(2 * cols), .rows = c.r(8),
           .cols = c.r(std::min(32u, 2 * cols))});
  c.b.signal(Engine::ve, 2, 2);
  c.b.wait(Engine::st, 2, 2);
  c.b.store({.win = 1, .space = spec::Space::vmem, .da = c.r(0xA000), .ca = c.r(4096), .len = c.r(64 * cols),
             .n1 = c.r(1), .n2 = c.r(1)});
  c.b.store({.win = 1, .space = spec::Space::aspm, .da = c.r(0xF000), .ca = c.r(2048), .len = c.r(256), .n1 = c.r(1),
             .n2 = c.r(1)});
  c.b.halt();
  c.run();
  c.compare();
  CHECK(c.result.ok());
  CHECK(c.result[spec::Counter::macs] == 8 * 4 * u64(tile));
}

}  // namespace

TEST_CASE("a layer by hand: nano") { layer("nano"); }
TEST_CASE("a layer by hand: small") { layer("small"); }
TEST_CASE("a layer by hand: edge") { layer("edge"); }
TEST_CASE("random programs: nano") { random_programs("nano", 40, 5, 20); }
TEST_CASE("random programs: small") { random_programs("small", 40, 5, 20); }
TEST_CASE("random programs: edge") { random_programs("edge", 40, 5, 20); }
TEST_CASE("faults in the middle of work: nano") { faulty_programs("nano", 60); }
TEST_CASE("faults in the middle of work: edge") { faulty_programs("edge", 60); }
TEST_CASE("aborted and run again: nano") { aborted_programs("nano", 60); }
TEST_CASE("aborted and run again: edge") { aborted_programs("edge", 60); }
