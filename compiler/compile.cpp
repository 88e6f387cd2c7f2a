#include "compile.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "adapter.hpp"
#include "package/parts.hpp"
#include "package/place.hpp"
#include "package/traffic.hpp"
#include "passes/quantize.hpp"
#include "passes/two_of_four.hpp"
#include "schedule/explain.hpp"
#include "schedule/lower.hpp"
#include "schedule/pack.hpp"
#include "schedule/weights.hpp"

namespace jogak {
namespace {

// Rules NAME=FORMAT: of the matrix called NAME, or, where none is, of all whose name contains it. The last one that fits counts.
class FormatRules {
 public:
  // Throws jogak::Error for an unknown format and for a rule that no matrix follows: that is a slip of the pen.
  FormatRules(const ir::Graph& graph, const CompileOptions& options) : standard_(ir::format_named(options.format)) {
    for (const std::string& text : options.format_of) {
      const auto split = text.rfind('=');
      if (split == std::string::npos) throw Error("compile", "format rule", text, "NAME=FORMAT");
      Rule rule{text.substr(0, split), ir::format_named(text.substr(split + 1))};
      std::string names;
      bool used = false;
      for (const ir::Node& node : graph.nodes) {
        if (node.op != ir::Op::linear && node.op != ir::Op::experts) continue;
        rule.whole |= node.name == rule.name;
        used |= node.name.find(rule.name) != std::string::npos;
        if (node.layer <= 0) names += (names.empty() ? "" : ", ") + node.name;
      }
      if (!used) throw Error("compile", "matrices named by the format rule " + text, "none", "(part of) a name such as " + names);
      rules_.push_back(std::move(rule));
    }
  }

  ir::Format of(const ir::Node& node) const {
    // A router is small, and its choices should be those of the model.
    ir::Format format = node.name.ends_with("ffn_gate_inp") || node.name.ends_with("ffn_gate_inp_shexp") ? ir::Format::int8 : standard_;
    // The head's bias takes the place of channel scales.
    if (format == ir::Format::int8c && node.name == "output" && node.weights.size() > 1) format = ir::Format::int8;
    for (const Rule& r : rules_)
      if (r.whole ? node.name == r.name : node.name.find(r.name) != std::string::npos) format = r.format;
    return format;
  }

