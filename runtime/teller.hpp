// What becomes of the tokens picked: text in whole characters, ends, stop texts.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "session.hpp"
#include "stop_text.hpp"

namespace jogak {

class Teller {
 public:
  // All of it must outlive this. Throws jogak::Error for an empty stop text.
  Teller(const Tokenizer& tokenizer, std::span<const int> prompt, const GenerateOptions& options);
  // The next token, and then what `on_token` thinks of it; the reason to stop, if there is one. Stop::tokens once as many as wanted were made.
  std::optional<Stop> put(int id, const std::function<bool(const Token&)>& on_token);
  // Tokens that are still wanted; 0: no limit.
  int left() const { return options_.tokens == 0 ? 0 : options_.tokens - static_cast<int>(generation.ids.size()); }
  // The generation with the text that was held back.
  Generation finish(Stop stop);

  Generation generation;

 private:
  bool ends(int id) const;

  const Tokenizer& tokenizer_;
  const GenerateOptions& options_;
  Detokenizer stream_;
  StopText filter_;
};

}  // namespace jogak
