// Packages: model and RTL agree bit by bit on random programs in which every die sends to every other, over links with latency, slow
// lanes and wrong bits, with random memory stalls.
#include "sim/rtl/package.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "error.hpp"
#include "runtime/builder.hpp"
#include "sim/model/package.hpp"

using namespace jogak;
using namespace jogak::rtl;
using model::u32;
using model::u64;
using model::u8;
using spec::Engine;
using spec::Space;

namespace {

constexpr u32 kCodeBytes = 1 << 15, kWindowBytes = 1 << 14;
constexpr u64 kBase = 0x40'0000;
constexpr std::array kSpaces = {Space::wspm, Space::wsc, Space::aspm, Space::asc, Space::vmem};
// Local semaphores: ve > st sources are made, st > ve they are sent, ve > st an inbox is read. Remote ones: from die j the data (32 + j),
// from die j the room (48 + j).
constexpr u32 kMade = 0, kSent = 1, kRead = 2, kData = 32, kRoom = 48;

// The package twice, with the same memories and programs.
class Both {
 public:
  Both(const PackageOptions& o, u64 seed) : config(*spec::find_config("nanoquad")), model(config, o.columns, o.rows, {.check = true}) {
    PackageOptions with = o;
    with.die.dram_base = kBase, with.die.dram_bytes = kCodeBytes + kWindowBytes;
    rtl = make_package("nanoquad", with);
    std::mt19937_64 random(seed);
    for (u32 d = 0; d < model.dies(); ++d) {
      model::Machine& m = model.die(d);
      m.randomize(seed + d);
      for (u32& word : m.memories().vmem) word = 0x3f000000u | (static_cast<u32>(random()) & 0x80ffffffu);
      dram.push_back(m.dram().allocate(kBase + kCodeBytes, kWindowBytes));
      for (u8& b : dram.back()) b = u8(random());
      for (const Space s : kSpaces) rtl->die(d).poke(s, 0, m.memories().bytes(s));
      std::ranges::copy(dram.back(), rtl->die(d).dram().begin() + kCodeBytes);
    }
  }

  void run(const std::vector<ProgramBuilder>& programs, u64 limit = 400'000) {
    const u32 columns = model.columns();
    std::vector<model::Launch> launches;
    for (u32 d = 0; d < model.dies(); ++d) {
      model::Launch l{.code = programs[d].code()};
      sim::LaunchSetup setup{.code = kBase, .code_len = u32(programs[d].code().size())};
      l.windows[0] = {kBase + kCodeBytes, kWindowBytes, true, true};
      for (u32 j = 0; j < model.dies(); ++j) l.windows[1 + j] = {model::remote_base(j % columns, j / columns), model::kRemoteWindowBytes, false, true};
      if (extra.size != 0) l.windows[7] = extra;
      for (u32 w = 0; w < l.windows.size(); ++w) setup.windows[w] = {l.windows[w].base, l.windows[w].size, l.windows[w].readable, l.windows[w].writable};
      launches.push_back(l);
      REQUIRE(l.code.size() * sizeof(spec::Insn) <= kCodeBytes);
      std::memcpy(rtl->die(d).dram().data(), l.code.data(), l.code.size() * sizeof(spec::Insn));
      sim::launch(rtl->die(d), setup);
    }
    expected = model.launch(launches);
    if (!rtl->run_until_done(limit)) throw Error("package test", "cycles", "some dies still running after " + std::to_string(limit), "all done");
    for (u32 d = 0; d < model.dies(); ++d) found.push_back(sim::collect(rtl->die(d)));
    for (u32 d = 0; d < model.dies(); ++d)
      for (const std::string& v : model.die(d).violations()) FAIL_CHECK("die " << d << ": " << v);
  }

