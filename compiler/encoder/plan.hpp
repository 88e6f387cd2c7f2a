// Where everything of an encoder lives: rows at once, buffers on chip, regions in DRAM, weight slots.
#pragma once
#include <cstdint>
#include <vector>

#include "../schedule/plan.hpp"
#include "../schedule/sizes.hpp"
#include "model.hpp"

namespace jogak::encoder {

using schedule::MatrixPlan;

struct LayerPlan {
  MatrixPlan q, k, v, o, up, down;
  bool operator==(const LayerPlan&) const = default;
};

inline constexpr int kWholeKeys = 512;   // longer contexts take keys in chunks on every configuration
inline constexpr int kMostSide = 160;    // patches a side: their division by the side is exact in 32 bits with this shift
inline constexpr int kSideShift = 22;
inline constexpr int kHeadColumns = 32;  // that an iteration of the head makes

// Every slot of the weight ring has the same form: room for `tiles` tiles, their scales, and what the vector engine needs of its columns
// (bias, then channel scales, each `columns` fp32 values). So one piece of code loads any of them.
struct SlotPlan {
  std::uint32_t tiles = 0, columns = 0;
  std::uint32_t weight_bytes = 0, scale_bytes = 0, param_bytes = 0;
  std::uint32_t stride = 0;  // in the stream
  std::uint32_t ring = 0;    // slots on chip
  std::uint32_t params = 0;  // entries of parameters on chip
};

struct Plan {
  spec::Config config{};
  int width = 0, heads = 0, head_dim = 0, ffn = 0, context = 0, layers = 0;
  float eps = 0;
  bool norm_first = false, causal = false;
  int merge = 0;        // rows that each layer merges; 0: none
  int pairs() const { return schedule::round_up(keys / 2, 32); }  // of similarities: odd rows, padded
  Activation activation = Activation::gelu;
  Source source = Source::hidden;
  bool embedding_norm = false;
  HeadRows head_rows = HeadRows::all;
  int vocab = 0, type_count = 0, channels = 0, image = 0, patch_size = 0;
  int cols = 0;         // C
  int dn = 0, dk = 0;   // width padded to C (words a row) and to 32 (bytes a row)
  int hn = 0, hk = 0;   // head padded to C and to 32
  int uc = 0, fk = 0;   // columns an iteration of the feed-forward makes; ffn padded to them
  int chunk = 0;        // keys that attention takes at once; 0: all
  int keys = 0;         // context padded to 32, or to chunks
  int at_once() const { return chunk > 0 ? 2 * chunk : keys; }  // scores of a row on chip
  int rows = 0;         // rows of a block
  std::uint32_t magic = 0;  // n * magic >> magic_shift = n / rows for every n that occurs
  int magic_shift = 16;
  int xs_pad = 0;       // bytes behind a block's scales in DRAM: blocks share no 64-byte line, since one is stored while another is loaded
  int group = 0;        // rows normalised at once where the norm may not take the place of its input
  int out_columns = 0;  // words of a row in an output buffer

  SlotPlan slot;
  std::vector<LayerPlan> layer;
  std::uint32_t slots_a = 0, slots_b = 0;  // of one pass over k and v; over q and the rest of a layer
  MatrixPlan patch;             // of an image's patches
  int patch_words = 0, patch_k = 0;  // pixels of a patch, padded to C and to 32
  std::vector<MatrixPlan> head;
  std::uint32_t slots_head = 0;
  int output_columns = 0, output_words = 0;  // of the head's result: values of a row, and padded

  // vector memory, word addresses
  std::uint32_t params, x, norms, part, total, mean, deviation, maxima, sums, vscale_in, vscale_out, out, out_words, result, work, work_words;
  std::uint32_t state = 0;  // in chunks: maxima of scores so far
  // Merging: rows that each row stands for, lengths of keys, those of odd rows, best partners, fractions that number them, rows that stay.
  std::uint32_t sizes = 0, lengths = 0, odd_lengths = 0, best = 0, numbers = 0, list = 0;
  // activation scratchpad, byte addresses
  std::uint32_t xq, xq_bytes, q, hq, y, kst, vst, pq, oq;
  // weight scratchpad, byte addresses
  std::uint32_t k_area, v_area;
  // DRAM, byte offsets within their window
  std::uint32_t w_patch, w_stream, w_head, w_norms, w_words, w_types, w_positions, w_numbers = 0, w_rows = 0, w_bytes;  // window 0
  std::uint32_t d_x, d_xq, d_xs, d_k, d_ks, d_v, d_vs, d_sizes = 0, d_lengths = 0, d_bytes;     // window 1
  std::uint32_t io_ids, io_types, io_pixels, io_out, io_bytes;      // window 2
};

// Norms in the weights window: of the embedding, of the first layer's input (either where there is one), two a layer, those of the head.
// Throws jogak::Error when the model cannot fit this configuration, saying which memory and what would fit.
Plan make_plan(const Encoder& model, const spec::Config& config);

}  // namespace jogak::encoder
