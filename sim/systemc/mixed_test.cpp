// Cycle models and Verilated RTL side by side.
#include "exchange_test.hpp"
#include "fixed_memory_test.hpp"
#include "host.hpp"
#include "platform.hpp"
#include "rtl_chiplet.hpp"

using namespace jogak;
using namespace jogak::systemc;

namespace {

constexpr u64 kBytes = rtl::kCodeBytes + rtl::kWindowBytes;

void mixed(u64 seed, const package::PackageSpec& spec) {
  const Outcome expected = plain(seed, spec, 2, 1000);
  Exchange x(seed);
  Platform platform(spec, x.values, rtl::kBase, kBytes);
  Outcome outcome;
  for (u32 d = 0; d < 4; ++d) platform.die(d).trace(&outcome.events[d]);
  for (int i = 0; i < 2; ++i) {
    std::vector<Chiplet::Job> jobs;
    for (const model::Launch& l : x.launches) jobs.push_back({l, rtl::kBase, false});
    platform.begin(jobs);
    int pieces = 0;
    while (!platform.run(10'000)) REQUIRE(++pieces < 100);
    std::vector<model::Result> results;
    for (u32 d = 0; d < 4; ++d) results.push_back(platform.die(d).result());
    keep(outcome, x, results);
    // The Verilated dies' memories, to the byte, are those of the exact model.
    for (u32 d = 0; d < 4; ++d) {
      auto* die = dynamic_cast<RtlChiplet*>(&platform.die(d));
      if (die == nullptr) continue;
      for (const auto space : rtl::kSpaces) {
        const auto expect = x.values.die(d).memories().bytes(space);
        std::vector<std::uint8_t> found(expect.size());
        die->machine().peek(space, 0, found);
        CHECK(std::ranges::equal(found, expect));
      }
    }
  }
  same(expected, outcome);
}

}  // namespace

TEST_CASE("cycle models and Verilated dies in one package: the same bits in the same cycles") {
  package::PackageSpec spec = spec_with("ideal");
  SUBCASE("one Verilated") { spec.dies[1].as = "rtl"; }
  SUBCASE("across, packets pass through both kinds") { spec.dies[1].as = spec.dies[2].as = "rtl"; }
  SUBCASE("all Verilated, DDR4") {
    spec = spec_with("ddr4-3200");
    for (auto& d : spec.dies) d.as = "rtl";
  }
  mixed(11, spec);
}

TEST_CASE("somebody else's memory at a Verilated chiplet's socket: a fixed latency, as the ideal memory has it") {
  const auto code = round_trips();
  const auto run = [&](bool foreign) {
    model::Machine machine(*spec::find_config("nanoquad"));
    machine.dram().allocate(1 << 20, 1 << 16);
    model::Launch launch{.code = code};
    launch.windows[0] = {1 << 20, 1 << 15, true, true};
    Simulation simulation;
    const Simulation::Enter in(simulation);
    Values values({&machine});
    values.ignore(0);
    auto chiplet = std::make_unique<RtlChiplet>("chiplet", Chiplet::Options{Clock{}, 0, 0, 0, 0, foreign ? 64u : 0u, {}}, values, 0, RtlChiplet::Store{1 << 20, 1 << 16});
    std::unique_ptr<FixedMemory> memory;
    if (foreign) memory = std::make_unique<FixedMemory>("memory", 64'000, Style::at_once), chiplet->memory()->socket.bind(memory->socket);
    auto host = std::make_unique<Host>("host", std::vector<Chiplet*>{chiplet.get()});
    sc_core::sc_start(10, sc_core::SC_NS);
    chiplet->launch({launch, (1 << 20) + (1 << 15), false}, 1500);
    sc_core::sc_start(30, sc_core::SC_US);
    CHECK(chiplet->over());
    const auto counters = chiplet->result().counters.values;
    host.reset(), memory.reset(), chiplet.reset();
    return counters;
  };
  const auto ideal = run(false);
  CHECK(ideal[std::size_t(spec::Counter::cycles)] > 1000);
  CHECK(run(true) == ideal);
}
