#include "sensitivity.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "passes/codes.hpp"
#include "passes/quantize.hpp"
#include "tests/models/float_llama.hpp"

namespace jogak::eval {
namespace {

constexpr int kMostBodies = 3;  // kinds of layers, in turn, that instruction memory holds besides the rest

// A matrix's values as the array will have them.
std::vector<float> rounded(const ir::Tensor& t, ir::Format format, int group) {
  const ir::QMatrix m = passes::quantize(t, format, group);
  std::vector<float> padded = passes::dequantize(m);
  if (group == 0 || group % 32 == 0) return padded;
  const auto each = static_cast<std::size_t>(group), wide = (each + 31) / 32 * 32;
  std::vector<float> out;
  for (std::size_t at = 0; at < padded.size(); at += wide) out.insert(out.end(), padded.begin() + static_cast<std::ptrdiff_t>(at), padded.begin() + static_cast<std::ptrdiff_t>(at + each));
  return out;
}

const ir::Node& named(const ir::Graph& graph, const std::string& name) {
  return *std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const ir::Node& n) { return n.op == ir::Op::linear && n.name == name; });
}

// The fp32 decoder over the texts: its logits' log-probabilities, and how far other weights take it from them.
class DecoderProbe : public Probe {
 public:
  DecoderProbe(const ir::Graph& graph, const Texts& texts) : graph_(graph), texts_(texts), model_(graph) {
    each([&](const std::vector<float>& p) { exact_.push_back(p); });
  }
  void set(const std::string& matrix, ir::Format format) override {
    const ir::Node& node = named(graph_, matrix);
    model_.replace(matrix, rounded(graph_.tensors[static_cast<std::size_t>(node.weights.at(0))], format, node.head_dim));
  }
  void reset(const std::string& matrix) override { model_.replace(matrix, {}); }
  double divergence() override {
    double sum = 0;
    std::size_t at = 0;
    each([&](const std::vector<float>& q) {
      const std::vector<float>& p = exact_[at++];
      for (std::size_t i = 0; i < p.size(); ++i) sum += std::exp(static_cast<double>(p[i])) * (static_cast<double>(p[i]) - static_cast<double>(q[i]));
    });
    return std::max(0.0, sum / static_cast<double>(at));
  }

 private:
  template <class F>
  void each(const F& take) {
    for (const auto& ids : texts_) {
      model_.reset();
      for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
        std::vector<float> logits = model_.step(ids[i]);
        double top = -INFINITY, sum = 0;
        for (const float x : logits) top = std::max(top, static_cast<double>(x));
        for (const float x : logits) sum += std::exp(static_cast<double>(x) - top);
        const double shift = top + std::log(sum);
        for (float& x : logits) x = static_cast<float>(static_cast<double>(x) - shift);
        take(logits);
      }
    }
  }

  const ir::Graph& graph_;
  const Texts& texts_;
  tests::FloatLlama model_;
  std::vector<std::vector<float>> exact_;
};

// Linear nodes, those of one choice together: name without the layer is the role.
std::vector<passes::Choice> roles(const ir::Graph& graph) {
  std::vector<passes::Choice> choices;
  for (const ir::Node& n : graph.nodes) {
    if (n.op != ir::Op::linear) continue;
    std::string role = n.layer < 0 ? n.name : n.name.substr(n.name.rfind('.') + 1);
    if (role == "ffn_gate" || role == "ffn_up") role = "ffn_gate_up";
    if (role == "ffn_gate_shexp" || role == "ffn_up_shexp") role = "ffn_gate_up_shexp";
    if (!choices.empty() && choices.back().role == role && choices.back().layer == n.layer) {
      choices.back().matrices.push_back(n.name);
      continue;
    }
    choices.push_back({n.layer < 0 ? role : "blk." + std::to_string(n.layer) + "." + role, {n.name}, n.layer, role, {}});
  }
  return choices;
}

