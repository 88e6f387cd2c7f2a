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
#include <sstream>
#include <string>

#include "error.hpp"
#include "sim/rtl/exchange.hpp"
#include "sim/rtl/package.hpp"
#include "transport.hpp"

namespace {

using namespace jogak;
using namespace jogak::rtl;

constexpr u64 kLimit = 50'000'000;  // cycles

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
  int silent = -1;       // a die whose program ends at once, so that the others wait in vain
  u64 patience = 200'000;
};

template <class T>
void read(const std::string& key, const std::string& text, T low, T high, T& value) {
  std::istringstream in(text);
  if (!(in >> value) || !in.eof() || text.front() == '-' || !(value >= low && value <= high)) {
    std::ostringstream range;
    range << "a number from " << low << " to " << high;
    throw Error("jogak-mpi", key, text, range.str());
  }
}

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
    else if (key == "--rounds") read(key, value, 1u, 1000u, job.rounds);
    else if (key == "--launches") read(key, value, 1u, 1000u, job.launches);
    else if (key == "--latency-ps") read(key, value, 1000u, 1'000'000'000u, job.latency_ps);
    else if (key == "--seed") read(key, value, u64(0), ~u64(0), job.seed);
    else if (key == "--ber") read(key, value, 0.0, 0.01, job.ber);
    else if (key == "--gb-per-s") read(key, value, 0.1, 10'000.0, job.gb_per_s);
    else if (key == "--silent") read(key, value, 0, 3, job.silent);
    else if (key == "--patience") read(key, value, u64(1000), kLimit, job.patience);
    else if (key == "--trouble") job.trouble = true;
    else throw Error("jogak-mpi", "option", key, "--config, --rounds, --launches, --latency-ps, --seed, --ber, --gb-per-s, --silent, --patience or --trouble");
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
  auto programs = Exchange(package.die(0).config(), package.dies(), job.seed, true).make(job.rounds);
  if (job.silent >= 0) programs[static_cast<std::size_t>(job.silent)] = {}, programs[static_cast<std::size_t>(job.silent)].halt();
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

// False where a die never ends, which all processes find together.
bool run(const Job& job, Transport& transport) {
  const auto package = package_of(job, transport);
  const u64 begin = package->cycles();
  const auto start = std::chrono::steady_clock::now();
  for (u32 i = 0; i < job.launches; ++i) {
    launch(*package, job);
    if (job.trouble) trouble(*package);
    try {
      run_to_end(*package, kLimit, job.patience);
    } catch (const Error& error) {
      if (transport.rank() == 0) std::fprintf(stderr, "%s\n", error.what());
      return false;
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const u64 cycles = package->cycles(), replays = package->replays(), exchanges = transport.sum(package->exchanges());
  const u64 hash = hash_of(*package, transport);
  if (transport.rank() != 0) return true;
  std::printf("{\"config\": \"%s\", \"cycles\": %llu, \"ran\": %llu, \"replays\": %llu, \"hash\": \"%016llx\", \"processes\": %u, \"exchanges\": %llu, \"cycles_per_s\": %.0f}\n", job.config.c_str(),
              static_cast<unsigned long long>(cycles), static_cast<unsigned long long>(cycles - begin), static_cast<unsigned long long>(replays), static_cast<unsigned long long>(hash), transport.ranks(),
              static_cast<unsigned long long>(exchanges), static_cast<double>(cycles - begin) / seconds);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  mpi::MpiTransport transport(&argc, &argv);
  Job job;
  try {
    job = parse(argc, argv);
  } catch (const std::exception& error) {  // of all processes
    if (transport.rank() == 0) std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  try {
    return run(job, transport) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    if (transport.ranks() > 1) mpi::MpiTransport::abort();
    return 1;
  }
}
