#include "gguf.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <variant>

#include "../passes/blocks.hpp"
#include "llama.hpp"
#include "reader.hpp"

namespace jogak::import {
namespace {

using ir::DType;

// Metadata value types, by GGUF's numbers.
enum class Kind : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

using Texts = std::vector<std::string>;
using Numbers = std::vector<double>;
using Value = std::variant<double, std::string, Texts, Numbers>;

struct TypeInfo {
  std::uint32_t code;
  DType dtype;
};
constexpr TypeInfo kTypes[] = {{0, DType::f32},   {1, DType::f16},   {2, DType::q4_0},   {3, DType::q4_1},   {6, DType::q5_0},  {7, DType::q5_1},
                               {8, DType::q8_0},  {10, DType::q2_k}, {11, DType::q3_k},  {12, DType::q4_k},  {13, DType::q5_k}, {14, DType::q6_k},
                               {20, DType::iq4_nl}, {23, DType::iq4_xs}, {30, DType::bf16}, {39, DType::mxfp4}};
// Values and bytes of the smallest piece of a row.
passes::BlockLayout layout_of(DType type) {
  if (const passes::BlockLayout* l = passes::block_layout(type)) return *l;
  return {type, 1, type == DType::f32 ? 4 : 2};
}
constexpr const char* kTypeNames[] = {"F32", "F16", "Q4_0", "Q4_1", "4", "5", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
                                      "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16",
                                      "I32", "I64", "F64", "IQ1_M", "BF16"};

class Gguf {
 public:
  Gguf(std::span<const std::byte> file, const std::string& name, std::shared_ptr<const void> keep)
      : in_("gguf " + name, file), file_(file), keep_(std::move(keep)) {}

  ir::Graph read() {
    header();
    const auto tensors = in_.count(tensor_count_, 24, "tensors"), pairs = in_.count(pair_count_, 12, "metadata entries");
    for (std::uint64_t i = 0; i < pairs; ++i) {
      std::string key = in_.text("metadata key");
      Value v = value(static_cast<Kind>(in_.get<std::uint32_t>("metadata type")));
      meta_.insert_or_assign(std::move(key), std::move(v));
    }
    architecture();
    read_tensors(tensors);
    for (ir::Tensor& t : graph_.tensors)  // gpt-oss calls the norm before the experts so
      if (const auto at = t.name.find(".post_attention_norm."); graph_.architecture == "gpt-oss" && at != std::string::npos) t.name.replace(at, 21, ".ffn_norm.");
    LlamaHyper h = hyper();
    vocabulary();
    build_llama(graph_, h);
    return std::move(graph_);
  }

 private:
  void header() {
    const auto magic = in_.get<std::uint32_t>("magic");
    if (magic != 0x46554747) throw Error(in_.part(), "magic", std::to_string(magic), "the letters GGUF");
    const auto version = in_.get<std::uint32_t>("version");
    if (version != 2 && version != 3) throw Error(in_.part(), "version", std::to_string(version), "2 or 3");
    tensor_count_ = in_.get<std::uint64_t>("tensor count");
    pair_count_ = in_.get<std::uint64_t>("metadata count");
  }

  double number(Kind kind) {
    switch (kind) {
      case Kind::u8: return in_.get<std::uint8_t>("value");
      case Kind::i8: return in_.get<std::int8_t>("value");
      case Kind::u16: return in_.get<std::uint16_t>("value");
      case Kind::i16: return in_.get<std::int16_t>("value");
      case Kind::u32: return in_.get<std::uint32_t>("value");
      case Kind::i32: return in_.get<std::int32_t>("value");
      case Kind::f32: return in_.get<float>("value");
      case Kind::boolean: return in_.get<std::uint8_t>("value") != 0;
      case Kind::u64: return static_cast<double>(in_.get<std::uint64_t>("value"));
      case Kind::i64: return static_cast<double>(in_.get<std::int64_t>("value"));
      case Kind::f64: return in_.get<double>("value");
      default: throw Error(in_.part(), "metadata type", std::to_string(static_cast<unsigned>(kind)), "0 to 12");
    }
  }
  Value value(Kind kind) {
    if (kind == Kind::string) return in_.text("text");
    if (kind != Kind::array) return number(kind);
    const auto of = static_cast<Kind>(in_.get<std::uint32_t>("array type"));
    const auto claimed = in_.get<std::uint64_t>("array length");
    if (of == Kind::array) throw Error(in_.part(), "array", "an array of arrays", "numbers or texts");
    if (of == Kind::string) {
      Texts list(in_.count(claimed, 8, "array elements"));
      for (auto& s : list) s = in_.text("array element");
      return list;
    }
    Numbers list(in_.count(claimed, 1, "array elements"));
    for (auto& x : list) x = number(of);
    return list;
  }

