#include "gemm.hpp"

#include <algorithm>

#include "tile.hpp"

namespace jogak::schedule {
namespace {

using emit::Emitter;
using emit::Reg;
using spec::AluFn;
using spec::Engine;
using spec::Space;

constexpr int kRows = 64;  // rows of A at once

enum Semaphore : unsigned { kSlotFull, kSlotFree, kAFull, kAFree, kOutFull, kOutFree };

class Lowering {
 public:
  explicit Lowering(const Gemm& g) : g_(g), kb_(g.k / 32), trips_(g.n / g.slot_columns()) {
    const auto& c = g.config;
    if (g.format != ir::Format::int8 && g.format != ir::Format::mxfp4) throw Error("gemm", "format of B", ir::name(g.format), "int8 or mxfp4");
    const std::uint32_t slot = g.slot_weights();
    slots_ = std::min<std::uint32_t>(c.wspm_bytes / slot, static_cast<std::uint32_t>(std::min(trips_, 6)));
    if (slots_ < 2 || 2u * kRows * static_cast<std::uint32_t>(g.k) > c.aspm_bytes)
      throw Error("gemm", "k on " + std::string(c.name), std::to_string(g.k), "two slots of B and two row blocks of A that fit");
    if (g.k % 32 || g.m % kRows || g.n % g.slot_columns())
      throw Error("gemm", "shape", std::to_string(g.m) + " x " + std::to_string(g.n) + " x " + std::to_string(g.k), "multiples of 64, " +
                  std::to_string(g.slot_columns()) + " and 32");
  }

  Emitter run() {
    use_ = e_.variable(), fill_ = e_.variable(), from_ = e_.variable(), a_ = e_.variable(), a_from_ = e_.variable(), out_ = e_.variable(),
    c_ = e_.variable(), c_row_ = e_.variable(), a_fill_ = e_.variable();
    e_.label("prologue");
    e_.signal(Engine::seq, kOutFree, 2);
    e_.signal(Engine::seq, kAFree, 2);
    for (const Reg r : {use_, fill_, from_, a_, a_from_, out_, c_, c_row_, a_fill_}) e_.set(r, 0);
    load_a();
    e_.repeat(slots_, [&] { load_b(); });
    e_.label("gemm");
    e_.repeat(static_cast<std::uint32_t>(g_.m / kRows - 1), [&] {
      load_a();
      rows(true);
    });
    rows(false);
    e_.put(spec::Halt{});
    return std::move(e_);
  }

