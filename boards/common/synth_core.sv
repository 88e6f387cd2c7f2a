// The NPU alone behind three pins, for place and route without a board's memory and host: every input comes from a
// register, every output goes to one, so the clock that is reported is the NPU's. Bits enter at serial_i and leave at
// serial_o; once every Period cycles the inputs change and the outputs are taken.
module synth_core
  import npu_types::*;
  import npu_pkg::*;
(
  input  logic clk_i,
  input  logic serial_i,
  output logic serial_o
);
  localparam int unsigned PortBits = 8 * PortBytes;
  localparam int unsigned InBits   = 1 + 1 + 12 + 1 + 32 + 4 + 1 + 1 + 12 + 1 + 1 + 1 + PortBits + 2 + 1 + 1 + 1 + 1 + 2;
  localparam int unsigned OutBits  = 1 + 1 + 1 + 2 + 1 + 1 + 32 + 2 + 1 + 2 * (1 + DramBits + 8 + 3 + 2 + 1) + 1 + 1 +
                                     PortBits + PortBytes + 1 + 1;
  localparam int unsigned Period   = 512;

  logic [$clog2(Period)-1:0] count_q;
  logic [InBits-1:0] shift_in_q, in_q;
  logic [OutBits-1:0] shift_out_q, out_q, outputs;
  logic turn_q;

  always_ff @(posedge clk_i) begin
    count_q    <= count_q + 1'b1;
    turn_q     <= count_q == '0;
    shift_in_q <= {shift_in_q[InBits-2:0], serial_i};
    if (turn_q) in_q <= shift_in_q;
    out_q       <= outputs;
    shift_out_q <= turn_q ? out_q : {shift_out_q[OutBits-2:0], 1'b0};
    serial_o    <= shift_out_q[OutBits-1];
  end

  logic rst_n, awvalid, wvalid, bready, arvalid, rready, m_arready, m_rvalid, m_rlast, m_awready, m_wready, m_bvalid;
  logic [11:0] awaddr, araddr;
  logic [31:0] wdata;
  logic [3:0] wstrb;
  logic [PortBits-1:0] m_rdata;
  logic [1:0] m_rresp, m_bresp;
  assign {rst_n, awvalid, awaddr, wvalid, wdata, wstrb, bready, arvalid, araddr, rready, m_arready, m_rvalid, m_rdata,
          m_rresp, m_rlast, m_awready, m_wready, m_bvalid, m_bresp} = in_q;

  logic awready, wready, bvalid, arready, rvalid, irq, m_arvalid, m_arid, m_rready, m_awvalid, m_awid, m_wvalid, m_wlast,
        m_bready;
  logic [1:0] bresp, rresp, m_arburst, m_awburst;
  logic [31:0] rdata;
  logic [DramBits-1:0] m_araddr, m_awaddr;
  logic [7:0] m_arlen, m_awlen;
  logic [2:0] m_arsize, m_awsize;
  logic [PortBits-1:0] m_wdata;
  logic [PortBytes-1:0] m_wstrb;
  assign outputs = {awready, wready, bvalid, bresp, arready, rvalid, rdata, rresp, irq,
                    m_arvalid, m_araddr, m_arlen, m_arsize, m_arburst, m_arid,
                    m_awvalid, m_awaddr, m_awlen, m_awsize, m_awburst, m_awid,
                    m_rready, m_wvalid, m_wdata, m_wstrb, m_wlast, m_bready};

  npu u_npu (
    .clk_i, .rst_ni(rst_n),
    .s_axi_awvalid_i(awvalid), .s_axi_awready_o(awready), .s_axi_awaddr_i(awaddr),
    .s_axi_wvalid_i(wvalid), .s_axi_wready_o(wready), .s_axi_wdata_i(wdata), .s_axi_wstrb_i(wstrb),
    .s_axi_bvalid_o(bvalid), .s_axi_bready_i(bready), .s_axi_bresp_o(bresp),
    .s_axi_arvalid_i(arvalid), .s_axi_arready_o(arready), .s_axi_araddr_i(araddr),
    .s_axi_rvalid_o(rvalid), .s_axi_rready_i(rready), .s_axi_rdata_o(rdata), .s_axi_rresp_o(rresp), .irq_o(irq),
    .m_axi_arvalid_o(m_arvalid), .m_axi_arready_i(m_arready), .m_axi_araddr_o(m_araddr), .m_axi_arlen_o(m_arlen),
    .m_axi_arsize_o(m_arsize), .m_axi_arburst_o(m_arburst), .m_axi_arid_o(m_arid),
    .m_axi_rvalid_i(m_rvalid), .m_axi_rready_o(m_rready), .m_axi_rdata_i(m_rdata), .m_axi_rresp_i(m_rresp),
    .m_axi_rlast_i(m_rlast),
    .m_axi_awvalid_o(m_awvalid), .m_axi_awready_i(m_awready), .m_axi_awaddr_o(m_awaddr), .m_axi_awlen_o(m_awlen),
    .m_axi_awsize_o(m_awsize), .m_axi_awburst_o(m_awburst), .m_axi_awid_o(m_awid),
    .m_axi_wvalid_o(m_wvalid), .m_axi_wready_i(m_wready), .m_axi_wdata_o(m_wdata), .m_axi_wstrb_o(m_wstrb),
    .m_axi_wlast_o(m_wlast),
    .m_axi_bvalid_i(m_bvalid), .m_axi_bready_o(m_bready), .m_axi_bresp_i(m_bresp), .trace_o(),
    .rx_wvalid_i(1'b0), .rx_space_i('0), .rx_waddr_i('0), .rx_wstrb_i('0), .rx_wdata_i('0), .rx_svalid_i(1'b0),
    .rx_sem_i('0), .rx_n_i('0), .rx_wready_o(), .rx_sready_o(), .place_o(), .m_axi_awuser_o()
  );
endmodule