  void architecture() {
    const std::string* arch = list<std::string>("general.architecture");
    if (!arch || (*arch != "llama" && *arch != "qwen2" && *arch != "qwen3" && *arch != "qwen3moe" && *arch != "gpt-oss" && *arch != "phi3" && *arch != "gemma"))
      throw Error(in_.part(), "architecture", arch ? *arch : "none", "llama, qwen2, qwen3, qwen3moe, gpt-oss, phi3 or gemma");
    graph_.architecture = *arch;
    if (const auto* name = list<std::string>("general.name")) graph_.model_name = *name;
  }

  void read_tensors(std::uint64_t count) {
    struct Where {
      std::uint64_t offset, bytes;
    };
    std::vector<Where> where;
    std::set<std::string> seen;
    for (std::uint64_t i = 0; i < count; ++i) {
      ir::Tensor t;
      t.name = in_.text("tensor name");
      if (!seen.insert(t.name).second) throw Error(in_.part(), "tensor " + t.name, "a second one", "one of that name");
      const auto dims = in_.get<std::uint32_t>("dimensions");
      if (dims < 1 || dims > 4) throw Error(in_.part(), "dimensions of " + t.name, std::to_string(dims), "1 to 4");
      std::uint64_t elements = 1;
      for (std::uint32_t d = 0; d < dims; ++d) {
        const auto size = in_.get<std::uint64_t>("dimension");
        if (size == 0 || size > in_.size() * 2 || elements > in_.size() * 2 / size)
          throw Error(in_.part(), "size of " + t.name, std::to_string(size) + " in dimension " + std::to_string(d), "what a file of " +
                      std::to_string(in_.size()) + " bytes can hold");
        elements *= size;
        t.shape.insert(t.shape.begin(), static_cast<std::int64_t>(size));
      }
      t.dtype = type_of(in_.get<std::uint32_t>("tensor type"), t.name).dtype;
      const passes::BlockLayout layout = layout_of(t.dtype);
      if (t.shape.back() % layout.values != 0)
        throw Error(in_.part(), "last dimension of " + t.name, std::to_string(t.shape.back()), "a multiple of " + std::to_string(layout.values));
      where.push_back({in_.get<std::uint64_t>("tensor offset"), elements / static_cast<std::uint64_t>(layout.values) * static_cast<std::uint64_t>(layout.bytes)});
      graph_.tensors.push_back(std::move(t));
    }
    const auto alignment = meta_.contains("general.alignment") ? integer("general.alignment", 1, 1 << 20) : 32;
    const std::uint64_t base = (in_.position() + static_cast<std::uint64_t>(alignment) - 1) / static_cast<std::uint64_t>(alignment) * static_cast<std::uint64_t>(alignment);
    for (std::size_t i = 0; i < where.size(); ++i) {
      if (base > in_.size() || where[i].offset > in_.size() - base || where[i].bytes > in_.size() - base - where[i].offset)
        throw Error(in_.part(), "data of " + graph_.tensors[i].name, "offset " + std::to_string(where[i].offset) + " with " + std::to_string(where[i].bytes) + " bytes",
                    "inside the file (" + std::to_string(in_.size()) + " bytes)");
      const auto part = file_.subspan(static_cast<std::size_t>(base + where[i].offset), static_cast<std::size_t>(where[i].bytes));
      graph_.tensors[i].data = keep_ ? ir::Bytes(part, keep_) : ir::Bytes(part.begin(), part.end());
    }
  }
  const TypeInfo& type_of(std::uint32_t code, const std::string& tensor) const {
    for (const TypeInfo& t : kTypes)
      if (t.code == code) return t;
    const std::string name = code < std::size(kTypeNames) ? kTypeNames[code] : "type " + std::to_string(code);
    throw Error(in_.part(), "type of tensor " + tensor, name, "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K to Q6_K, IQ4_NL, IQ4_XS or MXFP4");
  }

