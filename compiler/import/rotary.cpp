#include "rotary.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "error.hpp"

namespace jogak::import {
namespace {

using Kind = RopeScaling::Kind;
constexpr double kTurn = 2 * std::numbers::pi;

// Long waves are stretched by the factor, short ones are not, between them a mixture.
double llama3(double frequency, const RopeScaling& s) {
  const double wave = kTurn / frequency;
  if (wave > s.original / s.low) return frequency / s.factor;
  if (wave < s.original / s.high) return frequency;
  const double share = (s.original / wave - s.low) / (s.high - s.low);
  return (1 - share) * frequency / s.factor + share * frequency;
}

// The pair that makes `turns` turns within the original context.
double pair_of(double turns, double theta, int dims, const RopeScaling& s) {
  return dims * std::log(s.original / (turns * kTurn)) / (2 * std::log(theta));
}

// Pairs up to `first` keep their frequency, from `last` on it is divided by the factor, a ramp between.
void yarn(ir::Rotary& r, double theta, int dims, const RopeScaling& s) {
  double first = pair_of(s.fast, theta, dims, s), last = pair_of(s.slow, theta, dims, s);
  if (s.truncate) first = std::floor(first), last = std::ceil(last);
  first = std::max(first, 0.0), last = std::min(last, dims - 1.0);
  if (first == last) last += 0.001;
  for (std::size_t i = 0; i < r.frequency.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - first) / (last - first), 0.0, 1.0);
    r.frequency[i] = r.frequency[i] * (1 - ramp) + r.frequency[i] / s.factor * ramp;
  }
  r.magnitude = s.magnitude > 0 ? s.magnitude : s.factor <= 1 ? 1 : 0.1 * std::log(s.factor) + 1;
}

void check(double theta, int dims, const RopeScaling& s) {
  const auto need = [](bool good, const char* what, double found, const char* expected) {
    if (!good) throw Error("rotary", what, std::to_string(found), expected);
  };
  need(theta > 1 && std::isfinite(theta), "base", theta, "a number above 1");
  need(dims > 0 && dims % 2 == 0, "columns that turn", dims, "an even number of them");
  if (s.kind == Kind::none) return;
  need(s.factor > 0 && std::isfinite(s.factor), "scaling factor", s.factor, "a number above 0");
  if (s.kind == Kind::linear) return;
  need(s.original > 0 && std::isfinite(s.original), "original context", s.original, "a number above 0");
  if (s.kind == Kind::llama3) need(s.low > 0 && s.high > s.low, "low frequency factor", s.low, "above 0 and below the high one");
  if (s.kind == Kind::yarn) need(s.slow > 0 && s.fast > s.slow, "slow turns", s.slow, "above 0 and below the fast ones");
  need(std::isfinite(s.magnitude) && s.magnitude >= 0, "attention factor", s.magnitude, "a number above 0");
}

}  // namespace

Kind rope_kind(const std::string& part, const std::string& name) {
  if (name == "none" || name == "default") return Kind::none;
  if (name == "linear") return Kind::linear;
  if (name == "llama3") return Kind::llama3;
  if (name == "yarn") return Kind::yarn;
  throw Error(part, "rotary scaling", name, "none, default, linear, llama3 or yarn");
}

ir::Rotary make_rotary(double theta, int dims, const RopeScaling& s, std::span<const float> factors) {
  check(theta, dims, s);
  ir::Rotary r;
  for (int i = 0; i < dims / 2; ++i) {
    double f = std::pow(theta, -double(2 * i) / dims);
    if (!factors.empty()) {
      const double by = factors[static_cast<std::size_t>(i)];
      if (!(by > 0 && std::isfinite(by))) throw Error("rotary", "factor of pair " + std::to_string(i), std::to_string(by), "a number above 0");
      f /= by;
    }
    if (s.kind == Kind::linear) f /= s.factor;
    if (s.kind == Kind::llama3) f = llama3(f, s);
    r.frequency.push_back(f);
  }
  if (s.kind == Kind::yarn) yarn(r, theta, dims, s);
  return r;
}

}  // namespace jogak::import
