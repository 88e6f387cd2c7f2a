// The store engine: boxes of on-chip memory to DRAM, or to other chiplets as packets.
#pragma once

#include "load.hpp"
#include "packets.hpp"

namespace jogak { namespace JG_NAMESPACE {

struct StoreRun {
  spec::Space space;
  u64 to;
  u32 from, len;
};

// What goes to the write port: a burst, whose beats come apart, or a signal for when everything before it is in memory.
struct PortWrite {
  Kind kind;
  u8 sem, n;
  Burst burst;
  JG_IF_LINKS(u64 packet;)  // its header; 0: the burst is for DRAM
};
struct Beat {
  Chunk data;
  u32 mask;
};

#if JG_LINKS
// Of the bytes begin to end those in the burst, as a packet.
inline u64 packet_in(const Burst& b, u64 begin, u64 end, u32 place) {
  const u64 first = b.word * P, last = (b.word + b.beats) * P;
  const u64 from = begin > first ? begin : first, to = end < last ? end : last;
  return packet_of(from, static_cast<u32>(to - from), place);
}

// How many bytes of a run lie before the first burst that no chiplet has memory for.
inline u32 reach(u64 to, u32 len, u32 place) {
  if (!is_remote(to)) return len;
  for (Cuts cuts(to, len); cuts.more();) {
    const Burst b = cuts.next();
    if (packet_in(b, to, to + len, place) == 0) return b.word * P > to ? static_cast<u32>(b.word * P - to) : 0;
  }
  return len;
}
#endif

// False: fault bus, of the burst at `bad`.
inline bool issue_store(const Dma& c, Fifo<StoreRun, 8>& runs, Fifo<PortWrite, 16>& writes, Traffic& traffic JG_IF_LINKS(, u64& bad)) {
  if (is_empty(c)) return true;
  for (u32 i2 = 0; i2 < c.n2; ++i2) {
    for (u32 i1 = 0; i1 < c.n1; ++i1) {
      const u64 to = c.base + c.da + u64(i2) * c.ds2 + u64(i1) * c.ds1;
      u32 len = c.len;
      JG_IF_LINKS(len = reach(to, c.len, c.place);)
      if (len > 0) runs.write({c.space, to, static_cast<u32>(c.ca + u64(i2) * c.cs2 + u64(i1) * c.cs1), len});
      for (Cuts cuts(to, len); len > 0 && cuts.more();) {
        const Burst b = cuts.next();
        writes.write({Kind::command, 0, 0, b JG_IF_LINKS(, is_remote(to) ? packet_in(b, to, to + len, c.place) : 0)});
        traffic.beats += b.beats;
        ++traffic.bursts;
      }
      traffic.bytes += len;
      JG_IF_LINKS(if (len < c.len) {
        bad = (to + len) / P * P;
        return false;
      })
    }
  }
  return true;
}

inline void store_control(Fifo<Entry<Dma>, hls_depth::queue>& queue, Fifo<SemRequest, 2>& take, Fifo<bool, 2>& grant,
                          Fifo<StoreRun, 8>& runs, Fifo<PortWrite, 16>& writes, Fifo<Traffic, 2>& counts
                          JG_IF_LINKS(, Fifo<SemRequest, 4>& fault, Fifo<FaultNote, 2>& note)) {
  JG_STATE(bool, flush);
  JG_STATE(Traffic, traffic);
  const Entry<Dma> e = queue.read();
  if (e.kind == Kind::wait && !flush) flush = !granted(e.sem, e.n, take, grant);
  if (e.kind == Kind::signal && !flush) writes.write({Kind::signal, e.sem, e.n, {0, 0} JG_IF_LINKS(, 0)});
  if (e.kind == Kind::command && !flush) {
    JG_IF_LINKS(u64 bad = 0;)
    flush = !issue_store(e.command, runs, writes, traffic JG_IF_LINKS(, bad));
    JG_IF_LINKS(if (flush) {
      note.write({e.pc, bad});
      fault.write({SemOp::fault, 0, 0});
    })
  }
  if (e.kind == Kind::stop) {
    writes.write({Kind::stop, 0, 0, {0, 0} JG_IF_LINKS(, 0)});
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

#if JG_LINKS
// A packet, which needs no answer: what the network has taken arrives.
inline void send(const PortWrite& w, Fifo<Beat, 64>& beats, NetStream& net) {
  const bool signal = kind_of(w.packet) == Packet::signal;
  net.write(net_word(PortWord(w.packet), signal));
  for (u32 i = 0; i < w.burst.beats; ++i) {
    JG_PIPELINE(1)
    const Beat b = beats.read();
    if (!signal) net.write(net_word(join(b.data), i + 1 == w.burst.beats));
  }
}
#endif

inline void write_port(hls::burst_maxi<PortWord> memory, Fifo<PortWrite, 16>& writes, Fifo<Beat, 64>& beats,
                       Fifo<SemRequest, 4>& give, Fifo<bool, 2>& idle JG_IF_LINKS(, NetStream& net)) {
  u32 unanswered = 0;
  for (bool open = true; open;) {
    const PortWrite w = writes.read();
    JG_IF_LINKS(if (w.packet != 0) {
      send(w, beats, net);
      continue;
    })
    if (w.kind == Kind::command) {
      memory.write_request(w.burst.word, w.burst.beats);
      for (u32 i = 0; i < w.burst.beats; ++i) {
        JG_PIPELINE(1)
        const Beat b = beats.read();
        memory.write(join(b.data), ap_uint<P>(b.mask));
      }
      ++unanswered;
    }
    const u32 most = w.kind == Kind::command ? 8 : 0;
    for (; unanswered > most; --unanswered) memory.write_response();
    JG_THEN;
    if (w.kind == Kind::signal) give.write({SemOp::give, w.sem, w.n});
    if (w.kind == Kind::stop) open = false;
  }
  idle.write(true);
}

}}  // namespace jogak::JG_NAMESPACE
