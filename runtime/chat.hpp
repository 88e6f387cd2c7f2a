// Messages to the tokens that a chat model was trained on.
#pragma once

#include <string>
#include <vector>

#include "tokenizer.hpp"

namespace jogak {

struct Message {
  std::string role, content;  // role: system, user or assistant
};

// What goes to the model, and what ends its answer beside the end of text.
struct Chat {
  std::vector<int> prompt;
  std::vector<std::string> stop;
  std::vector<int> ends;
};

// Names: text (the contents joined by line breaks, for models that continue text), roles ("User: ...", "Assistant: ..."
// lines, for such models too), and the forms of model families: chatml, llama2, llama3, gemma, phi3, zephyr.
std::vector<std::string> chat_templates();

// The template a model asks for: the family that its own template (Jinja, as model files have it) belongs to, text where
// it has none. Throws jogak::Error where the family is not known.
std::string chat_template_of(const std::string& model_template);

// Control tokens come from the template alone, never from contents. Throws jogak::Error for an unknown name.
Chat render_chat(const std::string& name, const std::vector<Message>& messages, const Tokenizer& tokenizer);

}  // namespace jogak
