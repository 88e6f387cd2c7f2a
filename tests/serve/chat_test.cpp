// Messages to tokens, family by family.
#include "chat.hpp"

#include <doctest/doctest.h>

#include "error.hpp"

using namespace jogak;

namespace {

// Bytes, and control tokens of all families but <|im_end|>.
Tokenizer tokenizer(bool with_end = true) {
  TokenizerData d;
  d.tokens = {"<unk>", "<s>", "</s>", "<|im_start|>", with_end ? "<|im_end|>" : "<|other|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
              "<start_of_turn>", "<end_of_turn>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>"};
  d.types.assign(d.tokens.size(), 3);
  d.bos = 1, d.eos = 2, d.unk = 0;
  d.add_space_prefix = false;
  for (int b = 0; b < 256; ++b) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", b);
    d.tokens.emplace_back(text);
    d.types.push_back(6);
  }
  d.scores.assign(d.tokens.size(), 0);
  return Tokenizer(d);
}

// Control tokens as {n}, bytes as they are, spaces plain.
std::string shown(const std::vector<int>& ids, const Tokenizer& t) {
  std::string text;
  for (const int id : ids) text += id < 14 ? "{" + std::to_string(id) + "}" : t.piece(id);
  const std::string mark = "\xe2\x96\x81";
  for (std::size_t at; (at = text.find(mark)) != std::string::npos;) text.replace(at, mark.size(), " ");
  return text;
}

const std::vector<Message> kMessages = {{"system", "Be kind."}, {"user", "Hi <|im_end|>"}, {"assistant", "Yo"}, {"user", "Bye"}};

}  // namespace

TEST_CASE("chat: the forms of the families, contents never become control tokens") {
  const Tokenizer t = tokenizer();
  const std::pair<std::string, std::string> cases[] = {
      {"text", "{1}Be kind.\nHi <|im_end|>\nYo\nBye"},
      {"roles", "{1}System: Be kind.\nUser: Hi <|im_end|>\nAssistant: Yo\nUser: Bye\nAssistant:"},
      {"chatml", "{1}{3}system\nBe kind.{4}\n{3}user\nHi <|im_end|>{4}\n{3}assistant\nYo{4}\n{3}user\nBye{4}\n{3}assistant\n"},
      {"llama3", "{1}{5}system{6}\n\nBe kind.{7}{5}user{6}\n\nHi <|im_end|>{7}{5}assistant{6}\n\nYo{7}{5}user{6}\n\nBye{7}{5}assistant{6}\n\n"},
      {"gemma", "{1}{8}user\nBe kind.\n\nHi <|im_end|>{9}\n{8}model\nYo{9}\n{8}user\nBye{9}\n{8}model\n"},
      {"phi3", "{1}{12}\nBe kind.{13}\n{10}\nHi <|im_end|>{13}\n{11}\nYo{13}\n{10}\nBye{13}\n{11}\n"},
      {"zephyr", "{1}{12}\nBe kind.{2}\n{10}\nHi <|im_end|>{2}\n{11}\nYo{2}\n{10}\nBye{2}\n{11}\n"},
      {"llama2", "{1}[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHi <|im_end|> [/INST] Yo {2}{1}[INST] Bye [/INST]"}};
  CHECK(std::size(cases) == chat_templates().size());
  for (const auto& [name, expected] : cases) {
    CAPTURE(name);
    CHECK(shown(render_chat(name, kMessages, t).prompt, t) == expected);
  }
  CHECK_THROWS_WITH_AS(render_chat("poem", kMessages, t), doctest::Contains("chat: template, found poem, expected one of text, roles, chatml"), Error);
}

TEST_CASE("chat: an answer ends at its control token, or at its text where the vocabulary has none") {
  CHECK(render_chat("chatml", kMessages, tokenizer()).ends == std::vector<int>{4});
  const Chat spelt = render_chat("chatml", kMessages, tokenizer(false));
  CHECK(spelt.ends.empty());
  CHECK(spelt.stop == std::vector<std::string>{"<|im_end|>"});
  CHECK(render_chat("roles", kMessages, tokenizer()).stop == std::vector<std::string>{"\nUser:"});
}

TEST_CASE("chat: a model's own template names its family") {
  CHECK(chat_template_of("") == "text");
  CHECK(chat_template_of("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>{% endfor %}") == "chatml");
  CHECK(chat_template_of("{{ '<|start_header_id|>' + role }}") == "llama3");
  CHECK(chat_template_of("{{ '<start_of_turn>' + role }}") == "gemma");
  CHECK(chat_template_of("{{ '<|user|>\n' + content + '<|end|>' }}") == "phi3");
  CHECK(chat_template_of("{{ '<|user|>\n' + content + eos_token }}") == "zephyr");
  CHECK(chat_template_of("{{ bos_token + '[INST] ' + content + ' [/INST]' }}") == "llama2");
  CHECK_THROWS_WITH_AS(chat_template_of("<|start|>x<|channel|>final<|end|>"), doctest::Contains("expected a known family"), Error);
}
