// wait: takes n from a semaphore. In program order the signals have all happened, so it never
// blocks here; taking what no earlier signal gave is a fault.
#include "control.hpp"

namespace jogak::model {

spec::Fault step(const spec::Wait& i, Sequencer& seq) {
  if (i.n == 0) return spec::Fault::reserved;
  if (seq.balance[i.sem] < i.n) return spec::Fault::semaphore;
  seq.balance[i.sem] -= i.n;
  advance(seq);
  return spec::Fault::none;
}

}  // namespace jogak::model
