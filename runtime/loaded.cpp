#include "loaded.hpp"

#include <algorithm>
#include <cstring>

namespace jogak {

namespace csr_at = spec::csr;
using driver::Status;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

namespace {

constexpr u64 kPage = 4096;
constexpr u32 kLetters = 0x4b474f4a;
constexpr u32 kFault = 2, kBusDead = 4, kAborted = 8;

void must(const Status& status) {
  if (!status.ok()) throw Error(status.message());
}

std::string hex(u32 x) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", x);
  return text;
}

std::span<const std::uint8_t> bytes_of(const std::vector<spec::Insn>& code) {
  static_assert(sizeof(spec::Insn) == 16);
  return {reinterpret_cast<const std::uint8_t*>(code.data()), code.size() * sizeof(spec::Insn)};
}

}  // namespace

void LaunchRecord::add(const LaunchRecord& other) {
  for (std::size_t i = 0; i < counters.size(); ++i) counters[i] += other.counters[i];
  aborted |= other.aborted;
}

u64 memory_of(const Program& program) {
  u64 bytes = (program.code.size() * sizeof(spec::Insn) / kPage + 1) * kPage;
  for (const u64 window : program.window_bytes) bytes += (window + kPage - 1) / kPage * kPage;
  return bytes;
}

std::unique_ptr<driver::Device> open_for(const Program& program, const std::string& backend) {
  require_dies(program, 1);
  std::unique_ptr<driver::Device> device;
  must(driver::open_device({.backend = backend, .config = program.config, .memory_bytes = memory_of(program)}, device));
  return device;
}

Loaded::Loaded(driver::Device& device, const Program& program) : Loaded(device, program, 0, {0}) { require_dies(program, 1); }

Loaded::Loaded(driver::Device& device, const Program& program, u32 die, std::vector<u32> places)
    : device_(device), map_(program.map), config_(program.config), isa_hash_(program.isa_hash), config_hash_(program.config_hash),
      sizes_(program.window_bytes), code_len_(static_cast<u32>(program.code.size())), parts_(program.launches), mesh_(program.mesh), die_(die), places_(std::move(places)) {
  if (parts_.empty()) parts_.push_back({0, code_len_});
  check_device();
  try {
    for (u32 w = 0; w < sizes_.size(); ++w)
      if (sizes_[w] != 0) must(device_.alloc(sizes_[w], bases_[w]));
    must(device_.alloc(std::max<u64>(code_len_, 1) * sizeof(spec::Insn), code_));
    must(device_.copy_in(code_, bytes_of(program.code)));
    for (const Segment& s : program.segments) {
      if (s.die != die_) continue;
      u64 at = s.offset;
      s.pieces([&](std::span<const std::uint8_t> piece) { write(s.window, at, piece), at += piece.size(); });
    }
  } catch (...) {
    release();
    throw;
  }
}

Loaded::~Loaded() { release(); }

void Loaded::release() {
  for (const u64 base : bases_)
    if (base != 0) (void)device_.free(base);
  if (code_ != 0) (void)device_.free(code_);
}

u32 Loaded::csr(u32 offset) const {
  u32 value = 0;
  must(device_.read_csr(offset, value));
  return value;
}
void Loaded::csr(u32 offset, u32 value) { must(device_.write_csr(offset, value)); }
void Loaded::csr64(u32 offset, u64 value) {
  csr(offset, static_cast<u32>(value));
  csr(offset + 4, static_cast<u32>(value >> 32));
}

void Loaded::check_device() const {
  if (const u32 id = csr(csr_at::id); id != kLetters)
    throw Error("device", "identification of " + device_.info().backend, hex(id), hex(kLetters) + " (a Jogak machine)");
  if (const u32 isa = csr(csr_at::isa_hash); isa != isa_hash_)
    throw Error("device", "instruction set", hex(isa), hex(isa_hash_) + " (that of the program)");
  if (const u32 hash = csr(csr_at::config_hash); hash != config_hash_) {
    throw Error("device", "configuration", device_.info().config + " " + hex(hash),
                config_ + " " + hex(config_hash_) + " (the program was compiled for it)");
  }
}

void Loaded::write(u32 window, u64 offset, std::span<const std::uint8_t> bytes) {
  if (offset > sizes_.at(window) || bytes.size() > sizes_[window] - offset)
    throw Error("device", "write to window " + std::to_string(window), std::to_string(offset) + " + " + std::to_string(bytes.size()) + " bytes",
                "inside its " + std::to_string(sizes_[window]));
  if (!bytes.empty()) must(device_.copy_in(bases_[window] + offset, bytes));
}
void Loaded::read(u32 window, u64 offset, std::span<std::uint8_t> bytes) const {
  if (offset > sizes_.at(window) || bytes.size() > sizes_[window] - offset)
    throw Error("device", "read of window " + std::to_string(window), std::to_string(offset) + " + " + std::to_string(bytes.size()) + " bytes",
                "inside its " + std::to_string(sizes_[window]));
  if (!bytes.empty()) must(device_.copy_out(bases_[window] + offset, bytes));
}
void Loaded::clear(u32 window) {
  const std::vector<std::uint8_t> zeros(std::min<u64>(sizes_.at(window), u64(1) << 20));
  for (u64 at = 0; at < sizes_[window]; at += zeros.size())
    write(window, at, std::span(zeros).first(static_cast<std::size_t>(std::min<u64>(zeros.size(), sizes_[window] - at))));
}

