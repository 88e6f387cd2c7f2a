// The simulated board that the tests of this program share.
#pragma once

#include "sim/litex/sim_board.hpp"

namespace jogak::driver::litex {

using litex_sim::SimBoard;

SimBoard& sim_board();

}  // namespace jogak::driver::litex
