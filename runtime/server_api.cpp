#include "server_api.hpp"

#include <chrono>
#include <random>

namespace jogak::serve {
namespace {

using Json = nlohmann::json;

std::int64_t now() { return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

const char* finish_reason(Stop stop) {
  return stop == Stop::tokens || stop == Stop::context ? "length" : "stop";
}

Json usage(const Generation& g) {
  const std::size_t prompt = g.prompt.size(), made = g.ids.size();
  Json j = {{"prompt_tokens", prompt}, {"completion_tokens", made}, {"total_tokens", prompt + made}, {"prompt_tokens_details", {{"cached_tokens", g.reused}}}};
  if (g.drafted > 0)
    j["completion_tokens_details"] = {{"accepted_prediction_tokens", g.kept}, {"rejected_prediction_tokens", g.drafted - g.kept}};
  return j;
}

// Typed members of a request; null counts as absent.
class Fields {
 public:
  explicit Fields(const Json& j) : j_(j) {}

  const Json* find(const char* name) const {
    const auto it = j_.find(name);
    return it == j_.end() || it->is_null() ? nullptr : &*it;
  }
  [[noreturn]] static void wrong(const std::string& name, const std::string& found, const std::string& expected) {
    throw Refusal(400, name + ": found " + found + ", expected " + expected, name, "invalid_value");
  }
  bool boolean(const char* name) const {
    const Json* v = find(name);
    if (v != nullptr && !v->is_boolean()) wrong(name, v->type_name(), "true or false");
    return v != nullptr && v->get<bool>();
  }
  float number(const char* name, double standard, double least, double most) const {
    const Json* v = find(name);
    if (v == nullptr) return static_cast<float>(standard);
    const std::string range = "a number from " + Json(least).dump() + " to " + Json(most).dump();
    if (!v->is_number()) wrong(name, v->type_name(), range);
    const double x = v->get<double>();
    if (!(x >= least && x <= most)) wrong(name, v->dump(), range);
    return static_cast<float>(x);
  }
  // -1 where it is absent.
  int count(const char* name, int most) const {
    const Json* v = find(name);
    if (v == nullptr) return -1;
    const std::string range = "a whole number from 1 to " + std::to_string(most);
    if (!v->is_number_integer()) wrong(name, v->is_number() ? v->dump() : v->type_name(), range);
    const double x = v->get<double>();
    if (x < 1 || x > most) wrong(name, v->dump(), range);
    return static_cast<int>(x);
  }

 private:
  const Json& j_;
};

std::string text_of(const Json& v, const std::string& name) {
  if (v.is_string()) return v.get<std::string>();
  if (!v.is_array()) Fields::wrong(name, v.type_name(), "text");
  std::string text;
  for (const Json& part : v) {
    if (!part.is_object() || part.value("type", Json()) != "text" || !part.contains("text") || !part["text"].is_string())
      Fields::wrong(name, "a part of another type", "parts of type text");
    text += part["text"].get<std::string>();
  }
  return text;
}

std::vector<Message> messages_of(const Fields& f) {
  const Json* list = f.find("messages");
  if (list == nullptr) throw Refusal(400, "messages: found nothing, expected a list of messages", "messages", "missing_required_parameter");
  if (!list->is_array() || list->empty()) Fields::wrong("messages", list->is_array() ? "an empty list" : list->type_name(), "a list of messages");
  std::vector<Message> messages;
  for (const Json& m : *list) {
    const std::string name = "messages[" + std::to_string(messages.size()) + "]";
    if (!m.is_object() || !m.contains("role") || !m["role"].is_string() || !m.contains("content")) Fields::wrong(name, "another form", "role and content");
    std::string role = m["role"].get<std::string>();
    if (role == "developer") role = "system";
    if (role != "system" && role != "user" && role != "assistant") Fields::wrong(name + ".role", role, "system, developer, user or assistant");
    messages.push_back({std::move(role), text_of(m["content"], name + ".content")});
  }
  return messages;
}

// Text, or ids of tokens; a list of one text too.
std::vector<int> prompt_of(const Fields& f, const LanguageModel& lm) {
  const Json* v = f.find("prompt");
  if (v == nullptr) throw Refusal(400, "prompt: found nothing, expected text or a list of token ids", "prompt", "missing_required_parameter");
  if (v->is_array() && v->size() == 1 && v->front().is_string()) v = &v->front();
  if (v->is_string()) return lm.tokenizer.encode(v->get<std::string>());
  if (!v->is_array()) Fields::wrong("prompt", v->type_name(), "text or a list of token ids");
  std::vector<int> ids;
  for (const Json& id : *v) {
    const int vocab = lm.info.vocab;
    if (!id.is_number_integer()) Fields::wrong("prompt", "a list with " + std::string(id.type_name()), "one text or a list of token ids");
    if (id.get<double>() < 0 || id.get<double>() >= vocab) Fields::wrong("prompt", "token " + id.dump(), "0 to " + std::to_string(vocab - 1));
    ids.push_back(id.get<int>());
  }
  return ids;
}

void read_stop(const Fields& f, std::vector<std::string>& stop) {
  const Json* v = f.find("stop");
  if (v == nullptr) return;
  const Json list = v->is_array() ? *v : Json::array({*v});
  if (list.size() > 4) Fields::wrong("stop", std::to_string(list.size()) + " texts", "at most 4");
  for (const Json& s : list) {
    if (!s.is_string() || s.get<std::string>().empty()) Fields::wrong("stop", s.is_string() ? "an empty text" : s.type_name(), "text or a list of texts");
    stop.push_back(s.get<std::string>());
  }
}

// What this server does not do may be there with the value that means nothing.
void check_unsupported(const Fields& f) {
  const std::pair<const char*, Json> neutral[] = {{"n", 1}, {"best_of", 1}, {"echo", false}, {"logprobs", false}, {"presence_penalty", 0},
                                                  {"frequency_penalty", 0}, {"logit_bias", Json::object()}, {"tools", Json::array()},
                                                  {"functions", Json::array()}, {"suffix", ""}, {"response_format", Json::object({{"type", "text"}})},
                                                  {"modalities", Json::array({"text"})}};
  for (const auto& [name, value] : neutral)
    if (const Json* v = f.find(name); v != nullptr && *v != value)
      throw Refusal(400, std::string(name) + ": found " + v->dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80) + ", expected " + value.dump() + ", all that is supported", name, "unsupported_value");
}

void read_sampling(const Fields& f, Sampling& s) {
  s.temperature = f.number("temperature", 1, 0, 2);
  s.top_p = f.number("top_p", 1, 0, 1);
  // The most likely token alone, as the sampler has it for the smallest share.
  if (s.top_p == 0) s.top_p = 1e-9f;
  const Json* seed = f.find("seed");
  if (seed == nullptr) {
    std::random_device device;
    s.seed = static_cast<std::uint64_t>(device()) << 32 | device();
    return;
  }
  if (!seed->is_number_integer()) Fields::wrong("seed", seed->is_number() ? seed->dump() : seed->type_name(), "a whole number");
  s.seed = seed->is_number_unsigned() ? seed->get<std::uint64_t>() : static_cast<std::uint64_t>(seed->get<std::int64_t>());
}

void read_lengths(const Fields& f, const LanguageModel& lm, Request& r) {
  const int context = lm.info.context, prompt = static_cast<int>(r.prompt.size());
  if (prompt == 0) Fields::wrong("prompt", "no tokens", "at least one");
  int wanted = f.count(r.chat && f.find("max_completion_tokens") != nullptr ? "max_completion_tokens" : "max_tokens", 1 << 30);
  const std::string limit = "This model's maximum context length is " + std::to_string(context) + " tokens.";
  const char* name = r.chat ? "messages" : "prompt";
  if (prompt >= context)
    throw Refusal(400, limit + " However, your " + name + " resulted in " + std::to_string(prompt) + " tokens, and at least one is to be made.", name,
                  "context_length_exceeded");
  if (wanted > context - prompt)
    throw Refusal(400, limit + " However, you requested " + std::to_string(prompt + static_cast<long long>(wanted)) + " tokens (" + std::to_string(prompt) + " in the " + name + ", " +
                           std::to_string(wanted) + " in the completion).", name, "context_length_exceeded");
  if (wanted < 0) wanted = r.chat ? context - prompt : std::min(16, context - prompt);
  r.options.tokens = wanted;
}

}  // namespace

std::string dump(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json Refusal::json() const {
  const char* type = status_ == 429 ? "rate_limit_error" : status_ >= 500 ? "server_error" : "invalid_request_error";
  return {{"error", {{"message", what()}, {"type", type}, {"param", param_.empty() ? Json() : Json(param_)}, {"code", code_.empty() ? Json() : Json(code_)}}}};
}

Request read_request(const std::string& body, bool chat, const Served& served) {
  const Json j = Json::parse(body, nullptr, false);
  if (j.is_discarded()) throw Refusal(400, "body: found no JSON, expected an object", "", "invalid_json");
  if (!j.is_object()) throw Refusal(400, std::string("body: found ") + j.type_name() + ", expected an object", "", "invalid_json");
  const Fields f(j);
  Request r;
  r.chat = chat, r.model = served.model;
  if (const Json* model = f.find("model")) {
    if (!model->is_string()) Fields::wrong("model", model->type_name(), "text");
    if (*model != served.model)
      throw Refusal(404, "model: found " + model->get<std::string>() + ", expected " + served.model + ", the one that is served", "model", "model_not_found");
  }
  check_unsupported(f);
  r.stream = f.boolean("stream");
  if (const Json* o = f.find("stream_options")) {
    if (!o->is_object()) Fields::wrong("stream_options", o->type_name(), "an object");
    r.stream_usage = Fields(*o).boolean("include_usage");
  }
  read_sampling(f, r.options.sampling);
  read_stop(f, r.options.stop);
  if (chat) {
    const Chat c = render_chat(served.chat_template, messages_of(f), served.lm->tokenizer);
    r.prompt = c.prompt;
    r.options.ends = c.ends;
    r.options.stop.insert(r.options.stop.end(), c.stop.begin(), c.stop.end());
  } else {
    r.prompt = prompt_of(f, *served.lm);
  }
  read_lengths(f, *served.lm, r);
  return r;
}

Answer::Answer(const Request& request, std::uint64_t number)
    : chat_(request.chat), model_(request.model), id_((request.chat ? "chatcmpl-" : "cmpl-") + std::to_string(number)), created_(now()) {}

Json Answer::frame(const char* chat_object) const {
  return {{"id", id_}, {"object", chat_ ? chat_object : "text_completion"}, {"created", created_}, {"model", model_}};
}

Json Answer::whole(const Generation& g) const {
  Json j = frame("chat.completion"), choice = {{"index", 0}, {"finish_reason", finish_reason(g.stop)}, {"logprobs", nullptr}};
  if (chat_) choice["message"] = {{"role", "assistant"}, {"content", g.text}};
  else choice["text"] = g.text;
  j["choices"] = Json::array({choice});
  j["usage"] = usage(g);
  return j;
}

Json Answer::chunk(Json delta, const std::string& text, Json reason) const {
  Json j = frame("chat.completion.chunk"), choice = {{"index", 0}, {"finish_reason", std::move(reason)}, {"logprobs", nullptr}};
  if (chat_) choice["delta"] = std::move(delta);
  else choice["text"] = text;
  j["choices"] = Json::array({choice});
  return j;
}

Json Answer::last(const Generation& g) const { return chunk(Json::object(), "", finish_reason(g.stop)); }

Json Answer::usage_only(const Generation& g) const {
  Json j = frame("chat.completion.chunk");
  j["choices"] = Json::array();
  j["usage"] = usage(g);
  return j;
}

Json models_json(const Served& served, std::int64_t created) {
  const ModelInfo& m = served.lm->info;
  const Json one = {{"id", served.model}, {"object", "model"}, {"created", created}, {"owned_by", "jogak"},
                    {"meta", {{"architecture", m.architecture}, {"n_ctx", m.context}, {"n_vocab", m.vocab}, {"n_layer", m.layers}, {"n_embd", m.width}}}};
  return {{"object", "list"}, {"data", Json::array({one})}};
}

}  // namespace jogak::serve
