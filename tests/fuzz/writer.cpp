#include "writer.hpp"

#include <algorithm>
#include <utility>

#include "error.hpp"
#include "sim/model/control.hpp"

namespace jogak::fuzz {

using spec::AluFn;

namespace {

constexpr u32 kPinned = 16;  // registers kept for advancing values
constexpr u32 kFunctions = 11;
constexpr u32 kIndexWords = kPoolWords / 2;  // the first half of the pool holds index lists

}  // namespace

Writer::Writer(Case& target, Random& random) : case_(target), random_(random) {
  known_.fill(0);  // as a launch leaves them
  for (u32 i = 0; i < case_.args.size(); ++i) known_[i + 1] = case_.args[i];
  for (u32 r = 1; r < spec::limit::registers; ++r) temporary_.push_back(u8(r));
  for (std::size_t i = temporary_.size(); i > 1; --i) std::swap(temporary_[i - 1], temporary_[random_.below(i)]);
  pinned_.assign(temporary_.end() - kPinned, temporary_.end());
  temporary_.resize(temporary_.size() - kPinned);
  for (const u8 r : pinned_) known_[r].reset();
}

u8 Writer::fresh() {
  next_ = (next_ + 1) % temporary_.size();
  return temporary_[next_];
}

void Writer::forget() {
  for (u32 r = 1; r < known_.size(); ++r) known_[r].reset();
}

u8 Writer::known() {
  for (int tries = 0; tries < 8; ++tries) {
    const u8 r = any_register();
    if (known_[r]) return r;
  }
  return 0;
}

u8 Writer::reg(Val v) {
  if (v.advances()) return advancing(v);
  if (!random_.one_in(3)) {
    for (int tries = 0; tries < 64; ++tries) {
      const u8 r = any_register();
      if (known_[r] == v.value) return r;
    }
  }
  const u8 rd = fresh();
  compute(rd, v.value);
  return rd;
}

u8 Writer::advancing(Val v) {
  Loop& loop = loops_[std::size_t(v.level)];
  const u8 r = pinned_.back();
  pinned_.pop_back();
  loop.pinned.push_back(r);
  loop.before.push_back({.insn = spec::encode(spec::Alui{AluFn::add, r, 0, v.value}), .unit = unit_});
  if (v.step == 0) return r;
  const bool down = random_.one_in(2);
  const spec::Alui step{down ? AluFn::sub : AluFn::add, r, r, down ? 0 - v.step : v.step};
  loop.after.push_back({.insn = spec::encode(step), .unit = unit_});
  return r;
}

// rd := value, by an immediate, from the pool, or by some computation that is corrected at the end.
void Writer::compute(u8 rd, u32 value) {
  if (random_.one_in(12)) {
    const u32 word = pool_word(value);
    if (word != ~0u) {
      const u8 at = fresh();
      line(spec::Alui{AluFn::add, at, 0, word});
      set(at, word);
      if (at != rd) {
        line(spec::Lds{rd, at});
        set(rd, value);
        return;
      }
    }
  }
  if (random_.one_in(30)) line(spec::Alui{AluFn::add, 0, rd, random_.word()});  // r0 keeps its 0
  if (random_.one_in(3)) {
    line(spec::Alui{random_.one_in(2) ? AluFn::add : AluFn::or_, rd, 0, value});
    set(rd, value);
    return;
  }
  const u8 ra = known(), rb = known(), mid = fresh();
  const auto fn = static_cast<AluFn>(random_.below(kFunctions));
  const bool immediate = random_.one_in(2);
  // Operands that make comparisons and shifts interesting.
  const u32 a = *known_[ra];
  const u32 imm = random_.one_in(3) ? a + random_.below(3) - 1 : random_.one_in(2) ? random_.below(40) : random_.word();
  const u32 b = immediate ? imm : *known_[rb];
  if (immediate) line(spec::Alui{fn, mid, ra, imm});
  else line(spec::Alu{fn, mid, ra, rb});
  const u32 got = model::compute(fn, a, b);
  set(mid, got);
  if (random_.one_in(2)) line(spec::Alui{AluFn::add, rd, mid, value - got});
  else line(spec::Alui{AluFn::sub, rd, mid, got - value});
  set(rd, value);
}

u8 Writer::loaded(u32 word_address) {
  const u8 at = reg(word_address), rd = fresh();
  line(spec::Lds{rd, at});
  known_[rd].reset();
  return rd;
}

u32 Writer::pool_word(u32 value) {
  for (const Patch& p : case_.pool) {
    if (p.word >= kIndexWords && p.value == value) return p.word;
  }
  const auto used = std::ranges::count_if(case_.pool, [](const Patch& p) { return p.word >= kIndexWords; });
  if (u32(used) + kIndexWords >= kPoolWords) return ~0u;
  case_.pool.push_back({kIndexWords + u32(used), value});
  return case_.pool.back().word;
}

void Writer::open_loop(u32 rounds) {
  const u8 counter = reg(rounds);
  loops_.push_back(
      {.rounds = rounds, .unit = unit_, .counter = counter, .before = {}, .body = {}, .after = {}, .pinned = {}});
  forget();
}

void Writer::close_loop() {
  Loop loop = std::move(loops_.back());
  loops_.pop_back();
  std::vector<Item>& out = lines();
  std::ranges::copy(loop.before, std::back_inserter(out));
  out.push_back({.kind = Item::Kind::loop, .insn = spec::encode(spec::Loop{loop.counter, 0}), .unit = loop.unit});
  std::ranges::copy(loop.body, std::back_inserter(out));
  std::ranges::copy(loop.after, std::back_inserter(out));
  out.push_back({.kind = Item::Kind::end, .unit = loop.unit});
  pinned_.insert(pinned_.end(), loop.pinned.begin(), loop.pinned.end());
  forget();
}

}  // namespace jogak::fuzz
