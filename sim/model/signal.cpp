// signal: gives n to a semaphore once the engine's earlier commands are complete.
#include "control.hpp"

namespace jogak::model {

spec::Fault step(const spec::Signal& i, Sequencer& seq) {
  if (i.n == 0) return spec::Fault::reserved;
  if (i.sem >= spec::limit::semaphores) return spec::Fault::semaphore;  // only other chiplets signal it
  if (seq.balance[i.sem] + i.n > spec::limit::semaphore_max) return spec::Fault::semaphore;
  seq.balance[i.sem] += i.n;
  advance(seq);
  return spec::Fault::none;
}

}  // namespace jogak::model
