// Tokens one by one, or several a launch where a drafter guesses them.
#include <algorithm>
#include <utility>

#include "session.hpp"
#include "teller.hpp"

namespace jogak {

// Logits token by token. Guesses are computed in the launch of the token before them; those that the caller does not
// come to are forgotten, at the latest when this ends.
class Making {
 public:
  Making(Session& session, const GenerateOptions& options) : s_(session), o_(options) {}
  ~Making() { settle(); }
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;

  std::span<const float> prompt(std::span<const int> ids) { return s_.advance(ids, o_.go_on); }

  // Logits after `id`, empty where there was no launch to the end; `left`: most tokens that are still wanted, 0: no limit.
  std::span<const float> after(int id, int left) {
    if (row_ < guesses_.size() && guesses_[row_] == id) {
      ++row_, ++kept;
      return row();
    }
    settle();
    draft(id, left);
    if (guesses_.empty()) return s_.advance(std::span(&id, 1), o_.go_on);
    return compute(id);
  }

  // Tokens in the KV cache without unused guesses.
  int position() const { return guesses_.empty() ? s_.position() : start_ + 1 + static_cast<int>(row_); }

  int drafted = 0, kept = 0;

 private:
  void settle() {
    s_.truncate(position());
    guesses_.clear();
    row_ = 0;
  }

  void draft(int id, int left) {
    int most = std::min({o_.draft, s_.rows() - 1, s_.room() - 1});
    if (left > 0) most = std::min(most, left - 1);
    if (o_.drafter == nullptr || most <= 0) return;
    std::vector<int> all(s_.history().begin(), s_.history().end());
    all.push_back(id);
    guesses_ = o_.drafter->draft(all, most);
    guesses_.resize(std::min(guesses_.size(), static_cast<std::size_t>(most)));
    const auto stray = std::find_if(guesses_.begin(), guesses_.end(), [this](int g) { return g < 0 || g >= s_.model().vocab; });
    guesses_.erase(stray, guesses_.end());
  }

  std::span<const float> compute(int id) {
    std::vector<int> ids = {id};
    ids.insert(ids.end(), guesses_.begin(), guesses_.end());
    const std::size_t count = guesses_.size();
    std::vector<int> guesses = std::exchange(guesses_, {});  // a launch that fails leaves nothing to forget
    s_.check_ids(ids);
    if (o_.go_on && !o_.go_on()) return {};
    start_ = s_.position();
    s_.launch(ids, 0, static_cast<int>(ids.size()));
    if (s_.aborted_) return {};
    rows_.clear();
    s_.read_logits(static_cast<int>(ids.size()), rows_);
    guesses_ = std::move(guesses);
    drafted += static_cast<int>(count);
    return row();
  }

  std::span<const float> row() const {
    const auto vocab = static_cast<std::size_t>(s_.model().vocab);
    return std::span(rows_).subspan(row_ * vocab, vocab);
  }

  Session& s_;
  const GenerateOptions& o_;
  std::vector<int> guesses_;  // in the KV cache from start_ + 1 on
  std::vector<float> rows_;   // logits after the token at start_ and after every guess
  std::size_t row_ = 0;       // guesses used
  int start_ = 0;
};

Generation Session::generate(const std::string& prompt, const GenerateOptions& options, const std::function<bool(const Token&)>& on_token) {
  std::vector<int> ids = tokenizer_.encode(prompt);
  if (ids.empty()) throw Error("session", "prompt", "no text and no begin-of-text token", "at least one token");
  return generate(ids, options, on_token);
}

Generation Session::generate(const std::vector<int>& prompt, const GenerateOptions& options, const std::function<bool(const Token&)>& on_token) {
  if (options.tokens < 0) throw Error("session", "tokens to make", std::to_string(options.tokens), "0 (no limit) or more");
  if (options.draft < 0) throw Error("session", "guesses of a launch", std::to_string(options.draft), "0 or more");
  Sampler sampler(options.sampling);
  Teller teller(tokenizer_, prompt, options);
  if (options.keep_prefix) teller.generation.reused = rewind_to(prompt);
  check_state();
  Making making(*this, options);
  std::span<const float> logits = making.prompt(std::span(prompt).subspan(static_cast<std::size_t>(teller.generation.reused)));
  std::optional<Stop> stop;
  while (!stop) {
    if (logits.empty() || aborted_) {
      stop = aborted_ ? Stop::aborted : Stop::callback;
      break;
    }
    const int id = sampler.pick(logits);
    stop = teller.put(id, on_token);
    if (!stop && making.position() == model_.context) stop = Stop::context;
    if (!stop) logits = making.after(id, teller.left());
  }
  teller.generation.drafted = making.drafted;
  teller.generation.kept = making.kept;
  return teller.finish(*stop);
}

}  // namespace jogak
