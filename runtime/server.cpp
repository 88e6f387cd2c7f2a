#include "server.hpp"

#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "batcher.hpp"
#include "server_api.hpp"
#include "server_peer.hpp"
#include "server_queue.hpp"

namespace jogak::serve {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr const char* kJson = "application/json";
constexpr std::size_t kSpareThreads = 8;  // for /health, /v1/models and refusals while the queue is full

// Holds the machine.
class Turn {
 public:
  explicit Turn(Turns& turns) : turns_(turns) {}
  ~Turn() { turns_.leave(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Turns& turns_;
};

void refuse(httplib::Response& res, const Refusal& r) {
  res.status = r.status();
  res.set_content(dump(r.json()), kJson);
}

bool loopback(const std::string& name) { return name == "localhost" || name == "::1" || name == "[::1]" || name.starts_with("127."); }

}  // namespace

class Server::Impl {
 public:
  // One of session and batch.
  Impl(const LanguageModel& model, Session* session, BatchSession* batch, const ServeOptions& options);
  void run();
  void stop();
  ServeCounts counts() const {
    const std::lock_guard lock(mutex_);
    ServeCounts c = counts_;
    if (batcher_) c.launches = batcher_->launches();
    return c;
  }

  ServeOptions options_;
  Served served_;
  int port_ = 0;

 private:
  using Send = std::function<bool(const Json&)>;
  void routes();
  void check_host(const httplib::Request& req) const;
  void complete(const httplib::Request& req, httplib::Response& res, bool chat);
  std::shared_ptr<Turn> take_turn(const Peer& peer, httplib::Response& res);
  Generation generate(const Request& request, const Peer& peer, const std::function<bool(const std::string&)>& on_text);
  bool stream(const Request& request, const Answer& answer, const Peer& peer, const Send& send);
  Json health() const;
  void count(const Generation& g, std::size_t launches, double seconds);
  int retry_after() const;
  Refusal stopping() const { return Refusal(503, "The server is being stopped."); }

