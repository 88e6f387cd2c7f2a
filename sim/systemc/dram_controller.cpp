#include "dram_controller.hpp"

#include <algorithm>
#include <utility>

#include "memory_socket.hpp"

namespace jogak::systemc {

DramController::DramController(const sc_core::sc_module_name& name, const dram::Options& options, std::span<std::uint8_t> bytes, u64 base)
    : sc_module(name), socket("socket"), clock_{options.period_fs / 1000}, dram_(options), bytes_(bytes), base_(base) {
  socket.register_nb_transport_fw(this, &DramController::forward);
  socket.register_b_transport(this, &DramController::blocking);
  socket.register_transport_dbg(this, &DramController::debug);
}

tlm::tlm_sync_enum DramController::forward(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  if (phase == MEMORY_RESTART) {
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
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  if (free_.empty()) free_.push_back(waiting_.size()), waiting_.push_back(nullptr);
  const u64 number = free_.back();
  free_.pop_back();
  waiting_[number] = &p;
  latest_ = std::max(latest_, cycle(delay));
  dram_.access(latest_, p.get_address(), p.is_write(), number);
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

// Ends that are known.
void DramController::answer() {
  // An initiator may ask for more as soon as it has its answer.
  if (dram_.done().empty()) return;
  auto told = std::exchange(spare_, {});
  told.swap(dram_.done());
  for (const MemoryTiming::Done& d : told) {
    tlm::tlm_generic_payload* p = waiting_[d.id];
    free_.push_back(d.id);
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
    if (free_.empty()) free_.push_back(waiting_.size()), waiting_.push_back(nullptr);
    const u64 number = free_.back();
    free_.pop_back();
    waiting_[number] = nullptr;
    dram_.access(begin, at, p.is_write(), number);
    for (blocked_.clear(); blocked_.count(number) == 0; answer())
      if (const u64 next = dram_.next(); dram_.done().empty() && next != kNever) dram_.advance(next);
    last = std::max(last, blocked_.at(number));
  }
  delay = clock_.until(last);
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
