// The server over HTTP, with the library's own client.
#include "server.hpp"

#include <httplib.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "chat.hpp"
#include "held_device.hpp"
#include "own.hpp"
#include "server_queue.hpp"

using namespace jogak;
using namespace jogak::tests;
using Json = nlohmann::json;

namespace {

const Program& program() {
  static const Program p = own_program();
  return p;
}

// A server with its session, running while this lives.
class Running {
 public:
  explicit Running(serve::ServeOptions options = {}, const Program& p = program()) : session_(p, held(p)), server_(session_, any_port(options)) {
    thread_ = std::thread([this] { server_.run(); });
  }
  ~Running() {
    hold.allow(-1);
    stop();
  }
  void stop() {
    if (!thread_.joinable()) return;
    server_.stop();
    thread_.join();
  }
  httplib::Client client() const { return httplib::Client("127.0.0.1", server_.port()); }
  serve::Server& server() { return server_; }
  // Status and answer.
  std::pair<int, Json> post(const std::string& path, const Json& body) const {
    auto c = client();
    const auto r = c.Post(path, body.dump(), "application/json");
    REQUIRE(r);
    return {r->status, Json::parse(r->body)};
  }
  Hold hold;

 private:
  static serve::ServeOptions any_port(serve::ServeOptions o) {
    o.port = 0;
    return o;
  }
  std::unique_ptr<driver::Device> held(const Program& p) { return std::make_unique<HeldDevice>(open_for(p, "model"), hold); }

  Session session_;
  serve::Server server_;
  std::thread thread_;
};

Generation greedy(const std::string& prompt, int tokens, std::vector<std::string> stop = {}) {
  Session session(program(), "model");
  return session.generate(prompt, {.tokens = tokens, .stop = std::move(stop)});
}

// The events of a stream without [DONE], which must come last.
std::vector<Json> events(const std::string& body) {
  std::vector<Json> list;
  bool done = false;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = body.find("\n\n", at);
    REQUIRE(end != std::string::npos);
    const std::string line = body.substr(at, end - at);
    REQUIRE(line.starts_with("data: "));
    CHECK_FALSE(done);
    done = line == "data: [DONE]";
    if (!done) list.push_back(Json::parse(line.substr(6)));
    at = end + 2;
  }
  CHECK(done);
  return list;
}

Json completion(int tokens, Json more = Json::object()) {
  Json j = {{"prompt", "Once upon a time"}, {"temperature", 0}, {"max_tokens", tokens}};
  j.update(more);
  return j;
}

}  // namespace

TEST_CASE("server: health, the model's id, no other endpoint") {
  if (!own_model_present()) return;
  Running r;
  auto c = r.client();
  auto health = c.Get("/health");
  REQUIRE(health);
  CHECK(Json::parse(health->body)["status"] == "ok");
  const Json models = Json::parse(c.Get("/v1/models")->body);
  CHECK(models["data"][0]["id"] == r.server().model());
  CHECK(models["data"][0]["meta"]["n_ctx"] == 256);
  const auto missing = c.Get("/v1/nothing");
  CHECK(missing->status == 404);
  CHECK(Json::parse(missing->body)["error"]["type"] == "invalid_request_error");
}

