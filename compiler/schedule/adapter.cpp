// LoRA adapters: small products beside a layer's own. What a launch without one does is skipped by loops of no turns, so nothing of them is in
// its bits. The loads queue behind those of the weight ring, in two places of their own.
#include "lowering.hpp"

namespace jogak::schedule {

void Lowering::argument_variables() {
  if (p_.adapter.rank > 0) adapter_on_ = e_.variable();
  if (p_.stages > 1) overlapped_ = e_.variable();
  if (p_.package_dies() > 1) die_ = e_.variable();
  adapter_variables();
}

void Lowering::adapter_variables() {
  if (p_.adapter.rank == 0) return;
  adapter_at_ = e_.variable(), adapter_fill_ = e_.variable();
  e_.set(adapter_at_, 0);
  e_.set(adapter_fill_, p_.adapter_area);
  e_.signal(Engine::seq, kAdapterFree, 2);
}

// to (words, `om` a row) += from (aspm, `am` a row) times the next piece of the adapter.
void Lowering::adapter_piece(const AdapterMatrix& m, Reg from, int am, Reg to, int om) {
  const AdapterPlan& a = p_.adapter;
  const int weights = m.nbs * m.kbs * a.tile_bytes();
  e_.wait(Engine::ld, kAdapterFree);
  const auto window = static_cast<std::uint8_t>(p_.adapter_window());
  e_.put(Load{.win = window, .space = Space::wspm, .da = adapter_at_, .ca = adapter_fill_, .len = k(weights), .n1 = k(1), .n2 = k(1)});
  e_.put(Load{.win = window, .space = Space::wsc, .da = sum(adapter_at_, weights), .ca = shifted(AluFn::shr, adapter_fill_, 4), .len = k(weights / 16),
              .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::ld, kAdapterFull);
  e_.wait(Engine::mx, kAdapterFull);
  e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::fp16, .ascale = spec::Ascale::bf16, .acc = true, .w = adapter_fill_,
            .ws = shifted(AluFn::shr, adapter_fill_, 4), .wn = k(m.kbs * a.tile_bytes()), .wk = k(a.tile_bytes()), .a = from, .am = k(am), .o = to,
            .om = k(om), .on = k(p_.cols), .m = m_, .kb = k(m.kbs), .nb = k(m.nbs)});
  e_.signal(Engine::mx, kAdapterFree);
  toggle(adapter_fill_, p_.adapter_area, static_cast<long long>(p_.adapter_area) + a.slot_bytes);
  advance(adapter_at_, a.piece_bytes(m));
}

// The same for all pieces of a matrix: p2 goes along k, `to` along the columns.
void Lowering::adapter_matrix(const AdapterMatrix& m, std::uint32_t from, int am, Reg to, int om) {
  const std::uint32_t end = from + u32(static_cast<long long>(m.kparts) * m.kbs * 32);
  const long long columns = static_cast<long long>(m.nbs) * p_.cols;
  e_.set(p2_, from);
  e_.repeat(u32(m.count), [&] {
    adapter_piece(m, p2_, am, to, om);
    if (m.kparts == 1) return advance(to, columns);
    advance(p2_, m.kbs * 32LL);  // behind the last part of k the next column block
    const Reg done = e_.temporary();
    e_.alui(AluFn::eq, done, p2_, end);
    const Reg step = times(done, columns);
    e_.alu(AluFn::add, to, to, step);
    const Reg back = times(done, static_cast<long long>(end) - from);
    e_.alu(AluFn::sub, p2_, p2_, back);
  });
}

// A x of a group (rows of `stride` bytes), quantised, into aspm: of all dies alike, since all have its input.
void Lowering::adapter_down(AdapterGroup g, std::uint32_t operand, int stride) {
  const AdapterPlan& a = p_.adapter;
  const int columns = a.down_columns(g), row = round_up(columns, p_.cols);
  const Reg t = k(p_.adapter_t), words = k(row);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = t, .ds = words, .a = t, .as = words, .rows = m_, .cols = words});
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
  e_.set(p3_, p_.adapter_t);
  adapter_matrix(a.down(g), operand, stride, p3_, row);
  e_.signal(Engine::mx, kResult);
  e_.wait(Engine::ve, kResult);
  e_.put(Qnt{.dst = k(p_.adapter_q), .ds = k(columns), .a = k(p_.adapter_t), .as = k(row), .rows = m_, .cols = k(columns)});
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
}

void Lowering::adapter_input(AdapterGroup g, std::uint32_t operand, int stride) {
  if (p_.adapter.rank == 0) return;
  e_.loop(adapter_on_, [&] { adapter_down(g, operand, stride); });
}

// The output buffer += B of the next head or iteration, whose input is the `target`th of its group; behind the channel scales or the bias, where there are any.
void Lowering::adapter_columns(const MatrixPlan& m, int row_words) {
  if (!adds_) return;
  const bool worked = m.channel() || m.bias();
  e_.loop(adapter_on_, [&] {
    if (worked) {
      e_.signal(Engine::ve, kOperand);
      e_.wait(Engine::mx, kOperand);
    }
    for (int t = 0; t < adds_->targets; ++t) {
      e_.set(p5_, p_.adapter_q + u32(static_cast<long long>(adds_->target + t) * p_.adapter.rank));
      if (t > 0) e_.alui(AluFn::add, p3_, out_, u32(static_cast<long long>(t) * p_.fc));
      adapter_piece(adds_->matrix, p5_, p_.adapter.down_columns(adds_->group), t > 0 ? p3_ : out_, row_words);
    }
    if (worked) {
      e_.signal(Engine::mx, kResult);
      e_.wait(Engine::ve, kResult);
    }
  });
}

// This die's columns of the rows at `to` (words) += B A operand.
void Lowering::adapter_residual(AdapterGroup g, std::uint32_t operand, int stride, std::uint32_t to) {
  if (p_.adapter.rank == 0) return;
  e_.loop(adapter_on_, [&] {
    adapter_down(g, operand, stride);
    own(p3_, to, p_.x_part);
    adapter_matrix(p_.adapter.up_residual(), p_.adapter_q, p_.adapter.down_columns(g), p3_, p_.dn);
  });
}

}  // namespace jogak::schedule
