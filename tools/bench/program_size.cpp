// Instructions of compiled models, and how long compiling takes; layers of a kind share their code.
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
  report.add({.case_name = name, .config = options.config, .value = static_cast<double>(c.program.code.size() * sizeof(spec::Insn)) / 1024, .unit = "KiB of code",
              .bar = 32, .less = true});
  report.add({.case_name = name, .config = options.config, .value = seconds, .unit = "s to compile", .less = true});
}

double code_bytes(import::LlamaHyper h, int layers, const CompileOptions& options) {
  h.layers = layers;
  return static_cast<double>(compile(import::synthetic_llama(h, 1), options).program.code.size() * sizeof(spec::Insn));
}

// Code does not grow with equal layers, and little with kinds of layers that alternate.
void growth(const CompileOptions& base, Report& report) {
  const import::LlamaHyper shape{.width = 128, .heads = 4, .kv_heads = 2, .ffn = 224, .context = 128, .vocab = 512};
  CompileOptions int8 = base, mxfp4 = base, mixed = base;
  int8.format = "int8", mxfp4.format = "mxfp4";
  for (int i = 1; i < 6; i += 2) mixed.format_of.push_back("blk." + std::to_string(i) + ".=mxfp4");
  const double six = code_bytes(shape, 6, int8);
  report.add({.case_name = "32 equal layers against 6", .config = base.config, .value = code_bytes(shape, 32, int8) - six, .unit = "bytes more", .bar = 0, .less = true});
  report.add({.case_name = "int8 and MXFP4 layers in turn", .config = base.config, .value = code_bytes(shape, 6, mixed), .unit = "bytes of code",
              .bar = six + code_bytes(shape, 6, mxfp4) + 4096, .less = true});
}

void run(const Options& o, Report& report) {
  const CompileOptions options{.config = value_or(o.config, "edge"), .format = value_or(o.format, "int8")};
  if (!o.model.empty()) return measure(o.model, import::read_model(o.model), options, report);
  if (const auto own = own_model("jogak-stories.gguf"); std::filesystem::exists(own)) measure("jogak-stories", import::read_model(own), options, report);
  else report.skip("no " + own.string());
  const import::LlamaHyper small{.layers = 6, .width = 288, .heads = 6, .kv_heads = 6, .ffn = 768, .context = 256, .vocab = 32000};
  growth(options, report);
  measure("6 layers, width 288, vocabulary 32000", import::synthetic_llama(small, o.seed), options, report);
}

const Register registered{"program-size", "instructions and kilobytes of compiled models", run};

}  // namespace
}  // namespace jogak::bench
