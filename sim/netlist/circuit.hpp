// A synchronous circuit of one clock, simulated gate by gate without times: only what changes is worked out again, so
// that a circuit at rest costs next to nothing. What an FPGA's cells become here says cells.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace jogak::netlist {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using Net = u32;

constexpr Net kZero = 0, kOne = 1;

// A table of five inputs, bit 0 first.
struct Table {
  std::array<Net, 5> in;
  u32 truth;
  Net out;
};

struct Multiplier {
  std::array<Net, 18> a, b;
  Net signed_a, signed_b;
  std::array<Net, 36> product;
};

struct FlipFlop {
  Net data, enable, set, out;
  bool value;  // what `set` sets it to, and what it holds at the start
  bool asynchronous;
};

// One bit of a distributed RAM: its table is what is read.
struct BitRam {
  u32 table;
  std::array<Net, 4> address;
  Net data, enable;
};

enum class WriteMode { keep, old, through };  // what a port reads while it writes

// 1024 words of 18 bits with two ports, addressed in bits: ports of `width` 1, 2, 4, 9, 18 use the upper address bits.
// A width of 36: port `write` has 36 data bits in, port `read` 36 out, and neither does the other thing.
struct WordRam {
  struct Port {
    int width;
    WriteMode mode;
    std::array<Net, 14> address;
    std::array<Net, 36> in, out;
    Net enable, write, reset;
    bool reads, writes;
  };
  std::array<Port, 2> ports;
  std::array<u32, 1024> words;
};

class Circuit {
 public:
  Circuit();

  // Building. Every net has one driver, or none: then it is set from outside.
  Net net();
  u32 add(const Table& t);  // its number, for BitRam
  void add(const Multiplier& m) { multipliers_.push_back(m); }
  void add(const FlipFlop& f) { flip_flops_.push_back(f); }
  void add(const BitRam& r) { bit_rams_.push_back(r); }
  void add(const WordRam& r) { word_rams_.push_back(r); }
  // After the last add: orders everything. Throws Error for a net of two drivers or a loop without a flip-flop.
  void finish();

  bool get(Net n) const { return value_[n] != 0; }
  void set(Net n, bool v) { drive(n, v); }
  void settle();
  // The rising edge: all flip-flops and RAMs at once, from settled inputs. Settle afterwards.
  void edge();

  std::size_t nets() const { return value_.size(); }
  u64 evaluations() const { return evaluations_; }

 private:
  // Elements in one row of numbers: tables, multipliers, asynchronous sets, flip-flops, bit RAMs, word RAMs.
  struct Sink {
    Net net;
    u32 element;
  };
  struct Levels;

  u32 async_base() const { return static_cast<u32>(tables_.size() + multipliers_.size()); }
  u32 edge_base() const { return async_base() + static_cast<u32>(asyncs_.size()); }
  std::vector<Sink> sinks() const;
  void order(const std::vector<Sink>& sinks);
  void drive(Net n, bool v) {
    if (value_[n] == static_cast<u8>(v)) return;
    value_[n] = v;
    for (u32 i = first_sink_[n]; i < first_sink_[n + 1]; ++i) touch(sink_[i]);
  }
  void touch(u32 element) {
    if (queued_[element]) return;
    queued_[element] = 1;
    due_[level_[element]].push_back(element);
  }
  void evaluate(u32 element);
  void multiply(const Multiplier& m);
  void sample(u32 element);
  void sample(const FlipFlop& f);
  void sample(BitRam& r);
  void sample(WordRam& r, u32 element);
  void read(WordRam& r, const WordRam::Port& p);
  void write(WordRam& r, const WordRam::Port& p);
  template <std::size_t N>
  u64 word(const std::array<Net, N>& nets) const {
    u64 v = 0;
    for (std::size_t i = 0; i < N; ++i) v |= u64(value_[nets[i]]) << i;
    return v;
  }

  std::vector<Table> tables_;
  std::vector<Multiplier> multipliers_;
  std::vector<u32> asyncs_;  // flip-flops
  std::vector<FlipFlop> flip_flops_;
  std::vector<BitRam> bit_rams_;
  std::vector<WordRam> word_rams_;

  std::vector<u8> value_, queued_;
  std::vector<u32> first_sink_, sink_;  // the elements that read a net
  std::vector<u32> level_;              // the last: what waits for the edge
  std::vector<std::vector<u32>> due_;   // by level
  std::vector<u32> sampled_;
  std::vector<std::pair<Net, u8>> changes_;  // at an edge
  std::vector<u32> changed_tables_, again_;
  u64 evaluations_ = 0;
};

}  // namespace jogak::netlist
