#include "circuit.hpp"

#include <algorithm>
#include <string>

#include "error.hpp"

namespace jogak::netlist {
namespace {

constexpr u32 kWordMask = (1u << 18) - 1;

}  // namespace

Circuit::Circuit() : value_{0, 1} {}

Net Circuit::net() {
  value_.push_back(0);
  return static_cast<Net>(value_.size() - 1);
}

u32 Circuit::add(const Table& t) {
  tables_.push_back(t);
  return static_cast<u32>(tables_.size() - 1);
}

std::vector<Circuit::Sink> Circuit::sinks() const {
  std::vector<Sink> found;
  u32 element = 0;
  const auto all = [&](const auto& nets) {
    for (const Net n : nets)
      if (n > kOne) found.push_back({n, element});
  };
  const auto some = [&](std::initializer_list<Net> nets) { all(nets); };
  for (const Table& t : tables_) all(t.in), ++element;
  for (const Multiplier& m : multipliers_) all(m.a), all(m.b), some({m.signed_a, m.signed_b}), ++element;
  for (const u32 f : asyncs_) some({flip_flops_[f].set}), ++element;
  for (const FlipFlop& f : flip_flops_) some({f.data, f.enable, f.set}), ++element;
  for (const BitRam& r : bit_rams_) all(r.address), some({r.data, r.enable}), ++element;
  for (const WordRam& r : word_rams_) {
    for (const auto& p : r.ports) all(p.address), all(p.in), some({p.enable, p.write, p.reset});
    ++element;
  }
  return found;
}

void Circuit::finish() {
  for (u32 f = 0; f < flip_flops_.size(); ++f)
    if (flip_flops_[f].asynchronous) asyncs_.push_back(f);
  const std::vector<Sink> all = sinks();
  first_sink_.assign(value_.size() + 1, 0);
  for (const Sink& s : all) ++first_sink_[s.net + 1];
  for (std::size_t n = 0; n < value_.size(); ++n) first_sink_[n + 1] += first_sink_[n];
  sink_.resize(all.size());
  std::vector<u32> at(first_sink_.begin(), first_sink_.end() - 1);
  for (const Sink& s : all) sink_[at[s.net]++] = s.element;
  order(all);
  for (const FlipFlop& f : flip_flops_) value_[f.out] = f.value;
  for (u32 e = 0; e < queued_.size(); ++e) touch(e);
}

// Levels by Kahn's algorithm over tables, multipliers and asynchronous sets; all else waits for the edge.
void Circuit::order(const std::vector<Sink>& sinks) {
  const u32 count = edge_base(), total = count + static_cast<u32>(flip_flops_.size() + bit_rams_.size() + word_rams_.size());
  constexpr u32 kNobody = ~0u;
  std::vector<u32> driver(value_.size(), kNobody), waits(count, 0), ready;
  const auto drives = [&](Net n, u32 element) {
    if (driver[n] != kNobody || n <= kOne)
      throw Error("netlist", "drivers of net " + std::to_string(n), "two", "one");
    driver[n] = element;
  };
  u32 element = 0;
  for (const Table& t : tables_) drives(t.out, element++);
  for (const Multiplier& m : multipliers_) {
    for (const Net n : m.product) drives(n, element);
    ++element;
  }
  for (const u32 f : asyncs_) drives(flip_flops_[f].out, element++);
  for (const FlipFlop& f : flip_flops_)
    if (!f.asynchronous) drives(f.out, count);
  for (const WordRam& r : word_rams_)
    for (const auto& p : r.ports)
      for (const Net n : p.out)
        if (n != kZero) drives(n, count);
  level_.assign(total, 0);
  for (const Sink& s : sinks)
    if (s.element < count && driver[s.net] < count) ++waits[s.element];
  for (u32 e = 0; e < count; ++e)
    if (waits[e] == 0) ready.push_back(e);
  const auto pass = [&](Net n, u32 from) {
    for (u32 i = first_sink_[n]; i < first_sink_[n + 1]; ++i) {
      const u32 to = sink_[i];
      if (to >= count) continue;
      level_[to] = std::max(level_[to], level_[from] + 1);
      if (--waits[to] == 0) ready.push_back(to);
    }
  };
  for (std::size_t i = 0; i < ready.size(); ++i) {
    const u32 e = ready[i];
    if (e < tables_.size()) {
      pass(tables_[e].out, e);
    } else if (e < async_base()) {
      for (const Net n : multipliers_[e - tables_.size()].product) pass(n, e);
    } else {
      pass(flip_flops_[asyncs_[e - async_base()]].out, e);
    }
  }
  if (ready.size() != count)
    throw Error("netlist", "logic", std::to_string(count - ready.size()) + " cells in or behind a loop", "none");
  const u32 last = count == 0 ? 0 : *std::max_element(level_.begin(), level_.begin() + count) + 1;
  std::fill(level_.begin() + count, level_.end(), last);
  due_.resize(last + 1);
  queued_.assign(total, 0);
}

void Circuit::settle() {
  for (std::size_t level = 0; level + 1 < due_.size(); ++level) {
    auto& due = due_[level];
    for (const u32 e : due) {  // what it touches is in later levels
      queued_[e] = 0;
      evaluate(e);
    }
    evaluations_ += due.size();
    due.clear();
  }
}

void Circuit::evaluate(u32 e) {
  if (e < tables_.size()) {
    const Table& t = tables_[e];
    const u32 at = value_[t.in[0]] | value_[t.in[1]] << 1 | value_[t.in[2]] << 2 | value_[t.in[3]] << 3 | value_[t.in[4]] << 4;
    return drive(t.out, t.truth >> at & 1);
  }
  if (e < async_base()) return multiply(multipliers_[e - tables_.size()]);
  const FlipFlop& f = flip_flops_[asyncs_[e - async_base()]];
  if (value_[f.set]) drive(f.out, f.value);
}

void Circuit::multiply(const Multiplier& m) {
  const auto operand = [&](const std::array<Net, 18>& bits, Net is_signed) {
    const auto v = static_cast<std::int64_t>(word(bits));
    return value_[is_signed] && (v >> 17 & 1) ? v - (1 << 18) : v;
  };
  const std::int64_t product = operand(m.a, m.signed_a) * operand(m.b, m.signed_b);
  for (int i = 0; i < 36; ++i) drive(m.product[static_cast<std::size_t>(i)], product >> i & 1);
}

void Circuit::edge() {
  sampled_.swap(due_.back());
  for (const u32 e : sampled_) queued_[e] = 0;
  for (const u32 e : sampled_) sample(e);
  evaluations_ += sampled_.size();
  sampled_.clear();
  for (const auto& [n, v] : changes_) drive(n, v);
  for (const u32 t : changed_tables_) touch(t);
  for (const u32 e : again_) touch(e);
  changes_.clear(), changed_tables_.clear(), again_.clear();
}

void Circuit::sample(u32 e) {
  std::size_t at = e - edge_base();
  if (at < flip_flops_.size()) return sample(flip_flops_[at]);
  at -= flip_flops_.size();
  if (at < bit_rams_.size()) return sample(bit_rams_[at]);
  sample(word_rams_[at - bit_rams_.size()], e);
}

void Circuit::sample(const FlipFlop& f) {
  if (value_[f.set]) {
    changes_.emplace_back(f.out, f.value);
  } else if (value_[f.enable]) {
    changes_.emplace_back(f.out, value_[f.data]);
  }
}

void Circuit::sample(BitRam& r) {
  if (!value_[r.enable]) return;
  u32& truth = tables_[r.table].truth;
  const u32 bit = 1u << word(r.address) | 0x10000u << word(r.address);
  const u32 changed = value_[r.data] ? truth | bit : truth & ~bit;
  if (changed == truth) return;
  truth = changed;
  changed_tables_.push_back(r.table);
}

void Circuit::sample(WordRam& r, u32 element) {
  const auto writing = [&](const WordRam::Port& p) { return p.writes && value_[p.enable] && value_[p.write]; };
  for (const auto& p : r.ports) {
    if (!p.reads) continue;
    if (value_[p.reset]) {
      for (const Net n : p.out)
        if (n != kZero) changes_.emplace_back(n, 0);
    } else if (value_[p.enable] && (!writing(p) || p.mode == WriteMode::old)) {
      read(r, p);
    }
  }
  for (const auto& p : r.ports) {
    if (!writing(p)) continue;
    write(r, p);
    if (p.reads && p.mode == WriteMode::through && !value_[p.reset]) read(r, p);
    again_.push_back(element);  // the same address may hold another word at the next edge
  }
}

void Circuit::read(WordRam& r, const WordRam::Port& p) {
  const auto at = static_cast<u32>(word(p.address));
  u64 found = r.words[at >> 4];
  if (p.width == 36) {
    found = r.words[at >> 5 << 1] | u64(r.words[at >> 5 << 1 | 1]) << 18;
  } else if (p.width < 18) {
    const u32 byte = static_cast<u32>(found) >> 9 * (at >> 3 & 1) & 0x1ff;
    found = p.width == 9 ? byte : byte >> (at & 7 & ~static_cast<u32>(p.width - 1)) & ((1u << p.width) - 1);
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(p.width); ++i)
    if (p.out[i] != kZero) changes_.emplace_back(p.out[i], static_cast<u8>(found >> i & 1));
}

void Circuit::write(WordRam& r, const WordRam::Port& p) {
  const auto at = static_cast<u32>(word(p.address));
  const u64 data = word(p.in);
  const auto put = [&](u32 index, u32 mask, u64 bits) { r.words[index] = (r.words[index] & ~mask) | (static_cast<u32>(bits) & mask & kWordMask); };
  const auto bytes = [&](u32 enables) { return (enables & 1 ? 0x1ffu : 0) | (enables & 2 ? 0x3fe00u : 0); };
  if (p.width == 36) {
    put(at >> 5 << 1, bytes(at), data);
    put(at >> 5 << 1 | 1, bytes(at >> 2), data >> 18);
  } else if (p.width == 18) {
    put(at >> 4, bytes(at), data);
  } else {
    const u32 shift = 9 * (at >> 3 & 1) + (p.width == 9 ? 0 : at & 7 & ~static_cast<u32>(p.width - 1));
    put(at >> 4, ((1u << p.width) - 1) << shift, data << shift);
  }
}

}  // namespace jogak::netlist
