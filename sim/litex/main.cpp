// jogak-litex-sim [--port P] [--once]: the board's system on chip, Verilated, with the bytes of its bridge on a TCP
// port of this machine. Prints "port N" when it listens; serves one client after the other (--once: ends with the
// first). Simulated time runs while a client is connected, and rests after a long silence.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "Vlitex_board.h"
#include "error.hpp"
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace jogak {
namespace {

using u8 = std::uint8_t;
using u64 = std::uint64_t;

constexpr int kResetCycles = 16;
constexpr int kSlice = 32;              // cycles between looks at the socket
constexpr u64 kRestAfter = 20'000'000;  // silent cycles
constexpr int kRestMs = 20;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

class Board {
 public:
  Board() {
    context_.randReset(2);
    top_ = std::make_unique<Vlitex_board>(&context_);
    top_->clk = top_->serial_sink_valid = top_->serial_source_ready = 0;
    top_->rst = 1;
    for (int i = 0; i < kResetCycles; ++i) edge();
    top_->rst = 0;
    for (int i = 0; i < kResetCycles; ++i) edge();  // the reset is released synchronously
  }
  ~Board() { top_->final(); }

  // One clock; takes the byte if `in` holds one (then true), appends what the board says to `out`.
  bool tick(const u8* in, std::vector<u8>& out) {
    top_->serial_sink_valid = in != nullptr;
    if (in) top_->serial_sink_data = *in;
    top_->serial_source_ready = 1;
    top_->eval();
    const bool taken = in && top_->serial_sink_ready;
    if (top_->serial_source_valid) out.push_back(top_->serial_source_data);
    edge();
    return taken;
  }
  u64 cycles() const { return cycles_; }

 private:
  void edge() {
    top_->clk = 1;
    top_->eval();
    top_->clk = 0;
    top_->eval();
    ++cycles_;
  }

  VerilatedContext context_;
  std::unique_ptr<Vlitex_board> top_;
  u64 cycles_ = 0;
};

// Serves one client until it leaves.
class Service {
 public:
  Service(Board& board, int client) : board_(board), client_(client) {}

  void run() {
    u64 silent = 0;
    while (open_) {
      const std::size_t before = at_;
      receive(silent > kRestAfter);
      for (int i = 0; i < kSlice; ++i) at_ += board_.tick(at_ < in_.size() ? &in_[at_] : nullptr, out_);
      silent = at_ != before || !out_.empty() ? 0 : silent + kSlice;
      send();
    }
  }

 private:
  void receive(bool rest) {
    if (at_ < in_.size()) return;
    in_.clear(), at_ = 0;
    if (rest) {
      pollfd p{client_, POLLIN, 0};
      (void)poll(&p, 1, kRestMs);
    }
    std::array<u8, 65536> buffer;
    const ssize_t n = recv(client_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) in_.assign(buffer.begin(), buffer.begin() + n);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) open_ = false;
  }
  void send() {
    for (std::size_t sent = 0; sent < out_.size() && open_;) {
      const ssize_t n = ::send(client_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
      if (n > 0) sent += static_cast<std::size_t>(n);
      if (n < 0 && errno != EINTR) open_ = false;
    }
    out_.clear();
  }

  Board& board_;
  int client_;
  bool open_ = true;
  std::vector<u8> in_, out_;
  std::size_t at_ = 0;
};

void listen_on(int fd, int port) {
  const int one = 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 || listen(fd, 1) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw Error("litex sim", "TCP port " + std::to_string(port), std::strerror(errno), "a free port");
  std::printf("port %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
}

int run(int port, bool once) {
  const Socket server(socket(AF_INET, SOCK_STREAM, 0));
  listen_on(server.get(), port);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);  // a broken rule of AXI says so on stdout, where nobody reads on
  Board board;
  do {
    const Socket client(accept(server.get(), nullptr, nullptr));
    if (client.get() < 0) throw Error("litex sim", "client", std::strerror(errno), "a connection");
    const int one = 1;
    (void)setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    Service(board, client.get()).run();
    std::fprintf(stderr, "litex sim: client gone after %llu cycles\n", static_cast<unsigned long long>(board.cycles()));
  } while (!once);
  return 0;
}

}  // namespace
}  // namespace jogak

int main(int argc, char** argv) {
  int port = 0;
  bool once = false;
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (a == "--once") {
      once = true;
    } else if (a == "--port" && i + 1 < argc) {
      port = std::atoi(argv[++i]);
    } else {
      std::fprintf(stderr, "usage: jogak-litex-sim [--port P] [--once]\n");
      return a == "--help" ? 0 : 2;
    }
  }
  try {
    return jogak::run(port, once);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
