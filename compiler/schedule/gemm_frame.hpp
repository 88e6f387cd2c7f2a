// What the two products of gemm.cpp and sparse_gemm.cpp share: rows of A in two buffers, column blocks of C in two buffers.
#pragma once
#include "../emit/emitter.hpp"
#include "gemm.hpp"

namespace jogak::schedule {

class GemmFrame {
 protected:
  using Reg = emit::Reg;
  using AluFn = spec::AluFn;
  using Engine = spec::Engine;
  using Space = spec::Space;

  static constexpr int kRows = 64;  // rows of A at once
  enum Semaphore : unsigned { kSlotFull, kSlotFree, kAFull, kAFree, kOutFull, kOutFree, kLists };

  explicit GemmFrame(const Gemm& g) : g_(g) {
    if (g.format != ir::Format::int8 && g.format != ir::Format::mxfp4) throw Error("gemm", "format of B", ir::name(g.format), "int8 or mxfp4");
  }

  Reg k(long long value) { return e_.constant(static_cast<std::uint32_t>(value)); }
  // r = r + by, back to 0 at `end`.
  void cycle(Reg r, std::uint32_t by, std::uint32_t end) {
    const Reg inside = e_.temporary();
    e_.alui(AluFn::add, r, r, by);
    e_.alui(AluFn::ltu, inside, r, end);
    e_.alu(AluFn::mul, r, r, inside);
  }

  void begin() {
    for (Reg* r : {&a_, &a_fill_, &a_from_, &out_, &c_, &c_row_}) *r = e_.variable();
    e_.label("prologue");
    e_.signal(Engine::seq, kOutFree, 2);
    e_.signal(Engine::seq, kAFree, 2);
    for (const Reg r : {a_, a_fill_, a_from_, out_, c_, c_row_}) e_.set(r, 0);
  }

  void load_a() {
    const long long codes = 1LL * kRows * g_.k;
    e_.wait(Engine::ld, kAFree);
    e_.put(spec::Load{.win = 1, .space = Space::aspm, .da = a_from_, .ca = a_fill_, .len = k(codes), .n1 = k(1), .n2 = k(1)});
    const Reg from = e_.temporary(), to = e_.temporary();
    e_.alui(AluFn::shr, from, a_from_, 4);
    e_.alui(AluFn::add, from, from, static_cast<std::uint32_t>(g_.m * g_.k));
    e_.alui(AluFn::shr, to, a_fill_, 4);
    e_.put(spec::Load{.win = 1, .space = Space::asc, .da = from, .ca = to, .len = k(codes / 16), .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kAFull);
    e_.alui(AluFn::add, a_from_, a_from_, static_cast<std::uint32_t>(codes));
    cycle(a_fill_, static_cast<std::uint32_t>(codes), static_cast<std::uint32_t>(2 * codes));
  }

  // All blocks of rows; columns(ahead) makes one column block of C, with `ahead` a slot of B is fetched for a later one.
  template <class F>
  void all_rows(const char* label, std::uint32_t trips, std::uint32_t slots, const F& columns) {
    e_.label(label);
    e_.repeat(static_cast<std::uint32_t>(g_.m / kRows - 1), [&] {
      load_a();
      rows(trips, trips, columns);
    });
    rows(trips, trips - slots, columns);
    e_.put(spec::Halt{});
  }

  // The column block in the output buffer to C.
  void store_columns(long long width) {
    const Reg from = e_.temporary();
    e_.wait(Engine::st, kOutFull);
    e_.alui(AluFn::shl, from, out_, 2);
    e_.put(spec::Store{.win = 2, .space = Space::vmem, .da = c_, .ca = from, .len = k(width * 4), .n1 = k(kRows), .ds1 = k(g_.n * 4LL),
                       .cs1 = k(width * 4), .n2 = k(1)});
    e_.signal(Engine::st, kOutFree);
    cycle(out_, static_cast<std::uint32_t>(kRows * width), static_cast<std::uint32_t>(2 * kRows * width));
    e_.alui(AluFn::add, c_, c_, static_cast<std::uint32_t>(width * 4));
  }

  // mm of kRows rows with the formats of B.
  spec::Mm product() {
    const bool int8 = g_.format == ir::Format::int8;
    return {.wfmt = int8 ? spec::Wfmt::int8 : spec::Wfmt::e2m1, .wscale = int8 ? spec::Wscale::fp16 : spec::Wscale::e8m0, .ascale = spec::Ascale::bf16,
            .am = k(g_.k), .o = out_, .on = k(g_.config.cols), .m = k(kRows)};
  }

  const Gemm& g_;
  emit::Emitter e_;
  Reg a_ = 0, a_fill_ = 0, a_from_ = 0;             // row block in use, to fill, offset of the next one in window 1
  Reg out_ = 0, c_ = 0, c_row_ = 0;                 // output buffer, its place in C, first column of the row block

 private:
  // One block of rows against all of B; in the first `ahead` turns slots for the next block are fetched.
  template <class F>
  void rows(std::uint32_t trips, std::uint32_t ahead, const F& columns) {
    e_.wait(Engine::mx, kAFull);
    e_.repeat(ahead, [&] { columns(true); });
    e_.repeat(trips - ahead, [&] { columns(false); });
    e_.signal(Engine::mx, kAFree);
    cycle(a_, static_cast<std::uint32_t>(kRows * g_.k), static_cast<std::uint32_t>(2 * kRows * g_.k));
    e_.alui(AluFn::add, c_row_, c_row_, static_cast<std::uint32_t>(kRows * g_.n * 4));
    e_.copy(c_, c_row_);
  }
};

}  // namespace jogak::schedule
