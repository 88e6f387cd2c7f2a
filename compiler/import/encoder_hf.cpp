#include "encoder_hf.hpp"

#include <cstring>
#include <map>
#include <set>

#include "../passes/quantize.hpp"
#include "encoder_parts.hpp"
#include "safetensors.hpp"
#include "../encoder/compile.hpp"

namespace jogak::import {
namespace {

namespace fs = std::filesystem;
using encoder::Activation;
using encoder::Dense;
using encoder::Encoder;
using encoder::Norm;
const std::string kConfig = "config.json";
constexpr int kMostRows = 32768;

// The tensors of a folder; what nobody takes is refused at the end.
class Tensors {
 public:
  Tensors(std::vector<ir::Tensor> tensors, const EncoderFormats& formats) : formats_(formats) {
    for (ir::Tensor& t : tensors) {
      const std::string name = t.name;
      tensors_.emplace(name, std::move(t));
    }
  }

  bool has(const std::string& name) const { return tensors_.contains(name); }
  bool any(const std::string& prefix) const {
    const auto it = tensors_.lower_bound(prefix);
    return it != tensors_.end() && it->first.starts_with(prefix);
  }
  void drop(const std::string& prefix) {
    std::erase_if(tensors_, [&](const auto& t) { return t.first.starts_with(prefix); });
  }

  // With a shape whose product is that of `shape`'s; dimensions of 1 do not count.
  ir::Tensor take(const std::string& name, std::vector<std::int64_t> shape) {
    const auto it = tensors_.find(name);
    if (it == tensors_.end()) throw Error("model", "tensor " + name, "nothing", "its values");
    ir::Tensor t = std::move(it->second);
    tensors_.erase(it);
    if (squeezed(t.shape) != squeezed(shape)) throw Error("model", "shape of " + name, text(t.shape), text(shape));
    t.shape = std::move(shape);
    return t;
  }
  std::vector<float> values(const std::string& name, std::vector<std::int64_t> shape) { return passes::finite_float(take(name, std::move(shape))); }
  Norm norm(const std::string& name, int width) { return {values(name + ".weight", {width}), values(name + ".bias", {width})}; }
  // Biases may be missing where they may. `group`: see passes::quantize.
  Dense dense(const std::string& name, int n, int k, bool biased = true, int group = 0) {
    return dense(take(name + ".weight", {n, k}), name, biased ? values(name + ".bias", {n}) : std::vector<float>(), group);
  }
  Dense dense(const ir::Tensor& w, const std::string& name, std::vector<float> bias, int group = 0) {
    Dense d{std::make_shared<ir::QMatrix>(passes::quantize(w, format(name), group)), std::move(bias), name, nullptr};
    if (formats_.keep_exact) d.exact = std::make_shared<const std::vector<float>>(passes::to_float(w));
    return d;
  }
  ir::Format format(const std::string& name) {
    ir::Format f = formats_.standard;
    for (const auto& [part, format] : formats_.rules)
      if (name.find(part) != std::string::npos) f = format, used_.insert(part);
    return f;
  }

  void finish() const {
    for (const auto& [name, t] : tensors_)
      if (!name.ends_with("position_ids")) throw Error("model", "tensor " + name, "one without a place in this encoder", "no such tensor");
    for (const auto& [part, format] : formats_.rules)
      if (!used_.contains(part)) throw Error("compile", "matrices named by the format rule " + part, "none", "part of a matrix' name");
  }

 private:
  static std::vector<std::int64_t> squeezed(std::vector<std::int64_t> shape) {
    std::erase(shape, 1);
    return shape;
  }
  static std::string text(const std::vector<std::int64_t>& shape) {
    std::string s;
    for (const auto d : shape) s += (s.empty() ? "" : " x ") + std::to_string(d);
    return s;
  }
  const EncoderFormats& formats_;
  std::map<std::string, ir::Tensor> tensors_;
  std::set<std::string> used_;
};

// A layer's names behind its prefix.
struct LayerNames {
  const char *q, *k, *v, *o, *middle, *up, *down;
};

class Reader {
 public:
  Reader(const Json& config, std::vector<ir::Tensor> tensors, const std::string& name, const EncoderFormats& formats)
      : json_(config), tensors_(std::move(tensors), formats) {
    e_.name = name;
    if (json_.contains("quantization_config") && !json_["quantization_config"].is_null())
      throw Error(kConfig, "quantization_config", "one", "none (F32, F16 or BF16 weights)");
  }

