// The kernel of one configuration; MAKE is the name of the function that gives it.
#include "kernel.hpp"

#include <cstring>

#include "error.hpp"
#include "hls/npu.cpp"  // one translation unit: the memories are the kernel's own

namespace jogak::hls_csim {

namespace {

using namespace JG_NAMESPACE;

static_assert(JG_NAMESPACE::kRegisterWords == hls_csim::kRegisterWords);

class NpuKernel final : public Kernel {
 public:
  NpuKernel() { std::memset(&memories, 0, sizeof memories); }

  const spec::Config& config() const override { return kConfig; }
  void run(std::span<u32, hls_csim::kRegisterWords> regs, std::span<u8> memory, u64 base, const std::atomic<bool>* stop) override {
    // What was under way stays in the tasks' state, which is the thread's.
    static thread_local bool broken = false;
    if (broken) throw Error("hls kernel", "state of this thread", "what a job left that did not end", "another thread or process");
    broken = true;
    const hls::burst_maxi<PortWord> port(reinterpret_cast<PortWord*>(memory.data()), base / P, memory.size() / P);
    npu(port, port, port, regs.data(), stop);
    broken = false;
  }
  u8& byte(spec::Space space, std::size_t at) override {
    if (at >= space_bytes(space)) {
      throw Error("hls kernel", "byte of a memory", std::to_string(at), "below " + std::to_string(space_bytes(space)));
    }
    switch (space) {
      case spec::Space::wspm: return (&memories.wspm[0][0])[at];
      case spec::Space::wsc: return (&memories.wsc[0][0])[at];
      case spec::Space::aspm: return (&memories.aspm[0][0])[at];
      case spec::Space::asc: return reinterpret_cast<u8*>(memories.asc)[at];
      case spec::Space::vmem: break;
    }
    const std::size_t row = at / (4 * C);
    return reinterpret_cast<u8*>(memories.vmem[row % kBanks][row / kBanks])[at % (4 * C)];
  }
};

}  // namespace

std::unique_ptr<Kernel> MAKE() { return std::make_unique<NpuKernel>(); }

}  // namespace jogak::hls_csim
