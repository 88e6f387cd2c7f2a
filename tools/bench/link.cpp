// link-goodput: bytes of data delivered per byte that the lanes can carry, packets of 64 words both ways, on the RTL of edge and on its
// model, which are the same cycle by cycle; every word is compared with what was sent. link-latency: a word into one end until it
// leaves the other, both on one clock, over a channel that takes no time but that of the flit.
#include <memory>

#include "Vlink_edge.h"
#include "common.hpp"
#define LINK_DUT Vlink_edge
#define LINK_HEADER "Vlink_edge.h"
#include "rtl/link/rtl_end.hpp"
#include "sim/link/traffic.hpp"

namespace jogak::bench {
namespace {

constexpr unsigned kPortBytes = 16, kWords = 64;
constexpr std::uint64_t kPeriodPs = 1000;

struct Goodput {
  double share = 0;  // of the lanes' bytes, the worse direction
  std::uint64_t flits = 0, damaged = 0, wrong = 0;
};

// Until `flits` have been put on the lanes. A word that is not the next one of its stream ends the run and counts.
template <typename End>
Goodput goodput(double gb_per_s, double ber, std::uint64_t flits, std::uint64_t seed) {
  link::PairOptions p;
  p.end.port_bytes = kPortBytes;
  p.channel = {gb_per_s, 2000, ber, seed};
  p.period_ps = {kPeriodPs, kPeriodPs};
  link::LinkRun<End> run(p, {kPortBytes, kWords, 1, 1, seed});
  Goodput g;
  while (!run.pair.end(0).up() || !run.pair.end(1).up()) run.step();
  for (int i = 0; i < 2000; ++i) run.step();
  const auto begin = run.pair.now_ps();
  const std::uint64_t before[2] = {run.way[0].data_bytes, run.way[1].data_bytes};
  try {
    while (run.pair.channel(0).flits() + run.pair.channel(1).flits() < flits) run.step();
    const double lanes = gb_per_s * static_cast<double>(run.pair.now_ps() - begin) / 1000;
    g.share = static_cast<double>(std::min(run.way[0].data_bytes - before[0], run.way[1].data_bytes - before[1])) / lanes;
    g.wrong = run.drain(1'000'000) ? 0 : 1;
  } catch (const std::runtime_error&) {
    g.wrong = 1;
  }
  g.flits = run.pair.channel(0).flits() + run.pair.channel(1).flits();
  g.damaged = run.pair.channel(0).damaged() + run.pair.channel(1).damaged();
  return g;
}

void add(Report& report, const char* on, double rate, double ber, const Goodput& g) {
  char what[96];
  std::snprintf(what, sizeof what, "%.0f GB/s, bit error rate %.0e", rate, ber);
  Figure f{.case_name = what, .config = "edge", .on = on, .value = g.share, .unit = "of the lanes' bytes"};
  if (ber == 0) f.bar = 0.92;
  else if (ber < 1e-5) f.bar = 0.90;
  report.add(f);
  report.add({.case_name = std::string(what) + ": runs that lost, doubled, changed or swapped a word, " + std::to_string(g.flits) + " flits, " + std::to_string(g.damaged) + " damaged",
              .config = "edge", .on = on, .value = static_cast<double>(g.wrong), .unit = "", .bar = 0, .less = true});
}

void run_goodput(const Options& options, Report& report) {
  for (const double rate : {16.0, 4.0})
    for (const double ber : {0.0, 1e-6, 1e-4}) add(report, "rtl", rate, ber, goodput<link::RtlEnd>(rate, ber, 350'000, options.seed));
  for (const double ber : {0.0, 1e-6, 1e-4}) add(report, "model", 16, ber, goodput<link::LinkEnd>(16, ber, 34'000'000, options.seed));
}

// Cycles from the edge that takes the word to the one at which it can be taken at the other end.
void run_latency(const Options&, Report& report) {
  link::PairOptions p;
  p.end.port_bytes = kPortBytes;
  p.channel = {68, 0, 0, 1};
  link::Pair<link::RtlEnd> pair(p);
  link::PacketHead head;
  head.kind = link::PacketKind::kSignal;
  const std::uint64_t bits = link::pack(head);
  long cycle = 0, in = 0, worst = 0, packets = 0;
  bool under_way = false;
  while (packets < 1000 && cycle < 200'000) {
    const bool up = pair.end(0).up() && pair.end(1).up();
    pair.step(
        [&](unsigned side) {
          link::Port port;
          port.out_ready = true;
          if (side == 0 && up && !under_way && cycle % 37 == 0) {
            port.in_valid = port.in_last = true;
            port.in_word[0] = static_cast<std::uint32_t>(bits), port.in_word[1] = static_cast<std::uint32_t>(bits >> 32);
          }
          return port;
        },
        [&](unsigned side, const link::Port&, bool taken, bool given) {
          if (side == 0 && taken) in = cycle, under_way = true;
          if (side == 1 && given) worst = std::max(worst, cycle - in), under_way = false, ++packets;
        });
    ++cycle;
  }
  report.add({.case_name = "a packet of one word, worst of " + std::to_string(packets), .config = "edge", .on = "rtl",
              .value = packets == 1000 ? static_cast<double>(worst) : 1e9, .unit = "cycles", .bar = 12, .less = true});
}

const Register registered_goodput{"link-goodput", "die-to-die link: data delivered per byte of the lanes, with bit errors", run_goodput};
const Register registered_latency{"link-latency", "die-to-die link: cycles from end to end", run_latency};

}  // namespace
}  // namespace jogak::bench
