// Folders with experts: floats in the reference's own layout, and what is refused.
#include "experts.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "../passes/quantize.hpp"
#include "compile.hpp"
#include "hf.hpp"
#include "json_file.hpp"
#include "safetensors.hpp"

using namespace jogak;
using namespace jogak::import;

namespace {

namespace fs = std::filesystem;
const std::string kExperts = "model.layers.1.mlp.experts.";

// A copy of a golden folder, to be changed.
class Copy {
 public:
  explicit Copy(const std::string& model) : path(fs::temp_directory_path() / ("jogak_experts_test_" + std::to_string(::getpid()))) {
    fs::remove_all(path);
    fs::create_directories(path);
    for (const char* file : {"config.json", "tokenizer.json", "model.safetensors"}) fs::copy_file("tests/models/golden/" + model + "/" + file, path / file);
    tensors = read_safetensors(path);
  }
  ~Copy() { fs::remove_all(path); }

  ir::Tensor& tensor(const std::string& name) {
    for (ir::Tensor& t : tensors)
      if (t.name == name) return t;
    throw Error("test", "tensor", "none", name);
  }
  void erase(const std::string& name) {
    std::erase_if(tensors, [&](const ir::Tensor& t) { return t.name == name; });
  }
  void config(const std::string& key, const Json& value) {
    Json j = read_json_file(path / "config.json");
    j[key] = value;
    std::ofstream(path / "config.json") << j;
  }
  ir::Graph read() {
    Json header = Json::object();
    std::size_t at = 0;
    for (const ir::Tensor& t : tensors) {
      const char* type = t.dtype == ir::DType::f32 ? "F32" : t.dtype == ir::DType::u8 ? "U8" : "BF16";
      header[t.name] = {{"dtype", type}, {"shape", t.shape}, {"data_offsets", {at, at + t.data.size()}}};
      at += t.data.size();
    }
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    std::ofstream out(path / "model.safetensors", std::ios::binary);
    out.write(reinterpret_cast<const char*>(&length), 8) << text;
    for (const ir::Tensor& t : tensors) out.write(reinterpret_cast<const char*>(t.data.data()), static_cast<std::streamsize>(t.data.size()));
    out.close();
    return read_hf(path);
  }
  std::string refusal() {
    try {
      (void)to_bytes(compile(read(), {.config = "nano"}).program);  // weights are packed when they are wanted
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  fs::path path;
  std::vector<ir::Tensor> tensors;
};

void contains(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CAPTURE(part);
  CHECK(text.find(part) != std::string::npos);
}

std::vector<float> values(const ir::Graph& graph, const std::string& name) {
  for (const ir::Tensor& t : graph.tensors)
    if (t.name == name) return passes::to_float(t);
  throw Error("test", "tensor", "none", name);
}

}  // namespace

TEST_CASE("experts in floats, k before rows, gate and up in turn: the same decoder as their MXFP4") {
  const ir::Graph expected = read_hf("tests/models/golden/gpt_oss");
  Copy c("gpt_oss");
  for (const int layer : {0, 1}) {
    const std::string b = "blk." + std::to_string(layer) + ".ffn_", h = "model.layers." + std::to_string(layer) + ".mlp.experts.";
    const auto gate = values(expected, b + "gate_exps.weight"), up = values(expected, b + "up_exps.weight"), down = values(expected, b + "down_exps.weight");
    const std::size_t e = 6, f = 64, d = 32;
    ir::Tensor both{h + "gate_up_proj", {6, 32, 128}, ir::DType::f32, std::vector<std::byte>(e * d * 2 * f * 4)};
    ir::Tensor last{h + "down_proj", {6, 64, 32}, ir::DType::f32, std::vector<std::byte>(e * d * f * 4)};
    for (std::size_t i = 0; i < e; ++i)
      for (std::size_t r = 0; r < f; ++r)
        for (std::size_t k = 0; k < d; ++k) {
          std::memcpy(&both.data[((i * d + k) * 2 * f + 2 * r) * 4], &gate[(i * f + r) * d + k], 4);
          std::memcpy(&both.data[((i * d + k) * 2 * f + 2 * r + 1) * 4], &up[(i * f + r) * d + k], 4);
          std::memcpy(&last.data[((i * f + r) * d + k) * 4], &down[(i * d + k) * f + r], 4);
        }
    for (const char* kind : {"gate_up_proj_blocks", "gate_up_proj_scales", "down_proj_blocks", "down_proj_scales"}) c.erase(h + kind);
    c.tensors.push_back(both), c.tensors.push_back(last);
  }
  c.config("quantization_config", nullptr);
  const ir::Graph found = c.read();
  for (const char* name : {"blk.0.ffn_gate_exps.weight", "blk.1.ffn_up_exps.weight", "blk.0.ffn_down_exps.weight", "blk.1.ffn_up_exps.bias"}) {
    CAPTURE(name);
    CHECK(values(found, name) == values(expected, name));
  }
}

TEST_CASE("experts that are missing, misshapen, of another kind or no numbers are named as the file names them") {
  const auto after = [](const char* model, auto&& change) {
    Copy c(model);
    change(c);
    return c.refusal();
  };
  const auto without = [&](const std::string& name) { return after("gpt_oss", [&](Copy& c) { c.erase(name); }); };
  for (const char* name : {"gate_up_proj_scales", "down_proj_blocks", "gate_up_proj_bias", "down_proj_bias"}) CHECK(without(kExperts + name) != "");
  contains(without(kExperts + "gate_up_proj_scales"), "tensor " + kExperts + "gate_up_proj_scales, found nothing");
  contains(without("model.layers.0.mlp.router.bias"), "tensor model.layers.0.mlp.router.bias, found nothing");
  contains(without("model.layers.0.self_attn.sinks"), "tensor model.layers.0.self_attn.sinks, found nothing");
  contains(after("gpt_oss", [](Copy& c) { c.tensor(kExperts + "down_proj_scales").shape = {6, 2, 32}; }), "shape of " + kExperts + "down_proj_scales, found 6 x 2 x 32, expected 6 x 32 x 2");
  contains(after("gpt_oss", [](Copy& c) { c.tensor(kExperts + "down_proj_scales").data[5] = std::byte{0xff}; }), "scale of block 5 of blk.1.ffn_down_exps.weight, found no number");
  contains(after("gpt_oss", [](Copy& c) { c.config("num_local_experts", 5); }), "found 6 x ");
  contains(after("gpt_oss", [](Copy& c) { c.config("num_experts_per_tok", 9); }), "experts, found 9 of 6 for a token");
  contains(after("gpt_oss", [](Copy& c) { c.config("quantization_config", {{"quant_method", "gptq"}}); }), "quantization_config, found gptq, expected mxfp4 or none");
  contains(after("gpt_oss", [](Copy& c) { c.config("swiglu_limit", 0); }), "swiglu_limit");
  contains(after("qwen3_moe", [](Copy& c) { c.erase(kExperts + "3.up_proj.weight"); }), "tensor " + kExperts + "3.up_proj.weight, found nothing");
  contains(after("qwen3_moe", [](Copy& c) { c.config("mlp_only_layers", {1}); }), "model.layers.1.mlp.gate_proj.weight, found nothing");
  contains(after("qwen3_moe", [](Copy& c) { c.config("num_local_experts", 5); }), "mlp.gate.weight, found 6 x 32, expected 5 x 32");
}
