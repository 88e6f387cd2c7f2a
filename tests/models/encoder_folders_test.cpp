// Folders of encoders for which no trained model lies here: random ones, against their meaning in double.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "encoder/check.hpp"
#include "encoder/compile.hpp"
#include "encoder/reference.hpp"
#include "encoder_session.hpp"
#include "import/encoder_hf.hpp"
#include "shared.hpp"

using namespace jogak;
using nlohmann::json;

namespace {

// A model's folder in the making; gone with its object.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("jogak_encoder_" + std::to_string(::getpid()))) { std::filesystem::create_directories(path_); }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // fp32 values around `middle`.
  void add(const std::string& name, const std::vector<int>& shape, double size, double middle = 0) {
    std::size_t n = 1;
    for (const int d : shape) n *= static_cast<std::size_t>(d);
    header_[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {data_.size() * 4, (data_.size() + n) * 4}}};
    for (std::size_t i = 0; i < n; ++i) {
      state_ = state_ * 1664525u + 1013904223u;
      data_.push_back(static_cast<float>(middle + size * (static_cast<double>(state_ >> 8) * 0x1p-23 - 1)));
    }
  }
  void dense(const std::string& name, int n, int k, bool bias = true) {
    add(name + ".weight", {n, k}, std::sqrt(3.0 / k));
    if (bias) add(name + ".bias", {n}, 0.3);
  }
  void norm(const std::string& name, int width) { add(name + ".weight", {width}, 0.3, 1), add(name + ".bias", {width}, 0.3); }
  const std::filesystem::path& write(const json& config) {
    std::ofstream(path_ / "config.json") << config.dump();
    const std::string text = header_.dump();
    const std::uint64_t length = text.size();
    std::ofstream out(path_ / "model.safetensors", std::ios::binary);
    out.write(reinterpret_cast<const char*>(&length), 8);
    out.write(text.data(), static_cast<std::streamsize>(length));
    out.write(reinterpret_cast<const char*>(data_.data()), static_cast<std::streamsize>(data_.size() * 4));
    return path_;
  }

 private:
  std::filesystem::path path_;
  json header_ = json::object();
  std::vector<float> data_;
  std::uint32_t state_ = 1;
};

void clip_tower(Folder& f, const std::string& p, int width, int ffn, int layers) {
  for (int i = 0; i < layers; ++i) {
    const std::string at = p + "encoder.layers." + std::to_string(i) + ".";
    for (const char* m : {"q_proj", "k_proj", "v_proj", "out_proj"}) f.dense(at + "self_attn." + m, width, width);
    f.norm(at + "layer_norm1", width), f.norm(at + "layer_norm2", width);
    f.dense(at + "mlp.fc1", ffn, width), f.dense(at + "mlp.fc2", width, ffn);
  }
}

json clip(Folder& f) {
  f.add("logit_scale", {1}, 0, 2.6);
  f.add("text_model.embeddings.token_embedding.weight", {50, 64}, 0.5), f.add("text_model.embeddings.position_embedding.weight", {77, 64}, 0.2);
  f.add("text_model.embeddings.position_ids", {1, 77}, 0);
  clip_tower(f, "text_model.", 64, 128, 2);
  f.norm("text_model.final_layer_norm", 64), f.dense("text_projection", 48, 64, false);
  f.add("vision_model.embeddings.class_embedding", {96}, 0.5), f.add("vision_model.embeddings.patch_embedding.weight", {96, 3, 8, 8}, 0.12);
  f.add("vision_model.embeddings.position_embedding.weight", {26, 96}, 0.2);
  f.norm("vision_model.pre_layrnorm", 96);
  clip_tower(f, "vision_model.", 96, 192, 2);
  f.norm("vision_model.post_layernorm", 96), f.dense("visual_projection", 48, 96, false);
  const auto tower = [](int width, int ffn, int heads) {
    return json{{"hidden_size", width}, {"intermediate_size", ffn}, {"num_attention_heads", heads}, {"num_hidden_layers", 2}, {"hidden_act", "quick_gelu"}};
  };
  json text = tower(64, 128, 2), vision = tower(96, 192, 3);
  text.update({{"vocab_size", 50}, {"max_position_embeddings", 77}});
  vision.update({{"image_size", 40}, {"patch_size", 8}});
  return {{"model_type", "clip"}, {"projection_dim", 48}, {"text_config", text}, {"vision_config", vision}};
}

