#include "load.hpp"

#include <cmath>
#include <cstdio>

#include "error.hpp"

namespace jogak::package {

namespace {

using Terms = std::vector<double>;  // probabilities of 0, 1, 2 ... experts

// Probability of c of `count`, each with probability p.
double binomial(int count, int c, double p) {
  if (p >= 1) return c == count ? 1 : 0;
  return std::exp(std::lgamma(count + 1.0) - std::lgamma(c + 1.0) - std::lgamma(count - c + 1.0) + c * std::log(p) + (count - c) * std::log1p(-p));
}

// Of `dies` dies with at most so many each: that they have `all` together.
double together(const Terms& one, int dies, std::size_t all) {
  Terms sum = {1};
  for (int d = 0; d < dies; ++d) {
    Terms next(std::min(all + 1, sum.size() + one.size() - 1));
    for (std::size_t i = 0; i < sum.size(); ++i)
      for (std::size_t j = 0; j < one.size() && i + j < next.size(); ++j) next[i + j] += sum[i] * one[j];
    sum = std::move(next);
  }
  return all < sum.size() ? sum[all] : 0;
}

}  // namespace

// Each row's choices count as choices from all rows' experts: exact for a row, close for more.
double busiest_load(int experts, int top, int dies, int rows) {
  const int held = experts / dies * rows, chosen = top * rows;
  const double p = static_cast<double>(top) / experts, all = binomial(held * dies, chosen, p);
  Terms one;
  for (int c = 0; c < chosen / dies && c <= held; ++c) one.push_back(binomial(held, c, p));
  double mean = static_cast<double>(one.size());  // the busiest has more than that many less one
  for (int most = static_cast<int>(one.size()); most < std::min(chosen, held); ++most) {
    one.push_back(binomial(held, most, p));
    const double above = 1 - together(one, dies, static_cast<std::size_t>(chosen)) / all;
    if (above < 1e-6) break;
    mean += above;
  }
  return mean;
}

double expert_turns(const schedule::Plan& p, int rows) {
  if (!p.spread) return static_cast<double>(p.mixture.top) * rows;
  const auto load = [&](int at_once) { return at_once == 0 ? 0 : busiest_load(p.mixture.experts, p.mixture.top, p.dies, at_once); };
  const int groups = rows / p.result_rows;
  return (groups == 0 ? 0 : groups * load(p.result_rows)) + load(rows % p.result_rows);
}

namespace {

// Bytes through the port for each row of a full launch.
double bytes_a_row(const schedule::Plan& p) {
  double all = static_cast<double>(p.head.total_bytes());
  for (const schedule::LayerPlan& l : p.layer) {
    for (const schedule::MatrixPlan* m : {&l.q, &l.k, &l.v, &l.o}) all += static_cast<double>(m->total_bytes());
    for (const schedule::MatrixPlan* m : {&l.router, &l.shared_ffn, &l.shared_down}) all += static_cast<double>(m->total_bytes());
    all += static_cast<double>(l.ffn.total_bytes() + l.down.total_bytes()) * (l.routed() ? expert_turns(p, p.rows) : 1);
  }
  return all / p.rows;
}

}  // namespace

std::string explain_load(const schedule::Plan& p) {
  if (!p.spread) return "";
  char text[200];
  std::snprintf(text, sizeof text, "  experts: %d of %d on a die; %d a row, of which the busiest die has %.2f, of %d rows %.1f (all choices alike); results of %d rows at once\n", p.experts_here(),
                p.mixture.experts, p.mixture.top, expert_turns(p, 1), p.rows, expert_turns(p, p.rows), p.result_rows);
  return text;
}

void choose_result_rows(schedule::Plan& p, const std::function<void()>& fit) {
  int best = 1;
  double least = 0;
  for (p.result_rows = 1;; ++p.result_rows) {
    try {
      fit();
    } catch (const Error&) {
      if (p.result_rows == 1) throw;
      break;
    }
    if (p.rows < p.result_rows) break;
    const double bytes = bytes_a_row(p);
    if (p.result_rows == 1 || bytes < least) best = p.result_rows, least = bytes;
  }
  p.result_rows = best;
  fit();
}

}  // namespace jogak::package
