// How long the HLS design takes for a program: its own estimate, from the loops' pragmas and the depths of its
// pipelines. No tool has confirmed it (docs/hls.md).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "sim/model/machine.hpp"

namespace jogak::hls_csim {

// Cycles that a scheduler is expected to give at 300 MHz; what the estimate rests on.
struct Latencies {
  std::uint32_t instruction = 8;   // of the sequencer, which is no pipeline
  std::uint32_t memory = 64;       // read request to first data; write to response
  std::uint32_t run = 6;           // from one run of bytes to the next
  std::uint32_t acknowledge = 8;   // last write of a load to the next command
  std::uint32_t array = 20;        // a row through the array and into the foot
  std::uint32_t foot = 24;         // scale, multiply, add, and into vector memory
  std::uint32_t add = 10;          // of foot, to itself
  std::uint32_t sums = 10;         // acknowledgement, request and read of a sum
  std::uint32_t vector = 48;       // first read to last write of a command with one lane group
  std::uint32_t reduce = 12;       // a level of the reduction of a row
};

class Predictor {
 public:
  explicit Predictor(const spec::Config& config, Latencies latencies = {}) : config_(config), l_(latencies) {}

  // Every instruction in program order: Machine::on_instruction.
  void step(const model::Step& step);
  std::uint64_t cycles() const;
  // Of one command by itself, from its start until the next one may start, and until it is complete.
  struct Duration {
    std::uint64_t next, done;
  };
  Duration duration(const model::Command& command) const;

 private:
  std::uint64_t enter(spec::Engine engine);
  void wait(const spec::Wait& wait);
  void signal(const spec::Signal& signal);

  spec::Config config_;
  Latencies l_;
  struct Queue {
    std::uint64_t free = 0, done = 0;      // the engine takes the next entry; everything before is complete
    std::deque<std::uint64_t> taken;       // when its last entries were taken
  };
  std::array<Queue, 4> queues_;
  std::uint64_t now_ = 0;  // the sequencer
  std::array<std::deque<std::uint64_t>, spec::limit::semaphores> given_;
};

}  // namespace jogak::hls_csim