// Formats that all matrices of a choice can have.
std::vector<ir::Format> possible(const ir::Graph& graph, const passes::Choice& c) {
  const ir::Node& first = named(graph, c.matrices.front());
  if (const auto own = passes::kept_format(graph.tensors[static_cast<std::size_t>(first.weights.at(0))].dtype)) return {*own};
  return {std::begin(ir::kFormats), std::end(ir::kFormats)};
}

std::uint64_t bytes_of(const ir::Graph& graph, const passes::Choice& c, ir::Format format) {
  std::uint64_t bytes = 0;
  for (const std::string& name : c.matrices) {
    const ir::Node& node = named(graph, name);
    const auto& shape = graph.tensors[static_cast<std::size_t>(node.weights.at(0))].shape;
    const std::int64_t each = node.head_dim > 0 ? node.head_dim : shape[1];
    bytes += passes::format_bytes(format, shape[0], shape[1] / each * ((each + 31) / 32 * 32));
  }
  return bytes;
}

// With bytes, without errors.
std::vector<passes::Choice> candidates(const ir::Graph& graph) {
  std::vector<passes::Choice> choices = roles(graph);
  for (passes::Choice& c : choices)
    for (const ir::Format f : possible(graph, c)) c.candidates.push_back({f, bytes_of(graph, c, f), 0});
  return choices;
}

double together(Probe& probe, const std::vector<passes::Choice>& choices, const passes::Mixture& m) {
  for (std::size_t i = 0; i < choices.size(); ++i)
    for (const std::string& name : choices[i].matrices) probe.set(name, choices[i].candidates[m.picked[i]].format);
  return probe.divergence();
}

}  // namespace

void measure(Probe& probe, std::vector<passes::Choice>& choices, const Progress& progress) {
  int all = 0, done = 0;
  for (const auto& c : choices) all += static_cast<int>(c.candidates.size());
  for (passes::Choice& c : choices) {
    for (passes::Candidate& candidate : c.candidates) {
      if (c.candidates.size() > 1) {
        for (const std::string& name : c.matrices) probe.set(name, candidate.format);
        candidate.error = probe.divergence();
      }
      if (progress) progress(++done, all);
    }
    for (const std::string& name : c.matrices) probe.reset(name);
  }
}

std::vector<passes::Choice> sensitivity(const ir::Graph& graph, const Texts& texts, const Progress& progress) {
  std::vector<passes::Choice> choices = candidates(graph);
  DecoderProbe probe(graph, texts);
  measure(probe, choices, progress);
  return choices;
}

double divergence(const ir::Graph& graph, const Texts& texts, const std::vector<passes::Choice>& choices, const passes::Mixture& m) {
  DecoderProbe probe(graph, texts);
  return together(probe, choices, m);
}

Mixed mix(const ir::Graph& graph, const Texts& texts, const passes::Budget& budget, const Progress& progress, const Fits& fits) {
  DecoderProbe probe(graph, texts);
  return mix(probe, candidates(graph), budget, kMostBodies, progress, fits);
}

Mixed mix(Probe& probe, std::vector<passes::Choice> choices, const passes::Budget& budget, int most_bodies, const Progress& progress, const Fits& fits) {
  measure(probe, choices, progress);
  Mixed r{std::move(choices), {}, 0, true};
  const auto choose = [&] {
    // Errors of single matrices need not add up: what is promised is measured, and the sum's budget made tighter until it holds.
    for (passes::Budget now = budget;; now.error *= 0.7) {
      r.picked = passes::choose_formats(r.choices, now);
      r.measured = together(probe, r.choices, r.picked);
      if (budget.error == 0 || r.measured <= budget.error) return;
    }
  };
  choose();
  if ((most_bodies == 0 || passes::bodies(r.choices, r.picked) <= most_bodies) && (!fits || fits(passes::format_rules(r.choices, r.picked)))) return r;
  r.choices = passes::merge_layers(r.choices);
  r.by_layer = false;
  choose();
  return r;
}

}  // namespace jogak::eval
