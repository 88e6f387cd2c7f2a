// Folders in Hugging Face's layout: good ones as the goldens have them, bad ones refused by name.
#include "hf.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "../passes/quantize.hpp"
#include "error.hpp"
#include "safetensors.hpp"

using namespace jogak;
using namespace jogak::import;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

// A copy of a golden folder, to be broken.
struct Copy {
  fs::path path;
  explicit Copy(const std::string& model) : path(fs::temp_directory_path() / ("jogak_hf_test_" + model + "_" + std::to_string(getpid()))) {
    fs::remove_all(path);
    fs::copy(fs::path("tests/models/golden") / model, path);
  }
  ~Copy() { fs::remove_all(path); }
  std::string text(const char* file) const {
    std::ifstream in(path / file, std::ios::binary);
    REQUIRE(in.good());
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  void write(const char* file, const std::string& text) const { std::ofstream(path / file, std::ios::binary) << text; }
  template <class F>
  void edit(const char* file, F&& change) const {
    Json j = Json::parse(text(file));
    change(j);
    write(file, j.dump());
  }
  // Changes the header of the weights; the values stay.
  template <class F>
  void header(F&& change) const {
    const std::string old = text("model.safetensors");
    std::uint64_t length = 0;
    std::memcpy(&length, old.data(), 8);
    Json j = Json::parse(old.substr(8, length));
    change(j);
    const std::string changed = j.dump(), values = old.substr(8 + length);
    length = changed.size();
    write("model.safetensors", std::string(reinterpret_cast<const char*>(&length), 8) + changed + values);
  }
  std::string refusal() const {
    try {
      (void)read_hf(path);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
};

bool contains(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CAPTURE(part);
  const bool found = text.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

const std::string kQ = "model.layers.1.self_attn.q_proj.weight";

}  // namespace

TEST_CASE("good folders: hyper-parameters, tied heads, shards, names") {
  const ir::Graph llama = read_hf("tests/models/golden/llama"), linear = read_hf("tests/models/golden/llama_linear"), qwen = read_hf("tests/models/golden/qwen3");
  CHECK(llama.architecture == "llama");
  CHECK(llama.model_name == "llama");
  CHECK(llama.layers == 2);
  CHECK(llama.vocab == 264);
  CHECK(llama.context == 128);
  CHECK(qwen.architecture == "qwen3");
  CHECK(linear.tensors.size() == 2 + 2 * 9);  // of both shards
  CHECK(llama.vocabulary.bos == 256);
  CHECK(llama.vocabulary.add_bos);
  CHECK(llama.vocabulary.eos == 257);
  CHECK(llama.vocabulary.ends == std::vector<int>{258});
  CHECK(llama.vocabulary.pre == "llama-bpe");
  CHECK(llama.vocabulary.whole_words);
  CHECK_FALSE(qwen.vocabulary.add_bos);
  CHECK(qwen.vocabulary.pre == "qwen2");
  CHECK(qwen.vocabulary.compose);
}

// Rows i and i + half of each head side by side; what does not turn keeps its place.
TEST_CASE("rows of q, k and their norms are paired, in the part of the head that turns") {
  Copy c("qwen3");
  c.edit("config.json", [](Json& j) { j["partial_rotary_factor"] = 0.5; });
  const auto before = read_safetensors(c.path);
  const ir::Graph after = read_hf(c.path);
  const auto rows = [](const std::vector<ir::Tensor>& tensors, const std::string& name) {
    for (const ir::Tensor& t : tensors)
      if (t.name == name) return std::pair(passes::to_float(t), t.shape);
    throw Error("test", "tensor", "none", name);
  };
  const std::pair<std::string, std::string> names[] = {{kQ, "blk.1.attn_q.weight"}, {"model.layers.0.self_attn.k_proj.weight", "blk.0.attn_k.weight"},
                                                       {"model.layers.0.self_attn.k_norm.weight", "blk.0.attn_k_norm.weight"},
                                                       {"model.layers.0.self_attn.v_proj.weight", "blk.0.attn_v.weight"}};
  for (const auto& [here, there] : names) {
    CAPTURE(here);
    const auto [a, shape] = rows(before, here);
    const auto [b, other] = rows(after.tensors, there);
    CHECK(shape == other);
    const std::size_t width = a.size() / static_cast<std::size_t>(shape[0]);
    const bool turned = here.find("v_proj") == std::string::npos;
    for (std::size_t r = 0; r < static_cast<std::size_t>(shape[0]); ++r) {
      const std::size_t i = r % 32, from = turned && i < 16 ? r - i + (i % 2 == 0 ? i / 2 : 8 + i / 2) : r;
      CHECK(std::equal(b.begin() + static_cast<std::ptrdiff_t>(r * width), b.begin() + static_cast<std::ptrdiff_t>((r + 1) * width), a.begin() + static_cast<std::ptrdiff_t>(from * width)));
    }
  }
}

TEST_CASE("tensors that are missing, misshapen or without a place are named as the file names them") {
  Copy c("qwen3");
  c.header([](Json& j) { j.erase(kQ); });
  contains(c.refusal(), "tensor " + kQ + ", found nothing");
  Copy d("qwen3");
  d.header([](Json& j) { std::swap(j[kQ]["shape"][0], j[kQ]["shape"][1]); });
  contains(d.refusal(), "shape of " + kQ + ", found 32 x 128, expected 128 x 32");
  Copy e("qwen3");
  e.header([](Json& j) { j["model.layers.0.mlp.extra.weight"] = j[kQ]; });
  contains(e.refusal(), "tensor model.layers.0.mlp.extra.weight, found no place for it");
  Copy f("llama");
  f.header([](Json& j) { j.erase("lm_head.weight"); });
  contains(f.refusal(), "tensor lm_head.weight, found nothing");
  Copy g("qwen2");
  g.header([](Json& j) { j.erase("model.layers.0.self_attn.v_proj.bias"); });
  contains(g.refusal(), "tensor model.layers.0.self_attn.v_proj.bias, found nothing");
}

TEST_CASE("safetensors that are cut or lie are refused") {
  Copy c("qwen3");
  const std::string whole = c.text("model.safetensors");
  for (const std::size_t size : {std::size_t(0), std::size_t(7), std::size_t(8), std::size_t(500), whole.size() - 1}) {
    CAPTURE(size);
    c.write("model.safetensors", whole.substr(0, size));
    contains(c.refusal(), "model.safetensors: ");
  }
  std::string lie = whole;
  lie[7] = '\x7f';
  c.write("model.safetensors", lie);
  contains(c.refusal(), "model.safetensors: header");
  const auto changed = [&](auto&& change) {
    c.write("model.safetensors", whole);
    c.header(change);
    return c.refusal();
  };
  contains(changed([](Json& j) { j[kQ]["data_offsets"][1] = 1u << 30; }), "data of " + kQ);
  contains(changed([](Json& j) { j[kQ]["data_offsets"] = {10, 2}; }), "data of " + kQ);
  contains(changed([](Json& j) { j[kQ]["shape"] = {1u << 31, 1u << 31, 1u << 31}; }), "shape of " + kQ);
  contains(changed([](Json& j) { j[kQ]["shape"] = {-1, 4}; }), "shape of " + kQ);
  contains(changed([](Json& j) { j[kQ]["dtype"] = "I64"; }), "type of tensor " + kQ + ", found I64");
  contains(changed([](Json& j) { j[kQ] = 3; }), "type of tensor " + kQ);
  fs::remove(c.path / "model.safetensors");
  contains(c.refusal(), "weights in " + c.path.string() + ", found nothing, expected model.safetensors");
}

TEST_CASE("an index that leads out of the folder or to a missing shard is refused") {
  Copy c("llama_linear");
  const char* index = "model.safetensors.index.json";
  const std::string whole = c.text(index);
  for (const char* way_out : {"../secret.safetensors", "/etc/passwd", "a/b.safetensors", "..", "", "a\\b"}) {
    CAPTURE(way_out);
    c.write(index, whole);
    c.edit(index, [&](Json& j) { j["weight_map"]["model.norm.weight"] = way_out; });
    contains(c.refusal(), std::string("file of a shard, found ") + way_out + ", expected the name of a file in the model's folder");
  }
  c.write(index, whole);
  c.edit(index, [](Json& j) { j["weight_map"]["model.norm.weight"] = "none.safetensors"; });
  contains(c.refusal(), "none.safetensors");
  c.write(index, whole);
  c.edit(index, [](Json& j) { j["weight_map"]["model.norm.weight"] = "model-00001-of-00002.safetensors"; });
  contains(c.refusal(), "tensor model.norm.weight, found nothing, expected the tensor that the index says is here");
  c.write(index, "{\"weight_map\": [1]}");
  contains(c.refusal(), "weight_map");
}

TEST_CASE("configurations that are no decoder of these are refused by key") {
  const auto refused = [](const char* model, auto&& change) {
    Copy c(model);
    c.edit("config.json", change);
    return c.refusal();
  };
  contains(refused("llama", [](Json& j) { j["model_type"] = "mamba2"; }), "model_type, found mamba2, expected llama");
  contains(refused("llama", [](Json& j) { j["rope_parameters"]["rope_type"] = "dynamic"; }), "rotary scaling, found dynamic");
  contains(refused("llama", [](Json& j) { j["rope_parameters"].erase("factor"); }), "factor, found nothing");
  contains(refused("llama", [](Json& j) { j["hidden_act"] = "gelu"; }), "hidden_act, found gelu, expected silu");
  contains(refused("llama", [](Json& j) { j["quantization_config"] = {{"bits", 4}}; }), "quantization_config");
  contains(refused("llama", [](Json& j) { j["hidden_size"] = "64"; }), "hidden_size");
  contains(refused("llama", [](Json& j) { j.erase("hidden_size"); }), "hidden_size, found nothing");
  contains(refused("llama", [](Json& j) { j["num_hidden_layers"] = 2.5; }), "num_hidden_layers, found 2.5");
  contains(refused("llama", [](Json& j) { j["vocab_size"] = 200; }), "vocabulary, found 262 tokens, expected at most vocab_size, 200");
  Copy c("llama");
  c.write("config.json", "[]");
  contains(c.refusal(), "config.json: contents");
  fs::remove(c.path / "config.json");
  contains(c.refusal(), "config.json");
}

TEST_CASE("older files keep the base beside rope_scaling") {
  Copy c("llama");
  const auto rotary = [&] {
    for (const ir::Node& n : read_hf(c.path).nodes)
      if (n.rotary) return *n.rotary;
    return ir::Rotary{};
  };
  const ir::Rotary before = rotary();
  c.edit("config.json", [](Json& j) {
    j["rope_scaling"] = j["rope_parameters"];
    j["rope_theta"] = j["rope_scaling"]["rope_theta"];
    j["rope_scaling"].erase("rope_theta"), j.erase("rope_parameters");
  });
  CHECK(rotary() == before);
}

TEST_CASE("tokenizers: byte fallback becomes scores, what is unknown is refused by name") {
  Copy c("llama");
  const std::string whole = c.text("tokenizer.json");
  const auto refused = [&](auto&& change) {
    c.write("tokenizer.json", whole);
    c.edit("tokenizer.json", change);
    return c.refusal();
  };
  contains(refused([](Json& j) { j["model"]["type"] = "Unigram"; }), "model, found Unigram, expected BPE");
  contains(refused([](Json& j) { j["normalizer"] = {{"type", "Lowercase"}}; }), "normalizer, found Lowercase");
  contains(refused([](Json& j) { j["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\w+"; }), "pre-tokenizer, found \\w+");
  contains(refused([](Json& j) { j["pre_tokenizer"] = {{"type", "Whitespace"}}; }), "pre-tokenizer, found Whitespace");
  contains(refused([](Json& j) { j["model"]["merges"][0] = 7; }), "merge, found 7");
  CHECK(refused([](Json& j) {
          j["pre_tokenizer"]["pretokenizers"][0] = {{"type", "Digits"}, {"individual_digits", true}};
          j["pre_tokenizer"]["pretokenizers"][1]["use_regex"] = true;
        }) == "");
  CHECK(read_hf_tokenizer(c.path / "tokenizer.json").pre == "smollm");
  contains(refused([](Json& j) { j["added_tokens"][0]["id"] = -5; }), "id of token <|begin|>");
  fs::remove(c.path / "tokenizer.json");
  contains(c.refusal(), "tokenizer.json");

  const std::string space = "\xe2\x96\x81";
  c.write("tokenizer.json", Json{{"model", {{"type", "BPE"}, {"byte_fallback", true}, {"unk_token", "<unk>"},
                                            {"vocab", {{"<unk>", 0}, {"<0x41>", 1}, {space, 2}, {"a", 3}, {"b", 4}, {"ab", 5}, {space + "ab", 6}}},
                                            {"merges", {"a b", space + " ab"}}}},
                                 {"normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "Prepend"}, {"prepend", space}},
                                                                                       {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", space}}}}}}}
                                .dump());
  const ir::Vocabulary v = read_hf_tokenizer(c.path / "tokenizer.json");
  CHECK(v.model == "llama");
  CHECK(v.add_space_prefix);
  CHECK(v.types == std::vector<std::int32_t>{2, 6, 1, 1, 1, 1, 1});
  CHECK(v.scores[5] > v.scores[6]);
  CHECK(v.unk == 0);
  // As Gemma's: spaces are marked, none is put in front, and a split at spaces that are no more.
  c.edit("tokenizer.json", [&](Json& j) {
    j["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", space}};
    j["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "MergedWithPrevious"}, {"invert", false}};
  });
  const ir::Vocabulary gemma = read_hf_tokenizer(c.path / "tokenizer.json");
  CHECK(gemma.scores == v.scores);
  CHECK_FALSE(gemma.add_space_prefix);
  c.edit("tokenizer.json", [](Json& j) { j["pre_tokenizer"]["pattern"]["String"] = "-"; });
  CHECK_THROWS_AS((void)read_hf_tokenizer(c.path / "tokenizer.json"), Error);
}

TEST_CASE("configurations of gpt2, phi and the newer gemmas: what is not theirs is refused by key") {
  const auto refused = [](const char* model, const char* key, const Json& value) {
    Copy c(model);
    c.edit("config.json", [&](Json& j) { j[key] = value; });
    return c.refusal();
  };
  contains(refused("gpt2", "activation_function", "relu"), "activation_function, found relu, expected gelu_new");
  contains(refused("gpt2", "scale_attn_by_inverse_layer_idx", true), "scale_attn_by_inverse_layer_idx, found true");
  contains(refused("gpt2", "n_inner", 95), "shape of transformer.h.0.mlp.c_fc.weight, found 96 x 40, expected 95 x 40");
  contains(refused("phi", "hidden_act", "gelu"), "hidden_act, found gelu, expected gelu_new");
  contains(refused("phi", "qk_layernorm", true), "qk_layernorm, found true");
  contains(refused("gemma2", "hidden_activation", "silu"), "hidden_act, found silu, expected gelu_pytorch_tanh");
  contains(refused("gemma3", "model_type", "gemma3"), "model_type, found gemma3, expected gemma3_text, the part without images");
  contains(refused("gemma3", "layer_types", {"full_attention"}), "layer_types, found 1, expected 7 of them");
  CHECK(refused("gemma3", "sliding_window", 200) == "");
}

// Any other exception, or a crash, would end the test.
TEST_CASE("the chat template: a file of its own, a text, the default of several, or none") {
  const Copy copy("llama");
  fs::remove(copy.path / "tokenizer_config.json");
  CHECK(read_hf(copy.path).vocabulary.chat_template.empty());
  copy.write("tokenizer_config.json", R"({"chat_template": "<|im_start|>"})");
  CHECK(read_hf(copy.path).vocabulary.chat_template == "<|im_start|>");
  copy.write("tokenizer_config.json", R"({"chat_template": [{"name": "tools", "template": "a"}, {"name": "default", "template": "b"}]})");
  CHECK(read_hf(copy.path).vocabulary.chat_template == "b");
  copy.write("tokenizer_config.json", R"({"chat_template": [{"name": "tools", "template": "a"}]})");
  contains(copy.refusal(), "tokenizer_config.json: chat_template, found 1 templates, expected one of them named default");
  copy.write("tokenizer_config.json", R"({"chat_template": 7})");
  contains(copy.refusal(), "tokenizer_config.json: chat_template, found 7");
  copy.write("chat_template.jinja", "<start_of_turn>");
  CHECK(read_hf(copy.path).vocabulary.chat_template == "<start_of_turn>");
}

TEST_CASE("a flipped bit in any of the files is refused or harmless, never more") {
  for (const auto& [file, most, step] : {std::tuple{"config.json", std::size_t(1) << 20, std::size_t(7)}, std::tuple{"tokenizer.json", std::size_t(1) << 20, std::size_t(61)},
                                         std::tuple{"model.safetensors", std::size_t(2400), std::size_t(23)}}) {
    CAPTURE(file);
    Copy c("llama_yarn");
    const std::string whole = c.text(file);
    int refused = 0, flips = 0;
    for (std::size_t bit = 0; bit < std::min(most, whole.size()) * 8; bit += step, ++flips) {
      std::string broken = whole;
      broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << bit % 8));
      c.write(file, broken);
      refused += !c.refusal().empty();
    }
    CHECK(refused * 4 > flips);
    CHECK(flips > 200);
  }
}
