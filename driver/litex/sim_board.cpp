#include "sim_board.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "driver/backends.hpp"
#include "driver/doubles.hpp"
#include "error.hpp"
#include "litex.hpp"

namespace jogak::driver::litex {

bool SimBoard::built() { return ::access(JOGAK_LITEX_SIM, X_OK) == 0; }

SimBoard::SimBoard() {
  int out[2];
  if (::pipe(out) != 0) throw Error("litex test", "pipe", std::strerror(errno), "one");
  process_ = ::fork();
  if (process_ == 0) {
    ::dup2(out[1], 1);
    ::close(out[0]);
    ::close(out[1]);
    ::execl(JOGAK_LITEX_SIM, JOGAK_LITEX_SIM, "--keep", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(out[1]);
  std::FILE* text = ::fdopen(out[0], "r");
  int port = 0;
  const bool good = text != nullptr && std::fscanf(text, "port %d", &port) == 1;
  if (text != nullptr) std::fclose(text);
  if (!good) throw Error("litex test", std::string("simulator ") + JOGAK_LITEX_SIM, "no port in its output", "a line \"port N\"");
  target_ = "127.0.0.1:" + std::to_string(port);
}

SimBoard::~SimBoard() {
  if (process_ <= 0) return;
  ::kill(process_, SIGTERM);
  ::waitpid(process_, nullptr, 0);
}

SimBoard& sim_board() {
  static SimBoard board;
  return board;
}

namespace {

// The suite of driver/device_test.cpp runs on it.
const struct Registration {
  Registration() {
    if (!SimBoard::built()) {
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
