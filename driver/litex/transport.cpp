#include "transport.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "error.hpp"

namespace jogak::driver::litex {
namespace {

constexpr long kDefaultBaud = 1'000'000;
constexpr int kBitsPerByte = 10;             // with start and stop bit
constexpr std::size_t kSlowBytesPerMs = 16;  // a simulated board on a busy machine

class Descriptor final : public Transport {
 public:
  Descriptor(int fd, std::string name, long baud) : fd_(fd), name_(std::move(name)), baud_(baud) {}
  ~Descriptor() override { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  std::string name() const override { return name_; }
  void send(std::span<const std::uint8_t> bytes, Milliseconds patience) override {
    while (!bytes.empty()) {
      if (!ready(POLLOUT, patience))
        throw Error("litex", "line " + name_, "it taking no bytes", "a board that listens");
      // A board that is gone is an error, not the end of this process.
      const ssize_t n = baud_ == 0 ? ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) : ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno != EAGAIN && errno != EINTR) closed(std::strerror(errno));
      if (n > 0) bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }
  std::size_t receive(std::span<std::uint8_t> bytes, Milliseconds patience) override {
    if (!ready(POLLIN, patience)) return 0;
    const ssize_t n = ::read(fd_, bytes.data(), bytes.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (n <= 0) closed(n == 0 ? "it closed" : std::strerror(errno));
    return static_cast<std::size_t>(n);
  }
  Milliseconds duration(std::size_t bytes) const override {
    const std::size_t per_ms = baud_ == 0 ? kSlowBytesPerMs : static_cast<std::size_t>(baud_) / kBitsPerByte / 1000 + 1;
    return Milliseconds(bytes / per_ms + 1);
  }

 private:
  bool ready(short what, Milliseconds patience) const {
    pollfd p{fd_, what, 0};
    const int n = ::poll(&p, 1, static_cast<int>(patience.count()));
    if (n < 0 && errno != EINTR) closed(std::strerror(errno));
    return n > 0;
  }
  [[noreturn]] void closed(const std::string& why) const { throw Error("litex", "line " + name_, why, "an open line"); }

  int fd_;
  std::string name_;
  long baud_;  // 0: not a serial line
};

int connect_to(const std::string& host, const std::string& port, std::string& why) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    why = ::gai_strerror(error);
    return -1;
  }
  int fd = -1;
  for (const addrinfo* a = found; a != nullptr && fd < 0; a = a->ai_next) {
    fd = ::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd >= 0 && ::connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
      why = std::strerror(errno);
      ::close(fd);
      fd = -1;
    }
  }
  ::freeaddrinfo(found);
  return fd;
}

constexpr struct {
  long baud;
  speed_t code;
} kSpeeds[] = {{9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},    {115200, B115200},
               {230400, B230400},   {460800, B460800},   {500000, B500000},   {921600, B921600},  {1000000, B1000000},
               {1500000, B1500000}, {2000000, B2000000}, {3000000, B3000000}, {4000000, B4000000}};

speed_t speed_of(long baud) {
  std::string known;
  for (const auto& s : kSpeeds) {
    if (s.baud == baud) return s.code;
    known += (known.empty() ? "" : ", ") + std::to_string(s.baud);
  }
  throw Error("litex", "baud rate", std::to_string(baud), "one of " + known);
}

}  // namespace

std::unique_ptr<Transport> open_tcp(const std::string& target) {
  const std::size_t colon = target.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == target.size())
    throw Error("litex", "board", target, "HOST:PORT");
  std::string why;
  const int fd = connect_to(target.substr(0, colon), target.substr(colon + 1), why);
  if (fd < 0) throw Error("litex", "board " + target, why, "a bridge that listens there");
  const int one = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  (void)::fcntl(fd, F_SETFL, O_NONBLOCK);
  return std::make_unique<Descriptor>(fd, target, 0);
}

std::unique_ptr<Transport> open_uart(const std::string& target) {
  const std::size_t colon = target.rfind(':');
  std::string path = target.substr(0, colon);
  long baud = kDefaultBaud;
  if (colon != std::string::npos) {
    const char *begin = target.data() + colon + 1, *end = target.data() + target.size();
    const auto r = std::from_chars(begin, end, baud);
    if (r.ec != std::errc{} || r.ptr != end) path = target, baud = kDefaultBaud;  // a colon of the device's name
  }
  const speed_t speed = speed_of(baud);
  const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    throw Error("litex", "serial port " + path, std::strerror(errno), "a port that this user may open (group dialout)");
  termios line{};
  bool good = ::tcgetattr(fd, &line) == 0;
  ::cfmakeraw(&line);
  line.c_cflag |= CLOCAL | CREAD;
  line.c_cc[VMIN] = line.c_cc[VTIME] = 0;
  good =
      good && ::cfsetspeed(&line, speed) == 0 && ::tcsetattr(fd, TCSANOW, &line) == 0 && ::tcflush(fd, TCIOFLUSH) == 0;
  if (!good) {
    const std::string why = std::strerror(errno);
    ::close(fd);
    throw Error("litex", "serial port " + path, why, "one that can be set to " + std::to_string(baud) + " baud");
  }
  return std::make_unique<Descriptor>(fd, path, baud);
}

}  // namespace jogak::driver::litex
