// Instructions of compiled models, and how long compiling takes.
#include <chrono>

#include "common.hpp"
#include "import/synthetic.hpp"

namespace jogak::bench {
namespace {

void measure(const std::string& name, ir::Graph graph, const CompileOptions& options, Report& report) {
  const auto start = std::chrono::steady_clock::now();
  const Compiled c = compile(std::move(graph), options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double limit = spec::find_config(options.config.c_str())->imem_words;
  report.add({.case_name = name, .config = options.config, .value = static_cast<double>(c.program.code.size()), .unit = "instructions", .bar = limit, .less = true});
  report.add({.case_name = name, .config = options.config, .value = static_cast<double>(c.program.code.size() * sizeof(spec::Insn)) / 1024, .unit = "KiB of code"});
  report.add({.case_name = name, .config = options.config, .value = seconds, .unit = "s to compile", .less = true});
}

void run(const Options& o, Report& report) {
  const CompileOptions options{.config = value_or(o.config, "edge"), .format = value_or(o.format, "int8")};
  if (!o.model.empty()) return measure(o.model, import::read_model(o.model), options, report);
  if (const auto own = own_model("jogak-stories.gguf"); std::filesystem::exists(own)) measure("jogak-stories", import::read_model(own), options, report);
  else report.skip("no " + own.string());
  const import::LlamaHyper small{.layers = 6, .width = 288, .heads = 6, .kv_heads = 6, .ffn = 768, .context = 256, .vocab = 32000};
  measure("6 layers, width 288, vocabulary 32000", import::synthetic_llama(small, o.seed), options, report);
}

const Register registered{"program-size", "instructions and kilobytes of compiled models", run};

}  // namespace
}  // namespace jogak::bench
