// Everything that decides order: registers, run control, program loader, sequencer, semaphores, the
// engines' fronts and the counters. Engines see commands, give done pulses. Wiring only.
module npu_control
  import npu_types::*;
  import npu_pkg::*;
#(
  localparam int unsigned RowW = $clog2(VmemRows)
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  // AXI4-Lite
  input  logic             aw_valid_i,
  output logic             aw_ready_o,
  input  logic [11:0]      aw_addr_i,
  input  logic             w_valid_i,
  output logic             w_ready_o,
  input  logic [31:0]      w_data_i,
  input  logic [3:0]       w_strb_i,
  output logic             b_valid_o,
  input  logic             b_ready_i,
  input  logic             ar_valid_i,
  output logic             ar_ready_o,
  input  logic [11:0]      ar_addr_i,
  output logic             r_valid_o,
  input  logic             r_ready_i,
  output logic [31:0]      r_data_o,
  output logic             irq_o,
  // program loader's side of the read channel
  output logic             fetching_o,
  output logic             f_ar_valid_o,
  input  logic             f_ar_ready_i,
  output npu_axi_pkg::ax_t f_ar_o,
  input  logic             f_r_valid_i,
  output logic             f_r_ready_o,
  input  npu_axi_pkg::r_t  f_r_i,
  // silence of the memory
  output logic [31:0]      bus_timeout_o,
  input  logic             read_expired_i,
  input  logic             write_expired_i,
  // engines
  output ld_cmd_t          ld_cmd_o,
  output st_cmd_t          st_cmd_o,
  output mx_cmd_t          mx_cmd_o,
  output ve_cmd_t          ve_cmd_o,
  output logic [Engines-1:0] cmd_valid_o,
  input  logic [Engines-1:0] cmd_ready_i,
  input  logic [Engines-1:0] done_i,
  input  logic [Engines-1:0] idle_i,
  input  dma_ev_t          ld_ev_i,
  input  dma_ev_t          st_ev_i,
  input  mx_ev_t           mx_ev_i,
  input  ve_ev_t           ve_ev_i,
  input  fault_t           ld_fault_i,   // without pc
  input  fault_t           st_fault_i,
  output trace_t [Engines-1:0] trace_o,
  // vector memory's index port, with the load engine's gather
  input  logic             gather_rvalid_i,
  input  logic [RowW-1:0]  gather_rrow_i,
  output logic             gather_rready_o,
  output logic             ix_rvalid_o,
  output logic [RowW-1:0]  ix_rrow_o,
  input  logic             ix_rready_i,
  input  logic             ix_rdvalid_i,
  input  logic [32*Cols-1:0] ix_rdata_i,
  // package (chiplets with links)
  output logic [15:0]      place_o,
  output logic             rx_open_o,    // writes and signals of other chiplets are taken
  output logic             rx_drain_o,   // they are thrown away
  input  logic             rx_svalid_i,
  output logic             rx_sready_o,
  input  logic [4:0]       rx_sem_i,
  input  logic [7:0]       rx_n_i
);
  logic counter_read, counter_valid, drain;
  logic start_req, abort, clear, start, kill, running, done, seq_idle, fetch_idle, loaded;
  launch_t launch;
  status_t status;
  window_t window;
  fault_t seq_fault, fetch_fault, ld_fault, st_fault;
  logic [3:0] arg_idx;
  logic [2:0] window_idx;
  logic [31:0] arg;
  logic [5:0] counter_idx;
  logic [63:0] counter;

  npu_csr u_csr (
    .clk_i, .rst_ni, .aw_valid_i, .aw_ready_o, .aw_addr_i, .w_valid_i, .w_ready_o, .w_data_i,
    .w_strb_i, .b_valid_o, .b_ready_i, .ar_valid_i, .ar_ready_o, .ar_addr_i, .r_valid_o, .r_ready_i,
    .r_data_o, .start_o(start_req), .abort_o(abort), .clear_o(clear), .launch_o(launch),
    .arg_idx_i(arg_idx), .arg_o(arg), .window_idx_i(window_idx), .window_o(window),
    .counter_read_o(counter_read), .counter_idx_o(counter_idx),
    .counter_valid_i(counter_valid), .counter_i(counter), .status_i(status), .done_i(done), .irq_o,
    .place_o, .drain_o(drain)
  );

  pc_t [Engines-1:0] oldest_pc;
  logic [Engines-1:0] front_idle;

  npu_run u_run (
    .clk_i, .rst_ni, .start_i(start_req), .abort_i(abort), .clear_i(clear), .start_o(start),
    .kill_o(kill), .running_o(running), .done_o(done), .status_o(status),
    .idle_i(seq_idle && fetch_idle && (&front_idle)),
    .seq_fault_i(seq_fault), .fetch_fault_i(fetch_fault), .ld_fault_i(ld_fault),
    .st_fault_i(st_fault), .read_expired_i, .write_expired_i, .fetching_i(fetching_o),
    .ld_pc_i(oldest_pc[EngLd]), .st_pc_i(oldest_pc[EngSt])
  );
  assign bus_timeout_o = launch.bus_timeout;

  always_comb begin
    ld_fault = ld_fault_i;
    st_fault = st_fault_i;
    ld_fault.pc = oldest_pc[EngLd];
    st_fault.pc = oldest_pc[EngSt];
  end

  // ---- program ----------------------------------------------------------------------------------
  localparam int unsigned ImemW = $clog2(ImemWords);
  logic imem_ren, imem_wen;
  logic [ImemW-1:0] imem_raddr, imem_waddr;
  insn_t imem_wdata;
  npu_check_pkg::held_insn_t imem_rdata;

  npu_ram #(.Width($bits(imem_rdata)), .Depth(ImemWords)) u_imem (
    .clk_i, .ren_i(imem_ren), .raddr_i(imem_raddr), .rdata_o(imem_rdata),
    .wen_i(imem_wen), .waddr_i(imem_waddr), .wmask_i(1'b1),
    .wdata_i(npu_check_pkg::held(imem_wdata))
  );

  npu_fetch u_fetch (
    .clk_i, .rst_ni, .start_i(start), .resident_i(launch.resident), .kill_i(kill),
    .code_i(launch.code), .len_i(launch.len), .loaded_o(loaded), .idle_o(fetch_idle),
    .fault_o(fetch_fault), .ar_valid_o(f_ar_valid_o), .ar_ready_i(f_ar_ready_i), .ar_o(f_ar_o),
    .r_valid_i(f_r_valid_i), .r_ready_o(f_r_ready_o), .r_i(f_r_i),
    .imem_wen_o(imem_wen), .imem_waddr_o(imem_waddr), .imem_wdata_o(imem_wdata)
  );
  assign fetching_o = !fetch_idle;

  // ---- sequencer --------------------------------------------------------------------------------
  logic [Engines-1:0] push_valid, push_ready;
  que_tag_t push_tag;
  ld_cmd_t push_ld;
  st_cmd_t push_st;
  mx_cmd_t push_mx;
  ve_cmd_t push_ve;
  localparam bit Links = Chiplets > 1;
  localparam int unsigned Users = Engines + 1 + 32'(Links);
  sem_op_t [Users-1:0] take, sig;
  logic [Users-1:0] take_grant, sig_grant;
  logic lds_valid, lds_ready, lds_dvalid;
  logic [$clog2(VmemWords)-1:0] lds_word;
  logic [31:0] lds_data;
  seq_ev_t seq_ev;
  cmd_ev_t count;
  amount_ev_t amount;
  front_ev_t [Engines-1:0] front_ev;

  npu_seq u_seq (
    .clk_i, .rst_ni, .start_i(start), .kill_i(kill), .loaded_i(loaded), .code_len_i(launch.len),
    .watchdog_i(launch.watchdog), .arg_idx_o(arg_idx), .arg_i(arg), .window_idx_o(window_idx),
    .window_i(window), .idle_o(seq_idle), .fault_o(seq_fault), .imem_ren_o(imem_ren),
    .imem_addr_o(imem_raddr), .imem_rdata_i(imem_rdata), .push_valid_o(push_valid),
    .push_ready_i(push_ready), .push_tag_o(push_tag), .push_ld_o(push_ld), .push_st_o(push_st),
    .push_mx_o(push_mx), .push_ve_o(push_ve), .take_o(take[EngSeq]),
    .take_grant_i(take_grant[EngSeq]), .sig_o(sig[EngSeq]), .sig_grant_i(sig_grant[EngSeq]),
    .lds_valid_o(lds_valid), .lds_word_o(lds_word), .lds_ready_i(lds_ready),
    .lds_dvalid_i(lds_dvalid), .lds_data_i(lds_data), .ev_o(seq_ev), .count_o(count),
    .amount_o(amount)
  );

  npu_ix_share u_ix_share (
    .clk_i, .rst_ni, .lds_valid_i(lds_valid), .lds_word_i(lds_word), .lds_ready_o(lds_ready),
    .lds_dvalid_o(lds_dvalid), .lds_data_o(lds_data), .ld_rvalid_i(gather_rvalid_i),
    .ld_rrow_i(gather_rrow_i), .ld_rready_o(gather_rready_o), .ix_rvalid_o, .ix_rrow_o,
    .ix_rready_i, .ix_rdvalid_i, .ix_rdata_i
  );

  logic sems_clearing;
  npu_sems #(.Users(Users), .Links(Links)) u_sems (
    .clk_i, .rst_ni, .clear_i(start), .sig_i(sig), .sig_grant_o(sig_grant), .take_i(take),
    .take_grant_o(take_grant), .clearing_o(sems_clearing)
  );

  // Other chiplets are heard from when the semaphores are clear until the end of the run.
  if (Links) begin : gen_links
    logic clearing_q, open_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        clearing_q <= 1'b0;
        open_q     <= 1'b0;
      end else begin
        clearing_q <= sems_clearing;
        open_q     <= running && (open_q || (clearing_q && !sems_clearing));
      end
    end
    assign rx_open_o   = open_q;
    assign rx_drain_o  = drain && !running;
    assign take[Engines+1] = '0;
    assign sig[Engines+1]  = '{valid: rx_svalid_i, sem: {1'b1, rx_sem_i}, n: rx_n_i};
    assign rx_sready_o     = sig_grant[Engines+1];
    logic unused_grant;
    assign unused_grant = take_grant[Engines+1];
  end else begin : gen_no_links
    assign {rx_open_o, rx_drain_o, rx_sready_o} = '0;
    logic unused_links;
    assign unused_links = ^{sems_clearing, drain, rx_svalid_i, rx_sem_i, rx_n_i};
  end

  // What of a legal command can differ from 0 and matters: counts are at most 65535, addresses and
  // the strides that are used are smaller than their memory.
  localparam logic [31:0] Count = 32'hffff;
  localparam logic [31:0] Chip  = 32'((64'd1 << npu_dma_pkg::ChipBits) - 1);
  localparam logic [31:0] Len   = 32'((64'd1 << npu_dma_pkg::LenBits) - 1);
  localparam logic [31:0] Word  = 32'((64'd1 << $clog2(VmemWords)) - 1);
  localparam logic [31:0] Row   = Word & ~32'(Cols - 1);
  localparam logic [31:0] Act   = 32'((64'd1 << $clog2(AspmBytes)) - 1) & ~32'(Block - 1);
  localparam logic [31:0] Tile  = 32'((64'd1 << $clog2(WspmBytes)) - 1) &
                                  ~32'(Block / 2 * Cols - 1);
  localparam logic [31:0] Scale = 32'((64'd1 << $clog2(WscBytes)) - 1) & ~32'(Cols - 1);
  localparam logic [31:0] Index = Sparse ? 32'((64'd1 << $clog2(WspmBytes)) - 1) &
                                           ~32'(Block / 4 * Cols - 1) : '0;
  localparam ld_cmd_t LdBits = '{dram_base: '1, room: '1, cmd: '{
    idx: Word, cs2: Chip, ds2: '1, n2: Count, cs1: Chip, ds1: '1, n1: Count, len: Len, ca: Chip,
    da: '0, gather: '1, space: '1, win: '0}};
  localparam st_cmd_t StBits = '{dram_base: '1, cmd: '{
    cs2: Chip, ds2: '1, n2: Count, cs1: Chip, ds1: '1, n1: Count, len: Len, ca: Chip, da: '0,
    space: '1, win: '0}};
  localparam mx_cmd_t MxBits = '{wi: Index, sparse: Sparse,
    nb: Count, kb: Count, m: Count, on: Row, om: Row, o: Row, am: Act, a: Act, wk: Tile, wn: Tile,
    ws: Scale, w: Tile, colload: '1, acc: '1, ascale: '1, wscale: '1, wfmt: '1};
  localparam ve_cmd_t VeBits = '{is_qnt: '1, qnt_row: '1, qnt_pair: Sparse, vec: '{
    cols: Count, rows: Count, r: Word, lim: '1, s: '1, bs: Word, b: '1, as: Row, a: Row,
    ds: Row | Act, dst: Row | Act, linc: '1, masked: '1, swap: '1, absa: '1, negb: '1, nega: '1,
    wr: '1, red: '1, func: '1, bmode: '1, op: '1}};

  // ---- fronts -----------------------------------------------------------------------------------
  npu_front #(.cmd_t(ld_cmd_t), .UsedBits(LdBits)) u_front_ld (
    .clk_i, .rst_ni, .stop_i(kill), .push_valid_i(push_valid[EngLd]),
    .push_ready_o(push_ready[EngLd]), .push_tag_i(push_tag), .push_cmd_i(push_ld),
    .cmd_valid_o(cmd_valid_o[EngLd]), .cmd_o(ld_cmd_o), .cmd_ready_i(cmd_ready_i[EngLd]),
    .done_i(done_i[EngLd]), .engine_idle_i(idle_i[EngLd]), .take_o(take[EngLd]),
    .take_grant_i(take_grant[EngLd]), .sig_o(sig[EngLd]), .sig_grant_i(sig_grant[EngLd]),
    .oldest_pc_o(oldest_pc[EngLd]), .idle_o(front_idle[EngLd]), .ev_o(front_ev[EngLd]),
    .trace_o(trace_o[EngLd])
  );

  npu_front #(.cmd_t(st_cmd_t), .UsedBits(StBits)) u_front_st (
    .clk_i, .rst_ni, .stop_i(kill), .push_valid_i(push_valid[EngSt]),
    .push_ready_o(push_ready[EngSt]), .push_tag_i(push_tag), .push_cmd_i(push_st),
    .cmd_valid_o(cmd_valid_o[EngSt]), .cmd_o(st_cmd_o), .cmd_ready_i(cmd_ready_i[EngSt]),
    .done_i(done_i[EngSt]), .engine_idle_i(idle_i[EngSt]), .take_o(take[EngSt]),
    .take_grant_i(take_grant[EngSt]), .sig_o(sig[EngSt]), .sig_grant_i(sig_grant[EngSt]),
    .oldest_pc_o(oldest_pc[EngSt]), .idle_o(front_idle[EngSt]), .ev_o(front_ev[EngSt]),
    .trace_o(trace_o[EngSt])
  );

  npu_front #(.cmd_t(mx_cmd_t), .UsedBits(MxBits)) u_front_mx (
    .clk_i, .rst_ni, .stop_i(kill), .push_valid_i(push_valid[EngMx]),
    .push_ready_o(push_ready[EngMx]), .push_tag_i(push_tag), .push_cmd_i(push_mx),
    .cmd_valid_o(cmd_valid_o[EngMx]), .cmd_o(mx_cmd_o), .cmd_ready_i(cmd_ready_i[EngMx]),
    .done_i(done_i[EngMx]), .engine_idle_i(idle_i[EngMx]), .take_o(take[EngMx]),
    .take_grant_i(take_grant[EngMx]), .sig_o(sig[EngMx]), .sig_grant_i(sig_grant[EngMx]),
    .oldest_pc_o(oldest_pc[EngMx]), .idle_o(front_idle[EngMx]), .ev_o(front_ev[EngMx]),
    .trace_o(trace_o[EngMx])
  );

  npu_front #(.cmd_t(ve_cmd_t), .UsedBits(VeBits)) u_front_ve (
    .clk_i, .rst_ni, .stop_i(kill), .push_valid_i(push_valid[EngVe]),
    .push_ready_o(push_ready[EngVe]), .push_tag_i(push_tag), .push_cmd_i(push_ve),
    .cmd_valid_o(cmd_valid_o[EngVe]), .cmd_o(ve_cmd_o), .cmd_ready_i(cmd_ready_i[EngVe]),
    .done_i(done_i[EngVe]), .engine_idle_i(idle_i[EngVe]), .take_o(take[EngVe]),
    .take_grant_i(take_grant[EngVe]), .sig_o(sig[EngVe]), .sig_grant_i(sig_grant[EngVe]),
    .oldest_pc_o(oldest_pc[EngVe]), .idle_o(front_idle[EngVe]), .ev_o(front_ev[EngVe]),
    .trace_o(trace_o[EngVe])
  );

  npu_counters u_counters (
    .clk_i, .rst_ni, .clear_i(start), .running_i(running), .seq_i(seq_ev), .cmd_i(count),
    .amount_i(amount), .ld_i(ld_ev_i), .st_i(st_ev_i), .mx_i(mx_ev_i), .ve_i(ve_ev_i),
    .front_i(front_ev), .fetching_i(fetching_o), .read_i(counter_read), .idx_i(counter_idx),
    .valid_o(counter_valid), .data_o(counter)
  );
endmodule
