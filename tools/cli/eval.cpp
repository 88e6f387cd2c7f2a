// jogak eval: what a machine's arithmetic costs a model in quality, format by format and layer by layer.
#include "tools/eval/evaluate.hpp"

#include <iostream>

#include "classify.hpp"
#include "cli.hpp"
#include "encoder.hpp"
#include "import/gguf.hpp"
#include "mixed.hpp"
#include "onnx.hpp"

namespace jogak::cli {
namespace {

struct Arguments {
  std::string model, text, tower, pooling, on = "model";
  std::vector<std::string> formats;
  CompileOptions options;
  MixedArguments mixed;
  ClassifyArguments classify;
  int tokens = 0, layer_tokens = 256;
  bool lines = false, json = false;
};

// One format's results.
struct Result {
  std::string format;
  eval::Quality quality;
  std::vector<eval::LayerError> layers;
};

template <class... Values>
std::string form(const char* format, Values... values) {
  char text[200];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

void print_layers(const std::vector<Result>& results) {
  std::cout << "\nerror of the residual stream behind each layer (relative root mean square, normalised stream), and what the layer adds\n" << form("%-15s", "");
  for (const Result& r : results) std::cout << form("%20s", r.format.c_str());
  std::cout << "\n";
  for (std::size_t i = 0; i < results.front().layers.size(); ++i) {
    std::cout << form("%-15s", results.front().layers[i].name.c_str());
    for (const Result& r : results) {
      const eval::LayerError& e = r.layers[i];
      std::cout << form("%11.5f", e.error) << (e.layer < 0 ? form("%9s", "") : form(" +%.5f", e.added));
    }
    std::cout << "\n";
  }
  std::cout << form("%-15s", "worst layer");
  for (const Result& r : results) std::cout << form("%20s", eval::worst(r.layers)->name.c_str());
  std::cout << "\n";
}

void print(const Arguments& a, const eval::Comparison& c, const std::vector<Result>& results) {
  std::cout << c.tokens << " tokens predicted, " << a.options.config << " on " << a.on << "\n\n"
            << form("%-10s %12s %13s %18s %14s\n", "format", "perplexity", "against fp32", "same best token", "KL divergence")
            << form("%-10s %12.5f\n", "fp32", c.exact.perplexity);
  for (const Result& r : results)
    std::cout << form("%-10s %12.5f %+11.3f %% %16.2f %% %14.6f\n", r.format.c_str(), r.quality.perplexity, 100 * (r.quality.perplexity / c.exact.perplexity - 1),
                      100 * r.quality.same_best, r.quality.divergence);
  if (!results.front().layers.empty()) print_layers(results);
}

nlohmann::ordered_json json(const Arguments& a, const eval::Comparison& c, const std::vector<Result>& results) {
  nlohmann::ordered_json j = {{"model", a.model}, {"text", a.text}, {"config", a.options.config}, {"on", a.on}, {"tokens", c.tokens},
                              {"fp32", {{"perplexity", c.exact.perplexity}}}};
  for (const Result& r : results) {
    nlohmann::ordered_json f = {{"format", r.format}, {"perplexity", r.quality.perplexity}, {"against_fp32", r.quality.perplexity / c.exact.perplexity - 1},
                                {"same_best", r.quality.same_best}, {"divergence", r.quality.divergence}};
    for (const eval::LayerError& e : r.layers) f["layers"].push_back({{"name", e.name}, {"error", e.error}, {"added", e.added}});
    if (!r.layers.empty()) f["worst_layer"] = eval::worst(r.layers)->name;
    j["formats"].push_back(f);
  }
  return j;
}

void evaluate(const Arguments& a) {
  const std::string text = read_text(a.text);
  const ir::Graph graph = import::read_model(a.model);
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<Session*> machines;
  const std::optional<eval::Mixed> mixed = mix(graph, a.mixed, a.options);
  std::vector<std::string> formats = a.formats;
  if (mixed) formats.push_back("mixed");
  const auto options_of = [&](const std::string& format) {
    CompileOptions options = a.options;
    if (format != "mixed") options.format = format;
    else
      for (const std::string& rule : passes::format_rules(mixed->choices, mixed->picked)) options.format_of.push_back(rule);
    return options;
  };
  for (const std::string& format : formats) {
    const CompileOptions options = options_of(format);
    sessions.push_back(std::make_unique<Session>(compile(graph, options).program, a.on));
    machines.push_back(sessions.back().get());
  }
  const auto cut = [&](int most) { return eval::cut(text, sessions.front()->tokenizer(), sessions.front()->model().context, a.lines, most); };
  const eval::Comparison c = eval::compare(graph, machines, cut(a.tokens));
  std::vector<Result> results;
  for (std::size_t i = 0; i < formats.size(); ++i) {
    results.push_back({formats[i], c.machines[i], {}});
    if (a.layer_tokens > 0) results.back().layers = eval::layer_errors(graph, options_of(formats[i]), a.on, cut(a.layer_tokens));
  }
  nlohmann::ordered_json j = json(a, c, results);
  if (mixed) j["mixed"] = cli::json(*mixed);
  if (a.json) std::cout << j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  else {
    print(a, c, results);
    if (mixed) std::cout << table(*mixed);
  }
}

std::vector<std::string> formats_of_all() {
  std::vector<std::string> all = weight_formats();
  all.push_back("exact");  // ONNX only
  return all;
}

}  // namespace

void add_eval(CLI::App& app, int&) {
  auto* command = app.add_subcommand("eval", "Quality in the machine's arithmetic against fp32: perplexity or top-1, and the error of each layer");
  const auto a = std::make_shared<Arguments>();
  command->add_option("model", a->model, "Model file (.gguf, llama2.c's .bin, .onnx) or folder")->required();
  command->add_option("--text", a->text, "Text file to predict (decoders)");
  command->add_flag("--lines", a->lines, "Each line is a text by itself (otherwise the file is cut into windows of the context)");
  command->add_option("--tokens", a->tokens, "Most tokens to predict (0: all)")->check(CLI::NonNegativeNumber)->capture_default_str();
  command->add_option("--layer-tokens", a->layer_tokens, "Tokens for the errors of layers (0: none of that)")->check(CLI::NonNegativeNumber)->capture_default_str();
  command->add_option("--formats", a->formats, "FORMAT[,FORMAT]: weight formats to compare (default: the one of --format)")->delimiter(',')
      ->check(CLI::IsMember(formats_of_all()));
  command->add_option("--on", a->on, "Backend")->capture_default_str();
  add_compile_options(*command, a->options);
  add_mixed_options(*command, a->mixed);
  add_classify_options(*command, a->classify);
  add_encoder_options(*command, a->tower, a->pooling, a->options);
  command->add_flag("--json", a->json, "One JSON object instead of text");
  command->callback([a] {
    a->classify.options.config = a->options.config, a->classify.options.on = a->on;
    if (is_onnx(a->model))
      return classify(a->model, a->formats.empty() ? std::vector<std::string>{"exact", "int8", "mxint8", "mxfp4"} : a->formats, a->classify, a->mixed, a->json);
    if (is_encoder_model(a->model))
      return classify_encoder(a->model, a->tower, a->pooling, {a->text, a->lines}, a->formats.empty() ? weight_formats() : a->formats, a->options, a->classify, a->mixed, a->json);
    if (a->text.empty()) throw CLI::RequiredError("--text");
    if (a->formats.empty()) a->formats = {a->options.format};
    evaluate(*a);
  });
}

}  // namespace jogak::cli
