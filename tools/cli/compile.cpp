// jogak compile: a model file becomes a program file.
#include <iostream>
#include <optional>

#include "board.hpp"
#include "cli.hpp"
#include "encoder.hpp"
#include "import/gguf.hpp"
#include "import/hf.hpp"
#include "measure.hpp"
#include "memory_plan.hpp"
#include "mixed.hpp"
#include "passes/two_of_four.hpp"
#include "onnx.hpp"

namespace jogak::cli {
namespace {

struct Arguments {
  std::string model, out, package;
  CompileOptions options;
  OnnxArguments onnx;
  std::string tower, pooling;
  MixedArguments mixed;
  bool explain = false, json = false, passes = false, plan_only = false;
  int measure = 0;  // rows of the launch; 0: none
};

std::uint64_t bytes_of_segments(const Program& p) {
  std::uint64_t bytes = 0;
  for (const Segment& s : p.segments) bytes += s.size();
  return bytes;
}

// The passes there are; with the seconds of a compilation, where there was one.
nlohmann::json passes_json(const std::vector<PassTime>& times) {
  nlohmann::json list = nlohmann::json::array();
  for (const PassInfo& p : compiler_passes()) {
    nlohmann::json j = {{"name", p.name}, {"optional", p.optional}, {"summary", p.summary}};
    for (const PassTime& t : times)
      if (t.name == p.name) j["seconds"] = t.seconds;
    list.push_back(j);
  }
  return list;
}

void list_passes(const std::vector<PassTime>& times) {
  for (const nlohmann::json& p : passes_json(times)) {
    char line[200], time[20] = "";
    if (p.contains("seconds")) std::snprintf(time, sizeof time, "%8.3f s  ", p["seconds"].get<double>());
    else if (!times.empty()) std::snprintf(time, sizeof time, "%10s  ", "left out");
    std::snprintf(line, sizeof line, "  pass %-14s %s%-10s%s\n", p["name"].get<std::string>().c_str(), time,
                  p["optional"].get<bool>() ? "optional" : "", p["summary"].get<std::string>().c_str());
    std::cout << line;
  }
}

void report_json(const Arguments& a, const Compiled& c, std::size_t file_bytes, const std::optional<Measurement>& measured, const std::optional<eval::Mixed>& mixed) {
  const auto abi = nlohmann::json::parse(c.program.abi);
  nlohmann::json j = {{"model", a.model}, {"program", a.out}, {"config", c.program.config}, {"instructions", c.program.code.size()},
                      {"code_bytes", c.program.code.size() * sizeof(spec::Insn)}, {"weight_bytes", bytes_of_segments(c.program)},
                      {"file_bytes", file_bytes}, {"context", abi.at("context")}, {"rows", abi.at("rows")}, {"passes", passes_json(c.passes)},
                      {"explanation", c.explanation}};
  if (measured) j["measured"] = measured->json();
  if (mixed) j["mixed"] = json(*mixed);
  std::cout << j.dump() << "\n";
}

void report(const Arguments& a, const Compiled& c, std::size_t file_bytes, const std::optional<Measurement>& measured) {
  const auto abi = nlohmann::json::parse(c.program.abi);
  std::cout << (a.out.empty() ? a.model + " (not written)" : a.out) << ": " << c.program.code.size() << " instructions ("
            << c.program.code.size() * sizeof(spec::Insn) << " bytes), " << bytes_of_segments(c.program) << " bytes of weights, " << file_bytes << " bytes in all; " << c.program.config << ", context "
            << abi.at("context") << ", " << abi.at("rows") << " rows a launch\n";
  if (a.explain) std::cout << c.explanation;
  if (a.explain || a.passes) list_passes(c.passes);
  if (measured) std::cout << measured->text();
}

// The plan of a shape: nothing but config.json is read.
void plan(const Arguments& a) {
  const MemoryPlan p = plan_memory(import::read_hf_shape(a.model), a.options);
  if (!a.json) {
    std::cout << p.text();
    return;
  }
  nlohmann::json j = {{"model", p.model}, {"config", p.config}, {"context", p.context}, {"rows", p.rows}, {"windows", p.windows}, {"bytes", p.bytes()}};
  for (const MemoryRegion& r : p.regions) j["regions"].push_back({{"name", r.name}, {"window", r.window}, {"offset", r.offset}, {"bytes", r.bytes}});
  std::cout << j.dump() << "\n";
}

void run(const Arguments& a) {
  if (a.model.empty()) {
    if (a.json) std::cout << passes_json({}).dump() << "\n";
    else list_passes({});
    return;
  }
  ir::Graph graph = import::read_model(a.model);
  if (a.onnx.prune == "2:4") passes::prune_two_of_four(graph);
  else if (!a.onnx.prune.empty()) throw Error("jogak", "--prune", a.onnx.prune, "2:4");
  CompileOptions options = a.options;
  const std::optional<eval::Mixed> mixed = mix(graph, a.mixed, a.options);
  if (mixed)
    for (const std::string& rule : passes::format_rules(mixed->choices, mixed->picked)) options.format_of.push_back(rule);
  const Compiled c = compile(std::move(graph), options);
  const std::size_t bytes = file_bytes(c.program);
  std::optional<Measurement> measured;
  if (a.measure > 0) measured = measure(c, a.measure);
  if (!a.out.empty()) write_program(c.program, a.out);
  if (a.json) report_json(a, c, bytes, measured, mixed);
  else report(a, c, bytes, measured);
  if (mixed && !a.json) std::cout << table(*mixed);
}

}  // namespace

void add_compile(CLI::App& app, int&) {
  auto* command = app.add_subcommand("compile", "Model (GGUF, llama2.c, ONNX, Hugging Face folder) to program file");
  const auto a = std::make_shared<Arguments>();
  command->add_option("model", a->model, "Model file: .gguf, .onnx, or llama2.c's .bin with its tokenizer beside it; or a folder with config.json and safetensors");
  command->add_option("-o,--output", a->out, "Program file (.jgk); may be left out with --passes, --explain and --measure");
  add_compile_options(*command, a->options);
  command->add_option("--package", a->package, "A package's file: dies and links by which the program's dies are placed, configuration and number of dies (docs/packages.md)")->check(CLI::ExistingFile);
  add_mixed_options(*command, a->mixed);
  add_value_options(*command, a->mixed.scale, a->mixed.offset);
  command->add_flag("--passes", a->passes, "List the passes; with a model, the time each took");
  command->add_flag("--explain", a->explain, "Say what bounds each part, and how long each pass took");
  command->add_flag("--plan-only", a->plan_only, "Only say where everything would lie in DRAM; the model is a config.json or a folder with one, no weights are needed");
  command->add_option("--measure", a->measure, "Run one launch of ROWS tokens on the RTL: its cycles beside the bounds, and what held it up")
      ->check(CLI::Range(1, 1 << 16))->type_name("ROWS");
  command->add_flag("--json", a->json, "One JSON object instead of text");
  add_onnx_options(*command, a->onnx);
  add_encoder_options(*command, a->tower, a->pooling, a->options);
  command->callback([a, command] {
    take_package(a->options, a->package, given_by(*command));
    need_several_dies("compile", a->package, static_cast<std::size_t>(a->options.dies));
    if (is_encoder_model(a->model)) {
      a->onnx.model = a->model, a->onnx.program = a->out;
      return compile_encoder({.files = a->onnx, .options = a->options, .tower = a->tower, .mixed = a->mixed, .pooling = a->pooling});
    }
    if (is_onnx(a->model)) {
      a->onnx.program = a->out;
      return compile_onnx(with_model(a->onnx, a->model, a->options, command->count("--format") != 0), a->mixed);
    }
    if (a->model.empty() && !a->passes) throw CLI::RequiredError("model");
    if (a->plan_only) return plan(*a);
    if (a->out.empty() && !a->passes && !a->explain && a->measure == 0) throw CLI::RequiredError("--output");
    run(*a);
  });
}

}  // namespace jogak::cli
