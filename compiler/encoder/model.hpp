// A transformer encoder as the scheduler sees it: BERT's kind (norms behind each sum) and ViT's and CLIP's (norms before).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "../ir/graph.hpp"
#include "words.hpp"

namespace jogak::encoder {

using Matrix = std::shared_ptr<const ir::QMatrix>;

enum class Activation { gelu, gelu_tanh, gelu_quick, tanh };

// y = x * w^T + bias; w [n][k], bias [n].
struct Dense {
  Matrix w;
  std::vector<float> bias;
  std::string name = {};  // of the tensor, as format rules know it; empty: made here
  // w before it was quantised, [n][k] without padding, where the reader kept it. Where it is there the reference uses it.
  std::shared_ptr<const std::vector<float>> exact = nullptr;
};
// (x - mean) / sqrt(variance + eps) * weight + bias; both [width].
struct Norm {
  std::vector<float> weight, bias;
  bool operator==(const Norm&) const = default;
};

struct Layer {
  Dense q, k, v;  // [heads * head_dim][width]
  Dense o;        // [width][heads * padded head]: k in groups of one head, each padded to 32
  Dense up;       // [ffn][width]
  Dense down;     // [width][ffn]
  Norm middle;    // of the sum behind attention
  // Of the sum behind the feed-forward. Norms behind: the layer's own. Norms before: the next layer's first, or the final one.
  Norm end;
};

// Where the first layer's rows come from.
enum class Source {
  hidden,   // they are an input
  tokens,   // words + types + positions, then a norm where there is one
  patches,  // an image's patches times a matrix + positions, behind a row of its own
};
struct Embedding {
  Source source = Source::hidden;
  std::vector<float> words, types, positions;  // [vocab][width], [types][width] (may be empty), [context][width]
  int vocab = 0, type_count = 0;
  Dense patch;                                  // [width][channels * patch * patch]; its bias is part of positions
  int channels = 0, image = 0, patch_size = 0;
  bool normed = false;
  Norm norm;                                    // of the sum
};

// What is made of the encoder's last rows: dense layers one after the other, the last of them the output.
struct HeadStep {
  Dense dense;
  bool activated = false, normed = false;  // the output is neither, all others are activated
  Activation activation = Activation::gelu;
  Norm norm;
};
enum class HeadRows { all, first, last, mean };  // of the sequence; mean: of rows without steps
struct Head {
  std::string name = "hidden";  // of the output
  HeadRows rows = HeadRows::all;
  std::vector<HeadStep> steps;  // none: the rows themselves
};

struct Encoder {
  std::string name, architecture;
  int width = 0, heads = 0, head_dim = 0, ffn = 0, context = 0;
  float eps = 0;
  bool norm_first = false;  // ViT, CLIP
  int merge = 0;            // rows that each layer merges into others like them (merge.cpp); norm_first only
  bool causal = false;      // a row sees itself and the rows before it
  Activation activation = Activation::gelu;
  Embedding embedding;
  Norm first;               // norm_first: of the first layer's input
  std::vector<Layer> layers;
  Head head;
  Words words;              // tokens
};

// One row for the whole text in place of all: the mean of the rows, or the first. Throws jogak::Error for a model that has a head.
enum class Pooling { none, mean, first };
void pool(Encoder& model, Pooling pooling);

// f(dense, layer, group, role) for every matrix in the order of their use, those of patches and of the head included. layer: -1 outside of
// the layers; group: see passes::quantize; role: the same in every layer.
template <class E, class F>
void each_matrix(E& e, const F& f) {
  if (e.embedding.source == Source::patches) f(e.embedding.patch, -1, 0, std::string("patches"));
  for (std::size_t i = 0; i < e.layers.size(); ++i) {
    auto& l = e.layers[i];
    const int layer = static_cast<int>(i);
    f(l.q, layer, 0, std::string("q")), f(l.k, layer, 0, std::string("k")), f(l.v, layer, 0, std::string("v"));
    f(l.o, layer, e.head_dim, std::string("output")), f(l.up, layer, 0, std::string("up")), f(l.down, layer, 0, std::string("down"));
  }
  for (std::size_t i = 0; i < e.head.steps.size(); ++i) f(e.head.steps[i].dense, -1, 0, "head." + std::to_string(i));
}

}  // namespace jogak::encoder
