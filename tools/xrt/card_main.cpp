// jogak-xrt-card --config NAME --on SIMULATOR [--memory MIB]: the process that XRT's hardware emulation starts as its simulator.
// It connects to the socket /tmp/$USER/$EMULATION_SOCKETID, on which XRT's library listens a while later.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "error.hpp"
#include "session.hpp"

namespace jogak::xrt_card {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == 0) throw Error("xrt card", std::string("environment variable ") + name, "nothing", "what XRT's hardware emulation sets");
  return value;
}

int connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Error("xrt card", "socket " + path, std::to_string(path.size()) + " letters", "fewer than 108");
  std::strcpy(address.sun_path, path.c_str());
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw Error("xrt card", "socket", std::strerror(errno), "one");
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    ::close(fd);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  throw Error("xrt card", "socket " + path, "nobody listening for a minute", "the host's XRT");
}

CardOptions parse(int argc, char** argv) {
  CardOptions o;
  for (int i = 1; i < argc; i += 2) {
    const std::string key = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (key == "--config") o.config = value;
    else if (key == "--on") o.on = value;
    else if (key == "--memory") o.memory_bytes = std::strtoull(value.c_str(), nullptr, 10) << 20;
    else throw Error("xrt card", "argument", key, "--config NAME, --on SIMULATOR or --memory MIB");
  }
  if (o.memory_bytes == 0) throw Error("xrt card", "--memory", "0", "MiB");
  return o;
}

}  // namespace
}  // namespace jogak::xrt_card

int main(int argc, char** argv) {
  using namespace jogak::xrt_card;
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const auto card = make_card(parse(argc, argv));
    const int fd = connect_to("/tmp/" + variable("USER") + "/" + variable("EMULATION_SOCKETID"));
    serve(*card, fd);
    ::close(fd);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
