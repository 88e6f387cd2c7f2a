// A launch writes its rows before it reads, so what they push out must have left every window: the first row's oldest key is `window` - 1
// before it. What a chunk on the ring holds beside the keys asked for is older or newer than these, and hidden by window and position as
// unwritten keys are: the bits are those of a cache that keeps all.
#include "ring_cache.hpp"

#include <bit>

#include "lowering.hpp"

namespace jogak::schedule {
namespace {

bool divides(const RingCache& r, std::uint64_t chunks, std::uint64_t most) {
  for (std::uint64_t i = 0; i <= most; ++i)
    if (i * r.multiplier > 0xffffffffu || (i * r.multiplier) >> r.shift != i / chunks) return false;
  return true;
}

}  // namespace

RingCache ring_cache(const Plan& p) {
  if (p.window == 0 || p.chunk == 0 || p.paged()) return {};
  for (int tokens = round_up(p.window + p.rows - 1, p.chunk); tokens < p.context; tokens += p.chunk) {
    const auto chunks = static_cast<std::uint64_t>(tokens / p.chunk);
    for (std::uint32_t shift = 0; shift < 32; ++shift) {
      const RingCache r{tokens, static_cast<std::uint32_t>(((std::uint64_t{1} << shift) + chunks - 1) / chunks), shift};
      if (divides(r, chunks, static_cast<std::uint64_t>(p.context / p.chunk))) return r;
    }
  }
  return {};
}

// Layers of both kinds share their code.
void Lowering::choose_ring() {
  if (!p_.ring_varies()) return;
  const Reg less = e_.temporary();
  e_.alui(AluFn::and_, less, window_, 1);
  e_.alui(AluFn::mul, less, less, u32(p_.ring.tokens - p_.context));
  e_.alui(AluFn::add, ring_, less, u32(p_.context));
}

Lowering::Reg Lowering::cache(long long bytes) { return p_.ring_varies() ? times(ring_, bytes) : k(bytes * p_.tokens_of(0)); }

void Lowering::advance_cache(Reg r, long long bytes) {
  if (!p_.ring_varies()) return advance(r, bytes * p_.tokens_of(0));
  if (bytes != 0) e_.alu(AluFn::add, r, r, cache(bytes));
}

void Lowering::scale_cache(Reg r, Reg by, long long bytes) {
  if (p_.ring_varies()) e_.alu(AluFn::mul, r, by, cache(bytes));
  else e_.alui(AluFn::mul, r, by, u32(bytes * p_.tokens_of(0)));
}

void Lowering::slot_of(Reg token, Reg slot) {
  const Reg turns = e_.temporary();
  e_.alui(AluFn::shr, turns, token, u32(std::countr_zero(static_cast<unsigned>(p_.chunk))));
  e_.alui(AluFn::mul, turns, turns, p_.ring.multiplier);
  e_.alui(AluFn::shr, turns, turns, p_.ring.shift);
  e_.alui(AluFn::mul, turns, turns, u32(p_.ring.tokens));
  if (p_.ring_varies()) {
    const Reg slides = e_.temporary();
    e_.alui(AluFn::and_, slides, window_, 1);
    e_.alu(AluFn::mul, turns, turns, slides);
  }
  e_.alu(AluFn::sub, slot, token, turns);
}

// What chunks of attention need is free while K and V are made: the slot of the first row, and how many rows lie before the ring's end.
void Lowering::begin_append() {
  if (p_.ring.tokens == 0) return;
  slot_of(pos_, chunk_keys_);
  const Reg left = e_.temporary();
  e_.alu(AluFn::sub, left, cache(1), chunk_keys_);
  e_.alu(AluFn::minu, seeing_, m_, left);
}

void Lowering::append(Reg to, Reg from, RowBytes bytes, const std::function<void(Reg, Reg, Reg)>& store) {
  if (p_.ring.tokens == 0) return store(to, from, m_);
  store(to, from, seeing_);
  const Reg before = times(chunk_keys_, bytes.dram), taken = times(seeing_, bytes.chip);
  e_.alu(AluFn::sub, base_, to, before);
  e_.alu(AluFn::add, o_, from, taken);
  e_.alu(AluFn::sub, p5_, m_, seeing_);
  store(base_, o_, p5_);
}

}  // namespace jogak::schedule