  Session* session_;
  std::unique_ptr<Batcher> batcher_;
  httplib::Server http_;
  Turns turns_;
  const std::int64_t created_ = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::atomic<std::uint64_t> number_ = 0;
  std::atomic<bool> stopping_ = false, started_ = false, ended_ = false;
  mutable std::mutex mutex_;  // of what follows
  ServeCounts counts_;
  double seconds_ = 1;        // of a generation, lately
};

Server::Impl::Impl(const LanguageModel& model, Session* session, BatchSession* batch, const ServeOptions& options)
    : options_(options), served_{options.model.empty() ? model.info.name : options.model,
              options.chat_template.empty() ? chat_template_of(model.chat_template) : options.chat_template, &model},
      session_(session), turns_(options.queue, model.sequences) {
  if (options.queue < 0) throw Error("serve", "requests that may wait", std::to_string(options.queue), "0 or more");
  if (options.port < 0 || options.port > 65535) throw Error("serve", "port", std::to_string(options.port), "0 to 65535");
  if (batch != nullptr && options.drafter != nullptr) throw Error("serve", "guesses", "a drafter", "none where several sequences share launches");
  (void)render_chat(served_.chat_template, {}, model.tokenizer);
  const std::size_t threads = static_cast<std::size_t>(options.queue + model.sequences) + kSpareThreads;
  http_.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
  http_.set_payload_max_length(options.body_bytes);
  http_.set_tcp_nodelay(true);
  http_.set_keep_alive_max_count(1000);
  http_.set_keep_alive_timeout(2);
  // Without SO_REUSEPORT, which the library would set: a port in use must be refused, not shared.
  http_.set_socket_options([](int socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  routes();
  port_ = options.port == 0 ? http_.bind_to_any_port(options.host) : http_.bind_to_port(options.host, options.port) ? options.port : -1;
  if (port_ < 0) throw Error("serve", "address " + options.host + ":" + std::to_string(options.port), "one that cannot be used", "a free port of this computer");
  if (batch != nullptr) batcher_ = std::make_unique<Batcher>(*batch);
}

void Server::Impl::routes() {
  http_.set_pre_routing_handler([this](const httplib::Request& req, httplib::Response& res) {
    try {
      check_host(req);
      return httplib::Server::HandlerResponse::Unhandled;
    } catch (const Refusal& r) {
      refuse(res, r);
      return httplib::Server::HandlerResponse::Handled;
    }
  });
  http_.set_error_handler([this](const httplib::Request& req, httplib::Response& res) {
    if (!res.body.empty()) return;
    if (res.status == 413) refuse(res, Refusal(413, "body: found more than " + std::to_string(options_.body_bytes) + " bytes, expected at most that", "", "request_too_large"));
    else if (res.status == 404) refuse(res, Refusal(404, "No such endpoint: " + req.method + " " + req.path, "", "not_found"));
    else refuse(res, Refusal(res.status, "The request cannot be read."));
  });
  http_.Get("/health", [this](const httplib::Request&, httplib::Response& res) { res.set_content(dump(health()), kJson); });
  http_.Get("/v1/models", [this](const httplib::Request&, httplib::Response& res) { res.set_content(dump(models_json(served_, created_)), kJson); });
  for (const bool chat : {false, true})
    http_.Post(chat ? "/v1/chat/completions" : "/v1/completions", [this, chat](const httplib::Request& req, httplib::Response& res) {
      try {
        complete(req, res, chat);
      } catch (const Refusal& r) {
        refuse(res, r);
        const std::lock_guard lock(mutex_);
        counts_.refused += 1;
      } catch (const std::exception& e) {
        refuse(res, Refusal(500, e.what()));
        const std::lock_guard lock(mutex_);
        counts_.failed += 1;
      }
    });
}

// A page in a browser must not reach the server under a name of its own.
void Server::Impl::check_host(const httplib::Request& req) const {
  if (!loopback(options_.host) || !req.has_header("Host")) return;
  std::string name = req.get_header_value("Host");
  if (const auto colon = name.rfind(':'); colon != std::string::npos && name.find(']', colon) == std::string::npos) name.resize(colon);
  if (!loopback(name)) throw Refusal(403, "Host: found " + name + ", expected a name of this computer", "", "forbidden");
}

std::shared_ptr<Turn> Server::Impl::take_turn(const Peer& peer, httplib::Response& res) {
  switch (turns_.enter([&] { return peer.gone(); })) {
    case Entry::mine: return std::make_shared<Turn>(turns_);
    case Entry::closed: throw stopping();
    case Entry::gone: throw Refusal(408, "The client has gone.");
    case Entry::full: break;
  }
  res.set_header("Retry-After", std::to_string(retry_after()));
  throw Refusal(429, "The machine is busy and " + std::to_string(options_.queue) + " requests wait for it already.", "", "queue_full");
}

void Server::Impl::complete(const httplib::Request& req, httplib::Response& res, bool chat) {
  if (!req.get_header_value("Content-Type").starts_with(kJson))
    throw Refusal(415, "Content-Type: found " + req.get_header_value("Content-Type") + ", expected " + kJson);
  Request request = read_request(req.body, chat, served_);
  request.options.keep_prefix = true;
  request.options.drafter = options_.drafter;
  request.options.draft = options_.draft;
  const Peer peer(req.remote_addr, req.remote_port);
  const std::shared_ptr<Turn> turn = take_turn(peer, res);
  const Answer answer(request, ++number_);
  if (!request.stream) {
    const Generation g = generate(request, peer, {});
    if (stopping_) throw stopping();
    res.set_content(dump(answer.whole(g)), kJson);
    return;
  }
  res.set_header("Cache-Control", "no-cache");
  res.set_chunked_content_provider("text/event-stream", [this, request, peer, answer, turn](std::size_t, httplib::DataSink& sink) {
    const bool good = stream(request, answer, peer, [&](const Json& j) {
      const std::string event = "data: " + dump(j) + "\n\n";
      return sink.write(event.data(), event.size());
    });
    if (!good) return false;
    const std::string done = "data: [DONE]\n\n";
    if (!sink.write(done.data(), done.size())) return false;
    sink.done();
    return true;
  });
}

// False where the connection is to be broken off.
bool Server::Impl::stream(const Request& request, const Answer& answer, const Peer& peer, const Send& send) {
  try {
    if (request.chat && !send(answer.first())) return false;
    std::size_t sent = 0;
    const Generation g = generate(request, peer, [&](const std::string& text) {
      sent += text.size();
      return text.empty() || send(answer.text(text));
    });
    if (stopping_) return send(stopping().json()) && false;
    if (sent < g.text.size() && !send(answer.text(g.text.substr(sent)))) return false;
    return send(answer.last(g)) && (!request.stream_usage || send(answer.usage_only(g)));
  } catch (const std::exception& e) {
    const std::lock_guard lock(mutex_);
    counts_.failed += 1;
    return send(Refusal(500, e.what()).json()) && false;
  }
}

Generation Server::Impl::generate(const Request& request, const Peer& peer, const std::function<bool(const std::string&)>& on_text) {
  GenerateOptions options = request.options;
  bool gone = false;
  options.go_on = [&] { return !stopping_ && !(gone = gone || peer.gone()); };
  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const auto on_token = [&](const Token& t) { return !on_text || on_text(t.text); };
  if (batcher_) {
    const Generation g = batcher_->generate(request.prompt, options, on_token);
    count(g, 0, seconds());
    return g;
  }
  session_->clear_steps();
  const Generation g = session_->generate(request.prompt, options, on_token);
  count(g, session_->steps().size(), seconds());
  session_->clear_steps();
  return g;
}

void Server::Impl::count(const Generation& g, std::size_t launches, double seconds) {
  const std::lock_guard lock(mutex_);
  counts_.requests += 1;
  counts_.abandoned += g.stop == Stop::callback;
  counts_.prompt_tokens += g.prompt.size();
  counts_.cached_tokens += static_cast<std::uint64_t>(g.reused);
  counts_.made_tokens += g.ids.size();
  counts_.launches += launches;
  counts_.drafted += static_cast<std::uint64_t>(g.drafted);
  counts_.kept += static_cast<std::uint64_t>(g.kept);
  seconds_ = 0.7 * seconds_ + 0.3 * seconds;
  if (!options_.log) return;
  char text[200];
  std::snprintf(text, sizeof text, "%zu + %zu tokens (%d from the cache), %zu launches, %d of %d guesses kept, %.3f s, stopped by %s", g.prompt.size(), g.ids.size(),
                g.reused, launches, g.kept, g.drafted, seconds, name(g.stop));
  options_.log(text);
}

int Server::Impl::retry_after() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::clamp(seconds_ * (options_.queue + 1) / 2, 1.0, 600.0));
}

Json Server::Impl::health() const {
  const ServeCounts c = counts();
  return {{"status", "ok"},
          {"waiting", turns_.waiting()},
          {"requests", {{"begun", c.requests}, {"refused", c.refused}, {"abandoned", c.abandoned}, {"failed", c.failed}}},
          {"tokens", {{"prompt", c.prompt_tokens}, {"cached", c.cached_tokens}, {"made", c.made_tokens}, {"drafted", c.drafted}, {"kept", c.kept}}},
          {"launches", c.launches}};
}

void Server::Impl::run() {
  started_ = true;
  if (!stopping_) http_.listen_after_bind();
  ended_ = true;
}

void Server::Impl::stop() {
  stopping_ = true;
  turns_.close();
  if (batcher_) batcher_->stop();
  else session_->abort();
  // run() may be about to listen.
  while (started_ && !ended_ && !http_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  http_.stop();
}

Server::Server(Session& session, const ServeOptions& options) : impl_(std::make_unique<Impl>(session.language_model(), &session, nullptr, options)) {}
Server::Server(BatchSession& batch, const ServeOptions& options) : impl_(std::make_unique<Impl>(batch.language_model(), nullptr, &batch, options)) {}
Server::~Server() = default;
int Server::port() const { return impl_->port_; }
const std::string& Server::model() const { return impl_->served_.model; }
void Server::run() { impl_->run(); }
void Server::stop() { impl_->stop(); }
ServeCounts Server::counts() const { return impl_->counts(); }

}  // namespace jogak::serve
