// The suite of driver/device_test.cpp runs on the simulated board too.
#include "litex_double.hpp"

#include <unistd.h>

#include <cstdio>

#include "driver/backends.hpp"
#include "driver/doubles.hpp"

namespace jogak::driver::litex {

SimBoard& sim_board() {
  static SimBoard board(JOGAK_LITEX_SIM);
  return board;
}

namespace {

const struct Registration {
  Registration() {
    if (::access(JOGAK_LITEX_SIM, X_OK) != 0) {
      std::printf("skipped: no %s\n", JOGAK_LITEX_SIM);
      std::fflush(stdout);
      ::_exit(0);
    }
    doubles().emplace("litex", [](const OpenOptions& options, std::unique_ptr<Device>& device) {
      OpenOptions o = options;
      o.backend = "litex:" + sim_board().target();
      return open_litex(o, device);
    });
  }
} registration;

}  // namespace
}  // namespace jogak::driver::litex
