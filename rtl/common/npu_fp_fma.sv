// y = a * b + c rounded once, one result per cycle, latency npu_fp_pkg::FmaLat
// cycles of en_i. With c = -0 it is exactly a * b.
// Valid bits have no reset: they are clear after FmaLat cycles with valid_i low
// and en_i high, which the reset phase of every user provides.
module npu_fp_fma
  import npu_fp_pkg::*;
(
  input  logic        clk_i,
  input  logic        en_i,
  input  logic        valid_i,
  input  logic [31:0] a_i,
  input  logic [31:0] b_i,
  input  logic [31:0] c_i,
  output logic        valid_o,
  output logic [31:0] y_o
);

  // Below every exponent of a nonzero term: a zero never sets the scale.
  localparam logic signed [10:0] ZeroExp = -11'sd300;

  logic [3:0] valid_q;

  // Stage 1: product.
  logic [47:0] s1_product_q;
  logic [23:0] s1_c_q;
  logic signed [10:0] s1_pexp_q, s1_cexp_q;
  logic s1_psign_q, s1_csign_q, s1_nan_q, s1_inf_q, s1_isign_q;
  // Stage 2: term of larger exponent first, the other aligned (2 guard bits).
  logic [49:0] s2_high_q, s2_low_q;
  logic signed [10:0] s2_exp_q;
  logic s2_hsign_q, s2_minus_q, s2_nan_q, s2_inf_q, s2_isign_q;
  // Stage 3: magnitude of the sum and its leading zeros.
  logic [50:0] s3_sum_q;
  logic [5:0] s3_zeros_q;
  logic signed [10:0] s3_exp_q;
  logic s3_sign_q, s3_nan_q, s3_inf_q;
  // Stage 4: result.
  logic [31:0] y_q;

  function automatic logic [31:0] finish(logic [50:0] sum, logic [5:0] zeros,
                                         logic signed [10:0] exponent, logic sign, logic nan,
                                         logic inf);
    logic [50:0] m;
    logic up;
    if (nan) return Nan;
    if (inf) return {sign, 31'h7F80_0000};
    if (sum == 51'd0) return {sign, 31'd0};
    m = sum << zeros;
    up = m[26] && (m[25:0] != 26'd0 || m[27]);
    return pack(sign, exponent + 11'sd1 - 11'({5'd0, zeros}), m[50:27], up);
  endfunction

  always_ff @(posedge clk_i) begin
    if (en_i) valid_q <= {valid_q[2:0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_i) begin
      automatic logic psign = a_i[31] ^ b_i[31];
      automatic logic pinf = is_inf(a_i) || is_inf(b_i);
      automatic logic pzero = is_zero(a_i) || is_zero(b_i);
      s1_product_q <= {24'd0, significand(a_i)} * {24'd0, significand(b_i)};
      s1_c_q <= significand(c_i);
      s1_pexp_q <= pzero ? ZeroExp
                         : 11'({3'd0, a_i[30:23]}) + 11'({3'd0, b_i[30:23]}) - 11'sd126;
      s1_cexp_q <= is_zero(c_i) ? ZeroExp : 11'({3'd0, c_i[30:23]});
      s1_psign_q <= psign;
      s1_csign_q <= c_i[31];
      s1_nan_q <= is_nan(a_i) || is_nan(b_i) || is_nan(c_i) || (pinf && pzero) ||
                  (pinf && is_inf(c_i) && psign != c_i[31]);
      s1_inf_q <= pinf || is_inf(c_i);
      s1_isign_q <= pinf ? psign : c_i[31];
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[0]) begin
      // Exponents count from the leading bit, so a product below 2 moves up.
      automatic logic small_product = !s1_product_q[47];
      automatic logic [47:0] product = small_product ? {s1_product_q[46:0], 1'b0}
                                                     : s1_product_q;
      automatic logic signed [10:0] pexp = small_product ? s1_pexp_q - 11'sd1 : s1_pexp_q;
      automatic logic swap = s1_cexp_q > pexp;
      automatic logic [10:0] distance = swap ? s1_cexp_q - pexp : pexp - s1_cexp_q;
      automatic logic [49:0] low = swap ? {product, 2'd0} : {s1_c_q, 26'd0};
      s2_high_q <= swap ? {s1_c_q, 26'd0} : {product, 2'd0};
      s2_low_q <= 50'(shift_right_sticky({14'd0, low},
                                         distance > 11'd63 ? 6'd63 : distance[5:0]));
      s2_exp_q <= swap ? s1_cexp_q : pexp;
      s2_hsign_q <= swap ? s1_csign_q : s1_psign_q;
      s2_minus_q <= s1_csign_q ^ s1_psign_q;
      s2_nan_q <= s1_nan_q;
      s2_inf_q <= s1_inf_q;
      s2_isign_q <= s1_isign_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[1]) begin
      // Equal exponents may leave the larger magnitude in `low`.
      automatic logic flip = s2_minus_q && s2_low_q > s2_high_q;
      automatic logic [50:0] sum = !s2_minus_q ? {1'b0, s2_high_q} + {1'b0, s2_low_q}
                                 : flip ? {1'b0, s2_low_q} - {1'b0, s2_high_q}
                                        : {1'b0, s2_high_q} - {1'b0, s2_low_q};
      s3_sum_q <= sum;
      s3_zeros_q <= leading_zeros({sum, 13'd0});
      s3_exp_q <= s2_exp_q;
      // An exact zero is +0 unless both terms were -0.
      s3_sign_q <= s2_inf_q ? s2_isign_q
                 : (sum == 51'd0 && s2_minus_q) ? 1'b0 : s2_hsign_q ^ flip;
      s3_nan_q <= s2_nan_q;
      s3_inf_q <= s2_inf_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[2]) begin
      y_q <= finish(s3_sum_q, s3_zeros_q, s3_exp_q, s3_sign_q, s3_nan_q, s3_inf_q);
    end
  end

  assign valid_o = valid_q[3];
  assign y_o = y_q;

endmodule
