// The memory port: bursts of wide words, cut into bytes and joined from them.
#pragma once

#include <ap_int.h>
#include <hls_burst_maxi.h>
#include "streams.hpp"

namespace jogak { namespace JG_NAMESPACE {

using PortWord = ap_uint<8 * P>;

inline Chunk cut(const PortWord& word) {
  Chunk c;
  for (u32 i = 0; i < P; i += 4) {
    JG_UNROLL
    const u32 bits = static_cast<u32>(word.range(8 * i + 31, 8 * i));
    for (u32 k = 0; k < 4; ++k) c.byte[i + k] = static_cast<u8>(bits >> (8 * k));
  }
  return c;
}

inline PortWord join(const Chunk& c) {
  PortWord word;
  for (u32 i = 0; i < P; i += 4) {
    JG_UNROLL
    u32 bits = 0;
    for (u32 k = 0; k < 4; ++k) bits |= u32(c.byte[i + k]) << (8 * k);
    word.range(8 * i + 31, 8 * i) = bits;
  }
  return word;
}

struct Burst {
  u64 word;
  u32 beats;  // 0: no more
};

// `len` bytes at `address`, cut at multiples of the longest burst.
struct Cuts {
  u64 at, end;  // port words
  Cuts(u64 address, u32 len) : at(address / P), end((address + len - 1) / P + 1) {}
  bool more() const { return at != end; }
  Burst next() {
    const u64 border = (at / spec::limit::burst_beats + 1) * spec::limit::burst_beats;
    const u64 stop = border < end ? border : end;
    const Burst b = {at, static_cast<u32>(stop - at)};
    at = stop;
    return b;
  }
};

// Bursts are asked for while earlier ones still come.
inline void read_port(hls::burst_maxi<PortWord> memory, Fifo<Burst, 16>& bursts, Fifo<Chunk, 64>& data) {
  u32 beats[8] = {};
  u32 first = 0, asked = 0;
  for (bool open = true; open || asked > 0;) {
    Burst b = {0, 0};
    bool came = false;
    if (asked == 0) {
      b = bursts.read();
      came = true;
    } else if (open && asked < 8) {
      came = bursts.read_nb(b);
    }
    if (came && b.beats == 0) open = false;
    if (came && b.beats > 0) {
      memory.read_request(b.word, b.beats);
      beats[(first + asked++) % 8] = b.beats;
    }
    if (came || asked == 0) continue;
    for (u32 i = 0; i < beats[first]; ++i) {
      JG_PIPELINE(1)
      data.write(cut(memory.read()));
    }
    first = (first + 1) % 8;
    --asked;
  }
}

}}  // namespace jogak::JG_NAMESPACE
