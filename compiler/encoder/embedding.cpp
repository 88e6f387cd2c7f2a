// The first layer's rows: words, types and positions added up, or an image's patches through a matrix.
#include <bit>

#include "lowering.hpp"

namespace jogak::encoder {

void Lowering::embed() {
  if (p_.source == Source::patches) ring_.start({p_.w_patch, u32(p_.patch.iterations * p_.patch.slots), 0, 1}, blocks_);
  const int norms = p_.embedding_norm + p_.norm_first;
  blocks([&] {
    e_.label("embed");
    e_.wait(Engine::ld, kXFree);
    e_.wait(Engine::ve, kYFree);
    if (p_.source == Source::hidden) {
      load_x(row_, k(p_.x * 4LL), m_);
      e_.signal(Engine::ld, kInput);
      e_.wait(Engine::ve, kInput);
    } else if (p_.source == Source::tokens) {
      embed_tokens();
    } else {
      embed_patches();
    }
    if (norms > 0 && p_.source != Source::patches) row_sums();
    if (p_.embedding_norm) {
      load_norm();
      norm(true, k(p_.y));
      if (p_.norm_first) row_sums();
    }
    if (p_.norm_first) {
      load_norm();
      norm(false, k(p_.y));
    } else if (!p_.embedding_norm) {
      quantise_rows(k(p_.x), m_, k(p_.y));
    }
    store_rows();
    advance(norm_at_, -8LL * p_.dn * norms);  // the same for the next block
  });
  advance(norm_at_, 8LL * p_.dn * norms);
}

// The words' rows by their ids; positions and types come in groups of rows by way of the work area.
void Lowering::embed_tokens() {
  const long long row_bytes = p_.dn * 4LL;
  const Reg ids = times(row_, 4), len = times(m_, 4);
  e_.put(Load{.win = 2, .space = Space::vmem, .da = sum(ids, p_.io_ids), .ca = k(p_.part * 4LL), .len = len, .n1 = k(1), .n2 = k(1)});
  if (p_.type_count > 0)
    e_.put(Load{.win = 2, .space = Space::vmem, .da = sum(ids, p_.io_types), .ca = k(p_.maxima * 4LL), .len = len, .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::ld, kListed);
  e_.wait(Engine::ld, kListed);
  e_.put(Load{.win = 0, .space = Space::vmem, .gather = true, .da = k(p_.w_words), .ca = k(p_.x * 4LL), .len = k(row_bytes), .n1 = m_, .ds1 = k(row_bytes),
              .cs1 = k(row_bytes), .n2 = k(1), .idx = k(p_.part)});
  e_.set(p0_, p_.x);
  e_.copy(p1_, m_);
  e_.alui(AluFn::mul, p2_, row_, u32(row_bytes));
  advance(p2_, p_.w_positions);
  e_.set(p3_, p_.maxima);
  const Reg up = sum(m_, p_.group - 1), trips = shifted(AluFn::shr, up, std::countr_zero(static_cast<unsigned>(p_.group)));
  e_.copy(p4_, trips);
  const auto add = [&] {
    e_.signal(Engine::ld, kInput);
    e_.wait(Engine::ve, kInput);
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = p0_, .ds = k(p_.dn), .a = p0_, .as = k(p_.dn), .b = k(p_.work), .bs = k(p_.dn),
               .s = kf(1.0f), .rows = p5_, .cols = k(p_.dn)});
    e_.signal(Engine::ve, kTaken);
  };
  e_.loop(p4_, [&] {
    e_.alui(AluFn::minu, p5_, p1_, u32(p_.group));
    e_.wait(Engine::ld, kTaken);
    e_.put(Load{.win = 0, .space = Space::vmem, .da = p2_, .ca = k(p_.work * 4LL), .len = times(p5_, row_bytes), .n1 = k(1), .n2 = k(1)});
    add();
    if (p_.type_count > 0) {
      e_.wait(Engine::ld, kTaken);
      e_.put(Load{.win = 0, .space = Space::vmem, .gather = true, .da = k(p_.w_types), .ca = k(p_.work * 4LL), .len = k(row_bytes), .n1 = p5_,
                  .ds1 = k(row_bytes), .cs1 = k(row_bytes), .n2 = k(1), .idx = p3_});
      add();
    }
    advance(p0_, static_cast<long long>(p_.group) * p_.dn);
    advance(p1_, -p_.group);
    advance(p2_, p_.group * row_bytes);
    advance(p3_, p_.group);
  });
}

// Row 0 of the sequence is no patch: it takes zeros through the matrix, and what it is lies with the positions. Patches come one by one, a run of
// pixels for each of their lines and channels. p1: row of the sequence, p0: where it goes.
void Lowering::embed_patches() {
  const long long side = p_.image / p_.patch_size, run = p_.patch_size * 4LL, line = p_.image * 4LL;
  const int pixels = p_.channels * p_.patch_size * p_.patch_size;
  const Reg table = times(row_, p_.dn * 4LL);
  e_.put(Load{.win = 0, .space = Space::vmem, .da = sum(table, p_.w_positions), .ca = k(p_.x * 4LL), .len = times(m_, p_.dn * 4LL), .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::ld, kXFull);
  e_.set(p0_, p_.hq);
  e_.copy(p1_, row_);
  e_.loop(m_, [&] {
    e_.alui(AluFn::eq, p2_, p1_, 0);
    e_.alui(AluFn::eq, p3_, p2_, 0);
    const Reg index = e_.temporary(), down = e_.temporary(), right = e_.temporary(), back = e_.temporary();
    e_.alu(AluFn::sub, index, p1_, p3_);
    e_.alui(AluFn::mul, down, index, u32((1 << kSideShift) / side + 1));
    e_.alui(AluFn::shr, down, down, kSideShift);
    e_.alui(AluFn::mul, back, down, u32(side));
    e_.alu(AluFn::sub, right, index, back);
    e_.alui(AluFn::mul, right, right, u32(run));
    e_.alui(AluFn::mul, p4_, down, u32(p_.patch_size * line));
    e_.alu(AluFn::add, p4_, p4_, right);
    advance(p4_, p_.io_pixels);
    e_.wait(Engine::ld, kTaken);
    e_.put(Load{.win = 2, .space = Space::vmem, .da = p4_, .ca = k(p_.work * 4LL), .len = k(run), .n1 = times(p3_, p_.patch_size), .ds1 = k(line),
                .cs1 = k(run), .n2 = k(p_.channels), .ds2 = k(line * p_.image), .cs2 = k(run * p_.patch_size)});
    e_.signal(Engine::ld, kInput);
    e_.wait(Engine::ve, kInput);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = k(p_.work), .ds = k(p_.patch_words), .a = k(p_.work),
               .as = k(p_.patch_words), .rows = p2_, .cols = k(pixels)});
    e_.put(Qnt{.dst = p0_, .ds = k(p_.patch_k), .a = k(p_.work), .as = k(p_.patch_words), .rows = k(1), .cols = k(pixels)});
    e_.signal(Engine::ve, kTaken);
    advance(p0_, p_.patch_k);
    advance(p1_, 1);
  });
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
  e_.wait(Engine::mx, kXFull);
  residual("patches", p_.patch, p_.hq, p_.patch_k);
}

}  // namespace jogak::encoder
