// y = a + b, one result per cycle, latency npu_fp_pkg::AddLat cycles of en_i.
// Valid bits have no reset: they are clear after AddLat cycles with valid_i low
// and en_i high, which the reset phase of every user provides.
module npu_fp_add
  import npu_fp_pkg::*;
(
  input  logic        clk_i,
  input  logic        en_i,
  input  logic        valid_i,
  input  logic [31:0] a_i,
  input  logic [31:0] b_i,
  output logic        valid_o,
  output logic [31:0] y_o
);

  logic [2:0] valid_q;

  // Stage 1: larger operand first, smaller one aligned to it (3 guard bits).
  logic [26:0] s1_big_q, s1_little_q;
  logic [7:0] s1_exp_q;
  logic s1_sign_q, s1_minus_q, s1_nan_q, s1_inf_q;
  // Stage 2: sum and its leading zeros.
  logic [27:0] s2_sum_q;
  logic [5:0] s2_zeros_q;
  logic [7:0] s2_exp_q;
  logic s2_sign_q, s2_nan_q, s2_inf_q;
  // Stage 3: result.
  logic [31:0] y_q;

  function automatic logic [31:0] finish(logic [27:0] sum, logic [5:0] zeros,
                                         logic [7:0] exponent, logic sign, logic nan, logic inf);
    logic [23:0] kept;
    logic [4:0] low;
    logic up;
    if (nan) return Nan;
    if (inf) return {sign, 31'h7F80_0000};
    if (sum == 28'd0) return {sign, 31'd0};
    kept = 24'((sum << zeros) >> 4);
    // Three or more leading zeros: the sum is exact. So rounding need not wait for the shift.
    low = zeros == 6'd0 ? sum[4:0] : zeros == 6'd1 ? {sum[3:0], 1'b0}
        : zeros == 6'd2 ? {sum[2:0], 2'b0} : 5'd0;
    up = low[3] && (low[2:0] != 3'd0 || low[4]);
    return pack(sign, 11'({3'd0, exponent}) + 11'sd1 - 11'({5'd0, zeros}), kept, up);
  endfunction

  always_ff @(posedge clk_i) begin
    if (en_i) valid_q <= {valid_q[1:0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_i) begin
      automatic logic swap = less(35'(a_i[30:0]), 35'(b_i[30:0]));
      automatic logic [31:0] big = swap ? b_i : a_i;
      automatic logic [31:0] little = swap ? a_i : b_i;
      automatic logic [7:0] up = b_i[30:23] - a_i[30:23];
      automatic logic [7:0] down = a_i[30:23] - b_i[30:23];
      automatic logic [7:0] distance = swap ? up : down;
      s1_big_q <= {significand(big), 3'd0};
      s1_little_q <= 27'(shift_right_sticky({37'd0, significand(little), 3'd0},
                                           distance > 8'd63 ? 6'd63 : distance[5:0]));
      s1_exp_q <= big[30:23];
      s1_minus_q <= a_i[31] ^ b_i[31];
      s1_sign_q <= big[31];
      s1_nan_q <= is_nan(a_i) || is_nan(b_i) ||
                  (is_inf(a_i) && is_inf(b_i) && a_i[31] != b_i[31]);
      s1_inf_q <= is_inf(big);
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[0]) begin
      automatic logic [27:0] sum = 28'(add_or_subtract(51'(s1_big_q), 51'(s1_little_q),
                                                      s1_minus_q));
      s2_sum_q <= sum;
      s2_zeros_q <= leading_zeros({sum, 36'd0});
      s2_exp_q <= s1_exp_q;
      // An exact zero is +0 unless both operands were -0.
      s2_sign_q <= (sum == 28'd0 && s1_minus_q) ? 1'b0 : s1_sign_q;
      s2_nan_q <= s1_nan_q;
      s2_inf_q <= s1_inf_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[1]) begin
      y_q <= finish(s2_sum_q, s2_zeros_q, s2_exp_q, s2_sign_q, s2_nan_q, s2_inf_q);
    end
  end

  assign valid_o = valid_q[2];
  assign y_o = y_q;

endmodule
