// Cycles of mm commands on the matrix engine: the recurrence stated in npu_mx.sv, exact as long as memories
// hold the operands (semaphores are the caller's business). Checked against the RTL by npu_mx_test.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>

namespace jogak {
namespace mm {

using Cycle = std::int64_t;

enum class Order { int8, e2m1, columns, sparse_int8, sparse_e2m1 };

// What of a command decides its time. o, om, on: output addresses, words.
struct Shape {
  Order order = Order::int8;
  bool acc = false;
  std::uint32_t m = 1, kb = 1, nb = 1;
  std::uint32_t o = 0, om = 0, on = 0;
};

// Constants of npu_mx_pkg for an array of rows x cols, rows and cols 8, 16 or 32; sparse tiles with up to 16 rows.
struct Constants {
  Cycle slices, hazard, row_at, write_at;
  struct Load {
    Cycle words, chase, first, chased, all;  // After of word 0; largest After - index up to chase, of all
  } load[5];

  Constants(std::uint32_t rows, std::uint32_t cols) {
    const auto legal = [](std::uint32_t n) { return n == 8 || n == 16 || n == 32; };
    if (!legal(rows) || !legal(cols)) throw std::invalid_argument("mm_latency: rows and cols must be 8, 16 or 32");
    constexpr Cycle product = 5, add = 4, lead = 3;
    slices = 32 / rows;
    const Cycle add_at = lead + product;
    write_at = add_at + add + slices - 1;
    hazard = write_at - (add_at - 2) + 1;
    row_at = rows + cols + 3 - lead;
    const Cycle log = slices == 4 ? 2 : slices - 1, last = slices - 1, c = cols;
    load[0] = make(16, slices == 4 ? rows - 2 : 0, [&](Cycle i) { return c + 2 * (i >> log) + (i & last); });
    load[1] = make(8, 0, [&](Cycle i) { return c + 2 + 4 * (i >> log) + (i & last); });
    const Cycle after = slices + rows - 2 + (cols == 32);
    load[2] = make(16, cols == 8 ? 7 : 0, [&](Cycle i) { return after + i * c / 16; });
    load[3] = make(20, slices == 4 ? 10 : 4, [&](Cycle i) { return sparse(c, log, 16, i, [&](Cycle w) { return c + 2 * (w >> log) + (w & last); }); });
    load[4] = make(12, slices == 4 ? 4 : 2, [&](Cycle i) { return sparse(c, log, 8, i, [&](Cycle w) { return c + 2 + 4 * (w >> log) + (w & last); }); });
  }

 private:
  // Word i of a sparse tile: before the weights of every eight rows come their indices, a word a slice.
  template <class After>
  static Cycle sparse(Cycle cols, Cycle log, Cycle words, Cycle i, After weights) {
    const Cycle slices = Cycle(1) << log, part = words * slices / 4, group = i / (slices + part), rest = i % (slices + part);
    if (rest < slices) return cols + 6 + 8 * group + rest;
    return weights(group * part + rest - slices);
  }
  template <class After>
  static Load make(Cycle words, Cycle chase, After after) {
    Load load{words, chase, after(0), after(0), after(0)};
    for (Cycle i = 1; i < words; ++i) {
      load.all = std::max(load.all, after(i) - i);
      if (i <= chase) load.chased = load.all;
    }
    return load;
  }
};

// Cycles a tile takes in the steady state of a command of many tiles.
inline double tile_period(const Constants& k, Order order, std::uint32_t m) {
  const auto& load = k.load[static_cast<int>(order)];
  const double rows = double(m - 1) * double(k.slices) + 1 + double(load.chase);
  const double stream = double(std::max(Cycle(m) * k.slices, k.hazard));
  return std::max({stream, double(load.words), (rows + double(load.first)) / 2,
                   (rows + double(load.chased)) / 2, (rows + double(load.all + load.words)) / 3});
}

// An engine's state between commands; cycles count from any origin.
class Timer {
 public:
  struct Times {
    Cycle accepted, done;  // done: the pulse, one cycle after the last write
    Cycle busy;            // cycles in which a slice enters
  };

  Timer(std::uint32_t rows, std::uint32_t cols) : k_(rows, cols) {}
  const Constants& constants() const { return k_; }

  // The next command, offered from cycle `offered` on; counts must not be 0.
  Times issue(const Shape& s, Cycle offered) {
    const Cycle accepted = std::max(offered, next_load_ - 1);
    const auto& load = k_.load[static_cast<int>(s.order)];
    const bool held = s.acc && !(any_ && same_rows(s));
    const std::uint64_t tiles = std::uint64_t(s.kb) * s.nb;
    next_load_ = std::max(next_load_, accepted + 1);
    State older{};
    for (std::uint64_t t = 0; t < tiles; ++t) {
      tile(load, s.m, held && t == 0);
      if (t % kPeriod != 1) continue;
      // A period that only shifted the state in time: so will all the others.
      const State now = state();
      if (t > kPeriod && shifted(older, now)) {
        const std::uint64_t rest = (tiles - 1 - t) / kPeriod;
        shift((now.load - older.load) * Cycle(rest));
        t += kPeriod * rest;
      }
      older = state();
    }
    last_ = s;
    any_ = true;
    return {accepted, end_[bank_ ^ 1] + k_.row_at + k_.write_at + 1, Cycle(tiles) * Cycle(s.m) * k_.slices};
  }

 private:
  static constexpr Cycle kLongAgo = -1000000;
  static constexpr std::uint64_t kPeriod = 6;  // critical loops of the recurrence hold 1, 2 or 3 tiles
  struct State {
    Cycle load, start, end[2];
    Cycle width;  // cycles the last tile holds the mover
  };

  State state() const { return {next_load_, start_, {end_[bank_], end_[bank_ ^ 1]}, width_}; }
  static bool shifted(const State& a, const State& b) {
    const Cycle by = b.load - a.load;
    return b.start - a.start == by && b.end[0] - a.end[0] == by && b.end[1] - a.end[1] == by && a.width == b.width;
  }
  void shift(Cycle by) {
    next_load_ += by;
    start_ += by;
    end_[0] += by;
    end_[1] += by;
  }

  void tile(const Constants::Load& load, std::uint32_t m, bool held) {
    const Cycle old = end_[bank_];
    const Cycle first = std::max(next_load_, old + load.first);
    const Cycle record = std::max(first, old + load.chased) + load.chase;
    next_load_ = std::max(first, old + load.all) + load.words;
    Cycle start = std::max(record + 1, start_ + width_);
    if (held) start = std::max(start, end_[bank_ ^ 1] + k_.hazard);
    start_ = start;
    width_ = std::max(Cycle(m) * k_.slices, k_.hazard);
    end_[bank_] = start + Cycle(m - 1) * k_.slices;
    bank_ ^= 1;
  }

  bool same_rows(const Shape& s) const {
    return s.o == last_.o && s.om == last_.om && s.on == last_.on && s.m == last_.m && s.nb == last_.nb;
  }

  Constants k_;
  Shape last_{};
  bool any_ = false;
  unsigned bank_ = 0;
  Cycle next_load_ = 0, start_ = kLongAgo, width_ = 0;
  Cycle end_[2] = {kLongAgo, kLongAgo};
};

}  // namespace mm
}  // namespace jogak
