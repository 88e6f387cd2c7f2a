#include "gguf.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "../passes/quantize.hpp"
#include "error.hpp"
#include "gguf_writer.hpp"
#include "synthetic.hpp"

using namespace jogak;
using namespace jogak::import;

namespace {

const LlamaHyper kTiny{.layers = 1, .width = 32, .heads = 2, .kv_heads = 1, .ffn = 32, .context = 32, .vocab = 40};

// A whole model file; `type` and `type_of` may change the type that one tensor claims.
GgufWriter tiny(const std::string& special = "", std::uint32_t type = 0) {
  GgufWriter w;
  write_hyper(w, kTiny);
  for (const ir::Tensor& t : synthetic_llama(kTiny, 3).tensors)
    w.tensor(t.name, {t.shape.begin(), t.shape.end()}, t.name == special ? type : 0, t.data);
  return w;
}

std::string refusal(const std::vector<std::byte>& file) {
  try {
    read_gguf(file, "test");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}
std::string refusal(const GgufWriter& w) { return refusal(w.file()); }
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a model file becomes the graph that was written") {
  const ir::Graph expected = synthetic_llama(kTiny, 3), found = read_gguf(tiny().file(), "test");
  CHECK(found.layers == 1);
  CHECK(found.width == 32);
  CHECK(found.vocab == 40);
  CHECK(found.context == 32);
  REQUIRE(found.tensors.size() == expected.tensors.size());
  for (std::size_t i = 0; i < found.tensors.size(); ++i) {
    CHECK(found.tensors[i].name == expected.tensors[i].name);
    CHECK(found.tensors[i].shape == expected.tensors[i].shape);
    CHECK(found.tensors[i].data == expected.tensors[i].data);
  }
  REQUIRE(found.nodes.size() == expected.nodes.size());
  for (std::size_t i = 0; i < found.nodes.size(); ++i) {
    CHECK(found.nodes[i].name == expected.nodes[i].name);
    CHECK(found.nodes[i].inputs == expected.nodes[i].inputs);
  }
}

TEST_CASE("block formats keep their values") {
  GgufWriter w;
  write_hyper(w, kTiny);
  for (const ir::Tensor& t : synthetic_llama(kTiny, 3).tensors) {
    if (t.name != "blk.0.attn_q.weight") {
      w.tensor(t.name, {t.shape.begin(), t.shape.end()}, 0, t.data);
      continue;
    }
    std::vector<std::byte> q8(32 * 34);  // scale 2.0, codes row - column
    for (int n = 0; n < 32; ++n) {
      q8[static_cast<std::size_t>(n) * 34 + 1] = std::byte{0x40};
      for (int k = 0; k < 32; ++k) q8[static_cast<std::size_t>(n * 34 + 2 + k)] = static_cast<std::byte>(n - k);
    }
    w.tensor(t.name, {32, 32}, 8, q8);
  }
  const ir::Graph g = read_gguf(w.file(), "test");
  for (const ir::Tensor& t : g.tensors) {
    if (t.name != "blk.0.attn_q.weight") continue;
    CHECK(t.dtype == ir::DType::q8_0);
    const auto values = passes::to_float(t);
    for (int n = 0; n < 32; ++n)
      for (int k = 0; k < 32; ++k) CHECK(values[static_cast<std::size_t>(n * 32 + k)] == 2.0f * static_cast<float>(n - k));
  }
}

// The same golden block in every row of one tensor, of every type (tests/models/golden/make_quants.py).
TEST_CASE("tensors of every block type are read with their golden values") {
  LlamaHyper h = kTiny;
  h.ffn = 256;
  const std::map<std::string, std::uint32_t> codes = {{"Q4_0", 2}, {"Q4_1", 3}, {"Q5_0", 6}, {"Q5_1", 7}, {"Q8_0", 8}, {"Q2_K", 10}, {"Q3_K", 11}, {"Q4_K", 12},
                                                      {"Q5_K", 13}, {"Q6_K", 14}, {"IQ4_NL", 20}, {"IQ4_XS", 23}, {"MXFP4", 39}};
  std::ifstream in("tests/models/golden/quants.json");
  REQUIRE(in.good());
  const auto unhex = [](const std::string& text) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i < text.size(); i += 2) out.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
    return out;
  };
  for (const auto& golden : nlohmann::json::parse(in)) {
    const std::string type = golden.at("type");
    CAPTURE(type);
    const auto block = unhex(golden.at("blocks")), values = unhex(golden.at("values"));
    GgufWriter w;
    write_hyper(w, h);
    for (const ir::Tensor& t : synthetic_llama(h, 3).tensors) {
      if (t.name != "blk.0.ffn_down.weight") {
        w.tensor(t.name, {t.shape.begin(), t.shape.end()}, 0, t.data);
        continue;
      }
      std::vector<std::byte> rows;
      for (int n = 0; n < 32; ++n) rows.insert(rows.end(), block.begin(), block.end());
      w.tensor(t.name, {32, 256}, codes.at(type), rows);
    }
    for (const ir::Tensor& t : read_gguf(w.file(), "test").tensors) {
      if (t.name != "blk.0.ffn_down.weight") continue;
      const auto found = passes::to_float(t);
      REQUIRE(found.size() == 32 * 256);
      for (std::size_t n = 0; n < 32; ++n) CHECK(std::memcmp(&found[n * 256], values.data(), 1024) == 0);
    }
  }
}

