// Jogak, one chiplet: control, memories, matrix engine, vector engine, load and store engines,
// wired. Host: AXI4-Lite (12-bit addresses) and irq_o. Memory: AXI4, PortBytes wide, 40-bit
// addresses, ids 0, INCR bursts of at most 64 beats. trace_o: per engine, start and completion of
// commands with their pc. A chiplet with links (npu_chiplet) also takes writes and signals from other
// chiplets (rx_*) while it runs or discards them, and says where in the package it is; others leave
// rx_* open. awuser: of a burst's last word the last byte that counts, of its first the first.
module npu
  import npu_types::*;
  import npu_pkg::*;
(
  input  logic                   clk_i,
  input  logic                   rst_ni,
  // registers
  input  logic                   s_axi_awvalid_i,
  output logic                   s_axi_awready_o,
  input  logic [11:0]            s_axi_awaddr_i,
  input  logic                   s_axi_wvalid_i,
  output logic                   s_axi_wready_o,
  input  logic [31:0]            s_axi_wdata_i,
  input  logic [3:0]             s_axi_wstrb_i,
  output logic                   s_axi_bvalid_o,
  input  logic                   s_axi_bready_i,
  output logic [1:0]             s_axi_bresp_o,
  input  logic                   s_axi_arvalid_i,
  output logic                   s_axi_arready_o,
  input  logic [11:0]            s_axi_araddr_i,
  output logic                   s_axi_rvalid_o,
  input  logic                   s_axi_rready_i,
  output logic [31:0]            s_axi_rdata_o,
  output logic [1:0]             s_axi_rresp_o,
  output logic                   irq_o,
  // memory
  output logic                   m_axi_arvalid_o,
  input  logic                   m_axi_arready_i,
  output logic [DramBits-1:0]    m_axi_araddr_o,
  output logic [7:0]             m_axi_arlen_o,
  output logic [2:0]             m_axi_arsize_o,
  output logic [1:0]             m_axi_arburst_o,
  output logic                   m_axi_arid_o,
  input  logic                   m_axi_rvalid_i,
  output logic                   m_axi_rready_o,
  input  logic [8*PortBytes-1:0] m_axi_rdata_i,
  input  logic [1:0]             m_axi_rresp_i,
  input  logic                   m_axi_rlast_i,
  output logic                   m_axi_awvalid_o,
  input  logic                   m_axi_awready_i,
  output logic [DramBits-1:0]    m_axi_awaddr_o,
  output logic [7:0]             m_axi_awlen_o,
  output logic [2:0]             m_axi_awsize_o,
  output logic [1:0]             m_axi_awburst_o,
  output logic                   m_axi_awid_o,
  output logic [2*$clog2(PortBytes)-1:0] m_axi_awuser_o,
  output logic                   m_axi_wvalid_o,
  input  logic                   m_axi_wready_i,
  output logic [8*PortBytes-1:0] m_axi_wdata_o,
  output logic [PortBytes-1:0]   m_axi_wstrb_o,
  output logic                   m_axi_wlast_o,
  input  logic                   m_axi_bvalid_i,
  output logic                   m_axi_bready_o,
  input  logic [1:0]             m_axi_bresp_i,
  // network
  output logic [15:0]            place_o,
  input  logic                   rx_wvalid_i,
  output logic                   rx_wready_o,
  input  logic [2:0]             rx_space_i,
  input  logic [19:0]            rx_waddr_i,   // in words of PortBytes
  input  logic [PortBytes-1:0]   rx_wstrb_i,
  input  logic [8*PortBytes-1:0] rx_wdata_i,
  input  logic                   rx_svalid_i,
  output logic                   rx_sready_o,
  input  logic [4:0]             rx_sem_i,
  input  logic [7:0]             rx_n_i,
  output trace_t [Engines-1:0]   trace_o
);
  localparam int unsigned RowW   = $clog2(VmemRows);
  localparam int unsigned DataW  = 32 * Cols;
  localparam int unsigned PairW  = 16 * Cols;   // a word of wspm, wsc
  localparam int unsigned WRowW  = $clog2(WspmBytes / (2 * Cols));
  localparam int unsigned CRowW  = $clog2(WscBytes / (2 * Cols));
  localparam int unsigned BlkW   = $clog2(AspmBytes / Block);
  localparam int unsigned WAddrW = $clog2(WspmBytes / PortBytes);
  localparam int unsigned AAddrW = $clog2(AspmBytes / PortBytes);
  localparam int unsigned PortW  = 8 * PortBytes;
  localparam logic [1:0]  Incr   = 2'b01;

  // ---- control ----------------------------------------------------------------------------------
  ld_cmd_t ld_cmd;
  st_cmd_t st_cmd;
  mx_cmd_t mx_cmd;
  ve_cmd_t ve_cmd;
  logic [Engines-1:0] cmd_valid, cmd_ready, done, idle;
  dma_ev_t ld_ev, st_ev;
  mx_ev_t mx_ev;
  ve_ev_t ve_ev;
  fault_t ld_fault, st_fault;
  logic fetching, f_ar_valid, f_ar_ready, f_r_valid, f_r_ready;
  npu_axi_pkg::ax_t f_ar, l_ar, ar, aw;
  npu_axi_pkg::r_t r;
  npu_axi_pkg::w_t w;
  npu_axi_pkg::b_t b;
  logic [31:0] bus_timeout;
  logic read_expired, write_expired;
  logic gather_rvalid, gather_rready, ix_rvalid, ix_rready, ix_rdvalid;
  logic [RowW-1:0] gather_rrow, ix_rrow;
  logic [DataW-1:0] ix_rdata;
  logic rx_open, rx_drain, rx_svalid, rx_sready;

  npu_control u_control (
    .clk_i, .rst_ni,
    .aw_valid_i(s_axi_awvalid_i), .aw_ready_o(s_axi_awready_o), .aw_addr_i(s_axi_awaddr_i),
    .w_valid_i(s_axi_wvalid_i), .w_ready_o(s_axi_wready_o), .w_data_i(s_axi_wdata_i),
    .w_strb_i(s_axi_wstrb_i), .b_valid_o(s_axi_bvalid_o), .b_ready_i(s_axi_bready_i),
    .ar_valid_i(s_axi_arvalid_i), .ar_ready_o(s_axi_arready_o), .ar_addr_i(s_axi_araddr_i),
    .r_valid_o(s_axi_rvalid_o), .r_ready_i(s_axi_rready_i), .r_data_o(s_axi_rdata_o), .irq_o,
    .fetching_o(fetching), .f_ar_valid_o(f_ar_valid), .f_ar_ready_i(f_ar_ready), .f_ar_o(f_ar),
    .f_r_valid_i(f_r_valid), .f_r_ready_o(f_r_ready), .f_r_i(r),
    .bus_timeout_o(bus_timeout), .read_expired_i(read_expired), .write_expired_i(write_expired),
    .ld_cmd_o(ld_cmd), .st_cmd_o(st_cmd), .mx_cmd_o(mx_cmd), .ve_cmd_o(ve_cmd),
    .cmd_valid_o(cmd_valid), .cmd_ready_i(cmd_ready), .done_i(done), .idle_i(idle),
    .ld_ev_i(ld_ev), .st_ev_i(st_ev), .mx_ev_i(mx_ev), .ve_ev_i(ve_ev),
    .ld_fault_i(ld_fault), .st_fault_i(st_fault), .trace_o,
    .gather_rvalid_i(gather_rvalid), .gather_rrow_i(gather_rrow), .gather_rready_o(gather_rready),
    .ix_rvalid_o(ix_rvalid), .ix_rrow_o(ix_rrow), .ix_rready_i(ix_rready),
    .ix_rdvalid_i(ix_rdvalid), .ix_rdata_i(ix_rdata),
    .place_o, .rx_open_o(rx_open), .rx_drain_o(rx_drain), .rx_svalid_i(rx_svalid),
    .rx_sready_o(rx_sready), .rx_sem_i, .rx_n_i
  );
  assign s_axi_bresp_o = 2'b00;
  assign s_axi_rresp_o = 2'b00;

  // ---- AXI --------------------------------------------------------------------------------------
  // A register slice on every channel (W's is in the store engine): behind them nothing waits for
  // the memory in the same cycle.
  logic l_ar_valid, l_ar_ready, l_r_valid, l_r_ready;
  logic ar_valid, ar_ready, r_valid, r_ready, aw_valid, aw_ready, b_valid, b_ready;

  npu_read_share u_read_share (
    .fetch_i(fetching), .f_ar_valid_i(f_ar_valid), .f_ar_ready_o(f_ar_ready), .f_ar_i(f_ar),
    .f_r_valid_o(f_r_valid), .f_r_ready_i(f_r_ready), .l_ar_valid_i(l_ar_valid),
    .l_ar_ready_o(l_ar_ready), .l_ar_i(l_ar), .l_r_valid_o(l_r_valid), .l_r_ready_i(l_r_ready),
    .ar_valid_o(ar_valid), .ar_ready_i(ar_ready), .ar_o(ar),
    .r_valid_i(r_valid), .r_ready_o(r_ready)
  );
  npu_slice #(.Width($bits(ar))) u_ar (
    .clk_i, .rst_ni, .in_valid_i(ar_valid), .in_ready_o(ar_ready), .in_data_i(ar),
    .out_valid_o(m_axi_arvalid_o), .out_ready_i(m_axi_arready_i),
    .out_data_o({m_axi_araddr_o, m_axi_arlen_o})
  );
  npu_slice #(.Width($bits(r))) u_r (
    .clk_i, .rst_ni, .in_valid_i(m_axi_rvalid_i), .in_ready_o(m_axi_rready_o),
    .in_data_i({m_axi_rdata_i, m_axi_rlast_i, m_axi_rresp_i}),
    .out_valid_o(r_valid), .out_ready_i(r_ready), .out_data_o(r)
  );
  logic [2*$clog2(PortBytes)-1:0] aw_user;
  npu_slice #(.Width($bits(aw) + $bits(aw_user))) u_aw (
    .clk_i, .rst_ni, .in_valid_i(aw_valid), .in_ready_o(aw_ready), .in_data_i({aw, aw_user}),
    .out_valid_o(m_axi_awvalid_o), .out_ready_i(m_axi_awready_i),
    .out_data_o({m_axi_awaddr_o, m_axi_awlen_o, m_axi_awuser_o})
  );
  npu_slice #(.Width($bits(b))) u_b (
    .clk_i, .rst_ni, .in_valid_i(m_axi_bvalid_i), .in_ready_o(m_axi_bready_o),
    .in_data_i(m_axi_bresp_i), .out_valid_o(b_valid), .out_ready_i(b_ready), .out_data_o(b)
  );
  assign m_axi_arsize_o  = 3'($clog2(PortBytes));
  assign m_axi_arburst_o = Incr;
  assign m_axi_arid_o    = 1'b0;
  assign m_axi_wdata_o   = w.data;
  assign m_axi_wstrb_o   = w.strb;
  assign m_axi_wlast_o   = w.last;
  assign m_axi_awsize_o  = 3'($clog2(PortBytes));
  assign m_axi_awburst_o = Incr;
  assign m_axi_awid_o    = 1'b0;

  // What a slice has taken counts as open.
  npu_bus_watch u_read_watch (
    .clk_i, .rst_ni, .limit_i(bus_timeout), .ask_i(ar_valid && ar_ready),
    .end_i(r_valid && r_ready && r.last), .offered_i(ar_valid),
    .answer_i(r_valid || (ar_valid && ar_ready)), .expired_o(read_expired)
  );
  npu_bus_watch u_write_watch (
    .clk_i, .rst_ni, .limit_i(bus_timeout), .ask_i(aw_valid && aw_ready),
    .end_i(b_valid && b_ready), .offered_i(aw_valid || m_axi_wvalid_o),
    .answer_i(b_valid || (aw_valid && aw_ready) || (m_axi_wvalid_o && m_axi_wready_i)),
    .expired_o(write_expired)
  );

  // ---- load and store engines -------------------------------------------------------------------
  logic ws_wvalid, ws_wready, ws_wsel, as_wvalid, as_wready, as_wsel, ld_wvalid, ld_wready;
  logic [WAddrW-1:0] ws_waddr;
  logic [AAddrW-1:0] as_waddr, as_raddr;
  logic [PortBytes-1:0] spad_wstrb;
  logic [PortW-1:0] spad_wdata, as_rdata;
  logic [RowW-1:0] ld_wrow, st_rrow;
  logic [Cols-1:0] ld_wmask;
  logic [DataW-1:0] ld_wdata, st_rdata;
  logic as_rvalid, as_rready, as_rsel, as_rdvalid, st_rvalid, st_rready, st_rdvalid;

  // verilator lint_off PINCONNECTEMPTY
  npu_dma_ld u_ld (
    .clk_i, .rst_ni, .cmd_valid_i(cmd_valid[EngLd]), .cmd_ready_o(cmd_ready[EngLd]),
    .cmd_i(ld_cmd), .done_o(done[EngLd]), .idle_o(idle[EngLd]), .outstanding_o(),
    .ev_o(ld_ev),
    .fault_valid_o(ld_fault.valid), .fault_code_o(ld_fault.code), .fault_addr_o(ld_fault.addr),
    .axi_ar_valid_o(l_ar_valid), .axi_ar_ready_i(l_ar_ready), .axi_ar_o(l_ar),
    .axi_r_valid_i(l_r_valid), .axi_r_ready_o(l_r_ready), .axi_r_i(r),
    .ix_rvalid_o(gather_rvalid), .ix_rrow_o(gather_rrow), .ix_rready_i(gather_rready),
    .ix_rdata_i(ix_rdata), .wspm_wvalid_o(ws_wvalid), .wspm_wready_i(ws_wready),
    .wspm_wsel_sc_o(ws_wsel), .wspm_waddr_o(ws_waddr), .aspm_wvalid_o(as_wvalid),
    .aspm_wready_i(as_wready), .aspm_wsel_sc_o(as_wsel), .aspm_waddr_o(as_waddr),
    .spad_wstrb_o(spad_wstrb), .spad_wdata_o(spad_wdata), .vmem_wvalid_o(ld_wvalid),
    .vmem_wready_i(ld_wready), .vmem_wrow_o(ld_wrow), .vmem_wmask_o(ld_wmask),
    .vmem_wdata_o(ld_wdata)
  );
  assign ld_fault.pc     = '0;
  assign ld_fault.engine = ENGINE_LD;

  npu_dma_st u_st (
    .clk_i, .rst_ni, .cmd_valid_i(cmd_valid[EngSt]), .cmd_ready_o(cmd_ready[EngSt]),
    .cmd_i(st_cmd), .done_o(done[EngSt]), .idle_o(idle[EngSt]), .outstanding_o(),
    .ev_o(st_ev),
    .fault_valid_o(st_fault.valid), .fault_code_o(st_fault.code), .fault_addr_o(st_fault.addr),
    .axi_aw_valid_o(aw_valid), .axi_aw_ready_i(aw_ready), .axi_aw_o(aw),
    .axi_aw_user_o(aw_user),
    .axi_w_valid_o(m_axi_wvalid_o), .axi_w_ready_i(m_axi_wready_i), .axi_w_o(w),
    .axi_b_valid_i(b_valid), .axi_b_ready_o(b_ready), .axi_b_i(b),
    .aspm_rvalid_o(as_rvalid), .aspm_rready_i(as_rready), .aspm_rsel_sc_o(as_rsel),
    .aspm_raddr_o(as_raddr), .aspm_rdvalid_i(as_rdvalid), .aspm_rdata_i(as_rdata),
    .vmem_rvalid_o(st_rvalid), .vmem_rready_i(st_rready), .vmem_rrow_o(st_rrow),
    .vmem_rdvalid_i(st_rdvalid), .vmem_rdata_i(st_rdata)
  );
  // verilator lint_on PINCONNECTEMPTY
  assign st_fault.pc     = '0;
  assign st_fault.engine = ENGINE_ST;

  // ---- writes from other chiplets ---------------------------------------------------------------
  logic asm_wvalid, asm_wready, asm_wsel, vm_wvalid, vm_wready;
  logic [AAddrW-1:0] asm_waddr;
  logic [PortBytes-1:0] asm_wstrb;
  logic [PortW-1:0] asm_wdata;
  logic [RowW-1:0] vm_wrow;
  logic [Cols-1:0] vm_wmask;
  logic [DataW-1:0] vm_wdata;

  if (Chiplets > 1) begin : gen_rx
    logic rx_ready;
    npu_rx_share u_rx_share (
      .clk_i, .rst_ni, .ld_as_valid_i(as_wvalid), .ld_as_ready_o(as_wready),
      .ld_as_sel_sc_i(as_wsel), .ld_as_addr_i(as_waddr), .ld_as_strb_i(spad_wstrb),
      .ld_as_data_i(spad_wdata), .ld_v_valid_i(ld_wvalid), .ld_v_ready_o(ld_wready),
      .ld_v_row_i(ld_wrow), .ld_v_mask_i(ld_wmask), .ld_v_data_i(ld_wdata),
      .rx_valid_i(rx_wvalid_i && rx_open), .rx_ready_o(rx_ready), .rx_space_i, .rx_addr_i(rx_waddr_i),
      .rx_strb_i(rx_wstrb_i), .rx_data_i(rx_wdata_i),
      .as_valid_o(asm_wvalid), .as_ready_i(asm_wready), .as_sel_sc_o(asm_wsel),
      .as_addr_o(asm_waddr), .as_strb_o(asm_wstrb), .as_data_o(asm_wdata), .v_valid_o(vm_wvalid),
      .v_ready_i(vm_wready), .v_row_o(vm_wrow), .v_mask_o(vm_wmask), .v_data_o(vm_wdata)
    );
    assign rx_wready_o = rx_ready || rx_drain;
    assign rx_svalid   = rx_svalid_i && rx_open;
    assign rx_sready_o = rx_sready || rx_drain;
  end else begin : gen_no_rx
    assign {asm_wvalid, asm_wsel, asm_waddr} = {as_wvalid, as_wsel, as_waddr};
    assign {asm_wstrb, asm_wdata} = {spad_wstrb, spad_wdata};
    assign as_wready = asm_wready;
    assign {vm_wvalid, vm_wrow, vm_wmask, vm_wdata} = {ld_wvalid, ld_wrow, ld_wmask, ld_wdata};
    assign ld_wready = vm_wready;
    assign {rx_wready_o, rx_sready_o, rx_svalid} = '0;
    logic unused_rx;
    assign unused_rx = ^{rx_wvalid_i, rx_space_i, rx_waddr_i, rx_wstrb_i, rx_wdata_i, rx_svalid_i,
                         rx_open, rx_drain, rx_sready};
  end

  // ---- matrix engine ----------------------------------------------------------------------------
  logic w_ren, sc_ren, a_ren, mx_rvalid, mx_wvalid;
  logic [WRowW-1:0] w_row;
  logic [CRowW-1:0] sc_row;
  logic [BlkW-1:0] a_blk;
  logic [PairW-1:0] w_rdata, sc_rdata;
  logic [255:0] a_rdata;
  logic [15:0] a_rscale;
  logic [RowW-1:0] mx_rrow, mx_wrow;
  logic [Cols-1:0] mx_wmask;
  logic [DataW-1:0] mx_rdata, mx_wdata;

  npu_mx u_mx (
    .clk_i, .rst_ni, .cmd_valid_i(cmd_valid[EngMx]), .cmd_i(mx_cmd),
    .cmd_ready_o(cmd_ready[EngMx]), .done_o(done[EngMx]), .idle_o(idle[EngMx]), .ev_o(mx_ev),
    .w_ren_o(w_ren), .w_row_o(w_row), .w_rdata_i(w_rdata), .sc_ren_o(sc_ren), .sc_row_o(sc_row),
    .sc_rdata_i(sc_rdata), .a_ren_o(a_ren), .a_blk_o(a_blk), .a_rdata_i(a_rdata),
    .a_rscale_i(a_rscale), .v_rvalid_o(mx_rvalid), .v_rrow_o(mx_rrow), .v_rdata_i(mx_rdata),
    .v_wvalid_o(mx_wvalid), .v_wrow_o(mx_wrow), .v_wmask_o(mx_wmask), .v_wdata_o(mx_wdata)
  );

  // ---- vector engine ----------------------------------------------------------------------------
  logic vea_rvalid, vea_rready, vea_rdvalid, veb_rvalid, veb_rready, veb_rdvalid;
  logic ve_wvalid, ve_wready;
  logic [RowW-1:0] vea_rrow, veb_rrow, ve_wrow;
  logic [Cols-1:0] ve_wmask;
  logic [DataW-1:0] vea_rdata, veb_rdata, ve_wdata;
  logic q_wvalid, q_wscale_en;
  logic [BlkW-1:0] q_wblk;
  logic [255:0] q_wdata;
  logic [15:0] q_wscale;

  npu_ve u_ve (
    .clk_i, .rst_ni, .cmd_valid_i(cmd_valid[EngVe]), .cmd_i(ve_cmd),
    .cmd_ready_o(cmd_ready[EngVe]), .done_o(done[EngVe]), .idle_o(idle[EngVe]), .ev_o(ve_ev),
    .vea_rvalid_o(vea_rvalid), .vea_rrow_o(vea_rrow), .vea_rready_i(vea_rready),
    .vea_rdvalid_i(vea_rdvalid), .vea_rdata_i(vea_rdata), .veb_rvalid_o(veb_rvalid),
    .veb_rrow_o(veb_rrow), .veb_rready_i(veb_rready), .veb_rdvalid_i(veb_rdvalid),
    .veb_rdata_i(veb_rdata), .ve_wvalid_o(ve_wvalid), .ve_wrow_o(ve_wrow), .ve_wmask_o(ve_wmask),
    .ve_wdata_o(ve_wdata), .ve_wready_i(ve_wready), .q_wvalid_o(q_wvalid), .q_wblk_o(q_wblk),
    .q_wdata_o(q_wdata), .q_wscale_en_o(q_wscale_en), .q_wscale_o(q_wscale)
  );

  // ---- memories ---------------------------------------------------------------------------------
  npu_wspm u_wspm (
    .clk_i, .w_ren_i(w_ren), .w_row_i(w_row), .w_rdata_o(w_rdata), .sc_ren_i(sc_ren),
    .sc_row_i(sc_row), .sc_rdata_o(sc_rdata), .ld_wvalid_i(ws_wvalid), .ld_wready_o(ws_wready),
    .ld_wsel_sc_i(ws_wsel), .ld_waddr_i(ws_waddr), .ld_wstrb_i(spad_wstrb), .ld_wdata_i(spad_wdata)
  );

  npu_aspm u_aspm (
    .clk_i, .rst_ni, .a_ren_i(a_ren), .a_blk_i(a_blk), .a_rdata_o(a_rdata), .a_rscale_o(a_rscale),
    .q_wvalid_i(q_wvalid), .q_wblk_i(q_wblk), .q_wdata_i(q_wdata), .q_wscale_en_i(q_wscale_en),
    .q_wscale_i(q_wscale), .ld_wvalid_i(asm_wvalid), .ld_wready_o(asm_wready),
    .ld_wsel_sc_i(asm_wsel), .ld_waddr_i(asm_waddr), .ld_wstrb_i(asm_wstrb),
    .ld_wdata_i(asm_wdata),
    .st_rvalid_i(as_rvalid), .st_rready_o(as_rready), .st_rsel_sc_i(as_rsel),
    .st_raddr_i(as_raddr), .st_rdvalid_o(as_rdvalid), .st_rdata_o(as_rdata)
  );

  // The matrix engine is always granted and counts the cycle to its data itself.
  // verilator lint_off PINCONNECTEMPTY
  npu_vmem u_vmem (
    .clk_i, .rst_ni, .mx_rvalid_i(mx_rvalid), .mx_rrow_i(mx_rrow), .mx_rready_o(), .mx_rdvalid_o(),
    .mx_rdata_o(mx_rdata), .vea_rvalid_i(vea_rvalid), .vea_rrow_i(vea_rrow),
    .vea_rready_o(vea_rready), .vea_rdvalid_o(vea_rdvalid), .vea_rdata_o(vea_rdata),
    .veb_rvalid_i(veb_rvalid), .veb_rrow_i(veb_rrow), .veb_rready_o(veb_rready),
    .veb_rdvalid_o(veb_rdvalid), .veb_rdata_o(veb_rdata), .st_rvalid_i(st_rvalid),
    .st_rrow_i(st_rrow), .st_rready_o(st_rready), .st_rdvalid_o(st_rdvalid), .st_rdata_o(st_rdata),
    .ix_rvalid_i(ix_rvalid), .ix_rrow_i(ix_rrow), .ix_rready_o(ix_rready),
    .ix_rdvalid_o(ix_rdvalid), .ix_rdata_o(ix_rdata), .mx_wvalid_i(mx_wvalid), .mx_wrow_i(mx_wrow),
    .mx_wmask_i(mx_wmask), .mx_wdata_i(mx_wdata), .mx_wready_o(), .ve_wvalid_i(ve_wvalid),
    .ve_wrow_i(ve_wrow), .ve_wmask_i(ve_wmask), .ve_wdata_i(ve_wdata), .ve_wready_o(ve_wready),
    .ld_wvalid_i(vm_wvalid), .ld_wrow_i(vm_wrow), .ld_wmask_i(vm_wmask), .ld_wdata_i(vm_wdata),
    .ld_wready_o(vm_wready)
  );
  // verilator lint_on PINCONNECTEMPTY
endmodule
