// What dies of a package do in a tensor-parallel layer, in short: round by round each one loads weights, multiplies, sends its share of the
// result to all others and adds up theirs, all engines and links at once.
#pragma once

#include <vector>

#include "runtime/builder.hpp"
#include "sim/model/package.hpp"

namespace jogak::bench {

class PackageRounds {
 public:
  using u32 = std::uint32_t;
  using u64 = std::uint64_t;
  static constexpr u64 kBase = 0x100'0000, kWeightBytes = 1 << 20;

  // values: a package of `edge`'s sizes or larger. Gives it its weights' memory.
  PackageRounds(model::Package& values, u32 rounds) : dies_(values.dies()), cols_(values.die(0).config().cols) {
    for (u32 d = 0; d < dies_; ++d) {
      values.die(d).dram().allocate(kBase, kWeightBytes);
      programs_.push_back(program(d, rounds));
    }
    for (u32 d = 0; d < dies_; ++d) {
      model::Launch l{.code = programs_[d].code()};
      l.windows[0] = {kBase, kWeightBytes, true, true};
      for (u32 j = 0; j < dies_; ++j) l.windows[1 + j] = {model::remote_base(j % values.columns(), j / values.columns()), model::kRemoteWindowBytes, false, true};
      launches_.push_back(l);
    }
  }
  const std::vector<model::Launch>& launches() const { return launches_; }

 private:
  // Semaphores. Local: weights free and there, product free and there, share free and there, inboxes read. Remote, of die j: data, room.
  static constexpr u32 kFree = 0, kLoaded = 1, kOut = 2, kProduct = 3, kSent = 4, kShare = 5, kRead = 6, kData = 32, kRoom = 48;
  static constexpr u32 kRows = 64, kTilesK = 8, kTilesN = 4;
  // Vector memory, bytes: product, share, sum, inboxes (two a die), a quiet word.
  static constexpr u32 kShareAt = 32 << 10, kSumAt = 40 << 10, kInboxAt = 48 << 10, kQuietAt = 112 << 10;

  u32 share_bytes() const { return kRows * cols_ * 4; }
  std::uint8_t r(u32 value) {
    if (value == 0) return 0;
    b_.li(++used_, value);
    return static_cast<std::uint8_t>(used_);
  }
  void send(u32 to, u32 offset, u32 from, u32 bytes) {
    used_ = 20;
    spec::Store s{};
    s.win = static_cast<std::uint8_t>(1 + to), s.space = spec::Space::vmem;
    s.da = r(offset), s.ca = r(from), s.len = r(bytes), s.n1 = s.n2 = r(1);
    b_.store(s);
  }
  void tell(u32 to, u32 semaphore) { send(to, model::remote_signal_offset(semaphore, 1), kQuietAt, 4); }
  void vec(u32 dst, u32 a, u32 b) {
    used_ = 20;
    b_.vec({.op = spec::Vop::mad, .wr = true, .dst = r(dst / 4), .ds = r(cols_), .a = r(a / 4), .as = r(cols_), .b = r(b / 4), .bs = r(cols_), .s = r(0x3e800000), .rows = r(kRows), .cols = r(cols_)});
  }

  void round(u32 d, u32 half) {
    using spec::Engine;
    const u32 tile = 32 * cols_, weights = tile * kTilesK * kTilesN;
    used_ = 20;
    b_.wait(Engine::ld, kFree);
    b_.load({.space = spec::Space::wspm, .ca = r(half * weights), .len = r(weights), .n1 = r(1), .n2 = r(1)});
    b_.signal(Engine::ld, kLoaded);
    b_.wait(Engine::mx, kLoaded), b_.wait(Engine::mx, kOut);
    used_ = 20;
    b_.mm({.w = r(half * weights), .wn = r(tile * kTilesK), .wk = r(tile), .am = r(32 * kTilesK), .om = r(cols_ * kTilesN), .on = r(cols_), .m = r(kRows), .kb = r(kTilesK), .nb = r(kTilesN)});
    b_.signal(Engine::mx, kFree), b_.signal(Engine::mx, kProduct);
    b_.wait(Engine::ve, kProduct), b_.wait(Engine::ve, kSent);
    vec(kShareAt, 0, 0);
    b_.signal(Engine::ve, kShare), b_.signal(Engine::ve, kOut);
    b_.wait(Engine::st, kShare);
    for (u32 j = 0; j < dies_; ++j) {
      if (j == d) continue;
      b_.wait(Engine::st, kRoom + j);
      send(j, model::remote_offset(spec::Space::vmem, kInboxAt + (2 * d + half) * share_bytes()), kShareAt, share_bytes());
      tell(j, kData + d);
    }
    b_.signal(Engine::st, kSent);
    for (u32 j = 0; j < dies_; ++j) {
      if (j == d) continue;
      b_.wait(Engine::ve, kData + j);
      vec(kSumAt, kInboxAt + (2 * j + half) * share_bytes(), kSumAt);
    }
    b_.signal(Engine::ve, kRead);
    b_.wait(Engine::st, kRead);
    for (u32 j = 0; j < dies_; ++j)
      if (j != d) tell(j, kRoom + d);
  }

  ProgramBuilder program(u32 d, u32 rounds) {
    b_ = {};
    for (int i = 0; i < 2; ++i)
      for (u32 j = 0; j < dies_; ++j)
        if (j != d) tell(j, kRoom + d);
    b_.signal(spec::Engine::seq, kFree, 2), b_.signal(spec::Engine::seq, kOut), b_.signal(spec::Engine::seq, kSent);
    b_.li(1, rounds / 2);
    b_.loop(1, [&] { round(d, 0), round(d, 1); });
    b_.halt();
    return std::move(b_);
  }

  u32 dies_, cols_, used_ = 20;
  ProgramBuilder b_;
  std::vector<ProgramBuilder> programs_;
  std::vector<model::Launch> launches_;
};

}  // namespace jogak::bench
