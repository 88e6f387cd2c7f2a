#include "mixed.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <sstream>

namespace jogak::cli {
namespace {

std::uint64_t all_int8(const ir::Graph& graph) {
  std::uint64_t bytes = 0;
  for (const ir::Node& n : graph.nodes) {
    if (n.op != ir::Op::linear) continue;
    const auto& shape = graph.tensors[static_cast<std::size_t>(n.weights.at(0))].shape;
    bytes += passes::format_bytes(ir::Format::int8, shape[0], shape[1]);
  }
  return bytes;
}

template <class... Values>
std::string form(const char* format, Values... values) {
  char text[240];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

const passes::Candidate& picked(const eval::Mixed& m, std::size_t i) { return m.choices[i].candidates[m.picked.picked[i]]; }

}  // namespace

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw Error("calibrate", "file " + path, "nothing that can be read", "a text file");
  return text.str();
}

void add_mixed_options(CLI::App& command, MixedArguments& a) {
  command.add_option("--calibrate", a.text, "What formats are measured on, matrix by matrix, with one of the budgets: a text (decoders), or examples (encoders, ONNX): .npy, .npz, .csv, .png")
      ->type_name("FILE");
  command.add_option("--calibrate-tokens", a.tokens, "Most tokens of a text")->check(CLI::PositiveNumber)->capture_default_str();
  command.add_option("--calibrate-examples", a.examples, "Most examples")->check(CLI::PositiveNumber)->capture_default_str();
  command.add_flag("--calibrate-lines", a.lines, "Each line of a text is a text by itself");
  command.add_option("--budget-bytes", a.bytes, "Of all matrices: a number, with K, M, G, or % of what int8 takes");
  command.add_option("--budget-error", a.error, "Divergence from fp32 there, nats a token or row; of a model without logits, and ONNX: the relative error of its result")->check(CLI::PositiveNumber);
}

void add_value_options(CLI::App& command, double& scale, double& offset) {
  command.add_option("--value-scale", scale, "Examples: values are multiplied by this")->capture_default_str();
  command.add_option("--value-offset", offset, "Examples: and this is added")->capture_default_str();
}

bool asked(const MixedArguments& a) {
  if (a.text.empty() && a.bytes.empty() && a.error == 0) return false;
  if (a.text.empty() || a.bytes.empty() == (a.error == 0))
    throw Error("calibrate", "options", a.text.empty() ? "a budget without a file" : a.bytes.empty() ? "a file without a budget" : "two budgets",
                "--calibrate with one of --budget-bytes and --budget-error");
  return true;
}

passes::Budget budget(const MixedArguments& a, std::uint64_t all, bool relative) {
  if (a.bytes.empty()) return {0, relative ? a.error * a.error : a.error};
  std::istringstream in(a.bytes);
  double value = 0;
  std::string unit;
  in >> value >> unit;
  const double scale = unit.empty() ? 1 : unit == "K" ? 1e3 : unit == "M" ? 1e6 : unit == "G" ? 1e9 : unit == "%" ? static_cast<double>(all) / 100 : 0;
  if (!(value * scale >= 1)) throw Error("calibrate", "--budget-bytes", a.bytes, "bytes, with K, M, G or % (of int8's) behind them");
  return {static_cast<std::uint64_t>(value * scale), 0};
}

eval::Progress progress() {
  const bool tell = isatty(STDERR_FILENO) != 0;
  return [tell](int done, int all) {
    if (tell) std::cerr << "\rcalibrating: " << done << " of " << all << (done == all ? "\n" : "") << std::flush;
  };
}

std::optional<eval::Mixed> mix(const ir::Graph& graph, const MixedArguments& a, const CompileOptions& options) {
  if (!asked(a)) return std::nullopt;
  const ir::Vocabulary& v = graph.vocabulary;
  const Tokenizer tokenizer({v.tokens, v.scores, v.types, v.bos, v.eos, v.unk, v.add_bos, v.add_space_prefix, v.model, v.pre, v.merges, v.whole_words, v.compose, v.ends});
  const eval::Texts texts = eval::cut(read_text(a.text), tokenizer, graph.context, a.lines, a.tokens);
  // Bodies of code differ in length with their formats: only compiling says whether they fit.
  const auto fits = [&](const std::vector<std::string>& rules) {
    CompileOptions mixed = options;
    mixed.format_of.insert(mixed.format_of.end(), rules.begin(), rules.end());
    try {
      (void)compile(graph, mixed);
    } catch (const Error& e) {
      if (std::string(e.what()).find(" instructions, expected") == std::string::npos) throw;
      return false;
    }
    return true;
  };
  return eval::mix(graph, texts, budget(a, all_int8(graph), false), progress(), fits);
}

std::string table(const eval::Mixed& m, bool relative) {
  const auto shown = [&](double error) { return relative ? std::sqrt(error) : error; };
  std::size_t wide = 22;
  for (const auto& c : m.choices) wide = std::max(wide, c.name.size() + 1);
  const int width = static_cast<int>(std::min<std::size_t>(wide, 60));
  std::string text = form("\nformats by measured %s, each alone%s\n%-*s", relative ? "relative error of the result" : "divergence (nats)", m.by_layer ? "" : "; the same in every layer, as instruction memory wants it", width, "matrix");
  for (const ir::Format f : ir::kFormats) text += form("%12s", ir::name(f));
  text += form("   %-8s%14s\n", "chosen", "bytes");
  for (std::size_t i = 0; i < m.choices.size(); ++i) {
    text += form("%-*s", width, m.choices[i].name.c_str());
    for (const ir::Format f : ir::kFormats) {
      std::string cell = "-";
      for (const auto& c : m.choices[i].candidates)
        if (c.format == f) cell = form("%.7f", shown(c.error));
      text += form("%12s", cell.c_str());
    }
    text += form("   %-8s%14llu\n", ir::name(picked(m, i).format), static_cast<unsigned long long>(picked(m, i).bytes));
  }
  return text + form("%-*s %s %.7f (sum of the single ones %.7f), %llu bytes\n", width, "all together", relative ? "error" : "divergence", shown(m.measured), shown(m.picked.error), static_cast<unsigned long long>(m.picked.bytes));
}

nlohmann::ordered_json json(const eval::Mixed& m, bool relative) {
  const char* kind = relative ? "error" : "divergence";
  const auto shown = [&](double error) { return relative ? std::sqrt(error) : error; };
  nlohmann::ordered_json j = {{kind, shown(m.measured)}, {"sum", shown(m.picked.error)}, {"bytes", m.picked.bytes}, {"by_layer", m.by_layer}};
  for (std::size_t i = 0; i < m.choices.size(); ++i) {
    nlohmann::ordered_json c = {{"name", m.choices[i].name}, {"format", ir::name(picked(m, i).format)}, {"bytes", picked(m, i).bytes}};
    for (const auto& candidate : m.choices[i].candidates) c[kind][ir::name(candidate.format)] = shown(candidate.error);
    j["matrices"].push_back(c);
  }
  return j;
}

}  // namespace jogak::cli
