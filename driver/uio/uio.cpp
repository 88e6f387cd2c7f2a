// A machine in the programmable logic of a Zynq: registers and interrupt through Linux UIO, memory in a u-dma-buf behind the
// processor's caches. JOGAK_UIO_ROOT stands before every path of /sys and /dev.
#include "uio.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "../arena.hpp"
#include "../backends.hpp"
#include "../guard.hpp"
#include "../waits.hpp"
#include "error.hpp"

namespace jogak::driver {
namespace uio {
namespace {

namespace csr = spec::csr;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using Clock = std::chrono::steady_clock;

constexpr u32 kLetters = 0x4b474f4a;
constexpr int kSliceMs = 100;       // a lost interrupt costs this much, not the job
constexpr std::chrono::seconds kClosing{2};  // patience with a job that is aborted because its device is closed

class UioDevice final : public Device {
 public:
  UioDevice(Ports ports, const spec::Config& config) : ports_(std::move(ports)), config_(config) {
    arena_.attach(ports_.memory->bytes(), ports_.memory->address());
  }
  // The machine must not write into memory that is somebody else's next.
  ~UioDevice() override {
    (void)guarded([&] {
      write(csr::ap_gie, 0);
      if ((read(csr::status) & 1) != 0) write(csr::control, 1);
      const auto end = Clock::now() + kClosing;
      while ((read(csr::status) & 1) != 0 && Clock::now() < end) (void)ports_.registers->wait_interrupt(kSliceMs);
      return Status{};
    });
  }

  // timed is false: there is no trace, and only a clock in the device tree gives wait's limit a meaning.
  DeviceInfo info() const override {
    return {ports_.backend, "Configuration " + std::string(config_.name) + " in programmable logic, " + ports_.place + ".", config_.name, arena_.size(), false};
  }

  Status alloc(u64 bytes, u64& address) override {
    return guarded([&] {
      Status s = arena_.alloc(bytes, address);
      if (s.ok()) clean(address - base(), bytes);
      return s;
    });
  }
  Status free(u64 address) override { return arena_.free(address); }
  Status copy_in(u64 address, std::span<const std::uint8_t> bytes) override {
    return guarded([&] {
      if (Status s = arena_.check(address, bytes.size()); !s.ok() || bytes.empty()) return s;
      const u64 at = address - base(), end = at + bytes.size();
      // The rest of a line at the border may hold what the machine wrote: fetch it before the line goes back.
      if (at % kCacheLine != 0) refresh(at, 1);
      if (end % kCacheLine != 0) refresh(end, 1);
      Status s = arena_.copy_in(address, bytes);
      clean(at, bytes.size());
      return s;
    });
  }
  Status copy_out(u64 address, std::span<std::uint8_t> bytes) override {
    return guarded([&] {
      if (Status s = arena_.check(address, bytes.size()); !s.ok() || bytes.empty()) return s;
      refresh(address - base(), bytes.size());
      return arena_.copy_out(address, bytes);
    });
  }

  Status write_csr(u32 offset, u32 value) override {
    return guarded([&] {
      Status s = check_csr(offset);
      if (s.ok()) write(offset, value);
      return s;
    });
  }
  Status read_csr(u32 offset, u32& value) override {
    return guarded([&] {
      Status s = check_csr(offset);
      if (s.ok()) value = read(offset);
      return s;
    });
  }

  Status start() override {
    return guarded([&] {
      write(csr::ap_isr, read(csr::ap_isr));
      write(csr::ap_ier, 1);
      write(csr::ap_gie, 1);
      ports_.registers->enable_interrupt();
      std::atomic_thread_fence(std::memory_order_seq_cst);  // memory before the start
      write(csr::ap_ctrl, 1);
      return Status{};
    });
  }
  Status wait(u64 limit) override {
    return guarded([&] { return wait_job(limit); });
  }
  Status abort() override {
    return guarded([&] {
      write(csr::control, 1);
      return Status{};
    });
  }
  Status trace(TraceCallback callback) override {
    if (!callback) return {};
    return {Code::unsupported, ports_.backend + " device: trace, found registers only, expected the rtl backend"};
  }

