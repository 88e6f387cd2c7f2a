#include "parts.hpp"

#include <algorithm>

namespace jogak::package {

using schedule::Llama;
using schedule::PlanOptions;

void check(const Llama& model, const spec::Config& config, const PlanOptions& options) {
  if (options.dies == 1) return;
  const auto refuse = [](const std::string& what, const std::string& found, const std::string& expected) { throw Error("package", what, found, expected); };
  const std::uint32_t most = std::min(config.chiplets, kMostDies);
  if (config.chiplets < 2) refuse("dies of " + std::string(config.name), std::to_string(options.dies), "1: this configuration has no links (quad has)");
  if (options.dies < 1 || static_cast<std::uint32_t>(options.dies) > most)
    refuse("dies of " + std::string(config.name), std::to_string(options.dies), "1 to " + std::to_string(most));
  const auto gather = [&](bool there, const char* what) {
    if (there) refuse("gathers of this decoder on " + std::to_string(options.dies) + " dies", what, "none of these; one die takes them (--dies 1)");
  };
  gather(options.sequences > 1, "several sequences a launch");
  gather(options.adapter_rank > 0, "LoRA adapters");
  gather(model.mixture.experts > 0, "experts");
  gather(model.post_norm, "norms behind attention");
  gather(model.parallel, "attention beside the feed-forward");
  gather(model.ffn_bias, "biases of the feed-forward");
}

Mesh mesh_of(int dies) {
  const auto n = static_cast<std::uint32_t>(dies);
  return n % 2 == 0 && n > 2 ? Mesh{n / 2, 2} : Mesh{n, 1};
}

bool whole(const Llama& model, const spec::Config& config, const PlanOptions& options) {
  if (options.dies == 1) return true;
  PlanOptions alone = options;
  alone.dies = 1;
  try {
    return schedule::make_plan(model, config, alone).chunk == 0;
  } catch (const Error&) {
    return true;  // too large for one die: there are no bits to agree with
  }
}

}  // namespace jogak::package