TEST_CASE("server: greedy completions and chats are the session's, whole and streamed, with their counts") {
  if (!own_model_present()) return;
  Running r;
  const Generation g = greedy("Once upon a time", 20);
  const auto [status, whole] = r.post("/v1/completions", completion(20, {{"model", r.server().model()}}));
  CHECK(status == 200);
  CHECK(whole["object"] == "text_completion");
  CHECK(whole["choices"][0]["text"] == g.text);
  CHECK(whole["choices"][0]["finish_reason"] == "length");
  CHECK(whole["usage"]["prompt_tokens"] == g.prompt.size());
  CHECK(whole["usage"]["completion_tokens"] == 20);
  CHECK(whole["usage"]["total_tokens"] == g.prompt.size() + 20);
  CHECK(r.post("/v1/completions", completion(20, {{"prompt", g.prompt}})).second["choices"][0]["text"] == g.text);
  const Json message = {{"role", "user"}, {"content", Json::array({{{"type", "text"}, {"text", "Once upon a time"}}})}};
  const Json chat = {{"messages", Json::array({message})}, {"temperature", 0}, {"max_completion_tokens", 20}};
  CHECK(r.post("/v1/chat/completions", chat).second["choices"][0]["message"]["content"] == g.text);
  for (const bool is_chat : {false, true}) {
    CAPTURE(is_chat);
    Json body = is_chat ? chat : completion(20);
    body["stream"] = true;
    body["stream_options"] = {{"include_usage", true}};
    auto c = r.client();
    const auto answer = c.Post(is_chat ? "/v1/chat/completions" : "/v1/completions", body.dump(), "application/json");
    REQUIRE(answer);
    CHECK(answer->get_header_value("Content-Type") == "text/event-stream");
    const std::vector<Json> list = events(answer->body);
    std::string text;
    for (const Json& e : list)
      if (!e["choices"].empty()) text += is_chat ? e["choices"][0]["delta"].value("content", "") : e["choices"][0]["text"].get<std::string>();
    CHECK(text == g.text);
    CHECK(list.size() > 15);
    if (is_chat) CHECK(list.front()["choices"][0]["delta"]["role"] == "assistant");
    CHECK(list[list.size() - 2]["choices"][0]["finish_reason"] == "length");
    CHECK(list.back()["usage"]["completion_tokens"] == 20);
  }
}

TEST_CASE("server: a chat takes the form that the model's own template names") {
  if (!own_model_present()) return;
  ir::Graph graph = own_graph();
  graph.vocabulary.chat_template = "{{ '<|im_start|>' + message['role'] }}";
  graph.vocabulary.tokens[766] = "<|im_start|>", graph.vocabulary.tokens[767] = "<|im_end|>";
  graph.vocabulary.types[766] = graph.vocabulary.types[767] = 3;
  const Program p = compile(graph, {.config = "nano"}).program;
  Session session(p, "model");
  CHECK(session.chat_template() == graph.vocabulary.chat_template);
  const Chat chat = render_chat("chatml", {{"user", "Once"}}, session.tokenizer());
  CHECK(std::count(chat.prompt.begin(), chat.prompt.end(), 766) == 2);
  CHECK(chat.ends == std::vector<int>{767});
  const Generation g = session.generate(chat.prompt, {.tokens = 12, .ends = chat.ends});
  Running r({}, p);
  const Json message = {{"role", "user"}, {"content", "Once"}};
  const Json answer = r.post("/v1/chat/completions", {{"messages", Json::array({message})}, {"temperature", 0}, {"max_tokens", 12}}).second;
  CHECK(answer["choices"][0]["message"]["content"] == g.text);
  CHECK(answer["usage"]["prompt_tokens"] == chat.prompt.size());
}

TEST_CASE("server: the end of text, stop texts and seeds") {
  if (!own_model_present()) return;
  Running r;
  const Json end = r.post("/v1/completions", completion(240)).second;
  CHECK(end["choices"][0]["finish_reason"] == "stop");
  const Generation g = greedy("Once upon a time", 40, {". S"});
  const Json stopped = r.post("/v1/completions", completion(40, {{"stop", ". S"}})).second;
  CHECK(stopped["choices"][0]["text"] == g.text);
  CHECK(stopped["choices"][0]["finish_reason"] == "stop");
  const auto sampled = [&](int seed) {
    return r.post("/v1/completions", {{"prompt", "Once"}, {"max_tokens", 30}, {"temperature", 1.2}, {"seed", seed}}).second["choices"][0]["text"].get<std::string>();
  };
  CHECK(sampled(1) == sampled(1));
  CHECK(sampled(1) != sampled(2));
}

TEST_CASE("server: kept prefixes and guesses change the counts, not the text") {
  if (!own_model_present()) return;
  LookupDrafter lookup;
  serve::ServeOptions options;
  options.drafter = &lookup;
  Running r(options);
  const Generation g = greedy("Once upon a time", 150);
  const Json first = r.post("/v1/completions", completion(150)).second, second = r.post("/v1/completions", completion(150)).second;
  CHECK(first["choices"][0]["text"] == g.text);
  CHECK(second["choices"][0]["text"] == g.text);
  CHECK(first["usage"]["prompt_tokens_details"]["cached_tokens"] == 0);
  CHECK(second["usage"]["prompt_tokens_details"]["cached_tokens"] == g.prompt.size() - 1);
  CHECK(first["usage"]["completion_tokens_details"]["accepted_prediction_tokens"].get<int>() > 0);
  const serve::ServeCounts c = r.server().counts();
  CHECK(c.requests == 2);
  CHECK(c.kept > 0);
  CHECK(c.launches + c.kept == 2 * g.ids.size() + (g.stop == Stop::end ? 2 : 0));
}

