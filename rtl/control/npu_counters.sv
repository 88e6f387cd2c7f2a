// The 64-bit counters of spec/npu.yaml. A counter is its word in a small memory plus what came
// since that word was last brought up to date: a few bits per counter that grows by one, one amount
// for all others. One adder brings one counter up to date per cycle: the waiting amount's, else the
// one that is read, else the next in turn. It works in three steps: choose, fetch, add. A pulse on
// read_i asks for counter idx_i (held until the answer), valid_o brings data_o 3 or 4 cycles later:
// all events up to 3 cycles before the answer, amounts up to 4. Amounts never come in two cycles in
// a row.
module npu_counters
  import npu_types::*;
  import npu_pkg::*;
(
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         clear_i,
  input  logic         running_i,
  input  seq_ev_t      seq_i,
  input  cmd_ev_t      cmd_i,
  input  amount_ev_t   amount_i,
  input  dma_ev_t      ld_i,
  input  dma_ev_t      st_i,
  input  mx_ev_t       mx_i,
  input  ve_ev_t       ve_i,
  input  front_ev_t [Engines-1:0] front_i,
  input  logic         fetching_i,
  input  logic         read_i,
  input  logic [5:0]   idx_i,
  output logic         valid_o,
  output logic [63:0]  data_o
);
  localparam int unsigned Used = CntSeqFetch + 1;
  // A counter's turn comes every 4 * Used cycles or sooner: reads take at most every second cycle,
  // amounts every fourth (npu_check: two in eight cycles).
  localparam int unsigned RecentBits = $clog2(4 * Used + 1);
  typedef logic [RecentBits-1:0] recent_t;
  typedef logic [5:0] index_t;

  // ---- what happens in this cycle ---------------------------------------------------------------
  logic [Used-1:0] one, one_q;

  always_comb begin
    one = '0;
    if (running_i) begin
      one[CntCycles]       = 1'b1;
      one[CntInstructions] = seq_i.instruction;
      one[CntCmdLoad]      = cmd_i.load;
      one[CntCmdStore]     = cmd_i.store;
      one[CntCmdMm]        = cmd_i.mm;
      one[CntCmdVec]       = cmd_i.vec;
      one[CntCmdQnt]       = cmd_i.qnt;
      one[CntLoadBeats]    = ld_i.beat;
      one[CntLoadBursts]   = ld_i.burst;
      one[CntStoreBeats]   = st_i.beat;
      one[CntStoreBursts]  = st_i.burst;
      one[CntSignals]      = seq_i.signal;
      one[CntWaits]        = seq_i.wait_op;
      one[CntMxBusy]       = mx_i.busy;
      one[CntMxWaitSem]    = front_i[EngMx].wait_sem;
      one[CntMxWaitLoad]   = mx_i.wait_load;
      one[CntMxIdle]       = front_i[EngMx].idle;
      one[CntVeBusy]       = ve_i.busy;
      one[CntVeWaitSem]    = front_i[EngVe].wait_sem;
      one[CntVeWaitMem]    = ve_i.wait_mem;
      one[CntVeIdle]       = front_i[EngVe].idle;
      one[CntLdBusy]       = ld_i.busy;
      one[CntLdWaitSem]    = front_i[EngLd].wait_sem;
      one[CntLdBeats]      = ld_i.beat;
      one[CntLdIdle]       = front_i[EngLd].idle;
      one[CntStBusy]       = st_i.busy;
      one[CntStWaitSem]    = front_i[EngSt].wait_sem;
      one[CntStBeats]      = st_i.beat;
      one[CntStIdle]       = front_i[EngSt].idle;
      one[CntSeqWaitQueue] = seq_i.wait_queue;
      one[CntSeqWaitSem]   = seq_i.wait_sem;
      one[CntSeqFetch]     = fetching_i;
    end
  end

  index_t      amount_idx, amount_idx_q;
  logic [63:0] amount, amount_q;
  logic        amount_now, waiting_q;  // waiting_q: amount_q is still to be added

  assign amount_now = running_i && (amount_i.macs || amount_i.load_bytes || amount_i.store_bytes ||
                                    amount_i.elems || amount_i.gather);
  always_comb begin
    amount     = amount_i.amount;
    amount_idx = index_t'(CntVecElems);
    if (amount_i.load_bytes) amount_idx = index_t'(CntLoadBytes);
    if (amount_i.store_bytes) amount_idx = index_t'(CntStoreBytes);
    if (amount_i.macs) begin
      amount     = amount_i.amount * 64'(Block * Cols);
      amount_idx = index_t'(CntMacs);
    end
    if (amount_i.gather) begin
      amount     = {32'd0, amount_i.gather_rows};
      amount_idx = index_t'(CntGatherRows);
    end
  end

  // ---- choose, fetch, add -----------------------------------------------------------------------
  // Step 1 has the number, step 2 the word and what it grows by; either may be idle after a launch.
  logic [63:0]     stored_q [Used];
  recent_t         recent_q [Used];
  logic [Used-1:0] written_q;        // stored_q counts, else 0 does
  index_t          turn_q, at, at1_q, at2_q;
  logic            read_q, read_now;  // read_q: a read is still to be chosen
  logic            valid1_q, amount1_q, read1_q, valid2_q, read2_q;
  logic [63:0]     old_q, grow_q, sum;
  logic            known;

  assign read_now = read_q && !waiting_q;
  assign known    = idx_i < index_t'(Used);
  assign at  = waiting_q ? amount_idx_q :
               read_now ? (known ? idx_i : index_t'(Used - 1)) : turn_q;
  assign sum = old_q + grow_q;
  assign valid_o = read2_q;
  assign data_o  = known ? sum : '0;

  always_ff @(posedge clk_i) begin
    at1_q     <= at;
    at2_q     <= at1_q;
    amount1_q <= waiting_q;
    // The word may be on its way back.
    old_q     <= valid2_q && at2_q == at1_q ? sum : written_q[at1_q] ? stored_q[at1_q] : '0;
    grow_q    <= amount1_q ? amount_q : 64'(recent_q[at1_q]);
    if (valid2_q) stored_q[at2_q] <= sum;
    if (amount_now) begin
      amount_q     <= amount;
      amount_idx_q <= amount_idx;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      one_q     <= '0;
      written_q <= '0;
      waiting_q <= 1'b0;
      read_q    <= 1'b0;
      {valid1_q, valid2_q, read1_q, read2_q} <= '0;
      turn_q    <= '0;
    end else begin
      one_q <= clear_i ? '0 : one;
      if (clear_i) written_q <= '0;
      else if (valid2_q) written_q[at2_q] <= 1'b1;
      waiting_q <= amount_now && !clear_i;
      read_q    <= read_i || (read_q && waiting_q);
      {valid1_q, valid2_q} <= clear_i ? 2'b00 : {1'b1, valid1_q};
      {read1_q, read2_q}   <= {read_now, read1_q};
      if (!read_q && !waiting_q) turn_q <= turn_q == index_t'(Used - 1) ? '0 : turn_q + 1'b1;
    end
  end

  for (genvar i = 0; i < Used; i++) begin : gen_recent
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) recent_q[i] <= '0;
      else if (clear_i) recent_q[i] <= '0;
      else recent_q[i] <= (valid1_q && at1_q == index_t'(i) ? '0 : recent_q[i]) +
                          recent_t'(one_q[i]);
    end
  end
endmodule
