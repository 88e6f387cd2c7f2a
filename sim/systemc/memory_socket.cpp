#include "memory_socket.hpp"

#include <algorithm>

#include "error.hpp"

namespace jogak::systemc {

namespace {

unsigned char kDisabled[] = {TLM_BYTE_DISABLED};

}  // namespace

SocketMemory::SocketMemory(const char* name, const Clock& clock, u32 access_bytes)
    : socket(name), clock_(clock), access_bytes_(access_bytes), scratch_(access_bytes) {
  socket.register_nb_transport_bw(this, &SocketMemory::back);
}

SocketMemory::Request& SocketMemory::take() {
  if (free_.empty()) {
    requests_.push_back(std::make_unique<Request>());
    free_.push_back(requests_.back().get());
  }
  Request& r = *free_.back();
  free_.pop_back();
  return r;
}

void SocketMemory::access(u64 cycle, u64 addr, bool write, u64 id) {
  Request& r = take();
  r.id = id;
  r.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  r.set_address(addr);
  r.set_data_ptr(scratch_.data());
  r.set_data_length(access_bytes_);
  r.set_streaming_width(access_bytes_);
  r.set_byte_enable_ptr(kDisabled);
  r.set_byte_enable_length(1);
  r.set_dmi_allowed(false);
  r.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  r.begin = clock_.at(origin_ + cycle);
  last_ = cycle;
  next_ = 0;
  line_.push_back(&r);
  send();
}

void SocketMemory::send() {
  while (begun_ == nullptr && !line_.empty()) {
    Request& r = *line_.front();
    line_.pop_front();
    begun_ = &r;
    const sc_core::sc_time now = sc_core::sc_time_stamp(), begin = std::max({r.begin, open_from_, now});
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_core::sc_time delay = begin - now;
    const tlm::tlm_sync_enum answer = socket->nb_transport_fw(r, phase, delay);
    if (answer == tlm::TLM_ACCEPTED) continue;
    if (begun_ == &r) begun_ = nullptr;
    if (answer == tlm::TLM_COMPLETED) {
      respond(r, delay);
    } else if (phase == tlm::BEGIN_RESP) {
      tlm::tlm_phase end = tlm::END_RESP;
      sc_core::sc_time then = delay;
      (void)socket->nb_transport_fw(r, end, then);
      respond(r, delay);
    } else {
      open_from_ = now + delay;
    }
  }
}

void SocketMemory::respond(Request& r, const sc_core::sc_time& delay) {
  if (r.is_response_error()) throw Error("memory socket", "answer to address " + std::to_string(r.get_address()), r.get_response_string(), "TLM_OK_RESPONSE");
  const u64 ps = (sc_core::sc_time_stamp() + delay).value();
  done_.push_back({r.id, (ps + clock_.period_ps - 1) / clock_.period_ps - origin_});
  free_.push_back(&r);
  if (!telling_) news_.notify(sc_core::SC_ZERO_TIME);
}

tlm::tlm_sync_enum SocketMemory::back(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  const bool ends = phase == tlm::END_REQ, answers = phase == tlm::BEGIN_RESP;
  if (!ends && !answers) return tlm::TLM_ACCEPTED;
  const bool first = begun_ == &p;
  if (first) begun_ = nullptr, open_from_ = sc_core::sc_time_stamp() + (ends ? delay : sc_core::SC_ZERO_TIME);
  if (answers) respond(static_cast<Request&>(p), delay);
  if (first) send();
  return answers ? tlm::TLM_COMPLETED : tlm::TLM_ACCEPTED;
}

bool SocketMemory::tell(const tlm::tlm_phase& what, u64 cycle) {
  if (foreign_) return false;
  tlm::tlm_phase phase = what;
  sc_core::sc_time delay = clock_.until(origin_ + cycle);
  last_ = cycle;
  telling_ = true;
  const tlm::tlm_sync_enum answer = socket->nb_transport_fw(control_, phase, delay);
  telling_ = false;
  foreign_ = answer != tlm::TLM_UPDATED;
  next_ = foreign_ || delay == sc_core::sc_max_time() ? kNever : clock_.cycle(sc_core::sc_time_stamp() + delay) - origin_;
  return !foreign_;
}

void SocketMemory::advance(u64 cycle) { (void)tell(MEMORY_ADVANCE, cycle); }

u64 SocketMemory::next() {
  // 0: accesses came since the target was asked.
  if (next_ == 0 && !tell(MEMORY_ADVANCE, last_)) next_ = kNever;
  return next_;
}

void SocketMemory::restart() {
  done_.clear();
  next_ = kNever;
  (void)tell(MEMORY_RESTART, 0);
  line_.clear(), free_.clear();
  begun_ = nullptr, open_from_ = sc_core::SC_ZERO_TIME;
  for (const auto& r : requests_) free_.push_back(r.get());
}

}  // namespace jogak::systemc
