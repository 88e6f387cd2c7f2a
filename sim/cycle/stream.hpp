// What decides the time of a run: the instructions in the order in which they execute, resolved. Programs are free of
// races, so these do not depend on time.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "npu_spec.hpp"

namespace jogak::cycle {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i64 = std::int64_t;

// Addresses and strides of vector memory below count its rows, unless they are said to count words.
struct DmaCmd {
  u64 base;                 // window base + da
  u32 len, ca, n1, ds1, cs1, n2, ds2, cs2;
  u32 idx;                  // gather: first word of the list
  u8 space;
  bool gather, bad;         // bad: an index of its list, the last one there, is too large
};
struct MmCmd {
  u32 o, om, on, m, kb, nb;
  u8 order;                 // of loading: mm::Order
  bool acc;
};
struct VecCmd {
  u32 a, as, b, bs;         // b, bs: words
  u32 dst, ds;              // rows of vector memory, for qnt blocks of the activation scratchpad
  u32 r, rows, cols;        // r: words
  u8 bmode, red;
  bool qnt, by_row, pair, wr, func;  // by_row, pair: qnt's group
};
union Command {
  DmaCmd dma;
  MmCmd mm;
  VecCmd vec;
};

// wait, signal: n of sem, by engine (seq: the sequencer itself). command: for engine. empty: one that does nothing.
enum class Kind : u8 { lds, wait, signal, command, empty, halt, fault };

// What the sequencer does next. Plain instructions before it are its lead.
struct Item {
  u32 lead = 0;      // cycles from the end of the previous item to the one in which this instruction is taken in
  u32 at = 0;        // lds: the word's row; command: its place among the commands
  u16 pc = 0;
  Kind kind = Kind::halt;
  u8 engine = 0, sem = 0, n = 0;
  u8 check = 0;      // cycles from there to its first try to take effect (fault: to its report)
  bool refill = false;  // fetching begins anew behind it
};

class Stream {
 public:
  // Items and commands are appended and, once all are taken, dropped with clear(). Lists of gathers stay until popped.
  std::vector<Item> items;
  std::vector<Command> commands;
  std::deque<std::vector<u32>> lists;  // byte offsets of a gather's rows, one list a command, in order
  bool closed = false;                 // nothing follows

  void clear() {
    items.clear();
    commands.clear();
  }
};

}  // namespace jogak::cycle
