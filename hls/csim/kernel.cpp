// The kernel of one configuration; MAKE is the name of the function that gives it.
#include "kernel.hpp"

#include "error.hpp"
#include "hls/npu.cpp"

namespace jogak::hls_csim {

namespace {

using namespace JG_NAMESPACE;

static_assert(JG_NAMESPACE::kRegisterWords == hls_csim::kRegisterWords);

class NpuKernel final : public Kernel {
 public:
  const spec::Config& config() const override { return kConfig; }
  void run(std::span<u32, hls_csim::kRegisterWords> regs, std::span<u8> memory, u64 base, const std::atomic<bool>* stop) override {
    if (broken_) throw Error("hls kernel", "state of its tasks", "what a job left that did not end", "another kernel");
    broken_ = true;
    const hls::burst_maxi<PortWord> port(reinterpret_cast<PortWord*>(memory.data()), base / P, memory.size() / P);
    const csim::Use use(instance_);
    npu(port, port, port, regs.data(), stop);
    broken_ = false;
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

}  // namespace

std::unique_ptr<Kernel> MAKE() { return std::make_unique<NpuKernel>(); }

}  // namespace jogak::hls_csim
