// A memory of somebody else at a chiplet's socket, and a program for one chiplet, of the tests.
#pragma once

#include <doctest/doctest.h>
#include <tlm_utils/simple_target_socket.h>

#include <deque>
#include <utility>

#include "runtime/builder.hpp"
#include "time.hpp"

namespace jogak::systemc {

// How a target of the base protocol may take a request: END_REQ at once; later, by a call back; or BEGIN_RESP at once, with its moment as delay.
enum class Style { at_once, later, answer };

// A memory of somebody else: every access takes as long, and it knows nothing of the chiplet's phases.
struct FixedMemory : sc_core::sc_module {
  SC_HAS_PROCESS(FixedMemory);
  FixedMemory(const sc_core::sc_module_name& name, u64 ps, Style s) : sc_module(name), socket("socket"), takes(sc_core::sc_time::from_value(ps)), style(s) {
    socket.register_nb_transport_fw(this, &FixedMemory::forward);
    SC_METHOD(answer);
    sensitive << due;
    dont_initialize();
    SC_METHOD(end_request);
    sensitive << taken;
    dont_initialize();
  }
  void end_request() {
    tlm::tlm_phase phase = tlm::END_REQ;
    sc_core::sc_time delay;
    tlm::tlm_generic_payload* payload = std::exchange(request, nullptr);
    (void)socket->nb_transport_bw(*payload, phase, delay);
  }
  tlm::tlm_sync_enum forward(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    if (phase == tlm::END_RESP) ++ended;
    if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
    CHECK(request == nullptr);
    ++begun;
    if (style == Style::answer) {
      p.set_response_status(tlm::TLM_OK_RESPONSE);
      phase = tlm::BEGIN_RESP, delay += takes;
      return tlm::TLM_UPDATED;
    }
    waiting.push_back({&p, sc_core::sc_time_stamp() + delay + takes});
    due.notify(waiting.front().end - kEarly - sc_core::sc_time_stamp());
    if (style == Style::later) {
      request = &p;
      taken.notify(delay + sc_core::sc_time(2, sc_core::SC_NS));
      return tlm::TLM_ACCEPTED;
    }
    phase = tlm::END_REQ;
    return tlm::TLM_UPDATED;
  }
  void answer() {
    while (!waiting.empty() && waiting.front().end - kEarly <= sc_core::sc_time_stamp()) {
      tlm::tlm_phase phase = tlm::BEGIN_RESP;
      sc_core::sc_time delay = waiting.front().end - sc_core::sc_time_stamp();
      waiting.front().payload->set_response_status(tlm::TLM_OK_RESPONSE);
      tlm::tlm_generic_payload* payload = waiting.front().payload;
      waiting.pop_front();
      (void)socket->nb_transport_bw(*payload, phase, delay);
    }
    if (!waiting.empty()) due.notify(waiting.front().end - kEarly - sc_core::sc_time_stamp());
  }
  struct Waiting {
    tlm::tlm_generic_payload* payload;
    sc_core::sc_time end;
  };
  const sc_core::sc_time kEarly{3, sc_core::SC_NS};  // an answer comes so long before its end
  tlm_utils::simple_target_socket<FixedMemory> socket;
  sc_core::sc_time takes;
  Style style;
  std::deque<Waiting> waiting;
  tlm::tlm_generic_payload* request = nullptr;  // whose END_REQ is to come
  int begun = 0, ended = 0;                     // BEGIN_REQ and END_RESP
  sc_core::sc_event due, taken;
};

// Loads and stores that wait for one another.
inline std::vector<spec::Insn> round_trips() {
  ProgramBuilder b;
  b.li(20, 4096), b.li(21, 1), b.li(22, 8), b.li(23, 512), b.li(24, 2048);
  for (int i = 0; i < 4; ++i) {
    b.load({.space = spec::Space::vmem, .da = 23, .len = 20, .n1 = 21, .n2 = 21});
    b.signal(spec::Engine::ld, 1);
    b.wait(spec::Engine::st, 1);
    b.store({.space = spec::Space::vmem, .da = 20, .len = 24, .n1 = 21, .n2 = 21});
  }
  b.halt();
  return b.code();
}

}  // namespace jogak::systemc
