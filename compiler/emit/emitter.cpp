#include "emitter.hpp"

#include <algorithm>

namespace jogak::emit {

Emitter::Emitter(bool hoist, unsigned variables) : first_constant_(static_cast<Reg>(kFirstVariable + variables)), hoist_(hoist) {
  if (variables < kVariables || first_constant_ + kLoose >= kRegisters)
    throw Error("emit", "variables of one program", std::to_string(variables), std::to_string(kVariables) + " to " + std::to_string(kRegisters - kLoose - kFirstVariable - 1));
}

Reg Emitter::variable() {
  if (next_variable_ == first_constant_)
    throw Error("emit", "variables of one program", std::to_string(next_variable_ - kFirstVariable + 1),
                "at most " + std::to_string(first_constant_ - kFirstVariable));
  return next_variable_++;
}

Reg Emitter::constant(std::uint32_t value) {
  if (value == 0) return 0;
  if (dry_) ++wanted_[value];
  for (Reg r = first_constant_; r < kRegisters; ++r) {
    if (slots_[r].known && slots_[r].value == value) {
      slots_[r].used = ++clock_;
      return r;
    }
  }
  const Reg r = temporary();
  set(r, value);
  slots_[r].known = true;
  slots_[r].value = value;
  return r;
}

Reg Emitter::temporary() {
  const Reg r = least_used();
  slots_[r].known = false;
  slots_[r].used = ++clock_;
  return r;
}

Reg Emitter::least_used() {
  Reg best = 0;
  for (Reg r = first_constant_; r < kRegisters; ++r)
    if (!slots_[r].pinned && (best == 0 || slots_[r].used < slots_[best].used)) best = r;
  return best;
}

void Emitter::label(const std::string& label) {
  const auto& labels = out_.labels();
  if (labels.empty() || labels.back().name != label || labels.back().layers != layers_) out_.label(label, layers_);
}

// Load the constants used most often, so that the loop need not.
void Emitter::pin(const std::map<std::uint32_t, unsigned>& wanted) {
  // Inner loops run more often: outer ones leave them registers.
  const std::size_t all = kRegisters - first_constant_ - kLoose, most = pins_.empty() ? all / 4 : pins_.size() == 1 ? all - all / 5 : all;
  std::size_t pinned = 0;
  for (const Slot& s : slots_) pinned += s.pinned;
  std::vector<std::pair<unsigned, std::uint32_t>> order;
  for (const auto& [value, uses] : wanted) order.emplace_back(uses, value);
  std::sort(order.rbegin(), order.rend());
  next_pins_.clear();
  if (!hoist_) return;
  for (const auto& [uses, value] : order) {
    if (pinned >= most) break;
    const Reg r = constant(value);
    if (slots_[r].pinned) continue;
    slots_[r].pinned = true;
    next_pins_.push_back(r);
    ++pinned;
  }
}

void Emitter::enter() {
  forget();
  pins_.push_back(std::move(next_pins_));
  next_pins_.clear();
}

void Emitter::leave() {
  for (const Reg r : pins_.back()) slots_[r].pinned = false;
  pins_.pop_back();
  forget();
}

// Unpinned constants do not survive a loop's border: the body may overwrite them.
void Emitter::forget() {
  for (Slot& s : slots_)
    if (!s.pinned) s.known = false;
}

}  // namespace jogak::emit
