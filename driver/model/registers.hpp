// The machine's registers (spec/npu.yaml) where a model stands behind them: what the host wrote, what a job left.
#pragma once

#include <array>

#include "../arena.hpp"
#include "sim/model/machine.hpp"

namespace jogak::driver {

class ModelRegisters {
 public:
  enum class Action { none, start, abort };

  explicit ModelRegisters(const spec::Config& config) : config_(config) {}

  // What the write asks for.
  Action write(std::uint32_t offset, std::uint32_t value);
  std::uint32_t read(std::uint32_t offset);
  // What was written there last, without what a read does.
  std::uint32_t read_plain(std::uint32_t offset) const { return at(offset); }
  bool done() const { return done_; }
  void clear_interrupt();

  // The program into code, unless the registers say that it is there; then the launch that they describe.
  Status launch(const Arena& memory, std::vector<spec::Insn>& code, model::Launch& launch);
  std::uint64_t code_address() const;
  bool resident() const;
  void begin();
  void end(const model::FaultRecord& fault, bool aborted, const std::array<std::uint64_t, model::kCounters>& counters);

 private:
  std::uint32_t at(std::uint32_t offset) const { return csrs_[offset / 4]; }
  std::uint64_t pair_at(std::uint32_t low) const { return at(low) | std::uint64_t(at(low + 4)) << 32; }
  void outcome(const model::FaultRecord& fault, bool aborted);

  const spec::Config& config_;
  std::array<std::uint32_t, 1024> csrs_{};
  std::array<std::uint64_t, model::kCounters> counters_{};
  bool done_ = false, busy_ = false;
};

}  // namespace jogak::driver