  double real(const std::string& key) const {
    const auto it = meta_.find(key);
    const auto* x = it == meta_.end() ? nullptr : std::get_if<double>(&it->second);
    if (!x) throw Error(in_.part(), "metadata " + key, it == meta_.end() ? "nothing" : "no number", "a number");
    return *x;
  }
  int integer(const std::string& key, int least, int most) const {
    const double x = real(key);
    if (!(x >= least && x <= most)) throw Error(in_.part(), "metadata " + key, std::to_string(x), std::to_string(least) + " to " + std::to_string(most));
    return static_cast<int>(x);
  }

  // A key of this architecture.
  std::string own(const std::string& key) const { return graph_.architecture + "." + key; }
  bool has(const std::string& key) const { return meta_.contains(own(key)); }
  int size(const std::string& key, int most = 1 << 24) const { return integer(own(key), 1, most); }

  LlamaHyper hyper() const {
    LlamaHyper h;
    h.layers = size("block_count", 4096);
    h.width = size("embedding_length");
    h.heads = size("attention.head_count");
    h.kv_heads = has("attention.head_count_kv") ? size("attention.head_count_kv") : h.heads;
    h.ffn = size(mixture() ? "expert_feed_forward_length" : "feed_forward_length");
    h.context = size("context_length");
    h.eps = static_cast<float>(real(own("attention.layer_norm_rms_epsilon")));
    if (has("attention.key_length")) h.head_dim = size("attention.key_length");
    if (has("attention.value_length") && size("attention.value_length") != h.head())
      throw Error(in_.part(), own("attention.value_length"), std::to_string(size("attention.value_length")), "the length of keys, " + std::to_string(h.head()));
    if (has("attention.sliding_window")) h.window = integer(own("attention.sliding_window"), 0, 1 << 30);
    experts(h);
    if (has("rope.freq_base")) h.theta = static_cast<float>(real(own("rope.freq_base")));
    if (has("rope.dimension_count")) h.rotary_dims = size("rope.dimension_count");
    h.half_split = graph_.architecture != "llama";  // llama's rows were paired when the file was made
    h.qk_norm = graph_.architecture.starts_with("qwen3");
    h.fused = graph_.architecture == "phi3";
    if (graph_.architecture == "gemma") h.activation = ir::Activation::gelu_tanh, h.embedding_scale = std::sqrt(static_cast<float>(h.width));
    h.scaling = scaling(h);
    for (const ir::Tensor& t : graph_.tensors) {
      if (t.name == "token_embd.weight" && t.shape.size() == 2) h.vocab = static_cast<int>(std::min<std::int64_t>(t.shape[0], 1 << 24));
      h.qkv_bias |= t.name == "blk.0.attn_q.bias";
    }
    h.qkv_bias |= graph_.architecture == "qwen2";
    return h;
  }

  bool mixture() const { return graph_.architecture == "qwen3moe" || graph_.architecture == "gpt-oss"; }
  // qwen3moe: softmax of all, chosen, normalised, which is the softmax of the chosen.
  void experts(LlamaHyper& h) const {
    if (!mixture()) {
      if (has("expert_count") && integer(own("expert_count"), 0, 1 << 24) > 0)
        throw Error(in_.part(), own("expert_count"), std::to_string(integer(own("expert_count"), 0, 1 << 24)), "a dense feed-forward (0)");
      return;
    }
    h.mixture = {.experts = size("expert_count", 256), .top = size("expert_used_count", 8)};
    if (graph_.architecture != "gpt-oss") return;
    h.mixture.limit = 7, h.mixture.alpha = 1.702f;
    h.sinks = h.expert_bias = h.output_bias = true;
    if (h.window > 0)
      for (int i = 0; i < h.layers; ++i) h.sliding.push_back(i % 2 == 0);
  }