TEST_CASE("server: what is wrong with a request is said in OpenAI's form, with numbers") {
  if (!own_model_present()) return;
  serve::ServeOptions options;
  options.body_bytes = 20000;
  Running r(options);
  auto c = r.client();
  const auto raw = [&](const std::string& body, const std::string& type) {
    const auto answer = c.Post("/v1/completions", body, type);
    REQUIRE(answer);
    const Json error = Json::parse(answer->body).at("error");
    CHECK(error["message"].is_string());
    return std::pair(answer->status, error);
  };
  for (const char* body : {"", "{", "[]", "7", "{\"prompt\": \"\xff\"}", "{\"prompt\": \"x\"} more"}) {
    CAPTURE(body);
    CHECK(raw(body, "application/json").first == 400);
  }
  CHECK(raw("{}", "text/plain").first == 415);
  CHECK(raw(std::string(30000, ' '), "application/json").first == 413);
  struct Case {
    Json body;
    const char* param;
  };
  const std::vector<Case> cases = {
      {Json::object(), "prompt"}, {{{"prompt", 7}}, "prompt"}, {{{"prompt", Json::array()}}, "prompt"}, {{{"prompt", {1, "x"}}}, "prompt"},
      {{{"prompt", {1, 768}}}, "prompt"}, {{{"prompt", {1, -1}}}, "prompt"}, {completion(4, {{"max_tokens", "4"}}), "max_tokens"},
      {completion(0), "max_tokens"}, {completion(4, {{"max_tokens", 4.5}}), "max_tokens"}, {completion(4, {{"temperature", 3}}), "temperature"},
      {completion(4, {{"temperature", "hot"}}), "temperature"}, {completion(4, {{"top_p", -0.1}}), "top_p"}, {completion(4, {{"n", 2}}), "n"},
      {completion(4, {{"stop", {"a", "b", "c", "d", "e"}}}), "stop"}, {completion(4, {{"stop", ""}}), "stop"}, {completion(4, {{"stream", 1}}), "stream"},
      {completion(4, {{"seed", 1.5}}), "seed"}, {completion(4, {{"logprobs", 3}}), "logprobs"}, {completion(4, {{"model", 5}}), "model"},
      {completion(4, {{"stream_options", 5}}), "stream_options"}};
  for (const Case& wrong : cases) {
    CAPTURE(wrong.body.dump());
    const auto [status, answer] = r.post("/v1/completions", wrong.body);
    CHECK(status == 400);
    CHECK(answer["error"]["type"] == "invalid_request_error");
    CHECK(answer["error"]["param"] == wrong.param);
  }
  for (const Json& messages : {Json(), Json::array(), Json("x"), Json::array({{{"role", "judge"}, {"content", "x"}}}), Json::array({{{"role", "user"}}}),
                               Json::array({{{"role", "user"}, {"content", Json::array({{{"type", "image_url"}}})}}})}) {
    CAPTURE(messages.dump());
    CHECK(r.post("/v1/chat/completions", {{"messages", messages}}).first == 400);
  }
  const auto unknown = r.post("/v1/completions", completion(4, {{"model", "gpt-9"}}));
  CHECK(unknown.first == 404);
  CHECK(unknown.second["error"]["code"] == "model_not_found");
  const auto too_long = r.post("/v1/completions", {{"prompt", std::vector<int>(256, 1)}, {"max_tokens", 1}});
  CHECK(too_long.first == 400);
  CHECK(too_long.second["error"]["code"] == "context_length_exceeded");
  CHECK(too_long.second["error"]["message"].get<std::string>().find("256 tokens. However, your prompt resulted in 256 tokens") != std::string::npos);
  const auto too_many = r.post("/v1/completions", {{"prompt", std::vector<int>(200, 1)}, {"max_tokens", 57}});
  CHECK(too_many.first == 400);
  CHECK(too_many.second["error"]["message"].get<std::string>().find("requested 257 tokens (200 in the prompt, 57 in the completion)") != std::string::npos);
  CHECK(r.post("/v1/completions", {{"prompt", std::vector<int>(200, 1)}, {"max_tokens", 56}, {"temperature", 0}}).first == 200);
  CHECK(c.Get("/v1/models", {{"Host", "evil.example"}})->status == 403);
  CHECK(c.Get("/v1/models", {{"Host", "localhost:1"}})->status == 200);
}

