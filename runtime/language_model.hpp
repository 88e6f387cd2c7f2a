// What a compiled language model says of itself: sizes, vocabulary, and how a launch is called.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "program.hpp"
#include "tokenizer.hpp"

namespace jogak {

struct ModelInfo {
  std::string name, architecture;
  int context = 0;   // most tokens of a conversation
  int rows = 0;      // most tokens of one launch
  int vocab = 0, layers = 0, width = 0;
  std::uint64_t weight_bytes = 0;  // streamed for every launch
};

// Where the KV cache has what: pages, in each page layers, in each layer regions of `planes` times `tokens` keys of `unit` bytes.
struct KvLayout {
  struct Region {
    std::uint64_t offset = 0;  // in the layer
    int planes = 0, unit = 0;
  };
  int tokens = 0, pages = 0;  // tokens of a page
  std::uint64_t page_bytes = 0, layer_bytes = 0;
  std::vector<Region> regions;
  // Layers whose bit (layer modulo period) is in the mask slide: their queries see `window` keys, 0: no layer slides. With ring > 0 they
  // keep token t in slot t modulo ring, and sizes and offsets are those of that many tokens.
  int window = 0, period = 1, ring = 0;
  std::uint32_t mask = 0;
  bool slides(int layer) const { return window > 0 && (mask >> (layer % period) & 1) != 0; }
  // A size, offset or number of tokens as it is in this layer.
  std::uint64_t of_layer(std::uint64_t x, int layer) const {
    return ring > 0 && slides(layer) ? x * static_cast<std::uint64_t>(ring) / static_cast<std::uint64_t>(tokens) : x;
  }
};

struct LanguageModel {
  ModelInfo info;
  Tokenizer tokenizer;
  std::string chat_template;  // the model's own (Jinja), may be empty
  KvLayout kv;                // of a package: as one die would have it
  // How many dies; of a package KV heads of the model and of one die (the last may have fewer); where a die has what.
  int dies = 1, kv_heads = 0, kv_heads_of_die = 0;
  KvLayout kv_of_die = {};
  std::vector<int> first_layers = {};  // of each die, where each has layers of its own; else 0 for all
  std::vector<std::uint32_t> places = {};  // of a package: die i is the device places[i]; empty: i
  // A layer's number on its die.
  int on_its_die(int layer) const {
    int first = 0;
    for (const int f : first_layers) first = f <= layer ? f : first;
    return layer - first;
  }
  bool pipeline() const { return !first_layers.empty() && first_layers.back() > 0; }
  int overlap_rows = 0;       // of a pipeline: tokens of a launch where each die has its own
  int sequences = 1;          // most of a launch
  bool adapter = false;       // it takes a LoRA adapter, in the symbol of that name
  int pieces = 0;             // with more than one: most runs of rows within one page
};

// Throws jogak::Error for a program that is no language model, or for launch arguments that are not those of a program for one sequence
// (batch: for several).
LanguageModel read_language_model(const Program& program, bool batch);

// The KV cache in the layout `model.kv` of a package whose dies' parts `read(die, offset, bytes)` gives.
std::vector<std::uint8_t> whole_cache(const LanguageModel& model, const std::function<void(std::size_t, std::uint64_t, std::span<std::uint8_t>)>& read);

// Most sequences of a launch of this program; 1 for what is no language model.
int sequences_of(const Program& program);

// The symbol, or jogak::Error where it is not there with this type and rank.
Symbol need_symbol(const Program& program, const char* name, const char* dtype, std::size_t rank);

// A copy without the weights, for who has loaded them.
Program without_segments(const Program& program);

}  // namespace jogak
