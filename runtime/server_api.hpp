// The OpenAI-compatible JSON of the server: requests read and checked, answers written. No network here.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

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

// How messages become text, by the name of a template.
//   text   the contents, a line break between two: for models that continue text. The default.
//   roles  "System: ...", "User: ...", "Assistant: ..." on lines of their own; the answer ends before the next "\nUser:".
struct Message {
  std::string role, content;
};
struct Chat {
  std::string prompt;
  std::vector<std::string> stop;
};
const std::vector<std::string>& chat_templates();
// Throws jogak::Error for an unknown template.
Chat render(const std::string& name, const std::vector<Message>& messages);

// What requests are read for.
struct Served {
  std::string model;          // the id that clients use
  std::string chat_template = "text";
  const Session* session = nullptr;
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
