// The sequencer's 64 registers: two combinational read ports, one write port. While sweep_i
// (nothing is written or read then) all become 0, one a cycle; clean_o once that is done, until
// sweep_i ends. Register 0 is never written. Data have no reset.
module npu_regfile (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             sweep_i,
  output logic             clean_o,
  input  logic [1:0][5:0]  raddr_i,
  output logic [1:0][31:0] rdata_o,
  input  logic             wen_i,
  input  logic [5:0]       waddr_i,
  input  logic [31:0]      wdata_i
);
  logic [31:0] regs_q [npu_pkg::Registers];
  logic [5:0]  sweep_q;

  always_comb begin
    for (int unsigned p = 0; p < 2; p++) rdata_o[p] = regs_q[raddr_i[p]];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sweep_q <= '0;
      clean_o <= 1'b0;
    end else if (!sweep_i) begin
      sweep_q <= '0;
      clean_o <= 1'b0;
    end else if (!clean_o) begin
      sweep_q <= sweep_q + 1'b1;
      clean_o <= sweep_q == '1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (sweep_i) regs_q[sweep_q] <= '0;
    else if (wen_i && waddr_i != '0) regs_q[waddr_i] <= wdata_i;
  end

endmodule
