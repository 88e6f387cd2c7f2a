#include "mixed.hpp"

#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>

namespace jogak::cli {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw Error("calibrate", "file " + path, "nothing that can be read", "a text file");
  return text.str();
}

std::uint64_t all_int8(const ir::Graph& graph) {
  std::uint64_t bytes = 0;
  for (const ir::Node& n : graph.nodes) {
    if (n.op != ir::Op::linear) continue;
    const auto& shape = graph.tensors[static_cast<std::size_t>(n.weights.at(0))].shape;
    bytes += passes::format_bytes(ir::Format::int8, shape[0], shape[1]);
  }
  return bytes;
}

std::uint64_t bytes_of(const std::string& text, const ir::Graph& graph) {
  std::istringstream in(text);
  double value = 0;
  std::string unit;
  in >> value >> unit;
  const double scale = unit.empty() ? 1 : unit == "K" ? 1e3 : unit == "M" ? 1e6 : unit == "G" ? 1e9 : unit == "%" ? static_cast<double>(all_int8(graph)) / 100 : 0;
  if (!(value * scale >= 1)) throw Error("calibrate", "--budget-bytes", text, "bytes, with K, M, G or % (of int8's) behind them");
  return static_cast<std::uint64_t>(value * scale);
}

template <class... Values>
std::string form(const char* format, Values... values) {
  char text[240];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

const passes::Candidate& picked(const eval::Mixed& m, std::size_t i) { return m.choices[i].candidates[m.picked.picked[i]]; }

}  // namespace

void add_mixed_options(CLI::App& command, MixedArguments& a) {
  command.add_option("--calibrate", a.text, "Text on which formats are measured, matrix by matrix; with one of the budgets")->type_name("FILE");
  command.add_option("--calibrate-tokens", a.tokens, "Most tokens of it")->check(CLI::PositiveNumber)->capture_default_str();
  command.add_flag("--calibrate-lines", a.lines, "Each line of it is a text by itself");
  command.add_option("--budget-bytes", a.bytes, "Of all matrices: a number, with K, M, G, or % of what int8 takes");
  command.add_option("--budget-error", a.error, "Divergence from fp32 on that text, nats a token")->check(CLI::PositiveNumber);
}

std::optional<eval::Mixed> mix(const ir::Graph& graph, const MixedArguments& a, const CompileOptions& options) {
  if (a.text.empty() && a.bytes.empty() && a.error == 0) return std::nullopt;
  if (a.text.empty() || a.bytes.empty() == (a.error == 0))
    throw Error("calibrate", "options", a.text.empty() ? "a budget without a text" : a.bytes.empty() ? "a text without a budget" : "two budgets",
                "--calibrate with one of --budget-bytes and --budget-error");
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
  const bool tell = isatty(STDERR_FILENO) != 0;
  return eval::mix(graph, texts, {a.bytes.empty() ? 0 : bytes_of(a.bytes, graph), a.error}, [&](int done, int all) {
    if (tell) std::cerr << "\rcalibrating: " << done << " of " << all << (done == all ? "\n" : "") << std::flush;
  }, fits);
}

std::string table(const eval::Mixed& m) {
  std::string text = form("\nformats by measured divergence (nats a token, each alone)%s\n%-22s", m.by_layer ? "" : "; the same in every layer, as instruction memory wants it", "matrix");
  for (const ir::Format f : ir::kFormats) text += form("%12s", ir::name(f));
  text += form("   %-8s%14s\n", "chosen", "bytes");
  for (std::size_t i = 0; i < m.choices.size(); ++i) {
    text += form("%-22s", m.choices[i].name.c_str());
    for (const ir::Format f : ir::kFormats) {
      std::string cell = "-";
      for (const auto& c : m.choices[i].candidates)
        if (c.format == f) cell = form("%.7f", c.error);
      text += form("%12s", cell.c_str());
    }
    text += form("   %-8s%14llu\n", ir::name(picked(m, i).format), static_cast<unsigned long long>(picked(m, i).bytes));
  }
  return text + form("%-22s divergence %.7f (sum of the single ones %.7f), %llu bytes\n", "all together", m.measured, m.picked.error, static_cast<unsigned long long>(m.picked.bytes));
}

nlohmann::ordered_json json(const eval::Mixed& m) {
  nlohmann::ordered_json j = {{"divergence", m.measured}, {"sum", m.picked.error}, {"bytes", m.picked.bytes}, {"by_layer", m.by_layer}};
  for (std::size_t i = 0; i < m.choices.size(); ++i) {
    nlohmann::ordered_json c = {{"name", m.choices[i].name}, {"format", ir::name(picked(m, i).format)}, {"bytes", picked(m, i).bytes}};
    for (const auto& candidate : m.choices[i].candidates) c["divergence"][ir::name(candidate.format)] = candidate.error;
    j["matrices"].push_back(c);
  }
  return j;
}

}  // namespace jogak::cli
