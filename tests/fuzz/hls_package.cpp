// jogak-hls-package-fuzz: random exchanges between chiplets on the model of a package and on HLS kernels whose streams make a mesh.
//   jogak-hls-package-fuzz [--config nanoquad] [--seed 0] [--count 300] [--rounds 6]
// Every third program has a fault in one die, and runs once more without it. Exit status 0: no byte differs, no fault, no exact counter.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "arguments.hpp"
#include "error.hpp"
#include "hls/csim/hls_stream.h"
#include "hls/csim/kernel.hpp"
#include "sim/rtl/exchange.hpp"

using namespace jogak;
using rtl::kBase, rtl::kCodeBytes, rtl::kWindowBytes, rtl::kSpaces;
using model::u32;
using model::u64;
using model::u8;
using spec::Fault;

namespace {

struct Options {
  std::string config = "nanoquad";
  u64 seed = 0, count = 300, rounds = 6;
};

Options parse(int argc, char** argv) {
  Options o;
  fuzz::read_arguments("jogak-hls-package-fuzz", argc, argv, {{"--config", &o.config}, {"--seed", &o.seed}, {"--count", &o.count}, {"--rounds", &o.rounds}});
  return o;
}

struct Shape {
  u32 columns, rows;
};
Shape shape_of(u64 seed) {
  constexpr std::array<Shape, 7> kMeshes = {{{2, 2}, {2, 1}, {1, 2}, {1, 1}, {4, 1}, {1, 3}, {2, 2}}};
  return kMeshes[seed % kMeshes.size()];
}
// A die's memory, at the port's alignment.
struct alignas(64) Line {
  u8 byte[64];
};

class Case {
 public:
  Case(u64 seed, const Options& o, const spec::Config& config)
      : random_(seed), shape_(shape_of(seed)), model_(config, shape_.columns, shape_.rows), hls_(hls_csim::make_package(o.config, shape_.columns, shape_.rows)) {
    for (const ProgramBuilder& p : rtl::Exchange(config, dies(), seed, random_() % 2 != 0).make(u32(o.rounds))) code_.push_back(p.code());
    const std::vector<std::vector<spec::Insn>> good = code_;
    if (seed % 3 == 2) put_fault(), good_ = good;
    for (u32 d = 0; d < dies(); ++d) {
      memory_.emplace_back((kCodeBytes + kWindowBytes) / sizeof(Line));
      dram_.push_back(model_.die(d).dram().allocate(kBase + kCodeBytes, kWindowBytes));
      fill(d, seed);
    }
  }

  // Empty, or the first difference.
  std::string run() {
    std::string wrong = run_launches(1 + random_() % 2);
    if (!wrong.empty() || good_.empty()) return wrong;
    // Nothing of a fault stays, nor of an abort.
    code_ = good_, stray_ = false;
    for (u32 d = 0; d < dies(); ++d) fill(d, random_());
    wrong = run_launches(1);
    return wrong.empty() ? "" : "behind a fault, " + wrong;
  }

 private:
  std::string run_launches(u32 launches) {
    const u32 depth = std::array{1u, 2u, 32u}[random_() % 3];
    for (u32 l = 0; l < launches; ++l) {
      csim::set_order(random_() % 4 == 0 ? 0 : random_());
      const std::vector<model::Result> meant = model_.launch(launches_of());
      const std::string vain = run_hls(l > 0, depth);
      bool all = true;
      for (u32 d = 0; d < dies(); ++d) {
        const std::string wrong = compare(d, meant[d], vain);
        if (!wrong.empty()) return "launch " + std::to_string(l) + ", die " + std::to_string(d) + ": " + wrong;
        all = all && meant[d].ok();
      }
      if (!all) break;
    }
    return {};
  }

  u32 dies() const { return shape_.columns * shape_.rows; }
  u8* data(u32 die) { return memory_[die][0].byte + kCodeBytes; }