  Encoder read(const std::string& tower) {
    const std::string type = need_key<std::string>(kConfig, json_, "model_type");
    if (type != "clip" && !tower.empty()) throw Error("compile", "tower", tower, "none: this model has one");
    if (type == "bert") bert();
    else if (type == "vit") vit();
    else if (type == "clip") clip(tower);
    else throw Error(kConfig, "model_type", type, "bert, vit or clip");
    tensors_.finish();
    e_.architecture = type;
    return std::move(e_);
  }

 private:
  // Sizes that all kinds have in common.
  void sizes(const Json& j, double eps) {
    e_.width = need_size(kConfig, j, "hidden_size"), e_.heads = need_size(kConfig, j, "num_attention_heads");
    e_.ffn = need_size(kConfig, j, "intermediate_size");
    layers_ = need_size(kConfig, j, "num_hidden_layers");
    if (e_.width % e_.heads != 0) throw Error(kConfig, "num_attention_heads", std::to_string(e_.heads), "a divisor of hidden_size " + std::to_string(e_.width));
    e_.head_dim = e_.width / e_.heads;
    e_.eps = static_cast<float>(optional_key<double>(kConfig, j, "layer_norm_eps").value_or(eps));
    e_.activation = activation(optional_key<std::string>(kConfig, j, "hidden_act").value_or("gelu"));
  }
  static Activation activation(const std::string& name) {
    if (name == "gelu") return Activation::gelu;
    if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast") return Activation::gelu_tanh;
    if (name == "quick_gelu") return Activation::gelu_quick;
    throw Error(kConfig, "hidden_act", name, "gelu, gelu_new, gelu_pytorch_tanh, gelu_fast or quick_gelu");
  }
  void positions(const std::string& name, int context) {
    e_.context = std::min(context, kMostRows);
    e_.embedding.positions = tensors_.values(name, {context, e_.width});
    e_.embedding.positions.resize(static_cast<std::size_t>(e_.context * e_.width));
  }

  // end_of(i): the norm behind layer i.
  template <class End>
  void layers(const std::string& prefix, const LayerNames& n, bool biased, const End& end_of) {
    for (int i = 0; i < layers_; ++i) {
      const std::string at = prefix + std::to_string(i) + ".";
      const auto square = [&](const char* name) { return tensors_.dense(at + name, e_.width, e_.width, biased); };
      encoder::Layer l;
      l.q = square(n.q), l.k = square(n.k), l.v = square(n.v);
      l.o = tensors_.dense(at + n.o, e_.width, e_.width, true, e_.head_dim);
      l.middle = tensors_.norm(at + n.middle, e_.width);
      l.up = tensors_.dense(at + n.up, e_.ffn, e_.width), l.down = tensors_.dense(at + n.down, e_.width, e_.ffn);
      l.end = end_of(i);
      e_.layers.push_back(std::move(l));
    }
  }
  // Where norms come first: the one behind a layer is the next layer's first.
  void layers_norm_first(const std::string& prefix, const LayerNames& n, bool biased, const std::string& first, const std::string& last) {
    e_.norm_first = true;
    e_.first = tensors_.norm(prefix + "0." + first, e_.width);
    layers(prefix, n, biased, [&](int i) { return tensors_.norm(i + 1 < layers_ ? prefix + std::to_string(i + 1) + "." + first : last, e_.width); });
  }

  void bert() {
    sizes(json_, 1e-12);
    if (optional_key<std::string>(kConfig, json_, "position_embedding_type").value_or("absolute") != "absolute")
      throw Error(kConfig, "position_embedding_type", json_["position_embedding_type"].dump(), "absolute");
    const std::string p = tensors_.any("bert.") ? "bert." : "", in = p + "embeddings.";
    encoder::Embedding& e = e_.embedding;
    e.source = encoder::Source::tokens;
    e.vocab = need_size(kConfig, json_, "vocab_size"), e.type_count = need_size(kConfig, json_, "type_vocab_size");
    e.words = tensors_.values(in + "word_embeddings.weight", {e.vocab, e_.width});
    e.types = tensors_.values(in + "token_type_embeddings.weight", {e.type_count, e_.width});
    positions(in + "position_embeddings.weight", need_size(kConfig, json_, "max_position_embeddings"));
    e.normed = true, e.norm = tensors_.norm(in + "LayerNorm", e_.width);
    const std::string at = p + "encoder.layer.";
    layers(at, {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "attention.output.LayerNorm",
                "intermediate.dense", "output.dense"}, true, [&](int i) { return tensors_.norm(at + std::to_string(i) + ".output.LayerNorm", e_.width); });
    bert_head(p);
  }

