// jogak-xrt-sim: see usage().
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "error.hpp"
#include "number.hpp"
#include "stage.hpp"
#include "xclbin.hpp"

namespace jogak::xrt_card {
namespace {

namespace fs = std::filesystem;

int usage() {
  std::puts(
      "usage: jogak xrt-sim run [OPTIONS] PROGRAM [ARGUMENTS]   an XRT program with a simulated card in place of real ones\n"
      "       jogak xrt-sim xclbin [OPTIONS] FILE               only the file that describes the card\n\n"
      "  --config NAME   nano (default), small, edge ...\n"
      "  --on WHAT       model (default), hls (the HLS kernel), cycle[:MEMORY], systemc[:MEMORY], rtl[:MEMORY]\n"
      "  --memory MIB    of the card's bank (256)\n"
      "  --cards N       how many there are (1)\n\n"
      "PROGRAM finds the xclbin's path in JOGAK_XCLBIN.");
  return 0;
}

struct Request {
  std::string command;
  StageOptions stage;
  std::vector<char*> rest;  // ends with null
};

Request parse(int argc, char** argv) {
  Request r;
  r.command = argc > 1 ? argv[1] : "--help";
  int i = 2;
  for (; i + 1 < argc && std::strncmp(argv[i], "--", 2) == 0 && argv[i][2] != 0; i += 2) {
    const std::string key = argv[i], value = argv[i + 1];
    if (key == "--config") r.stage.card.config = value;
    else if (key == "--on") r.stage.card.on = value;
    else if (key == "--memory") r.stage.card.memory_bytes = whole_number(key, value) << 20;
    else if (key == "--cards") r.stage.cards = static_cast<u32>(whole_number(key, value));
    else throw Error("xrt-sim", "option", key, "one of --help");
  }
  if (i < argc && std::strcmp(argv[i], "--") == 0) ++i;
  for (; i < argc; ++i) r.rest.push_back(argv[i]);
  r.rest.push_back(nullptr);
  return r;
}

pid_t program = 0;

// 128 + signal where a signal ended it, as shells say it.
int run(const Request& r) {
  const Stage stage(r.stage);
  const pid_t child = ::fork();
  if (child < 0) throw Error("xrt-sim", "process", std::strerror(errno), "one");
  if (child == 0) {
    for (const auto& [name, value] : stage.environment()) ::setenv(name.c_str(), value.c_str(), 1);
    ::execvp(r.rest[0], r.rest.data());
    std::fprintf(stderr, "xrt-sim: program %s, found %s, expected one that can be started\n", r.rest[0], std::strerror(errno));
    ::_exit(127);
  }
  // The terminal's interrupt is for the program; the folder is removed when that has ended.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGQUIT, SIG_IGN);
  program = child;
  std::signal(SIGTERM, [](int) { ::kill(program, SIGTERM); });
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  // What XRT's emulation leaves in the current folder.
  std::error_code ignored;
  fs::remove_all(fs::path(".run") / std::to_string(child), ignored);
  fs::remove(".run", ignored);  // if nothing else is in it
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int act(int argc, char** argv) {
  Request r = parse(argc, argv);
  r.stage.programs = fs::read_symlink("/proc/self/exe").parent_path();
  if (r.command == "--help" || r.command == "-h" || r.command == "help") return usage();
  if (r.rest[0] == nullptr) throw Error("xrt-sim", "arguments of " + r.command, "none", "a program or a file; see --help");
  if (r.command == "run") return run(r);
  if (r.command != "xclbin") throw Error("xrt-sim", "command", r.command, "run or xclbin");
  const std::vector<u8> file = xclbin(r.stage.card, r.stage.programs / "jogak-xrt-card");
  std::ofstream out(r.rest[0], std::ios::binary);
  out.write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  if (!out.flush()) throw Error("xrt-sim", std::string("file ") + r.rest[0], "no way to write it", "a path that can be written");
  return 0;
}

}  // namespace
}  // namespace jogak::xrt_card

int main(int argc, char** argv) {
  try {
    return jogak::xrt_card::act(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}
