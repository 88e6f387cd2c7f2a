// Rules of AXI4 that the machine keeps as master, and of AXI4-Lite that it keeps as slave, for simulations in which no C++
// testbench stands at its pins: bound to npu there (npu_axi_bind.sv). The rules are those of axi_memory.hpp and
// axi_lite_watch.hpp. A broken one is told on broken_o by number, for a cycle, and ends the simulation where Fatal is 1.
module npu_axi_watch #(
  parameter int unsigned PortBytes = npu_pkg::PortBytes,
  parameter bit          Fatal     = 1'b1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  // memory
  input  logic                   arvalid_i,
  input  logic                   arready_i,
  input  logic [39:0]            araddr_i,
  input  logic [7:0]             arlen_i,
  input  logic [2:0]             arsize_i,
  input  logic [1:0]             arburst_i,
  input  logic                   awvalid_i,
  input  logic                   awready_i,
  input  logic [39:0]            awaddr_i,
  input  logic [7:0]             awlen_i,
  input  logic [2:0]             awsize_i,
  input  logic [1:0]             awburst_i,
  input  logic                   wvalid_i,
  input  logic                   wready_i,
  input  logic [8*PortBytes-1:0] wdata_i,
  input  logic [PortBytes-1:0]   wstrb_i,
  input  logic                   wlast_i,
  // registers
  input  logic                   s_awvalid_i,
  input  logic                   s_awready_i,
  input  logic                   s_wvalid_i,
  input  logic                   s_wready_i,
  input  logic                   s_bvalid_i,
  input  logic                   s_bready_i,
  input  logic [1:0]             s_bresp_i,
  input  logic                   s_arvalid_i,
  input  logic                   s_arready_i,
  input  logic                   s_rvalid_i,
  input  logic                   s_rready_i,
  input  logic [1:0]             s_rresp_i,
  input  logic [31:0]            s_rdata_i,
  output logic [3:0]             broken_o
);
  typedef enum logic [3:0] {
    None, ArStays, AwStays, WStays, Aligned, Within4K, Shape, WLast, BAsked, BStays, RAsked, RStays, NoExclusive
  } rule_e;

  localparam int unsigned SizeBits = $clog2(PortBytes);
  localparam int unsigned DataW    = 8 * PortBytes;

  function automatic logic crosses(logic [11:0] at, logic [7:0] len);
    return 32'(at) + (32'(len) + 1) * PortBytes > 32'd4096;
  endfunction

  // What waits for ready, as it was.
  logic [48:0]              ar_q, aw_q;  // valid without ready, address, length
  logic [DataW+PortBytes+1:0] w_q;
  logic [2:0]               b_q;
  logic [34:0]              r_q;
  logic [48:0]              ar, aw;
  logic [DataW+PortBytes+1:0] w;
  logic [2:0]               b;
  logic [34:0]              r;
  assign ar = {arvalid_i, araddr_i, arlen_i};
  assign aw = {awvalid_i, awaddr_i, awlen_i};
  assign w  = {wvalid_i, wdata_i, wstrb_i, wlast_i};
  assign b  = {s_bvalid_i, s_bresp_i};
  assign r  = {s_rvalid_i, s_rresp_i, s_rdata_i};

  // Lengths of bursts: by their addresses, and by the last of their words.
  logic [7:0] by_address [$];
  logic [7:0] by_data [$];
  logic [7:0] words_q;
  logic [7:0] s_addresses_q, s_words_q, s_reads_q;  // taken and not answered
  rule_e      rule;

  /* verilator lint_off BLKSEQ */  // no hardware: of several rules broken at once the last is told
  always_ff @(posedge clk_i or negedge rst_ni) begin
    rule = None;
    if (!rst_ni) begin
      ar_q <= '0;
      aw_q <= '0;
      w_q  <= '0;
      b_q  <= '0;
      r_q  <= '0;
      words_q       <= '0;
      s_addresses_q <= '0;
      s_words_q     <= '0;
      s_reads_q     <= '0;
      by_address.delete();
      by_data.delete();
    end else begin
      if (ar_q[48] && ar != ar_q) rule = ArStays;
      if (aw_q[48] && aw != aw_q) rule = AwStays;
      if (w_q[DataW+PortBytes+1] && w != w_q) rule = WStays;
      if (arvalid_i && araddr_i[SizeBits-1:0] != '0) rule = Aligned;
      if (awvalid_i && awaddr_i[SizeBits-1:0] != '0) rule = Aligned;
      if (arvalid_i && crosses(araddr_i[11:0], arlen_i)) rule = Within4K;
      if (awvalid_i && crosses(awaddr_i[11:0], awlen_i)) rule = Within4K;
      if (arvalid_i && {arsize_i, arburst_i} != {3'(SizeBits), 2'b01}) rule = Shape;
      if (awvalid_i && {awsize_i, awburst_i} != {3'(SizeBits), 2'b01}) rule = Shape;
      ar_q <= arready_i ? '0 : ar;
      aw_q <= awready_i ? '0 : aw;
      w_q  <= wready_i ? '0 : w;

      if (awvalid_i && awready_i) by_address.push_back(awlen_i);
      if (wvalid_i && wready_i) begin
        if (wlast_i) by_data.push_back(words_q);
        words_q <= wlast_i ? '0 : words_q + 8'd1;
        if (by_address.size() > 0 && by_data.size() == 0 && words_q >= by_address[0]) rule = WLast;
      end
      if (by_address.size() > 0 && by_data.size() > 0) begin
        if (by_address[0] != by_data[0]) rule = WLast;
        void'(by_address.pop_front());
        void'(by_data.pop_front());
      end

      if (s_bvalid_i && (s_addresses_q == 0 || s_words_q == 0)) rule = BAsked;
      if (s_rvalid_i && s_reads_q == 0) rule = RAsked;
      if (b_q[2] && b != b_q) rule = BStays;
      if (r_q[34] && r != r_q) rule = RStays;
      if (s_bvalid_i && s_bresp_i == 2'b01 || s_rvalid_i && s_rresp_i == 2'b01) rule = NoExclusive;
      b_q <= s_bready_i ? '0 : b;
      r_q <= s_rready_i ? '0 : r;
      s_addresses_q <= s_addresses_q + 8'(s_awvalid_i && s_awready_i) - 8'(s_bvalid_i && s_bready_i);
      s_words_q     <= s_words_q + 8'(s_wvalid_i && s_wready_i) - 8'(s_bvalid_i && s_bready_i);
      s_reads_q     <= s_reads_q + 8'(s_arvalid_i && s_arready_i) - 8'(s_rvalid_i && s_rready_i);
    end
    broken_o <= rule;
    if (Fatal && rule != None) $fatal(1, "npu_axi_watch: rule %0d (%s) broken", rule, rule.name());
  end
endmodule