  void bert_head(const std::string& p) {
    if (tensors_.any("cls.predictions.")) {
      const std::string at = "cls.predictions.";
      encoder::HeadStep transform{.dense = tensors_.dense(at + "transform.dense", e_.width, e_.width), .activated = true, .normed = true,
                                  .activation = e_.activation, .norm = tensors_.norm(at + "transform.LayerNorm", e_.width)};
      Dense words;
      if (tensors_.has(at + "decoder.weight")) words = tensors_.dense(at + "decoder", e_.embedding.vocab, e_.width, false);
      else words = tied(e_.embedding.words, e_.embedding.vocab, "cls.predictions.decoder");
      words.bias = tensors_.values(at + "bias", {e_.embedding.vocab});
      tensors_.drop(at + "decoder.bias");  // the same values
      tensors_.drop("cls.seq_relationship."), tensors_.drop(p + "pooler.");
      e_.head.name = "logits";
      e_.head.steps = {std::move(transform), {.dense = std::move(words), .activated = false, .normed = false, .activation = e_.activation, .norm = {}}};
    } else if (tensors_.has("classifier.weight")) {
      encoder::HeadStep pooler{.dense = tensors_.dense(p + "pooler.dense", e_.width, e_.width), .activated = true, .normed = false,
                               .activation = Activation::tanh, .norm = {}};
      e_.head.steps = {std::move(pooler), classifier()};
      e_.head.rows = encoder::HeadRows::first;
    } else {
      tensors_.drop(p + "pooler.");
    }
  }
  Dense tied(const std::vector<float>& values, int n, const std::string& name) {
    ir::Tensor t{name, {n, e_.width}, ir::DType::f32, std::vector<std::byte>(values.size() * 4)};
    std::memcpy(t.data.data(), values.data(), t.data.size());
    return tensors_.dense(t, name, {});
  }
  encoder::HeadStep classifier() {
    int labels = optional_size(kConfig, json_, "num_labels").value_or(0);
    if (labels == 0) labels = json_.contains("id2label") ? static_cast<int>(json_["id2label"].size()) : 2;
    e_.head.name = "logits";
    return {.dense = tensors_.dense("classifier", labels, e_.width), .activated = false, .normed = false, .activation = e_.activation, .norm = {}};
  }

  // The matrix of the patches; row 0 of the positions takes the sequence's first row in, the others the matrix' bias.
  void patches(const Json& j, const std::string& matrix, bool biased, const std::string& first, const std::string& place) {
    encoder::Embedding& e = e_.embedding;
    e.source = encoder::Source::patches;
    e.image = need_size(kConfig, j, "image_size"), e.patch_size = need_size(kConfig, j, "patch_size");
    e.channels = optional_size(kConfig, j, "num_channels").value_or(3);
    const int side = e.image / e.patch_size, pixels = e.channels * e.patch_size * e.patch_size;
    ir::Tensor w = tensors_.take(matrix + ".weight", {e_.width, e.channels, e.patch_size, e.patch_size});
    w.shape = {e_.width, pixels};
    e.patch = tensors_.dense(w, matrix, {});
    const std::vector<float> bias = biased ? tensors_.values(matrix + ".bias", {e_.width}) : std::vector<float>(static_cast<std::size_t>(e_.width));
    const std::vector<float> row = tensors_.values(first, {e_.width});
    positions(place, side * side + 1);
    if (e_.context != side * side + 1) throw Error(kConfig, "patches of an image", std::to_string(side * side), "fewer than " + std::to_string(kMostRows));
    for (std::size_t i = 0; i < e.positions.size(); ++i) e.positions[i] += i < row.size() ? row[i] : bias[i % bias.size()];
  }

  void vit() {
    sizes(json_, 1e-12);
    const std::string p = tensors_.any("vit.") ? "vit." : "", in = p + "embeddings.";
    patches(json_, in + "patch_embeddings.projection", true, in + "cls_token", in + "position_embeddings");
    layers_norm_first(p + "encoder.layer.", {"attention.attention.query", "attention.attention.key", "attention.attention.value", "attention.output.dense",
                                             "layernorm_after", "intermediate.dense", "output.dense"},
                      optional_key<bool>(kConfig, json_, "qkv_bias").value_or(true), "layernorm_before", p + "layernorm");
    tensors_.drop(p + "pooler.");
    e_.head.rows = encoder::HeadRows::first;
    e_.head.steps = {classifier()};
  }

