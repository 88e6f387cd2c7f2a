#include "gemm.hpp"

#include <algorithm>

#include "gemm_frame.hpp"
#include "tile.hpp"

namespace jogak::schedule {
namespace {

class Lowering : GemmFrame {
 public:
  explicit Lowering(const Gemm& g) : GemmFrame(g), kb_(g.tiles()), trips_(g.n / g.slot_columns()) {
    const auto& c = g.config;
    const std::uint32_t tile = 32 * c.cols;
    slot_ = (g.slot_weights() + g.slot_indices() + tile - 1) / tile * tile;
    slots_ = std::min<std::uint32_t>(c.wspm_bytes / slot_, static_cast<std::uint32_t>(std::min(trips_, 6)));
    if (slots_ < 2 || 2u * kRows * static_cast<std::uint32_t>(g.k) > c.aspm_bytes)
      throw Error("gemm", "k on " + std::string(c.name), std::to_string(g.k), "two slots of B and two row blocks of A that fit");
    if (g.two_of_four && !c.sparse) throw Error("gemm", "2:4 sparse product on " + std::string(c.name), "no selection in the array", "a configuration with sparse: 1");
    if (g.k % (g.two_of_four ? 64 : 32) || g.m % kRows || g.n % g.slot_columns())
      throw Error("gemm", "shape", std::to_string(g.m) + " x " + std::to_string(g.n) + " x " + std::to_string(g.k), "multiples of 64, " +
                  std::to_string(g.slot_columns()) + (g.two_of_four ? " and 64" : " and 32"));
  }

  emit::Emitter run() {
    use_ = e_.variable(), fill_ = e_.variable(), from_ = e_.variable();
    begin();
    for (const Reg r : {use_, fill_, from_}) e_.set(r, 0);
    load_a();
    e_.repeat(slots_, [&] { load_b(); });
    all_rows("gemm", static_cast<std::uint32_t>(trips_), slots_, [&](bool prefetch) { columns(prefetch); });
    return std::move(e_);
  }

 private:
  void load_b() {
    e_.put(spec::Load{.win = 0, .space = Space::wspm, .da = from_, .ca = fill_, .len = k(g_.slot_weights() + g_.slot_indices()), .n1 = k(1), .n2 = k(1)});
    const Reg from = e_.temporary(), to = e_.temporary();
    e_.alui(AluFn::add, from, from_, g_.slot_weights() + g_.slot_indices());
    e_.alui(AluFn::shr, to, fill_, 4);
    e_.put(spec::Load{.win = 0, .space = Space::wsc, .da = from, .ca = to, .len = k(g_.slot_scales()), .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kSlotFull);
    cycle(from_, g_.slot_bytes(), g_.b_bytes());
    cycle(fill_, slot_, slot_ * slots_);
  }

  void columns(bool prefetch) {
    const long long tile = g_.slot_weights() / (2 * kb_), width = g_.slot_columns();
    const Reg scales = e_.temporary();
    e_.wait(Engine::mx, kSlotFull);
    e_.wait(Engine::mx, kOutFree);
    e_.alui(AluFn::shr, scales, use_, 4);
    spec::Mm mm = product();
    mm.w = use_, mm.ws = scales, mm.wn = k(kb_ * tile), mm.wk = k(tile), mm.a = a_, mm.om = k(width), mm.kb = k(kb_), mm.nb = k(2);
    if (g_.two_of_four) {
      mm.sparse = true, mm.wi = e_.temporary();
      e_.alui(AluFn::add, mm.wi, use_, g_.slot_weights());
    }
    e_.put(mm);
    e_.signal(Engine::mx, kSlotFree);
    e_.signal(Engine::mx, kOutFull);
    cycle(use_, slot_, slot_ * slots_);
    if (prefetch) {
      e_.wait(Engine::ld, kSlotFree);
      load_b();
    }
    store_columns(width);
  }

  const int kb_, trips_;
  std::uint32_t slots_ = 0, slot_ = 0;  // slots; bytes of one
  Reg use_ = 0, fill_ = 0, from_ = 0;  // slot in use, slot to fill, offset of the next one in window 0
};

}  // namespace

std::uint32_t Gemm::slot_weights() const { return 2u * static_cast<std::uint32_t>(tiles()) * (format == ir::Format::int8 ? 32 : 16) * config.cols; }
std::uint32_t Gemm::slot_indices() const { return two_of_four ? slot_weights() / (format == ir::Format::int8 ? 4 : 2) : 0; }
std::uint32_t Gemm::slot_scales() const { return slot_weights() / 16; }

emit::Emitter lower_gemm(const Gemm& gemm) { return Lowering(gemm).run(); }

namespace {

std::vector<std::byte> packed(const Gemm& g, const ir::QMatrix& b, const std::uint8_t* indices) {
  std::vector<std::byte> out(g.b_bytes());
  const int cols = static_cast<int>(g.config.cols);
  std::byte* at = out.data();
  for (int n = 0; n < g.n; n += g.slot_columns()) {
    const std::size_t tile_bytes = g.slot_weights() / static_cast<std::uint32_t>(2 * b.kb()), scale_bytes = tile_bytes / 16;
    std::byte *tile = at, *index = at + g.slot_weights(), *scale = index + g.slot_indices();
    for (int nb = 0; nb < 2; ++nb)
      for (int kb = 0; kb < b.kb(); ++kb, tile += tile_bytes, scale += scale_bytes)
        for (int c = 0; c < cols; ++c) {
          const std::int64_t row = n + nb * cols + c;
          put_column(b, row, kb, c, cols, tile, scale);
          if (indices) passes::put_indices({indices + (row * b.kb() + kb) * 32, 32}, c, cols, index + (nb * b.kb() + kb) * 8 * cols);
        }
    at += g.slot_bytes();
  }
  return out;
}

}  // namespace

std::vector<std::byte> pack_b(const Gemm& g, const ir::QMatrix& b) { return packed(g, b, nullptr); }
std::vector<std::byte> pack_b(const Gemm& g, const ir::QMatrix& stored, const passes::TwoOfFour& b) { return packed(g, stored, b.index.data()); }

}  // namespace jogak::schedule