 private:
  u32 read(u32 offset) { return ports_.registers->read(offset); }
  void write(u32 offset, u32 value) { ports_.registers->write(offset, value); }
  u64 base() const { return ports_.memory->address(); }
  static u64 line(u64 at) { return at / kCacheLine * kCacheLine; }
  void clean(u64 at, u64 bytes) { ports_.memory->to_device(line(at), line(at + bytes + kCacheLine - 1) - line(at)); }
  void refresh(u64 at, u64 bytes) { ports_.memory->from_device(line(at), line(at + bytes + kCacheLine - 1) - line(at)); }

  // ap_isr is what counts; the interrupt only says when to look.
  bool finished() {
    if ((read(csr::ap_isr) & 1) == 0) return false;
    write(csr::ap_isr, 1);
    return true;
  }

  Status wait_job(u64 limit) {
    double seconds = limit != 0 && ports_.clock_hz != 0 ? static_cast<double>(limit) / static_cast<double>(ports_.clock_hz) : 0;
    if (ports_.patience_s > 0) seconds = seconds > 0 ? std::min(seconds, ports_.patience_s) : ports_.patience_s;
    const bool limited = seconds > 0;
    const auto begin = Clock::now();
    while (!finished()) {
      int slice = kSliceMs;
      if (limited) {
        const double left = seconds - std::chrono::duration<double>(Clock::now() - begin).count();
        if (left <= 0) return overdue(limit, seconds);
        slice = std::min(slice, static_cast<int>(left * 1000) + 1);
      }
      // One left over from an earlier job: listen again. Ours stays masked, for its level is up until ap_isr is cleared.
      if (ports_.registers->wait_interrupt(slice) && (read(csr::ap_isr) & 1) == 0) ports_.registers->enable_interrupt();
    }
    return {};
  }

  Status overdue(u64 limit, double seconds) {
    const std::string after = limit != 0 ? std::to_string(limit) + " cycles" : std::to_string(seconds) + " s";
    return {Code::timeout, ports_.backend + " device: job, found it running after " + after + semaphore_waits([this](u32 offset) { return read(offset); }) + ", expected its end"};
  }

  Ports ports_;
  const spec::Config& config_;
  Arena arena_;
};

std::string hex(u32 value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", value);
  return text;
}

std::string config_name(u32 hash) {
  for (const spec::Config& c : spec::configs)
    if (c.hash == hash) return std::string(c.name) + " " + hex(hash);
  return hex(hash);
}

void check_machine(Ports& ports, const spec::Config& config) {
  Registers& r = *ports.registers;
  const std::string part = ports.backend + " device";
  if (const u32 id = r.read(csr::id); id != kLetters)
    throw Error(part, "identification of " + ports.place, hex(id), hex(kLetters) + ", a Jogak machine: is its bitstream loaded?");
  if (const u32 isa = r.read(csr::isa_hash); isa != spec::isa_hash)
    throw Error(part, "instruction set of " + ports.place, hex(isa), hex(spec::isa_hash) + ", that of this build");
  if (const u32 hash = r.read(csr::config_hash); hash != config.hash)
    throw Error(part, "configuration of " + ports.place, config_name(hash), config_name(config.hash));
  if ((r.read(csr::status) & 1) != 0) throw Error(part, ports.place, "it running a job", "an idle machine");
}

void check_memory(Memory& memory, u64 bytes, const std::string& part) {
  if (memory.bytes().size() < bytes)
    throw Error(part, "memory", "a buffer of " + std::to_string(memory.bytes().size()) + " bytes", "at least " + std::to_string(bytes));
  if (memory.address() % kPage != 0) throw Error(part, "memory", "a buffer at " + std::to_string(memory.address()), "a multiple of 4096");
}

}  // namespace

Status open_on(Ports ports, const OpenOptions& options, std::unique_ptr<Device>& device) {
  return guarded([&] {
    const spec::Config* config = spec::find_config(options.config.c_str());
    if (config == nullptr)
      return Status(Code::bad_argument, ports.backend + " device: configuration, found " + options.config + ", expected one of spec/configs");
    check_machine(ports, *config);
    check_memory(*ports.memory, options.memory_bytes, ports.backend + " device");
    device = std::make_unique<UioDevice>(std::move(ports), *config);
    return Status{};
  });
}

}  // namespace uio

Status open_uio(const OpenOptions& options, std::unique_ptr<Device>& device) {
  return guarded([&] {
    const char* root = std::getenv("JOGAK_UIO_ROOT");
    return uio::open_on(uio::open_ports(root != nullptr ? root : "", options.backend.substr(options.backend.find(':') + 1)), options, device);
  });
}

}  // namespace jogak::driver
