// The kernel of one configuration; MAKE is the name of the function that gives it, MAKE_PACKAGE of the one that gives several with links.
#include "kernel.hpp"

#include <algorithm>
#include <functional>

#include "error.hpp"
#include "hls/npu.cpp"
#if JG_LINKS
#include "mesh.hpp"
#endif

namespace jogak::hls_csim {

namespace {

using namespace JG_NAMESPACE;

static_assert(JG_NAMESPACE::kRegisterWords == hls_csim::kRegisterWords);

#if JG_LINKS
// A device would find what is left in the network at its next job.
void check_taken(u32 die, const NetStream& to_die) {
  if (!to_die.empty()) throw Error("hls package", "end of die " + std::to_string(die), "packets behind it", "a wait for the last one before");
}
#endif

class NpuKernel final : public Kernel {
 public:
  const spec::Config& config() const override { return kConfig; }
  void run(std::span<u32, hls_csim::kRegisterWords> regs, std::span<u8> memory, u64 base, const std::atomic<bool>* stop) override {
#if JG_LINKS
    Mesh mesh(1, 1, Package::kNetworkDepth);
    csim::Region region;
    region.process("die", [&] { job({regs, memory, base}, stop, mesh.from_die(0), mesh.to_die(0)); });
    mesh.add(region);
    region.run();
    if ((regs[spec::csr::status / 4] & (2 | 8)) == 0) check_taken(0, mesh.to_die(0));
#else
    job({regs, memory, base}, stop);
#endif
  }
  template <class... Network>
  void job(const Job& j, const std::atomic<bool>* stop, Network&... network) {
    if (broken_) throw Error("hls kernel", "state of its tasks", "what a job left that did not end", "another kernel");
    broken_ = true;
    const hls::burst_maxi<PortWord> port(reinterpret_cast<PortWord*>(j.memory.data()), j.base / P, j.memory.size() / P);
    const csim::Use use(instance_);
    npu(port, port, port, j.regs.data(), network..., stop);
    if (const std::string left = instance_.take_left(); !left.empty()) throw Error("hls kernel", "its streams at the end of a job", left, "nothing in them");
    broken_ = false;
  }
  // What keeps it from ending, in words.
  std::string waits() {
    constexpr std::array names = {"load engine", "store engine", "matrix engine", "vector engine", "sequencer"};
    std::string text;
    for (u32 e = 0; e < kEngines; ++e) {
      const SemRequest& r = of<Pending>()[e];
      if (r.op == SemOp::take) text += std::string(text.empty() ? "" : ", ") + "its " + names[e] + " waits for " + std::to_string(r.n) + " of semaphore " + std::to_string(r.sem);
    }
    return text.empty() ? "nobody takes what it sends" : text;
  }
  u8& byte(spec::Space space, std::size_t at) override {
    if (at >= space_bytes(space)) {
      throw Error("hls kernel", "byte of a memory", std::to_string(at), "below " + std::to_string(space_bytes(space)));
    }
    switch (space) {
      case spec::Space::wspm: return (&of<WeightBytes>().wspm[0][0])[at];
      case spec::Space::wsc: return (&of<WeightBytes>().wsc[0][0])[at];
      case spec::Space::aspm: return (&of<ActivationBytes>().aspm[0][0])[at];
      case spec::Space::asc: return reinterpret_cast<u8*>(of<ActivationBytes>().asc)[at];
      case spec::Space::vmem: break;
    }
    const std::size_t row = at / (4 * C);
    return reinterpret_cast<u8*>(of<VectorWords>().vmem[row % kBanks][row / kBanks])[at % (4 * C)];
  }

 private:
  template <class Memory>
  Memory& of() {
    return instance_.state<Memory, Memory>();
  }

  csim::Instance instance_;
  bool broken_ = false;
};

#if JG_LINKS
class NpuPackage final : public Package {
 public:
  NpuPackage(u32 columns, u32 rows) : columns_(columns), rows_(rows), dies_(columns * rows) {}
  u32 dies() const override { return static_cast<u32>(dies_.size()); }
  Kernel& die(u32 index) override { return dies_.at(index); }

  std::string run(std::span<const Job> jobs, std::atomic<bool>& stop, u32 depth) override {
    Mesh mesh(columns_, rows_, depth);
    std::vector<bool> ended(dies()), deaf(dies());  // deaf: what is sent to it is thrown away
    csim::Region region;
    for (u32 d = 0; d < dies(); ++d) {
      u32& place = jobs[d].regs[spec::csr::place / 4];
      place = (place & ~u32(0xffff)) | mesh.place(d);
      region.process("die " + std::to_string(d), [&, d] {
        dies_[d].job(jobs[d], &stop, mesh.from_die(d), mesh.to_die(d));
        ended[d] = true;
        deaf[d] = (jobs[d].regs[spec::csr::status / 4] & 2) != 0;  // a fault: others that were about to send to it are no worse off
      });
    }
    mesh.add(region);
    std::string vain;
    for (u32 still = 0; !region.over();) {
      if (region.pass() || drain(mesh, deaf)) {
        still = 0;
      } else if (!stop) {
        for (u32 d = 0; d < dies(); ++d)
          if (!ended[d]) vain += (vain.empty() ? "die " : "; die ") + std::to_string(d) + ": " + dies_[d].waits();
        stop = true;
      } else if (!drain(mesh, ended) && ++still > 1) {
        throw csim::Deadlock("hls: no process can go on:" + region.stuck());
      }
    }
    while (region.pass()) {}
    const bool whole = !stop && std::ranges::none_of(deaf, std::identity());
    for (u32 d = 0; whole && d < dies(); ++d) check_taken(d, mesh.to_die(d));
    return vain;
  }

 private:
  // Throws away what was sent to these dies; whether there was anything.
  bool drain(Mesh& mesh, const std::vector<bool>& these) {
    bool any = false;
    NetWord word;
    for (u32 d = 0; d < dies(); ++d)
      while (these[d] && mesh.to_die(d).read_nb(word)) any = true;
    return any;
  }

  u32 columns_, rows_;
  std::deque<NpuKernel> dies_;
};
#endif

}  // namespace

#if JG_LINKS
std::unique_ptr<Package> MAKE_PACKAGE(u32 columns, u32 rows) {
  if (columns == 0 || rows == 0 || columns > 16 || rows > 16 || columns * rows > kConfig.chiplets)
    throw Error("hls package", "mesh", std::to_string(columns) + " x " + std::to_string(rows), "1 to " + std::to_string(kConfig.chiplets) + " chiplets, 16 a side at most");
  return std::make_unique<NpuPackage>(columns, rows);
}
#endif
std::unique_ptr<Kernel> MAKE() { return std::make_unique<NpuKernel>(); }

}  // namespace jogak::hls_csim
