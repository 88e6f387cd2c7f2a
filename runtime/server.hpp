// A local HTTP server with the OpenAI-compatible endpoints: /v1/models, /v1/completions, /v1/chat/completions, /health.
//
//   Session session(read_program("stories.jgk"), "model");
//   serve::Server server(session, {.port = 0});
//   std::cout << server.port() << "\n";
//   server.run();
//
// The machine is one, so requests take turns in their order; with a BatchSession as many as it has sequences are answered at the same time. A
// client that goes away ends its generation.
#pragma once

#include <memory>

#include "batch_session.hpp"
#include "session.hpp"

namespace jogak::serve {

struct ServeOptions {
  std::string host = "127.0.0.1";  // an address of this computer; loopback names are checked against the Host header
  int port = 8080;                 // 0: any free one
  int queue = 16;                  // requests that may wait
  std::size_t body_bytes = std::size_t(1) << 20;  // largest request
  std::string model = {};          // the id that clients use; empty: the model's name
  std::string chat_template = {};  // a name of chat_templates(); empty: what the model asks for
  Drafter* drafter = nullptr;
  int draft = 4;
  std::function<void(const std::string&)> log = {};  // a line for each generation, from any thread, one at a time
};

struct ServeCounts {
  std::uint64_t requests = 0, refused = 0, abandoned = 0, failed = 0;     // generations begun; turned away; clients gone; faults
  std::uint64_t prompt_tokens = 0, cached_tokens = 0, made_tokens = 0;
  std::uint64_t launches = 0, drafted = 0, kept = 0;
};

class Server {
 public:
  // Takes the port; throws jogak::Error where that is not possible. The session is the server's while it runs.
  Server(Session& session, const ServeOptions& options);
  // Refuses a drafter.
  Server(BatchSession& batch, const ServeOptions& options);
  ~Server();
  int port() const;
  const std::string& model() const;
  // Serves until stop().
  void run();
  // From any thread: no new requests, the generation under way ends at once, run() returns.
  void stop();
  ServeCounts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace jogak::serve
