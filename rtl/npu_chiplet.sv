// A chiplet of a package (a configuration with chiplets > 1; the NPU of another one takes nothing
// from the network): the NPU, its network interface, the router of the mesh and a link to each
// neighbour (east, west, north, south). Host and memory as npu; links to the physical layer as
// npu_link. A border of the mesh has its link's inputs at 0.
module npu_chiplet
  import npu_types::*;
  import npu_pkg::*;
  import npu_link_pkg::*;
#(
  localparam int unsigned Links = 4
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
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
  output logic                   m_axi_wvalid_o,
  input  logic                   m_axi_wready_i,
  output logic [8*PortBytes-1:0] m_axi_wdata_o,
  output logic [PortBytes-1:0]   m_axi_wstrb_o,
  output logic                   m_axi_wlast_o,
  input  logic                   m_axi_bvalid_i,
  output logic                   m_axi_bready_o,
  input  logic [1:0]             m_axi_bresp_i,
  // links
  output logic  [Links-1:0]      phy_tx_valid_o,
  input  logic  [Links-1:0]      phy_tx_ready_i,
  output flit_t [Links-1:0]      phy_tx_flit_o,
  output logic  [Links-1:0][1:0] phy_tx_width_o,
  input  logic  [Links-1:0]      phy_rx_clk_i,
  input  logic  [Links-1:0]      phy_rx_rst_ni,
  input  logic  [Links-1:0]      phy_rx_valid_i,
  input  flit_t [Links-1:0]      phy_rx_flit_i,
  input  logic  [Links-1:0]      side_hear_i,
  output logic  [Links-1:0]      side_hear_o,
  output logic  [Links-1:0]      link_up_o,
  output logic  [Links-1:0]      link_lost_o,
  output logic  [Links-1:0]      link_mismatch_o,
  output logic  [Links-1:0][31:0] link_replays_o,
  output logic  [Links-1:0][31:0] link_errors_o,
  output logic  [Links-1:0][31:0] link_trainings_o,
  output trace_t [Engines-1:0]   trace_o
);
  localparam int unsigned Ports = Links + 1;

  // ---- the NPU, its memory port split ------------------------------------------------------------
  logic [15:0] place;
  logic rx_wvalid, rx_wready, rx_svalid, rx_sready;
  logic [2:0] rx_space;
  logic [19:0] rx_waddr;
  logic [PortBytes-1:0] rx_wstrb;
  word_t rx_wdata;
  logic [4:0] rx_sem;
  logic [7:0] rx_n;
  logic aw_valid, aw_ready, w_valid, w_ready, b_valid, b_ready;
  npu_axi_pkg::ax_t aw;
  npu_axi_pkg::w_t w;
  npu_axi_pkg::b_t b;
  logic [2*$clog2(PortBytes)-1:0] aw_user;

  npu u_npu (
    .clk_i, .rst_ni, .s_axi_awvalid_i, .s_axi_awready_o, .s_axi_awaddr_i, .s_axi_wvalid_i,
    .s_axi_wready_o, .s_axi_wdata_i, .s_axi_wstrb_i, .s_axi_bvalid_o, .s_axi_bready_i,
    .s_axi_bresp_o, .s_axi_arvalid_i, .s_axi_arready_o, .s_axi_araddr_i, .s_axi_rvalid_o,
    .s_axi_rready_i, .s_axi_rdata_o, .s_axi_rresp_o, .irq_o,
    .m_axi_arvalid_o, .m_axi_arready_i, .m_axi_araddr_o, .m_axi_arlen_o, .m_axi_arsize_o,
    .m_axi_arburst_o, .m_axi_arid_o, .m_axi_rvalid_i, .m_axi_rready_o, .m_axi_rdata_i,
    .m_axi_rresp_i, .m_axi_rlast_i,
    .m_axi_awvalid_o(aw_valid), .m_axi_awready_i(aw_ready), .m_axi_awaddr_o(aw.addr),
    .m_axi_awlen_o(aw.len), .m_axi_awsize_o, .m_axi_awburst_o, .m_axi_awid_o,
    .m_axi_awuser_o(aw_user), .m_axi_wvalid_o(w_valid), .m_axi_wready_i(w_ready),
    .m_axi_wdata_o(w.data), .m_axi_wstrb_o(w.strb), .m_axi_wlast_o(w.last),
    .m_axi_bvalid_i(b_valid), .m_axi_bready_o(b_ready), .m_axi_bresp_i(b.resp),
    .place_o(place), .rx_wvalid_i(rx_wvalid), .rx_wready_o(rx_wready), .rx_space_i(rx_space),
    .rx_waddr_i(rx_waddr), .rx_wstrb_i(rx_wstrb), .rx_wdata_i(rx_wdata), .rx_svalid_i(rx_svalid),
    .rx_sready_o(rx_sready), .rx_sem_i(rx_sem), .rx_n_i(rx_n), .trace_o
  );

  logic [1:0] way_aw_valid, way_aw_ready, way_w_valid, way_w_ready, way_b_valid, way_b_ready;
  npu_axi_pkg::b_t [1:0] way_b;

  npu_net_split u_split (
    .clk_i, .rst_ni, .aw_valid_i(aw_valid), .aw_ready_o(aw_ready), .aw_i(aw), .w_valid_i(w_valid),
    .w_ready_o(w_ready), .w_last_i(w.last), .b_valid_o(b_valid), .b_ready_i(b_ready), .b_o(b),
    .aw_valid_o(way_aw_valid), .aw_ready_i(way_aw_ready), .w_valid_o(way_w_valid),
    .w_ready_i(way_w_ready), .b_valid_i(way_b_valid), .b_ready_o(way_b_ready), .b_i(way_b)
  );
  assign m_axi_awvalid_o = way_aw_valid[0];
  assign m_axi_awaddr_o  = aw.addr;
  assign m_axi_awlen_o   = aw.len;
  assign m_axi_wvalid_o  = way_w_valid[0];
  assign m_axi_wdata_o   = w.data;
  assign m_axi_wstrb_o   = w.strb;
  assign m_axi_wlast_o   = w.last;
  assign m_axi_bready_o  = way_b_ready[0];
  assign way_aw_ready[0] = m_axi_awready_i;
  assign way_w_ready[0]  = m_axi_wready_i;
  assign way_b_valid[0]  = m_axi_bvalid_i;
  assign way_b[0].resp   = m_axi_bresp_i;

  // ---- network: port 0 is this chiplet, then its neighbours --------------------------------------
  logic  [Ports-1:0] in_valid, in_ready, in_first, in_last;
  logic  [Ports-1:0] out_valid, out_ready, out_first, out_last;
  word_t [Ports-1:0] in_word, out_word;

  npu_net_tx u_tx (
    .clk_i, .rst_ni, .place_i(place), .aw_valid_i(way_aw_valid[1]), .aw_ready_o(way_aw_ready[1]),
    .aw_i(aw), .aw_user_i(aw_user), .w_valid_i(way_w_valid[1]), .w_ready_o(way_w_ready[1]),
    .w_i(w), .b_valid_o(way_b_valid[1]), .b_ready_i(way_b_ready[1]), .b_o(way_b[1]),
    .out_valid_o(in_valid[0]), .out_ready_i(in_ready[0]), .out_word_o(in_word[0]),
    .out_first_o(in_first[0]), .out_last_o(in_last[0])
  );
  npu_net_rx u_rx (
    .clk_i, .rst_ni, .in_valid_i(out_valid[0]), .in_ready_o(out_ready[0]),
    .in_word_i(out_word[0]), .in_first_i(out_first[0]), .in_last_i(out_last[0]),
    .w_valid_o(rx_wvalid), .w_ready_i(rx_wready), .w_space_o(rx_space), .w_addr_o(rx_waddr),
    .w_strb_o(rx_wstrb), .w_data_o(rx_wdata), .s_valid_o(rx_svalid), .s_ready_i(rx_sready),
    .s_sem_o(rx_sem), .s_n_o(rx_n)
  );
  npu_router #(.Ports(Ports)) u_router (
    .clk_i, .rst_ni, .x_i(place[3:0]), .y_i(place[7:4]), .in_valid_i(in_valid),
    .in_ready_o(in_ready), .in_word_i(in_word), .in_first_i(in_first), .in_last_i(in_last),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_word_o(out_word),
    .out_first_o(out_first), .out_last_o(out_last)
  );

  for (genvar l = 0; l < Links; l++) begin : gen_link
    npu_link u_link (
      .clk_i, .rst_ni, .in_valid_i(out_valid[l+1]), .in_ready_o(out_ready[l+1]),
      .in_word_i(out_word[l+1]), .in_last_i(out_last[l+1]), .out_valid_o(in_valid[l+1]),
      .out_ready_i(in_ready[l+1]), .out_word_o(in_word[l+1]), .out_first_o(in_first[l+1]),
      .out_last_o(in_last[l+1]), .phy_tx_valid_o(phy_tx_valid_o[l]),
      .phy_tx_ready_i(phy_tx_ready_i[l]), .phy_tx_flit_o(phy_tx_flit_o[l]),
      .phy_tx_width_o(phy_tx_width_o[l]), .phy_rx_clk_i(phy_rx_clk_i[l]),
      .phy_rx_rst_ni(phy_rx_rst_ni[l]), .phy_rx_valid_i(phy_rx_valid_i[l]),
      .phy_rx_flit_i(phy_rx_flit_i[l]), .side_hear_i(side_hear_i[l]), .side_hear_o(side_hear_o[l]),
      .up_o(link_up_o[l]), .lost_o(link_lost_o[l]), .mismatch_o(link_mismatch_o[l]),
      .replays_o(link_replays_o[l]), .errors_o(link_errors_o[l]),
      .trainings_o(link_trainings_o[l])
    );
  end

  logic unused;
  assign unused = ^out_first[Ports-1:1];
endmodule
