// The server over HTTP on loopback: what kept prefixes and guesses save, and how many requests it answers.
#include <httplib.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "common.hpp"
#include "passes/truncate.hpp"
#include "server.hpp"

namespace jogak::bench {
namespace {

using Json = nlohmann::json;

constexpr int kClients = 4, kTurns = 10;

class Running {
 public:
  explicit Running(Session& session, Drafter* drafter) : server_(session, options(drafter)), thread_([this] { server_.run(); }) {}
  ~Running() {
    server_.stop();
    thread_.join();
  }
  // Greedy completion of a prompt (text or ids); what came beside 200 counts as nothing.
  Json complete(const Json& prompt, int tokens) const {
    httplib::Client client("127.0.0.1", server_.port());
    client.set_read_timeout(600);
    const auto answer = client.Post("/v1/completions", Json{{"prompt", prompt}, {"max_tokens", tokens}, {"temperature", 0}}.dump(), "application/json");
    return answer && answer->status == 200 ? Json::parse(answer->body) : Json();
  }
  serve::ServeCounts counts() const { return server_.counts(); }

 private:
  static serve::ServeOptions options(Drafter* drafter) {
    serve::ServeOptions o;
    o.port = 0, o.drafter = drafter;
    return o;
  }
  serve::Server server_;
  std::thread thread_;
};

// Every turn sends the whole text so far, as a chat does.
void conversation(Session& session, Drafter* drafter, const std::string& name, const Figure& base, Report& report) {
  session.reset();
  const Running r(session, drafter);
  std::string text = "Once upon a time";
  for (int turn = 0; turn < kTurns; ++turn) {
    const Json answer = r.complete(text, 16);
    if (answer.is_null()) throw Error("serve", "turn " + std::to_string(turn), "no answer", "status 200");
    text += answer["choices"][0]["text"].get<std::string>();
  }
  const serve::ServeCounts c = r.counts();
  const auto add = [&](const std::string& what, double value, const char* unit) {
    Figure f = base;
    f.case_name = std::to_string(kTurns) + " turns of 16 tokens, " + name + ": " + what, f.value = value, f.unit = unit;
    report.add(f);
  };
  add("tokens of prompts", static_cast<double>(c.prompt_tokens), "tokens");
  add("of them in the KV cache", 100.0 * static_cast<double>(c.cached_tokens) / static_cast<double>(c.prompt_tokens), "%");
  add("launches", static_cast<double>(c.launches), "launches");
  if (drafter != nullptr) add("guesses kept", 100.0 * static_cast<double>(c.kept) / static_cast<double>(std::max<std::uint64_t>(c.drafted, 1)), "%");
}

void throughput(Session& session, int count, const Figure& base, Report& report) {
  session.reset();
  const Running r(session, nullptr);
  std::atomic<int> left = count, good = 0;
  std::vector<std::thread> clients;
  const double start = cpu_seconds();
  for (int i = 0; i < kClients; ++i)
    clients.emplace_back([&] {
      while (left-- > 0) good += !r.complete("Once upon a time", 16).is_null();
    });
  for (std::thread& t : clients) t.join();
  const double seconds = cpu_seconds() - start;
  Figure f = base;
  f.case_name = std::to_string(count) + " requests of 16 tokens by " + std::to_string(kClients) + " clients: answered", f.value = good, f.unit = "requests", f.bar = count;
  report.add(f);
  f.case_name = std::to_string(kClients) + " clients, 16 tokens each", f.value = count / seconds, f.unit = "requests/s of processor time, clients' included", f.bar.reset();
  report.add(f);
}

void run(const Options& o, Report& report) {
  const auto path = o.model.empty() ? own_model("jogak-stories.gguf") : std::filesystem::path(o.model);
  if (!std::filesystem::exists(path)) return report.skip("no " + path.string());
  const CompileOptions options{.config = value_or(o.config, "edge"), .format = value_or(o.format, "int8")};
  const ir::Graph graph = import::read_model(path);
  const std::string on = value_or(o.on, "model");
  Session session(compile(graph, options).program, on);
  Session small(compile(passes::first_layers(graph, std::max(1, graph.layers - 1)), options).program, on);
  LookupDrafter lookup;
  ModelDrafter layers(small, session);
  const Figure base{.config = options.config, .on = on};
  conversation(session, nullptr, "no guesses", base, report);
  conversation(session, &lookup, "4 guesses by lookup", base, report);
  conversation(session, &layers, "4 guesses by the first " + std::to_string(small.model().layers) + " layers", base, report);
  throughput(session, o.tokens == 0 ? 200 : o.tokens, base, report);
}

const Register registered{"serve", "the HTTP server: prompts from the cache, launches saved, requests (--tokens: how many)", run};

}  // namespace
}  // namespace jogak::bench
