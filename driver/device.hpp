// The narrow waist between the runtime and any machine: memory, registers, start, wait.
//
//   std::unique_ptr<Device> device;
//   if (Status s = open_device({.backend = "model", .config = "edge"}, device); !s.ok()) return s;
//   std::uint64_t buffer = 0;
//   if (Status s = device->alloc(4096, buffer); !s.ok()) return s;
//
// Rules for every backend; driver/device_test.cpp holds each of them to these.
// - No exception leaves a method; what goes wrong is a Status with one sentence.
// - Byte order: registers are 32-bit values; memory is bytes, and everything that crosses it (instructions, int32 tokens,
//   fp32 logits) is little endian. A host of the other order swaps before copy_in and after copy_out.
// - Caches: copy_in returns when the machine will see the bytes (a backend behind a cache writes it back), copy_out shows
//   what the machine had written when wait returned (it invalidates before reading). Callers never map device memory.
// - Order: one job at a time; while it runs only abort may be called, from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "npu_spec.hpp"

namespace jogak::driver {

enum class Code { ok, unsupported, out_of_memory, bad_argument, timeout, device };

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  bool ok() const { return code_ == Code::ok; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  Code code_ = Code::ok;
  std::string message_;
};

struct DeviceInfo {
  std::string backend;             // "null", "model", "cycle", "rtl", "uio", "litex", "uart"
  std::string description;         // one sentence for people
  std::string config;              // name of the configuration; empty where there is no machine
  std::uint64_t memory_bytes = 0;  // what alloc can give in all
  bool timed = false;              // timing counters and wait's limit mean something
};

// A command of an engine starts (is accepted) or is complete.
struct TraceEvent {
  std::uint64_t cycle;
  spec::Engine engine;
  bool start;
  std::uint32_t pc;
  std::span<const std::uint64_t> counters = {};  // of the launch so far, by index of spec::Counter; valid in the callback only; may be empty
};
using TraceCallback = std::function<void(const TraceEvent&)>;

class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceInfo info() const = 0;

  // Memory of the machine, zero-filled, at a multiple of 4096. bytes 0 is bad_argument.
  virtual Status alloc(std::uint64_t bytes, std::uint64_t& address) = 0;
  virtual Status free(std::uint64_t address) = 0;
  // The range must lie inside one allocation.
  virtual Status copy_in(std::uint64_t address, std::span<const std::uint8_t> bytes) = 0;
  virtual Status copy_out(std::uint64_t address, std::span<std::uint8_t> bytes) = 0;

  // Registers of spec/npu.yaml by byte offset (a multiple of 4 below 4096).
  virtual Status write_csr(std::uint32_t offset, std::uint32_t value) = 0;
  virtual Status read_csr(std::uint32_t offset, std::uint32_t& value) = 0;

  // Starts the job that the registers describe; may return before or after its end.
  virtual Status start() = 0;
  // Until the job is over, however it ended (see status and fault registers). limit: most cycles to wait, 0 for ever;
  // timeout leaves the job running. Machines without a clock ignore it: there the watchdog register bounds a job.
  virtual Status wait(std::uint64_t limit) = 0;
  // Ends the job in flight early; wait then returns as usual. Nothing happens if there is none.
  virtual Status abort() = 0;

  // Calls back at every start and end of a command during wait, in order of time; an empty function switches it off.
  // unsupported where the engines cannot be watched from outside.
  virtual Status trace(TraceCallback callback) = 0;
};

struct OpenOptions {
  std::string backend = "model";  // or NAME:TARGET: a machine outside this process, a simulator's memory
  std::string config = "edge";
  std::uint64_t memory_bytes = std::uint64_t(64) << 20;
};

Status open_device(const OpenOptions& options, std::unique_ptr<Device>& device);
// The configuration of the machine behind a backend that can tell it before it is opened; empty for all others.
Status machine_config(const std::string& backend, std::string& config);
// Names that open_device knows in this build and that need no target; then all, as people write them: "model", "uio:NAME".
std::vector<std::string> backends();
std::vector<std::string> backend_forms();

}  // namespace jogak::driver
