// What other chiplets send to this one: writes to its memories, and signals, each behind what it speaks of.
#pragma once

#include "load.hpp"
#include "packets.hpp"

namespace jogak { namespace JG_NAMESPACE {

// Writes of packets that are not known to be done, by memory.
struct Behind {
  u32 blocks, rows;
};

inline void settle(Behind& behind, u32 most, Fifo<bool, 4>& activations_ack, Fifo<bool, 32>& rows_ack) {
  for (; behind.blocks > most; --behind.blocks) activations_ack.read();
  for (; behind.rows > most; --behind.rows) rows_ack.read();
}

inline void land(u64 header, NetStream& in, bool drain, Fifo<ChunkWrite, 4>& activations, Fifo<RowWrite, 8>& rows) {
  const spec::Space space = space_of(header);
  const u32 words = words_of(header);
  for (u32 i = 0; i < words; ++i) {
    JG_PIPELINE(1)
    const Chunk data = cut(in.read().data);
    const bool last = i + 1 == words;
    const u32 begin = i == 0 ? first_byte(header) : 0, end = last ? last_byte(header) + 1 : P;
    const u32 mask = bytes_in(0, begin, end), at = address_of(header) + i;
    if (drain) continue;
    if (space == spec::Space::vmem) rows.write(row_write(at, data, mask, last));
    else activations.write({space, at, mask, data, last});
  }
}

// From a first word of `gate` to a second one: between jobs what is sent waits in the network. The first says whether all is thrown away.
inline void arrivals(NetStream& in, Fifo<bool, 2>& gate, Fifo<ChunkWrite, 4>& activations, Fifo<bool, 4>& activations_ack,
                     Fifo<RowWrite, 8>& rows, Fifo<bool, 32>& rows_ack, Fifo<SemRequest, 4>& give) {
  constexpr u32 kBehind = 4;  // as many as there is room for acknowledgements
  const bool drain = gate.read();
  Behind behind = {0, 0};
  for (bool open = true; open;) {
    NetWord first;
    bool stop = false;
    if (!in.read_nb(first)) {
      open = !gate.read_nb(stop);
      if (open) JG_SPIN(in);
      continue;
    }
    const u64 header = static_cast<u64>(first.data.range(63, 0));
    if (kind_of(header) == Packet::write) {
      settle(behind, kBehind - 1, activations_ack, rows_ack);
      land(header, in, drain, activations, rows);
      if (!drain && space_of(header) == spec::Space::vmem) ++behind.rows;
      else if (!drain) ++behind.blocks;
    }
    if (kind_of(header) == Packet::signal && !drain) {
      settle(behind, 0, activations_ack, rows_ack);
      JG_THEN;
      const u32 address = address_of(header);
      give.write({SemOp::give, static_cast<u8>(spec::limit::semaphores + address % spec::limit::remote_semaphores),
                  static_cast<u8>(address >> 5)});
    }
  }
  settle(behind, 0, activations_ack, rows_ack);
}

}}  // namespace jogak::JG_NAMESPACE
