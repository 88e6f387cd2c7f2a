#include "workloads.hpp"

#include <algorithm>
#include <cstring>

#include "common.hpp"
#include "compiler/encoder/compile.hpp"
#include "compiler/encoder/long_attention_data.hpp"
#include "compiler/schedule/gemm.hpp"

namespace jogak::bench {
namespace {

const import::LlamaHyper kPrefill{.layers = 1, .width = 768, .heads = 12, .kv_heads = 12, .ffn = 2048, .context = 128, .vocab = 32};
constexpr int kPosition = 200, kTokens = 128;

void noise(std::span<std::uint8_t> bytes) {
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
}

Measured decode(const spec::Config& config, const char* format, Pair::On on) {
  LlamaPair llama(kDecode, config.name, format, on);
  for (int at = 0; at < kPosition; at += llama.rows()) llama.advance(at, std::min(llama.rows(), kPosition - at));
  return llama.measure(kPosition, 1);
}

Measured prefill(const spec::Config& config, Pair::On on) {
  LlamaPair llama(kPrefill, config.name, "int8", on);
  return llama.measure(0, std::min(llama.rows(), kTokens));
}

Measured layer(const spec::Config& config, const encoder::Shape& shape, Pair::On on) {
  const auto rows = static_cast<std::uint32_t>(shape.context);
  return encoder_layers(config, shape, on)->measure(std::span(&rows, 1));
}

Measured keys4096(const spec::Config& config, Pair::On on) {
  encoder::LongAttention a{.config = config};
  if (std::string(config.name) != "edge") a.queries = 32, a.chunk = 32, a.head_dim = 32;
  Pair pair(config, encoder::lower_attention(a).program().code(), {a.input_bytes(), a.output_bytes()}, on);
  (void)encoder::fill_attention(a, a.keys, pair.window(0));
  const auto keys = static_cast<std::uint32_t>(a.keys);
  return pair.measure(std::span(&keys, 1));
}

}  // namespace

std::unique_ptr<Pair> product(const spec::Config& config, int size, ir::Format format, Pair::On on) {
  const schedule::Gemm g{.config = config, .m = size, .n = size, .k = size, .format = format};
  auto pair = std::make_unique<Pair>(config, schedule::lower_gemm(g).program().code(), std::vector<std::uint64_t>{g.b_bytes(), g.a_bytes(), g.c_bytes()}, on);
  noise(pair->window(0)), noise(pair->window(1));
  return pair;
}

std::unique_ptr<Pair> encoder_layers(const spec::Config& config, const encoder::Shape& shape, Pair::On on) {
  const Program program = encoder::compile(encoder::synthetic(shape, ir::Format::int8, 1), config.name);
  auto pair = std::make_unique<Pair>(config, program.code, std::vector<std::uint64_t>{program.window_bytes[0], program.window_bytes[1]}, on);
  for (const Segment& s : program.segments) std::copy(s.bytes.begin(), s.bytes.end(), pair->window(s.window).begin() + static_cast<std::ptrdiff_t>(s.offset));
  const Symbol& x = *program.find("x");
  for (std::uint64_t i = 0; i < x.bytes / 4; ++i) {
    const float value = static_cast<float>((i * 2654435761u >> 8) % 4096) / 1024.0f - 2.0f;
    std::memcpy(pair->window(1).data() + x.offset + 4 * i, &value, 4);
  }
  return pair;
}

std::vector<Workload> workloads(const spec::Config& c, Pair::On on) {
  const int size = c.cols < 16 ? 256 : 512;
  return {{"gemm512-int8", [=] { return product(c, size, ir::Format::int8, on)->measure({}); }},
          {"gemm512-mxfp4", [=] { return product(c, size, ir::Format::mxfp4, on)->measure({}); }},
          {"decode-int8", [=] { return decode(c, "int8c", on); }},
          {"decode-q8_0", [=] { return decode(c, "int8", on); }},
          {"decode-mxfp4", [=] { return decode(c, "mxfp4", on); }},
          {"prefill128, first launch", [=] { return prefill(c, on); }},
          {"bert-layer", [=] { return layer(c, {.width = 768, .heads = 12, .ffn = 3072, .context = kTokens}, on); }},
          {"vit-layer", [=] { return layer(c, {.width = 768, .heads = 12, .ffn = 3072, .context = 197, .norm_first = true}, on); }},
          {"attention4k", [=] { return keys4096(c, on); }}};
}

}  // namespace jogak::bench
