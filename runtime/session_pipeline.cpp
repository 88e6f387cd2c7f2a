// Prefill of a pipeline: its dies work on different parts of the prompt at the same time.
#include <algorithm>

#include "session.hpp"

namespace jogak {

using u32 = std::uint32_t;

std::size_t Session::overlap_rows() const { return static_cast<std::size_t>(std::min(rows_, lm_.overlap_rows)); }

// Where one launch would do, rows count: up to those of an overlapped launch a die's time is that of its weights, above it grows with the rows.
bool Session::overlap_helps(std::size_t tokens) const {
  const std::size_t rows = overlap_rows(), dies = loaded_.count();
  if (rows == 0 || tokens <= rows) return false;
  return tokens > static_cast<std::size_t>(rows_) || ((tokens + rows - 1) / rows + dies - 1) * rows < dies * tokens;
}

// In launch t die d has chunk t - d, if there is one: with c chunks on n dies c + n - 1 launches, each as long as one die's layers take. A die
// without a chunk has no rows, which costs it time but not the others. Logits are those of the last chunk, when the last die has it.
bool Session::overlap(std::span<const int> ids, const std::function<bool()>& go_on) {
  const std::size_t rows = overlap_rows(), chunks = (ids.size() + rows - 1) / rows, dies = loaded_.count();
  const auto start = static_cast<u32>(position_);
  const auto chunk = [&](std::size_t c) { return c < chunks ? ids.subspan(c * rows, std::min(rows, ids.size() - c * rows)) : std::span<const int>(); };
  for (std::size_t t = 0; t + 1 < chunks + dies && !aborted_; ++t) {
    if (go_on && !go_on()) return false;
    const bool last = t + 2 == chunks + dies;
    std::vector<std::vector<u32>> args;
    for (std::size_t d = 0; d < dies; ++d) {
      const std::size_t c = d <= t ? t - d : chunks;
      args.push_back({c < chunks ? start + static_cast<u32>(c * rows) : 0, static_cast<u32>(chunk(c).size()), last ? static_cast<u32>(chunk(chunks - 1).size()) - 1 : 0, last});
      if (lm_.adapter) args.back().push_back(adapter_);
      args.back().push_back(1);  // overlapped
    }
    if (t < chunks) {
      write_tokens(chunk(t));
      if (lm_.kv.ring > 0) intact_ = std::max(intact_, static_cast<int>(start + t * rows + chunk(t).size()) - lm_.kv.ring);
    }
    if (timeline_) timeline_->begin_launch();
    end_launch(loaded_.run_each(std::move(args)), chunk(t + 1 < dies ? chunks : t + 1 - dies));
  }
  return true;
}

}  // namespace jogak
