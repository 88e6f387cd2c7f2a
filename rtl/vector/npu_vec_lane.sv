// One lane: sign edits, mul / mad / max / min, then a function. Every operation
// goes through the fused multiply-add, so results are canonical. Latency: 1 +
// FmaLat cycles of en_i, and FuncLat more when func_i is not none. The control
// inputs must not change while values are in flight. With lend_i (func_i must be
// none) the function unit gives reciprocals of recip_i to somebody else.
module npu_vec_lane
  import npu_pkg::*, npu_fp_pkg::*;
(
  input  logic        clk_i,
  input  logic        en_i,
  input  logic        valid_i,
  input  vop_e        op_i,
  input  vfunc_e      func_i,
  input  logic        absa_i,
  input  logic        nega_i,
  input  logic        negb_i,
  input  logic [31:0] x_i,
  input  logic [31:0] y_i,
  input  logic [31:0] s_i,
  input  logic        lend_i,
  input  logic        recip_valid_i,
  input  logic [31:0] recip_i,
  output logic [31:0] recip_o,  // FuncLat after recip_valid_i
  output logic [31:0] fma_o,    // before the function
  output logic [31:0] y_o
);

  logic        valid_q;
  logic [31:0] a_q, b_q, c_q;
  logic        fma_valid, unused_valid;
  logic [31:0] fma_y, func_y;

  always_ff @(posedge clk_i) begin
    if (en_i) valid_q <= valid_i;
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_i) begin
      automatic logic [31:0] x = {(x_i[31] && !absa_i) ^ nega_i, x_i[30:0]};
      automatic logic [31:0] y = {y_i[31] ^ negb_i, y_i[30:0]};
      a_q <= x;
      b_q <= y;
      c_q <= MinusZero;
      unique case (op_i)
        VOP_MAD: begin
          b_q <= s_i;
          c_q <= y;
        end
        VOP_MAX, VOP_MIN: begin
          b_q <= One;
          c_q <= y;
        end
        default: ;
      endcase
    end
  end

  npu_fp_fma u_fma (
    .clk_i,
    .en_i,
    .valid_i(valid_q),
    .a_i    (a_q),
    .b_i    (b_q),
    .c_i    (c_q),
    .pick_i   (op_i == VOP_MAX || op_i == VOP_MIN),
    .smaller_i(op_i == VOP_MIN),
    .valid_o(fma_valid),
    .y_o    (fma_y)
  );

  npu_vec_func u_func (
    .clk_i,
    .en_i,
    .valid_i(lend_i ? recip_valid_i : fma_valid && func_i != VFUNC_NONE),
    .func_i (lend_i ? VFUNC_RECIP : func_i),
    .a_i    (lend_i ? recip_i : fma_y),
    .valid_o(unused_valid),
    .y_o    (func_y)
  );

  assign recip_o = func_y;
  assign fma_o = fma_y;
  assign y_o = func_i == VFUNC_NONE ? fma_y : func_y;

endmodule
