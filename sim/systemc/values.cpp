#include "values.hpp"

namespace jogak::systemc {

namespace {

constexpr u64 kAhead = 1 << 12;  // instructions executed at a time

}  // namespace

Values::Values(std::vector<model::Machine*> machines) : machines_(std::move(machines)) {
  for (model::Machine* m : machines_) {
    dies_.push_back(std::make_unique<Die>(m->config()));
    m->on_instruction([die = dies_.back().get(), m](const model::Step& s) { die->recorder.step(s, m->memories()); });
  }
}

Values::~Values() {
  for (model::Machine* m : machines_) m->on_instruction({});
}

void Values::begin(u32 d, const model::Launch& launch) {
  dies_[d]->recorder.begin(launch.windows);
  machines_[d]->begin(launch);
  dies_[d]->code = launch.code;
  dies_[d]->executed = false;
}

void Values::close(u32 d) {
  dies_[d]->recorder.stream().closed = true;
  dies_[d]->executed = true;
}

bool Values::feed(u32 d) {
  const auto fed = [&] { return dies_[d]->executed || !stream(d).items.empty(); };
  execute(d);
  while (!fed() && advance(d)) continue;
  return fed();
}

bool Values::advance(u32 d) {
  bool moved = execute(d);
  for (u32 j = 0; j < dies() && !moved; ++j)
    if (j != d) moved = execute(j);
  return moved;
}

// Returns whether the exact model did anything.
bool Values::execute(u32 d) {
  Die& die = *dies_[d];
  if (die.executed) return false;
  model::Machine& machine = *machines_[d];
  const u64 before = machine.result().counters[spec::Counter::instructions];
  die.executed = machine.advance(kAhead);
  const u64 after = machine.result().counters[spec::Counter::instructions];
  if (die.executed) die.recorder.end(machine.result().fault, after, die.code);
  if (die.ignored) die.recorder.stream().clear(), die.recorder.stream().lists.clear();
  return die.executed || after != before;
}

}  // namespace jogak::systemc
