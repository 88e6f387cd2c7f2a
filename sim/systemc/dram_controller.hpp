// A DRAM channel controller as a SystemC module: sim/dram behind a TLM-2.0 target socket, and the bytes. Approximately timed transactions as
// memory_socket.hpp has them; b_transport for loosely timed initiators, whose delay grows by the access's time, data and all; transport_dbg for data alone.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <map>
#include <span>
#include <vector>

#include "sim/dram/dram.hpp"
#include "time.hpp"

namespace jogak::systemc {

class DramController : public sc_core::sc_module {
 public:
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

  Clock clock_;
  dram::Dram dram_;
  std::span<std::uint8_t> bytes_;
  u64 base_;
  std::vector<tlm::tlm_generic_payload*> waiting_;  // by number; null: blocking
  std::vector<u64> free_;
  std::map<u64, u64> blocked_;                      // ends of blocking accesses
  std::vector<MemoryTiming::Done> spare_;           // of answer()
  u64 latest_ = 0;                                  // cycle of the last access
};

}  // namespace jogak::systemc