// Tokens become bytes of characters of three bytes; the ids stay those of the model.
TEST_CASE("server: a stream never cuts a character") {
  if (!own_model_present()) return;
  const std::vector<int> prompt = greedy("Once upon a time", 1).prompt;
  ir::Graph graph = own_graph();
  const char* bytes[] = {"<0xE2>", "<0x82>", "<0xAC>"};
  std::size_t next = 0;
  for (const int id : greedy("Once upon a time", 120).ids) {
    const auto i = static_cast<std::size_t>(id);
    if (graph.vocabulary.types[i] != 6) graph.vocabulary.tokens[i] = bytes[next++ % 3], graph.vocabulary.types[i] = 6;
  }
  const Program p = compile(graph, {.config = "nano"}).program;
  Session session(p, "model");
  const Generation g = session.generate(prompt, {.tokens = 120, .stop_at_end = true});
  CHECK(g.text.find("\xe2\x82\xac") != std::string::npos);
  Running r({}, p);
  auto c = r.client();
  const auto answer = c.Post("/v1/completions", Json{{"prompt", prompt}, {"max_tokens", 120}, {"temperature", 0}, {"stream", true}}.dump(), "application/json");
  REQUIRE(answer);
  std::string text;
  for (const Json& e : events(answer->body)) text += e["choices"][0]["text"].get<std::string>();
  CHECK(text == g.text);
}

TEST_CASE("server: requests wait in order, and beyond the queue's length they are sent away with a time") {
  if (!own_model_present()) return;
  serve::ServeOptions options;
  options.queue = 1;
  Running r(options);
  r.hold.allow(1);
  std::thread first([&] { CHECK(r.post("/v1/completions", completion(5)).first == 200); });
  r.hold.wait_held();
  std::thread second([&] { CHECK(r.post("/v1/completions", completion(6)).first == 200); });
  const auto waiting = [&] { return Json::parse(r.client().Get("/health")->body)["waiting"].get<int>(); };
  while (waiting() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  auto c = r.client();
  const auto third = c.Post("/v1/completions", completion(7).dump(), "application/json");
  REQUIRE(third);
  CHECK(third->status == 429);
  CHECK(std::stoi(third->get_header_value("Retry-After")) >= 1);
  CHECK(Json::parse(third->body)["error"]["code"] == "queue_full");
  r.hold.allow(-1);
  first.join();
  second.join();
  CHECK(r.post("/v1/completions", completion(8)).first == 200);
  CHECK(r.server().counts().refused == 1);
}

TEST_CASE("server: a client that goes away ends its generation, running or waiting") {
  if (!own_model_present()) return;
  Running r;
  for (const bool streamed : {true, false}) {
    CAPTURE(streamed);
    const serve::ServeCounts before = r.server().counts();
    r.hold.allow(3);
    auto c = std::make_unique<httplib::Client>("127.0.0.1", r.server().port());
    std::thread other([&] { (void)c->Post("/v1/completions", completion(200, {{"stream", streamed}}).dump(), "application/json"); });
    r.hold.wait_held();
    std::thread waiting([&] {
      httplib::Client impatient("127.0.0.1", r.server().port());
      impatient.set_read_timeout(0, 300000);
      CHECK_FALSE(impatient.Post("/v1/completions", completion(9).dump(), "application/json"));
    });
    waiting.join();
    c->stop();
    other.join();
    r.hold.allow(-1);
    CHECK(r.post("/v1/completions", completion(3)).first == 200);
    const serve::ServeCounts after = r.server().counts();
    CHECK(after.abandoned == before.abandoned + 1);
    CHECK(after.requests == before.requests + 2);
    CHECK(after.made_tokens < before.made_tokens + 12);
  }
}

TEST_CASE("server: a machine that fails gives status 500 and serves on") {
  if (!own_model_present()) return;
  Running r;
  r.hold.fail_next();
  const auto [status, answer] = r.post("/v1/completions", completion(5));
  CHECK(status == 500);
  CHECK(answer["error"]["type"] == "server_error");
  CHECK(answer["error"]["message"].get<std::string>().find("found a failure") != std::string::npos);
  CHECK(r.post("/v1/completions", completion(5)).second["choices"][0]["text"] == greedy("Once upon a time", 5).text);
  CHECK(r.server().counts().failed == 1);
}

// The launches together are fewer than those of one request after the other.
TEST_CASE("server: with a program for several sequences clients share launches and get the texts they would get alone") {
  const Program several = compile(own_graph(), {.config = "nano", .sequences = 3, .kv_tokens = 0}).program;
  BatchSession batch(several, "model");
  serve::Server server(batch, {.port = 0, .queue = 8});
  std::thread running([&] { server.run(); });
  const std::vector<std::string> prompts = {"Once upon a time", "The dog", "Lily and Tom", "One day a cat", "A little bird", "Once upon a time there"};
  std::vector<Json> answers(prompts.size());
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < prompts.size(); ++i)
    clients.emplace_back([&, i] {
      auto c = httplib::Client("127.0.0.1", server.port());
      const auto r = c.Post("/v1/completions", Json({{"prompt", prompts[i]}, {"temperature", 0}, {"max_tokens", 24}}).dump(), "application/json");
      if (r && r->status == 200) answers[i] = Json::parse(r->body);
    });
  for (std::thread& t : clients) t.join();
  server.stop();
  running.join();
  std::size_t made = 0;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    CAPTURE(prompts[i]);
    REQUIRE(answers[i].is_object());
    const Generation alone = greedy(prompts[i], 24);
    CHECK(answers[i]["choices"][0]["text"] == alone.text);
    made += alone.ids.size();
  }
  CHECK(server.counts().made_tokens == made);
  CHECK(server.counts().launches < made * 2 / 3);
  LookupDrafter lookup;
  CHECK_THROWS_WITH_AS(serve::Server(batch, {.port = 0, .drafter = &lookup}), doctest::Contains("guesses, found a drafter"), Error);
}

