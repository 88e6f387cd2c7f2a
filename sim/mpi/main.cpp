// jogak-mpi: a package of Verilated chiplets on random exchanges, its dies split over the processes of mpirun; one process without.
//
//   mpirun -n 2 jogak-mpi --config quad --rounds 40
//
// Prints a line of JSON: cycles, a hash of all memories, faults and counters (the same for any number of processes), and the speed.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "error.hpp"
#include "sim/rtl/exchange.hpp"
#include "sim/rtl/package.hpp"
#include "transport.hpp"

namespace {

using namespace jogak;
using namespace jogak::rtl;

constexpr u64 kSlice = 20'000, kLimit = 50'000'000;  // cycles

struct Hash {
  u64 value = 0xcbf29ce484222325u;
  void add(std::span<const u8> bytes) {
    for (const u8 b : bytes) value = (value ^ b) * 0x100000001b3u;
  }
  void add(u64 v) { add({reinterpret_cast<const u8*>(&v), sizeof v}); }
};

struct Job {
  std::string config = "nanoquad";
  u32 rounds = 8, launches = 1, latency_ps = 10'000;
  u64 seed = 1;
  double ber = 0, gb_per_s = 68;
  bool trouble = false;  // links between dies 0 and 2 lose lanes and die for a while
};

Job parse(int argc, char** argv) {
  std::map<std::string, std::string> given;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    if (key == "--trouble") given[key] = "1";
    else if (i + 1 < argc) given[key] = argv[++i];
    else throw Error("jogak-mpi", "option", key, "one with a value");
  }
  Job job;
  for (const auto& [key, value] : given) {
    if (key == "--config") job.config = value;
    else if (key == "--rounds") job.rounds = static_cast<u32>(std::stoul(value));
    else if (key == "--launches") job.launches = static_cast<u32>(std::stoul(value));
    else if (key == "--latency-ps") job.latency_ps = static_cast<u32>(std::stoul(value));
    else if (key == "--seed") job.seed = std::stoull(value);
    else if (key == "--ber") job.ber = std::stod(value);
    else if (key == "--gb-per-s") job.gb_per_s = std::stod(value);
    else if (key == "--trouble") job.trouble = true;
    else throw Error("jogak-mpi", "option", key, "--config, --rounds, --launches, --latency-ps, --seed, --ber, --gb-per-s or --trouble");
  }
  return job;
}

std::unique_ptr<PackageSimulator> package_of(const Job& job, Transport& transport) {
  PackageOptions o;
  o.link = {job.gb_per_s, job.latency_ps, job.ber, job.seed};
  o.die.seed = job.seed, o.die.stall = 20;
  o.die.dram_base = kBase, o.die.dram_bytes = kCodeBytes + kWindowBytes;
  o.access_cycles = 48, o.look_cycles = 200;
  if (transport.ranks() > 1) o.transport = &transport;
  auto package = make_package(job.config, o);
  std::mt19937_64 random(job.seed);
  for (unsigned d = 0; d < package->dies(); ++d) {
    for (const Space s : kSpaces) {
      std::vector<u8> bytes(s == Space::wsc || s == Space::asc ? 4096 : 65536);
      for (u8& b : bytes) b = u8(random() % 64);
      package->die(d).poke(s, 0, bytes);
    }
    for (u8& b : package->die(d).dram()) b = u8(random());
  }
  return package;
}

void launch(PackageSimulator& package, const Job& job) {
  const auto programs = Exchange(package.die(0).config(), package.dies(), job.seed, true).make(job.rounds);
  for (unsigned d = 0; d < package.dies(); ++d) {
    const auto& code = programs[d].code();
    if (code.size() * sizeof(spec::Insn) > kCodeBytes) throw Error("jogak-mpi", "rounds", std::to_string(job.rounds), "fewer: the program has room for " + std::to_string(kCodeBytes) + " bytes");
    sim::LaunchSetup setup{.code = kBase, .code_len = u32(code.size())};
    setup.windows[0] = {kBase + kCodeBytes, kWindowBytes, true, true};
    for (u32 j = 0; j < package.dies(); ++j) setup.windows[1 + j] = {model::remote_base(j % 2, j / 2), model::kRemoteWindowBytes, false, true};
    std::memcpy(package.die(d).dram().data(), code.data(), code.size() * sizeof(spec::Insn));
    sim::launch(package.die(d), setup);
  }
}

// Lanes break, then the link is dead for a while, in the middle of the traffic.
void trouble(PackageSimulator& package) {
  package.run_until_done(2000);
  package.channel(0, 2).break_lanes(true, false);
  package.run_until_done(4000);
  package.channel(2, 3).cut(true);
  package.run_until_done(3000);
  package.channel(2, 3).cut(false);
  package.channel(0, 2).break_lanes(false, false);
}

u64 hash_of(PackageSimulator& package, Transport& transport) {
  Hash hash;
  u64 drams = 0;
  for (unsigned d = 0; d < package.dies(); ++d) {
    const sim::RunResult r = sim::collect(package.die(d));
    hash.add(static_cast<u64>(r.fault.code) | u64(r.done) << 32);
    for (const u64 c : r.counters) hash.add(c);
    for (const Space s : kSpaces) {
      std::vector<u8> bytes(s == Space::wsc || s == Space::asc ? 4096 : 65536);
      package.die(d).peek(s, 0, bytes);
      hash.add(bytes);
    }
    if (!package.mine(d)) continue;
    Hash dram;
    dram.add(package.die(d).dram());
    drams += dram.value * (d + 1);
  }
  hash.add(transport.sum(drams));
  return hash.value;
}

// All dies to their ends.
void finish(PackageSimulator& package) {
  for (const u64 begin = package.cycles(); !package.run_until_done(kSlice);)
    if (package.cycles() - begin > kLimit) throw Error("jogak-mpi", "cycles", "some dies still running after " + std::to_string(kLimit), "all done");
}

void run(const Job& job, Transport& transport) {
  const auto package = package_of(job, transport);
  const u64 begin = package->cycles();
  const auto start = std::chrono::steady_clock::now();
  for (u32 i = 0; i < job.launches; ++i) {
    launch(*package, job);
    if (job.trouble) trouble(*package);
    finish(*package);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const u64 cycles = package->cycles(), replays = package->replays(), exchanges = transport.sum(package->exchanges());
  const u64 hash = hash_of(*package, transport);
  if (transport.rank() != 0) return;
  std::printf("{\"config\": \"%s\", \"cycles\": %llu, \"ran\": %llu, \"replays\": %llu, \"hash\": \"%016llx\", \"processes\": %u, \"exchanges\": %llu, \"cycles_per_s\": %.0f}\n", job.config.c_str(),
              static_cast<unsigned long long>(cycles), static_cast<unsigned long long>(cycles - begin), static_cast<unsigned long long>(replays), static_cast<unsigned long long>(hash), transport.ranks(),
              static_cast<unsigned long long>(exchanges), static_cast<double>(cycles - begin) / seconds);
}

}  // namespace

int main(int argc, char** argv) {
  mpi::MpiTransport transport(&argc, &argv);
  try {
    run(parse(argc, argv), transport);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    if (transport.ranks() > 1) mpi::MpiTransport::abort();
    return 1;
  }
}
