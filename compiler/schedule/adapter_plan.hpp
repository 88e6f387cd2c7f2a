// A LoRA adapter as a program takes it: y = W x + B (A x) for the matrices of a layer (of one with experts: of its attention), A and B in int8
// blocks, in the order of use in a DRAM window of its own. Shared by the lowering and by who packs an adapter for a finished program.
#pragma once
#include <cstdint>
#include <vector>

#include "sizes.hpp"

namespace jogak::schedule {

inline constexpr int kAdapterWindow = 3;  // behind the experts' windows and those on other dies, where there are experts

// Products with the same input share one A: q, k and v; o; gate and up (or up alone); down.
enum class AdapterGroup { qkv, o, ffn, down };

// A matrix in pieces of `nbs` column blocks by `kbs` k blocks, the parts of k of a column block one behind the other.
struct AdapterMatrix {
  int nbs = 0, kbs = 0, kparts = 1, count = 0;  // count: pieces
};

struct AdapterPlan {
  int rank = 0;  // of each target, padded to 32; 0: the program takes no adapter
  int cols = 0, layers = 0, width = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0, fc = 0, turning = 0;
  // Of a package's die: layers, heads and KV heads are its own. Where dies share every layer, each has all of A and its columns of B.
  int dies = 1;        // that share every layer
  int all_heads = 0;   // of the model, whose results are o's input; 0: heads
  int feeds = 2;       // matrices that begin a feed-forward: gate and up, or 1, up alone
  int slot_bytes = 0;  // of one of two places on chip
  std::vector<int> routed = {};  // by layer: 1 with experts, which take no adapter; empty: none has some
  bool is_routed(int layer) const { return !routed.empty() && routed.at(static_cast<std::size_t>(layer)) != 0; }

  int hn() const { return round_up(head_dim, cols); }
  int targets(AdapterGroup g) const { return g == AdapterGroup::qkv ? 3 : g == AdapterGroup::ffn ? feeds : 1; }
  int down_columns(AdapterGroup g) const { return targets(g) * rank; }
  // Columns of a group's input, padded.
  int input(AdapterGroup g) const {
    return g == AdapterGroup::o ? (all_heads > 0 ? all_heads : heads) * round_up(head_dim, 32) : g == AdapterGroup::down ? round_up(ffn, fc) : round_up(width, 32);
  }
  // Columns of x, iterations of the feed-forward that one die makes.
  int x_part() const { return round_up(width, cols * dies) / dies; }
  int iterations() const { return share(round_up(ffn, 32) / 32, dies) * 32 / fc; }
  // A of a group; B of a head, of one iteration of gate or up, of a die's columns of o or down.
  AdapterMatrix down(AdapterGroup g) const { return rank == 0 ? AdapterMatrix{} : pieces(round_up(down_columns(g), cols), input(g)); }
  AdapterMatrix up_head() const { return rank == 0 ? AdapterMatrix{} : pieces(hn(), rank); }
  AdapterMatrix up_ffn() const { return rank == 0 ? AdapterMatrix{} : pieces(fc, rank); }
  AdapterMatrix up_residual() const { return rank == 0 ? AdapterMatrix{} : pieces(x_part(), rank); }
  int piece_bytes(const AdapterMatrix& m) const { return round_up(m.nbs * m.kbs * (32 * cols + 2 * cols), 64); }
  int tile_bytes() const { return 32 * cols; }
  std::uint64_t bytes() const {
    std::uint64_t all = 0;
    for (int l = 0; l < layers; ++l) all += layer_bytes(is_routed(l));
    return all;
  }
  std::uint64_t layer_bytes(bool with_experts) const {
    if (rank == 0) return 0;
    const auto of = [&](const AdapterMatrix& m, int times) { return std::uint64_t(m.count) * static_cast<std::uint64_t>(times) * static_cast<std::uint64_t>(piece_bytes(m)); };
    const std::uint64_t attention = of(up_head(), heads + 2 * kv_heads) + of(up_residual(), 1) + of(down(AdapterGroup::qkv), 1) + of(down(AdapterGroup::o), 1);
    if (with_experts) return attention;
    return attention + of(up_ffn(), feeds * iterations()) + of(up_residual(), 1) + of(down(AdapterGroup::ffn), 1) + of(down(AdapterGroup::down), 1);
  }

 private:
  AdapterMatrix pieces(int columns, int k) const {
    const int fit = slot_bytes / tile_bytes(), kb = k / 32, blocks = columns / cols;
    AdapterMatrix m;
    m.kbs = divisor(kb, fit);
    m.kparts = kb / m.kbs;
    m.nbs = m.kparts > 1 ? 1 : divisor(blocks, fit / m.kbs);
    m.count = blocks / m.nbs * m.kparts;
    return m;
  }
};

}  // namespace jogak::schedule