  RopeScaling scaling(const LlamaHyper& h) const {
    RopeScaling s;
    const auto number = [&](const char* key, double standard) { return has(key) ? real(own(key)) : standard; };
    if (has("rope.scale_linear")) s.kind = RopeScaling::Kind::linear, s.factor = real(own("rope.scale_linear"));
    if (has("rope.scaling.type")) {
      const auto* type = list<std::string>(own("rope.scaling.type"));
      s.kind = rope_kind(in_.part(), type ? *type : "a number");
      s.factor = number("rope.scaling.factor", 1);
    }
    s.original = number("rope.scaling.original_context_length", h.context);
    if (s.kind != RopeScaling::Kind::yarn) return s;
    s.truncate = graph_.architecture != "gpt-oss";
    s.fast = number("rope.scaling.yarn_beta_fast", 32), s.slow = number("rope.scaling.yarn_beta_slow", 1);
    s.magnitude = number("rope.scaling.attn_factor", 1) * (s.factor <= 1 ? 1 : 1 + 0.1 * std::log(s.factor));
    return s;
  }

  template <class T>
  const T* list(const std::string& key) const {
    const auto it = meta_.find(key);
    return it == meta_.end() ? nullptr : std::get_if<T>(&it->second);
  }
  void vocabulary() {
    ir::Vocabulary& v = graph_.vocabulary;
    if (const auto* model = list<std::string>("tokenizer.ggml.model")) v.model = *model;
    if (const auto* pre = list<std::string>("tokenizer.ggml.pre")) v.pre = *pre;
    if (const auto* merges = list<Texts>("tokenizer.ggml.merges")) v.merges = *merges;
    if (v.model == "gpt2") {
      v.add_space_prefix = false;
      v.add_bos = v.whole_words = v.pre.starts_with("llama");
      v.compose = v.pre.ends_with("qwen") || v.pre == "qwen2";
    }
    if (const auto* tokens = list<Texts>("tokenizer.ggml.tokens")) v.tokens = *tokens;
    if (const auto* scores = list<Numbers>("tokenizer.ggml.scores")) v.scores.assign(scores->begin(), scores->end());
    if (const auto* types = list<Numbers>("tokenizer.ggml.token_type"))
      for (const double t : *types) v.types.push_back(t >= 0 && t < 256 ? static_cast<std::int32_t>(t) : 0);
    const auto id = [&](const char* key, int& out) {
      if (meta_.contains(key)) out = integer(key, -1, 1 << 24);
    };
    id("tokenizer.ggml.bos_token_id", v.bos);
    id("tokenizer.ggml.eos_token_id", v.eos);
    id("tokenizer.ggml.unknown_token_id", v.unk);
    for (const char* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"})
      if (meta_.contains(key)) v.ends.push_back(integer(key, 0, 1 << 24));
    if (const auto* chat = list<std::string>("tokenizer.chat_template")) v.chat_template = *chat;
    if (meta_.contains("tokenizer.ggml.add_bos_token")) v.add_bos = real("tokenizer.ggml.add_bos_token") != 0;
    if (meta_.contains("tokenizer.ggml.add_space_prefix")) v.add_space_prefix = real("tokenizer.ggml.add_space_prefix") != 0;
  }

  Reader in_;
  std::span<const std::byte> file_;
  std::shared_ptr<const void> keep_;
  std::uint64_t tensor_count_ = 0, pair_count_ = 0;
  std::map<std::string, Value> meta_;
  ir::Graph graph_;
};

}  // namespace

ir::Graph read_gguf(std::span<const std::byte> file, const std::string& name, std::shared_ptr<const void> keep) {
  return Gguf(file, name, std::move(keep)).read();
}

}  // namespace jogak::import
