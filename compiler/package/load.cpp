#include "load.hpp"

#include <cmath>

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
  return p.spread ? busiest_load(p.mixture.experts, p.mixture.top, p.dies, rows) : static_cast<double>(p.mixture.top) * rows;
}

}  // namespace jogak::package
