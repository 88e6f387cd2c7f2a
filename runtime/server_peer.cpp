#include "server_peer.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jogak::serve {
namespace {

bool is_peer(int socket, const std::string& address, const std::string& port) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* name = reinterpret_cast<sockaddr*>(&storage);
  if (getpeername(socket, name, &length) != 0) return false;
  char host[NI_MAXHOST], service[NI_MAXSERV];
  if (getnameinfo(name, length, host, sizeof host, service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0) return false;
  return address == host && port == service;
}

}  // namespace

Peer::Peer(const std::string& address, int port) {
  const int most = getdtablesize();
  const std::string service = std::to_string(port);
  for (int i = 0; i < most && socket_ < 0; ++i)
    if (is_peer(i, address, service)) socket_ = i;
}

bool Peer::gone() const {
  if (socket_ < 0) return false;
  pollfd p{socket_, POLLRDHUP, 0};
  return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace jogak::serve
