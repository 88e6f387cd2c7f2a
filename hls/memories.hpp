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

// Every byte of a word is a RAM of its own, so that some of them can be written: here byte i always goes to RAM i, never to one that an
// address chooses.
template <u32 N>
inline void put_bytes(u8 (&word)[N], const ChunkWrite& w, u32 first) {
  for (u32 i = 0; i < N; ++i) {
    JG_UNROLL
    const u32 from = i - first;  // wraps in front of it
    if (from < P && (w.mask >> from % P & 1) != 0) word[i] = w.data.byte[from % P];
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
  JG_PARTITION(memory.wspm, 2)
  JG_PARTITION(memory.wsc, 2)
  JG_PIPELINE(1)
  ChunkWrite w;
  if (load.read_nb(w)) {
    if (w.space == spec::Space::wspm) put_bytes(memory.wspm[w.at / kChunks], w, w.at % kChunks * P);
    else put_bytes(memory.wsc[w.at / kChunks], w, w.at % kChunks * P);
    if (w.ack) load_ack.write(true);
  }
  WeightRead r;
  Weights out;
  if (has_room(tile_data, 32) && tile.read_nb(r)) {
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
  JG_PARTITION(memory.aspm, 2)
  JG_INTERLEAVE(memory.asc, P / 2)
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
  if (has_room(moving_data, 32) && moving.read_nb(block)) {
    Block out;
    for (u32 i = 0; i < kBlock; ++i) out.value[i] = static_cast<i8>(memory.aspm[block][i]);
    out.scale = memory.asc[block];
    moving_data.write(out);
  } else if (has_room(store_data, 16) && store.read_nb(r)) {
    const bool codes = r.space == spec::Space::aspm;
    Chunk out;
    u8 all[kBlock];
    for (u32 i = 0; i < kBlock; ++i) all[i] = codes ? memory.aspm[r.at / (kBlock / P)][i] : u8(0);
    for (u32 i = 0; i < P; ++i) {
      const u32 first = r.at % (kBlock / P) * P;
      out.byte[i] = codes ? all[first + i] : static_cast<u8>(memory.asc[r.at * (P / 2) + i / 2] >> (i % 2 * 8));
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

// Per cycle and bank one read and one write: who may comes first, then each bank's one access, then the answers.
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
  JG_PARTITION(memory.vmem, 1)
  JG_PARTITION(memory.vmem, 3)
  JG_PIPELINE(1)
  u32 busy = 0, at[kBanks], writer[kBanks];
  Row row[kBanks];
  bool served[kVmemReaders], done[kVmemWriters];
  for (u32 i = 0; i < kVmemReaders; ++i) {
    JG_UNROLL
    if (!wants[i]) wants[i] = read[i].read_nb(wanted[i]);
    const u32 bank = wanted[i] % kBanks;
    served[i] = wants[i] && (busy >> bank & 1) == 0 && has_room(data[i], 32);
    if (!served[i]) continue;
    at[bank] = wanted[i] / kBanks;
    busy |= 1u << bank;
  }
  for (u32 b = 0; b < kBanks; ++b) {
    JG_UNROLL
    if ((busy >> b & 1) == 0) continue;
    for (u32 c = 0; c < C; ++c) row[b].word[c] = memory.vmem[b][at[b]][c];
  }
  for (u32 i = 0; i < kVmemReaders; ++i) {
    JG_UNROLL
    if (!served[i]) continue;
    data[i].write(row[wanted[i] % kBanks]);
    wants[i] = false;
  }
  busy = 0;
  for (u32 i = 0; i < kVmemWriters; ++i) {
    JG_UNROLL
    if (!holds[i]) holds[i] = write[i].read_nb(held[i]);
    const u32 bank = held[i].row % kBanks;
    done[i] = holds[i] && (busy >> bank & 1) == 0 && has_room(ack[i], 32);
    if (!done[i]) continue;
    writer[bank] = i;
    busy |= 1u << bank;
  }
  for (u32 b = 0; b < kBanks; ++b) {
    JG_UNROLL
    if ((busy >> b & 1) == 0) continue;
    const RowWrite& w = held[writer[b]];
    for (u32 c = 0; c < C; ++c) {
      if ((w.mask >> c & 1) != 0) memory.vmem[b][w.row / kBanks][c] = w.data.word[c];
    }
  }
  for (u32 i = 0; i < kVmemWriters; ++i) {
    JG_UNROLL
    if (!done[i]) continue;
    if (held[i].ack) ack[i].write(true);
    holds[i] = false;
  }
}

}}  // namespace jogak::JG_NAMESPACE
