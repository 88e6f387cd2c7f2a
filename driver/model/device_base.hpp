// What devices with the exact model inside share: its memory, and registers that say when a job begins.
#pragma once

#include "../guard.hpp"
#include "../host_memory.hpp"
#include "registers.hpp"

namespace jogak::driver {

class ModelDeviceBase : public Device {
 public:
  ModelDeviceBase(const spec::Config& config, std::uint64_t memory_bytes)
      : machine_(config), registers_(machine_.config()), memory_(static_cast<std::size_t>(memory_bytes)) {
    arena_.attach(memory_.bytes(), kMemoryBase);
    machine_.dram().attach(kMemoryBase, memory_.bytes());
  }

  Status alloc(std::uint64_t bytes, std::uint64_t& address) final {
    return guarded([&] { return arena_.alloc(bytes, address); });
  }
  Status free(std::uint64_t address) final { return arena_.free(address); }
  Status copy_in(std::uint64_t address, std::span<const std::uint8_t> bytes) final { return arena_.copy_in(address, bytes); }
  Status copy_out(std::uint64_t address, std::span<std::uint8_t> bytes) final { return arena_.copy_out(address, bytes); }

  Status write_csr(std::uint32_t offset, std::uint32_t value) final {
    Status s = check_csr(offset);
    if (!s.ok()) return s;
    switch (registers_.write(offset, value)) {
      case ModelRegisters::Action::start: return start();
      case ModelRegisters::Action::abort: return abort();
      default: return {};
    }
  }
  Status read_csr(std::uint32_t offset, std::uint32_t& value) final {
    Status s = check_csr(offset);
    if (s.ok()) value = registers_.read(offset);
    return s;
  }

 protected:
  model::Machine machine_;
  ModelRegisters registers_;
  HostMemory memory_;
  Arena arena_;
  std::vector<spec::Insn> code_;
};

}  // namespace jogak::driver
