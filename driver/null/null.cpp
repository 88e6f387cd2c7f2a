// The backend without a machine. It shows the whole interface and what each method would do, keeps memory and
// registers like a real one, and refuses to start. A new backend can begin as a copy of this file.
#include <array>

#include "../arena.hpp"
#include "../backends.hpp"
#include "../guard.hpp"

namespace jogak::driver {
namespace {

class NullDevice final : public Device {
 public:
  explicit NullDevice(const OpenOptions& options) : memory_(static_cast<std::size_t>(options.memory_bytes)) {
    arena_.attach(memory_, kMemoryBase);
  }

  DeviceInfo info() const override {
    return {"null", "No machine: memory and registers hold what is written, jobs are refused.", "", memory_.size(), false};
  }

  // A board would take these from a reserved, physically contiguous region.
  Status alloc(std::uint64_t bytes, std::uint64_t& address) override { return arena_.alloc(bytes, address); }
  Status free(std::uint64_t address) override { return arena_.free(address); }
  // ... and clean or invalidate the processor's caches here.
  Status copy_in(std::uint64_t address, std::span<const std::uint8_t> bytes) override { return arena_.copy_in(address, bytes); }
  Status copy_out(std::uint64_t address, std::span<std::uint8_t> bytes) override { return arena_.copy_out(address, bytes); }

  // Plain storage: the identification registers read 0, so nobody takes this for a machine.
  Status write_csr(std::uint32_t offset, std::uint32_t value) override {
    Status s = check_csr(offset);
    if (s.ok()) csrs_[offset / 4] = value;
    return s;
  }
  Status read_csr(std::uint32_t offset, std::uint32_t& value) override {
    Status s = check_csr(offset);
    if (s.ok()) value = csrs_[offset / 4];
    return s;
  }

  // A machine: write 1 to ap_ctrl.
  Status start() override { return refuse("start"); }
  // A machine: sleep until the interrupt, then clear ap_isr.
  Status wait(std::uint64_t) override { return refuse("wait"); }
  // A machine: write 1 to control. Without a job there is nothing to do.
  Status abort() override { return {}; }
  Status trace(TraceCallback) override { return refuse("trace"); }

 private:
  static Status refuse(const char* what) {
    return {Code::unsupported, std::string("null device: ") + what + ", found no machine, expected a backend with one (model, rtl)"};
  }

  std::vector<std::uint8_t> memory_;
  Arena arena_;
  std::array<std::uint32_t, 1024> csrs_{};
};

}  // namespace

Status open_null(const OpenOptions& options, std::unique_ptr<Device>& device) {
  device = std::make_unique<NullDevice>(options);
  return {};
}

}  // namespace jogak::driver
