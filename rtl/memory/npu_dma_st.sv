// Store engine: boxes of aspm, asc or vector memory to DRAM, realigned by halfwords. Commands
// overlap; at most MaxBursts bursts are outstanding. done_o: one pulse a command, in order, after
// the last write response.
// An error response is fault bus (address: the burst's), once a command, just before its done.
// Latency: command to AW 2 cycles, to the first W beat 7 (longer when the memory's port is taken);
// last response to done 1 cycle. Throughput: one beat a cycle (npu_dma_align says when a run costs
// one more).
module npu_dma_st
  import npu_pkg::*;
  import npu_dma_pkg::*;
#(
  localparam int unsigned AspmAddrW = $clog2(AspmBytes / PortBytes),
  localparam int unsigned RowW      = $clog2(VmemRows)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   cmd_valid_i,
  output logic                   cmd_ready_o,
  input  npu_types::st_cmd_t     cmd_i,
  output logic                   done_o,
  output logic                   idle_o,
  output logic                   outstanding_o,  // an AXI answer is awaited
  output npu_types::dma_ev_t     ev_o,
  output logic                   fault_valid_o,
  output fault_e                 fault_code_o,
  output addr_t                  fault_addr_o,
  output logic                   axi_aw_valid_o,
  input  logic                   axi_aw_ready_i,
  output npu_axi_pkg::ax_t       axi_aw_o,
  output logic [2*WordBits-1:0]  axi_aw_user_o,  // last byte that counts, first one
  output logic                   axi_w_valid_o,
  input  logic                   axi_w_ready_i,
  output npu_axi_pkg::w_t        axi_w_o,
  input  logic                   axi_b_valid_i,
  output logic                   axi_b_ready_o,
  input  npu_axi_pkg::b_t        axi_b_i,
  output logic                   aspm_rvalid_o,
  input  logic                   aspm_rready_i,
  output logic                   aspm_rsel_sc_o,
  output logic [AspmAddrW-1:0]   aspm_raddr_o,
  input  logic                   aspm_rdvalid_i,
  input  logic [PortBytes*8-1:0] aspm_rdata_i,
  output logic                   vmem_rvalid_o,
  input  logic                   vmem_rready_i,
  output logic [RowW-1:0]        vmem_rrow_o,
  input  logic                   vmem_rdvalid_i,
  input  logic [Cols*32-1:0]     vmem_rdata_i
);
  localparam int unsigned MaxBursts = 32;
  localparam int unsigned MaxRuns   = 8;
  localparam int unsigned PortAddrBits = AddrBits - WordBits;

  // ---- command -> runs -> bursts ----------------------------------------------------------------
  box_t   box;
  run_t   run, burst_run;
  burst_t burst;
  logic   walk_ready, accept, run_valid, run_ready, burst_valid, burst_ready;

  assign box = '{
    base: cmd_i.dram_base, gather: 1'b0, space: cmd_i.cmd.space,
    len: cmd_i.cmd.len[LenBits-1:0], ca: cmd_i.cmd.ca[ChipBits-1:0],
    cs1: cmd_i.cmd.cs1[ChipBits-1:0], cs2: cmd_i.cmd.cs2[ChipBits-1:0],
    ds1: cmd_i.cmd.ds1, ds2: cmd_i.cmd.ds2, n1: cmd_i.cmd.n1[15:0], n2: cmd_i.cmd.n2[15:0]
  };
  assign cmd_ready_o = walk_ready;
  assign accept      = cmd_valid_i && cmd_ready_o;

  // verilator lint_off PINCONNECTEMPTY
  npu_dma_walk u_walk (
    .clk_i, .rst_ni,
    .cmd_valid_i, .cmd_ready_o(walk_ready), .cmd_i(box),
    .ix_valid_i(1'b0), .ix_ready_o(), .ix_bad_i(1'b0), .ix_offset_i('0), .ix_kill_o(),
    .run_valid_o(run_valid), .run_ready_i(run_ready), .run_o(run)
  );

  npu_dma_burst u_burst (
    .clk_i, .rst_ni,
    .run_valid_i(run_valid), .run_ready_o(run_ready), .run_i(run),
    .burst_valid_o(burst_valid), .burst_ready_i(burst_ready), .burst_o(burst),
    .burst_run_o(burst_run)
  );

  // ---- AW, the bursts outstanding, the runs to read and to realign ------------------------------
  typedef struct packed {
    logic [PortAddrBits-1:0] addr;
    logic                    last;  // of its command
    logic                    none;
  } track_t;

  typedef struct packed {
    logic [ChipBits-1:0] ca;
    logic [LenBits-1:0]  len;
    logic [2:0]          space;
    logic                one;   // fills one word
    logic [CutBits-1:0]  dst;   // DRAM address, as far as the burst's end needs it
  } move_t;

  track_t track_in, track;
  move_t  move_in, fetch, move;
  logic   track_ready, track_valid, track_pop, aw_fire, push;
  logic   fetch_in_ready, move_in_ready, fetch_valid, fetch_ready, move_valid, move_ready;

  assign axi_aw_valid_o = burst_valid && !burst.none && track_ready
      && (!burst.first || (fetch_in_ready && move_in_ready));
  assign axi_aw_o    = '{addr: burst.addr, len: burst.len};
  assign axi_aw_user_o = {burst.tail, burst.head};
  assign aw_fire     = axi_aw_valid_o && axi_aw_ready_i;
  // An empty run waits for the same; it makes no difference.
  assign burst_ready = track_ready && axi_aw_ready_i
      && (!burst.first || (fetch_in_ready && move_in_ready));
  assign push        = aw_fire && burst.first;
  assign track_in    = '{addr: burst.addr[AddrBits-1:WordBits], last: burst.last, none: burst.none};
  assign move_in     = '{ca: burst_run.ca, len: burst_run.len, space: burst_run.space,
                         one: one_word(burst_run.ca[WordBits-1:1],
                                       burst_run.addr[WordBits-1:1],
                                       burst_run.len[LenBits-1:1]),
                         dst: burst_run.addr[CutBits-1:0]};

  npu_fifo #(.Width($bits(track_t)), .Depth(MaxBursts)) u_track (
    .clk_i, .rst_ni,
    .in_valid_i(burst_valid && burst_ready), .in_ready_o(track_ready), .in_data_i(track_in),
    .out_valid_o(track_valid), .out_ready_i(track_pop), .out_data_o(track), .count_o()
  );
  npu_fifo #(.Width($bits(move_t)), .Depth(MaxRuns)) u_fetches (
    .clk_i, .rst_ni,
    .in_valid_i(push), .in_ready_o(fetch_in_ready), .in_data_i(move_in),
    .out_valid_o(fetch_valid), .out_ready_i(fetch_ready), .out_data_o(fetch), .count_o()
  );
  npu_fifo #(.Width($bits(move_t)), .Depth(MaxRuns)) u_moves (
    .clk_i, .rst_ni,
    .in_valid_i(push), .in_ready_o(move_in_ready), .in_data_i(move_in),
    .out_valid_o(move_valid), .out_ready_i(move_ready), .out_data_o(move), .count_o()
  );
  // verilator lint_on PINCONNECTEMPTY

  // ---- on-chip words -> realigned beats -> W ----------------------------------------------------
  logic                        data_valid, data_ready;
  logic [PortBytes*8-1:0]      data;
  logic [CutBits-WordBits-1:0] beat_addr;
  logic [Lanes16-1:0]          beat_mask;
  logic [PortBytes*8-1:0]      beat_data;
  logic                        beat_last, beat_user, w_in_valid, w_in_ready;
  npu_axi_pkg::w_t             w_in;

  npu_dma_fetch u_fetch (
    .clk_i, .rst_ni,
    .run_valid_i(fetch_valid), .run_ready_o(fetch_ready), .run_ca_i(fetch.ca),
    .run_len_i(fetch.len), .run_space_i(fetch.space),
    .aspm_rvalid_o, .aspm_rready_i, .aspm_rsel_sc_o, .aspm_raddr_o, .aspm_rdvalid_i, .aspm_rdata_i,
    .vmem_rvalid_o, .vmem_rready_i, .vmem_rrow_o, .vmem_rdvalid_i, .vmem_rdata_i,
    .out_valid_o(data_valid), .out_ready_i(data_ready), .out_data_o(data)
  );

  npu_dma_align #(.DstBits(CutBits), .UserBits(1)) u_align (
    .clk_i, .rst_ni,
    .run_valid_i(move_valid), .run_ready_o(move_ready), .run_none_i(1'b0),
    .run_src_i(move.ca[WordBits-1:1]), .run_dst_i(move.dst), .run_len_i(move.len),
    .run_one_i(move.one),
    .run_user_i(1'b0), .in_valid_i(data_valid), .in_ready_o(data_ready), .in_data_i(data),
    .out_valid_o(w_in_valid), .out_ready_i(w_in_ready), .out_addr_o(beat_addr),
    .out_mask_o(beat_mask), .out_data_o(beat_data), .out_last_o(beat_last), .out_user_o(beat_user)
  );

  logic [PortBytes-1:0] beat_strb;
  for (genvar h = 0; h < Lanes16; h++) begin : gen_strb
    assign beat_strb[2*h +: 2] = {2{beat_mask[h]}};
  end
  assign w_in = '{data: beat_data, strb: beat_strb, last: beat_last || beat_addr == '1};
  npu_slice #(.Width($bits(w_in))) u_w (
    .clk_i, .rst_ni, .in_valid_i(w_in_valid), .in_ready_o(w_in_ready), .in_data_i(w_in),
    .out_valid_o(axi_w_valid_o), .out_ready_i(axi_w_ready_i), .out_data_o(axi_w_o)
  );

  // ---- responses and the end of commands --------------------------------------------------------
  logic  hold, last, err, err_q;
  addr_t err_addr, err_addr_q;

  assign axi_b_ready_o = track_valid && !track.none && !hold;
  assign track_pop     = track_valid && !hold && (track.none || axi_b_valid_i);
  assign last          = track_pop && track.last;
  assign err           = track_pop && !track.none && axi_b_i.resp[1];
  assign err_addr      = err_q ? err_addr_q : {track.addr, WordBits'(0)};
  assign outstanding_o = track_valid && !track.none;

  always_ff @(posedge clk_i) begin
    if (err) err_addr_q <= err_addr;
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) err_q <= 1'b0;
    else if (last) err_q <= 1'b0;
    else if (err) err_q <= 1'b1;
  end

  npu_dma_retire u_retire (
    .clk_i, .rst_ni,
    .accept_i(accept), .last_i(last), .err_i(err || err_q), .err_code_i(FAULT_BUS),
    .err_addr_i(err_addr),
    .hold_o(hold), .done_o, .idle_o, .fault_valid_o, .fault_code_o, .fault_addr_o
  );

  assign ev_o = '{busy: !idle_o, beat: axi_w_valid_o && axi_w_ready_i,
                  burst: aw_fire};

  logic unused;
  assign unused = ^{cmd_i, burst_run, axi_b_i.resp[0], move.space, move.ca, fetch.dst, fetch.one,
                    beat_user};
endmodule
