// The OpenAI-compatible JSON of the server: requests read and checked, answers written. No network here.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "chat.hpp"
#include "session.hpp"

namespace jogak::serve {

// What a client did wrong, or what the server cannot do now.
class Refusal : public std::runtime_error {
 public:
  Refusal(int status, const std::string& message, std::string param = {}, std::string code = {})
      : std::runtime_error(message), status_(status), param_(std::move(param)), code_(std::move(code)) {}
  int status() const { return status_; }
  // {"error": {"message", "type", "param", "code"}}
  nlohmann::json json() const;

 private:
  int status_;
  std::string param_, code_;
};

// What requests are read for.
struct Served {
  std::string model;          // the id that clients use
  std::string chat_template;  // a name of chat_templates()
  const LanguageModel* lm = nullptr;
};

struct Request {
  bool chat = false, stream = false, stream_usage = false;
  std::string model;
  std::vector<int> prompt;
  GenerateOptions options;
};

// Throws Refusal for what is malformed, of a wrong type, out of range, not supported or does not fit the context.
Request read_request(const std::string& body, bool chat, const Served& served);

// Answers to one request.
class Answer {
 public:
  Answer(const Request& request, std::uint64_t number);
  nlohmann::json whole(const Generation& g) const;
  // Streams: the first chunk (chats only: the role), text, and the end with its reason; then, where wanted, the usage.
  nlohmann::json first() const { return chunk({{"role", "assistant"}, {"content", ""}}, "", nullptr); }
  nlohmann::json text(const std::string& piece) const { return chunk({{"content", piece}}, piece, nullptr); }
  nlohmann::json last(const Generation& g) const;
  nlohmann::json usage_only(const Generation& g) const;

 private:
  nlohmann::json frame(const char* chat_object) const;
  nlohmann::json chunk(nlohmann::json delta, const std::string& text, nlohmann::json reason) const;

  bool chat_;
  std::string model_, id_;
  std::int64_t created_;
};

nlohmann::json models_json(const Served& served, std::int64_t created);
// JSON as it goes out: UTF-8, whatever is inside.
std::string dump(const nlohmann::json& j);

}  // namespace jogak::serve