 private:
  Reg k(long long value) { return e_.constant(static_cast<std::uint32_t>(value)); }
  // r = r + by, back to 0 at `end`.
  void cycle(Reg r, std::uint32_t by, std::uint32_t end) {
    const Reg inside = e_.temporary();
    e_.alui(AluFn::add, r, r, by);
    e_.alui(AluFn::ltu, inside, r, end);
    e_.alu(AluFn::mul, r, r, inside);
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

  void load_b() {
    e_.put(spec::Load{.win = 0, .space = Space::wspm, .da = from_, .ca = fill_, .len = k(g_.slot_weights()), .n1 = k(1), .n2 = k(1)});
    const Reg from = e_.temporary(), to = e_.temporary();
    e_.alui(AluFn::add, from, from_, g_.slot_weights());
    e_.alui(AluFn::shr, to, fill_, 4);
    e_.put(spec::Load{.win = 0, .space = Space::wsc, .da = from, .ca = to, .len = k(g_.slot_scales()), .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kSlotFull);
    cycle(from_, g_.slot_weights() + g_.slot_scales(), g_.b_bytes());
    cycle(fill_, g_.slot_weights(), g_.slot_weights() * slots_);
  }

  // One block of rows against all of B; B's slots for the next block are fetched ahead.
  void rows(bool more) {
    e_.wait(Engine::mx, kAFull);
    const auto ahead = static_cast<std::uint32_t>(more ? trips_ : trips_ - static_cast<int>(slots_));
    e_.repeat(ahead, [&] { columns(true); });
    e_.repeat(static_cast<std::uint32_t>(trips_) - ahead, [&] { columns(false); });
    e_.signal(Engine::mx, kAFree);
    cycle(a_, static_cast<std::uint32_t>(kRows * g_.k), static_cast<std::uint32_t>(2 * kRows * g_.k));
    e_.alui(AluFn::add, c_row_, c_row_, static_cast<std::uint32_t>(kRows * g_.n * 4));
    e_.copy(c_, c_row_);
  }

  void columns(bool prefetch) {
    const bool int8 = g_.format == ir::Format::int8;
    const long long tile = g_.slot_weights() / (2 * kb_), width = g_.slot_columns();
    const Reg scales = e_.temporary();
    e_.wait(Engine::mx, kSlotFull);
    e_.wait(Engine::mx, kOutFree);
    e_.alui(AluFn::shr, scales, use_, 4);
    e_.put(spec::Mm{.wfmt = int8 ? spec::Wfmt::int8 : spec::Wfmt::e2m1, .wscale = int8 ? spec::Wscale::fp16 : spec::Wscale::e8m0,
                    .ascale = spec::Ascale::bf16, .w = use_, .ws = scales, .wn = k(kb_ * tile), .wk = k(tile), .a = a_, .am = k(g_.k), .o = out_,
                    .om = k(width), .on = k(g_.config.cols), .m = k(kRows), .kb = k(kb_), .nb = k(2)});
    e_.signal(Engine::mx, kSlotFree);
    e_.signal(Engine::mx, kOutFull);
    cycle(use_, g_.slot_weights(), g_.slot_weights() * slots_);
    if (prefetch) {
      e_.wait(Engine::ld, kSlotFree);
      load_b();
    }
    const Reg from = e_.temporary();
    e_.wait(Engine::st, kOutFull);
    e_.alui(AluFn::shl, from, out_, 2);
    e_.put(spec::Store{.win = 2, .space = Space::vmem, .da = c_, .ca = from, .len = k(width * 4), .n1 = k(kRows), .ds1 = k(g_.n * 4LL),
                       .cs1 = k(width * 4), .n2 = k(1)});
    e_.signal(Engine::st, kOutFree);
    cycle(out_, static_cast<std::uint32_t>(kRows * width), static_cast<std::uint32_t>(2 * kRows * width));
    e_.alui(AluFn::add, c_, c_, static_cast<std::uint32_t>(width * 4));
  }

  const Gemm& g_;
  Emitter e_;
  const int kb_, trips_;
  std::uint32_t slots_ = 0;
  Reg use_ = 0, fill_ = 0, from_ = 0;               // slot in use, slot to fill, offset of the next one in window 0
  Reg a_ = 0, a_fill_ = 0, a_from_ = 0;             // row block in use, to fill, offset of the next one in window 1
  Reg out_ = 0, c_ = 0, c_row_ = 0;                 // output buffer, its place in C, first column of the row block
};

}  // namespace

std::uint32_t Gemm::slot_weights() const { return 2u * static_cast<std::uint32_t>(k / 32) * (format == ir::Format::int8 ? 32 : 16) * config.cols; }
std::uint32_t Gemm::slot_scales() const { return slot_weights() / 16; }

Emitter lower_gemm(const Gemm& gemm) { return Lowering(gemm).run(); }

std::vector<std::byte> pack_b(const Gemm& g, const ir::QMatrix& b) {
  std::vector<std::byte> out(g.b_bytes());
  const int cols = static_cast<int>(g.config.cols);
  std::byte* at = out.data();
  for (int n = 0; n < g.n; n += g.slot_columns()) {
    const std::size_t tile_bytes = g.slot_weights() / static_cast<std::uint32_t>(2 * b.kb()), scale_bytes = tile_bytes / 16;
    std::byte *tile = at, *scale = at + g.slot_weights();
    for (int nb = 0; nb < 2; ++nb)
      for (int kb = 0; kb < b.kb(); ++kb, tile += tile_bytes, scale += scale_bytes)
        for (int c = 0; c < cols; ++c) put_column(b, n + nb * cols + c, kb, c, cols, tile, scale);
    at += g.slot_weights() + g.slot_scales();
  }
  return out;
}

}  // namespace jogak::schedule
