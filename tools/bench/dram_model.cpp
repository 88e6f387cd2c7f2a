// The DRAM model against published figures: peak bandwidth less refresh, latencies, rates of random rows. Expected values come from the data
// sheets' nanoseconds here, not from the clocks that the model counts.
#include <algorithm>
#include <cmath>

#include "bench.hpp"
#include "sim/dram/measure.hpp"

namespace jogak::bench {
namespace {

using dram::Probe;
using dram::u64;

// Sources: docs/memory.md.
struct Sheet {
  const char* preset;
  double gb_per_s;                   // of all channels, as published
  double access_bytes, channels;
  double aa, rcd, rp, rc, faw, rrd;  // ns; aa: from the read command to the first data
  double banks;                      // of a channel
  double rfc, refi;                  // ns
};
constexpr Sheet kSheets[] = {
    {"ddr4-3200", 25.6, 64, 1, 13.75, 13.75, 13.75, 45.75, 21, 2.5, 16, 350, 7800},
    {"lpddr4-3200", 12.8, 32, 2, 28 / 1.6 + 1.5, 18, 18, 60, 40, 10, 8, 280, 3904},
    {"lpddr4-4266", 17.064, 32, 2, 36 / 2.133 + 1.5, 18, 18, 60, 30, 7.5, 8, 280, 3904},
    {"lpddr5-6400", 25.6, 32, 2, 17 / 0.8, 18, 18, 60, 20, 5, 16, 280, 3906},
    {"hbm2", 256, 32, 16, 14, 14, 14, 47, 16, 4, 16, 350, 3900},
    {"hbm3", 819.2, 32, 32, 14, 14, 14, 47, 16, 4, 16, 350, 3900},
};

class Comparison {
 public:
  Comparison(const Sheet& s, Report& report) : s_(s), p_(dram::find_preset(s.preset)), report_(report) {}

  void all() {
    const double burst = s_.access_bytes / (s_.gb_per_s / s_.channels), available = 1 - s_.rfc / s_.refi;
    const double accesses = s_.gb_per_s * 1e9 / s_.channels / s_.access_bytes;
    add("stream of reads, GB/s", stream(false), s_.gb_per_s * available);
    add("stream of writes, GB/s", stream(true), s_.gb_per_s * available);
    Probe idle(p_);
    add("idle, closed row, ns", ns(idle.alone(idle.at(0, 0, 0))), s_.rcd + s_.aa + burst);
    add("idle, open row, ns", ns(idle.alone(idle.at(0, 0, 0, 1), 100'000)), s_.aa + burst);
    add("idle, another row, ns", ns(idle.alone(idle.at(1, 0, 0), 100'000)), s_.rp + s_.rcd + s_.aa + burst);
    Probe bank(p_);
    add("rows of one bank, million/s", bank.rate(kAccesses, [&](u64 i) { return bank.at(i, 0, 0); }) / 1e6, 1e3 / s_.rc * available);
    const double bound = std::min({4e9 / s_.faw, 1e9 / s_.rrd, s_.banks * 1e9 / s_.rc, accesses}) * available;
    Probe rows(p_);
    add("rows of all banks in turn, million/s", rows.rate(kAccesses, [&](u64 i) {
      return rows.at(i / p_.groups / p_.banks, i / p_.groups % p_.banks, i % p_.groups);
    }) / 1e6, bound / 1e6);
    Probe anywhere(p_);
    std::mt19937_64 random(1);
    // Of random requests some wait for the same bank: with n in the queue, b banks are busy n / (n + b - 1) of the time.
    const double busy = double(dram::Channel::kWindow) / (dram::Channel::kWindow + s_.banks - 1);
    add("random addresses, million/s", anywhere.rate(kAccesses, [&](u64) { return (random() >> 20) * u64(s_.access_bytes); }) / 1e6,
        std::min(bound, busy * s_.banks * 1e9 / s_.rc * available) / 1e6);
  }

 private:
  static constexpr u64 kAccesses = 40'000;
  static double ns(u64 ps) { return double(ps) / 1000; }
  double stream(bool write) {
    Probe probe(p_);
    const double bytes = double(probe.access_bytes());
    return probe.rate(kAccesses, [&](u64 i) { return i * probe.access_bytes(); }, write) * bytes * s_.channels / 1e9;
  }
  void add(const std::string& what, double found, double expected) {
    const std::string name = std::string(s_.preset) + ": " + what;
    report_.add({.case_name = name + ", published", .value = expected, .unit = what.substr(what.rfind(' ') + 1)});
    report_.add({.case_name = name, .value = found, .unit = what.substr(what.rfind(' ') + 1)});
    report_.add({.case_name = name + ", off by", .value = 100 * std::abs(found / expected - 1), .unit = "%", .bar = 10, .less = true});
  }

  const Sheet& s_;
  const dram::Preset& p_;
  Report& report_;
};

void run(const Options&, Report& report) {
  for (const Sheet& s : kSheets) Comparison(s, report).all();
}

const Register registered{"dram-model", "the DRAM model's bandwidth, latencies and row rates against published figures", run};

}  // namespace
}  // namespace jogak::bench
