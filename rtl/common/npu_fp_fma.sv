// y = a * b + c rounded once, one result per cycle, latency npu_fp_pkg::FmaLat
// cycles of en_i. With c = -0 it is exactly a * b. With pick_i it gives the larger (smaller_i: the
// smaller) of a * b, which must be exact and finite unless a is infinite and b finite, and c; a NaN
// wins either way, of two equal values or zeros of one sign any. These two inputs must not change
// while values are in flight.
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
  input  logic        pick_i,
  input  logic        smaller_i,
  output logic        valid_o,
  output logic [31:0] y_o
);

  typedef logic signed [10:0] exp_t;

  // Below every exponent of a nonzero term: a zero never sets the scale.
  localparam exp_t ZeroExp = -11'sd300;

  // What replaces the sum, and the sign of an infinity.
  typedef struct packed {
    logic nan;
    logic inf;
    logic isign;
  } give_t;

  logic [FmaLat-1:0] valid_q;

  // Stage 1: partial products.
  partial_t s1_part_q;
  logic [23:0] s1_c_q;
  exp_t s1_pexp_q, s1_cexp_q;
  logic s1_psign_q, s1_csign_q;
  give_t s1_give_q;
  // Stage 2: product.
  logic [47:0] s2_product_q;
  logic [23:0] s2_c_q;
  exp_t s2_pexp_q, s2_cexp_q;
  logic s2_psign_q, s2_csign_q;
  give_t s2_give_q;
  // Stage 3: larger term first (2 guard bits), distance of the exponents.
  logic [49:0] s3_high_q, s3_low_q;
  logic [5:0] s3_distance_q;
  exp_t s3_exp_q;
  logic s3_sign_q, s3_minus_q;
  give_t s3_give_q;
  // Stage 4: the smaller aligned.
  logic [49:0] s4_high_q, s4_low_q;
  exp_t s4_exp_q;
  logic s4_sign_q, s4_minus_q;
  give_t s4_give_q;
  // Stage 5: sum.
  logic [50:0] s5_sum_q;
  exp_t s5_exp_q;
  logic s5_sign_q, s5_minus_q;
  give_t s5_give_q;
  // Stage 6: leading one among the first eight bits.
  logic [50:0] s6_sum_q;
  logic [2:0] s6_zeros_q;
  exp_t s6_exp_q;
  logic s6_sign_q, s6_minus_q;
  give_t s6_give_q;
  // Stage 7: leading one first, rounding known.
  logic [23:0] s7_kept_q;
  logic s7_up_q;
  logic [5:0] s7_zeros_q;
  exp_t s7_exp_q;
  logic s7_sign_q, s7_minus_q;
  give_t s7_give_q;
  // Stage 8: result.
  logic [31:0] y_q;

  function automatic logic [31:0] finish(give_t give, logic sign, logic minus, exp_t exponent,
                                         logic [5:0] zeros, logic [23:0] kept, logic up);
    logic signed [11:0] e;
    if (give.nan) return Nan;
    if (give.inf) return {give.isign, 31'h7F80_0000};
    // An exact zero is +0 unless both terms were -0.
    if (!kept[23]) return {sign && !minus, 31'd0};
    e = 12'(exponent) + 12'sd1 - 12'({6'd0, zeros});
    return range_check(sign, {e, kept[22:0]} + 35'(up));
  endfunction

  always_ff @(posedge clk_i) begin
    if (en_i) valid_q <= {valid_q[FmaLat-2:0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_i) begin
      automatic logic psign = a_i[31] ^ b_i[31];
      automatic logic pinf = is_inf(a_i) || is_inf(b_i);
      automatic logic pzero = is_zero(a_i) || is_zero(b_i);
      s1_part_q <= multiply(significand(a_i), significand(b_i));
      s1_c_q <= significand(c_i);
      // Of a product below 2; one more from there on.
      s1_pexp_q <= pzero ? ZeroExp
                         : 11'({3'd0, a_i[30:23]}) + 11'({3'd0, b_i[30:23]}) - 11'sd127;
      s1_cexp_q <= is_zero(c_i) ? ZeroExp : 11'({3'd0, c_i[30:23]});
      s1_psign_q <= psign;
      s1_csign_q <= c_i[31];
      s1_give_q.nan <= is_nan(a_i) || is_nan(b_i) || is_nan(c_i) || (pinf && pzero) ||
                       (pinf && is_inf(c_i) && psign != c_i[31] && !pick_i);
      s1_give_q.inf <= (pinf || is_inf(c_i)) && !pick_i;
      s1_give_q.isign <= pinf ? psign : c_i[31];
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[0]) begin
      s2_product_q <= product_of(s1_part_q);
      s2_c_q <= s1_c_q;
      s2_pexp_q <= s1_pexp_q;
      s2_cexp_q <= s1_cexp_q;
      s2_psign_q <= s1_psign_q;
      s2_csign_q <= s1_csign_q;
      s2_give_q <= s1_give_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[1]) begin
      automatic logic [47:0] product = s2_product_q[47] ? s2_product_q : s2_product_q << 1;
      automatic exp_t pexp = s2_pexp_q + 11'(s2_product_q[47]);
      // Exponents by unsigned comparison; below the addend's bits the product is not smaller.
      automatic logic swap = less({!pexp[10], pexp[9:0], product[47:24]},
                                  {!s2_cexp_q[10], s2_cexp_q[9:0], s2_c_q});
      automatic exp_t up = s2_cexp_q - pexp;
      automatic exp_t down = pexp - s2_cexp_q;
      automatic logic [10:0] distance = swap ? up : down;
      // Of two signs the product's decides what to pick, of two sizes swap.
      automatic logic minus = s2_csign_q ^ s2_psign_q;
      automatic logic take_c = (swap && !(pick_i && minus)) ^
                               (pick_i && (s2_psign_q ^ smaller_i));
      s3_high_q <= take_c ? {s2_c_q, 26'd0} : {product, 2'd0};
      s3_low_q <= pick_i ? 50'd0 : swap ? {product, 2'd0} : {s2_c_q, 26'd0};
      s3_distance_q <= distance[10:6] != 5'd0 ? 6'd63 : distance[5:0];
      s3_exp_q <= take_c ? s2_cexp_q : pexp;
      s3_sign_q <= take_c ? s2_csign_q : s2_psign_q;
      s3_minus_q <= minus && !pick_i;
      s3_give_q <= s2_give_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[2]) begin
      s4_high_q <= s3_high_q;
      s4_low_q <= 50'(shift_right_sticky({14'd0, s3_low_q}, s3_distance_q));
      s4_exp_q <= s3_exp_q;
      s4_sign_q <= s3_sign_q;
      s4_minus_q <= s3_minus_q;
      s4_give_q <= s3_give_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[3]) begin
      s5_sum_q <= add_or_subtract({1'b0, s4_high_q}, {1'b0, s4_low_q}, s4_minus_q);
      s5_exp_q <= s4_exp_q;
      s5_sign_q <= s4_sign_q;
      s5_minus_q <= s4_minus_q;
      s5_give_q <= s4_give_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[4]) begin
      automatic eighths_t n = normalise_coarse({s5_sum_q, 13'd0});
      s6_sum_q <= n.value[63:13];
      s6_zeros_q <= n.zeros;
      s6_exp_q <= s5_exp_q;
      s6_sign_q <= s5_sign_q;
      s6_minus_q <= s5_minus_q;
      s6_give_q <= s5_give_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[5]) begin
      automatic eighths_t n = normalise_fine({s6_sum_q, 13'd0});
      s7_kept_q <= n.value[63:40];
      s7_up_q <= n.value[39] && (n.value[38:13] != 26'd0 || n.value[40]);
      s7_zeros_q <= {s6_zeros_q, n.zeros};
      s7_exp_q <= s6_exp_q;
      s7_sign_q <= s6_sign_q;
      s7_minus_q <= s6_minus_q;
      s7_give_q <= s6_give_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[6]) begin
      y_q <= finish(s7_give_q, s7_sign_q, s7_minus_q, s7_exp_q, s7_zeros_q, s7_kept_q, s7_up_q);
    end
  end

  assign valid_o = valid_q[FmaLat-1];
  assign y_o = y_q;

endmodule
