#include "evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "tests/models/float_llama.hpp"

namespace jogak::eval {
namespace {

double log_sum(std::span<const float> logits) {
  double top = -INFINITY, sum = 0;
  for (const float x : logits) top = std::max(top, static_cast<double>(x));
  for (const float x : logits) sum += std::exp(static_cast<double>(x) - top);
  return top + std::log(sum);
}

struct Sums {
  double surprise = 0, divergence = 0, same = 0, count = 0;

  void add(std::span<const float> found, std::span<const float> exact, int next) {
    const double found_sum = log_sum(found), exact_sum = log_sum(exact);
    surprise += found_sum - static_cast<double>(found[static_cast<std::size_t>(next)]);
    same += best(found) == best(exact);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const double p = static_cast<double>(exact[i]) - exact_sum;
      divergence += std::exp(p) * (p - (static_cast<double>(found[i]) - found_sum));
    }
    count += 1;
  }
  Quality mean() const { return {std::exp(surprise / count), same / count, divergence / count}; }
};

void take(Texts& texts, std::vector<int> ids, int& left) {
  if (ids.size() < 2 || left <= 0) return;
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(left) + 1));
  left -= static_cast<int>(ids.size()) - 1;
  texts.push_back(std::move(ids));
}

}  // namespace

Texts cut(const std::string& text, const Tokenizer& tokenizer, int context, bool lines, int most) {
  Texts texts;
  const auto length = static_cast<std::size_t>(context) + 1;
  int left = most == 0 ? 1 << 30 : most;
  if (lines) {
    std::istringstream in(text);
    for (std::string line; left > 0 && std::getline(in, line);) {
      if (line.empty()) continue;
      std::vector<int> ids = tokenizer.encode(line);
      if (tokenizer.eos() >= 0) ids.push_back(tokenizer.eos());
      ids.resize(std::min(ids.size(), length));
      take(texts, std::move(ids), left);
    }
  } else {
    const std::vector<int> all = tokenizer.encode(text, false);
    const bool begin = tokenizer.bos() >= 0;
    for (std::size_t at = 0; at < all.size() && left > 0;) {
      const std::size_t count = std::min(all.size() - at, length - (begin ? 1 : 0));
      std::vector<int> ids;
      if (begin) ids.push_back(tokenizer.bos());
      ids.insert(ids.end(), all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(at + count));
      take(texts, std::move(ids), left);
      at += count;
    }
  }
  if (texts.empty()) throw Error("eval", "text", "nothing to predict", "at least two tokens");
  return texts;
}

Comparison compare(const ir::Graph& graph, const std::vector<Session*>& machines, const Texts& texts) {
  tests::FloatLlama model(graph);
  Sums exact;
  std::vector<Sums> sums(machines.size());
  for (const auto& ids : texts) {
    model.reset();
    std::vector<std::vector<float>> expected;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      expected.push_back(model.step(ids[i]));
      exact.add(expected.back(), expected.back(), ids[i + 1]);
    }
    for (std::size_t m = 0; m < machines.size(); ++m) {
      const auto vocab = static_cast<std::size_t>(machines[m]->model().vocab);
      const std::vector<float> found = logits_of(*machines[m], std::span(ids).first(ids.size() - 1));
      for (std::size_t i = 0; i + 1 < ids.size(); ++i) sums[m].add(std::span(found).subspan(i * vocab, vocab), expected[i], ids[i + 1]);
    }
  }
  Comparison c{static_cast<int>(exact.count), exact.mean(), {}};
  for (const Sums& s : sums) c.machines.push_back(s.mean());
  return c;
}

std::vector<float> logits_of(Session& session, std::span<const int> ids) {
  session.reset();
  session.clear_steps();
  std::vector<float> logits = session.feed_all(ids);
  if (logits.size() != ids.size() * static_cast<std::size_t>(session.model().vocab)) throw Error("eval", "launch", "an interrupt", "a run to its end");
  return logits;
}

}  // namespace jogak::eval
