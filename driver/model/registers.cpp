#include "registers.hpp"

#include <cstring>

namespace jogak::driver {

namespace csr = spec::csr;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

namespace {

constexpr u32 kLetters = 0x4b474f4a;
constexpr u32 kBusy = 1, kDone = 2, kIdle = 4, kReady = 8;
constexpr u32 kFaultBit = 2, kAbortedBit = 8;

}  // namespace

ModelRegisters::Action ModelRegisters::write(u32 offset, u32 value) {
  switch (offset) {
    case csr::ap_ctrl: return (value & 1) != 0 && !busy_ ? Action::start : Action::none;
    case csr::ap_isr: csrs_[offset / 4] &= ~value; return Action::none;
    case csr::control:
      if ((value & 2) != 0) outcome({}, false);
      return (value & 1) != 0 ? Action::abort : Action::none;
    case csr::ap_gie:
    case csr::ap_ier: csrs_[offset / 4] = value & 1; return Action::none;
    default: break;
  }
  const bool launch = offset >= csr::launch_flags && offset <= csr::place;
  const bool arg = offset >= csr::arg && offset < csr::arg_at(spec::limit::args);
  const bool window = offset >= csr::win_base_lo && offset < csr::win_base_lo_at(spec::limit::windows);
  if ((launch || arg || window) && !busy_) csrs_[offset / 4] = value;
  return Action::none;
}

u32 ModelRegisters::read(u32 offset) {
  switch (offset) {
    case csr::ap_ctrl: {
      const u32 value = busy_ ? kBusy : kIdle | (done_ ? kDone | kReady : 0);
      done_ = false;
      return value;
    }
    case csr::id: return kLetters;
    case csr::isa_version: return spec::isa_version;
    case csr::isa_hash: return spec::isa_hash;
    case csr::config_hash: return config_.hash;
    case csr::status: return at(offset) | (busy_ ? kBusy : 0);
    default: break;
  }
  if (offset < csr::counter || offset >= csr::counter_at(model::kCounters)) return at(offset);
  const u64 counter = counters_[(offset - csr::counter) / 8];
  return static_cast<u32>(offset % 8 != 0 ? counter >> 32 : counter);
}

void ModelRegisters::clear_interrupt() {
  if (done_) csrs_[csr::ap_isr / 4] = 0;
}

void ModelRegisters::outcome(const model::FaultRecord& fault, bool aborted) {
  const bool bad = fault.code != spec::Fault::none;
  csrs_[csr::status / 4] = (bad ? kFaultBit : 0) | (aborted ? kAbortedBit : 0);
  csrs_[csr::fault_cause / 4] = static_cast<u32>(fault.code);
  csrs_[csr::fault_pc / 4] = bad ? fault.pc : 0;
  csrs_[csr::fault_engine / 4] = bad ? static_cast<u32>(fault.engine) : 0;
  csrs_[csr::fault_addr_lo / 4] = static_cast<u32>(fault.address);
  csrs_[csr::fault_addr_hi / 4] = static_cast<u32>(fault.address >> 32);
}

u64 ModelRegisters::code_address() const { return pair_at(csr::code_lo) & ~u64(63); }
bool ModelRegisters::resident() const { return (at(csr::launch_flags) & 1) != 0; }

Status ModelRegisters::launch(const Arena& memory, std::vector<spec::Insn>& code, model::Launch& launch) {
  const u32 length = at(csr::code_len);
  if (length > config_.imem_words) {
    return {Code::bad_argument, "device: program, found " + std::to_string(length) + " instructions, expected at most " +
                                    std::to_string(config_.imem_words)};
  }
  if (!resident()) {
    const u64 address = code_address(), bytes = u64(length) * sizeof(spec::Insn);
    const std::uint8_t* from = memory.reach(address, bytes);
    if (from == nullptr) {
      return {Code::bad_argument, "device: program, found " + std::to_string(bytes) + " bytes at " + std::to_string(address) +
                                      ", expected them inside the memory"};
    }
    code.resize(length);
    std::memcpy(code.data(), from, bytes);
  }
  code.resize(length);
  launch = {.code = code, .watchdog = at(csr::watchdog)};
  for (u32 i = 0; i < launch.args.size(); ++i) launch.args[i] = at(csr::arg_at(i));
  for (u32 i = 0; i < launch.windows.size(); ++i) {
    const u32 flags = at(csr::win_flags_at(i));
    launch.windows[i] = {(u64(at(csr::win_base_hi_at(i)) & 0xff) << 32) | (at(csr::win_base_lo_at(i)) & ~u32(63)),
                         at(csr::win_size_at(i)), (flags & 1) != 0, (flags & 2) != 0};
  }
  return {};
}

void ModelRegisters::begin() {
  busy_ = true, done_ = false;
  counters_ = {};
  outcome({}, false);
}

void ModelRegisters::end(const model::FaultRecord& fault, bool aborted, const std::array<u64, model::kCounters>& counters) {
  busy_ = false, done_ = true;
  counters_ = counters;
  outcome(fault, aborted);
  csrs_[csr::ap_isr / 4] = 1;
}

}  // namespace jogak::driver
