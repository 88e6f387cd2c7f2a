#include "memory_plan.hpp"

#include <cstdio>
#include <numeric>

#include "package/place.hpp"
#include "schedule/lower.hpp"
#include "schedule/plan.hpp"

namespace jogak {
namespace {

using schedule::LayerPlan;
using schedule::MatrixPlan;
using schedule::Plan;

ir::Format format_of(const std::string& name) {
  for (const ir::Format f : ir::kFormats)
    if (name == ir::name(f)) return f;
  throw Error("plan", "weight format", name, "int8, int8c or mxfp4");
}

// The decoder as the scheduler sees it, its matrices without codes.
class Outline {
 public:
  Outline(const import::Shape& shape, const CompileOptions& options) : shape_(shape), format_(format_of(options.format)) {}

  schedule::Llama model() {
    const import::LlamaHyper& h = shape_.hyper;
    schedule::Llama m;
    m.width = h.width, m.heads = h.heads, m.kv_heads = h.kv_heads, m.head_dim = h.head(), m.ffn = h.ffn, m.vocab = h.vocab, m.context = h.context;
    m.window = h.window, m.qkv_bias = h.qkv_bias, m.qk_norm = h.qk_norm, m.o_bias = h.output_bias, m.sinks = h.sinks, m.eps = h.eps;
    if (h.mixture.experts > 0) {
      m.mixture = h.mixture, m.expert_bias = h.expert_bias, m.expert_ffn = h.of_expert(), m.shared_ffn = h.shared_ffn;
      if (h.dense.empty()) m.ffn = 0;
    }
    m.layer_norm = h.layer_norm, m.parallel = h.parallel, m.gated = h.gated, m.ffn_bias = h.ffn_bias, m.post_norm = h.post_norm;
    m.o_bias |= h.parallel && h.ffn_bias;
    m.query_scale = h.query_scale, m.score_cap = h.score_cap, m.logit_cap = h.logit_cap;
    m.sliding_turns = h.sliding_theta > 0 && h.window > 0;
    if (h.positions) m.positions = {0};
    if (h.head_bias) m.head_bias = {0};
    for (int i = 0; i < h.layers; ++i) m.layers.push_back(layer(static_cast<std::size_t>(i)));
    m.head = matrix(h.vocab, h.width, format_);
    return m;
  }

 private:
  static schedule::Matrix matrix(std::int64_t n, std::int64_t k, ir::Format format) {
    ir::QMatrix m;
    m.format = format, m.n = n, m.k = k;
    return std::make_shared<const ir::QMatrix>(std::move(m));
  }
  schedule::LlamaLayer layer(std::size_t i) const {
    const import::LlamaHyper& h = shape_.hyper;
    const std::int64_t head = h.head(), padded = (head + 31) / 32 * 32;
    schedule::LlamaLayer l;
    l.q = matrix(h.heads * head, h.width, format_);
    l.k = l.v = matrix(h.kv_heads * head, h.width, format_);
    l.o = matrix(h.width, h.heads * padded, format_);
    l.sliding = h.window > 0 && (h.sliding.empty() || h.sliding.at(i));
    if (!h.routed(static_cast<int>(i))) {
      l.up = matrix(h.ffn, h.width, format_), l.down = matrix(h.width, h.ffn, format_);
      if (h.gated) l.gate = l.up;
      return l;
    }
    if (h.shared_ffn > 0) {
      l.shared_gate = l.shared_up = matrix(h.shared_ffn, h.width, format_), l.shared_down = matrix(h.width, h.shared_ffn, format_);
      if (h.shared_gate) l.shared_score = matrix(1, h.width, ir::Format::int8);
    }
    l.router = matrix(h.mixture.experts, h.width, ir::Format::int8);
    const ir::Format asked = format_ == ir::Format::int8c ? ir::Format::int8 : format_;
    l.experts.format = l.experts.down_format = shape_.mxfp4_experts ? ir::Format::mxfp4 : asked;
    return l;
  }

  const import::Shape& shape_;
  ir::Format format_;
};

class Table {
 public:
  Table(const Plan& p, MemoryPlan& out) : p_(p), out_(out) {
    weights();
    cache();
    add("tokens", 2, p_.io_tokens, p_.io_logits);
    add("logits of " + std::to_string(p_.rows) + " rows", 2, p_.io_logits, p_.io_chosen);
    if (p_.experts()) add("which experts were chosen", 2, p_.io_chosen, p_.io_table);
    if (p_.paged()) add("table of " + std::to_string(p_.sequences) + " sequences", 2, p_.io_table, p_.io_bytes);
    experts();
    out_.windows = {p_.w_bytes, p_.kv_bytes, p_.io_bytes};
    for (int w = 0; w < p_.expert_windows; ++w) out_.windows.push_back(p_.expert_window_bytes(w));
    if (p_.adapter.rank > 0) {
      add("an adapter of rank " + std::to_string(p_.adapter.rank), static_cast<std::uint32_t>(p_.adapter_window()), 0, p_.adapter.bytes());
      out_.windows.push_back(p_.adapter.bytes());
    }
    if (p_.tables_window != 0) out_.windows.push_back(p_.tables_bytes);
  }

 private:
  void add(const std::string& name, std::uint32_t window, std::uint64_t from, std::uint64_t to) { out_.regions.push_back({name, window, from, to - from}); }

