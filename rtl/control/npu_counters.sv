// The 64-bit counters of spec/npu.yaml. Cleared by clear_i; data_o is counter idx_i, combinational.
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
  input  logic [5:0]   idx_i,
  output logic [63:0]  data_o
);
  // Counters that grow by one, and their levels.
  localparam int unsigned Used = CntSeqFetch + 1;
  logic [63:0] count_q [Used];
  logic [Used-1:0] one;

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

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q <= '{default: '0};
    end else if (clear_i) begin
      count_q <= '{default: '0};
    end else if (running_i) begin
      for (int unsigned i = 0; i < Used; i++) begin
        if (one[i]) count_q[i] <= count_q[i] + 64'd1;
      end
      if (amount_i.macs) begin
        count_q[CntMacs] <= count_q[CntMacs] + amount_i.amount * 64'(Block * Cols);
      end
      if (amount_i.load_bytes) begin
        count_q[CntLoadBytes] <= count_q[CntLoadBytes] + amount_i.amount;
      end
      if (amount_i.store_bytes) begin
        count_q[CntStoreBytes] <= count_q[CntStoreBytes] + amount_i.amount;
      end
      if (amount_i.elems) begin
        count_q[CntVecElems] <= count_q[CntVecElems] + amount_i.amount;
      end
      if (amount_i.gather) begin
        count_q[CntGatherRows] <= count_q[CntGatherRows] + {32'd0, amount_i.gather_rows};
      end
    end
  end

  assign data_o = idx_i < 6'(Used) ? count_q[idx_i] : '0;
endmodule
