#include <doctest/doctest.h>

#include <tlm_utils/simple_initiator_socket.h>

#include "cycle_chiplet.hpp"
#include "exchange_test.hpp"
#include "fixed_memory_test.hpp"
#include "host.hpp"
#include "platform.hpp"

using namespace jogak;
using namespace jogak::systemc;

namespace {

Outcome on_systemc(u64 seed, const package::PackageSpec& spec, int launches) {
  Exchange x(seed);
  Platform platform(spec, x.machines());
  Outcome outcome;
  for (u32 d = 0; d < 4; ++d) platform.die(d).trace(&outcome.events[d]);
  for (int i = 0; i < launches; ++i) {
    std::vector<Chiplet::Job> jobs;
    for (const model::Launch& l : x.launches) jobs.push_back({l, rtl::kBase, false});
    platform.begin(jobs);
    int pieces = 0;
    while (!platform.run(10'000)) REQUIRE(++pieces < 1000);
    std::vector<model::Result> results;
    for (u32 d = 0; d < 4; ++d) results.push_back(platform.die(d).result());
    keep(outcome, x, results);
  }
  return outcome;
}

}  // namespace

TEST_CASE("a package in SystemC: bits, counters and every event of the plain cycle model") {
  std::string preset;
  SUBCASE("ideal memories") { preset = "ideal"; }
  SUBCASE("LPDDR4") { preset = "lpddr4-4266"; }
  SUBCASE("DDR4") { preset = "ddr4-3200"; }
  const package::PackageSpec spec = spec_with(preset);
  for (u64 seed = 1; seed < 4; ++seed) {
    CAPTURE(seed);
    same(plain(seed, spec, 2), on_systemc(seed, spec, 2));
  }
}

TEST_CASE("a package with noise on its links is the same package") {
  package::PackageSpec spec = spec_with("ideal");
  for (auto& die : spec.dies)
    for (auto& l : die.links)
      if (l) l->bit_error_rate = 1e-5, l->gt_per_s = 8;
  same(plain(7, spec, 1), on_systemc(7, spec, 1));
}

TEST_CASE("a loosely timed initiator at the DRAM controller: bytes, and the time of a closed and of an open row") {
  struct Initiator : sc_core::sc_module {
    explicit Initiator(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") {}
    tlm_utils::simple_initiator_socket<Initiator> socket;
    sc_core::sc_time transport(tlm::tlm_command command, u64 address, std::uint8_t* bytes, unsigned n, sc_core::sc_time delay) {
      tlm::tlm_generic_payload p;
      p.set_command(command), p.set_address(address), p.set_data_ptr(bytes), p.set_data_length(n), p.set_streaming_width(n);
      socket->b_transport(p, delay);
      status = p.get_response_status();
      return delay;
    }
    tlm::tlm_response_status status{};
  };
  Simulation simulation;
  const Simulation::Enter in(simulation);
  std::vector<std::uint8_t> bytes(4096);
  auto controller = std::make_unique<DramController>("dram", dram::parse_options("ddr4-3200:controller=1"), bytes, 0x1000);
  auto initiator = std::make_unique<Initiator>("initiator");
  initiator->socket.bind(controller->socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  std::uint8_t word[64] = {1, 2, 3}, back[64] = {};
  const auto ns = [](const sc_core::sc_time& t) { return t.value() / 1000; };
  (void)initiator->transport(tlm::TLM_WRITE_COMMAND, 0x1040, word, 64, sc_core::sc_time(500, sc_core::SC_NS));
  // An initiator that is behind in time waits for what was served before.
  const auto behind = ns(initiator->transport(tlm::TLM_READ_COMMAND, 0x1040, back, 64, sc_core::SC_ZERO_TIME));
  CHECK(behind >= 500);
  CHECK(behind < 600);
  CHECK(bytes[0x42] == 3);
  const sc_core::sc_time later(1, sc_core::SC_US);
  // Rows are open by now: 16.25 ns and a nanosecond of controller.
  const auto open = initiator->transport(tlm::TLM_READ_COMMAND, 0x1040, back, 64, later);
  CHECK(ns(open) == 1000 + 18);
  CHECK(back[2] == 3);
  CHECK(initiator->status == tlm::TLM_OK_RESPONSE);
  const auto other = initiator->transport(tlm::TLM_READ_COMMAND, 0x1080, back, 64, 2 * later);
  CHECK(ns(other) == 2000 + 31);
  (void)initiator->transport(tlm::TLM_READ_COMMAND, 0x2000, back, 64, later);
  CHECK(initiator->status == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  initiator.reset(), controller.reset();
}

TEST_CASE("somebody else's memory at a chiplet's socket: a fixed latency, as the ideal memory has it") {
  const spec::Config& config = *spec::find_config("nano");
  const auto code = round_trips();
  const auto launched = [&](model::Machine& m) {
    m.dram().allocate(1 << 20, 1 << 16);
    model::Launch l{.code = code};
    l.windows[0] = {1 << 20, 1 << 16, true, true};
    return Chiplet::Job{l, (1 << 20) + (1 << 15), false};
  };
  const auto run = [&](bool foreign, Style style = Style::at_once) {
    model::Machine machine(config);
    const Chiplet::Job job = launched(machine);
    Simulation simulation;
    const Simulation::Enter in(simulation);
    Values values({&machine});
    auto chiplet = std::make_unique<CycleChiplet>("chiplet", Chiplet::Options{Clock{}, 0, 0, 0, 0, foreign ? 64u : 0u, {}}, values, 0);
    std::unique_ptr<FixedMemory> memory;
    if (foreign) memory = std::make_unique<FixedMemory>("memory", 64'000, style), chiplet->memory()->socket.bind(memory->socket);
    auto host = std::make_unique<Host>("host", std::vector<Chiplet*>{chiplet.get()});
    sc_core::sc_start(10, sc_core::SC_NS);
    chiplet->launch(job, 10);
    sc_core::sc_start(100, sc_core::SC_US);
    CHECK(chiplet->over());
    const auto counters = chiplet->result().counters.values;
    if (style == Style::answer) CHECK(memory->ended == memory->begun);
    host.reset(), memory.reset(), chiplet.reset();
    return counters;
  };
  const auto ideal = run(false);
  CHECK(ideal[std::size_t(spec::Counter::cycles)] > 1000);
  CHECK(run(true) == ideal);
  CHECK(run(true, Style::answer) == ideal);
  // One request at a time takes longer, and moves the same bytes.
  const auto slow = run(true, Style::later);
  CHECK(slow[std::size_t(spec::Counter::cycles)] > ideal[std::size_t(spec::Counter::cycles)]);
  CHECK(slow[std::size_t(spec::Counter::load_bytes)] == ideal[std::size_t(spec::Counter::load_bytes)]);
}

TEST_CASE("dies that have no such machine are refused by name") {
  Exchange x(1);
  CHECK_THROWS_WITH_AS(Platform(spec_with("ideal"), {&x.values.die(0)}), "systemc platform: machines, found 1, expected 4, one a die", Error);
}
