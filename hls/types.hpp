// The sizes of one configuration, and what travels through the streams. Everything is native integers; the memory port's wide words are
// cut and joined where they enter and leave (port.hpp).
#pragma once

#include <cstdint>

#include "depths.hpp"
#include "npu_spec.hpp"
#include "numerics.hpp"
#include "pragmas.hpp"

#ifndef JOGAK_HLS_CONFIG
#define JOGAK_HLS_CONFIG edge
#endif
#define JG_NAMESPACE JG_JOIN(hls_, JOGAK_HLS_CONFIG)

namespace jogak { namespace JG_NAMESPACE {

using num::i32;
using num::i8;
using num::u16;
using num::u32;
using num::u64;
using num::u8;

constexpr spec::Config kConfig = *spec::find_config(JG_STRING(JOGAK_HLS_CONFIG));
constexpr u32 C = kConfig.cols, R = kConfig.rows, L = kConfig.lanes, P = kConfig.port_bytes;
constexpr u32 kBlock = spec::limit::block;
constexpr u32 kWspmWords = kConfig.wspm_bytes / (2 * C), kWscWords = kConfig.wsc_bytes / (2 * C);
constexpr u32 kAspmBlocks = kConfig.aspm_bytes / kBlock;
constexpr u32 kBanks = hls_depth::banks, kVmemWords = kConfig.vmem_bytes / 4, kVmemRows = kVmemWords / C;

constexpr bool kLinks = JG_LINKS != 0;
constexpr bool kSparse = kConfig.sparse != 0;  // the array takes 2:4 sparse weights, too

static_assert(kLinks == (kConfig.chiplets > 1), "hls: JOGAK_HLS_LINKS is for configurations with chiplets > 1, and these have it");
static_assert(C == 8 || C == 16 || C == 32 || C == 64, "hls: rows of vector memory and blocks divide one another");
static_assert(kBlock % R == 0, "hls: a block of k is a whole number of the array's slices");
static_assert(C % L == 0, "hls: lanes divide a row of vector memory");
static_assert(P >= 4 && P <= 2 * C && P <= kBlock, "hls: a port word lies inside a word of every memory");

struct Row {
  u32 word[C];
};
struct Chunk {  // as much as a port word
  u8 byte[P];
};
struct Weights {  // a word of wspm or wsc
  u8 byte[2 * C];
};
struct Block {
  i8 value[kBlock];
  u16 scale;  // bf16
};
struct Dots {
  i32 sum[C];
  u16 scale;  // of the row's block
};
struct Scales {  // of a tile, decoded
  u32 value[C];
};

// ---- memories ---------------------------------------------------------------
// at counts chunks of the memory; bit i of mask: byte i counts.
struct ChunkWrite {
  spec::Space space;
  u32 at, mask;
  Chunk data;
  bool ack;
};
struct ChunkRead {
  spec::Space space;
  u32 at;
};
struct RowWrite {
  u32 row;
  u64 mask;  // of words
  Row data;
  bool ack;
};
struct BlockWrite {
  u32 block;
  Block data;
  bool scaled;  // the scale counts
  bool ack;
};

// ---- commands ---------------------------------------------------------------
enum class Kind : u8 { command, wait, signal, stop };

struct Dma {
  spec::Space space;
  bool gather;
  u64 base;  // the window's
  JG_IF_LINKS(u32 place;)  // the register
  u32 size, da, ca, len, n1, ds1, cs1, n2, ds2, cs2, idx;
};
inline bool is_empty(const Dma& c) { return c.len == 0 || c.n1 == 0 || c.n2 == 0; }
// What a product with 2:4 sparse weights adds; nothing where the array takes none.
template <bool>
struct Sparsity {
  bool sparse;
  u32 wi;
};
template <>
struct Sparsity<false> {};
inline bool is_sparse(const Sparsity<true>& s) { return s.sparse; }
inline bool is_sparse(const Sparsity<false>&) { return false; }
inline u32 indices_of(const Sparsity<true>& s) { return s.wi; }
inline u32 indices_of(const Sparsity<false>&) { return 0; }
inline void put_sparsity(Sparsity<true>& s, bool sparse, u32 wi) { s.sparse = sparse, s.wi = wi; }
inline void put_sparsity(Sparsity<false>&, bool, u32) {}

struct Matmul : Sparsity<kSparse> {
  spec::Wfmt wfmt;
  spec::Wscale wscale;
  spec::Ascale ascale;
  bool acc, colload;
  u32 w, ws, wn, wk, a, am, o, om, on, m, kb, nb;
};
struct Vector {  // vec, or qnt with what it uses
  bool quantise;
  spec::Qgroup group;
  spec::Vop op;
  spec::Bmode bmode;
  spec::Vfunc func;
  spec::Vred red;
  bool wr, nega, negb, absa, swap, masked, linc;
  u32 dst, ds, a, as, b, bs, s, lim, r, rows, cols;
};

// An entry of an engine's queue: a command, or sem and n of a wait or signal.
template <class Command>
struct Entry {
  Kind kind;
  u8 sem, n;
  u16 pc;
  Command command;
};

enum class SemOp : u8 { clear, give, take, fault };  // 0: also of no request
struct SemRequest {
  SemOp op;
  u8 sem, n;
};

// Of a load: index; of a store: bus.
struct FaultNote {
  u16 pc;
  u64 address;
};

// What the DMA engines count during a run.
struct Traffic {
  u64 bytes, beats, bursts, rows;
};

}}  // namespace jogak::JG_NAMESPACE
