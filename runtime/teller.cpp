#include "teller.hpp"

#include <algorithm>

namespace jogak {

Teller::Teller(const Tokenizer& tokenizer, std::span<const int> prompt, const GenerateOptions& options)
    : tokenizer_(tokenizer), options_(options), stream_(tokenizer), filter_(options.stop) {
  generation.prompt.assign(prompt.begin(), prompt.end());
  for (const int id : prompt)
    if (id >= 0 && id < tokenizer_.size()) (void)stream_.put(id);
}

bool Teller::ends(int id) const {
  return options_.stop_at_end &&
         (tokenizer_.ends(id) || id == tokenizer_.bos() || std::find(options_.ends.begin(), options_.ends.end(), id) != options_.ends.end());
}

std::optional<Stop> Teller::put(int id, const std::function<bool(const Token&)>& on_token) {
  if (ends(id)) return Stop::end;
  generation.ids.push_back(id);
  const std::string text = filter_.put(id < tokenizer_.size() ? stream_.put(id) : "");
  generation.text += text;
  const bool more = !on_token || on_token({id, text, static_cast<int>(generation.ids.size()) - 1});
  if (filter_.found()) return Stop::text;
  if (!more) return Stop::callback;
  if (options_.tokens != 0 && left() == 0) return Stop::tokens;
  return {};
}

Generation Teller::finish(Stop stop) {
  generation.stop = stop;
  if (stop != Stop::text) generation.text += filter_.put(stream_.finish());
  if (filter_.found()) generation.stop = Stop::text;
  generation.text += filter_.finish();
  return std::move(generation);
}

}  // namespace jogak
