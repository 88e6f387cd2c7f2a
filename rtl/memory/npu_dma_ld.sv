// Load engine: DRAM boxes to wspm, wsc, aspm, asc or vector memory, realigned by halfwords.
// Commands overlap: reads of the next command go out while data of the last ones come in; at most
// MaxBursts bursts are outstanding.
// A gather command starts when no earlier load into vector memory is in flight, for it may have
// written the index list. done_o: one pulse a command, in order, once the last byte can be read.
// An error answer is fault bus (address: the burst's), an index above room fault index (address:
// the index), one a command, just before its done; all data of issued bursts are taken either way.
// An index fault ends its command.
// Latency: command to AR 2 cycles (gather: 7 and the bank's wait); R beat to written word 1 cycle,
// to done 2.
// Throughput: one beat a cycle (npu_dma_align says when a run costs one more); runs of one burst:
// one a cycle, gathered ones 4 every 5 cycles, both up to MaxBursts per memory latency.
module npu_dma_ld
  import npu_pkg::*;
  import npu_dma_pkg::*;
#(
  localparam int unsigned WspmAddrW = $clog2(WspmBytes / PortBytes),
  localparam int unsigned AspmAddrW = $clog2(AspmBytes / PortBytes),
  localparam int unsigned RowW      = $clog2(VmemRows)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   cmd_valid_i,
  output logic                   cmd_ready_o,
  input  npu_types::ld_cmd_t     cmd_i,
  output logic                   done_o,
  output logic                   idle_o,
  output logic                   outstanding_o,  // an AXI answer is awaited
  output npu_types::dma_ev_t     ev_o,
  output logic                   fault_valid_o,
  output fault_e                 fault_code_o,
  output addr_t                  fault_addr_o,
  output logic                   axi_ar_valid_o,
  input  logic                   axi_ar_ready_i,
  output npu_axi_pkg::ax_t       axi_ar_o,
  input  logic                   axi_r_valid_i,
  output logic                   axi_r_ready_o,
  input  npu_axi_pkg::r_t        axi_r_i,
  output logic                   ix_rvalid_o,
  output logic [RowW-1:0]        ix_rrow_o,
  input  logic                   ix_rready_i,
  input  logic [Cols*32-1:0]     ix_rdata_i,
  output logic                   wspm_wvalid_o,
  input  logic                   wspm_wready_i,
  output logic                   wspm_wsel_sc_o,
  output logic [WspmAddrW-1:0]   wspm_waddr_o,
  output logic                   aspm_wvalid_o,
  input  logic                   aspm_wready_i,
  output logic                   aspm_wsel_sc_o,
  output logic [AspmAddrW-1:0]   aspm_waddr_o,
  output logic [PortBytes-1:0]   spad_wstrb_o,   // for both scratchpads
  output logic [PortBytes*8-1:0] spad_wdata_o,
  output logic                   vmem_wvalid_o,
  input  logic                   vmem_wready_i,
  output logic [RowW-1:0]        vmem_wrow_o,
  output logic [Cols-1:0]        vmem_wmask_o,
  output logic [Cols*32-1:0]     vmem_wdata_o
);
  localparam int unsigned MaxBursts = 64;
  localparam int unsigned PortAddrBits = AddrBits - WordBits;
  localparam int unsigned ChipWordBits = ChipBits - WordBits;

  // ---- command -> runs -> bursts ----------------------------------------------------------------
  box_t   box;
  run_t   run, burst_run;
  burst_t burst;
  logic   walk_ready, accept, gather_ok, run_valid, run_ready, burst_valid, burst_ready;
  logic   ix_valid, ix_ready, ix_bad, ix_kill;
  logic [31:0] ix_offset, ix_index;

  assign box = '{
    base: cmd_i.dram_base, gather: cmd_i.cmd.gather, space: cmd_i.cmd.space,
    len: cmd_i.cmd.len[LenBits-1:0], ca: cmd_i.cmd.ca[ChipBits-1:0],
    cs1: cmd_i.cmd.cs1[ChipBits-1:0], cs2: cmd_i.cmd.cs2[ChipBits-1:0],
    ds1: cmd_i.cmd.ds1, ds2: cmd_i.cmd.ds2, n1: cmd_i.cmd.n1[15:0], n2: cmd_i.cmd.n2[15:0]
  };
  assign cmd_ready_o = walk_ready && (!cmd_i.cmd.gather || gather_ok);
  assign accept      = cmd_valid_i && cmd_ready_o;

  npu_dma_walk u_walk (
    .clk_i, .rst_ni,
    .cmd_valid_i(accept), .cmd_ready_o(walk_ready), .cmd_i(box),
    .ix_valid_i(ix_valid), .ix_ready_o(ix_ready), .ix_bad_i(ix_bad), .ix_offset_i(ix_offset),
    .ix_kill_o(ix_kill),
    .run_valid_o(run_valid), .run_ready_i(run_ready), .run_o(run)
  );

  npu_dma_index u_index (
    .clk_i, .rst_ni,
    .start_i(accept && cmd_i.cmd.gather && cmd_i.cmd.n1 != '0 && cmd_i.cmd.n2 != '0
             && cmd_i.cmd.len != '0),
    .kill_i(ix_kill),
    .idx_i(cmd_i.cmd.idx), .n1_i(box.n1), .n2_i(box.n2), .stride_i(box.ds1), .room_i(cmd_i.room),
    .ix_rvalid_o, .ix_rrow_o, .ix_rready_i, .ix_rdata_i,
    .out_valid_o(ix_valid), .out_ready_i(ix_ready), .bad_o(ix_bad), .offset_o(ix_offset),
    .index_o(ix_index)
  );

  npu_dma_burst u_burst (
    .clk_i, .rst_ni,
    .run_valid_i(run_valid), .run_ready_o(run_ready), .run_i(run),
    .burst_valid_o(burst_valid), .burst_ready_i(burst_ready), .burst_o(burst),
    .burst_run_o(burst_run)
  );

  // ---- AR, the bursts outstanding, the runs whose data are to come ------------------------------
  typedef struct packed {
    logic [2:0] space;
    logic       last;
    logic       bad;
  } user_t;

  typedef struct packed {
    logic [LaneBits-1:0] src;
    logic [ChipBits-1:0] ca;
    logic [LenBits-1:0]  len;
    logic                one;   // fills one word
    logic                none;
    user_t               user;
  } move_t;

  move_t move_in, move;
  logic  move_in_ready, move_valid, move_ready, track_ready, ar_fire, r_fire;
  logic [PortAddrBits-1:0] oldest;  // port word address of the oldest burst

  assign axi_ar_valid_o = burst_valid && !burst.none && track_ready
      && (!burst.first || move_in_ready);
  assign axi_ar_o       = '{addr: burst.addr, len: burst.len};
  assign ar_fire     = axi_ar_valid_o && axi_ar_ready_i;
  // An empty run waits for the same; it makes no difference.
  assign burst_ready = axi_ar_ready_i && track_ready && (!burst.first || move_in_ready);
  assign move_in     = '{
    src: burst_run.addr[WordBits-1:1], ca: burst_run.ca, len: burst_run.len,
    one: one_word(burst_run.addr[WordBits-1:1], burst_run.ca[WordBits-1:1],
                  burst_run.len[LenBits-1:1]), none: burst_run.none,
    user: '{space: burst_run.space, last: burst_run.last, bad: burst_run.bad}
  };

  // verilator lint_off PINCONNECTEMPTY
  npu_fifo #(.Width(PortAddrBits), .Depth(MaxBursts)) u_track (
    .clk_i, .rst_ni,
    .in_valid_i(ar_fire), .in_ready_o(track_ready), .in_data_i(burst.addr[AddrBits-1:WordBits]),
    .out_valid_o(outstanding_o), .out_ready_i(r_fire && axi_r_i.last), .out_data_o(oldest),
    .count_o()
  );
  // verilator lint_on PINCONNECTEMPTY

  // In a RAM: a run is needed two cycles later at the earliest, when the first answer can come.
  npu_ram_fifo #(.Width($bits(move_t)), .Depth(MaxBursts)) u_moves (
    .clk_i, .rst_ni,
    .in_valid_i(burst_valid && burst_ready && burst.first), .in_ready_o(move_in_ready),
    .in_data_i(move_in),
    .out_valid_o(move_valid), .out_ready_i(move_ready), .out_data_o(move)
  );

  // ---- data: R -> realigned words -> memories ---------------------------------------------------
  typedef struct packed {
    logic [ChipWordBits-1:0] addr;
    logic [Lanes16-1:0]      mask;
    logic [PortBytes*8-1:0]  data;
    logic                    last;
    logic                    err;   // the command has had an error answer
    user_t                   user;
  } word_t;

  word_t word_in, word;
  logic  word_in_valid, word_in_ready, word_valid, word_ready, write, hold, beat_ready;
  logic  err_end_q;  // the end of a command with an error is on its way: later data wait for it

  npu_dma_align #(.DstBits(ChipBits), .UserBits($bits(user_t))) u_align (
    .clk_i, .rst_ni,
    .run_valid_i(move_valid), .run_ready_o(move_ready), .run_none_i(move.none),
    .run_src_i(move.src), .run_dst_i(move.ca), .run_len_i(move.len), .run_one_i(move.one),
    .run_user_i(move.user),
    .in_valid_i(axi_r_valid_i && !err_end_q), .in_ready_o(beat_ready), .in_data_i(axi_r_i.data),
    .out_valid_o(word_in_valid), .out_ready_i(word_in_ready), .out_addr_o(word_in.addr),
    .out_mask_o(word_in.mask), .out_data_o(word_in.data), .out_last_o(word_in.last),
    .out_user_o(word_in.user)
  );
  // A queue: what is written does not wait for word_ready, which comes late.
  // verilator lint_off PINCONNECTEMPTY
  npu_fifo #(.Width($bits(word_t)), .Depth(2)) u_word (
    .clk_i, .rst_ni, .in_valid_i(word_in_valid), .in_ready_o(word_in_ready), .in_data_i(word_in),
    .out_valid_o(word_valid), .out_ready_i(word_ready), .out_data_o(word), .count_o()
  );
  // verilator lint_on PINCONNECTEMPTY
  assign axi_r_ready_o = beat_ready && !err_end_q;
  assign r_fire = axi_r_valid_i && axi_r_ready_o;

  assign write          = word_valid && !hold && word.mask != '0;
  assign wspm_wvalid_o  = write && (word.user.space == SPACE_WSPM || word.user.space == SPACE_WSC);
  assign aspm_wvalid_o  = write && (word.user.space == SPACE_ASPM || word.user.space == SPACE_ASC);
  assign vmem_wvalid_o  = write && word.user.space == SPACE_VMEM;
  assign wspm_wsel_sc_o = word.user.space == SPACE_WSC;
  assign aspm_wsel_sc_o = word.user.space == SPACE_ASC;
  assign wspm_waddr_o   = word.addr[WspmAddrW-1:0];
  assign aspm_waddr_o   = word.addr[AspmAddrW-1:0];
  assign spad_wdata_o   = word.data;
  for (genvar h = 0; h < Lanes16; h++) begin : gen_strb
    assign spad_wstrb_o[2*h +: 2] = {2{word.mask[h]}};
  end

  always_comb begin
    word_ready = !hold;
    if ((wspm_wvalid_o && !wspm_wready_i) || (aspm_wvalid_o && !aspm_wready_i)
        || (vmem_wvalid_o && !vmem_wready_i)) begin
      word_ready = 1'b0;
    end
  end

  // A port word is one of Pieces parts of a vector-memory row.
  localparam int unsigned Pieces    = Cols * 4 / PortBytes;
  localparam int unsigned PieceBits = $clog2(Pieces);
  assign vmem_wdata_o = {Pieces{word.data}};
  assign vmem_wrow_o  = word.addr[PieceBits +: RowW];
  for (genvar c = 0; c < Cols; c++) begin : gen_vmask
    localparam int unsigned Piece = c * 4 / PortBytes;
    assign vmem_wmask_o[c] = word.mask[(c*2)%Lanes16]
        && (Pieces == 1 || word.addr[PieceBits-1:0] == PieceBits'(Piece));
  end

  // ---- errors and the end of commands -----------------------------------------------------------
  logic  last_word, end_in, beat_err, err_q, index_q;
  addr_t bus_addr_q;
  logic [31:0] index_addr_q;

  assign last_word = word_valid && word_ready && word.last && word.user.last;
  // Errors are those of the command whose words go in.
  assign end_in      = word_in_valid && word_in_ready && word_in.last && word_in.user.last;
  assign word_in.err = err_q || beat_err;
  assign beat_err  = r_fire && axi_r_i.resp[1];

  npu_dma_retire u_retire (
    .clk_i, .rst_ni,
    .accept_i(accept), .last_i(last_word), .err_i(word.err || word.user.bad),
    .err_code_i(word.err ? FAULT_BUS : FAULT_INDEX),
    .err_addr_i(word.err ? bus_addr_q : AddrBits'(index_addr_q)),
    .hold_o(hold), .done_o, .idle_o, .fault_valid_o, .fault_code_o, .fault_addr_o
  );

  // The address of the first bad index of the oldest command that has one.
  always_ff @(posedge clk_i) begin
    if (beat_err && !err_q) bus_addr_q <= {oldest, WordBits'(0)};
    if (ix_kill && !index_q) index_addr_q <= ix_index;
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      err_q     <= 1'b0;
      err_end_q <= 1'b0;
      index_q   <= 1'b0;
    end else begin
      if (end_in) err_q <= 1'b0;
      else if (beat_err) err_q <= 1'b1;
      if (end_in && word_in.err) err_end_q <= 1'b1;
      else if (last_word && word.err) err_end_q <= 1'b0;
      if (ix_kill) index_q <= 1'b1;
      else if (last_word && word.user.bad) index_q <= 1'b0;
    end
  end

  // Loads into vector memory in flight, for the order of gathers behind them.
  logic [7:0] vmem_cmds_q;
  logic       vmem_in, vmem_out;
  assign vmem_in   = accept && cmd_i.cmd.space == SPACE_VMEM;
  assign vmem_out  = last_word && word.user.space == SPACE_VMEM;
  assign gather_ok = vmem_cmds_q == '0;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) vmem_cmds_q <= '0;
    else if (vmem_in && !vmem_out) vmem_cmds_q <= vmem_cmds_q + 1'b1;
    else if (vmem_out && !vmem_in) vmem_cmds_q <= vmem_cmds_q - 1'b1;
  end

  assign ev_o = '{busy: !idle_o, beat: r_fire, burst: ar_fire};

  logic unused;
  assign unused = ^{cmd_i, burst, burst_run, axi_r_i.resp[0]};
endmodule