TEST_CASE("a file that is cut anywhere is refused") {
  const auto file = tiny().file();
  for (std::size_t n = 0; n < file.size(); n += n < 2500 ? 1 : 61) {
    CAPTURE(n);
    CHECK(contains(refusal(std::vector(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(n))), ", expected "));
  }
}

TEST_CASE("a flipped bit is refused or harmless, never more") {
  auto file = tiny().file();
  int refused = 0;
  for (std::size_t bit = 0; bit < 2500 * 8; bit += 3) {
    file[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    refused += !refusal(file).empty();
    file[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
  }
  CHECK(refused > 1000);
  CHECK(refusal(file).empty());
}

TEST_CASE("huge claims are refused before anything is allocated") {
  auto claim = [](std::size_t at, std::uint64_t value) {
    auto file = tiny().file();
    std::memcpy(&file[at], &value, 8);
    return refusal(file);
  };
  CHECK(contains(claim(8, ~std::uint64_t(0)), "number of tensors"));
  CHECK(contains(claim(8, std::uint64_t(1) << 40), "number of tensors"));
  CHECK(contains(claim(16, ~std::uint64_t(0) / 2), "number of metadata entries"));
  CHECK(contains(claim(24, ~std::uint64_t(0)), "metadata key"));
  for (const std::uint64_t size : {std::uint64_t(1) << 62, ~std::uint64_t(0), std::uint64_t(0)}) {
    GgufWriter w;
    write_hyper(w, kTiny);
    w.tensor("token_embd.weight", {size, size}, 0, {});
    CHECK(contains(refusal(w), "size of token_embd.weight"));
  }
}

TEST_CASE("what this compiler cannot read is named") {
  CHECK(contains(refusal(tiny("blk.0.ffn_up.weight", 16)), "type of tensor blk.0.ffn_up.weight, found IQ2_XXS, expected F32, F16"));
  CHECK(contains(refusal(tiny("token_embd.weight", 999)), "type of tensor token_embd.weight, found type 999"));
  GgufWriter other;
  other.text("general.architecture", "mamba");
  CHECK(contains(refusal(other), "architecture, found mamba, expected one of llama, qwen2, qwen3, qwen2moe, qwen3moe, gpt-oss, phi3, phi2, gemma, gemma2, gemma3, gpt2"));
  GgufWriter old = tiny();
  old.version = 1;
  CHECK(contains(refusal(old), "version, found 1, expected 2 or 3"));
  GgufWriter twice = tiny();
  twice.tensor("output_norm.weight", {32}, 0, std::vector<std::byte>(128));
  CHECK(contains(refusal(twice), "tensor output_norm.weight, found a second one"));
  GgufWriter empty;
  write_hyper(empty, kTiny);
  CHECK(contains(refusal(empty), "vocabulary, found 0"));
}

TEST_CASE("a missing or misshapen tensor is named") {
  for (const ir::Tensor& lost : synthetic_llama(kTiny, 3).tensors) {
    GgufWriter missing, wrong;
    write_hyper(missing, kTiny);
    write_hyper(wrong, kTiny);
    for (const ir::Tensor& t : synthetic_llama(kTiny, 3).tensors) {
      const std::vector<std::uint64_t> shape(t.shape.begin(), t.shape.end());
      if (t.name != lost.name) missing.tensor(t.name, shape, 0, t.data);
      wrong.tensor(t.name, t.name == lost.name ? std::vector<std::uint64_t>{7, 3} : shape, 0, t.data);
    }
    CAPTURE(lost.name);
    if (lost.name == "token_embd.weight") {
      CHECK(!refusal(missing).empty());
      CHECK(!refusal(wrong).empty());
      continue;
    }
    CHECK(contains(refusal(missing), "tensor " + lost.name));
    CHECK(contains(refusal(wrong), "shape of " + lost.name + ", found 7 x 3"));
  }
}
