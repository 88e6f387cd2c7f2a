// Experts that lie whole on one die each. All dies route and choose alike; each makes the results of its own experts, one after the other, while
// the others are at theirs, and sends the columns to the dies that have them in x. When the results of all rows are there, each die adds up its
// columns in the order of the choice, as one die does, and the columns of x are gathered as ever.
//
// What a die has to do depends on the choice, what it waits for does not: each one tells each other when it is through, once a layer.
#include "../schedule/lowering.hpp"

namespace jogak::schedule {

// Registers: p2 results of the row, p3 its quantised x, p4 its logits, share_ where its choice goes.
void Lowering::rows_of_own_experts(const LayerPlan& l, Reg rows) {
  e_.label(op::experts);
  e_.set(p2_, p_.results);
  e_.set(p3_, p_.xq);
  e_.set(p4_, p_.route);
  e_.set(share_, p_.chosen);
  e_.loop(rows, [&] {
    choose();
    e_.set(own_at_, p_.own_chosen);
    e_.set(p1_, 0);
    share_out();
    e_.set(own_at_, p_.own_chosen);
    e_.loop(p1_, [&] { own_expert(l); });
    advance(p2_, p_.result_words());
    advance(p3_, p_.dk);
    advance(p4_, p_.ep);
    advance(share_, static_cast<long long>(p_.mixture.top) * p_.cols);
  });
}

// An entry that is not this die's is written over by the next one. p1 counts those that are.
void Lowering::pick_own(Reg index, std::size_t rank, Reg row) {
  const Reg first = times(die_, p_.experts_here()), entry = e_.temporary(), mine = e_.temporary();
  e_.alu(AluFn::sub, entry, index, first);
  e_.alui(AluFn::ltu, mine, entry, u32(p_.experts_here()));
  e_.alui(AluFn::and_, entry, entry, (1u << kRankBit) - 1);
  advance(entry, std::bit_cast<std::uint32_t>(1.0f) + (static_cast<long long>(rank) << kRankBit));
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .dst = own_at_, .a = row, .b = entry, .rows = k(1), .cols = k(1)});
  e_.alu(AluFn::add, p1_, p1_, mine);
  const Reg step = times(mine, p_.cols);
  e_.alu(AluFn::add, own_at_, own_at_, step);
}

void Lowering::own_expert(const LayerPlan& l) {
  const Reg index = e_.temporary();
  e_.lds(index, own_at_);
  e_.alui(AluFn::and_, index, index, (1u << kRankBit) - 1);
  e_.alui(AluFn::mul, expert_from_, index, p_.expert_bytes);
  e_.alu(AluFn::add, expert_from_, expert_from_, experts_at_);
  weights_.begin_expert(expert_from_, expert_window_);
  expert_in(l.ffn);
  expert_out(l.down);
  weights_.end_expert();
  send_result();
  e_.wait(Engine::ve, kSent);
  advance(own_at_, p_.cols);
}

// Registers: p2 x of the row, p3 the next result, p4 its logits, p5 the next choice.
void Lowering::add_results(Reg rows) {
  e_.label(op::experts);
  e_.set(p2_, p_.x);
  e_.set(p3_, p_.results);
  e_.set(p4_, p_.route);
  e_.set(p5_, p_.chosen);
  e_.loop(rows, [&] {
    own(p0_, 0, p_.x_part, p2_);
    e_.loop(k(p_.mixture.top), [&] {
      const Reg index = e_.temporary();
      e_.lds(index, p5_);
      e_.alui(AluFn::and_, index, index, (1u << kRankBit) - 1);
      e_.lds(share_, share_at(index));
      e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = p0_, .a = p3_, .b = p0_, .s = share_, .rows = k(1), .cols = k(p_.x_part)});
      advance(p3_, p_.x_part);
      advance(p5_, p_.cols);
    });
    advance(p2_, p_.dn);
    advance(p4_, p_.ep);
  });
}

}  // namespace jogak::schedule
