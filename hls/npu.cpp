#include "npu.hpp"

namespace jogak { namespace JG_NAMESPACE {

void npu(hls::burst_maxi<PortWord> code_port, hls::burst_maxi<PortWord> load_port, hls::burst_maxi<PortWord> store_port, u32* regs,
         JG_IF_LINKS(NetStream& net_out, NetStream& net_in, ) JG_FLAG abort) {
  JG_REGION;
  // queues, and what the engines tell the sequencer
  JG_STREAM(Entry<Dma>, load_queue, hls_depth::queue);
  JG_STREAM(Entry<Dma>, store_queue, hls_depth::queue);
  JG_STREAM(MatmulEntry, matrix_queue, hls_depth::queue);
  JG_STREAM(Entry<Vector>, vector_queue, hls_depth::queue);
  JG_STREAM(FaultNote, note, 2);
  JG_STREAM(Traffic, loaded, 2);
  JG_STREAM(Traffic, stored, 2);
  JG_STREAM(bool, load_idle, 2);
  JG_STREAM(bool, store_idle, 2);
  JG_STREAM(bool, matrix_idle, 2);
  JG_STREAM(bool, vector_idle, 2);
  JG_STREAM(bool, clock_ask, 2);
  JG_STREAM(u64, clock_now, 2);
  JG_STREAM(bool, over, 2);
  JG_STREAM(bool, aborted, 2);
  // semaphores: the fault of a bad index comes from the load engine's control, its signals from behind it
  JG_STREAMS(SemRequest, give, kGivers, 4);
  JG_STREAMS(SemRequest, take, kEngines, 2);
  JG_STREAMS(bool, grant, kEngines, 2);
  // vector memory
  JG_STREAMS(u32, row_read, kVmemReaders, 8);
  JG_STREAMS(Row, row_data, kVmemReaders, 32);
  JG_STREAMS(RowWrite, row_write, kVmemWriters, 8);
  JG_STREAMS(bool, row_ack, kVmemWriters, 32);
  // load
  JG_STREAM(Burst, load_bursts, 16);
  JG_STREAM(Chunk, load_data, 64);
  JG_STREAM(LoadRun, load_runs, 8);
  JG_STREAM(bool, load_done, kLoadsUnderWay);
  JG_STREAM(ChunkWrite, weight_write, 4);
  JG_STREAM(bool, weight_ack, 4);
  JG_STREAM(ChunkWrite, activation_write, 4);
  JG_STREAM(bool, activation_ack, 4);
  // store
  JG_STREAM(StoreRun, store_runs, 8);
  JG_STREAM(StoreRun, store_fetched, 8);
  JG_STREAM(PortWrite, port_writes, 16);
  JG_STREAM(Beat, store_beats, 64);
  JG_STREAM(ChunkRead, activation_read, 8);
  JG_STREAM(Chunk, activation_data, 16);
  // other chiplets
  JG_IF_LINKS(JG_STREAM(FaultNote, store_note, 2);)
  JG_IF_LINKS(JG_STREAM(bool, gate, 2);)
  JG_IF_LINKS(JG_STREAM(ChunkWrite, arrived_write, 4);)
  JG_IF_LINKS(JG_STREAM(bool, arrived_ack, 4);)
  // matrix
  JG_STREAM(Matmul, weight_commands, 4);
  JG_STREAM(Matmul, moving_commands, 4);
  JG_STREAM(MatmulEntry, sum_entries, 8);
  JG_STREAM(Matmul, array_commands, 4);
  JG_STREAM(Matmul, foot_commands, 4);
  JG_STREAM(WeightRead, tile_read, 8);
  JG_STREAM(Weights, tile_data, 32);
  JG_STREAM(WeightRead, scale_read, 2);
  JG_STREAM(Weights, scale_data, 2);
  JG_STREAM(Scales, scales, 2);
  JG_STREAM(u32, moving_read, 8);
  JG_STREAM(Block, moving_data, 32);
  JG_STREAM(Dots, dots, 32);
  // vector
  JG_STREAM(Vector, fetch_commands, 2);
  JG_STREAM(Vector, run_commands, 2);
  JG_STREAM(Vector, reduce_commands, 2);
  JG_STREAM(Partial, partials, 8);
  JG_STREAM(BlockWrite, block_write, 4);
  JG_STREAM(bool, block_ack, 2);

  constexpr u32 kLd = 0, kSt = 1, kMx = 2, kVe = 3, kSeq = 4;
  JG_PROCESS(sequencer, code_port, regs, load_queue, store_queue, matrix_queue, vector_queue, row_read[kReadSequencer],
             row_data[kReadSequencer], give[kSeq], take[kSeq], grant[kSeq], note, loaded, stored, load_idle, store_idle, matrix_idle, vector_idle, clock_ask, clock_now, over, aborted JG_IF_LINKS(, store_note, gate));
  JG_PROCESS(abort_watch, abort, over, give[kAbort], aborted);
  JG_PROCESS(read_port, load_port, load_bursts, load_data);
  JG_PROCESS(write_port, store_port, port_writes, store_beats, give[kSt], store_idle JG_IF_LINKS(, net_out));
  JG_IF_LINKS(JG_PROCESS(arrivals, net_in, gate, arrived_write, arrived_ack, row_write[kWriteArrivals], row_ack[kWriteArrivals], give[kArrivals]);)
  JG_TASK(cycle_clock, clock_ask, clock_now);
  JG_TASK(semaphores, give, take, grant);
  JG_TASK(vector_memory, row_read, row_data, row_write, row_ack);
  JG_TASK(weight_memory, weight_write, weight_ack, tile_read, tile_data, scale_read, scale_data);
  JG_TASK(activation_memory, activation_write, activation_ack, block_write, block_ack, moving_read, moving_data, activation_read,
          activation_data JG_IF_LINKS(, arrived_write, arrived_ack));
  JG_TASK(load_control, load_queue, take[kLd], grant[kLd], give[kLoadFault], note, row_read[kReadIndex], row_data[kReadIndex],
          load_bursts, load_runs, load_done, loaded);
  JG_TASK(load_align, load_runs, load_data, weight_write, weight_ack, activation_write, activation_ack, row_write[kWriteLoad],
          row_ack[kWriteLoad], give[kLd], load_done, load_idle);
  JG_TASK(store_control, store_queue, take[kSt], grant[kSt], store_runs, port_writes, stored
          JG_IF_LINKS(, give[kStoreFault], store_note));
  JG_TASK(store_fetch, store_runs, activation_read, row_read[kReadStore], store_fetched);
  JG_TASK(store_align, store_fetched, activation_data, row_data[kReadStore], store_beats);
  JG_TASK(matrix_control, matrix_queue, take[kMx], grant[kMx], weight_commands, moving_commands, sum_entries, array_commands,
          foot_commands);
  JG_TASK(weight_feed, weight_commands, tile_read, scale_read, scale_data, scales);
  JG_TASK(moving_feed, moving_commands, moving_read);
  JG_TASK(array, array_commands, tile_data, moving_data, dots);
  JG_TASK(sum_feed, sum_entries, row_read[kReadSums], row_ack[kWriteSums], give[kMx], matrix_idle);
  JG_TASK(foot, foot_commands, scales, dots, row_data[kReadSums], row_write[kWriteSums]);
  JG_TASK(vector_control, vector_queue, take[kVe], grant[kVe], give[kVe], fetch_commands, run_commands, row_ack[kWriteVector],
          row_ack[kWriteReduced], row_ack[kWriteScales], block_ack, vector_idle);
  JG_TASK(vector_fetch, fetch_commands, row_read[kReadA], row_read[kReadB]);
  JG_TASK(vector_run, run_commands, row_data[kReadA], row_data[kReadB], row_write[kWriteVector], block_write, reduce_commands,
          partials, row_write[kWriteScales]);
  JG_TASK(vector_reduce, reduce_commands, partials, row_write[kWriteReduced]);
  JG_REGION_END;
}

}}  // namespace jogak::JG_NAMESPACE
