// A mesh of routers: every packet arrives whole at its die, packets of one pair of dies in their order, whoever stalls.
#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "Vmesh_bench.h"
#include "sim/link/flit.hpp"
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace {

using namespace jogak::link;
constexpr unsigned kX = 3, kY = 2, kDies = kX * kY;

struct Mesh {
  Mesh() : dut(std::make_unique<Vmesh_bench>()) {
    dut->clk_i = dut->rst_ni = dut->in_valid_i = dut->out_ready_i = 0;
    edge();
    dut->rst_ni = 1;
    dut->eval();
  }
  void edge() {
    dut->eval(), dut->clk_i = 1;
    dut->eval(), dut->clk_i = 0;
    dut->eval();
  }
  // nano: words of 64 bits.
  void put(unsigned die, std::uint64_t word) { dut->in_word_i[2 * die] = static_cast<std::uint32_t>(word), dut->in_word_i[2 * die + 1] = static_cast<std::uint32_t>(word >> 32); }
  std::uint64_t get(unsigned die) const { return dut->out_word_o[2 * die] | std::uint64_t{dut->out_word_o[2 * die + 1]} << 32; }
  std::unique_ptr<Vmesh_bench> dut;
};

// Head and data words; data words name source, destination, packet and place.
std::vector<std::uint64_t> packet(unsigned from, unsigned to, unsigned number, unsigned words) {
  PacketHead h;
  h.kind = words == 0 ? PacketKind::kSignal : PacketKind::kWrite;
  h.dst_x = to % kX, h.dst_y = to / kX, h.src_x = from % kX, h.src_y = from / kX;
  h.words = words == 0 ? 1 : words;
  h.addr = number & 0xfffff;
  std::vector<std::uint64_t> p{pack(h)};
  for (unsigned i = 0; i < words; ++i) p.push_back(std::uint64_t{from} << 56 | std::uint64_t{to} << 48 | std::uint64_t{number} << 16 | i);
  return p;
}

// offer, accept: in thousandths. to(from): where the next packet goes.
template <typename To>
std::array<std::array<unsigned, kDies>, kDies> run(unsigned offer, unsigned accept, int cycles, std::uint64_t seed, To to) {
  Mesh mesh;
  auto& d = *mesh.dut;
  std::mt19937_64 random(seed);
  std::array<std::deque<std::uint64_t>, kDies> sending;
  std::array<std::size_t, kDies> at{}, length{};
  std::array<std::array<std::deque<std::vector<std::uint64_t>>, kDies>, kDies> want;
  std::array<std::vector<std::uint64_t>, kDies> got;
  std::array<std::array<unsigned, kDies>, kDies> sent{}, arrived{};
  unsigned held = 0;
  for (int cycle = 0;; ++cycle) {
    const bool more = cycle < cycles;
    unsigned ready = 0, valid = 0, first = 0, last = 0;
    for (unsigned s = 0; s < kDies; ++s) {
      if (sending[s].empty() && more) {
        const unsigned t = to(s, random);
        auto p = packet(s, t, sent[s][t]++, random() % 4 == 0 ? 0 : 1 + random() % 64);
        sending[s].assign(p.begin(), p.end());
        length[s] = p.size(), at[s] = 0;
        want[s][t].push_back(std::move(p));
      }
      // What was offered and not taken stays.
      const bool on = !sending[s].empty() && ((held >> s & 1) != 0 || random() % 1000 < offer);
      if (on) mesh.put(s, sending[s].front()), valid |= 1u << s, first |= (at[s] == 0 ? 1u : 0u) << s, last |= (at[s] + 1 == length[s] ? 1u : 0u) << s;
      ready |= (random() % 1000 < (more ? accept : 1000) ? 1u : 0u) << s;
    }
    d.in_valid_i = valid, d.in_first_i = first, d.in_last_i = last, d.out_ready_i = ready;
    d.eval();
    held = valid & ~d.in_ready_o;
    bool idle = !more;
    for (unsigned s = 0; s < kDies; ++s) {
      if ((valid & d.in_ready_o) >> s & 1) sending[s].pop_front(), ++at[s];
      idle = idle && sending[s].empty();
      if (!((d.out_valid_o & ready) >> s & 1)) continue;
      REQUIRE((d.out_first_o >> s & 1) == got[s].empty());
      got[s].push_back(mesh.get(s));
      if (!(d.out_last_o >> s & 1)) continue;
      const PacketHead h = unpack(got[s].front());
      const unsigned from = h.src_x + h.src_y * kX;
      REQUIRE(from < kDies);
      REQUIRE_FALSE(want[from][s].empty());
      REQUIRE(got[s] == want[from][s].front());
      want[from][s].pop_front(), got[s].clear(), ++arrived[from][s];
    }
    for (const auto& row : want)
      for (const auto& queue : row) idle = idle && queue.empty();
    if (idle) return arrived;
    REQUIRE(cycle < cycles + 100000);
    mesh.edge();
  }
}

}  // namespace

TEST_CASE("router: a mesh brings every packet whole, pairs of dies in their order") {
  const auto anywhere = [](unsigned, std::mt19937_64& random) { return static_cast<unsigned>(random() % kDies); };
  std::uint64_t seed = 1;
  for (const auto& [offer, accept] : {std::pair{1000u, 1000u}, {1000u, 300u}, {300u, 1000u}, {600u, 600u}}) {
    const auto arrived = run(offer, accept, 12000, ++seed, anywhere);
    for (const auto& row : arrived)
      for (const unsigned n : row) CHECK(n > 3);
  }
}

TEST_CASE("router: all to one: each gets its turn") {
  const auto arrived = run(1000, 1000, 60000, 9, [](unsigned, std::mt19937_64&) { return 0u; });
  unsigned least = ~0u, most = 0;
  for (unsigned s = 0; s < kDies; ++s) least = std::min(least, arrived[s][0]), most = std::max(most, arrived[s][0]);
  CHECK(least > 20);
  CHECK(most < 8 * least);  // turns are fair at each router, so those near by get more
}
