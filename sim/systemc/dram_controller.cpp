#include "dram_controller.hpp"

#include <algorithm>
#include <utility>

#include "error.hpp"
#include "memory_socket.hpp"

namespace jogak::systemc {

DramController::DramController(const sc_core::sc_module_name& name, const dram::Options& options, std::span<std::uint8_t> bytes, u64 base)
    : sc_module(name), socket("socket"), clock_{options.period_fs / 1000}, dram_(options), bytes_(bytes), base_(base) {
  socket.register_nb_transport_fw(this, &DramController::forward);
  socket.register_b_transport(this, &DramController::blocking);
  socket.register_transport_dbg(this, &DramController::debug);
  SC_METHOD(tick);
  sensitive << due_;
  dont_initialize();
}

u64 DramController::number(tlm::tlm_generic_payload* payload, Transaction* transaction) {
  if (free_.empty()) free_.push_back(waiting_.size()), waiting_.emplace_back();
  const u64 n = free_.back();
  free_.pop_back();
  waiting_[n] = {payload, transaction};
  return n;
}

tlm::tlm_sync_enum DramController::forward(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  if (phase == MEMORY_RESTART) {
    if (!transactions_.empty()) throw Error(name(), "a chiplet's new job", "transactions of other initiators on their way", "none");
    dram_.restart();
    waiting_.clear(), free_.clear();
    latest_ = 0;
    delay = sc_core::sc_max_time();
    return tlm::TLM_UPDATED;
  }
  if (phase == MEMORY_ADVANCE) {
    dram_.advance(cycle(delay));
    answer();
    const u64 next = dram_.next();
    delay = next == kNever ? sc_core::sc_max_time() : clock_.until(next);
    return tlm::TLM_UPDATED;
  }
  if (phase == tlm::END_RESP) {
    if (responding_ != &p) throw Error(name(), "END_RESP for address " + std::to_string(p.get_address()), "no BEGIN_RESP before it", "one");
    responded(delay);
    schedule();
    return tlm::TLM_COMPLETED;
  }
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  latest_ = std::max(latest_, cycle(delay));
  if (p.get_extension<FromChiplet>() != nullptr) dram_.access(latest_, p.get_address(), p.is_write(), number(&p, nullptr));
  else begin(p, latest_);
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

void DramController::begin(tlm::tlm_generic_payload& p, u64 cycle) {
  if (p.has_mm()) p.acquire();
  p.set_dmi_allowed(false);
  Transaction& t = transactions_.emplace_back(Transaction{&p, 0, cycle});
  const bool moves = p.is_read() || p.is_write();
  if (!moves) p.set_response_status(tlm::TLM_OK_RESPONSE);
  else if (p.get_data_length() == 0 || p.get_streaming_width() < p.get_data_length()) p.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  else if (copy(p)) {
    const u64 size = dram_.access_bytes(), end = p.get_address() + p.get_data_length();
    t.left = (end - 1) / size - p.get_address() / size + 1;
    for (u64 at = p.get_address() / size * size; at < end; at += size) dram_.access(cycle, at, p.is_write(), number(nullptr, &t));
  }
  if (t.left == 0) ended(t);
  answer();  // a write may be taken already
  schedule();
}

// Its response may be given.
void DramController::ended(Transaction& t) {
  ready_.emplace(t.end, t.payload);
  transactions_.remove_if([&](const Transaction& other) { return &other == &t; });
}

// Time has come to something of initiators that do not ask.
void DramController::tick() {
  const u64 now = clock_.now();
  if (dram_.next() <= now) dram_.advance(now);
  answer();
  respond();
  schedule();
}

void DramController::respond() {
  while (responding_ == nullptr && !ready_.empty() && ready_.begin()->first <= clock_.now() && free_from_ <= sc_core::sc_time_stamp()) {
    tlm::tlm_generic_payload& p = *ready_.begin()->second;
    ready_.erase(ready_.begin());
    responding_ = &p;
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    sc_core::sc_time delay;
    const tlm::tlm_sync_enum answer = socket->nb_transport_bw(p, phase, delay);
    if (answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::END_RESP)) responded(delay);
  }
}

void DramController::responded(const sc_core::sc_time& delay) {
  tlm::tlm_generic_payload* p = std::exchange(responding_, nullptr);
  free_from_ = sc_core::sc_time_stamp() + delay;
  if (p->has_mm()) p->release();
}

void DramController::schedule() {
  sc_core::sc_time next = sc_core::sc_max_time();
  if (responding_ == nullptr && !ready_.empty()) next = std::max(clock_.at(ready_.begin()->first), free_from_);
  if (const u64 cycle = transactions_.empty() ? kNever : dram_.next(); cycle != kNever) next = std::min(next, clock_.at(cycle));
  if (next != sc_core::sc_max_time()) due_.notify(std::max(next, sc_core::sc_time_stamp()) - sc_core::sc_time_stamp());
}

// Ends that are known.
void DramController::answer() {
  // An initiator may ask for more as soon as it has its answer.
  if (dram_.done().empty()) return;
  auto told = std::exchange(spare_, {});
  told.swap(dram_.done());
  for (const MemoryTiming::Done& d : told) {
    const auto [p, transaction] = waiting_[d.id];
    free_.push_back(d.id);
    if (transaction != nullptr) {
      transaction->end = std::max(transaction->end, d.cycle);
      if (--transaction->left == 0) ended(*transaction);
      continue;
    }
    if (p == nullptr) {
      blocked_[d.id] = d.cycle;
      continue;
    }
    p->set_response_status(tlm::TLM_OK_RESPONSE);
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    sc_core::sc_time delay = clock_.until(d.cycle);
    (void)socket->nb_transport_bw(*p, phase, delay);
  }
  told.clear();
  spare_ = std::move(told);
}

// Time runs ahead to the end of this access: nothing else may be on its way but what came before. An initiator that is behind another one
// in time is served when that one was.
void DramController::blocking(tlm::tlm_generic_payload& p, sc_core::sc_time& delay) {
  if (p.get_streaming_width() < p.get_data_length()) return p.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  if (!copy(p)) return;
  latest_ = std::max(latest_, cycle(delay));
  const u64 begin = latest_, size = dram_.access_bytes(), end = p.get_address() + p.get_data_length();
  u64 last = begin;
  for (u64 at = p.get_address() / size * size; at < end; at += size) {
    const u64 id = number(nullptr, nullptr);
    dram_.access(begin, at, p.is_write(), id);
    for (blocked_.clear(); blocked_.count(id) == 0; answer())
      if (const u64 next = dram_.next(); dram_.done().empty() && next != kNever) dram_.advance(next);
    last = std::max(last, blocked_.at(id));
  }
  delay = clock_.until(last);
  schedule();
}

bool DramController::copy(tlm::tlm_generic_payload& p) {
  const u64 at = p.get_address() - base_, n = p.get_data_length();
  p.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  if (p.get_address() < base_ || at > bytes_.size() || n > bytes_.size() - at) return false;
  const auto enabled = [&](u64 i) { return p.get_byte_enable_ptr() == nullptr || p.get_byte_enable_ptr()[i % p.get_byte_enable_length()] == TLM_BYTE_ENABLED; };
  for (u64 i = 0; i < n; ++i) {
    if (!enabled(i)) continue;
    if (p.is_write()) bytes_[at + i] = p.get_data_ptr()[i];
    else if (p.is_read()) p.get_data_ptr()[i] = bytes_[at + i];
  }
  p.set_response_status(tlm::TLM_OK_RESPONSE);
  return true;
}

unsigned DramController::debug(tlm::tlm_generic_payload& p) { return copy(p) ? p.get_data_length() : 0; }

}  // namespace jogak::systemc
