// wait: takes n from a semaphore. In program order the engines' own signals have all happened, so it
// never blocks on one; taking what no earlier signal gave is a fault. On a semaphore of other
// chiplets it may have to wait for them.
#include "control.hpp"

namespace jogak::model {

spec::Fault step(const spec::Wait& i, Sequencer& seq) {
  if (i.n == 0) return spec::Fault::reserved;
  if (i.sem >= spec::limit::semaphores) {
    if (seq.remote == nullptr) return spec::Fault::semaphore;
    u32& count = (*seq.remote)[i.sem - spec::limit::semaphores];
    seq.blocked = count < i.n;
    if (seq.blocked) return spec::Fault::none;
    count -= i.n;
    advance(seq);
    return spec::Fault::none;
  }
  if (seq.balance[i.sem] < i.n) return spec::Fault::semaphore;
  seq.balance[i.sem] -= i.n;
  advance(seq);
  return spec::Fault::none;
}

}  // namespace jogak::model
