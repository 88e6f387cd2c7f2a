#include "parts.hpp"

#include <algorithm>
#include <optional>

namespace jogak::package {

using schedule::Keys;
using schedule::Llama;
using schedule::PlanOptions;

namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& found, const std::string& expected) { throw Error("package", what, found, expected); }

}  // namespace

void check(const Llama& model, const spec::Config& config, const PlanOptions& options) {
  const int dies = options.dies * options.stages;
  if (dies == 1) return;
  const std::uint32_t most = std::min(config.chiplets, kMostDies);
  if (config.chiplets < 2) refuse("dies of " + std::string(config.name), std::to_string(dies), "1: this configuration has no links (quad has)");
  if (dies < 1 || static_cast<std::uint32_t>(dies) > most) refuse("dies of " + std::string(config.name), std::to_string(dies), "1 to " + std::to_string(most));
  const int experts = model.mixture.experts;
  const std::string whole = "experts whole on each of " + std::to_string(dies) + " dies";
  if (options.spread && experts == 0) refuse(whole, "a decoder without", "one with experts (else --parallel tensor or pipeline)");
  if (options.spread && experts % dies != 0) refuse(whole, std::to_string(experts), "a multiple (else --parallel tensor)");
}

Mesh mesh_of(int dies) {
  const auto n = static_cast<std::uint32_t>(dies);
  return n % 2 == 0 && n > 2 ? Mesh{n / 2, 2} : Mesh{n, 1};
}

schedule::Plan plan(const Llama& model, const spec::Config& config, const PlanOptions& options) {
  check(model, config, options);
  const int dies = options.dies * options.stages, most = options.spread ? dies : dies - 1;  // experts in parts need less room
  PlanOptions fewer = options;
  fewer.stages = 1, fewer.spread = false;
  for (fewer.dies = 1; fewer.dies <= most; ++fewer.dies) {
    std::optional<schedule::Plan> p;
    try {
      p = schedule::on_chip(model, config, fewer, Keys::as_fits);
    } catch (const Error&) {
      continue;  // too large for so few: there are no bits to agree with
    }
    const Keys keys = p->chunk == 0 ? Keys::at_once : Keys::in_chunks;
    try {
      return schedule::on_chip(model, config, options, keys);
    } catch (const Error& e) {
      const std::string how = keys == Keys::at_once ? "all " + std::to_string(p->context) + " keys at once" : "keys in chunks";
      refuse("attention on " + std::to_string(dies) + " dies that takes " + how + ", as on " + std::to_string(fewer.dies), "no room (" + std::string(e.what()) + ")", "fewer dies, or a shorter context");
    }
  }
  return schedule::on_chip(model, config, options, Keys::as_fits);
}

}  // namespace jogak::package
