#include "predict.hpp"

#include <algorithm>

#include "depths.hpp"
#include "sim/model/resolve.hpp"

namespace jogak::hls_csim {

namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

u64 ceil_div(u64 a, u64 b) { return (a + b - 1) / b; }

u64 levels(u64 n) {
  u64 count = 0;
  for (; n > 1; n = (n + 1) / 2) ++count;
  return count;
}

}  // namespace

Predictor::Duration Predictor::duration(const model::Command& command) const {
  if (const auto* c = std::get_if<model::LoadCmd>(&command)) {
    if (c->empty()) return {1, 1};
    const u64 run = ceil_div(c->len, config_.port_bytes) + l_.run;
    const u64 lists = c->gather ? u64(c->n1) * c->n2 * l_.sums : 0;
    const u64 busy = std::max(u64(c->n1) * c->n2 * run, lists) + l_.acknowledge;
    return {busy, busy + l_.memory};
  }
  if (const auto* c = std::get_if<model::StoreCmd>(&command)) {
    if (c->empty()) return {1, 1};
    const u64 busy = u64(c->n1) * c->n2 * (ceil_div(c->len, config_.port_bytes) + l_.run);
    return {busy, busy + l_.sums + l_.memory};
  }
  if (const auto* c = std::get_if<model::MmCmd>(&command)) {
    if (c->empty()) return {1, 1};
    const u64 words = (c->int8() ? 16 : 8) + (c->sparse ? spec::limit::block / 8 : 0), slices = spec::limit::block / config_.rows;
    u64 tile = std::max<u64>(c->m, words) * slices;
    // A row waits for its own last sum: in foot for few rows, through vector memory for more.
    if (c->kb > 1) tile = std::max<u64>(tile, c->m <= hls_depth::kept ? l_.add : l_.array + l_.foot + l_.sums);
    const u64 busy = words + u64(c->nb) * c->kb * tile + l_.run;
    return {busy, busy + l_.array + l_.foot};
  }
  const auto row = [&](u64 cols) { return ceil_div(cols, config_.cols) * (config_.cols / config_.lanes); };
  if (const auto* c = std::get_if<model::VecCmd>(&command)) {
    if (c->empty()) return {1, 1};
    u64 a_row = row(c->cols);
    if (c->reduces()) a_row = std::max(a_row, 2 * ceil_div(c->cols, config_.lanes) + levels(ceil_div(c->cols, config_.lanes)) * l_.reduce);
    const u64 busy = c->rows * a_row + l_.vector;
    return {busy, busy};
  }
  const auto& c = std::get<model::QntCmd>(command);
  if (c.empty()) return {1, 1};
  // Blocks are read, then quantised.
  const u64 groups = c.by_row() ? 1 : c.blocks();
  const u64 busy = c.rows * (ceil_div(c.cols, config_.cols) + c.blocks() + groups * l_.foot) + l_.vector;
  return {busy, busy};
}

// The sequencer puts an entry into a queue when there is room; the time at which the engine can take it.
u64 Predictor::enter(spec::Engine engine) {
  Queue& q = queues_[static_cast<std::size_t>(engine)];
  if (q.taken.size() >= hls_depth::queue) now_ = std::max(now_, q.taken[q.taken.size() - hls_depth::queue]);
  while (q.taken.size() > hls_depth::queue) q.taken.pop_front();
  return std::max(now_ + 2, q.free);
}

void Predictor::wait(const spec::Wait& i) {
  u64 when = i.eng == spec::Engine::seq ? now_ : enter(i.eng);
  auto& given = given_[i.sem];
  for (u32 n = 0; n < i.n && !given.empty(); ++n, given.pop_front()) when = std::max(when, given.front());
  when += 4;
  if (i.eng == spec::Engine::seq) {
    now_ = when;
    return;
  }
  Queue& q = queues_[static_cast<std::size_t>(i.eng)];
  q.free = when;
  q.taken.push_back(when);
}

void Predictor::signal(const spec::Signal& i) {
  u64 when = now_;
  if (i.eng != spec::Engine::seq) {
    const u64 taken = enter(i.eng);
    Queue& q = queues_[static_cast<std::size_t>(i.eng)];
    q.free = taken + 1;
    q.taken.push_back(taken);
    when = std::max(taken, q.done);
  }
  for (u32 n = 0; n < i.n; ++n) given_[i.sem].push_back(when + 2);
}

void Predictor::step(const model::Step& step) {
  now_ += l_.instruction;
  if (step.command == nullptr) {
    const auto op = static_cast<spec::Op>(spec::opcode_of(step.insn));
    if (op == spec::Op::wait) wait(spec::decode<spec::Wait>(step.insn));
    if (op == spec::Op::signal) signal(spec::decode<spec::Signal>(step.insn));
    return;
  }
  const spec::Engine engine = model::engine_of(*step.command);
  const u64 start = enter(engine);
  const Duration d = duration(*step.command);
  Queue& q = queues_[static_cast<std::size_t>(engine)];
  q.taken.push_back(start);
  q.free = start + d.next;
  q.done = std::max(q.done, start + d.done);
}

u64 Predictor::cycles() const {
  u64 end = now_;
  for (const Queue& q : queues_) end = std::max({end, q.free, q.done});
  return end;
}

}  // namespace jogak::hls_csim
