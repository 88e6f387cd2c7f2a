// The compiler's graph: one node type, one operator list. Importers make it, passes rewrite it, the scheduler reads it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bytes.hpp"

namespace jogak::ir {

enum class DType { f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q2_k, q3_k, q4_k, q5_k, q6_k, iq4_nl, iq4_xs, mxfp4, i8, i32, u8 };

// A constant. Rows of `shape` (outermost first) are contiguous; block formats (passes/blocks.hpp) run along the last dimension, 32 or 256 values a block.
struct Tensor {
  std::string name;
  std::vector<int64_t> shape;
  DType dtype = DType::f32;
  Bytes data;
};

// How a matrix is stored for the array. A block is one output n and 32 values of k.
enum class Format {
  int8,      // int8 codes, an fp16 scale per block (Q8_0 carries over unchanged)
  int8c,     // int8 codes, one fp32 scale per output ("channel"), none per block
  mxfp4,     // E2M1 codes, an E8M0 scale per block
  mxint8,    // int8 codes, an E8M0 scale per block
};
inline constexpr Format kFormats[] = {Format::int8, Format::int8c, Format::mxfp4, Format::mxint8};
const char* name(Format format);
// The other way; throws jogak::Error naming the known ones.
Format format_named(const std::string& name);

// Quantised matrix y[n] = sum_k w[n][k] x[k]; codes and scales are row-major by n, k padded to a multiple of 32 with zeros.
// codes: int8 values, or E2M1 nibbles 0..15. scales: fp16 bits, or E8M0 in the low byte; int8c has `channel` instead.
// Blocks that a mapped file has as the array wants them stay there: `blocks` of type `stored` take the place of codes and scales.
// Whoever wants codes asks passes/codes.hpp, which knows both.
struct QMatrix {
  Format format = Format::int8;
  int64_t n = 0, k = 0;              // logical sizes
  std::vector<int8_t> codes = {};    // n * kb() * 32
  std::vector<uint16_t> scales = {}; // n * kb()
  std::vector<float> channel = {};   // n
  Bytes blocks = {};                 // n * kb() blocks of `stored`
  DType stored = DType::f32;
  // 2:4 sparse: which of its four neighbours each code is (0 to 3), n * kb() * 32; then codes, scales and k are those of the stored values.
  std::vector<uint8_t> index = {};
  bool sparse() const { return !index.empty(); }
  int64_t kb() const { return (k + 31) / 32; }
};

// Pair i of a head (columns 2i and 2i + 1) turns by position * frequency[i] and is multiplied by `magnitude`; columns behind the
// last pair stay as they are. Every kind of rotary scaling comes down to these numbers.
struct Rotary {
  std::vector<double> frequency;  // radians a token
  double magnitude = 1;
  bool operator==(const Rotary&) const = default;
};

// How tokens find their experts and what these compute. A token's experts are those with the largest logits.
struct Mixture {
  int experts = 0, top = 0;
  bool over_chosen = true;   // weights are the softmax of the chosen logits; false: of all, and need not sum to 1
  float limit = 0;           // 0: silu(gate) * up; else gate <= limit, |up| <= limit, gate * sigmoid(alpha * gate) * (up + 1)
  float alpha = 1;
  bool operator==(const Mixture&) const = default;
};

// What a gated feed-forward does to its gate: x * sigmoid(x); x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)), which is GELU by tanh.
enum class Activation { silu, gelu_tanh };

enum class Op {
  embed,      // tokens -> rows of weight[0] (fp32 table [vocab][d]), times `scale`
  positions,  // x + row of weight[0] ([context][d]) at the token's position
  layer_norm, // (x - mean) * rsqrt(variance + eps) * weight[0] + weight[1]
  rms_norm,   // x * rsqrt(mean(x^2) + eps) * weight[0]; with heads > 0 each head by itself, weight [head_dim]
  linear,     // x * weight[0]^T (+ weight[1]), weight [n][k], bias [n]
  rope,       // rotary position embedding on pairs (2i, 2i+1) of each head
  attention,  // causal grouped-query attention: inputs q, k, v; with weight[0] [heads] a sink per head: a score without value
  swiglu,     // activation(gate) * up: inputs gate, up; with one input activation(it)
  experts,    // mixture of feed-forwards: inputs x, router's logits; weights gate, up [experts][ffn][k], down [experts][n][ffn] (+ their biases)
  weigh,      // x * sigmoid(g): inputs x, g [1]
  add,        // inputs a, b
  logits,     // the result; with `cap`: cap * tanh(x / cap)
};
const char* name(Op op);

struct Node {
  Op op = Op::add;
  std::string name = {};         // as in the model file, for traces and messages
  int layer = -1;                // -1: outside the layers
  std::vector<int> inputs = {};  // node indices
  std::vector<int> weights = {}; // tensor indices
  std::shared_ptr<const QMatrix> matrix = nullptr;  // linear, after the quantise pass (shared by tied weights)
  float eps = 0;                 // norms
  std::shared_ptr<const Rotary> rotary = nullptr;   // rope
  int heads = 0, kv_heads = 0, head_dim = 0;  // rope, rms_norm of heads: heads; attention: all
  float scale = 1;               // embed
  float query_scale = 0;         // attention: of the scores; 0: 1 / sqrt(head_dim)
  float cap = 0;                 // attention, logits: x becomes cap * tanh(x / cap) (scores before their mask); 0: as they are
  Activation activation = Activation::silu;  // swiglu
  Mixture mixture = {};          // experts
  Format expert_format = Format::int8;  // experts, after the quantise pass
  int window = 0;                // attention: keys that a query sees, itself included; 0: all before it
};

// Tokenizer as the model file has it; the runtime interprets it.
struct Vocabulary {
  std::string model;             // "llama" (score-based merges), "gpt2" (ranked merges of bytes)
  std::string pre;               // gpt2: how text is cut into words, by GGUF's names
  std::vector<std::string> merges;   // gpt2: "LEFT RIGHT", best first
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<int32_t> types;    // GGUF token types: 1 normal, 2 unknown, 3 control, 4 user defined, 6 byte
  bool whole_words = false;      // gpt2: a word that is a token is that token, whatever its merges
  bool compose = false;          // gpt2: text is put in normal form NFC first
  int bos = -1, eos = -1, unk = -1;
  std::vector<int> ends;         // more tokens that end a text
  std::string chat_template;     // Jinja, as the model file has it; empty: none
  bool add_bos = true, add_space_prefix = true;
};

struct Graph {
  std::string model_name, architecture;
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;       // topological order
  int vocab = 0, width = 0, layers = 0, context = 0;
  Vocabulary vocabulary;
};

}  // namespace jogak::ir
