// scale-batch, scale-lora: one Llama layer (d 2048, feed-forward 8192, 32 heads, 8 KV heads) on 1, 2 and 4 dies, in cycles of the cycle model at
// 1 GHz with links of 64 GB/s: a launch that makes a token of each of eight sequences; a token with a LoRA adapter.
#include <bit>

#include "adapter.hpp"
#include "batch_session.hpp"
#include "common.hpp"
#include "import/adapter_writer.hpp"
#include "import/synthetic.hpp"

namespace jogak::bench {
namespace {

constexpr import::LlamaHyper kLayer{.layers = 1, .width = 2048, .heads = 32, .kv_heads = 8, .ffn = 8192, .context = 256, .vocab = 32};
constexpr int kSequences = 8, kRank = 16;

struct Run {
  double cycles = 0;
  std::vector<float> logits = {};
};

// What one die and several give, and how many logits differ.
template <class One>
void on_dies(const Options& o, Report& report, const std::string& what, One&& run) {
  const std::string config = value_or(o.config, "quad"), on = value_or(o.on, "cycle"), format = value_or(o.format, "int8");
  const CompileOptions options{.config = config, .format = format, .parallel = "tensor"};
  double alone = 0, different = 0;
  std::vector<float> expected;
  for (const int dies : {1, 2, 4}) {
    CompileOptions with = options;
    with.dies = dies;
    const Run r = run(with, on);
    const std::string name = "d 2048, " + format + ", " + what + ", " + std::to_string(dies) + (dies == 1 ? " die" : " dies");
    report.add({.case_name = name, .config = config, .on = on, .value = r.cycles, .unit = "cycles"});
    if (dies == 1) alone = r.cycles, expected = r.logits;
    else report.add({.case_name = name, .config = config, .on = on, .value = alone / r.cycles, .unit = "x one die"});
    for (std::size_t i = 0; i < expected.size(); ++i) different += std::bit_cast<std::uint32_t>(r.logits[i]) != std::bit_cast<std::uint32_t>(expected[i]);
  }
  report.add({.case_name = "logits against one die, " + what, .config = config, .on = on, .value = different, .unit = "differences", .bar = 0, .less = true});
}

void batch(const Options& o, Report& report) {
  const ir::Graph graph = import::synthetic_llama(kLayer, o.seed);
  for (const int sequences : {1, kSequences})
    on_dies(o, report, std::to_string(sequences) + " of 8 sequences a launch", [&](CompileOptions options, const std::string& on) {
      options.sequences = kSequences;
      BatchSession session(compile(graph, options).program, on);
      std::vector<BatchPart> first, next;
      for (int i = 0; i < sequences; ++i) {
        const int s = session.add();
        first.push_back({s, {i}}), next.push_back({s, {3 * i + 1}});
      }
      (void)session.step(first);
      Run r;
      for (const std::vector<float>& row : session.step(next)) r.logits.insert(r.logits.end(), row.begin(), row.end());
      r.cycles = static_cast<double>(session.steps().back().record[spec::Counter::cycles]);
      return r;
    });
}

void lora(const Options& o, Report& report) {
  const ir::Graph graph = import::synthetic_llama(kLayer, o.seed);
  const import::AdapterFolder folder(import::random_adapter(kLayer, kRank, {0, 1, 2, 3, 4, 5, 6}, 1, 0.1f), import::adapter_config(kRank, kRank));
  for (const bool loaded : {false, true})
    on_dies(o, report, loaded ? "a token, an adapter of rank 16 on all seven projections" : "a token, a place for adapters, none loaded", [&](CompileOptions options, const std::string& on) {
      options.lora = kRank;
      const Program program = compile(graph, options).program;
      Session session(program, on);
      if (loaded) session.load_adapter(pack_adapter(program, folder.path));
      const std::vector<int> first = {1, 2, 3, 4}, next = {5};
      (void)session.feed(first);
      const auto logits = session.feed(next);
      return Run{static_cast<double>(session.steps().back().record[spec::Counter::cycles]), {logits.begin(), logits.end()}};
    });
}

const Register in_batch{"scale-batch", "one Llama layer of d 2048 on 2 and 4 dies against one, a token of each of 8 sequences", batch};
const Register in_lora{"scale-lora", "one Llama layer of d 2048 on 2 and 4 dies against one, a token with a LoRA adapter", lora};

}  // namespace
}  // namespace jogak::bench
