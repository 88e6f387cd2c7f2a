// The NPU under the names that AMD tools expect of a kernel: registers s_axi_control, memory m_axi_gmem,
// 64-bit addresses, ap_clk, ap_rst_n, interrupt. Plain Verilog: the packager reads widths best there. The
// generator sets C_M_AXI_GMEM_DATA_WIDTH to the configuration's port; another width does not elaborate
// cleanly. Bursts are INCR, at most 64 beats, never narrow; only id 0 is used, so answers come in order.
module npu_kernel #(
  parameter integer C_M_AXI_GMEM_DATA_WIDTH = 128
) (
  input  wire        ap_clk,
  input  wire        ap_rst_n,
  // verilator lint_off SYMRSVDWORD
  output wire        interrupt,
  // verilator lint_on SYMRSVDWORD
  // registers of spec/npu.yaml
  input  wire        s_axi_control_awvalid,
  output wire        s_axi_control_awready,
  input  wire [11:0] s_axi_control_awaddr,
  input  wire        s_axi_control_wvalid,
  output wire        s_axi_control_wready,
  input  wire [31:0] s_axi_control_wdata,
  input  wire [3:0]  s_axi_control_wstrb,
  output wire        s_axi_control_bvalid,
  input  wire        s_axi_control_bready,
  output wire [1:0]  s_axi_control_bresp,
  input  wire        s_axi_control_arvalid,
  output wire        s_axi_control_arready,
  input  wire [11:0] s_axi_control_araddr,
  output wire        s_axi_control_rvalid,
  input  wire        s_axi_control_rready,
  output wire [31:0] s_axi_control_rdata,
  output wire [1:0]  s_axi_control_rresp,
  // memory
  output wire        m_axi_gmem_arvalid,
  input  wire        m_axi_gmem_arready,
  output wire [63:0] m_axi_gmem_araddr,
  output wire [0:0]  m_axi_gmem_arid,
  output wire [7:0]  m_axi_gmem_arlen,
  output wire [2:0]  m_axi_gmem_arsize,
  output wire [1:0]  m_axi_gmem_arburst,
  output wire [1:0]  m_axi_gmem_arlock,
  output wire [3:0]  m_axi_gmem_arcache,
  output wire [2:0]  m_axi_gmem_arprot,
  output wire [3:0]  m_axi_gmem_arqos,
  input  wire        m_axi_gmem_rvalid,
  output wire        m_axi_gmem_rready,
  input  wire [C_M_AXI_GMEM_DATA_WIDTH-1:0] m_axi_gmem_rdata,
  // verilator lint_off UNUSED
  input  wire [0:0]  m_axi_gmem_rid,
  // verilator lint_on UNUSED
  input  wire [1:0]  m_axi_gmem_rresp,
  input  wire        m_axi_gmem_rlast,
  output wire        m_axi_gmem_awvalid,
  input  wire        m_axi_gmem_awready,
  output wire [63:0] m_axi_gmem_awaddr,
  output wire [0:0]  m_axi_gmem_awid,
  output wire [7:0]  m_axi_gmem_awlen,
  output wire [2:0]  m_axi_gmem_awsize,
  output wire [1:0]  m_axi_gmem_awburst,
  output wire [1:0]  m_axi_gmem_awlock,
  output wire [3:0]  m_axi_gmem_awcache,
  output wire [2:0]  m_axi_gmem_awprot,
  output wire [3:0]  m_axi_gmem_awqos,
  output wire        m_axi_gmem_wvalid,
  input  wire        m_axi_gmem_wready,
  output wire [C_M_AXI_GMEM_DATA_WIDTH-1:0] m_axi_gmem_wdata,
  output wire [C_M_AXI_GMEM_DATA_WIDTH/8-1:0] m_axi_gmem_wstrb,
  output wire        m_axi_gmem_wlast,
  input  wire        m_axi_gmem_bvalid,
  output wire        m_axi_gmem_bready,
  // verilator lint_off UNUSED
  input  wire [0:0]  m_axi_gmem_bid,
  // verilator lint_on UNUSED
  input  wire [1:0]  m_axi_gmem_bresp
);
  wire [39:0] araddr, awaddr;
  assign m_axi_gmem_araddr  = {24'd0, araddr};
  assign m_axi_gmem_awaddr  = {24'd0, awaddr};
  assign m_axi_gmem_arlock  = 2'b00;
  assign m_axi_gmem_awlock  = 2'b00;
  assign m_axi_gmem_arcache = 4'b0011;  // bufferable, modifiable: normal memory, not cached
  assign m_axi_gmem_awcache = 4'b0011;
  assign m_axi_gmem_arprot  = 3'b000;
  assign m_axi_gmem_awprot  = 3'b000;
  assign m_axi_gmem_arqos   = 4'b0000;
  assign m_axi_gmem_awqos   = 4'b0000;

  // verilator lint_off PINCONNECTEMPTY
  npu u_npu (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .irq_o(interrupt), .trace_o(),
    .s_axi_awvalid_i(s_axi_control_awvalid), .s_axi_awready_o(s_axi_control_awready),
    .s_axi_awaddr_i(s_axi_control_awaddr), .s_axi_wvalid_i(s_axi_control_wvalid),
    .s_axi_wready_o(s_axi_control_wready), .s_axi_wdata_i(s_axi_control_wdata),
    .s_axi_wstrb_i(s_axi_control_wstrb), .s_axi_bvalid_o(s_axi_control_bvalid),
    .s_axi_bready_i(s_axi_control_bready), .s_axi_bresp_o(s_axi_control_bresp),
    .s_axi_arvalid_i(s_axi_control_arvalid), .s_axi_arready_o(s_axi_control_arready),
    .s_axi_araddr_i(s_axi_control_araddr), .s_axi_rvalid_o(s_axi_control_rvalid),
    .s_axi_rready_i(s_axi_control_rready), .s_axi_rdata_o(s_axi_control_rdata),
    .s_axi_rresp_o(s_axi_control_rresp),
    .m_axi_arvalid_o(m_axi_gmem_arvalid), .m_axi_arready_i(m_axi_gmem_arready),
    .m_axi_araddr_o(araddr), .m_axi_arid_o(m_axi_gmem_arid), .m_axi_arlen_o(m_axi_gmem_arlen),
    .m_axi_arsize_o(m_axi_gmem_arsize), .m_axi_arburst_o(m_axi_gmem_arburst),
    .m_axi_rvalid_i(m_axi_gmem_rvalid), .m_axi_rready_o(m_axi_gmem_rready),
    .m_axi_rdata_i(m_axi_gmem_rdata), .m_axi_rresp_i(m_axi_gmem_rresp),
    .m_axi_rlast_i(m_axi_gmem_rlast),
    .m_axi_awvalid_o(m_axi_gmem_awvalid), .m_axi_awready_i(m_axi_gmem_awready),
    .m_axi_awaddr_o(awaddr), .m_axi_awid_o(m_axi_gmem_awid), .m_axi_awlen_o(m_axi_gmem_awlen),
    .m_axi_awsize_o(m_axi_gmem_awsize), .m_axi_awburst_o(m_axi_gmem_awburst),
    .m_axi_wvalid_o(m_axi_gmem_wvalid), .m_axi_wready_i(m_axi_gmem_wready),
    .m_axi_wdata_o(m_axi_gmem_wdata), .m_axi_wstrb_o(m_axi_gmem_wstrb),
    .m_axi_wlast_o(m_axi_gmem_wlast), .m_axi_bvalid_i(m_axi_gmem_bvalid),
    .m_axi_bready_o(m_axi_gmem_bready), .m_axi_bresp_i(m_axi_gmem_bresp),
    .rx_wvalid_i(1'b0), .rx_space_i(0), .rx_waddr_i(0), .rx_wstrb_i(0), .rx_wdata_i(0), .rx_svalid_i(1'b0),
    .rx_sem_i(0), .rx_n_i(0), .rx_wready_o(), .rx_sready_o(), .place_o(), .m_axi_awuser_o()
  );
  // verilator lint_on PINCONNECTEMPTY
endmodule