json bert(Folder& f, bool classes) {
  f.add("embeddings.word_embeddings.weight", {40, 80}, 0.5), f.add("embeddings.position_embeddings.weight", {50, 80}, 0.2);
  f.add("embeddings.token_type_embeddings.weight", {2, 80}, 0.3), f.norm("embeddings.LayerNorm", 80);
  for (int i = 0; i < 2; ++i) {
    const std::string at = "encoder.layer." + std::to_string(i) + ".";
    for (const char* m : {"query", "key", "value"}) f.dense(at + "attention.self." + m, 80, 80);
    f.dense(at + "attention.output.dense", 80, 80), f.norm(at + "attention.output.LayerNorm", 80);
    f.dense(at + "intermediate.dense", 144, 80), f.dense(at + "output.dense", 80, 144), f.norm(at + "output.LayerNorm", 80);
  }
  f.dense("pooler.dense", 80, 80);
  if (classes) f.dense("classifier", 3, 80);
  return {{"model_type", "bert"}, {"hidden_size", 80}, {"intermediate_size", 144}, {"num_attention_heads", 4}, {"num_hidden_layers", 2}, {"vocab_size", 40},
          {"type_vocab_size", 2}, {"max_position_embeddings", 50}, {"hidden_act", "gelu_new"}, {"layer_norm_eps", 1e-12}, {"num_labels", 3}};
}

// On both machines: close to the reference, no race, the same bits; returns the result.
void check(const encoder::Encoder& model, const EncoderInput& in, double bound) {
  const auto expected = encoder::reference(model, {.ids = {in.ids.begin(), in.ids.end()}, .types = {in.types.begin(), in.types.end()}, .pixels = in.pixels});
  std::vector<float> other;
  for (const char* config : {"edge", "nano"}) {
    const Program p = encoder::compile(model, config);
    EncoderSession session(p, "model");
    const EncoderResult r = session.run(in);
    REQUIRE(r.values.size() == expected.size());
    double off = 0, whole = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) off += std::pow(r.values[i] - expected[i], 2), whole += std::pow(expected[i], 2);
    INFO(config << ": error " << std::sqrt(off / whole));
    CHECK(std::sqrt(off / whole) <= bound);
    if (!other.empty()) CHECK(other == r.values);
    other = r.values;
    std::map<std::string, encoder::Bytes> inputs;
    if (!in.pixels.empty()) inputs["input/pixel_values"] = encoder::bytes(in.pixels);
    if (!in.ids.empty()) inputs["input/input_ids"] = encoder::bytes(in.ids);
    if (model.embedding.type_count > 0)
      inputs["input/token_type_ids"] = encoder::bytes(in.types.empty() ? std::vector<std::int32_t>(in.ids.size()) : in.types);
    const auto rows = static_cast<std::uint32_t>(in.pixels.empty() ? in.ids.size() : session.context());
    const auto found = encoder::checked_run(p, rows, inputs, "output/" + session.output());
    CHECK(std::memcmp(found.data(), r.values.data(), r.columns * 4) == 0);
  }
}

}  // namespace

TEST_CASE("clip: both towers within 2 % of their meaning; the text's last row sees all before it") {
  Folder f;
  const auto path = f.write(clip(f));
  const auto text = import::read_encoder(path, {}, "text");
  for (const int tokens : {1, 30, 77}) {
    EncoderInput in;
    for (int i = 0; i < tokens; ++i) in.ids.push_back(i * 7 % 50);
    check(text, in, 0.02);
  }
  EncoderInput image;
  for (int i = 0; i < 3 * 40 * 40; ++i) image.pixels.push_back(static_cast<float>(i * 2654435761u >> 20) / 2048.0f - 1);
  check(import::read_encoder(path, {}, "vision"), image, 0.02);
  CHECK_THROWS_WITH_AS((void)import::read_encoder(path, {}), "compile: tower of a clip model, found none, expected text or vision", Error);
}

TEST_CASE("bert: classes of a text through the pooler, types of tokens, a shorter context") {
  Folder f;
  const auto path = f.write(bert(f, true));
  auto model = import::read_encoder(path, {});
  EncoderInput in;
  for (int i = 0; i < 43; ++i) in.ids.push_back(i * 11 % 40), in.types.push_back(i > 20);
  check(model, in, 0.02);
  encoder::shorten(model, 43);
  check(model, in, 0.02);
  encoder::shorten(model, 42);
  EncoderSession session(encoder::compile(model, "nano"), "model");
  CHECK_THROWS_WITH_AS((void)session.run(in), "session: text, found 43 tokens, expected 1 to 42", Error);
}

TEST_CASE("bert: without a head its rows are the result; tensors without a place are refused") {
  Folder f;
  const json config = bert(f, false);
  const auto model = import::read_encoder(f.write(config), {});
  EncoderInput in;
  for (int i = 0; i < 21; ++i) in.ids.push_back(i);
  check(model, in, 0.02);
  f.add("encoder.layer.1.adapter.weight", {2, 2}, 1);
  CHECK_THROWS_WITH_AS((void)import::read_encoder(f.write(config), {}),
                       "model: tensor encoder.layer.1.adapter.weight, found one without a place in this encoder, expected no such tensor", Error);
  json relative = config;
  relative["position_embedding_type"] = "relative_key";
  CHECK_THROWS_AS((void)import::read_encoder(f.write(relative), {}), Error);
}