  void compare() {
    for (u32 d = 0; d < model.dies(); ++d) {
      CAPTURE(d);
      CHECK(found[d].fault.code == expected[d].fault.code);
      CHECK(found[d].fault.pc == expected[d].fault.pc);
      if (expected[d].fault.code != spec::Fault::none) CHECK(found[d].fault.address == expected[d].fault.address);
      for (const spec::CounterInfo& c : spec::counters) {
        CAPTURE(c.name);
        if (c.exact) CHECK(found[d].counters[c.index] == expected[d].counters.values[c.index]);
      }
      for (const Space s : kSpaces) {
        const auto want = model.die(d).memories().bytes(s);
        std::vector<u8> got(want.size());
        rtl->die(d).peek(s, 0, got);
        const auto at = std::ranges::mismatch(got, want).in1 - got.begin();
        CAPTURE(static_cast<int>(s));
        CHECK(at == static_cast<long>(want.size()));
      }
      CHECK(std::ranges::equal(rtl->die(d).dram().subspan(kCodeBytes, kWindowBytes), dram[d]));
    }
  }

  const spec::Config& config;
  model::Package model;
  std::unique_ptr<PackageSimulator> rtl;
  std::vector<std::span<u8>> dram;
  std::vector<model::Result> expected;
  std::vector<sim::RunResult> found;
  model::Window extra;  // window 7
};

// Writes programs in which each die, round by round, makes new values, sends boxes of them to others and adds up what came.
class Exchange {
 public:
  Exchange(const spec::Config& config, u32 dies, u64 seed) : config_(config), dies_(dies), random_(seed), programs_(dies) {}

  std::vector<ProgramBuilder> make(u32 rounds) {
    for (u32 r = 0; r < rounds; ++r) {
      // Who sends what to whom is known to both.
      std::vector<std::vector<Message>> messages(dies_);
      for (u32 from = 0; from < dies_; ++from)
        for (u32 to = 0; to < dies_; ++to)
          if (random_() % 4 != 0) messages[from].push_back(message(to));
      for (u32 d = 0; d < dies_; ++d) round(d, r, messages);
    }
    for (ProgramBuilder& b : programs_) b.halt();
    return std::move(programs_);
  }

 private:
  struct Message {
    u32 to, space, at, chip, len, n1, ds1, cs1;
  };
  static constexpr u32 kVmemInbox = 16 << 10, kAspmInbox = 16 << 10, kInboxBytes = 2048;  // an inbox a source, in both memories
  static constexpr u32 kResult = 48 << 10, kQuiet = 56 << 10;  // kQuiet: a word that nothing writes

  u32 below(u32 n) { return static_cast<u32>(random_() % n); }
  u8 r(u32 value) {
    if (value == 0) return 0;
    b_->li(++used_, value);
    return u8(used_);
  }

  // A box of the first 8 KB of a memory (rows of it for scales) into the sender's inbox.
  Message message(u32 to) {
    Message m{.to = to, .space = std::array{2u, 3u, 4u}[below(3)], .at = 0, .chip = 0, .len = 0, .n1 = 1 + below(4), .ds1 = 0, .cs1 = 0};
    const u32 granule = m.space == 4 ? 4 : 2, inbox = m.space == 3 ? kInboxBytes / 16 : kInboxBytes;
    const u32 room = inbox / m.n1 / granule;
    m.len = granule * (1 + below(std::min(room, m.space == 3 ? 16u : 200u)));
    m.ds1 = granule * (m.len / granule + below(room - m.len / granule + 1));
    m.cs1 = granule * below(64);
    m.at = granule * below((inbox - (m.n1 - 1) * m.ds1 - m.len) / granule + 1);
    m.chip = granule * below(64);
    return m;
  }
  u32 inbox(u32 space, u32 from) const { return space == 3 ? (kAspmInbox + from * kInboxBytes) / 16 : (space == 2 ? kAspmInbox : kVmemInbox) + from * kInboxBytes; }

