// The store engine: boxes of on-chip memory to DRAM.
#pragma once

#include "load.hpp"

namespace jogak { namespace JG_NAMESPACE {

struct StoreRun {
  spec::Space space;
  u64 to;
  u32 from, len;
};

inline void issue_store(const Dma& c, Fifo<StoreRun, 8>& runs, Fifo<PortWrite, 16>& writes, Traffic& traffic) {
  if (is_empty(c)) return;
  for (u32 i2 = 0; i2 < c.n2; ++i2) {
    for (u32 i1 = 0; i1 < c.n1; ++i1) {
      const u64 to = c.base + c.da + u64(i2) * c.ds2 + u64(i1) * c.ds1;
      runs.write({c.space, to, static_cast<u32>(c.ca + u64(i2) * c.cs2 + u64(i1) * c.cs1), c.len});
      for (Cuts cuts(to, c.len); cuts.more();) {
        const Burst b = cuts.next();
        writes.write({Kind::command, 0, 0, b});
        traffic.beats += b.beats;
        ++traffic.bursts;
      }
      traffic.bytes += c.len;
    }
  }
}

inline void store_control(Fifo<Entry<Dma>, hls_depth::queue>& queue, Fifo<SemRequest, 2>& take, Fifo<bool, 2>& grant,
                          Fifo<StoreRun, 8>& runs, Fifo<PortWrite, 16>& writes, Fifo<Traffic, 2>& counts) {
  JG_STATE(bool, flush);
  JG_STATE(Traffic, traffic);
  const Entry<Dma> e = queue.read();
  if (e.kind == Kind::wait && !flush) {
    take.write({SemOp::take, e.sem, e.n});
    flush = !grant.read();
  }
  if (e.kind == Kind::signal && !flush) writes.write({Kind::signal, e.sem, e.n, {0, 0}});
  if (e.kind == Kind::command && !flush) issue_store(e.command, runs, writes, traffic);
  if (e.kind == Kind::stop) {
    writes.write({Kind::stop, 0, 0, {0, 0}});
    counts.write(traffic);
    traffic = {0, 0, 0, 0};
    flush = false;
  }
}

// Asks the memories for the chunks of a run, in front of store_align.
inline void store_fetch(Fifo<StoreRun, 8>& runs, Fifo<ChunkRead, 8>& activations, Fifo<u32, 8>& rows,
                        Fifo<StoreRun, 8>& fetched) {
  const StoreRun r = runs.read();
  fetched.write(r);
  const u32 end = (r.from + r.len - 1) / P + 1;
  for (u32 at = r.from / P; at < end; ++at) {
    JG_PIPELINE(1)
    if (r.space == spec::Space::vmem) rows.write(at / (4 * C / P));
    else activations.write({r.space, at});
  }
}

inline Chunk chunk_of(const Row& row, u32 at) {
  const u32 first = at % (4 * C / P) * (P / 4);
  Chunk out;
  for (u32 i = 0; i < P; ++i) {
    JG_UNROLL
    out.byte[i] = static_cast<u8>(row.word[first + i / 4] >> (i % 4 * 8));
  }
  return out;
}

inline void store_align(Fifo<StoreRun, 8>& fetched, Fifo<Chunk, 16>& activations, Fifo<Row, 32>& rows,
                        Fifo<Beat, 64>& beats) {
  const StoreRun r = fetched.read();
  const Realign a(r.from, r.to, r.len);
  Chunk low = {}, high = {};
  for (u32 i = 0; i < a.steps(); ++i) {
    JG_PIPELINE(1)
    low = high;
    if (i < a.in) high = r.space == spec::Space::vmem ? chunk_of(rows.read(), r.from / P + i) : activations.read();
    if (i < a.late) continue;
    const u64 at = a.first + i - a.late;
    beats.write({a.shift == 0 ? high : across(low, high, a.shift), bytes_in(at, r.to, r.to + r.len)});
  }
}

}}  // namespace jogak::JG_NAMESPACE
