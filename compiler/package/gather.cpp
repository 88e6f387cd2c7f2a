// What all dies of a package need is gathered: each stores its part to the same place of the others, and a signal behind it.
//
// There is no signal back that a place is free. A die has data for the others only when it has used theirs of the gather before: what it
// sends comes out of them. So whoever has a part of every die may send the next, and where the next one goes nobody reads any more:
//   oq (attention's rows) > x (o's columns) > hq (the feed-forward's rows) > x (down's columns) > oq of the next layer.
#include "../schedule/lowering.hpp"

namespace jogak::schedule {

namespace {

constexpr std::uint32_t remote(spec::Space space) { return static_cast<std::uint32_t>(space) << spec::limit::remote_region_bit; }

// Remote semaphores: parts of operands, for the matrix engine; parts of x, for the vector engine. Behind each the other dies, in the order of
// this die's windows.
enum Purpose : unsigned { kOperandPart = spec::limit::semaphores, kColumnPart = kOperandPart + 8 };

}  // namespace

void Lowering::own(Reg r, std::uint32_t base, int part) {
  if (p_.dies == 1) return e_.set(r, base);
  e_.alui(AluFn::mul, r, die_, u32(part));
  advance(r, base);
}

void Lowering::gather_operand(std::uint32_t base, int part, int stride) {
  if (p_.dies == 1) return;
  e_.signal(Engine::ve, kGathered);
  e_.wait(Engine::st, kGathered);
  own(p0_, base, part);
  send(Space::aspm, p0_, k(part), k(stride));
  send(Space::asc, shifted(AluFn::shr, p0_, 4), k(part / 16), k(stride / 16));
  send_signals(Space::aspm, p0_, kOperandPart);
  wait_for_peers(Engine::mx, kOperandPart);
}

void Lowering::gather_columns(Engine maker) {
  if (p_.dies == 1) return;
  const unsigned made = maker == Engine::ve ? kGathered : kColumns;
  e_.signal(maker, made);
  e_.wait(Engine::st, made);
  own(p0_, p_.x, p_.x_part);
  e_.alui(AluFn::shl, p0_, p0_, 2);
  send(Space::vmem, p0_, k(p_.x_part * 4LL), k(p_.dn * 4LL));
  send_signals(Space::vmem, p0_, kColumnPart);
  e_.signal(Engine::st, kSent);
  e_.wait(Engine::ve, kSent);  // it may write x again
  wait_for_peers(Engine::ve, kColumnPart);
}

void Lowering::send(Space space, Reg from, Reg bytes, Reg stride) {
  const Reg to = sum(from, remote(space)), one = k(1);
  for (int i = 0; i + 1 < p_.dies; ++i)
    e_.put(Store{.win = static_cast<std::uint8_t>(kPeerWindow + u32(i)), .space = space, .da = to, .ca = from, .len = bytes, .n1 = m_, .ds1 = stride,
                 .cs1 = stride, .n2 = one});
}

// To the die behind window i this one is the die behind window dies - 2 - i. What the store reads does not matter: what it has just sent.
void Lowering::send_signals(Space space, Reg from, unsigned purpose) {
  for (int i = 0; i + 1 < p_.dies; ++i) {
    const std::uint32_t semaphore = purpose - spec::limit::semaphores + u32(p_.dies - 2 - i);
    const std::uint32_t offset = (std::uint32_t(spec::limit::remote_signals) << spec::limit::remote_region_bit) + 64 * (semaphore + 32);
    e_.put(Store{.win = static_cast<std::uint8_t>(kPeerWindow + u32(i)), .space = space, .da = k(offset), .ca = from, .len = k(4), .n1 = k(1), .n2 = k(1)});
  }
}

void Lowering::wait_for_peers(Engine engine, unsigned purpose) {
  for (int i = 0; i + 1 < p_.dies; ++i) e_.wait(engine, purpose + u32(i));
}

}  // namespace jogak::schedule
