// lora: what a place for adapters costs a decoder while there is none, and what one costs.
#include <algorithm>

#include "adapter.hpp"
#include "common.hpp"
#include "import/adapter_writer.hpp"
#include "import/synthetic.hpp"

namespace jogak::bench {
namespace {

constexpr int kRank = 8, kPosition = 32;

// Cycles of a launch of `rows` tokens at kPosition.
double cycles(Session& s, int rows) {
  std::vector<int> ids;
  for (int i = 0; i < kPosition + rows; ++i) ids.push_back(1 + i * 53 % (s.model().vocab - 1));
  s.reset();
  s.limit_rows(s.model().rows);
  (void)s.feed(std::span(ids).first(kPosition));
  (void)s.feed(std::span(ids).subspan(kPosition));
  return static_cast<double>(s.steps().back().record[spec::Counter::cycles]);
}

void decoder(const std::string& name, const import::LlamaHyper& h, const std::string& format, const Options& o, Report& report) {
  const std::string config = value_or(o.config, "edge"), on = value_or(o.on, "cycle");
  const ir::Graph graph = import::synthetic_llama(h, 1);
  const auto program = [&](int rank) { return compile(graph, {.config = config, .format = format, .lora = rank}).program; };
  const Program takes = program(kRank);
  const import::AdapterFolder folder(import::random_adapter(h, kRank, {0, 1, 2, 3, 4, 5, 6}, 1, 0.1f), import::adapter_config(kRank, kRank));
  const auto image = pack_adapter(takes, folder.path);
  Session plain(program(0), on), session(takes, on);
  for (const int rows : {1, 16}) {
    const double without = cycles(plain, rows);
    const std::string what = name + ", " + format + ", " + std::to_string(rows) + (rows == 1 ? " token" : " tokens") + " at position 32";
    report.add({.case_name = what, .config = config, .on = on, .value = without, .unit = "cycles"});
    session.drop_adapter();
    report.add({.case_name = what + ", a place for adapters, none loaded", .config = config, .on = on, .value = cycles(session, rows) / without, .unit = "of that", .bar = 1.01, .less = true});
    session.load_adapter(image);
    report.add({.case_name = what + ", one of rank 8 on all seven projections", .config = config, .on = on, .value = cycles(session, rows) / without, .unit = "of that"});
  }
  report.add({.case_name = name + ", bytes written to change adapters", .config = config, .on = on, .value = static_cast<double>(image.size()), .unit = "bytes"});
}

void run(const Options& o, Report& report) {
  decoder("decoder of 42 M (8 layers, width 512)", {.layers = 8, .width = 512, .heads = 8, .kv_heads = 8, .ffn = 1376, .context = 256, .vocab = 32000}, value_or(o.format, "int8"), o, report);
  // In int8 it has more kinds of layers than edge's instruction memory takes beside adapters.
  decoder("decoder of 15 M (6 layers, width 288)", {.layers = 6, .width = 288, .heads = 6, .kv_heads = 6, .ffn = 768, .context = 256, .vocab = 32000}, "mxfp4", o, report);
}

const Register registered{"lora", "cycles of a decoder with a place for LoRA adapters, empty and taken", run};

}  // namespace
}  // namespace jogak::bench
