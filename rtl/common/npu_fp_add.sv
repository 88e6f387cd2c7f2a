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

  logic [AddLat-1:0] valid_q;

  // Stage 1: larger operand first, distance of the exponents (32 and more: far).
  logic [23:0] s1_big_q, s1_little_q;
  logic [4:0] s1_distance_q;
  logic [7:0] s1_exp_q;
  logic s1_far_q, s1_sign_q, s1_minus_q, s1_nan_q, s1_inf_q;
  // Stage 2: sum, the smaller aligned to the larger (3 guard bits).
  logic [27:0] s2_sum_q;
  logic [7:0] s2_exp_q;
  logic s2_sign_q, s2_minus_q, s2_nan_q, s2_inf_q;
  // Stage 3: leading one first.
  logic [27:0] s3_sum_q;
  logic [4:0] s3_zeros_q;
  logic [7:0] s3_exp_q;
  logic s3_sign_q, s3_minus_q, s3_nan_q, s3_inf_q;
  // Stage 4: result.
  logic [31:0] y_q;

  function automatic logic [31:0] finish(logic [27:0] sum, logic [4:0] zeros, logic [7:0] exponent,
                                         logic sign, logic minus, logic nan, logic inf);
    logic up;
    logic signed [11:0] e;
    if (nan) return Nan;
    if (inf) return {sign, 31'h7F80_0000};
    // An exact zero is +0 unless both operands were -0.
    if (!sum[27]) return {sign && !minus, 31'd0};
    up = sum[3] && (sum[2:0] != 3'd0 || sum[4]);
    e = 12'({4'd0, exponent}) + 12'sd1 - 12'({7'd0, zeros});
    return range_check(sign, {e, sum[26:4]} + 35'(up));
  endfunction

  always_ff @(posedge clk_i) begin
    if (en_i) valid_q <= {valid_q[AddLat-2:0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_i) begin
      automatic logic swap = less(35'(a_i[30:0]), 35'(b_i[30:0]));
      automatic logic [31:0] big = swap ? b_i : a_i;
      automatic logic [31:0] little = swap ? a_i : b_i;
      automatic logic [7:0] up = b_i[30:23] - a_i[30:23];
      automatic logic [7:0] down = a_i[30:23] - b_i[30:23];
      automatic logic [7:0] distance = swap ? up : down;
      s1_big_q <= significand(big);
      s1_little_q <= significand(little);
      s1_distance_q <= distance[4:0];
      s1_far_q <= distance[7:5] != 3'd0;
      s1_exp_q <= big[30:23];
      s1_minus_q <= a_i[31] ^ b_i[31];
      s1_sign_q <= big[31];
      s1_nan_q <= is_nan(a_i) || is_nan(b_i) ||
                  (is_inf(a_i) && is_inf(b_i) && a_i[31] != b_i[31]);
      s1_inf_q <= is_inf(a_i) || is_inf(b_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[0]) begin
      automatic logic [26:0] little = 27'(shift_right_sticky({37'd0, s1_little_q, 3'd0},
                                                             {1'b0, s1_distance_q}));
      if (s1_far_q) little = {26'd0, s1_little_q != 24'd0};
      s2_sum_q <= 28'(add_or_subtract(51'({s1_big_q, 3'd0}), 51'(little), s1_minus_q));
      s2_exp_q <= s1_exp_q;
      s2_sign_q <= s1_sign_q;
      s2_minus_q <= s1_minus_q;
      s2_nan_q <= s1_nan_q;
      s2_inf_q <= s1_inf_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[1]) begin
      automatic normal_t n = normalise({s2_sum_q, 4'd0});
      s3_sum_q <= n.value[31:4];
      s3_zeros_q <= n.zeros;
      s3_exp_q <= s2_exp_q;
      s3_sign_q <= s2_sign_q;
      s3_minus_q <= s2_minus_q;
      s3_nan_q <= s2_nan_q;
      s3_inf_q <= s2_inf_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[2]) begin
      y_q <= finish(s3_sum_q, s3_zeros_q, s3_exp_q, s3_sign_q, s3_minus_q, s3_nan_q, s3_inf_q);
    end
  end

  assign valid_o = valid_q[AddLat-1];
  assign y_o = y_q;

endmodule
