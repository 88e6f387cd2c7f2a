// A program on a device: windows, upload, launch, counters.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>

#include "driver/device.hpp"
#include "program.hpp"

namespace jogak {

// What a launch counted and how it ended.
struct LaunchRecord {
  std::array<std::uint64_t, 64> counters{};  // by index of spec::Counter; timing ones are 0 without a clock
  bool aborted = false;
  std::uint64_t operator[](spec::Counter c) const { return counters[static_cast<std::size_t>(c)]; }
  void add(const LaunchRecord& other);
};

// Bytes of a machine's memory that a program takes; of a package: of each die's.
std::uint64_t memory_of(const Program& program);

// Opens a backend with the program's configuration and memory for it. Throws jogak::Error.
std::unique_ptr<driver::Device> open_for(const Program& program, const std::string& backend);

// Owns the device memory of one program; one of these at a time per device. Methods throw jogak::Error.
class Loaded {
 public:
  // Refuses in one sentence a device whose ISA or configuration is not the program's.
  Loaded(driver::Device& device, const Program& program);
  // The same on a die of a package, all of whose dies have the program, each at its place of the mesh: see dies.hpp.
  Loaded(driver::Device& device, const Program& program, std::uint32_t die, std::vector<std::uint32_t> places);
  ~Loaded();
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;

  // Windows are readable and writable by the program unless protected.
  void protect(std::uint32_t window) { read_only_[window] = true; }
  void write(std::uint32_t window, std::uint64_t offset, std::span<const std::uint8_t> bytes);
  void read(std::uint32_t window, std::uint64_t offset, std::span<std::uint8_t> bytes) const;
  // Fills a window with zeros.
  void clear(std::uint32_t window);

  // Runs the program once, all its launches; at most 16 arguments, the same for each. A fault is an Error that names cause, place and operator; an abort is not.
  LaunchRecord run(std::span<const std::uint32_t> args);
  // A launch of several in pieces, for dies that run together: start all, then end each.
  std::size_t launches() const { return parts_.size(); }
  void start(std::size_t launch, std::span<const std::uint32_t> args);
  LaunchRecord end(std::size_t launch);
  // Whether the last launch's fault was to wait for what nobody sends.
  bool waits_for_ever() const;
  void abort() { (void)device_.abort(); }

 private:
  void check_device() const;
  void upload();
  void describe_job(const CodePart& part);
  // Where a window shows another die: its address and size.
  struct Place {
    std::uint64_t base = 0, size = 0;
  };
  Place peer(std::uint32_t window) const;
  [[noreturn]] void refuse_fault(const CodePart& part) const;
  std::uint32_t csr(std::uint32_t offset) const;
  void csr(std::uint32_t offset, std::uint32_t value);
  void csr64(std::uint32_t offset, std::uint64_t value);
  void release();

  driver::Device& device_;
  std::vector<MapEntry> map_;
  std::string config_;
  std::uint32_t isa_hash_, config_hash_;
  std::array<std::uint64_t, spec::limit::windows> sizes_{}, bases_{};
  std::array<bool, spec::limit::windows> read_only_{};
  std::uint64_t code_ = 0;
  std::uint32_t code_len_ = 0;
  std::vector<CodePart> parts_;
  Mesh mesh_;
  std::uint32_t die_ = 0;
  std::vector<std::uint32_t> places_;  // in the mesh, of each die
  bool resident_ = false;  // the machine holds the program already
};

}  // namespace jogak