 private:
  struct Rule {
    std::string name;
    ir::Format format;
    bool whole = false;
  };
  ir::Format standard_;
  std::vector<Rule> rules_;
};

struct State {
  ir::Graph graph;
  const CompileOptions& options;
  const spec::Config& config;
  schedule::Llama model;
  schedule::PlanOptions choices;
  schedule::Plan plan;
  Program program;
  int layers = 0;                            // of the model
  package::Placed placed = {};               // on the dies
};

// Matrices and weights in each format.
nlohmann::json formats_used(const ir::Graph& graph) {
  nlohmann::json used = nlohmann::json::object();
  for (const ir::Node& node : graph.nodes) {
    if (!node.matrix) continue;
    auto& entry = used[ir::name(node.matrix->format)];
    if (entry.is_null()) entry = {{"matrices", 0}, {"weights", 0}};
    entry["matrices"] = entry["matrices"].get<int>() + 1;
    entry["weights"] = entry["weights"].get<std::int64_t>() + node.matrix->n * node.matrix->k;
  }
  return used;
}

void quantize_pass(State& s) {
  const FormatRules rules(s.graph, s.options);
  passes::quantize_graph(s.graph, [&](const ir::Node& node) { return rules.of(node); });
  if (s.config.sparse && s.options.dies == 1) passes::use_two_of_four(s.graph);
}
void match_pass(State& s) { s.model = schedule::match_llama(s.graph); }
void weight_ring_pass(State& s) { s.choices.weight_ring = true; }
void double_kv_pass(State& s) { s.choices.double_kv = true; }
void double_output_pass(State& s) { s.choices.double_output = true; }
void hoist_pass(State& s) { s.choices.hoist = true; }
void last_layer_pass(State& s) { s.choices.last_layer = true; }
void ring_cache_pass(State& s) { s.choices.ring_cache = true; }

void plan_pass(State& s) {
  s.choices.context = s.options.context;
  s.choices.max_rows = s.options.max_rows;
  s.choices.most_window = s.options.expert_window;
  s.choices.sequences = s.options.sequences;
  s.choices.kv_tokens = s.options.kv_tokens;
  s.choices.adapter_rank = s.options.lora;
  s.choices.window_bytes = s.options.window_bytes;
  s.layers = static_cast<int>(s.model.layers.size());
  package::Placed placed = package::place(s.options.parallel, s.model, s.config, s.choices, s.options.dies, s.options.board);
  s.plan = placed.plan;
  s.placed = std::move(placed);
}

void lower_pass(State& s) {
  const emit::Emitter code = schedule::lower_to_fit(s.plan);
  s.program.code = code.program().code();
  const auto& labels = code.program().labels();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::uint32_t end = i + 1 < labels.size() ? labels[i + 1].pc : static_cast<std::uint32_t>(s.program.code.size());
    if (end > labels[i].pc) s.program.map.push_back({labels[i].pc, end - 1, labels[i].name, labels[i].layers});
  }
  s.program.weight_loads = schedule::weight_order(s.plan);
}

void pack_pass(State& s) {
  const auto plan = std::make_shared<const schedule::Plan>(s.plan);
  std::vector<std::shared_ptr<const schedule::Llama>> models;
  for (schedule::Llama& stage : s.placed.stages) models.push_back(std::make_shared<const schedule::Llama>(std::move(stage)));
  if (models.empty()) models.assign(static_cast<std::size_t>(s.plan.dies), std::make_shared<const schedule::Llama>(std::move(s.model)));
  s.program.segments = schedule::weight_segments(models, plan);
  for (const Segment& segment : s.program.segments) s.program.window_bytes[segment.window] = segment.size();
  if (plan->adapter.rank > 0) s.program.window_bytes[static_cast<std::size_t>(plan->adapter_window())] = plan->adapter.bytes();
  s.program.window_bytes[1] = s.plan.kv_bytes;
  s.program.window_bytes[2] = s.plan.io_bytes;
  s.program.mesh = package::mesh_of(s.plan.package_dies());
}

// Where the KV cache has what: regions of `planes` times `tokens` keys of `unit` bytes, in each layer of each page. A sliding layer (bit of
// the mask, layer modulo period) has `ring` tokens instead, if that is not 0, and all its sizes and offsets in proportion.
nlohmann::json kv_layout(const schedule::Plan& p) {
  const auto region = [](std::uint32_t offset, int planes, int unit) { return nlohmann::json{{"offset", offset}, {"planes", planes}, {"unit", unit}}; };
  nlohmann::json layout = {{"tokens", p.kv_tokens()}, {"pages", std::max(p.pages, 1)}, {"page_bytes", p.kv_page}, {"layer_bytes", p.kv_layer},
          {"regions", {region(p.kv_k, p.kv_heads * p.hk / 32, 32), region(p.kv_ks, p.kv_heads * p.hk / 32, 2),
                       region(p.kv_v, p.kv_heads * p.hn / p.cols, p.cols), region(p.kv_vs, p.kv_heads, 4)}}};
  if (p.window > 0) layout["sliding"] = {{"window", p.window}, {"period", p.window_period}, {"mask", p.window_mask}, {"ring", p.ring.tokens}};
  return layout;
}

// What a session needs: sizes, places, arguments, vocabulary.
void abi_pass(State& s) {
  const schedule::Plan& p = s.plan;
  const auto words = [](std::int64_t x) { return static_cast<std::uint64_t>(x); };
  s.program.symbols = {{"tokens", 2, p.io_tokens, words(std::max(p.context, p.rows)) * 4, "i32", {words(std::max(p.context, p.rows))}},
                       {"logits", 2, p.io_logits, words(p.rows) * words(p.vocab_n) * 4, "f32", {words(p.rows), words(p.vocab_n)}},
                       {"kv", 1, 0, p.kv_bytes, "bytes", {p.kv_bytes}}};
  if (p.experts())  // of the last launch, row by row in each layer that has some: fp32 ones with the expert's index in their lowest bits
    s.program.symbols.push_back({"chosen_experts", 2, p.io_chosen, words(p.routed_layers) * words(p.rows) * words(p.mixture.top) * 4, "u32",
                                 {words(p.routed_layers), words(p.rows), words(p.mixture.top)}});
  if (p.paged()) s.program.symbols.push_back({"table", 2, p.io_table, words(p.table_words()) * 4, "i32", {words(p.table_words())}});
  const std::uint64_t adapter_bytes = p.adapter.bytes();
  if (adapter_bytes > 0) s.program.symbols.push_back({"adapter", static_cast<std::uint32_t>(p.adapter_window()), 0, adapter_bytes, "bytes", {adapter_bytes}});
  const ir::Vocabulary& v = s.graph.vocabulary;
  nlohmann::json abi = {{"kind", "causal_lm"}, {"name", s.graph.model_name}, {"architecture", s.graph.architecture},
                        {"context", p.context}, {"rows", p.rows}, {"vocab", p.vocab}, {"layers", s.layers}, {"width", p.width},
                        {"args", {"position", "rows", "logit_row", "logit_rows"}}, {"weight_stream_bytes", p.tables_window == 0 ? p.w_norms - p.w_stream : p.w_bytes},
                        {"formats", formats_used(s.graph)}, {"kv", kv_layout(p)}};
  if (adapter_bytes > 0) {
    abi["args"].push_back("adapter");
    abi["adapter"] = schedule::to_json(p.adapter);
  }
  if (p.package_dies() > 1) {
    if (p.stages > 1) abi["args"].push_back("overlapped");
    abi["args"].push_back("die");
    abi["package"] = {{"dies", p.package_dies()}, {"parallel", p.spread ? "experts" : p.dies > 1 ? "tensor" : "pipeline"}, {"kv_heads", p.whole_kv_heads}, {"kv_heads_of_die", p.kv_heads},
                      {"first_layers", s.placed.first_layers}, {"places", s.placed.stand.order}};
    if (p.stages > 1) abi["package"]["overlap_rows"] = package::overlap_rows(p, s.placed.stand);
  }
  if (p.paged()) {
    abi["args"][0] = "table_bytes";
    abi["batch"] = {{"sequences", p.sequences}, {"pieces", p.table_pieces()}};
  }
  abi["tokenizer"] = {{"model", v.model}, {"tokens", v.tokens}, {"scores", v.scores}, {"types", v.types}, {"bos", v.bos}, {"eos", v.eos},
                      {"unk", v.unk}, {"add_bos", v.add_bos}, {"add_space_prefix", v.add_space_prefix}};
  if (v.model == "gpt2") abi["tokenizer"].update({{"pre", v.pre}, {"merges", v.merges}, {"whole_words", v.whole_words}, {"compose", v.compose}});
  if (p.experts()) abi["experts"] = {{"count", p.mixture.experts}, {"top", p.mixture.top}, {"bytes", p.expert_bytes}};
  if (!v.ends.empty()) abi["tokenizer"]["ends"] = v.ends;
  if (!v.chat_template.empty()) abi["chat_template"] = v.chat_template;
  if (!s.options.disabled.empty()) abi["without"] = s.options.disabled;
  s.program.abi = abi.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

struct Pass {
  PassInfo info;
  void (*run)(State&);
};
const Pass kPasses[] = {
    {{"quantize", "float weights become blocks of integers with scales", false}, quantize_pass},
    {{"match", "finds the parts of a Llama decoder in the graph", false}, match_pass},
    {{"weight-ring", "several weight slots on chip: loads run ahead of products, across matrices and layers", true}, weight_ring_pass},
    {{"double-kv", "two areas for K and V where they fit: the next head's load while this one computes", true}, double_kv_pass},
    {{"double-output", "two output buffers: the array goes on while the vector engine takes its last product", true}, double_output_pass},
    {{"hoist", "constants of a loop's body are loaded before the loop", true}, hoist_pass},
    {{"last-layer", "the last layer has code of its own, which loads the head's weights ahead", true}, last_layer_pass},
    {{"ring-cache", "layers with a sliding window keep its keys only, in a ring", true}, ring_cache_pass},
    {{"plan", "rows of a launch, buffers on chip, regions in DRAM", false}, plan_pass},
    {{"lower", "instructions and the map from them to layers and operators", false}, lower_pass},
    {{"pack", "weights in the order of use", false}, pack_pass},
    {{"abi", "what a session must know: places, sizes, vocabulary", false}, abi_pass}};

void check_disabled(const std::vector<std::string>& disabled) {
  std::string optional;
  for (const Pass& p : kPasses)
    if (p.info.optional) optional += (optional.empty() ? "" : ", ") + p.info.name;
  for (const std::string& name : disabled) {
    const auto pass = std::find_if(std::begin(kPasses), std::end(kPasses), [&](const Pass& p) { return name == p.info.name; });
    if (pass == std::end(kPasses)) throw Error("compile", "pass to leave out", name, "one of " + optional);
    if (!pass->info.optional) throw Error("compile", "pass to leave out", name + ", which every program needs", "one of " + optional);
  }
}

}  // namespace

std::vector<PassInfo> compiler_passes() {
  std::vector<PassInfo> list;
  for (const Pass& p : kPasses) list.push_back(p.info);
  return list;
}

std::vector<std::string> weight_formats() {
  std::vector<std::string> names;
  for (const ir::Format f : ir::kFormats) names.push_back(ir::name(f));
  return names;
}

Compiled compile(ir::Graph graph, const CompileOptions& options) {
  const spec::Config* config = spec::find_config(options.config.c_str());
  if (!config) throw Error("compile", "configuration", options.config, "one of spec/configs");
  check_disabled(options.disabled);
  if (options.merge_tokens > 0) throw Error("compile", "rows to merge (--merge-tokens)", std::to_string(options.merge_tokens) + " of a decoder", "0: images' encoders alone merge");
  State state{std::move(graph), options, *config, {}, {.weight_ring = false, .double_kv = false, .double_output = false, .ring_cache = false, .last_layer = false, .hoist = false}, {},
              make_program(*config)};
  Compiled result;
  for (const Pass& pass : kPasses) {
    if (std::find(options.disabled.begin(), options.disabled.end(), pass.info.name) != options.disabled.end()) continue;
    const auto start = std::chrono::steady_clock::now();
    pass.run(state);
    result.passes.push_back({pass.info.name, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()});
  }
  verify(state.program);
  result.explanation = schedule::explain(state.plan) + package::explain(state.plan, state.placed.stand) + state.placed.choice;
  result.bounds = schedule::bounds(state.plan);
  result.program = std::move(state.program);
  return result;
}

}  // namespace jogak
