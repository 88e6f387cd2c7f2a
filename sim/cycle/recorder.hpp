// Turns the exact model's execution, instruction by instruction, into a Stream.
#pragma once

#include "sim/model/machine.hpp"
#include "stream.hpp"

namespace jogak::cycle {

class Recorder {
 public:
  explicit Recorder(const spec::Config& config);

  // Before a launch; windows as the launch has them.
  void begin(const std::array<model::Window, spec::limit::windows>& windows);
  // An instruction that is about to execute; memories as it finds them.
  void step(const model::Step& step, const model::Memories& memories);
  // The launch has ended so, with this many instructions executed. code: the program.
  void end(const model::FaultRecord& fault, u64 executed, std::span<const spec::Insn> code);

  Stream& stream() { return stream_; }

 private:
  struct Loop {
    u32 end, left;
  };
  void control(const model::Step& step);
  void command(const model::Step& step, const model::Memories& memories);
  void put(Item item);
  bool leaves_loop(u32 pc);
  Command timed(const model::Command& command, const model::Memories& memories);
  DmaCmd dma(const model::DmaBox& box) const;
  void list(DmaCmd& cmd, const model::DmaBox& box, const model::Memories& memories);

  u32 cols_log_;
  Stream stream_;
  std::array<model::Window, spec::limit::windows> windows_{};
  std::vector<Loop> loops_;
  u32 lead_ = 0;      // cycles of plain instructions since the last item
  u64 steps_ = 0;
  Item last_{};       // what the last step gave; a fault of its own replaces it
  u32 last_lead_ = 0;
  bool last_plain_ = false;
};

}  // namespace jogak::cycle
