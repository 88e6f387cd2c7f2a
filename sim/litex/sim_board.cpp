#include "sim_board.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "error.hpp"

namespace jogak::litex_sim {

SimBoard::SimBoard(const std::string& program) {
  int out[2];
  if (::pipe(out) != 0) throw Error("litex sim", "pipe", std::strerror(errno), "one");
  process_ = ::fork();
  if (process_ == 0) {
    ::dup2(out[1], 1);
    ::close(out[0]);
    ::close(out[1]);
    ::execl(program.c_str(), program.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(out[1]);
  std::FILE* text = ::fdopen(out[0], "r");
  int port = 0;
  const bool good = text != nullptr && std::fscanf(text, "port %d", &port) == 1;
  if (text != nullptr) std::fclose(text);
  if (!good) throw Error("litex sim", "program " + program, "no port in its output", "a line \"port N\"");
  target_ = "127.0.0.1:" + std::to_string(port);
}

SimBoard::~SimBoard() {
  if (process_ <= 0) return;
  ::kill(process_, SIGTERM);
  ::waitpid(process_, nullptr, 0);
}

}  // namespace jogak::litex_sim