  void push(u32 win, u32 offset, const Message& m) {
    used_ = 16;
    spec::Store s{};
    s.win = u8(win), s.space = static_cast<Space>(m.space);
    s.da = r(offset), s.ca = r(m.chip), s.len = r(m.len), s.n1 = r(m.n1), s.ds1 = r(m.ds1), s.cs1 = r(m.cs1), s.n2 = r(1);
    b_->store(s);
  }
  // n to semaphore s of the die behind the window.
  void tell(u32 win, u32 s, u32 n) { push(win, model::remote_signal_offset(s, n), {.to = 0, .space = 4, .at = 0, .chip = kQuiet, .len = 4, .n1 = 1, .ds1 = 0, .cs1 = 0}); }

  void vec(spec::Vop op, u32 dst, u32 a, u32 b, u32 rows) {
    used_ = 16;
    const u32 cols = config_.cols;
    spec::Vec v{};
    v.op = op, v.wr = true, v.dst = r(dst), v.ds = r(cols), v.a = r(a), v.as = r(cols), v.b = r(b), v.bs = r(cols), v.s = r(0x3f400000), v.rows = r(rows), v.cols = r(cols);
    b_->vec(v);
  }

  void round(u32 d, u32 number, const std::vector<std::vector<Message>>& messages) {
    b_ = &programs_[d];
    // New values at the begin of vector memory and of the activations.
    if (number > 0) b_->wait(Engine::ve, kSent);
    vec(spec::Vop::mad, below(32) * config_.cols, kResult / 4, (100 + below(100)) * config_.cols, 60);
    used_ = 16;
    spec::Qnt q{};
    q.a = r(8 * config_.cols), q.as = r(32), q.rows = r(8), q.cols = r(32), q.ds = r(32);
    b_->qnt(q);
    b_->signal(Engine::ve, kMade);
    b_->wait(Engine::st, kMade);
    for (const Message& m : messages[d]) {
      if (credit(d, m.to)) b_->wait(Engine::st, kRoom + m.to);
      push(1 + m.to, m.space << spec::limit::remote_region_bit | (inbox(m.space, d) + m.at), m);
      tell(1 + m.to, kData + d, 1 + m.to);
    }
    b_->signal(Engine::st, kSent);
    // What came: vector memory's inbox into the result; room again for the sender.
    for (u32 from = 0; from < dies_; ++from) {
      const auto& sent = messages[from];
      if (std::ranges::none_of(sent, [&](const Message& m) { return m.to == d; })) continue;
      b_->wait(Engine::ve, kData + from, 1 + d);
      vec(spec::Vop::mad, kResult / 4, kResult / 4, inbox(4, from) / 4, kInboxBytes / 4 / config_.cols);
      b_->signal(Engine::ve, kRead);
      b_->wait(Engine::st, kRead);
      tell(1 + from, kRoom + d, 1);
    }
  }
  // Has `from` sent to `to` before? Then it needs the room.
  bool credit(u32 from, u32 to) {
    const bool before = sent_[from * 16 + to];
    sent_[from * 16 + to] = true;
    return before;
  }

  const spec::Config& config_;
  u32 dies_;
  std::mt19937_64 random_;
  std::vector<ProgramBuilder> programs_;
  ProgramBuilder* b_ = nullptr;
  u32 used_ = 16;
  std::array<bool, 256> sent_{};
};

void exchange(const PackageOptions& options, u64 seed, u32 rounds) {
  CAPTURE(seed);
  Both both(options, seed);
  both.run(Exchange(both.config, both.model.dies(), seed).make(rounds));
  for (const auto& e : both.expected) REQUIRE(e.ok());
  both.compare();
}

}  // namespace

TEST_CASE("package: random exchanges of 1, 2 and 4 dies, model and RTL") {
  for (u64 seed = 1; seed <= 12; ++seed) {
    constexpr std::array<std::array<u32, 2>, 4> kMeshes = {{{2, 2}, {2, 1}, {1, 2}, {1, 1}}};
    const auto [columns, rows] = kMeshes[seed % 4];
    PackageOptions o;
    o.columns = columns, o.rows = rows;
    o.link = {seed % 3 == 0 ? 4.0 : 34.0, seed * 900, seed % 4 == 0 ? 1e-5 : 0, seed};
    o.die.seed = seed, o.die.stall = seed % 2 ? 0 : 60;
    exchange(o, seed, 6);
  }
}

