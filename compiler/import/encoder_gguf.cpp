#include <map>

#include "encoder_parts.hpp"
#include "error.hpp"
#include "gguf_file.hpp"
#include "mapped_file.hpp"

namespace jogak::import {
namespace {

namespace fs = std::filesystem;

struct Names {
  const char *gguf, *here;
};
constexpr Names kWhole[] = {{"token_embd.weight", "embeddings.word_embeddings.weight"}, {"position_embd.weight", "embeddings.position_embeddings.weight"},
                            {"token_types.weight", "embeddings.token_type_embeddings.weight"}, {"token_embd_norm.weight", "embeddings.LayerNorm.weight"},
                            {"token_embd_norm.bias", "embeddings.LayerNorm.bias"}};
constexpr Names kLayer[] = {{"attn_q", "attention.self.query"}, {"attn_k", "attention.self.key"}, {"attn_v", "attention.self.value"},
                            {"attn_output", "attention.output.dense"}, {"attn_output_norm", "attention.output.LayerNorm"},
                            {"ffn_up", "intermediate.dense"}, {"ffn_down", "output.dense"}, {"layer_output_norm", "output.LayerNorm"}};

class Bert {
 public:
  explicit Bert(GgufFile& in) : in_(in) {
    for (ir::Tensor& t : in.tensors()) {
      const std::string name = t.name;
      tensors_.emplace(name, std::move(t));
    }
  }

  // In place of config.json. The files do not say which GELU: BERT's is the exact one.
  Json config() const {
    const auto size = [&](const char* key) { return in_.integer(std::string("bert.") + key, 1, 1 << 24); };
    if (in_.has("bert.attention.causal") && in_.real("bert.attention.causal") != 0)
      throw Error(in_.part(), "bert.attention.causal", "true", "false");
    if (const int pooling = in_.has("bert.pooling_type") ? in_.integer("bert.pooling_type", 0, 255) : 0; pooling > 2)
      throw Error(in_.part(), "bert.pooling_type", std::to_string(pooling), "0 to 2 (none, mean, first row)");
    return {{"model_type", "bert"}, {"hidden_size", size("embedding_length")}, {"num_attention_heads", size("attention.head_count")},
            {"intermediate_size", size("feed_forward_length")}, {"num_hidden_layers", size("block_count")}, {"max_position_embeddings", size("context_length")},
            {"layer_norm_eps", in_.real("bert.attention.layer_norm_epsilon")}, {"vocab_size", rows("token_embd.weight")},
            {"type_vocab_size", rows("token_types.weight")}, {"hidden_act", "gelu"}};
  }

  std::vector<ir::Tensor> tensors(int layers) {
    for (const Names& n : kWhole) take(n.gguf, n.here);
    for (int i = 0; i < layers; ++i)
      for (const Names& n : kLayer)
        for (const char* kind : {".weight", ".bias"})
          take("blk." + std::to_string(i) + "." + n.gguf + kind, "encoder.layer." + std::to_string(i) + "." + n.here + kind);
    if (!tensors_.empty())
      throw Error(in_.part(), "tensor " + tensors_.begin()->first, "one without a place in this encoder", "no such tensor");
    return std::move(out_);
  }

 private:
  std::int64_t rows(const std::string& name) const {
    const auto it = tensors_.find(name);
    if (it == tensors_.end()) throw Error(in_.part(), "tensor " + name, "nothing", "its values");
    return it->second.shape.front();
  }
  void take(const std::string& name, const std::string& here) {
    const auto it = tensors_.find(name);
    if (it == tensors_.end()) throw Error(in_.part(), "tensor " + name, "nothing", "its values");
    out_.push_back(std::move(it->second));
    out_.back().name = here;
    tensors_.erase(it);
  }

  GgufFile& in_;
  std::map<std::string, ir::Tensor> tensors_;
  std::vector<ir::Tensor> out_;
};

}  // namespace

bool is_encoder_gguf(const fs::path& file) {
  if (file.extension() != ".gguf" || !fs::is_regular_file(file)) return false;
  const auto mapped = std::make_shared<const MappedFile>("model", file, "a model file");
  return GgufFile(mapped->bytes(), file.filename().string(), mapped).architecture() == "bert";
}

encoder::Encoder read_encoder_gguf(const fs::path& file, const EncoderFormats& formats) {
  const auto mapped = std::make_shared<const MappedFile>("model", file, "a model file");
  GgufFile in(mapped->bytes(), file.filename().string(), mapped);
  Bert bert(in);
  const Json config = bert.config();
  const auto* name = in.list<std::string>("general.name");
  encoder::Encoder e = build_encoder(config, bert.tensors(config.at("num_hidden_layers")), name ? *name : file.stem().string(), formats, "");
  e.words = words_of([&] { return read_word_pieces(in); }, e.embedding.vocab);
  const int pooling = in.has("bert.pooling_type") ? in.integer("bert.pooling_type", 0, 2) : 0;
  pool(e, formats.pooling ? *formats.pooling : pooling == 1 ? encoder::Pooling::mean : pooling == 2 ? encoder::Pooling::first : encoder::Pooling::none);
  return e;
}

}  // namespace jogak::import