  void clip(const std::string& tower) {
    if (tower != "text" && tower != "vision") throw Error("compile", "tower of a clip model", tower.empty() ? "none" : tower, "text or vision");
    tensors_.drop(tower == "text" ? "vision_model." : "text_model.");
    tensors_.drop(tower == "text" ? "visual_projection." : "text_projection.");
    tensors_.drop("logit_scale");
    const Json j = need_key<Json>(kConfig, json_, (tower + "_config").c_str());
    sizes(j, 1e-5);
    if (!j.contains("hidden_act")) e_.activation = Activation::gelu_quick;
    const std::string p = tower + "_model.", in = p + "embeddings.";
    encoder::Embedding& e = e_.embedding;
    if (tower == "vision") {
      patches(j, in + "patch_embedding", false, in + "class_embedding", in + "position_embedding.weight");
      e.normed = true, e.norm = tensors_.norm(p + "pre_layrnorm", e_.width);
      e_.head.rows = encoder::HeadRows::first;
    } else {
      e.source = encoder::Source::tokens;
      e.vocab = need_size(kConfig, j, "vocab_size");
      e.words = tensors_.values(in + "token_embedding.weight", {e.vocab, e_.width});
      positions(in + "position_embedding.weight", need_size(kConfig, j, "max_position_embeddings"));
      e_.causal = true;
      e_.head.rows = encoder::HeadRows::last;
    }
    layers_norm_first(p + "encoder.layers.", {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "layer_norm2", "mlp.fc1",
                                              "mlp.fc2"}, true, "layer_norm1", p + (tower == "text" ? "final_layer_norm" : "post_layernorm"));
    const int out = optional_size(kConfig, json_, "projection_dim").value_or(512);
    e_.head.name = "embedding";
    e_.head.steps = {{.dense = tensors_.dense(tower == "text" ? "text_projection" : "visual_projection", out, e_.width, false), .activated = false,
                      .normed = false, .activation = e_.activation, .norm = {}}};
  }

  Json json_;
  Tensors tensors_;
  Encoder e_;
  int layers_ = 0;
};

}  // namespace

encoder::Encoder build_encoder(const Json& config, std::vector<ir::Tensor> tensors, const std::string& name, const EncoderFormats& formats, const std::string& tower) {
  return Reader(config, std::move(tensors), name, formats).read(tower);
}

encoder::Words words_of(const std::function<encoder::Words()>& read, int vocab) {
  encoder::Words words;
  try {
    words = read();
  } catch (const Error& e) {
    words.refused = e.what();
  }
  if (static_cast<int>(words.tokens.size()) > vocab)
    return {.tokens = {}, .refused = "tokenizer: " + std::to_string(words.tokens.size()) + " tokens, expected at most the model's " + std::to_string(vocab)};
  return words;
}

// As sentence-transformers writes it, beside the model.
encoder::Pooling folder_pooling(const fs::path& model) {
  const fs::path file = model / "1_Pooling" / kConfig;
  if (!fs::exists(file)) return encoder::Pooling::none;
  const Json j = read_json_file(file);
  const auto mode = [&](const char* key) { return optional_key<bool>("1_Pooling/config.json", j, key).value_or(false); };
  for (const char* other : {"pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken"})
    if (mode(other)) throw Error("1_Pooling/config.json", "pooling", other, "pooling_mode_mean_tokens or pooling_mode_cls_token alone");
  if (mode("pooling_mode_mean_tokens") && mode("pooling_mode_cls_token")) throw Error("1_Pooling/config.json", "pooling", "two kinds", "one");
  return mode("pooling_mode_mean_tokens") ? encoder::Pooling::mean : mode("pooling_mode_cls_token") ? encoder::Pooling::first : encoder::Pooling::none;
}

bool is_encoder(const fs::path& model) {
  if (!fs::is_directory(model)) return is_encoder_gguf(model);
  if (!fs::exists(model / kConfig)) return false;
  const auto type = optional_key<std::string>(kConfig, read_json_file(model / kConfig), "model_type").value_or("");
  return type == "bert" || type == "vit" || type == "clip";
}

Encoder read_encoder(const fs::path& model, const EncoderFormats& formats, const std::string& tower) {
  if (model.extension() != ".gguf") {
    Encoder e = build_encoder(read_json_file(model / kConfig), read_safetensors(model), fs::weakly_canonical(model).filename().string(), formats, tower);
    if (e.embedding.source == encoder::Source::tokens) e.words = words_of([&] { return read_word_pieces(model); }, e.embedding.vocab);
    pool(e, formats.pooling ? *formats.pooling : e.head.steps.empty() ? folder_pooling(model) : encoder::Pooling::none);
    return e;
  }
  if (!tower.empty()) throw Error("compile", "tower", tower, "none: this model has one");
  return read_encoder_gguf(model, formats);
}

}  // namespace jogak::import
