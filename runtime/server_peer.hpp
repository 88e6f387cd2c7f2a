// Whether the client of a request is still there. The HTTP library hands out its address, not its socket.
#pragma once

#include <string>

namespace jogak::serve {

class Peer {
 public:
  // The connection of this process whose other end has this address; none is found: never gone.
  Peer(const std::string& address, int port);
  // It has closed its end, or the connection broke.
  bool gone() const;

 private:
  int socket_ = -1;  // not owned; open while the request is answered
};

}  // namespace jogak::serve
