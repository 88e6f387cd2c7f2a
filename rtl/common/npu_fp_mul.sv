// y = a * b, one result per cycle, latency npu_fp_pkg::MulLat cycles of en_i.
// Valid bits have no reset: they are clear after MulLat cycles with valid_i low
// and en_i high, which the reset phase of every user provides.
module npu_fp_mul
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

  // Stage 1: partial products.
  partial_t s1_part_q;
  logic signed [10:0] s1_exp_q;
  logic s1_sign_q, s1_nan_q, s1_inf_q;
  // Stage 2: product.
  logic [47:0] s2_product_q;
  logic signed [10:0] s2_exp_q;
  logic s2_sign_q, s2_nan_q, s2_inf_q;
  // Stage 3: result.
  logic [31:0] y_q;

  function automatic logic [31:0] finish(logic [47:0] product, logic signed [10:0] exponent,
                                         logic sign, logic nan, logic inf);
    logic [47:0] m;
    logic signed [11:0] e;
    logic up;
    if (nan) return Nan;
    if (inf) return {sign, 31'h7F80_0000};
    m = product[47] ? product : {product[46:0], 1'b0};
    if (!m[47]) return {sign, 31'd0};
    up = m[23] && (m[22:0] != 23'd0 || m[24]);
    e = 12'(exponent) + 12'({11'd0, product[47]});
    return range_check(sign, {e, m[46:24]} + 35'(up));
  endfunction

  always_ff @(posedge clk_i) begin
    if (en_i) valid_q <= {valid_q[1:0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_i) begin
      s1_part_q <= multiply(significand(a_i), significand(b_i));
      s1_exp_q <= 11'({3'd0, a_i[30:23]}) + 11'({3'd0, b_i[30:23]}) - 11'sd127;
      s1_sign_q <= a_i[31] ^ b_i[31];
      s1_nan_q <= is_nan(a_i) || is_nan(b_i) || (is_inf(a_i) && is_zero(b_i)) ||
                  (is_zero(a_i) && is_inf(b_i));
      s1_inf_q <= is_inf(a_i) || is_inf(b_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[0]) begin
      s2_product_q <= product_of(s1_part_q);
      s2_exp_q <= s1_exp_q;
      s2_sign_q <= s1_sign_q;
      s2_nan_q <= s1_nan_q;
      s2_inf_q <= s1_inf_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[1]) begin
      y_q <= finish(s2_product_q, s2_exp_q, s2_sign_q, s2_nan_q, s2_inf_q);
    end
  end

  assign valid_o = valid_q[2];
  assign y_o = y_q;

endmodule
