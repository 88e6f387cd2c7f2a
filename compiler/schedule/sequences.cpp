// Several sequences a launch: which rows and pages are whose stands in a table in vector memory, which the host writes for each launch.
//
//   word 0  sequences, pieces, rows, 0
//        4  a sequence each: position of its first row, rows, first row, its list of pages (words from the table)
//        .  (as many as the program has sequences)
//        .  a piece each: its page (bytes in the KV window), first token there, first row, rows
//        .  pages of each sequence
//
// A piece is a run of rows whose keys go into one page. A page holds `page_tokens` keys of all layers and kv heads, laid out as the whole
// cache is with one sequence.
#include <bit>

#include "lowering.hpp"

namespace jogak::schedule {

void Lowering::round_keys() {
  const int unit = p_.paged() ? p_.page_tokens : 32;
  const Reg t = sum(pos_, unit - 1);
  e_.alu(AluFn::add, keys_, t, m_);
  e_.alui(AluFn::and_, keys_, keys_, ~u32(unit - 1));
}

void Lowering::load_table() {
  seq_ = e_.variable();
  e_.label("table");
  e_.put(Load{.win = 2, .space = Space::vmem, .da = k(p_.io_table), .ca = k(p_.table * 4LL), .len = pos_, .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::ld, kTable);
  e_.wait(Engine::seq, kTable);
}

void Lowering::rotary_rows(Reg position, Reg row, Reg rows) {
  if (p_.positions) {
    const Reg len = times(rows, p_.dn * 4LL), from = times(position, p_.dn * 4LL), to = times(row, p_.dn * 4LL);
    e_.put(Load{.win = tables(), .space = Space::vmem, .da = sum(from, p_.w_rope), .ca = sum(to, p_.position_rows * 4LL), .len = len, .n1 = k(1), .n2 = k(1)});
    return;
  }
  for (int table = 0; table < p_.rotary_tables; ++table) rotary_rows(position, row, rows, table);
}

void Lowering::rotary_rows(Reg position, Reg row, Reg rows, int table) {
  const long long in_dram = p_.w_rope + 8LL * table * p_.context * p_.hn, on_chip = 4LL * table * p_.rows * p_.hn;
  const Reg len = times(rows, p_.hn * 4LL), from = times(position, p_.hn * 4LL), to = times(row, p_.hn * 4LL);
  e_.put(Load{.win = tables(), .space = Space::vmem, .da = sum(from, in_dram), .ca = sum(to, p_.cosines * 4LL + on_chip), .len = len, .n1 = k(1), .n2 = k(1)});
  e_.put(Load{.win = tables(), .space = Space::vmem, .da = sum(from, in_dram + 4LL * p_.context * p_.hn), .ca = sum(to, p_.sines * 4LL + on_chip), .len = len,
              .n1 = k(1), .n2 = k(1)});
}

void Lowering::load_rotary() {
  if (!p_.paged()) return rotary_rows(pos_, 0, m_);
  const Reg at = e_.temporary(), count = e_.temporary();
  e_.set(at, p_.table);
  e_.lds(count, at);
  e_.set(seq_, p_.table + 4);
  e_.loop(count, [&] {
    const Reg word = e_.temporary();
    e_.lds(p0_, seq_);
    e_.alui(AluFn::add, word, seq_, 1);
    e_.lds(p1_, word);
    e_.alui(AluFn::add, word, seq_, 2);
    e_.lds(p2_, word);
    rotary_rows(p0_, p2_, p1_);
    advance(seq_, 4);
  });
}

void Lowering::each_piece(const std::function<void()>& store) {
  const Reg count = e_.temporary();
  e_.set(count, p_.table + 1);
  e_.lds(count, count);
  e_.set(p0_, p_.table + 4 + 4 * u32(p_.sequences));
  e_.loop(count, [&] {
    for (const Reg r : {p1_, p2_, p3_, p5_}) {
      e_.lds(r, p0_);
      advance(p0_, 1);
    }
    e_.alu(AluFn::add, p1_, p1_, kv_);
    store();
  });
}

void Lowering::append_keys() {
  const int staged = p_.kv_heads * p_.hk, tokens = p_.page_tokens;
  each_piece([&] {
    Reg to = times(p2_, 32), from = times(p3_, staged);
    e_.alu(AluFn::add, to, to, p1_);
    e_.put(Store{.win = 1, .space = Space::aspm, .da = sum(to, p_.kv_k), .ca = sum(from, p_.kst), .len = k(32), .n1 = p5_, .ds1 = k(32), .cs1 = k(staged),
                 .n2 = k(staged / 32), .ds2 = k(tokens * 32LL), .cs2 = k(32)});
    to = times(p2_, 2), from = times(p3_, staged / 16);
    e_.alu(AluFn::add, to, to, p1_);
    e_.put(Store{.win = 1, .space = Space::asc, .da = sum(to, p_.kv_ks), .ca = sum(from, p_.kst / 16), .len = k(2), .n1 = p5_, .ds1 = k(2),
                 .cs1 = k(staged / 16), .n2 = k(staged / 32), .ds2 = k(tokens * 2LL), .cs2 = k(2)});
  });
}

void Lowering::append_values() {
  const int staged = p_.kv_heads * p_.hk, tokens = p_.page_tokens, planes = p_.hn / p_.cols;
  const long long scales = (p_.rows + p_.cols - 1) / p_.cols * p_.cols;
  each_piece([&] {
    const Reg at = times(p2_, 4), row = shifted(AluFn::shl, p3_, 2);
    e_.alu(AluFn::add, at, at, p1_);
    e_.put(Store{.win = 1, .space = Space::vmem, .da = sum(at, p_.kv_vs), .ca = sum(row, p_.vscale_out * 4LL), .len = shifted(AluFn::shl, p5_, 2),
                 .n1 = k(p_.kv_heads), .ds1 = k(tokens * 4LL), .cs1 = k(scales * 4), .n2 = k(1)});
    const Reg to = times(p2_, p_.cols);
    e_.alu(AluFn::add, p2_, to, p1_);
    advance(p2_, p_.kv_v);
    e_.alui(AluFn::mul, p3_, p3_, u32(staged));
    advance(p3_, p_.vst);
    const bool even = p_.hn == p_.hk;  // heads on chip follow each other without a gap
    e_.repeat(even ? 1 : u32(p_.kv_heads), [&] {
      e_.put(Store{.win = 1, .space = Space::aspm, .da = p2_, .ca = p3_, .len = k(p_.cols), .n1 = p5_, .ds1 = k(p_.cols), .cs1 = k(staged),
                   .n2 = k(even ? p_.kv_heads * planes : planes), .ds2 = k(static_cast<long long>(tokens) * p_.cols), .cs2 = k(p_.cols)});
      advance(p2_, static_cast<long long>(tokens) * p_.hn);
      advance(p3_, p_.hk);
    });
  });
}

// Sequences and kv heads turn in one loop: the attention within has none left of four levels.
void Lowering::each_kv_head(const std::function<void()>& attend) {
  if (!p_.paged()) {
    e_.repeat(u32(p_.kv_heads), [&] {
      attend();
      advance(p2_, 1);
    });
    return;
  }
  const Reg count = e_.temporary();
  e_.set(count, p_.table);
  e_.lds(count, count);
  e_.alui(AluFn::mul, count, count, u32(p_.kv_heads));
  e_.set(seq_, p_.table + 4);
  e_.loop(count, [&] {
    select_sequence();
    attend();
    advance(p2_, 1);
    const Reg last = e_.temporary(), step = e_.temporary();
    e_.alui(AluFn::eq, last, p2_, u32(p_.kv_heads));
    e_.alui(AluFn::shl, step, last, 2);
    e_.alu(AluFn::add, seq_, seq_, step);
    e_.alui(AluFn::mul, step, last, u32(p_.kv_heads));
    e_.alu(AluFn::sub, p2_, p2_, step);
  });
  e_.set(m_, p_.table + 2);
  e_.lds(m_, m_);
}

void Lowering::select_sequence() {
  const Reg word = e_.temporary(), row = e_.temporary();
  e_.lds(pos_, seq_);
  e_.alui(AluFn::add, word, seq_, 1);
  e_.lds(m_, word);
  e_.alui(AluFn::add, word, seq_, 2);
  e_.lds(row, word);
  const Reg head = times(p2_, static_cast<long long>(p_.heads / p_.kv_heads) * p_.hk);
  if (p_.dies == 1) {
    e_.alui(AluFn::mul, row, row, u32(static_cast<long long>(p_.heads) * p_.hk));
    e_.alu(AluFn::add, row, row, head);
    e_.alui(AluFn::add, p0_, row, p_.qq);
    e_.alui(AluFn::add, p1_, row, p_.oq);
  } else {  // a row of results has all dies' heads
    e_.alui(AluFn::mul, p0_, row, u32(static_cast<long long>(p_.heads) * p_.hk));
    e_.alui(AluFn::mul, row, row, u32(static_cast<long long>(p_.all_heads) * p_.hk));
    e_.alu(AluFn::add, p0_, p0_, head);
    e_.alu(AluFn::add, row, row, head);
    advance(p0_, p_.qq);
    own(p1_, p_.oq, p_.heads * p_.hk);
    e_.alu(AluFn::add, p1_, p1_, row);
  }
  if (p_.sinks) {
    e_.alui(AluFn::mul, p5_, p2_, u32(p_.heads / p_.kv_heads));
    advance(p5_, p_.extra + p_.at_sinks);
  }
  round_keys();
}

void Lowering::load_keys(const KeyBox& box) {
  scale_cache(p3_, p2_, box.planes * box.unit);
  e_.alu(AluFn::add, p3_, p3_, kv_);
  const Reg run = times(box.keys, box.unit);
  const long long plane = box.unit * p_.kv_tokens();
  if (!p_.paged()) {
    if (box.first != 0) {
      const Reg at = times(box.first, box.unit);
      e_.alu(AluFn::add, p3_, p3_, at);
    }
    advance_cache(p3_, box.region / u32(p_.kv_tokens()));
    e_.put(Load{.win = 1, .space = box.space, .da = p3_, .ca = box.to, .len = run, .n1 = k(box.planes), .ds1 = cache(box.unit), .cs1 = run, .n2 = k(1)});
    return;
  }
  const int shift = std::countr_zero(static_cast<unsigned>(p_.page_tokens));
  advance(p3_, box.region);
  const Reg list = e_.temporary(), count = shifted(AluFn::shr, box.keys, shift);
  e_.alui(AluFn::add, list, seq_, 3);
  e_.lds(list, list);
  if (box.first != 0) {
    const Reg before = shifted(AluFn::shr, box.first, shift);
    e_.alu(AluFn::add, list, list, before);
  }
  e_.put(Load{.win = 1, .space = box.space, .gather = true, .da = p3_, .ca = box.to, .len = k(plane), .n1 = count, .ds1 = k(p_.kv_page), .cs1 = k(plane),
              .n2 = k(box.planes), .ds2 = k(plane), .cs2 = run, .idx = sum(list, p_.table)});
}

}  // namespace jogak::schedule