  void fill(u32 d, u64 seed) {
    model::Machine& m = model_.die(d);
    m.randomize(seed + d);
    for (u32& word : m.memories().vmem) word = 0x3f000000u | (static_cast<u32>(random_()) & 0x80ffffffu);
    for (u8& b : dram_[d]) b = static_cast<u8>(random_());
    std::ranges::copy(dram_[d], data(d));
    std::memcpy(memory_[d][0].byte, code_[d].data(), code_[d].size() * sizeof(spec::Insn));
    for (const spec::Space s : kSpaces) {
      const auto bytes = m.memories().bytes(s);
      for (std::size_t i = 0; i < bytes.size(); ++i) hls_->die(d).byte(s, i) = bytes[i];
    }
  }

  // Somewhere in one die's program: an instruction that may not be, or a store to nowhere, in registers that the program does not use.
  void put_fault() {
    constexpr u8 kOffset = 60, kLen = 61, kOne = 62;
    const u32 vmem = u32(spec::Space::vmem) << spec::limit::remote_region_bit;
    std::vector<spec::Insn>& code = code_[random_() % dies()];
    ProgramBuilder b;
    b.li(kOne, 1), b.li(kLen, 64);
    spec::Store s{};
    s.win = 1, s.space = spec::Space::vmem, s.da = kOffset, s.len = kLen, s.n1 = s.n2 = kOne;
    switch (random_() % 9) {
      case 0: b.emit(spec::Signal{rtl::Engine::st, 40, 1}); break;
      case 1: b.emit(spec::Wait{rtl::Engine::st, 40, 0}); break;
      case 2: b.emit(spec::Wait{rtl::Engine::mx, 5, 1}); break;
      case 3: b.li(kOffset, 1), b.store(s); break;                                     // align
      case 4: b.li(kOffset, model::kRemoteWindowBytes - 32), b.store(s); break;        // window
      case 5: b.li(kOffset, u32(spec::Space::wspm) << spec::limit::remote_region_bit), b.store(s); break;
      case 6: b.li(kOffset, vmem + model_.die(0).config().vmem_bytes - kStray), b.store(s), stray_ = true; break;
      case 7: b.li(kOffset, vmem + 2), b.store(s); break;
      default: b.li(kOffset, model::remote_signal_offset(33, 1) + 8), b.li(kLen, 4), b.store(s); break;
    }
    code.insert(code.begin() + static_cast<long>(random_() % code.size()), b.code().begin(), b.code().end());
  }

  std::vector<model::Launch> launches_of() {
    std::vector<model::Launch> launches;
    for (u32 d = 0; d < dies(); ++d) {
      model::Launch l{.code = code_[d]};
      l.windows[0] = {kBase + kCodeBytes, kWindowBytes, true, true};
      for (u32 j = 0; j < dies(); ++j) l.windows[1 + j] = {model::remote_base(j % shape_.columns, j / shape_.columns), model::kRemoteWindowBytes, false, true};
      launches.push_back(l);
    }
    return launches;
  }

  std::string run_hls(bool resident, u32 depth) {
    namespace csr = spec::csr;
    const std::vector<model::Launch> launches = launches_of();
    regs_.assign(dies(), {});
    std::vector<hls_csim::Job> jobs;
    for (u32 d = 0; d < dies(); ++d) {
      auto& r = regs_[d];
      r[csr::code_lo / 4] = static_cast<u32>(kBase), r[csr::code_len / 4] = static_cast<u32>(code_[d].size());
      r[csr::launch_flags / 4] = resident;
      for (u32 w = 0; w < launches[d].windows.size(); ++w) {
        const model::Window& from = launches[d].windows[w];
        r[csr::win_base_lo_at(w) / 4] = static_cast<u32>(from.base), r[csr::win_base_hi_at(w) / 4] = static_cast<u32>(from.base >> 32);
        r[csr::win_size_at(w) / 4] = from.size, r[csr::win_flags_at(w) / 4] = u32(from.readable) | u32(from.writable) << 1;
      }
      jobs.push_back({r, {memory_[d][0].byte, memory_[d].size() * sizeof(Line)}, kBase});
    }
    std::atomic<bool> stop = false;
    return hls_->run(jobs, stop, depth);
  }

