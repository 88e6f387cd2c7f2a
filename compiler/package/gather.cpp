// What all dies of a package need is gathered: each stores its part to the same place of the others, and a signal behind it.
//
// There is no signal back that a place is free. A die has data for the others only when it has used theirs of the gather before: what it
// sends comes out of them. So whoever has a part of every die may send the next, and where the next one goes nobody reads any more:
//   oq (attention's rows) > x (o's columns) > hq (the feed-forward's rows) > x (down's columns) > oq of the next layer.
// With attention beside the feed-forward there is no x between oq and hq: down's product comes onto o's columns.
// Of experts only the hidden rows are gathered between, one after the other, in two places in turn: a die's product with one ends before it
// sends the next, and it needs everybody's part of that for what comes behind.
#include "../schedule/lowering.hpp"

namespace jogak::schedule {

namespace {

constexpr std::uint32_t remote(spec::Space space) { return static_cast<std::uint32_t>(space) << spec::limit::remote_region_bit; }

// Remote semaphores: parts of operands, for the matrix engine; parts of x, for the vector engine. Behind each the other dies, in the order of
// this die's windows.
enum Purpose : unsigned { kOperandPart = spec::limit::semaphores, kColumnPart = kOperandPart + 8, kResultPart = kColumnPart + 16, kResultRoom = kResultPart + 4 };

}  // namespace

void Lowering::own(Reg r, std::uint32_t base, int part) {
  if (p_.dies == 1) return e_.set(r, base);
  e_.alui(AluFn::mul, r, die_, u32(part));
  advance(r, base);
}

void Lowering::own(Reg r, std::uint32_t base, int part, Reg at) {
  if (p_.dies == 1) return at == 0 ? e_.set(r, base) : e_.copy(r, at);
  e_.alui(AluFn::mul, r, die_, u32(part));
  e_.alu(AluFn::add, r, r, at);
}

void Lowering::gather_piece(Reg from, int bytes, int stride) {
  if (p_.dies > 1) send_rows(from, bytes, stride, m_);
}

void Lowering::end_gather(std::uint32_t base, int part) {
  if (p_.dies == 1) return;
  own(p0_, base, part);
  send_signals(Space::aspm, p0_, kOperandPart);
  wait_for_peers(Engine::mx, kOperandPart);
}

void Lowering::gather_row(Reg from, int part, int stride) {
  send_rows(from, part, stride, k(1));
  send_signals(Space::aspm, from, kOperandPart);
  wait_for_peers(Engine::mx, kOperandPart);
}

void Lowering::send_rows(Reg from, int part, int stride, Reg rows) {
  e_.signal(Engine::ve, kGathered);
  e_.wait(Engine::st, kGathered);
  send_to_all(Space::aspm, from, k(part), rows, k(stride));
  send_to_all(Space::asc, shifted(AluFn::shr, from, 4), k(part / 16), rows, k(stride / 16));
}

void Lowering::gather_columns(Engine maker, std::uint32_t base) {
  if (p_.dies == 1) return;
  const unsigned made = maker == Engine::ve ? kGathered : kColumns;
  e_.signal(maker, made);
  e_.wait(Engine::st, made);
  own(p0_, base, p_.x_part);
  e_.alui(AluFn::shl, p0_, p0_, 2);
  send_to_all(Space::vmem, p0_, k(p_.x_part * 4LL), m_, k(p_.dn * 4LL));
  send_signals(Space::vmem, p0_, kColumnPart);
  e_.signal(Engine::st, kSent);
  e_.wait(Engine::ve, kSent);  // it may write x again
  wait_for_peers(Engine::ve, kColumnPart);
}

// `rows` of `bytes`, to the same place of the die behind the window.
void Lowering::send(int window, Space space, Reg from, Reg bytes, Reg rows, Reg stride) {
  e_.put(Store{.win = static_cast<std::uint8_t>(kPeerWindow + u32(window)), .space = space, .da = sum(from, remote(space)), .ca = from, .len = bytes, .n1 = rows,
               .ds1 = stride, .cs1 = stride, .n2 = k(1)});
}

void Lowering::send_to_all(Space space, Reg from, Reg bytes, Reg rows, Reg stride) {
  for (int i = 0; i + 1 < p_.dies; ++i) send(i, space, from, bytes, rows, stride);
}

// What the store reads does not matter: what it has just sent.
void Lowering::send_signal(int window, Space space, Reg from, unsigned semaphore) {
  const std::uint32_t offset = (std::uint32_t(spec::limit::remote_signals) << spec::limit::remote_region_bit) + 64 * (semaphore - spec::limit::semaphores + 32);
  e_.put(Store{.win = static_cast<std::uint8_t>(kPeerWindow + u32(window)), .space = space, .da = k(offset), .ca = from, .len = k(4), .n1 = k(1), .n2 = k(1)});
}

// To the die behind window i this one is the die behind window dies - 2 - i.
void Lowering::send_signals(Space space, Reg from, unsigned purpose) {
  for (int i = 0; i + 1 < p_.dies; ++i) send_signal(i, space, from, purpose + u32(p_.dies - 2 - i));
}

// Columns of the result lie die by die in the order of this one's windows, its own first.
void Lowering::send_result() {
  const Reg entry = e_.temporary();
  e_.lds(entry, own_at_);
  e_.alui(AluFn::shr, entry, entry, kRankBit);
  e_.alui(AluFn::and_, entry, entry, (1u << (kMantissaBits - kRankBit)) - 1);
  e_.alui(AluFn::mul, p0_, waiting_, u32(p_.mixture.top));
  e_.alu(AluFn::add, p0_, p0_, entry);
  e_.alui(AluFn::mul, p0_, p0_, u32(p_.x_part));
  advance(p0_, p_.results);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .dst = p0_, .a = k(p_.result), .b = kf(1.0f), .rows = k(1), .cols = k(p_.x_part)});
  e_.signal(Engine::ve, kGathered);
  e_.wait(Engine::st, kGathered);
  e_.alui(AluFn::shl, p0_, p0_, 2);
  advance(p0_, remote(Space::vmem));
  for (int i = 0; i + 1 < p_.dies; ++i)
    e_.put(Store{.win = static_cast<std::uint8_t>(kPeerWindow + u32(i)), .space = Space::vmem, .da = p0_, .ca = k((p_.result + (i + 1LL) * p_.x_part) * 4),
                 .len = k(p_.x_part * 4LL), .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::st, kSent);
}

// One signal from each die to each other, whoever had how many.
void Lowering::exchange_results() {
  e_.label(op::experts);
  e_.set(p0_, p_.route * 4);  // logits, which are there until the next layer
  send_signals(Space::vmem, p0_, kResultPart);
  wait_for_peers(Engine::ve, kResultPart);
}

// With places for all rows of a launch no signals back: a die's results of the next layer come out of columns of x that all have sent when they
// had used these.
void Lowering::free_results() {
  if (p_.result_rows >= p_.rows) return;
  e_.signal(Engine::ve, kGathered);
  e_.wait(Engine::st, kGathered);
  e_.set(p0_, p_.route * 4);
  send_signals(Space::vmem, p0_, kResultRoom);
  wait_for_peers(Engine::st, kResultRoom);
}

void Lowering::wait_for_peers(Engine engine, unsigned purpose) {
  for (int i = 0; i + 1 < p_.dies; ++i) e_.wait(engine, purpose + u32(i));
}

}  // namespace jogak::schedule
