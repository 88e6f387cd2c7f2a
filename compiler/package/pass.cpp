// Where each die has layers of its own: x goes from die to die.
//
// A launch is one of two kinds, as its argument says. Alone: all dies work on the same rows, one after the other. Overlapped: each die works on
// rows of its own, x of which the die before gave it at the end of the launch before. There dies hand over when they have ended, the
// last one first: a die's x may be written over when the die itself has passed it on, and a signal back says so.
#include "../schedule/lowering.hpp"

namespace jogak::schedule {

namespace {

// Remote semaphores: x has come, for the vector engine; the last die's rows, likewise; the next die's x may be written, for the store engine.
enum Purpose : unsigned { kFromBefore = spec::limit::semaphores + 16, kFromLast, kRoom };

}  // namespace

// The first die embeds, the others wait for x, or have it already.
void Lowering::take_over() {
  const Reg here = p0_;
  e_.alui(AluFn::eq, here, die_, 0);
  e_.loop(here, [&] {
    embed();
    e_.signal(Engine::ld, kInput);
    e_.wait(Engine::ve, kInput);
    add_positions();
  });
  e_.alu(AluFn::or_, here, here, overlapped_);
  e_.alui(AluFn::eq, here, here, 0);
  e_.loop(here, [&] { e_.wait(Engine::ve, kFromBefore); });
}

// Signals store what nobody writes any more: x of a die without rows may get the last one's already.
void Lowering::pass_on() {
  if (p_.stages == 1) return;
  e_.label("pass_on");
  if (!p_.post_norm) {  // else the vector engine has made x
    e_.wait(Engine::ve, kResult);
    e_.signal(Engine::mx, kResult);  // for the last norm
  }
  e_.signal(Engine::ve, kGathered);
  e_.wait(Engine::st, kGathered);
  const Reg here = p0_;
  e_.alui(AluFn::ltu, here, die_, u32(p_.stages - 1));
  e_.loop(here, [&] {
    e_.loop(overlapped_, [&] { e_.wait(Engine::st, kRoom); });
    e_.set(p1_, p_.x * 4);
    send(0, Space::vmem, p1_, k(p_.dn * 4LL), m_, k(p_.dn * 4LL));
    send_signal(0, Space::vmem, k(p_.ids * 4LL), kFromBefore);
  });
  // The die before is behind the last window.
  e_.alui(AluFn::eq, here, die_, 0);
  e_.alu(AluFn::ltu, here, here, overlapped_);
  e_.loop(here, [&] {
    send_signal(p_.stages - 2, Space::vmem, k(p_.ids * 4LL), kRoom);
    e_.wait(Engine::ve, kFromBefore);
  });
  share_last();
}

// Rows whose logits are wanted go to all dies, each of which has a part of the head. In an overlapped launch the others have none of their own.
void Lowering::share_last() {
  const Reg here = p0_;
  wanted(here);
  e_.loop(here, [&] {
    const Reg role = p0_;
    e_.alui(AluFn::eq, role, die_, u32(p_.stages - 1));
    e_.loop(role, [&] {
      const Reg row = times(first_, p_.dn * 4LL);
      e_.alui(AluFn::add, p1_, row, p_.x * 4);
      for (int i = 0; i + 1 < p_.stages; ++i) {
        send(i, Space::vmem, p1_, k(p_.dn * 4LL), logit_rows_, k(p_.dn * 4LL));
        send_signal(i, Space::vmem, p1_, kFromLast);
      }
    });
    e_.alui(AluFn::eq, role, role, 0);
    e_.loop(role, [&] { e_.wait(Engine::ve, kFromLast); });
  });
}

void Lowering::wanted(Reg r) {
  e_.alui(AluFn::eq, r, logit_rows_, 0);
  e_.alui(AluFn::eq, r, r, 0);
}

}  // namespace jogak::schedule
