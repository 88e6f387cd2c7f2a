// Initiators of the base protocol at the DRAM controller: every request has its answer, one at a time, with the right bytes.
#include <doctest/doctest.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <list>
#include <random>
#include <utility>

#include "dram_controller.hpp"
#include "error.hpp"

using namespace jogak;
using namespace jogak::systemc;

namespace {

constexpr u64 kBase = 0x1000;
constexpr unsigned kBytes = 1 << 16;

// How an initiator may take BEGIN_RESP: END_RESP by a call of its own, later; in the answer; or TLM_COMPLETED.
enum class Style { later, update, complete };

// Sends transactions one behind the other, up to `most` without an answer, and checks what comes back against a memory of its own, which is
// changed in the order of the requests.
struct Initiator : sc_core::sc_module {
  SC_HAS_PROCESS(Initiator);
  struct Sent {
    tlm::tlm_generic_payload p;
    std::vector<std::uint8_t> data, expected, enable;
    sc_core::sc_time begun, ended;
    bool over = false;
  };
  Initiator(const sc_core::sc_module_name& name, Style s, std::size_t outstanding) : sc_module(name), socket("socket"), style(s), most(outstanding), image(kBytes) {
    socket.register_nb_transport_bw(this, &Initiator::backward);
    SC_THREAD(run);
    SC_METHOD(end_response);
    sensitive << ends;
    dont_initialize();
  }

  Sent& add(tlm::tlm_command command, u64 address, unsigned bytes) {
    Sent& s = work.emplace_back();
    s.data.resize(bytes);
    s.p.set_command(command), s.p.set_address(address), s.p.set_data_length(bytes), s.p.set_streaming_width(bytes), s.p.set_data_ptr(s.data.data());
    s.p.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    return s;
  }
  void random(int count, u64 seed) {
    std::mt19937_64 r(seed);
    for (int i = 0; i < count; ++i) {
      const unsigned bytes = 1 + unsigned(r() % 300);
      const bool write = r() % 2 == 0;
      Sent& s = add(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND, kBase + r() % (r() % 2 == 0 ? 1024 : kBytes - bytes), bytes);
      for (std::uint8_t& b : s.data) b = std::uint8_t(r());
      if (r() % 4 != 0) continue;
      s.enable = {TLM_BYTE_ENABLED, TLM_BYTE_DISABLED, TLM_BYTE_ENABLED};
      s.p.set_byte_enable_ptr(s.enable.data()), s.p.set_byte_enable_length(3);
    }
  }
  void run() {
    for (Sent& s : work) {
      while (flying >= most) wait(answered);
      mirror(s);
      s.begun = sc_core::sc_time_stamp();
      ++flying;
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      sc_core::sc_time delay = early;
      const auto answer = socket->nb_transport_fw(s.p, phase, delay);
      CHECK(answer == tlm::TLM_UPDATED);
      CHECK(phase == tlm::END_REQ);
      wait(delay + sc_core::sc_time(1, sc_core::SC_NS));
    }
  }
  void mirror(Sent& s) {
    s.expected = s.data;
    const u64 at = s.p.get_address() - kBase;
    if (at > image.size() - s.data.size() || s.p.get_command() == tlm::TLM_IGNORE_COMMAND) return;
    for (std::size_t i = 0; i < s.data.size(); ++i) {
      if (!s.enable.empty() && s.enable[i % 3] == TLM_BYTE_DISABLED) continue;
      if (s.p.is_write()) image[at + i] = s.data[i];
      else s.expected[i] = image[at + i];
    }
  }
  tlm::tlm_sync_enum backward(tlm::tlm_generic_payload& p, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    CHECK(phase == tlm::BEGIN_RESP);
    CHECK(open == nullptr);  // one response at a time
    for (Sent& s : work)
      if (&s.p == &p) {
        CHECK_FALSE(s.over);
        s.over = true, s.ended = sc_core::sc_time_stamp() + delay;
        CHECK(s.data == s.expected);
      }
    ++answers, --flying;
    answered.notify();
    if (style == Style::complete) return tlm::TLM_COMPLETED;
    if (style == Style::update) return phase = tlm::END_RESP, delay = sc_core::sc_time(2, sc_core::SC_NS), tlm::TLM_UPDATED;
    open = &p;
    ends.notify(3, sc_core::SC_NS);
    return tlm::TLM_ACCEPTED;
  }
  void end_response() {
    tlm::tlm_phase phase = tlm::END_RESP;
    sc_core::sc_time delay;
    tlm::tlm_generic_payload* p = std::exchange(open, nullptr);
    CHECK(socket->nb_transport_fw(*p, phase, delay) == tlm::TLM_COMPLETED);
  }

