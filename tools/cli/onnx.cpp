#include "onnx.hpp"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "error.hpp"
#include "onnx/execute.hpp"
#include "onnx/npy.hpp"
#include "tensor/lower.hpp"
#include "tensor_session.hpp"
#include "tools/eval/tensors.hpp"

namespace jogak::cli {

namespace {

using onnx::Array;
using onnx::Arrays;

// NAME=VALUE; the name may be missing.
std::pair<std::string, std::string> split(const std::string& text) {
  const auto at = text.find('=');
  if (at == std::string::npos) return {"", text};
  return {text.substr(0, at), text.substr(at + 1)};
}

// Members of archives may carry a prefix that says which side they are of ("in:x", "out:y").
Arrays read_all(const std::vector<std::string>& words, const std::string& prefix, const std::string& other) {
  Arrays arrays;
  for (const std::string& word : words) {
    const auto [name, file] = split(word);
    for (auto& [member, array] : onnx::read_arrays(file)) {
      if (member.rfind(other, 0) == 0) continue;
      const std::string plain = member.rfind(prefix, 0) == 0 ? member.substr(prefix.size()) : member;
      arrays[name.empty() ? plain : name] = array;
    }
  }
  return arrays;
}

std::int64_t size_of(const std::string& name, const std::string& text) {
  if (name.empty() || text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
    throw Error("jogak", "--size", name + "=" + text, "NAME=SIZE");
  return std::stoll(text);
}

// Sizes that nobody gave follow from the inputs.
void sizes_from(const onnx::Model& model, const Arrays& inputs, onnx::ImportOptions& options) {
  for (const onnx::Port& port : model.graph.inputs) {
    const auto given = inputs.find(port.name);
    if (given == inputs.end()) continue;
    options.shapes[port.name] = given->second.shape;
    for (std::size_t i = 0; i < port.shape.size() && i < given->second.shape.size(); ++i)
      if (port.shape[i].value < 0) options.sizes.emplace(port.shape[i].name, given->second.shape[i]);
  }
}

onnx::Imported import(const OnnxArguments& a, const Arrays& inputs) {
  const onnx::Model model = onnx::read_model(a.model);
  onnx::ImportOptions options;
  for (const std::string& word : a.sizes) {
    const auto [name, text] = split(word);
    options.sizes[name] = size_of(name, text);
  }
  for (auto& [name, array] : read_all(a.bind, "in:", "out:")) options.values[name] = std::make_shared<Array>(array);
  sizes_from(model, inputs, options);
  onnx::Imported imported = onnx::import_model(model, options);
  if (a.format == "int8") imported.graph.set_precision(tensor::Precision::int8);
  else if (a.format == "mxfp4") imported.graph.set_precision(tensor::Precision::mxfp4);
  else if (a.format == "mxint8") imported.graph.set_precision(tensor::Precision::mxint8);
  else if (a.format != "exact") throw Error("jogak", "--format", a.format, "int8, mxfp4 or mxint8");
  if (a.prune == "2:4") tensor::prune_two_of_four(imported.graph);
  else if (!a.prune.empty()) throw Error("jogak", "--prune", a.prune, "2:4");
  return imported;
}

struct Difference {
  double worst = 0, root_mean = 0;  // |found - expected|: largest share of the tolerance; relative to the expected values
  bool same_form = true;
};

Difference difference(const Array& found, const Array& expected, const OnnxArguments& a) {
  Difference d;
  if (found.shape != expected.shape) return {HUGE_VAL, HUGE_VAL, false};
  const auto x = found.values(), y = expected.values();
  double off = 0, whole = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    const double e = std::fabs(x[i] - y[i]), share = e / (a.atol + a.rtol * std::fabs(y[i]));
    d.worst = std::isnan(share) ? HUGE_VAL : std::max(d.worst, share);
    off += e * e;
  }
  for (const double v : y) whole += v * v;
  d.root_mean = off == 0 ? 0 : std::sqrt(off / std::max(whole, 1e-300));
  return d;
}

int compare(const OnnxArguments& a, const Arrays& found, nlohmann::json& report) {
  int status = 0;
  for (const auto& [name, expected] : read_all(a.compare, "out:", "in:")) {
    const auto result = found.find(name);
    if (result == found.end()) throw Error("jogak", "--compare", name, "the name of an output");
    const Difference d = difference(result->second, expected, a);
    if (!(d.worst <= 1)) status = 1;
    report["compare"][name] = {{"worst", d.worst}, {"relative", d.root_mean}, {"good", d.worst <= 1}};
    if (!a.json)
      std::cout << name << ": " << (d.worst <= 1 ? "agrees" : d.same_form ? "DIFFERS" : "HAS ANOTHER SHAPE") << ", relative error "
                << d.root_mean << ", largest " << d.worst << " of the tolerance\n";
  }
  return status;
}

std::string file_name(const std::string& port) {
  std::string name;
  for (const char c : port) name += std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.' ? c : '_';
  return name.empty() || name[0] == '.' ? "_" + name : name;
}

}  // namespace

Arrays read_inputs(const OnnxArguments& a) { return read_all(a.inputs, "in:", "out:"); }

int give_outputs(const OnnxArguments& a, const Arrays& found, nlohmann::json& report) {
  for (const auto& [name, array] : found) {
    report["outputs"][name] = array.shape;
    if (!a.output.empty()) {
      std::filesystem::create_directories(a.output);
      onnx::write_npy(std::filesystem::path(a.output) / (file_name(name) + ".npy"), array);
    } else if (!a.json && a.compare.empty()) {
      std::cout << name << " " << onnx::to_string(array.shape) << "\n";
    }
  }
  const int status = compare(a, found, report);
  if (a.json) std::cout << report.dump() << "\n";
  return status;
}

bool is_onnx(const std::string& path) { return std::filesystem::path(path).extension() == ".onnx"; }

void add_onnx_options(CLI::App& command, OnnxArguments& a) {
  command.add_option("--size", a.sizes, "ONNX: NAME=SIZE of a dimension that has a name");
  command.add_option("--input", a.inputs, "ONNX: NAME=FILE.npy, FILE.npy or FILE.npz; sizes follow from them");
  command.add_option("--bind", a.bind, "ONNX: inputs that become constants, as --input");
  command.add_option("--prune", a.prune, "2:4 keeps the two largest of each four weights (ONNX, decoders)");
  command.add_flag("--dense", a.dense, "ONNX: 2:4 sparse weights are multiplied as others are");
}

OnnxArguments with_model(OnnxArguments a, const std::string& model, const CompileOptions& options, bool format_given) {
  if (options.merge_tokens > 0) throw Error("compile", "rows to merge (--merge-tokens)", std::to_string(options.merge_tokens) + " of a graph", "0: encoders in folders alone merge");
  if (options.dies > 1) throw Error("compile", "dies of a graph", std::to_string(options.dies), "1: decoders alone run on packages");
  a.model = model;
  a.config = options.config;
  if (format_given) a.format = options.format == "int8c" ? "int8" : options.format;
  return a;
}

void compile_onnx(const OnnxArguments& a, const MixedArguments& m) {
  onnx::Imported model = import(a, read_inputs(a));
  std::optional<eval::Mixed> mixed;
  if (asked(m)) {
    const tensor::Graph& g = model.graph;
    if (g.inputs().empty()) throw Error("calibrate", "inputs of " + a.model, "none", "one");
    auto shape = g.shape(g.inputs()[0].value);
    if (shape.size() > 1) shape.erase(shape.begin());
    mixed = eval::mix_tensors(g, eval::read_examples(m.text, {g.inputs()[0].name}, shape, m.scale, m.offset, m.examples), budget(m, eval::int8_bytes(g), true), progress());
    eval::apply(model.graph, *mixed);
  }
  const Program program = tensor::lower(model.graph, {.config = a.config, .two_of_four = !a.dense});
  if (!a.program.empty()) write_program(program, a.program);
  std::cout << (a.program.empty() ? a.model + " (not written)" : a.program) << ": " << program.code.size() << " instructions, "
            << model.graph.nodes().size() << " tensor operators, " << file_bytes(program) << " bytes; " << program.config << "\n";
  const auto abi = nlohmann::json::parse(program.abi);
  if (abi.contains("two_of_four")) std::cout << "2:4 sparse: " << abi.at("two_of_four") << " weight matrices\n";
  if (abi.contains("sparse")) {
    const auto& s = abi.at("sparse");
    std::cout << "zero blocks: " << s.at("tiles").get<long>() - s.at("kept").get<long>() << " of " << s.at("tiles") << " tiles of " << s.at("matrices")
              << " weight matrices are skipped\n";
  }
  if (mixed) std::cout << table(*mixed, true);
}

int run_onnx(const OnnxArguments& a) {
  const Arrays inputs = read_inputs(a);
  const onnx::Imported model = import(a, inputs);
  nlohmann::json report = {{"model", a.model}, {"config", a.config}, {"on", a.on}, {"format", a.format}};
  const Arrays found = onnx::run(model, inputs, [&](const onnx::Floats& in) {
    TensorSession session(tensor::lower(model.graph, {.config = a.config, .two_of_four = !a.dense}), a.on);
    for (const auto& [name, values] : in) session.set(name, std::span<const float>(values));
    const auto start = std::chrono::steady_clock::now();
    session.run();
    report["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    onnx::Floats out;
    for (const TensorPort& port : session.outputs()) out[port.name] = session.get(port.name);
    return out;
  });
  return give_outputs(a, found, report);
}

}  // namespace jogak::cli