  // What others send to a die that has ended by a fault comes or not.
  static bool in_inbox(spec::Space s, std::size_t byte) {
    const std::size_t at = s == spec::Space::asc ? byte * 16 : byte;
    return at >= (16 << 10) && at < (24 << 10) && s != spec::Space::wspm && s != spec::Space::wsc;
  }

  // A die that waits for what never comes has fault timeout in the model; hardware is aborted, and its engines may have gone further.
  std::string compare(u32 d, const model::Result& meant, const std::string& vain) {
    namespace csr = spec::csr;
    const auto& r = regs_[d];
    const auto at = [&r](u32 offset) { return r[offset / 4]; };
    if (meant.fault.code == Fault::timeout) {
      const bool told = vain.find("die " + std::to_string(d) + ": its ") != std::string::npos;
      return (at(csr::status) & 8) != 0 && told ? "" : "it ended, expected a wait in vain; " + vain;
    }
    const model::FaultRecord fault{static_cast<Fault>(at(csr::fault_cause)), at(csr::fault_pc), static_cast<rtl::Engine>(at(csr::fault_engine)), at(csr::fault_addr_lo) | u64(at(csr::fault_addr_hi)) << 32};
    if (!(fault == meant.fault))
      return "fault " + std::to_string(u32(fault.code)) + " at pc " + std::to_string(fault.pc) + ", expected " + std::to_string(u32(meant.fault.code)) + " at " + std::to_string(meant.fault.pc) + "; " + vain;
    if ((at(csr::status) & 8) != 0 && meant.ok()) return "it was aborted: " + vain;
    if (meant.fault.code == Fault::bus) return {};  // what else was under way is open
    for (const spec::CounterInfo& c : spec::counters) {
      const u64 found = at(csr::counter_at(c.index)) | u64(at(csr::counter_at(c.index) + 4)) << 32;
      if (c.exact && found != meant.counters.values[c.index]) return std::string("counter ") + c.name + " " + std::to_string(found) + ", expected " + std::to_string(meant.counters.values[c.index]);
    }
    for (const spec::Space s : kSpaces) {
      const auto bytes = model_.die(d).memories().bytes(s);
      for (std::size_t i = 0; i < bytes.size(); ++i)
        if (hls_->die(d).byte(s, i) != bytes[i] && (meant.ok() || !in_inbox(s, i)) && !(stray_ && s == spec::Space::vmem && i + kStray >= bytes.size())) return "byte " + std::to_string(i) + " of " + spec::space_values[u32(s)].name;
    }
    return std::memcmp(data(d), dram_[d].data(), kWindowBytes) == 0 ? "" : "dram";
  }

  static constexpr u32 kStray = 32;
  bool stray_ = false;  // the last bytes of a vector memory are sent to it, which may have ended by then

  std::mt19937_64 random_;
  Shape shape_;
  model::Package model_;
  std::unique_ptr<hls_csim::Package> hls_;
  std::vector<std::vector<spec::Insn>> code_, good_;  // good: without the fault that one of code has
  std::vector<std::vector<Line>> memory_;
  std::vector<std::span<u8>> dram_;
  std::vector<std::array<u32, hls_csim::kRegisterWords>> regs_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options o = parse(argc, argv);
    const spec::Config* config = spec::find_config(o.config.c_str());
    if (config == nullptr) throw Error("jogak-hls-package-fuzz", "configuration", o.config, "one of spec/configs");
    const auto start = std::chrono::steady_clock::now();
    u64 differ = 0;
    for (u64 seed = o.seed; seed < o.seed + o.count && differ < 3; ++seed) {
      std::string wrong;
      try {
        wrong = Case(seed, o, *config).run();
      } catch (const std::exception& error) {
        wrong = error.what();
      }
      if (wrong.empty()) continue;
      ++differ;
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), wrong.c_str());
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%s packages: %llu programs, %.1f programs/s, %llu differ\n", o.config.c_str(), static_cast<unsigned long long>(o.count), double(o.count) / seconds.count(), static_cast<unsigned long long>(differ));
    return differ == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
