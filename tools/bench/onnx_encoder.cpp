// onnx-encoder: what an encoder costs operator by operator, as ONNX models run, against the fused encoder of a folder.
#include <cmath>
#include <cstring>

#include "common.hpp"
#include "compiler/encoder/compile.hpp"
#include "compiler/encoder/synthetic.hpp"
#include "loaded.hpp"
#include "tensor/lower.hpp"
#include "tensor_session.hpp"

namespace jogak::bench {
namespace {

using tensor::Graph;
using tensor::Op;
using tensor::ValueId;

std::vector<float> noise(std::int64_t count, float scale) {
  std::vector<float> x(static_cast<std::size_t>(count));
  std::uint32_t state = 7;
  for (float& v : x) v = (static_cast<float>((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-23f - 1.0f) * scale;
  return x;
}

// A layer of ViT's kind, rows in, rows out, as the ONNX importer writes one.
struct Layer {
  Graph g;
  std::int64_t width, rows, heads, ffn;

  ValueId row(std::int64_t n, float value) { return g.constant("row", {n}, std::vector<float>(static_cast<std::size_t>(n), value)); }
  ValueId linear(const char* name, ValueId x, std::int64_t k, std::int64_t n) {
    const ValueId w = g.constant("w", {k, n}, noise(k * n, 1.0f / std::sqrt(static_cast<float>(k))));
    return g.add(Op::add, name, {g.add(Op::matmul, name, {x, w}, {.precision = tensor::Precision::int8}), row(n, 0.1f)});
  }
  ValueId norm(ValueId x) { return g.add(Op::layer_norm, "norm", {x, row(width, 1), row(width, 0.1f)}, {.axis = -1, .value = 1e-6f}); }
  ValueId heads_of(ValueId x) {
    return g.add(Op::transpose, "heads", {g.add(Op::reshape, "heads", {x}, {.shape = {1, rows, heads, width / heads}})}, {.axes = {0, 2, 1, 3}});
  }

  void build() {
    const ValueId x = g.input("x", tensor::DType::f32, {1, rows, width}), n = norm(x);
    const ValueId q = heads_of(linear("q", n, width, width)), k = heads_of(linear("k", n, width, width)), v = heads_of(linear("v", n, width, width));
    const float scale = 1.0f / std::sqrt(static_cast<float>(width / heads));
    const ValueId a = g.add(Op::attention, "attention", {q, k, v}, {.value = scale, .precision = tensor::Precision::int8});
    const ValueId flat = g.add(Op::reshape, "rows", {g.add(Op::transpose, "rows", {a}, {.axes = {0, 2, 1, 3}})}, {.shape = {1, rows, width}});
    const ValueId s = g.add(Op::add, "sum", {x, linear("output", flat, width, width)});
    const ValueId u = linear("up", norm(s), width, ffn);
    const ValueId e = g.add(Op::erf, "gelu", {g.add(Op::mul, "gelu", {u, g.scalar(0.70710678f)})});
    const ValueId gelu = g.add(Op::mul, "gelu", {g.add(Op::mul, "gelu", {u, g.scalar(0.5f)}), g.add(Op::add, "gelu", {e, g.scalar(1)})});
    g.output("y", g.add(Op::add, "sum", {s, linear("down", gelu, ffn, width)}));
  }
};

double fused(const encoder::Shape& shape, const std::string& config, const std::string& on) {
  const Program program = encoder::compile(encoder::synthetic(shape, ir::Format::int8, 1), config);
  const auto device = open_for(program, on);
  Loaded loaded(*device, program);
  const Symbol& x = *program.find("x");
  const auto rows = noise(static_cast<std::int64_t>(x.bytes / 4), 2);
  std::vector<std::uint8_t> bytes(x.bytes);
  std::memcpy(bytes.data(), rows.data(), bytes.size());
  loaded.write(x.window, x.offset, bytes);
  const auto count = static_cast<std::uint32_t>(shape.context);
  return static_cast<double>(loaded.run(std::span(&count, 1))[spec::Counter::cycles]);
}

void run(const Options& o, Report& report) {
  const std::string config = value_or(o.config, "edge"), on = value_or(o.on, "cycle");
  for (const int rows : {17, 197}) {
    const encoder::Shape shape{.layers = 1, .width = 192, .heads = 3, .ffn = 768, .context = rows, .norm_first = true};
    Layer layer{.g = {}, .width = shape.width, .rows = rows, .heads = shape.heads, .ffn = shape.ffn};
    layer.build();
    TensorSession session(tensor::lower(layer.g, {.config = config}), on);
    const auto x = noise(static_cast<std::int64_t>(rows) * shape.width, 2);
    session.set("x", std::span<const float>(x));
    const double graph = static_cast<double>(session.run()[spec::Counter::cycles]), whole = fused(shape, config, on);
    const std::string what = "ViT layer, d 192, " + std::to_string(rows) + " rows";
    report.add({.case_name = what + ", fused", .config = config, .on = on, .value = whole, .unit = "cycles"});
    report.add({.case_name = what + ", operator by operator", .config = config, .on = on, .value = graph, .unit = "cycles"});
    report.add({.case_name = what, .config = config, .on = on, .value = graph / whole, .unit = "times the fused layer's cycles", .less = true});
  }
}

const Register registered{"onnx-encoder", "cycles of a ViT layer operator by operator (ONNX) against the fused encoder's", run};

}  // namespace
}  // namespace jogak::bench
