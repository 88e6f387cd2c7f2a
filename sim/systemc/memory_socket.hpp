// A chiplet's memory behind a TLM-2.0 socket: the port of the cycle model (MemoryTiming) as an initiator.
//
// Each access is one approximately timed transaction: BEGIN_REQ with its moment as delay, END_REQ as the answer, BEGIN_RESP when its end is
// known, with that moment as delay. Data do not travel (their bytes are disabled): the exact model has them. The chiplet may be ahead of
// SystemC's time, so it asks for what it needs to know by an ignorable phase: MEMORY_ADVANCE, "everything before now + delay happens", answered
// by TLM_UPDATED and the delay until more would. A target that ignores it (any other model of a memory) is waited for cycle by cycle: its
// BEGIN_RESP must come a cycle before the data. It may answer as the base protocol allows: END_REQ at once or later, until when the next request
// waits; BEGIN_RESP without it; or TLM_COMPLETED.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <deque>
#include <vector>

#include "time.hpp"

namespace jogak::systemc {

DECLARE_EXTENDED_PHASE(MEMORY_ADVANCE);
DECLARE_EXTENDED_PHASE(MEMORY_RESTART);

// At transactions of a chiplet, which asks by these phases; to all others a target of this kit answers by itself.
struct FromChiplet final : tlm::tlm_extension<FromChiplet> {
  tlm_extension_base* clone() const override { return new FromChiplet; }
  void copy_from(const tlm_extension_base&) override {}
};

class SocketMemory final : public MemoryTiming {
 public:
  tlm_utils::simple_initiator_socket<SocketMemory> socket;

  SocketMemory(const char* name, const Clock& clock, u32 access_bytes);

  u32 access_bytes() const override { return access_bytes_; }
  void access(u64 cycle, u64 addr, bool write, u64 id) override;
  void advance(u64 cycle) override;
  u64 next() override;
  void restart() override;

  // The cycle that is 0 for the port's user.
  void begin(u64 cycle) { origin_ = cycle; }
  // The target answers by itself; news: it has.
  bool foreign() const { return foreign_; }
  const sc_core::sc_event& news() const { return news_; }

 private:
  struct Request : tlm::tlm_generic_payload {
    Request() { set_extension(&mark); }
    ~Request() override { clear_extension(&mark); }
    FromChiplet mark;
    u64 id = 0;
    sc_core::sc_time begin;
  };
  tlm::tlm_sync_enum back(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  // Sends an ignorable phase; false: the target ignored it.
  bool tell(const tlm::tlm_phase& phase, u64 cycle);
  Request& take();
  // As many as may begin: one BEGIN_REQ waits for its END_REQ at a time.
  void send();
  void respond(Request& r, const sc_core::sc_time& delay);

  Clock clock_;
  u32 access_bytes_;
  std::vector<std::unique_ptr<Request>> requests_;
  std::vector<Request*> free_;
  std::deque<Request*> line_;      // not begun
  Request* begun_ = nullptr;       // without an END_REQ
  sc_core::sc_time open_from_;     // END_REQ of the last one
  std::vector<unsigned char> scratch_;
  tlm::tlm_generic_payload control_;
  u64 origin_ = 0, last_ = 0, next_ = kNever;  // last_: of what the target was told
  bool foreign_ = false, telling_ = false;
  sc_core::sc_event news_;
};

}  // namespace jogak::systemc
