// Experts that lie whole on one die each. All dies route and choose alike; each makes the results of its own experts, one after the other, while
// the others are at theirs, and sends the columns to the dies that have them in x. When the results of some rows are there, each die adds up its
// columns in the order of the choice, as one die does; behind the last ones the columns of x are gathered as ever.
//
// What a die has to do depends on the choice, what it waits for does not: each one tells each other when it is through with these rows.
#include "../schedule/lowering.hpp"

namespace jogak::schedule {

// Registers: p2 x of the first row that waits, p3 the row's quantised x, p4 its logits, share_ where its choice goes.
void Lowering::rows_of_own_experts(const LayerPlan& l, Reg rows) {
  e_.label(op::experts);
  e_.set(p2_, p_.x);
  e_.set(p3_, p_.xq);
  e_.set(p4_, p_.route);
  e_.set(waiting_, 0);
  e_.loop(rows, [&] {
    e_.alui(AluFn::mul, share_, waiting_, u32(static_cast<long long>(p_.mixture.top) * p_.cols));
    advance(share_, p_.chosen);
    choose();
    e_.set(own_at_, p_.own_chosen);
    e_.set(p1_, 0);
    share_out();
    e_.set(own_at_, p_.own_chosen);
    e_.loop(p1_, [&] { own_expert(l); });
    advance(waiting_, 1);
    advance(p3_, p_.dk);
    advance(p4_, p_.ep);
    e_.alui(AluFn::mul, p0_, m_, u32(p_.ep));  // behind the last row, or where there is no place for another one
    advance(p0_, p_.route);
    e_.alu(AluFn::eq, p0_, p0_, p4_);
    const Reg full = e_.temporary();
    e_.alui(AluFn::eq, full, waiting_, u32(p_.result_rows));
    e_.alu(AluFn::or_, p0_, p0_, full);
    e_.loop(p0_, [&] {
      exchange_results();
      add_results();
      free_results();
    });
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

// Registers: p0 this die's columns of x of the row at hand, p1 the next result, p4 the row's logits, p5 the next choice, own_at_ its rank. One
// loop for rows and ranks: another one would be a fifth inside each other.
void Lowering::add_results() {
  own(p0_, 0, p_.x_part, p2_);
  e_.set(p1_, p_.results);
  e_.set(p5_, p_.chosen);
  e_.set(own_at_, 0);
  const Reg back = times(waiting_, p_.ep);
  e_.alu(AluFn::sub, p4_, p4_, back);
  const Reg rows = times(waiting_, p_.dn);
  e_.alu(AluFn::add, p2_, p2_, rows);
  e_.alui(AluFn::mul, waiting_, waiting_, u32(p_.mixture.top));
  e_.loop(waiting_, [&] {
    const Reg index = e_.temporary(), row = e_.temporary(), step = e_.temporary();
    e_.lds(index, p5_);
    e_.alui(AluFn::and_, index, index, (1u << kRankBit) - 1);
    e_.lds(share_, share_at(index));
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = p0_, .a = p1_, .b = p0_, .s = share_, .rows = k(1), .cols = k(p_.x_part)});
    advance(p1_, p_.x_part);
    advance(p5_, p_.cols);
    advance(own_at_, 1);
    e_.alui(AluFn::eq, row, own_at_, u32(p_.mixture.top));  // the last of its row
    e_.alui(AluFn::mul, step, row, u32(p_.dn));
    e_.alu(AluFn::add, p0_, p0_, step);
    e_.alui(AluFn::mul, step, row, u32(p_.ep));
    e_.alu(AluFn::add, p4_, p4_, step);
    e_.alui(AluFn::ltu, row, own_at_, u32(p_.mixture.top));
    e_.alu(AluFn::mul, own_at_, own_at_, row);
  });
  e_.set(waiting_, 0);
}

}  // namespace jogak::schedule
