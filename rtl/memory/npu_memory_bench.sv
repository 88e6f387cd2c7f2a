// Test top: load and store engine with the memories they serve, AXI as plain signals, and the other
// clients' ports for noise (vea, ve, quantiser) and for looking (mx, matrix ports).
module npu_memory_bench
  import npu_pkg::*;
#(
  localparam int unsigned RowW  = $clog2(VmemRows),
  localparam int unsigned DataW = Cols * 32
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  // commands; base is the window's plus da
  input  logic                      ld_valid_i,
  output logic                      ld_ready_o,
  output logic                      ld_done_o,
  output logic                      ld_idle_o,
  output logic                      ld_fault_o,
  output logic [4:0]                ld_fault_code_o,
  output logic [39:0]               ld_fault_addr_o,
  output logic                      ld_beat_o,
  output logic                      ld_burst_o,
  input  logic                      st_valid_i,
  output logic                      st_ready_o,
  output logic                      st_done_o,
  output logic                      st_idle_o,
  output logic                      st_fault_o,
  output logic [4:0]                st_fault_code_o,
  output logic [39:0]               st_fault_addr_o,
  output logic                      st_beat_o,
  output logic                      st_burst_o,
  output logic                      outstanding_o,
  input  logic [39:0]               base_i,
  input  logic [31:0]               room_i,
  input  logic [2:0]                space_i,
  input  logic                      gather_i,
  input  logic [31:0]               ca_i,
  input  logic [31:0]               len_i,
  input  logic [31:0]               n1_i,
  input  logic [31:0]               ds1_i,
  input  logic [31:0]               cs1_i,
  input  logic [31:0]               n2_i,
  input  logic [31:0]               ds2_i,
  input  logic [31:0]               cs2_i,
  input  logic [31:0]               idx_i,
  // AXI
  output logic                      ar_valid_o,
  input  logic                      ar_ready_i,
  output logic [39:0]               ar_addr_o,
  output logic [7:0]                ar_len_o,
  input  logic                      r_valid_i,
  output logic                      r_ready_o,
  input  logic [PortBytes*8-1:0]    r_data_i,
  input  logic [1:0]                r_resp_i,
  input  logic                      r_last_i,
  output logic                      aw_valid_o,
  input  logic                      aw_ready_i,
  output logic [39:0]               aw_addr_o,
  output logic [7:0]                aw_len_o,
  output logic                      w_valid_o,
  input  logic                      w_ready_i,
  output logic [PortBytes*8-1:0]    w_data_o,
  output logic [PortBytes-1:0]      w_strb_o,
  output logic                      w_last_o,
  input  logic                      b_valid_i,
  output logic                      b_ready_o,
  input  logic [1:0]                b_resp_i,
  // other clients
  input  logic                      mx_rvalid_i,
  input  logic [RowW-1:0]           mx_row_i,
  output logic                      mx_rdvalid_o,
  output logic [DataW-1:0]          mx_rdata_o,
  input  logic                      mx_wvalid_i,
  input  logic [DataW-1:0]          mx_wdata_i,
  input  logic                      vea_rvalid_i,
  input  logic [RowW-1:0]           vea_rrow_i,
  output logic                      vea_rready_o,
  output logic                      vea_rdvalid_o,
  output logic [DataW-1:0]          vea_rdata_o,
  input  logic                      veb_rvalid_i,
  input  logic [RowW-1:0]           veb_rrow_i,
  output logic                      veb_rready_o,
  output logic                      vmem_st_asks_o,  // the store engine has veb's turn
  output logic                      veb_rdvalid_o,
  output logic [DataW-1:0]          veb_rdata_o,
  input  logic                      ve_wvalid_i,
  output logic                      ve_wready_o,
  input  logic [RowW-1:0]           ve_wrow_i,
  input  logic [Cols-1:0]           ve_wmask_i,
  input  logic [DataW-1:0]          ve_wdata_i,
  input  logic                      w_ren_i,
  input  logic [31:0]               w_row_i,
  output logic [Cols*16-1:0]        w_rdata_o,
  input  logic                      sc_ren_i,
  input  logic [31:0]               sc_row_i,
  output logic [Cols*16-1:0]        sc_rdata_o,
  input  logic                      a_ren_i,
  input  logic [31:0]               a_blk_i,
  output logic [255:0]              a_rdata_o,
  output logic [15:0]               a_rscale_o,
  input  logic                      q_wvalid_i,
  input  logic [31:0]               q_wblk_i,
  input  logic [255:0]              q_wdata_i,
  input  logic                      q_wscale_en_i,
  input  logic [15:0]               q_wscale_i
);
  localparam int unsigned WspmAddrW = $clog2(WspmBytes / PortBytes);
  localparam int unsigned AspmAddrW = $clog2(AspmBytes / PortBytes);

  npu_types::ld_cmd_t   ld_cmd;
  npu_types::st_cmd_t   st_cmd;
  npu_types::dma_ev_t   ld_ev, st_ev;
  npu_axi_pkg::ax_t     ar, aw;
  npu_axi_pkg::w_t      w;
  fault_e               ld_code, st_code;
  logic                 ld_outstanding, st_outstanding;

  assign ld_cmd = '{dram_base: base_i, room: room_i, cmd: '{
      idx: idx_i, cs2: cs2_i, ds2: ds2_i, n2: n2_i, cs1: cs1_i, ds1: ds1_i, n1: n1_i, len: len_i,
      ca: ca_i, da: '0, gather: gather_i, space: space_i, win: '0}};
  assign st_cmd = '{dram_base: base_i, cmd: '{
      cs2: cs2_i, ds2: ds2_i, n2: n2_i, cs1: cs1_i, ds1: ds1_i, n1: n1_i, len: len_i,
      ca: ca_i, da: '0, space: space_i, win: '0}};
  assign {ar_addr_o, ar_len_o} = ar;
  assign {aw_addr_o, aw_len_o} = aw;
  assign {w_data_o, w_strb_o, w_last_o} = w;
  assign ld_fault_code_o = ld_code;
  assign st_fault_code_o = st_code;
  assign outstanding_o   = ld_outstanding || st_outstanding;
  assign {ld_beat_o, ld_burst_o} = {ld_ev.beat, ld_ev.burst};
  assign {st_beat_o, st_burst_o} = {st_ev.beat, st_ev.burst};

  logic ix_rvalid, ix_rready, wspm_wvalid, wspm_wready, wspm_wsel, aspm_wvalid;
  logic aspm_wready, aspm_wsel;
  logic vmem_wvalid, vmem_wready, aspm_rvalid, aspm_rready, aspm_rsel, aspm_rdvalid;
  logic vmem_rvalid, vmem_rready, vmem_rdvalid;
  assign vmem_st_asks_o = vmem_rvalid;
  logic [RowW-1:0]        ix_rrow, vmem_wrow, vmem_rrow;
  logic [DataW-1:0]       ix_rdata, vmem_wdata, vmem_rdata;
  logic [Cols-1:0]        vmem_wmask;
  logic [WspmAddrW-1:0]   wspm_waddr;
  logic [AspmAddrW-1:0]   aspm_waddr, aspm_raddr;
  logic [PortBytes-1:0]   spad_wstrb;
  logic [PortBytes*8-1:0] spad_wdata, aspm_rdata;

  npu_dma_ld u_ld (
    .clk_i, .rst_ni,
    .cmd_valid_i(ld_valid_i), .cmd_ready_o(ld_ready_o), .cmd_i(ld_cmd), .done_o(ld_done_o),
    .idle_o(ld_idle_o), .outstanding_o(ld_outstanding), .ev_o(ld_ev), .fault_valid_o(ld_fault_o),
    .fault_code_o(ld_code), .fault_addr_o(ld_fault_addr_o),
    .axi_ar_valid_o(ar_valid_o), .axi_ar_ready_i(ar_ready_i), .axi_ar_o(ar),
    .axi_r_valid_i(r_valid_i), .axi_r_ready_o(r_ready_o),
    .axi_r_i('{data: r_data_i, last: r_last_i, resp: r_resp_i}),
    .ix_rvalid_o(ix_rvalid), .ix_rrow_o(ix_rrow), .ix_rready_i(ix_rready), .ix_rdata_i(ix_rdata),
    .wspm_wvalid_o(wspm_wvalid), .wspm_wready_i(wspm_wready), .wspm_wsel_sc_o(wspm_wsel),
    .wspm_waddr_o(wspm_waddr),
    .aspm_wvalid_o(aspm_wvalid), .aspm_wready_i(aspm_wready), .aspm_wsel_sc_o(aspm_wsel),
    .aspm_waddr_o(aspm_waddr), .spad_wstrb_o(spad_wstrb), .spad_wdata_o(spad_wdata),
    .vmem_wvalid_o(vmem_wvalid), .vmem_wready_i(vmem_wready), .vmem_wrow_o(vmem_wrow),
    .vmem_wmask_o(vmem_wmask), .vmem_wdata_o(vmem_wdata)
  );

  logic [2*npu_dma_pkg::WordBits-1:0] aw_user;
  npu_dma_st u_st (
    .clk_i, .rst_ni,
    .cmd_valid_i(st_valid_i), .cmd_ready_o(st_ready_o), .cmd_i(st_cmd), .done_o(st_done_o),
    .idle_o(st_idle_o), .outstanding_o(st_outstanding), .ev_o(st_ev), .fault_valid_o(st_fault_o),
    .fault_code_o(st_code), .fault_addr_o(st_fault_addr_o),
    .axi_aw_valid_o(aw_valid_o), .axi_aw_ready_i(aw_ready_i), .axi_aw_o(aw),
    .axi_aw_user_o(aw_user),
    .axi_w_valid_o(w_valid_o), .axi_w_ready_i(w_ready_i), .axi_w_o(w),
    .axi_b_valid_i(b_valid_i), .axi_b_ready_o(b_ready_o), .axi_b_i('{resp: b_resp_i}),
    .aspm_rvalid_o(aspm_rvalid), .aspm_rready_i(aspm_rready), .aspm_rsel_sc_o(aspm_rsel),
    .aspm_raddr_o(aspm_raddr), .aspm_rdvalid_i(aspm_rdvalid), .aspm_rdata_i(aspm_rdata),
    .vmem_rvalid_o(vmem_rvalid), .vmem_rready_i(vmem_rready), .vmem_rrow_o(vmem_rrow),
    .vmem_rdvalid_i(vmem_rdvalid), .vmem_rdata_i(vmem_rdata)
  );

  npu_wspm u_wspm (
    .clk_i, .w_ren_i, .w_row_i(w_row_i[$clog2(WspmBytes/(2*Cols))-1:0]), .w_rdata_o,
    .sc_ren_i, .sc_row_i(sc_row_i[$clog2(WscBytes/(2*Cols))-1:0]), .sc_rdata_o,
    .ld_wvalid_i(wspm_wvalid), .ld_wready_o(wspm_wready), .ld_wsel_sc_i(wspm_wsel),
    .ld_waddr_i(wspm_waddr), .ld_wstrb_i(spad_wstrb), .ld_wdata_i(spad_wdata)
  );

  npu_aspm u_aspm (
    .clk_i, .rst_ni, .a_ren_i, .a_blk_i(a_blk_i[$clog2(AspmBytes/32)-1:0]), .a_rdata_o, .a_rscale_o,
    .q_wvalid_i, .q_wblk_i(q_wblk_i[$clog2(AspmBytes/32)-1:0]), .q_wdata_i, .q_wscale_en_i,
    .q_wscale_i,
    .ld_wvalid_i(aspm_wvalid), .ld_wready_o(aspm_wready), .ld_wsel_sc_i(aspm_wsel),
    .ld_waddr_i(aspm_waddr), .ld_wstrb_i(spad_wstrb), .ld_wdata_i(spad_wdata),
    .st_rvalid_i(aspm_rvalid), .st_rready_o(aspm_rready), .st_rsel_sc_i(aspm_rsel),
    .st_raddr_i(aspm_raddr), .st_rdvalid_o(aspm_rdvalid), .st_rdata_o(aspm_rdata)
  );

  // verilator lint_off PINCONNECTEMPTY
  npu_vmem u_vmem (
    .clk_i, .rst_ni,
    .mx_rvalid_i, .mx_rrow_i(mx_row_i), .mx_rready_o(), .mx_rdvalid_o, .mx_rdata_o,
    .vea_rvalid_i, .vea_rrow_i, .vea_rready_o, .vea_rdvalid_o, .vea_rdata_o,
    .veb_rvalid_i, .veb_rrow_i, .veb_rready_o, .veb_rdvalid_o, .veb_rdata_o,
    .st_rvalid_i(vmem_rvalid), .st_rrow_i(vmem_rrow), .st_rready_o(vmem_rready),
    .st_rdvalid_o(vmem_rdvalid), .st_rdata_o(vmem_rdata),
    .ix_rvalid_i(ix_rvalid), .ix_rrow_i(ix_rrow), .ix_rready_o(ix_rready), .ix_rdvalid_o(),
    .ix_rdata_o(ix_rdata),
    .mx_wvalid_i, .mx_wrow_i(mx_row_i), .mx_wmask_i('1), .mx_wdata_i, .mx_wready_o(),
    .ve_wvalid_i, .ve_wrow_i, .ve_wmask_i, .ve_wdata_i, .ve_wready_o,
    .ld_wvalid_i(vmem_wvalid), .ld_wrow_i(vmem_wrow), .ld_wmask_i(vmem_wmask),
    .ld_wdata_i(vmem_wdata), .ld_wready_o(vmem_wready)
  );
  // verilator lint_on PINCONNECTEMPTY

  logic unused;
  assign unused = ^{aw_user, ld_ev, st_ev, w_row_i, sc_row_i, a_blk_i, q_wblk_i};
endmodule
