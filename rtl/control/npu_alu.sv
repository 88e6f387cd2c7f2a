// The sequencer's arithmetic but for mul (npu_check has the multiplier): combinational, 32 bits,
// wrapping; functions without a meaning here give 0.
module npu_alu
  import npu_pkg::*;
(
  input  logic [3:0]  fn_i,
  input  logic [31:0] a_i,
  input  logic [31:0] b_i,
  output logic [31:0] y_o
);
  always_comb begin
    unique case (fn_i)
      ALU_FN_ADD:  y_o = a_i + b_i;
      ALU_FN_SUB:  y_o = a_i - b_i;
      ALU_FN_AND:  y_o = a_i & b_i;
      ALU_FN_OR:   y_o = a_i | b_i;
      ALU_FN_SHL:  y_o = a_i << b_i[4:0];
      ALU_FN_SHR:  y_o = a_i >> b_i[4:0];
      ALU_FN_MINU: y_o = a_i < b_i ? a_i : b_i;
      ALU_FN_MAXU: y_o = a_i < b_i ? b_i : a_i;
      ALU_FN_LTU:  y_o = {31'd0, a_i < b_i};
      ALU_FN_EQ:   y_o = {31'd0, a_i == b_i};
      default:     y_o = '0;
    endcase
  end
endmodule
