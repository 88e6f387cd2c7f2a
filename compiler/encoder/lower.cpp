#include "lower.hpp"

#include "lowering.hpp"

namespace jogak::encoder {

emit::Emitter Lowering::run() {
  prologue();
  ring_.prepare();
  embed();
  e_.label("prologue");
  ring_.start({p_.w_stream, p_.slots_a, p_.slots_b, u32(p_.layers), slots_read()}, blocks_);
  e_.set(xq_, p_.xq + p_.xq_bytes);
  if (p_.merge > 0) e_.loop(blocks_, [&] { e_.wait(Engine::ld, kStored); });
  else e_.wait(Engine::ld, kStored);
  load_xq(0);
  for (std::size_t first = 0, count = 1; first < p_.layer.size(); first += count, count = 1) {
    while (first + count < p_.layer.size() && p_.layer[first + count] == p_.layer[first]) ++count;
    std::vector<std::uint32_t> passes;
    for (std::size_t i = 0; i < count; ++i) passes.push_back(u32(static_cast<long long>(first + i)));
    e_.layers(passes);
    e_.repeat(u32(static_cast<long long>(count)), [&] { layer(p_.layer[first]); });
    e_.layers({});
  }
  head(head_);
  e_.label("halt");
  e_.put(spec::Halt{});
  return std::move(e_);
}

void Lowering::prologue() {
  e_.label("prologue");
  e_.signal(Engine::seq, kOutFree, 2);
  e_.signal(Engine::seq, kXqFree, 2);
  for (const Semaphore s : {kKFree, kVFree, kStagingFree, kKvRead, kXFree, kYFree, kNormFree, kTaken}) e_.signal(Engine::seq, s);
  for (Reg* r : {&blocks_, &row_, &m_, &keys_, &norm_at_, &xq_, &out_, &p0_, &p1_, &p2_, &p3_, &p4_, &p5_}) *r = e_.variable();
  count_rows();
  e_.set(norm_at_, p_.w_norms);
  e_.set(out_, p_.out);
  begin_merging();
  begin_chunks();
}

void Lowering::count_rows() {
  count_blocks(blocks_, n_);
  e_.alui(AluFn::add, keys_, n_, 31);
  e_.alui(AluFn::and_, keys_, keys_, ~31u);
}

// With merging every layer has fewer rows; a launch has as many as the program then.
std::uint32_t Lowering::slots_read() const {
  std::uint32_t blocks = 0;
  for (int l = 0; l < p_.layers && p_.merge > 0; ++l) blocks += u32((p_.context - l * p_.merge + p_.rows - 1) / p_.rows);
  return blocks * (p_.slots_a + p_.slots_b);
}

Lowering::Reg Lowering::more_blocks() {
  const Reg next = sum(row_, p_.rows), more = e_.temporary();
  e_.alu(AluFn::ltu, more, next, n_);
  return more;
}

void Lowering::layer(const LayerPlan& l) {
  e_.wait(Engine::st, kKvRead);
  blocks([&] {
    take_xq();
    // The next block of this pass, or the first one of the next pass.
    const Reg more = more_blocks();
    e_.copy(p0_, more);
    e_.alui(AluFn::add, p1_, row_, u32(p_.rows));
    e_.alu(AluFn::mul, p1_, p1_, p0_);
    if (p_.merge == 0) wait_stored_next();
    load_xq(p1_);
    e_.wait(Engine::mx, kXqFull);
    keys_and_values(l);
    e_.signal(Engine::mx, kXqFree);
  });
  e_.signal(Engine::st, kAppended);
  e_.wait(Engine::ld, kAppended);
  announce_merge();
  const long long norms = (p_.merge > 0 ? 8LL : 16LL) * p_.dn;
  blocks([&] {
    take_xq();
    e_.wait(Engine::mx, kXqFull);
    block(l);
    advance(norm_at_, -norms);
  });
  advance(norm_at_, norms);
  merge();
  e_.signal(Engine::ld, kKvRead);
}

void Lowering::block(const LayerPlan& l) {
  attention(l);
  residual("attn_output", l.o, p_.oq, p_.heads * p_.hk);
  load_norm();
  e_.label("ffn_norm");
  norm(!p_.norm_first, xq_);
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
  // With one block alone the next rows are this block's own, which come later.
  e_.label("next_rows");
  const Reg several = e_.temporary();
  e_.alui(AluFn::ltu, several, n_, u32(p_.rows + 1));
  e_.alui(AluFn::eq, several, several, 0);
  e_.copy(p0_, several);
  e_.loop(p0_, [&] {
    const Reg more = more_blocks(), next = e_.temporary(), last = e_.temporary();
    e_.alui(AluFn::add, next, row_, u32(p_.rows));
    e_.alu(AluFn::mul, next, next, more);
    e_.copy(p1_, next);
    e_.alui(AluFn::eq, last, more, 0);
    if (p_.merge > 0) {  // the first rows of the next layer come when they have moved
      e_.copy(p0_, more);
      return e_.loop(p0_, [&] { load_xq(p1_); });
    }
    e_.loop(last, [&] { e_.wait(Engine::ld, kStored); });
    load_xq(p1_);
  });
  feed_forward(l.up);
  e_.signal(Engine::mx, kXqFree);
  residual("ffn_down", l.down, p_.hq, p_.fk);
  if (p_.merge > 0) return store_unnormed();
  load_norm();
  e_.label("next_norm");
  norm(!p_.norm_first, k(p_.y));
  store_rows();
  e_.label("next_rows");
  const Reg alone = e_.temporary();
  e_.alui(AluFn::ltu, alone, n_, u32(p_.rows + 1));
  e_.copy(p0_, alone);
  e_.loop(p0_, [&] {
    e_.wait(Engine::ld, kStored);
    load_xq(0);
  });
}

void Lowering::take_xq() { toggle(xq_, p_.xq, static_cast<long long>(p_.xq) + p_.xq_bytes); }

void Lowering::load_xq(Reg row) {
  const Reg rows = e_.temporary(), to = e_.temporary();
  e_.alu(AluFn::sub, rows, n_, row);
  e_.alui(AluFn::minu, rows, rows, u32(p_.rows));
  e_.set(to, 2 * p_.xq + p_.xq_bytes);
  e_.alu(AluFn::sub, to, to, xq_);
  e_.wait(Engine::ld, kXqFree);
  const Reg codes = times(row, p_.dk);
  e_.put(Load{.win = 1, .space = Space::aspm, .da = sum(codes, p_.d_xq), .ca = to, .len = times(rows, p_.dk), .n1 = k(1), .n2 = k(1)});
  e_.put(Load{.win = 1, .space = Space::asc, .da = scales_at(row), .ca = shifted(AluFn::shr, to, 4), .len = times(rows, p_.dk / 16), .n1 = k(1),
              .n2 = k(1)});
  e_.signal(Engine::ld, kXqFull);
}

Lowering::Reg Lowering::scales_at(Reg row) {
  const Reg at = times(row, p_.dk / 16);
  if (p_.xs_pad > 0) {
    const Reg block = times(row, p_.magic);
    e_.alui(AluFn::shr, block, block, u32(p_.magic_shift));
    e_.alui(AluFn::mul, block, block, u32(p_.xs_pad));
    e_.alu(AluFn::add, at, at, block);
  }
  return sum(at, p_.d_xs);
}

void Lowering::load_x(Reg from, Reg to, Reg rows) {
  const Reg da = times(from, p_.dn * 4LL), len = times(rows, p_.dn * 4LL);
  e_.put(Load{.win = 1, .space = Space::vmem, .da = sum(da, p_.d_x), .ca = to, .len = len, .n1 = k(1), .n2 = k(1)});
}

void Lowering::store_rows() {
  e_.label("rows_out");
  e_.signal(Engine::ve, kYReady);
  e_.wait(Engine::st, kYReady);
  const Reg at = times(row_, p_.dn * 4LL), len = times(m_, p_.dn * 4LL);
  e_.put(Store{.win = 1, .space = Space::vmem, .da = sum(at, p_.d_x), .ca = k(p_.x * 4LL), .len = len, .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::st, kXFree);
  const Reg codes = times(row_, p_.dk);
  e_.put(Store{.win = 1, .space = Space::aspm, .da = sum(codes, p_.d_xq), .ca = k(p_.y), .len = times(m_, p_.dk), .n1 = k(1), .n2 = k(1)});
  e_.put(Store{.win = 1, .space = Space::asc, .da = scales_at(row_), .ca = k(p_.y / 16), .len = times(m_, p_.dk / 16), .n1 = k(1), .n2 = k(1)});
  signal_stored();
  e_.signal(Engine::st, kYFree);
}

void Lowering::signal_stored() {
  if (p_.chunk == 0) return e_.signal(Engine::st, kStored);
  const Reg first = e_.temporary(), more = more_blocks(), either = e_.temporary();
  e_.alui(AluFn::eq, first, row_, 0);
  e_.alui(AluFn::eq, either, more, 0);
  e_.alu(AluFn::or_, either, either, first);
  e_.copy(p4_, either);
  e_.loop(p4_, [&] { e_.signal(Engine::st, kStored); });
}

// p0: is there one? In chunks the first block's wait is for all of them.
void Lowering::wait_stored_next() {
  if (p_.chunk > 0) {
    const Reg first = e_.temporary();
    e_.alui(AluFn::eq, first, row_, 0);
    e_.alu(AluFn::and_, p0_, p0_, first);
  }
  e_.loop(p0_, [&] { e_.wait(Engine::ld, kStored); });
}

void Lowering::store_unnormed() {
  e_.label("rows_out");
  e_.signal(Engine::ve, kYReady);
  e_.wait(Engine::st, kYReady);
  const Reg at = times(row_, p_.dn * 4LL), len = times(m_, p_.dn * 4LL);
  e_.put(Store{.win = 1, .space = Space::vmem, .da = sum(at, p_.d_x), .ca = k(p_.x * 4LL), .len = len, .n1 = k(1), .n2 = k(1)});
  for (const Semaphore s : {kXFree, kStored, kYFree}) e_.signal(Engine::st, s);
}

emit::Emitter lower(const Plan& plan, const Head& head) { return Lowering(plan, head).run(); }

}  // namespace jogak::encoder