TEST_CASE("server: stopping ends what runs, turns away what waits, and frees the port") {
  if (!own_model_present()) return;
  Running r;
  r.hold.allow(2);
  const int port = r.server().port();
  int status[2] = {};
  std::thread running([&] { status[0] = r.post("/v1/completions", completion(200)).first; });
  r.hold.wait_held();
  std::thread waiting([&] { status[1] = r.post("/v1/completions", completion(200)).first; });
  while (Json::parse(r.client().Get("/health")->body)["waiting"] == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::thread release([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    r.hold.allow(-1);
  });
  r.stop();
  running.join();
  waiting.join();
  release.join();
  CHECK(status[0] == 503);
  CHECK(status[1] == 503);
  CHECK_FALSE(httplib::Client("127.0.0.1", port).Get("/health"));
}

TEST_CASE("server: a port in use and options out of range are refused") {
  if (!own_model_present()) return;
  Running r;
  Session session(program(), "model");
  CHECK_THROWS_WITH_AS(serve::Server(session, {.port = r.server().port()}), doctest::Contains("expected a free port"), Error);
  CHECK_THROWS_AS(serve::Server(session, {.port = 70000}), Error);
  CHECK_THROWS_AS(serve::Server(session, {.port = 0, .queue = -1}), Error);
  CHECK_THROWS_AS(serve::Server(session, {.port = 0, .chat_template = "poem"}), Error);
}

TEST_CASE("turns are taken in the order of arrival") {
  serve::Turns turns(10);
  const auto stays = [] { return false; };
  REQUIRE(turns.enter(stays) == serve::Entry::mine);
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      // The fourth gives up.
      const serve::Entry e = turns.enter([i] { return i == 3; });
      if (i == 3) CHECK(e == serve::Entry::gone);
      if (e != serve::Entry::mine) return;
      order.push_back(i);
      turns.leave();
    });
    while (i != 3 && turns.waiting() < (i < 3 ? i + 1 : i)) std::this_thread::yield();
    if (i == 3) threads.back().join();
  }
  turns.leave();
  for (std::thread& t : threads)
    if (t.joinable()) t.join();
  CHECK(order == std::vector<int>{0, 1, 2, 4, 5});
  turns.close();
  CHECK(turns.enter(stays) == serve::Entry::closed);
}
