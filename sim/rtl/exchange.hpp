// Random programs for a package: every die sends boxes of its memories to others and signals behind them, round by round.
#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "runtime/builder.hpp"
#include "sim/model/package.hpp"

namespace jogak::rtl {

using model::u32;
using model::u64;
using model::u8;
using spec::Engine;
using spec::Space;

constexpr u32 kCodeBytes = 1 << 15, kWindowBytes = 1 << 14;
constexpr u64 kBase = 0x40'0000;
inline constexpr std::array kSpaces = {Space::wspm, Space::wsc, Space::aspm, Space::asc, Space::vmem};
// Local semaphores: ve > st sources are made, st > ve they are sent, ve > st an inbox is read. Remote ones: from die j the data (32 + j),
// from die j the room (48 + j).
constexpr u32 kMade = 0, kSent = 1, kRead = 2, kData = 32, kRoom = 48;

// Writes programs in which each die, round by round, makes new values, sends boxes of them to others and adds up what came.
class Exchange {
 public:
  // busy: beside that, dies load and multiply, so that what arrives meets other traffic.
  Exchange(const spec::Config& config, u32 dies, u64 seed, bool busy = false) : config_(config), dies_(dies), busy_(busy), random_(seed), programs_(dies) {}

  std::vector<ProgramBuilder> make(u32 rounds) {
    for (u32 r = 0; r < rounds; ++r) {
      // Who sends what to whom is known to both.
      std::vector<std::vector<Message>> messages(dies_);
      for (u32 from = 0; from < dies_; ++from)
        for (u32 to = 0; to < dies_; ++to)
          if (random_() % 4 != 0) messages[from].push_back(message(to));
      for (u32 d = 0; d < dies_; ++d) round(d, r, messages);
    }
    // A die ends when all that was sent to it is there.
    for (u32 d = 0; d < dies_; ++d) {
      for (u32 to = 0; to < dies_; ++to)
        if (sent_[d * 16 + to]) programs_[d].wait(Engine::st, kRoom + to);
      programs_[d].halt();
    }
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
    if (busy_) work();
    // New values at the begin of vector memory and of the activations.
    if (number > 0) b_->wait(Engine::ve, kSent);
    const u32 row = config_.cols, source = 8 * (100 + below(100)), at = 8 * below(32);  // words; both end before the inboxes
    vec(spec::Vop::mad, at / row * row, kResult / 4, source / row * row, 480 / row);
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
  // Loads and a product that nobody waits for, in parts of the memories that nothing else uses.
  void work() {
    for (u32 n = 1 + below(4); n > 0; --n) {
      const u32 space = std::array{0u, 2u, 3u, 4u}[below(4)], room = space == 3 ? 512 : 8192;
      used_ = 16;
      spec::Load l{};
      l.win = 0, l.space = static_cast<Space>(space);
      const u32 n1 = 1 + below(4), len = 4 * (1 + below(room / n1 / 4)), at = space == 3 ? 2048 : 32 << 10;
      l.da = r(4 * below(512)), l.ca = r(at), l.len = r(len), l.n1 = r(n1), l.ds1 = r(4 * below(512)), l.cs1 = r(len), l.n2 = r(1);
      b_->load(l);
    }
    if (below(2) == 0) return;
    used_ = 16;
    const u32 cols = config_.cols;
    spec::Mm m{};
    m.a = r(48 << 10), m.am = r(256), m.wk = r(32 * cols), m.o = r(40 << 8), m.om = r(cols), m.m = r(1 + below(64)), m.kb = r(1 + below(8)), m.nb = r(1);
    b_->mm(m);
  }
  // Has `from` sent to `to` before? Then it needs the room.
  bool credit(u32 from, u32 to) {
    const bool before = sent_[from * 16 + to];
    sent_[from * 16 + to] = true;
    return before;
  }

  const spec::Config& config_;
  u32 dies_;
  bool busy_;
  std::mt19937_64 random_;
  std::vector<ProgramBuilder> programs_;
  ProgramBuilder* b_ = nullptr;
  u32 used_ = 16;
  std::array<bool, 256> sent_{};
};

}  // namespace jogak::rtl
