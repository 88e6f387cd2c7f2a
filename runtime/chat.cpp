#include "chat.hpp"

#include <algorithm>
#include <utility>

#include "error.hpp"

namespace jogak {
namespace {

// What stands around a message of each role, and what asks for an answer. Between < and > or [ and ] stand control
// tokens, where the vocabulary has them; <eos> and <bos> are its own.
struct Around {
  const char *before, *after;
};
struct Family {
  const char* name;
  const char* sign;    // a model's own template of this family contains it
  const char* except;  // and does not contain this
  Around system, user, assistant;
  const char* answer;
  const char* end;     // ends an answer
  bool merged;         // the system message is a part of the first user message
};
constexpr Family kFamilies[] = {
    {"chatml", "<|im_start|>", nullptr, {"<|im_start|>system\n", "<|im_end|>\n"}, {"<|im_start|>user\n", "<|im_end|>\n"},
     {"<|im_start|>assistant\n", "<|im_end|>\n"}, "<|im_start|>assistant\n", "<|im_end|>", false},
    {"llama3", "<|start_header_id|>", nullptr, {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"},
     {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"}, {"<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"},
     "<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>", false},
    {"gemma", "<start_of_turn>", nullptr, {"", "\n\n"}, {"<start_of_turn>user\n", "<end_of_turn>\n"}, {"<start_of_turn>model\n", "<end_of_turn>\n"},
     "<start_of_turn>model\n", "<end_of_turn>", true},
    {"phi3", "<|end|>", "<|channel|>", {"<|system|>\n", "<|end|>\n"}, {"<|user|>\n", "<|end|>\n"}, {"<|assistant|>\n", "<|end|>\n"}, "<|assistant|>\n", "<|end|>", false},
    {"zephyr", "<|user|>", nullptr, {"<|system|>\n", "<eos>\n"}, {"<|user|>\n", "<eos>\n"}, {"<|assistant|>\n", "<eos>\n"}, "<|assistant|>\n", "<eos>", false},
    {"llama2", "[INST]", nullptr, {"<<SYS>>\n", "\n<</SYS>>\n\n"}, {"[INST] ", " [/INST]"}, {" ", " <eos><bos>"}, "", "<eos>", true},
};

const Family* family(const std::string& name) {
  const auto it = std::find_if(std::begin(kFamilies), std::end(kFamilies), [&](const Family& f) { return name == f.name; });
  return it == std::end(kFamilies) ? nullptr : it;
}

std::string names() {
  std::string all;
  for (const std::string& n : chat_templates()) all += (all.empty() ? "" : ", ") + n;
  return all;
}

// Collects text and control tokens; text between two control tokens is encoded as a whole.
class Writer {
 public:
  explicit Writer(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
    if (tokenizer.adds_bos() && tokenizer.bos() >= 0) ids_.push_back(tokenizer.bos());
  }
  void content(const std::string& text) { text_ += text; }
  // Text of a template.
  void marks(std::string text) {
    while (!text.empty()) {
      const std::size_t at = text.find_first_of("<[");
      text_ += text.substr(0, at);
      if (at == std::string::npos) return;
      const std::size_t end = text.find_first_of(">]", at);
      const std::string mark = text.substr(at, end - at + 1);
      if (const int id = control(mark); id >= 0) {
        flush();
        ids_.push_back(id);
      } else if (mark != "<eos>" && mark != "<bos>") {
        text_ += mark;
      }
      text.erase(0, at + mark.size());
    }
  }
  // -1: the vocabulary has no such control token.
  int control(const std::string& mark) const {
    return mark == "<eos>" ? tokenizer_.eos() : mark == "<bos>" ? tokenizer_.bos() : tokenizer_.control(mark);
  }
  std::vector<int> take() {
    flush();
    return std::move(ids_);
  }

 private:
  void flush() {
    const std::vector<int> ids = tokenizer_.encode(text_, false);
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    text_.clear();
  }

  const Tokenizer& tokenizer_;
  std::vector<int> ids_;
  std::string text_;
};

Chat render_family(const Family& f, const std::vector<Message>& messages, const Tokenizer& tokenizer) {
  Writer w(tokenizer);
  std::string pending;  // a system message that waits for its user message
  for (const Message& m : messages) {
    const Around& around = m.role == "user" ? f.user : m.role == "system" ? f.system : f.assistant;
    if (f.merged && m.role == "system") {
      pending += around.before + m.content + around.after;
      continue;
    }
    w.marks(around.before);
    if (m.role == "user") w.content(std::exchange(pending, ""));
    w.content(m.content);
    w.marks(around.after);
  }
  w.content(pending);
  w.marks(f.answer);
  Chat chat;
  if (const int id = w.control(f.end); id >= 0) chat.ends = {id};
  else chat.stop = {f.end};
  chat.prompt = w.take();
  return chat;
}

}  // namespace

std::vector<std::string> chat_templates() {
  std::vector<std::string> all = {"text", "roles"};
  for (const Family& f : kFamilies) all.push_back(f.name);
  return all;
}

std::string chat_template_of(const std::string& model_template) {
  if (model_template.empty()) return "text";
  for (const Family& f : kFamilies)
    if (model_template.find(f.sign) != std::string::npos && (f.except == nullptr || model_template.find(f.except) == std::string::npos)) return f.name;
  throw Error("chat", "the model's template", model_template.substr(0, 60) + "...", "a known family, or a choice (" + names() + ")");
}

Chat render_chat(const std::string& name, const std::vector<Message>& messages, const Tokenizer& tokenizer) {
  if (const Family* f = family(name)) return render_family(*f, messages, tokenizer);
  std::string text;
  Chat chat;
  if (name == "text") {
    for (const Message& m : messages) text += (text.empty() ? "" : "\n") + m.content;
  } else if (name == "roles") {
    for (const Message& m : messages) text += (m.role == "user" ? "User: " : m.role == "system" ? "System: " : "Assistant: ") + m.content + "\n";
    text += "Assistant:";
    chat.stop = {"\nUser:"};
  } else {
    throw Error("chat", "template", name, "one of " + names());
  }
  chat.prompt = tokenizer.encode(text);
  return chat;
}

}  // namespace jogak
