// The sequencer's 64 registers: two combinational read ports, one write port. Register 0 and every
// register not written since clear_i read 0, so a launch needs no clearing pass. Data have no reset.
module npu_regfile (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             clear_i,
  input  logic [1:0][5:0]  raddr_i,
  output logic [1:0][31:0] rdata_o,
  input  logic             wen_i,
  input  logic [5:0]       waddr_i,
  input  logic [31:0]      wdata_i
);

  logic [31:0] regs_q [npu_pkg::Registers];
  logic [npu_pkg::Registers-1:0] written_q;

  always_comb begin
    for (int unsigned p = 0; p < 2; p++) begin
      rdata_o[p] = written_q[raddr_i[p]] ? regs_q[raddr_i[p]] : '0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) written_q <= '0;
    else if (clear_i) written_q <= '0;
    else if (wen_i && waddr_i != '0) written_q[waddr_i] <= 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (wen_i) regs_q[waddr_i] <= wdata_i;
  end

endmodule