  // Layers and head follow one another in the stream; a line for each kind of layer would say less than one for the sum.
  void weights() {
    std::uint64_t layers = 0;
    for (const LayerPlan& l : p_.layer) {
      for (const MatrixPlan* m : {&l.q, &l.k, &l.v, &l.o}) layers += m->total_bytes();
      layers += l.routed() ? l.router.total_bytes() + (l.shared() ? l.shared_ffn.total_bytes() + l.shared_down.total_bytes() : 0) : l.ffn.total_bytes() + l.down.total_bytes();
    }
    const std::string count = std::to_string(p_.layers) + " layers: ";
    add(count + (!p_.experts() ? "attention and feed-forward" : p_.some_routed() || p_.shared_ffn > 0 ? "attention, feed-forward and routers" : "attention and routers"), 0, p_.w_stream, p_.w_stream + layers);
    const std::uint32_t tables = p_.tables_window;
    add("head", 0, p_.w_stream + layers, tables == 0 ? p_.w_norms : p_.w_bytes);
    add("norms, biases, sinks", tables, p_.w_norms, p_.w_rope);
    add("rotary tables", tables, p_.w_rope, p_.w_embed);
    add("embedding, fp32", tables, p_.w_embed, tables == 0 ? p_.w_bytes : p_.tables_bytes);
  }
  // Layers that keep the whole context, then those that keep a ring: of each kind a line for every region, from the first layer on.
  void cache() {
    for (const bool ring : {false, true}) {
      std::uint64_t count = 0, first = 0, at = 0;
      const int tokens = ring ? p_.ring.tokens : p_.kv_tokens();
      for (int l = 0; l < p_.layers; at += p_.kv_of(p_.kv_layer, p_.tokens_of(l++)))
        if ((p_.tokens_of(l) != p_.kv_tokens()) == ring && count++ == 0) first = at;
      const auto all = [&](const char* name, std::uint32_t from, std::uint32_t end) {
        const std::uint64_t start = p_.kv_of(from, tokens), bytes = p_.kv_of(end, tokens) - start;
        if (count > 0) out_.regions.push_back({std::string(name) + ", " + std::to_string(count) + (ring ? " layers, a ring of " : " layers of ") + std::to_string(tokens) + " tokens", 1, first + start, bytes * count * static_cast<std::uint64_t>(std::max(p_.pages, 1))});
      };
      all("K, int8", p_.kv_k, p_.kv_ks), all("K scales", p_.kv_ks, p_.kv_v), all("V, int8", p_.kv_v, p_.kv_vs), all("V scales", p_.kv_vs, p_.kv_layer);
    }
  }
  void experts() {
    for (int w = 0; w < p_.expert_windows; ++w) {
      const int first = w * p_.expert_layers, last = std::min(first + p_.expert_layers, p_.routed_layers) - 1;
      add((p_.some_routed() ? "experts of routed layers " : "experts of layers ") + std::to_string(first) + " to " + std::to_string(last) + ", " + std::to_string(p_.experts_here()) + " each of " +
              std::to_string(p_.expert_bytes) + " bytes", static_cast<std::uint32_t>(schedule::kExpertWindow + w), 0, p_.expert_window_bytes(w));
    }
  }

  const Plan& p_;
  MemoryPlan& out_;
};

}  // namespace

std::uint64_t MemoryPlan::bytes() const { return std::accumulate(windows.begin(), windows.end(), std::uint64_t{0}); }

std::string MemoryPlan::text() const {
  char line[240];
  std::snprintf(line, sizeof line, "%s on %s, context %d, %d rows a launch, %zu of %zu instructions\nwindow      offset           bytes  what\n", model.c_str(), config.c_str(), context, rows, instructions, most_instructions);
  std::string out = line;
  for (const MemoryRegion& r : regions) {
    std::snprintf(line, sizeof line, "%6u  %10llu  %14llu  %s\n", r.window, static_cast<unsigned long long>(r.offset), static_cast<unsigned long long>(r.bytes), r.name.c_str());
    out += line;
  }
  std::snprintf(line, sizeof line, "%6s  %10s  %14llu  in all, %zu windows\n", "", "", static_cast<unsigned long long>(bytes()), windows.size());
  return out + line;
}

MemoryPlan plan_memory(const import::Shape& shape, const CompileOptions& options) {
  const spec::Config* config = spec::find_config(options.config.c_str());
  if (!config) throw Error("plan", "configuration", options.config, "one of spec/configs");
  if (!options.format_of.empty()) throw Error("plan", "format rules", options.format_of.front(), "none: a shape has no names of matrices");
  schedule::Plan p = package::place(options.parallel, Outline(shape, options).model(), *config,
                                    {.context = options.context, .max_rows = options.max_rows, .sequences = options.sequences, .adapter_rank = options.lora,
                                     .kv_tokens = options.kv_tokens, .most_window = options.expert_window, .window_bytes = options.window_bytes},
                                    options.dies, options.board).plan;
  const std::size_t instructions = schedule::lower_to_fit(p).program().code().size();
  MemoryPlan out{.model = shape.name, .config = config->name + (p.package_dies() > 1 ? (p.stages > 1 ? ", first of " : ", each of ") + std::to_string(p.package_dies()) + " dies" : std::string()), .context = p.context, .rows = p.rows, .instructions = instructions,
                 .most_instructions = config->imem_words, .regions = {}, .windows = {}};
  Table(p, out);
  return out;
}

}  // namespace jogak
