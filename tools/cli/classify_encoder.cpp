// jogak eval of encoders: classes or masked words, and what each layer's arithmetic costs.
#include <iostream>
#include <optional>

#include "classify.hpp"
#include "encoder.hpp"

namespace jogak::cli {
namespace {

template <class... Values>
std::string form(const char* format, Values... values) {
  char text[240];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

using Results = std::vector<eval::EncoderQuality>;

void print_layers(const Results& results) {
  std::cout << "\nerror of the rows behind each layer (relative root mean square), and what the layer adds\n" << form("%-15s", "");
  for (const auto& r : results)
    if (!r.layers.empty()) std::cout << form("%20s", r.format.c_str());
  std::cout << "\n";
  for (std::size_t l = 0; l < results.back().layers.size(); ++l) {
    std::cout << form("%-15s", results.back().layers[l].name.c_str());
    for (const auto& r : results)
      if (!r.layers.empty()) std::cout << form("%11.5f +%.5f", r.layers[l].error, r.layers[l].added);
    std::cout << "\n";
  }
  std::cout << form("%-15s", "worst layer");
  for (const auto& r : results)
    if (!r.layers.empty()) std::cout << form("%20s", eval::worst(r.layers)->name.c_str());
  std::cout << "\n";
}

void print(const Results& results, std::int64_t examples, bool logits, const EncoderArguments& a) {
  std::cout << examples << " examples, " << a.options.config << " on " << a.files.on << "\n\n"
            << form("%-8s %8s %14s %18s\n", "format", "top-1", logits ? "fp32's best" : "", "error of result");
  for (const auto& r : results)
    std::cout << form("%-8s %8s %14s %18.6f\n", r.format.c_str(), r.judged > 0 ? form("%.2f%%", 100 * r.right).c_str() : "-", logits ? form("%.2f%%", 100 * r.same).c_str() : "-", r.error);
  if (!results.back().layers.empty()) print_layers(results);
}

nlohmann::ordered_json json(const Results& results, std::int64_t examples, bool logits) {
  nlohmann::ordered_json j = {{"examples", examples}};
  for (const auto& r : results) {
    nlohmann::ordered_json f = {{"format", r.format}, {"error", r.error}};
    if (r.judged > 0) f["top1"] = r.right, f["judged"] = r.judged;
    if (logits) f["same_best"] = r.same;
    for (const auto& l : r.layers) f["layers"].push_back({{"name", l.name}, {"error", l.error}, {"added", l.added}});
    if (!r.layers.empty()) f["worst_layer"] = eval::worst(r.layers)->name;
    j["formats"].push_back(f);
  }
  return j;
}

}  // namespace

void classify_encoder(const std::string& model, const std::string& tower, const std::string& pooling, const HiddenText& text, const std::vector<std::string>& formats, const CompileOptions& options, const ClassifyArguments& c,
                      const MixedArguments& m, bool as_json) {
  const auto read = reader(model, tower, pooling, options);
  const encoder::Encoder e = read({});
  const bool logits = eval::has_logits(e);
  if (c.labels.empty() == text.file.empty()) throw Error("eval", "--labels and --text", c.labels.empty() ? "neither" : "both", "labelled examples (.npz with x and y, .csv), or a text to hide words in");
  const auto examples = [&] {
    if (!text.file.empty()) return eval::text_examples(e, read_text(text.file), text.lines, c.examples);
    if (logits) return eval::read_labelled(c.labels, c.scale, c.offset, c.examples);
    return eval::read_examples(c.labels, {eval::input_name(e)}, eval::example_shape(e), c.scale, c.offset, c.examples);  // there are no classes
  };
  const eval::Labelled data = examples();
  MixedArguments arguments = m;
  arguments.scale = c.scale, arguments.offset = c.offset;
  const std::optional<eval::Mixed> mixed = mix(read, arguments, options);
  std::vector<eval::NamedFormats> all;
  for (const std::string& f : formats) all.push_back({f, eval::with_rules(ir::format_named(f), options.format_of)});
  if (mixed) all.push_back({"mixed", eval::with_rules(ir::Format::int8, passes::format_rules(mixed->choices, mixed->picked))});
  const Results results = eval::evaluate_encoder(read, data, all, {c.options.config, c.options.on, c.options.layer_examples});
  nlohmann::ordered_json j = json(results, data.size(), logits);
  if (mixed) j["mixed"] = json(*mixed, !logits);
  if (as_json) {
    std::cout << j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return;
  }
  EncoderArguments a;
  a.options = options, a.files.on = c.options.on;
  print(results, data.size(), logits, a);
  if (mixed) std::cout << table(*mixed, !logits);
}

}  // namespace jogak::cli
