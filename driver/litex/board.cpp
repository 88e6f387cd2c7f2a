#include "board.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include "error.hpp"

namespace jogak::driver::litex {
namespace {

namespace csr = spec::csr;

constexpr u32 kLetters = 0x4b474f4a;
// Words of the description (boards/common/soc.py, describe).
enum Word : std::size_t { kMemory, kMemoryBytes, kNpu, kLink, kClockHz, kName, kSteps = kName + 4, kFirstStep };
constexpr int kAbortTries = 1000;
constexpr u32 kAbort = 1, kClear = 2, kBusy = 1;

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

u32 read(Bridge& bridge, u32 address) {
  u32 value = 0;
  bridge.read(address, std::span(&value, 1));
  return value;
}
void write(Bridge& bridge, u32 address, u32 value) { bridge.write(address, std::span(&value, 1)); }

void end_job(Bridge& bridge, const Board& board) {
  for (int i = 0; (read(bridge, board.npu + csr::status) & kBusy) != 0; ++i) {
    if (i == 0) write(bridge, board.npu + csr::control, kAbort);
    if (i == kAbortTries)
      throw Error("litex", "board " + board.name, "a job that does not end",
                  "one that can be aborted; reset the board");
    std::this_thread::sleep_for(Milliseconds(1));
  }
  write(bridge, board.npu + csr::control, kClear);
}

// A word at the first address and at every power of two above it: a stuck line makes two of them the same place.
void check_memory(Bridge& bridge, const Board& board) {
  std::vector<u32> offsets = {0};
  for (u32 o = 4; o < board.memory_bytes; o *= 2) offsets.push_back(o);
  for (const u32 flip : {0u, ~0u}) {
    const auto word = [&](u32 offset) { return (offset * 0x9E3779B1u + 0x55AA33CCu) ^ flip; };
    for (const u32 o : offsets) write(bridge, board.memory + o, word(o));
    for (const u32 o : offsets)
      if (const u32 found = read(bridge, board.memory + o); found != word(o))
        throw Error("litex", "memory of board " + board.name + " at " + hex(board.memory + o), hex(found),
                    hex(word(o)) + ", which was written");
  }
}

}  // namespace

Board meet(Bridge& bridge) {
  const std::vector<u32> w = bridge.description();
  if (w.size() < kFirstStep || w.size() != kFirstStep + 3 * w[kSteps])
    throw Error("litex", "description of board " + bridge.name(), std::to_string(w.size()) + " words",
                "some steps of three words");
  Board b{.name = {},
          .memory = w[kMemory],
          .memory_bytes = w[kMemoryBytes],
          .npu = w[kNpu],
          .clock_hz = w[kClockHz],
          .memory_start = {}};
  for (std::size_t i = 0; i < 16; ++i)
    if (const char c = static_cast<char>(w[kName + i / 4] >> 8 * (i % 4)); c != 0) b.name += c;
  for (std::size_t i = kFirstStep; i < w.size(); i += 3) b.memory_start.push_back({w[i], w[i + 1], w[i + 2]});
  bridge.use_link(w[kLink]);
  return b;
}

void check_machine(Bridge& bridge, const Board& board, const spec::Config& config) {
  if (const u32 id = read(bridge, board.npu + csr::id); id != kLetters)
    throw Error("litex", "identification of the machine on " + board.name, hex(id),
                hex(kLetters) + ", a Jogak machine");
  if (const u32 isa = read(bridge, board.npu + csr::isa_hash); isa != spec::isa_hash)
    throw Error("litex", "instruction set of the bitstream on " + board.name, hex(isa),
                hex(spec::isa_hash) + ", that of this build");
  if (const u32 hash = read(bridge, board.npu + csr::config_hash); hash != config.hash)
    throw Error("litex", "configuration of the bitstream on " + board.name, config_name(hash),
                config_name(config.hash));
}

std::string config_of(Bridge& bridge, const Board& board) {
  const u32 hash = read(bridge, board.npu + csr::config_hash);
  for (const spec::Config& c : spec::configs)
    if (c.hash == hash) return c.name;
  throw Error("litex", "configuration of the bitstream on " + board.name, hex(hash),
              "one of spec/configs, as they are in this build");
}

void start_board(Bridge& bridge, const Board& board) {
  end_job(bridge, board);
  for (const MemoryStep& s : board.memory_start) {
    write(bridge, s.address, s.value);
    std::this_thread::sleep_for(std::chrono::microseconds(s.microseconds));
  }
  check_memory(bridge, board);
}

}  // namespace jogak::driver::litex
