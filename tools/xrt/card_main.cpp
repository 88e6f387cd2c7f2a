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
#include "number.hpp"
#include "session.hpp"

namespace jogak::xrt_card {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == 0) throw Error("xrt card", std::string("environment variable ") + name, "nothing", "what XRT's hardware emulation sets");
  return value;
}

// -1: nobody listens there until the time is over.
int connect_to(const std::string& path, std::chrono::milliseconds patience) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Error("xrt card", "socket " + path, std::to_string(path.size()) + " letters", "fewer than 108");
  std::strcpy(address.sun_path, path.c_str());
  for (const auto end = std::chrono::steady_clock::now() + patience;;) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw Error("xrt card", "socket", std::strerror(errno), "one");
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    ::close(fd);
    if (std::chrono::steady_clock::now() >= end) return -1;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

// XRT listens on a second socket, on which cards ask for memory of the host. This one never does; but XRT waits some seconds for somebody
// to come, and for a farewell before it closes.
class HostMemory {
 public:
  explicit HostMemory(const std::string& path) : fd_(connect_to(path, std::chrono::milliseconds(20))) {}
  ~HostMemory() {
    if (fd_ < 0) return;
    const std::vector<u8> farewell = Writer().fixed64(1, 0).fixed32(2, 1).take();
    (void)::send(fd_, farewell.data(), farewell.size(), MSG_NOSIGNAL);
    ::close(fd_);
  }
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

 private:
  int fd_;
};

CardOptions parse(int argc, char** argv) {
  CardOptions o;
  for (int i = 1; i < argc; i += 2) {
    const std::string key = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (key == "--config") o.config = value;
    else if (key == "--on") o.on = value;
    else if (key == "--memory") o.memory_bytes = whole_number(key, value) << 20;
    else throw Error("xrt card", "argument", key, "--config NAME, --on SIMULATOR or --memory MIB");
  }
  return o;
}

}  // namespace
}  // namespace jogak::xrt_card

int main(int argc, char** argv) {
  using namespace jogak::xrt_card;
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const auto card = make_card(parse(argc, argv));
    const std::string folder = "/tmp/" + variable("USER") + "/", id = variable("EMULATION_SOCKETID");
    const int fd = connect_to(folder + id, kPatience);
    if (fd < 0) throw jogak::Error("xrt card", "socket " + folder + id, "nobody listening for a minute", "the host's XRT");
    check_host(fd);
    const HostMemory host(folder + "D2X_unix_sock_" + id);
    serve(*card, fd);
    ::close(fd);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
