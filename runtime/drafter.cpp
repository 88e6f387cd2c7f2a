#include "drafter.hpp"

#include <algorithm>

#include "session.hpp"

namespace jogak {
namespace {

constexpr std::size_t kLongest = 4, kShortest = 2;

}  // namespace

std::vector<int> LookupDrafter::draft(std::span<const int> ids, int most) {
  for (std::size_t n = kLongest; n >= kShortest; --n) {
    if (ids.size() <= n) continue;
    const auto tail = ids.last(n);
    for (std::size_t at = ids.size() - n; at-- > 0;) {
      if (!std::equal(tail.begin(), tail.end(), ids.begin() + static_cast<std::ptrdiff_t>(at))) continue;
      const auto follows = ids.subspan(at + n);
      const auto count = std::min(follows.size(), static_cast<std::size_t>(std::max(most, 0)));
      return {follows.begin(), follows.begin() + static_cast<std::ptrdiff_t>(count)};
    }
  }
  return {};
}

ModelDrafter::ModelDrafter(Session& small, const Session& target) : small_(small) {
  const Tokenizer &a = small.tokenizer(), &b = target.tokenizer();
  if (a.size() != b.size() || small.model().vocab != target.model().vocab)
    throw Error("draft", "vocabulary of " + small.model().name, std::to_string(a.size()) + " tokens", std::to_string(b.size()) + ", those of " + target.model().name);
  for (int id = 0; id < a.size(); ++id)
    if (a.piece(id) != b.piece(id))
      throw Error("draft", "token " + std::to_string(id) + " of " + small.model().name, "another text", "that of " + target.model().name);
}

std::vector<int> ModelDrafter::draft(std::span<const int> ids, int most) {
  std::vector<int> guesses;
  if (static_cast<int>(ids.size()) >= small_.model().context || most <= 0) return guesses;
  const int kept = small_.rewind_to(ids);
  auto logits = small_.feed(ids.subspan(static_cast<std::size_t>(kept)));
  while (!logits.empty()) {
    guesses.push_back(best(logits));
    if (static_cast<int>(guesses.size()) == most || small_.room() == 0) break;
    logits = small_.feed(std::span(&guesses.back(), 1));
  }
  return guesses;
}

}  // namespace jogak
