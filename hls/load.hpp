// The load engine: boxes of DRAM, or rows named by an index list, into on-chip memory at the pace of the port.
#pragma once

#include "memories.hpp"
#include "port.hpp"
#include "semaphores.hpp"

namespace jogak { namespace JG_NAMESPACE {

constexpr u32 kLoadsUnderWay = 8;  // commands

// One run of bytes from DRAM to a memory, or a signal, or the end.
struct LoadRun {
  Kind kind;
  u8 sem, n;
  spec::Space space;
  u64 from;
  u32 to, len;
  bool ack;  // the command's last
};

inline u32 indexed_row(u32 at, Fifo<u32, 8>& index, Fifo<Row, 32>& index_data) {
  index.write(at / C);
  JG_THEN;
  const Row list = index_data.read();
  return list.word[at % C];
}

// False: row `row` lies outside the window (fault index).
inline bool issue_load(const Dma& c, Fifo<u32, 8>& index, Fifo<Row, 32>& index_data, Fifo<Burst, 16>& bursts,
                       Fifo<LoadRun, 8>& runs, Traffic& traffic, u32& row) {
  if (is_empty(c)) return true;
  for (u32 i2 = 0; i2 < c.n2; ++i2) {
    for (u32 i1 = 0; i1 < c.n1; ++i1) {
      row = c.gather ? indexed_row(c.idx + i1, index, index_data) : i1;
      const u64 apart = u64(row) * c.ds1;
      const u64 offset = apart + c.da + u64(i2) * c.ds2;
      if (apart > c.size || offset + c.len > c.size) return false;
      const bool last = i2 + 1 == c.n2 && i1 + 1 == c.n1;
      const u32 to = static_cast<u32>(c.ca + u64(i2) * c.cs2 + u64(i1) * c.cs1);
      runs.write({Kind::command, 0, 0, c.space, c.base + offset, to, c.len, last});
      for (Cuts cuts(c.base + offset, c.len); cuts.more();) {
        const Burst b = cuts.next();
        bursts.write(b);
        traffic.beats += b.beats;
        ++traffic.bursts;
      }
      traffic.bytes += c.len;
      traffic.rows += c.gather ? 1 : 0;
    }
  }
  return true;
}

inline void load_control(Fifo<Entry<Dma>, hls_depth::queue>& queue, Fifo<SemRequest, 2>& take, Fifo<bool, 2>& grant,
                         Fifo<SemRequest, 4>& fault, Fifo<FaultNote, 2>& note, Fifo<u32, 8>& index,
                         Fifo<Row, 32>& index_data, Fifo<Burst, 16>& bursts, Fifo<LoadRun, 8>& runs,
                         Fifo<bool, kLoadsUnderWay>& done, Fifo<Traffic, 2>& counts) {
  JG_STATE(bool, flush);
  JG_STATE(u32, under_way);
  JG_STATE(Traffic, traffic);
  const Entry<Dma> e = queue.read();
  if (e.kind == Kind::wait && !flush) flush = !granted(e.sem, e.n, take, grant);
  if (e.kind == Kind::signal && !flush) runs.write({Kind::signal, e.sem, e.n, spec::Space::wspm, 0, 0, 0, false});
  if (e.kind == Kind::command && !flush) {
    u32 row = 0;
    // An index list may be what an earlier load brings.
    const u32 most = e.command.gather ? 0 : kLoadsUnderWay - 1;
    for (; under_way > most; --under_way) done.read();
    under_way += is_empty(e.command) ? 0 : 1;
    if (!issue_load(e.command, index, index_data, bursts, runs, traffic, row)) {
      note.write({e.pc, row});
      fault.write({SemOp::fault, 0, 0});
      --under_way;  // its last run never comes
      flush = true;
    }
  }
  if (e.kind == Kind::stop) {
    for (; under_way > 0; --under_way) done.read();
    bursts.write({0, 0});
    runs.write({Kind::stop, 0, 0, spec::Space::wspm, 0, 0, 0, false});
    counts.write(traffic);
    traffic = {0, 0, 0, 0};
    flush = false;
  }
}

// Bytes first .. first + P - 1 of the 2P bytes of two neighbouring words.
inline Chunk across(const Chunk& low, const Chunk& high, u32 first) {
  Chunk out;
  for (u32 i = 0; i < P; ++i) {
    JG_UNROLL
    const u32 at = first + i;
    out.byte[i] = at < P ? low.byte[at] : high.byte[at - P];
  }
  return out;
}

// Which bytes of chunk `at` lie in [begin, end).
inline u32 bytes_in(u64 at, u64 begin, u64 end) {
  u32 mask = 0;
  for (u32 i = 0; i < P; ++i) {
    JG_UNROLL
    const u64 byte = at * P + i;
    mask |= u32(byte >= begin && byte < end) << i;
  }
  return mask;
}

// How a run of bytes moves from one alignment to another: word k of the destination is made of words k - 1 and k of the source, or k and
// k + 1, the latter a step later.
struct Realign {
  u64 first;        // word of the destination
  u32 in, out;      // words of both
  u32 shift, late;  // first byte taken of the pair; steps before the first destination word
  Realign(u64 from, u64 to, u32 len) {
    first = to / P;
    in = static_cast<u32>((from + len - 1) / P - from / P + 1);
    out = static_cast<u32>((to + len - 1) / P - to / P + 1);
    shift = static_cast<u32>((from % P + P - to % P) % P);
    late = from % P > to % P ? 1 : 0;
  }
  u32 steps() const { return out + late; }
};

// Chunk `at` of vector memory as part of a row.
inline RowWrite row_write(u64 at, const Chunk& data, u32 mask, bool ack) {
  constexpr u32 kChunks = 4 * C / P, kWords = P / 4;
  const u32 first = static_cast<u32>(at % kChunks) * kWords;
  RowWrite row;
  row.row = static_cast<u32>(at / kChunks);
  row.mask = 0;
  row.ack = ack;
  for (u32 i = 0; i < kWords; ++i) {
    u32 bits = 0;
    for (u32 k = 0; k < 4; ++k) bits |= u32(data.byte[4 * i + k]) << (8 * k);
    row.data.word[first + i] = bits;
    row.mask |= u64(mask >> (4 * i) & 1) << (first + i);
  }
  return row;
}

inline void put_chunk(const LoadRun& r, u64 at, const Chunk& data, u32 mask, bool ack, Fifo<ChunkWrite, 4>& weights,
                      Fifo<ChunkWrite, 4>& activations, Fifo<RowWrite, 8>& rows) {
  const ChunkWrite w = {r.space, static_cast<u32>(at), mask, data, ack};
  if (r.space == spec::Space::wspm || r.space == spec::Space::wsc) weights.write(w);
  if (r.space == spec::Space::aspm || r.space == spec::Space::asc) activations.write(w);
  if (r.space == spec::Space::vmem) rows.write(row_write(at, data, mask, ack));
}

inline void load_align(Fifo<LoadRun, 8>& runs, Fifo<Chunk, 64>& data, Fifo<ChunkWrite, 4>& weights,
                       Fifo<bool, 4>& weights_ack, Fifo<ChunkWrite, 4>& activations,
                       Fifo<bool, 4>& activations_ack, Fifo<RowWrite, 8>& rows, Fifo<bool, 32>& rows_ack,
                       Fifo<SemRequest, 4>& give, Fifo<bool, kLoadsUnderWay>& done, Fifo<bool, 2>& idle) {
  const LoadRun r = runs.read();
  if (r.kind == Kind::signal) give.write({SemOp::give, r.sem, r.n});
  if (r.kind == Kind::stop) idle.write(true);
  if (r.kind != Kind::command) return;
  const Realign a(r.from, r.to, r.len);
  Chunk low = {}, high = {};
  for (u32 i = 0; i < a.steps(); ++i) {
    JG_PIPELINE(1)
    low = high;
    if (i < a.in) high = data.read();
    if (i < a.late) continue;
    const u64 at = a.first + i - a.late;
    const Chunk out = a.shift == 0 ? high : across(low, high, a.shift);
    const u32 mask = bytes_in(at, r.to, u64(r.to) + r.len);
    put_chunk(r, at, out, mask, r.ack && i + 1 == a.steps(), weights, activations, rows);
  }
  if (!r.ack) return;
  // Visible before the next signal.
  if (r.space == spec::Space::vmem) rows_ack.read();
  else if (r.space == spec::Space::aspm || r.space == spec::Space::asc) activations_ack.read();
  else weights_ack.read();
  done.write(true);
}

}}  // namespace jogak::JG_NAMESPACE
