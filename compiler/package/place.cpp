#include "place.hpp"

#include <algorithm>
#include <optional>

#include "../schedule/lower.hpp"
#include "parts.hpp"
#include "traffic.hpp"

namespace jogak::package {
namespace {

using schedule::Llama;
using schedule::PlanOptions;

Placed tensor(const Llama& model, const spec::Config& config, PlanOptions choices, int dies) {
  choices.dies = dies;
  return {choices, schedule::make_plan(model, config, choices), {}, std::vector<int>(static_cast<std::size_t>(std::max(dies, 1)))};
}

Placed experts(const Llama& model, const spec::Config& config, PlanOptions choices, int dies) {
  choices.spread = true;
  return tensor(model, config, choices, dies);
}

[[noreturn]] void refuse_unlike(std::size_t die) {
  throw Error("package", "layers of die " + std::to_string(die), "others than those of die 0", "the same kinds of layers in the same order on each (another number of --dies)");
}

Placed pipeline(const Llama& model, const spec::Config& config, PlanOptions choices, int dies) {
  choices.stages = dies;
  check(model, config, choices);
  const int layers = static_cast<int>(model.layers.size());
  const std::string what = " for a pipeline of " + std::to_string(dies) + " dies";
  if (layers < dies) throw Error("package", "layers" + what, std::to_string(layers), "one a die at least");
  if (model.mixture.experts > 0 && layers % dies != 0) throw Error("package", "layers with experts" + what, std::to_string(layers), "a multiple");
  Placed p{choices, {}, stages(model, dies), {}};
  const auto alike = [](const schedule::LlamaLayer& a, const schedule::LlamaLayer& b) { return (a.router == nullptr) == (b.router == nullptr); };
  for (std::size_t i = 1; i < p.stages.size(); ++i)  // else a die may have no experts to plan with
    if (!std::ranges::equal(p.stages[i].layers, p.stages.front().layers, alike)) refuse_unlike(i);
  p.plan = schedule::make_plan(p.stages.front(), config, choices);
  for (int die = 0; die < dies; ++die) p.first_layers.push_back(first_layer(layers, dies, die));
  return p;
}

struct Way {
  const char* name;
  Placed (*make)(const Llama&, const spec::Config&, PlanOptions, int);
};
// Throws jogak::Error where the code is too long, or, as all dies of a pipeline run one, not good for some of them.
void check_code(const Placed& placed, const spec::Config& config) {
  const auto code_of = [](schedule::Plan plan) { return schedule::lower_to_fit(plan).program().code(); };
  const std::vector<spec::Insn> code = code_of(placed.plan);
  for (std::size_t i = 1; i < placed.stages.size(); ++i)
    if (code_of(schedule::make_plan(placed.stages[i], config, placed.choices)) != code) refuse_unlike(i);
}

constexpr Way kWays[] = {{"tensor", tensor}, {"experts", experts}, {"pipeline", pipeline}};

}  // namespace

Placed place(const std::string& way, const Llama& model, const spec::Config& config, const PlanOptions& choices, int dies, const std::optional<Board>& board) {
  if (way != "auto" && way != "tensor" && way != "experts" && way != "pipeline") throw Error("package", "way to use the dies", way, "auto, tensor, experts or pipeline");
  const auto standing = [&](Placed p) {
    if (dies > 1) check_code(p, config);
    p.stand = best_stand(p.plan, board.value_or(board_of(p.plan.package_dies())));
    return p;
  };
  if (dies == 1 || way == "tensor") return standing(tensor(model, config, choices, dies));
  if (way == "experts") return standing(experts(model, config, choices, dies));
  if (way == "pipeline") return standing(pipeline(model, config, choices, dies));
  std::optional<Placed> best;
  std::optional<Error> reason;
  std::string told, taken;
  for (const auto& [name, make] : kWays) {
    if (model.mixture.experts == 0 && make == experts) continue;
    told += (told.empty() ? "" : "; ") + std::string(name) + ": ";
    try {
      Placed p = standing(make(model, config, choices, dies));
      const int tokens = prefill_tokens(p.plan);
      told += "a token in " + std::to_string(predict(p.plan, 1, p.stand)) + " cycles, " + std::to_string(tokens) + " in " + std::to_string(predict_prefill(p.plan, tokens, p.stand));
      if (!best || predict(p.plan, 1, p.stand) < predict(best->plan, 1, best->stand)) best = std::move(p), taken = name;
    } catch (const Error& e) {
      told += e.what();
      if (!reason) reason = e;
    }
  }
  if (!best) throw *reason;
  best->choice = "  taken: " + taken + ", by the time for a token (" + told + ")\n";
  return std::move(*best);
}

}  // namespace jogak::package
