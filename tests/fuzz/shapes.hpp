// Random legal engine commands as values, before registers hold them.
#pragma once

#include <optional>

#include "writer.hpp"

namespace jogak::fuzz {

struct Dma {
  bool store = false;
  u8 win = 0;
  spec::Space space{};
  bool gather = false;
  Val da{}, ca{}, len{}, n1{}, ds1{}, cs1{}, n2{}, ds2{}, cs2{}, idx{};
};
struct Mm {
  spec::Mm f;  // everything but registers
  Val w, ws, wn, wk, a, am, o, om, on, m, kb, nb, wi;
};
// Registers given outright hold values that nobody knows.
struct Vec {
  spec::Vec f;
  Val dst, ds, a, as, b, bs, s, lim, r, rows, cols;
  std::optional<u8> b_register, s_register, lim_register;
};
struct Qnt {
  spec::Qnt f;
  Val dst, ds, a, as, r, rows, cols;
};

// Index lists: the pool's first words. The list for a wrong index follows.
constexpr u32 kIndices = 56, kWrongList = 8;

// Part of a memory that a program works in, in the memory's own units.
struct Span {
  u64 base, size;
};

class Shapes {
 public:
  Shapes(const spec::Config& config, Case& target, Writer& writer, Random& random);

  // Nothing where what was drawn does not fit.
  std::optional<Dma> load();
  std::optional<Dma> store();
  // rows: where its results go, in words of vector memory; else anywhere.
  std::optional<Mm> mm(std::optional<Span> rows = {});
  // A few rows for results that commands meet on.
  Span few_rows();
  std::optional<Vec> vec();
  std::optional<Qnt> qnt();
  // A gather whose list is loaded just before, by the same engine.
  std::optional<std::pair<Dma, Dma>> list_and_gather();

  // Makes one count 0 and the ranges anything.
  void empty(Dma&);
  void empty(Mm&);
  void empty(Vec&);
  void empty(Qnt&);

  void write(const Dma&);
  void write(const Mm&);
  void write(const Vec&);
  void write(const Qnt&);

  u32 word_of_vmem();
  u64 bytes(spec::Space space) const;
  u32 window_size(u8 win) const { return case_.windows[win].size; }
  const Span& span(spec::Space space) const { return spans_[std::size_t(space)]; }

 private:
  struct Box {
    u32 len, n1, n2, s1, s2;
    u64 extent() const { return u64(n1 - 1) * s1 + u64(n2 - 1) * s2 + len; }
  };
  std::optional<Box> box(u32 len, u32 n1, u32 n2, u32 granule, u64 room, bool overlap);
  std::optional<Dma> dma(bool store, std::optional<spec::Space> space);
  std::optional<Val> place(const Span& span, u64 extent, u32 granule);
  std::optional<u8> window(bool write);
  std::optional<Span> visible(u8 win) const;
  u32 count(u32 most) { return random_.one_in(3) ? 1 : 1 + random_.below(most); }
  bool operands(Vec& x, u32 rows, u32 cols);
  void choose_windows();
  void choose_spans();
  u32 far(u32 granule) { return random_.word() / granule * granule; }

  const spec::Config& config_;
  Case& case_;
  Writer& writer_;
  Random& random_;
  std::array<Span, 5> spans_{};
  Span physical_{};
};

}  // namespace jogak::fuzz
