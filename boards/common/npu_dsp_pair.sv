// Experiment, not part of the machine: two neighbouring cells of the array, in one multiplier or in two. Each cell is
// product register, sum register: psum_x_o = psum_x_i + x * c, with c of two cycles before and psum_x_i of one. One
// multiplier makes (a * 2^Gap + b) * c: its low Gap bits are b * c, and what b * c borrowed from the upper part is given
// back by adding its sign. Exact for all a, b, c. Gap 18 fills the 27 x 18 bits of a DSP48E2 and would leave room to add
// seven packed products before they are taken apart; 16 fits the 25 x 18 bits of a DSP48E1 too. docs/boards-amd.md says
// what it costs.
module npu_dsp_pair #(
  parameter bit          Packed = 1'b1,
  parameter int unsigned Gap    = 18
) (
  input  logic               clk_i,
  input  logic signed [7:0]  a_i,
  input  logic signed [7:0]  b_i,
  input  logic signed [7:0]  c_i,
  input  logic signed [20:0] psum_a_i,
  input  logic signed [20:0] psum_b_i,
  output logic signed [20:0] psum_a_o,
  output logic signed [20:0] psum_b_o
);
  logic signed [15:0] ac_q, bc_q;

  if (Packed) begin : gen_packed
    localparam int unsigned PairW = Gap + 9;
    logic signed [PairW-1:0] ab;
    // The top bits repeat the sign; so do those between the products.
    // verilator lint_off UNUSEDSIGNAL
    logic signed [PairW+7:0] prod_q;
    // verilator lint_on UNUSEDSIGNAL
    assign ab = (PairW'(a_i) <<< Gap) + PairW'(b_i);
    always_ff @(posedge clk_i) prod_q <= (PairW+8)'(ab) * (PairW+8)'(c_i);
    assign ac_q = prod_q[Gap+15:Gap] + 16'(prod_q[Gap-1]);
    assign bc_q = prod_q[15:0];
  end else begin : gen_apart
    always_ff @(posedge clk_i) begin
      ac_q <= 16'(a_i) * 16'(c_i);
      bc_q <= 16'(b_i) * 16'(c_i);
    end
  end

  always_ff @(posedge clk_i) begin
    psum_a_o <= psum_a_i + 21'(ac_q);
    psum_b_o <= psum_b_i + 21'(bc_q);
  end
endmodule