  tlm_utils::simple_initiator_socket<Initiator> socket;
  Style style;
  std::size_t most, flying = 0;
  sc_core::sc_time early;  // requests are annotated with
  std::list<Sent> work;
  std::vector<std::uint8_t> image;
  tlm::tlm_generic_payload* open = nullptr;
  int answers = 0;
  sc_core::sc_event answered, ends;
};

struct Bench {
  Bench(const char* memory, Style style, std::size_t most)
      : in(simulation), bytes(kBytes), controller(std::make_unique<DramController>("dram", dram::parse_options(memory), bytes, kBase)),
        initiator(std::make_unique<Initiator>("initiator", style, most)) {
    initiator->socket.bind(controller->socket);
  }
  ~Bench() { initiator.reset(), controller.reset(); }
  void run() { sc_core::sc_start(1, sc_core::SC_MS); }

  Simulation simulation;
  const Simulation::Enter in;
  std::vector<std::uint8_t> bytes;
  std::unique_ptr<DramController> controller;
  std::unique_ptr<Initiator> initiator;
};

}  // namespace

TEST_CASE("an initiator of the base protocol, however it takes responses: all answers, all bytes, in the order of requests") {
  for (const Style style : {Style::later, Style::update, Style::complete})
    for (const char* memory : {"ddr4-3200", "lpddr4-4266:channels=1"}) {
      CAPTURE(static_cast<int>(style));
      CAPTURE(memory);
      Bench bench(memory, style, 8);
      bench.initiator->early = sc_core::sc_time(style == Style::update ? 5 : 0, sc_core::SC_NS);
      bench.initiator->random(300, 7);
      bench.run();
      CHECK(bench.initiator->answers == 300);
      CHECK(bench.bytes == bench.initiator->image);
      for (const auto& s : bench.initiator->work) {
        CHECK(s.p.get_response_status() == tlm::TLM_OK_RESPONSE);
        CHECK(s.ended > s.begun);
      }
    }
}

TEST_CASE("the time of a closed row is that of a blocking access, a stream of reads comes near the peak") {
  Bench one("ddr4-3200:controller=1", Style::complete, 1);
  one.initiator->add(tlm::TLM_READ_COMMAND, kBase + 64, 64);
  one.run();
  REQUIRE(one.initiator->answers == 1);
  CHECK((one.initiator->work.front().ended - one.initiator->work.front().begun).value() / 1000 == 31);  // as systemc_test has it for b_transport
  Bench many("ddr4-3200", Style::complete, 32);
  for (unsigned i = 0; i < 256; ++i) many.initiator->add(tlm::TLM_READ_COMMAND, kBase + 64 * i, 64);
  many.run();
  REQUIRE(many.initiator->answers == 256);
  const double ns = double((many.initiator->work.back().ended - many.initiator->work.front().begun).value()) / 1000;
  CHECK(ns > 256 * 2.5);  // 25.6 GB/s
  CHECK(ns < 256 * 2.5 * 1.6 + 60);  // a request a nanosecond, one row after the other to be opened
}

TEST_CASE("what cannot be done is answered so, and what the protocol forbids is refused") {
  Bench bench("ddr4-3200", Style::later, 4);
  Initiator& i = *bench.initiator;
  i.add(tlm::TLM_READ_COMMAND, kBase + kBytes - 8, 64);
  i.add(tlm::TLM_WRITE_COMMAND, kBase - 64, 64);
  i.add(tlm::TLM_WRITE_COMMAND, kBase, 64).p.set_streaming_width(16);
  i.add(tlm::TLM_IGNORE_COMMAND, kBase, 64);
  i.work.back().data.assign(64, 1);
  bench.run();
  CHECK(i.answers == 4);
  std::vector<tlm::tlm_response_status> found;
  for (const auto& s : i.work) found.push_back(s.p.get_response_status());
  CHECK(found == std::vector<tlm::tlm_response_status>{tlm::TLM_ADDRESS_ERROR_RESPONSE, tlm::TLM_ADDRESS_ERROR_RESPONSE, tlm::TLM_BURST_ERROR_RESPONSE, tlm::TLM_OK_RESPONSE});
  tlm::tlm_generic_payload stray;
  stray.set_address(kBase);
  tlm::tlm_phase phase = tlm::END_RESP;
  sc_core::sc_time delay;
  CHECK_THROWS_WITH_AS((void)i.socket->nb_transport_fw(stray, phase, delay), "dram: END_RESP for address 4096, found no BEGIN_RESP before it, expected one", Error);
}
