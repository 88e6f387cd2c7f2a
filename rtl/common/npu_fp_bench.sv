// Test top: every floating-point cell on the same operands.
module npu_fp_bench (
  input  logic        clk_i,
  input  logic        en_i,
  input  logic        valid_i,
  input  logic [31:0] a_i,
  input  logic [31:0] b_i,
  input  logic [31:0] c_i,
  input  logic        pick_i,      // of fma
  input  logic        smaller_i,
  output logic        mul_valid_o,
  output logic [31:0] mul_o,
  output logic        add_valid_o,
  output logic [31:0] add_o,
  output logic        fma_valid_o,
  output logic [31:0] fma_o,
  output logic        i2f_valid_o,
  output logic [31:0] i2f_o,
  output logic        i2f21_valid_o,
  output logic [31:0] i2f21_o
);
  npu_fp_mul u_mul (.clk_i, .en_i, .valid_i, .a_i, .b_i, .valid_o(mul_valid_o), .y_o(mul_o));
  npu_fp_add u_add (.clk_i, .en_i, .valid_i, .a_i, .b_i, .valid_o(add_valid_o), .y_o(add_o));
  npu_fp_fma u_fma (.clk_i, .en_i, .valid_i, .a_i, .b_i, .c_i, .pick_i, .smaller_i,
                    .valid_o(fma_valid_o), .y_o(fma_o));
  npu_fp_i2f u_i2f (.clk_i, .en_i, .valid_i, .a_i, .valid_o(i2f_valid_o), .y_o(i2f_o));
  npu_fp_i2f #(.Width(21)) u_i2f21 (
    .clk_i, .en_i, .valid_i, .a_i(a_i[20:0]), .valid_o(i2f21_valid_o), .y_o(i2f21_o));
endmodule
