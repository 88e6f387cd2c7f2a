// What the benchmarks run, once each, on the RTL or the HLS kernel beside the models.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compiler/encoder/synthetic.hpp"
#include "compiler/ir/graph.hpp"
#include "llama.hpp"

namespace jogak::bench {

struct Workload {
  std::string name;
  std::function<Measured()> measure;
};

// Matrix products, decode, prefill, encoder layers, attention over 4096 keys; smaller where the configuration is.
std::vector<Workload> workloads(const spec::Config& config, Pair::On on = Pair::On::rtl);

// size x size x size of random bytes.
std::unique_ptr<Pair> product(const spec::Config& config, int size, ir::Format format, Pair::On on = Pair::On::rtl);
// An encoder of random weights and rows; launch argument: rows.
std::unique_ptr<Pair> encoder_layers(const spec::Config& config, const encoder::Shape& shape, Pair::On on = Pair::On::rtl);

inline const import::LlamaHyper kDecode{.layers = 6, .width = 288, .heads = 6, .kv_heads = 6, .ffn = 768, .context = 256, .vocab = 32000};

}  // namespace jogak::bench