TEST_CASE("package: links that train again in the middle of a run lose nothing") {
  PackageOptions o;
  o.link = {17, 2000, 1e-5, 3};
  Both both(o, 5);
  // Lanes of two links break while the dies wait at the start; they go on with half of them.
  both.rtl->channel(0, 0).break_lanes(true, false);
  both.rtl->channel(3, 3).break_lanes(false, true);
  both.run(Exchange(both.config, 4, 5).make(8));
  for (const auto& e : both.expected) REQUIRE(e.ok());
  both.compare();
}

TEST_CASE("package: stores to no chiplet or memory are bus errors, at the right address") {
  struct Bad { u64 base; u32 offset; u32 len; };
  const u32 vmem = u32(Space::vmem) << spec::limit::remote_region_bit, aspm = u32(Space::aspm) << spec::limit::remote_region_bit;
  for (const Bad& bad : {Bad{model::remote_base(2, 0), vmem, 64}, {model::remote_base(0, 1), vmem, 64}, {model::remote_base(1, 0), 0, 64},
                         {model::remote_base(1, 0), vmem + 65536 - 32, 64}, {model::remote_base(1, 0), vmem + 2, 64}, {model::remote_base(1, 0), aspm + 65535 - 61, 64},
                         {model::remote_base(1, 0), model::remote_signal_offset(33, 0), 4}, {model::remote_base(1, 0), model::remote_signal_offset(33, 1) + 8, 4}}) {
    CAPTURE(bad.base);
    CAPTURE(bad.offset);
    PackageOptions o;
    o.columns = 2, o.rows = 1;
    Both both(o, 9);
    std::vector<ProgramBuilder> programs(2);
    ProgramBuilder& b = programs[0];
    b.li(20, bad.offset), b.li(21, bad.len), b.li(22, 1);
    spec::Store s{};
    s.win = 7, s.space = Space::vmem, s.da = 20, s.len = 21, s.n1 = s.n2 = 22;
    b.store(s);
    b.signal(Engine::st, 0), b.wait(Engine::seq, 0);
    for (ProgramBuilder& p : programs) p.halt();
    both.extra = {bad.base, model::kRemoteWindowBytes, false, true};
    both.run(programs);
    CHECK(both.expected[0].fault.code == spec::Fault::bus);
    for (u32 d = 0; d < 2; ++d) CHECK(both.found[d].fault.code == both.expected[d].fault.code);
    CHECK(both.found[0].fault.address == both.expected[0].fault.address);
  }
}

TEST_CASE("package: local signals never reach remote semaphores; a die that waits in vain is named and can be aborted") {
  PackageOptions o;
  o.columns = 2, o.rows = 1;
  {
    Both both(o, 3);
    std::vector<ProgramBuilder> programs(2);
    programs[0].emit(spec::Signal{Engine::st, 40, 1});
    for (ProgramBuilder& p : programs) p.halt();
    both.run(programs);
    CHECK(both.expected[0].fault.code == spec::Fault::semaphore);
    both.compare();
  }
  Both both(o, 4);
  std::vector<ProgramBuilder> programs(2);
  programs[1].wait(Engine::mx, 40, 3);
  for (ProgramBuilder& p : programs) p.halt();
  std::vector<model::Launch> launches = {{.code = programs[0].code()}, {.code = programs[1].code()}};
  const auto expected = both.model.launch(launches);
  CHECK(expected[0].ok());
  CHECK(expected[1].fault == model::FaultRecord{spec::Fault::timeout, 0, Engine::mx, 40});
  CHECK_THROWS_AS(both.run(programs, 5000), const Error&);
  both.rtl->die(1).write_csr(spec::csr::control, 1);
  CHECK(both.rtl->run_until_done(5000));
  CHECK(sim::collect(both.rtl->die(1)).aborted);
}
