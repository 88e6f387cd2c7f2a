// A DRAM channel controller as a SystemC module: sim/dram behind a TLM-2.0 target socket, and the bytes. For a chiplet, approximately timed
// transactions as memory_socket.hpp has them. For any other initiator the base protocol: nb_transport with its four phases (END_REQ at once,
// BEGIN_RESP at the end of the access, one at a time; of any length; bytes are written and read in the order of requests); b_transport, whose
// delay grows by the access's time, data and all; transport_dbg for data alone. No direct memory access.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <list>
#include <map>
#include <span>
#include <vector>

#include "sim/dram/dram.hpp"
#include "time.hpp"

namespace jogak::systemc {

class DramController : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(DramController);
  tlm_utils::simple_target_socket<DramController> socket;

  // bytes: what lies at addresses base .. ; may be empty where nobody asks for data.
  DramController(const sc_core::sc_module_name& name, const dram::Options& options, std::span<std::uint8_t> bytes = {}, u64 base = 0);

  const dram::Dram& dram() const { return dram_; }

 private:
  tlm::tlm_sync_enum forward(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  void blocking(tlm::tlm_generic_payload& p, sc_core::sc_time& delay);
  unsigned debug(tlm::tlm_generic_payload& p);
  u64 cycle(const sc_core::sc_time& delay) const { return clock_.cycle(sc_core::sc_time_stamp() + delay); }
  void answer();
  bool copy(tlm::tlm_generic_payload& p);

  // Of other initiators than chiplets.
  struct Transaction {
    tlm::tlm_generic_payload* payload;
    u64 left, end;  // accesses without an end; the last end, a cycle
  };
  u64 number(tlm::tlm_generic_payload* payload, Transaction* transaction);
  void begin(tlm::tlm_generic_payload& p, u64 cycle);
  void ended(Transaction& t);
  void tick();
  void respond();
  void responded(const sc_core::sc_time& delay);
  void schedule();

  Clock clock_;
  dram::Dram dram_;
  std::span<std::uint8_t> bytes_;
  u64 base_;
  struct Waiting {
    tlm::tlm_generic_payload* payload = nullptr;    // a chiplet's
    Transaction* transaction = nullptr;             // another's; neither: blocking
  };
  std::vector<Waiting> waiting_;                    // by number
  std::vector<u64> free_;
  std::map<u64, u64> blocked_;                      // ends of blocking accesses
  std::vector<MemoryTiming::Done> spare_;           // of answer()
  u64 latest_ = 0;                                  // cycle of the last access
  std::list<Transaction> transactions_;             // without a response
  std::multimap<u64, tlm::tlm_generic_payload*> ready_;  // for their responses, from a cycle on
  tlm::tlm_generic_payload* responding_ = nullptr;  // without its END_RESP
  sc_core::sc_time free_from_;                      // for the next response
  sc_core::sc_event due_;
};

}  // namespace jogak::systemc
