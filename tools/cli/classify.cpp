#include "classify.hpp"

#include <iostream>
#include <optional>

#include "tools/eval/tensors.hpp"

namespace jogak::cli {
namespace {

template <class... Values>
std::string form(const char* format, Values... values) {
  char text[240];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

void print(const std::vector<eval::Classified>& results, std::int64_t examples, const ClassifyArguments& a) {
  std::cout << examples << " examples, " << a.options.config << " on " << a.options.on << "\n\n"
            << form("%-8s %8s %14s %18s   %s\n", "format", "top-1", "fp32's class", "error of logits", "worst product, alone in the format");
  for (const eval::Classified& r : results) {
    std::cout << form("%-8s %7.2f%% %13.2f%% %18.6f", r.format.c_str(), 100 * r.top1, 100 * r.same, r.error);
    if (!r.layers.empty()) std::cout << "   " << r.layers.front().name << form(" (%.6f)", r.layers.front().error);
    std::cout << "\n";
  }
}

nlohmann::ordered_json json(const std::vector<eval::Classified>& results, std::int64_t examples) {
  nlohmann::ordered_json j = {{"examples", examples}};
  for (const eval::Classified& r : results) {
    nlohmann::ordered_json f = {{"format", r.format}, {"top1", r.top1}, {"same_class", r.same}, {"error", r.error}};
    for (const eval::LayerNoise& l : r.layers) f["products"].push_back({{"name", l.name}, {"error", l.error}});
    if (!r.layers.empty()) f["worst_product"] = r.layers.front().name;
    j["formats"].push_back(f);
  }
  return j;
}

}  // namespace

void add_classify_options(CLI::App& command, ClassifyArguments& a) {
  command.add_option("--labels", a.labels, "ONNX and encoders: labelled examples: .csv (numbers, the class last) or .npz (x, y)")->type_name("FILE");
  add_value_options(command, a.scale, a.offset);
  command.add_option("--examples", a.examples, "Most examples (0: all)")->check(CLI::NonNegativeNumber)->capture_default_str();
  command.add_option("--batch", a.options.batch, "ONNX: examples of a launch, where the model leaves it open")->check(CLI::Range(1, 4096))->capture_default_str();
  command.add_option("--layer-examples", a.options.layer_examples, "Examples for the error of each product alone (ONNX), of the rows behind each layer (encoders); 0: none of that")
      ->check(CLI::NonNegativeNumber)->capture_default_str();
}

void classify(const std::string& model, const std::vector<std::string>& formats, const ClassifyArguments& a, const MixedArguments& m, bool as_json) {
  if (a.labels.empty()) throw Error("eval", "--labels", "none", "a file of labelled examples for an ONNX model");
  const eval::Labelled data = eval::read_labelled(a.labels, a.scale, a.offset, a.examples);
  std::optional<eval::Mixed> mixed;
  if (asked(m)) {
    const tensor::Graph graph = eval::graph_of(model, a.options);
    auto shape = graph.shape(graph.inputs().at(0).value);
    shape.erase(shape.begin());
    mixed = eval::mix_tensors(graph, eval::read_examples(m.text, {graph.inputs()[0].name}, shape, a.scale, a.offset, m.examples), budget(m, eval::int8_bytes(graph), true), progress());
  }
  const auto results = eval::classify(model, data, formats, a.options, mixed ? &*mixed : nullptr);
  nlohmann::ordered_json j = json(results, data.size());
  if (mixed) j["mixed"] = json(*mixed, true);
  if (as_json) std::cout << j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  else print(results, data.size(), a);
  if (mixed && !as_json) std::cout << table(*mixed, true);
}

}  // namespace jogak::cli