void Loaded::describe_job(const CodePart& part) {
  for (u32 w = 0; w < sizes_.size(); ++w) {
    const Place other = peer(w), place = other.size != 0 ? other : Place{bases_[w], sizes_[w]};
    csr64(csr_at::win_base_lo_at(w), place.base);
    csr(csr_at::win_size_at(w), static_cast<u32>(place.size));
    csr(csr_at::win_flags_at(w), place.size == 0 ? 0 : other.size != 0 ? 2 : read_only_[w] ? 1 : 3);
  }
  const u32 own = places_[die_];
  csr(csr_at::place, mesh_.dies() == 1 ? 0 : own % mesh_.columns | own / mesh_.columns << 4 | (mesh_.columns - 1) << 8 | (mesh_.rows - 1) << 12);
  csr64(csr_at::code_lo, code_ + part.first * sizeof(spec::Insn));
  csr(csr_at::code_len, part.count);
  csr(csr_at::watchdog, 0);
  csr(csr_at::launch_flags, resident_ ? 1 : 0);
}

Loaded::Place Loaded::peer(u32 window) const {
  using namespace spec::limit;
  if (window < kPeerWindow || window - kPeerWindow + 1 >= mesh_.dies()) return {};
  const u32 other = places_[(die_ + 1 + window - kPeerWindow) % mesh_.dies()];
  return {u64(1) << remote_bit | u64(other / mesh_.columns) << remote_y_bit | u64(other % mesh_.columns) << remote_x_bit,
          u64(remote_signals + 1) << remote_region_bit};
}

LaunchRecord Loaded::run(std::span<const u32> args) {
  LaunchRecord all;
  for (std::size_t i = 0; i < parts_.size() && !all.aborted; ++i) {
    start(i, args);
    all.add(end(i));
  }
  return all;
}

void Loaded::start(std::size_t launch, std::span<const u32> args) {
  if (args.size() > spec::limit::args)
    throw Error("device", "launch arguments", std::to_string(args.size()), "at most " + std::to_string(spec::limit::args));
  describe_job(parts_.at(launch));
  for (u32 i = 0; i < spec::limit::args; ++i) csr(csr_at::arg_at(i), i < args.size() ? args[i] : 0);
  resident_ = false;
  must(device_.start());
}

LaunchRecord Loaded::end(std::size_t launch) {
  must(device_.wait(0));
  LaunchRecord record;
  for (const spec::CounterInfo& c : spec::counters) {
    const u64 low = csr(csr_at::counter_at(c.index));
    record.counters[c.index] = low | u64(csr(csr_at::counter_at(c.index) + 4)) << 32;
  }
  const u32 status = csr(csr_at::status);
  if ((status & (kFault | kBusDead)) != 0) refuse_fault(parts_.at(launch));
  record.aborted = (status & kAborted) != 0;
  resident_ = !record.aborted && parts_.size() == 1;
  return record;
}

bool Loaded::waits_for_ever() const { return csr(csr_at::fault_cause) == static_cast<u32>(spec::Fault::timeout); }

void Loaded::refuse_fault(const CodePart& part) const {
  const u32 cause = csr(csr_at::fault_cause), pc = csr(csr_at::fault_pc) + part.first;
  std::string name = "code " + std::to_string(cause), doc;
  for (const spec::FaultInfo& f : spec::faults)
    if (static_cast<u32>(f.code) == cause) name = f.name, doc = std::string(" (") + f.doc + ")";
  // A package's model ends who waits in vain with the semaphore as the address, where no memory is.
  const u32 address = csr(csr_at::fault_addr_lo), engine = csr(csr_at::fault_engine);
  if (waits_for_ever() && mesh_.dies() > 1 && address >= spec::limit::semaphores && address < spec::limit::semaphores + spec::limit::remote_semaphores && engine < std::size(spec::engine_values))
    doc = " (its engine " + std::string(spec::engine_values[engine].name) + " waits for semaphore " + std::to_string(address) + ", which another die signals, in vain)";
  std::string place = "instruction " + std::to_string(pc);
  for (const MapEntry& e : map_)
    if (pc >= e.first && pc <= e.last) place += " (" + describe(e) + ")";
  throw Error("device", "launch", "fault " + name + doc + " at " + place, "a run to its halt");
}

}  // namespace jogak
