// The on-chip memories, a task each: takes requests from its clients' streams and answers in their order. A write that asks for it is
// acknowledged when a read that comes later finds it.
#pragma once

#include "streams.hpp"

namespace jogak { namespace JG_NAMESPACE {

// They keep their contents between launches.
struct WeightBytes {
  u8 wspm[kWspmWords][2 * C], wsc[kWscWords][2 * C];
};
struct ActivationBytes {
  u8 aspm[kAspmBlocks][kBlock];
  u16 asc[kAspmBlocks];
};
struct VectorWords {
  u32 vmem[kBanks][kVmemRows / kBanks][C];  // row r: bank r mod 4
};

inline void put_bytes(u8* word, const ChunkWrite& w, u32 first) {
  for (u32 i = 0; i < P; ++i) {
    JG_UNROLL
    if ((w.mask >> i & 1) != 0) word[first + i] = w.data.byte[i];
  }
}

// wspm and wsc.
struct WeightRead {
  spec::Space space;
  u32 word;
};
inline void weight_memory(Fifo<ChunkWrite, 4>& load, Fifo<bool, 4>& load_ack, Fifo<WeightRead, 8>& tile,
                          Fifo<Weights, 32>& tile_data, Fifo<WeightRead, 2>& scale,
                          Fifo<Weights, 2>& scale_data) {
  constexpr u32 kChunks = 2 * C / P;  // of a word
  JG_MEMORY(WeightBytes, memory);
  JG_PIPELINE(1)
  ChunkWrite w;
  if (load.read_nb(w)) {
    u8* const word = w.space == spec::Space::wspm ? memory.wspm[w.at / kChunks] : memory.wsc[w.at / kChunks];
    put_bytes(word, w, w.at % kChunks * P);
    if (w.ack) load_ack.write(true);
  }
  WeightRead r;
  Weights out;
  if (!tile_data.full() && tile.read_nb(r)) {
    for (u32 i = 0; i < 2 * C; ++i) out.byte[i] = memory.wspm[r.word][i];
    tile_data.write(out);
  }
  if (scale.read_nb(r)) {
    for (u32 i = 0; i < 2 * C; ++i) out.byte[i] = memory.wsc[r.word][i];
    scale_data.write(out);
  }
}

// aspm and asc.
inline void put_activations(ActivationBytes& memory, const ChunkWrite& w) {
  constexpr u32 kChunks = kBlock / P, kEntries = P / 2;
  if (w.space == spec::Space::aspm) put_bytes(memory.aspm[w.at / kChunks], w, w.at % kChunks * P);
  for (u32 i = 0; w.space == spec::Space::asc && i < kEntries; ++i) {
    const u32 bytes = w.data.byte[2 * i] | u32(w.data.byte[2 * i + 1]) << 8;
    if ((w.mask >> (2 * i) & 1) != 0) memory.asc[w.at * kEntries + i] = static_cast<u16>(bytes);
  }
}

inline void activation_memory(Fifo<ChunkWrite, 4>& load, Fifo<bool, 4>& load_ack, Fifo<BlockWrite, 4>& quantised,
                              Fifo<bool, 2>& quantised_ack, Fifo<u32, 8>& moving, Fifo<Block, 32>& moving_data,
                              Fifo<ChunkRead, 8>& store, Fifo<Chunk, 16>& store_data
                              JG_IF_LINKS(, Fifo<ChunkWrite, 4>& arrived, Fifo<bool, 4>& arrived_ack)) {
  JG_MEMORY(ActivationBytes, memory);
  JG_PIPELINE(1)
  ChunkWrite w;
  BlockWrite q;
  if (quantised.read_nb(q)) {
    for (u32 i = 0; i < kBlock; ++i) memory.aspm[q.block][i] = static_cast<u8>(q.data.value[i]);
    if (q.scaled) memory.asc[q.block] = q.data.scale;
    if (q.ack) quantised_ack.write(true);
  }
  JG_IF_LINKS(else if (arrived.read_nb(w)) {
    put_activations(memory, w);
    if (w.ack) arrived_ack.write(true);
  })
  else if (load.read_nb(w)) {
    put_activations(memory, w);
    if (w.ack) load_ack.write(true);
  }
  u32 block;
  ChunkRead r;
  if (!moving_data.full() && moving.read_nb(block)) {
    Block out;
    for (u32 i = 0; i < kBlock; ++i) out.value[i] = static_cast<i8>(memory.aspm[block][i]);
    out.scale = memory.asc[block];
    moving_data.write(out);
  } else if (!store_data.full() && store.read_nb(r)) {
    Chunk out;
    for (u32 i = 0; i < P; ++i) {
      const u32 at = r.at * P + i;
      out.byte[i] = r.space == spec::Space::aspm ? memory.aspm[at / kBlock][at % kBlock]
                                                 : static_cast<u8>(memory.asc[at / 2] >> (at % 2 * 8));
    }
    store_data.write(out);
  }
}

// Who reads and writes rows of vector memory, first come those that may wait least.
enum VmemReader : u32 { kReadSequencer, kReadSums, kReadA, kReadB, kReadStore, kReadIndex, kVmemReaders };
enum VmemWriter : u32 { kWriteSums, kWriteVector, kWriteReduced, kWriteScales, kWriteLoad, kWriteArrivals, kVmemWriters = kWriteArrivals + JG_LINKS };
using RowReads = Fifo<u32, 8>[kVmemReaders];
using RowData = Fifo<Row, 32>[kVmemReaders];
using RowWrites = Fifo<RowWrite, 8>[kVmemWriters];
using RowAcks = Fifo<bool, 32>[kVmemWriters];

// Per cycle and bank one read and one write.
inline void vector_memory(RowReads& read, RowData& data, RowWrites& write, RowAcks& ack) {
  JG_MEMORY(VectorWords, memory);
  JG_STATES(u32, wanted, kVmemReaders);
  JG_STATES(bool, wants, kVmemReaders);
  JG_STATES(RowWrite, held, kVmemWriters);
  JG_STATES(bool, holds, kVmemWriters);
  JG_PARTITION(wanted, 1)
  JG_PARTITION(wants, 1)
  JG_PARTITION(held, 1)
  JG_PARTITION(holds, 1)
  JG_PIPELINE(1)
  u32 busy = 0;
  for (u32 i = 0; i < kVmemReaders; ++i) {
    JG_UNROLL
    if (!wants[i]) wants[i] = read[i].read_nb(wanted[i]);
    const u32 bank = 1u << (wanted[i] % kBanks);
    if (!wants[i] || (busy & bank) != 0 || data[i].full()) continue;
    Row out;
    for (u32 c = 0; c < C; ++c) out.word[c] = memory.vmem[wanted[i] % kBanks][wanted[i] / kBanks][c];
    data[i].write(out);
    wants[i] = false;
    busy |= bank;
  }
  busy = 0;
  for (u32 i = 0; i < kVmemWriters; ++i) {
    JG_UNROLL
    if (!holds[i]) holds[i] = write[i].read_nb(held[i]);
    const u32 bank = 1u << (held[i].row % kBanks);
    if (!holds[i] || (busy & bank) != 0 || ack[i].full()) continue;
    for (u32 c = 0; c < C; ++c) {
      if ((held[i].mask >> c & 1) != 0) memory.vmem[held[i].row % kBanks][held[i].row / kBanks][c] = held[i].data.word[c];
    }
    if (held[i].ack) ack[i].write(true);
    holds[i] = false;
    busy |= bank;
  }
}

}}  // namespace jogak::JG_NAMESPACE
