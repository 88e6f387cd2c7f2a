// y = float(isum) * (sa * sw), both products rounded as num::fmul does, one result a cycle, latency
// npu_mx_pkg::ProdLat. The scales' product (8 x 11 bits) and float(isum) (21 bits) are exact, so
// one rounding remains; a scale product outside the format becomes infinity or zero before it is
// used.
// sa_i: bf16. sw_i: sign, 8-bit exponent, 10-bit fraction; like fp32 with a short fraction.
// valid_i goes with all operands; data registers update only behind it.
module npu_foot_mul
  import npu_fp_pkg::*;
(
  input  logic        clk_i,
  input  logic        valid_i,
  input  logic [20:0] isum_i,
  input  logic [15:0] sa_i,
  input  logic [18:0] sw_i,
  output logic [31:0] y_o
);
  logic [3:0] valid_q;                        // cleared by cycles with valid_i low, as in reset

  // Stage 1: scale product, size of the integer.
  logic [18:0] s1_scale_q;
  logic [8:0]  s1_exp_q;                      // sum of the biased exponents
  logic [19:0] s1_size_q;
  logic        s1_sign_q, s1_nan_q, s1_inf_q, s1_zero_q, s1_none_q;
  // Stage 2: product.
  logic [38:0] s2_prod_q;
  logic [8:0]  s2_exp_q;
  logic        s2_sign_q, s2_nan_q, s2_inf_q;
  // Stage 3: its leading one among the first eight bits.
  logic [38:0] s3_prod_q;
  logic [2:0]  s3_zeros_q;
  logic [8:0]  s3_exp_q;
  logic        s3_sign_q, s3_nan_q, s3_inf_q;
  // Stage 4: leading one first, rounding known.
  logic [23:0] s4_kept_q;
  logic        s4_up_q;
  logic signed [10:0] s4_exp_q;
  logic        s4_sign_q, s4_nan_q, s4_inf_q;
  // Stage 5: result.
  logic [31:0] y_q;
  assign y_o = y_q;

  logic sa_max, sw_max, sa_zero, sw_zero;
  assign sa_max  = sa_i[14:7] == 8'hFF;
  assign sw_max  = sw_i[17:10] == 8'hFF;
  assign sa_zero = sa_i[14:7] == 8'd0;
  assign sw_zero = sw_i[17:10] == 8'd0;

  always_ff @(posedge clk_i) begin
    valid_q <= {valid_q[2:0], valid_i};
    if (valid_i) begin
      s1_scale_q <= 19'({1'b1, sa_i[6:0]}) * 19'({1'b1, sw_i[9:0]});
      s1_exp_q   <= 9'({1'b0, sa_i[14:7]}) + 9'({1'b0, sw_i[17:10]});
      s1_size_q  <= 20'(isum_i[20] ? -isum_i : isum_i);
      s1_none_q  <= isum_i == 21'd0;
      s1_sign_q  <= sa_i[15] ^ sw_i[18] ^ isum_i[20];
      s1_nan_q   <= (sa_max && (sa_i[6:0] != 7'd0 || sw_zero)) ||
                    (sw_max && (sw_i[9:0] != 10'd0 || sa_zero));
      s1_inf_q   <= sa_max || sw_max;
      s1_zero_q  <= sa_zero || sw_zero;
    end
    if (valid_q[0]) begin
      automatic logic [8:0] exp = s1_exp_q + 9'(s1_scale_q[18]);  // of the product, bias 254
      automatic logic inf = s1_inf_q || (!s1_zero_q && exp >= 9'd382);
      automatic logic zero = s1_zero_q || exp <= 9'd127;
      s2_prod_q <= (zero && !s1_inf_q) ? 39'd0 : 39'(s1_size_q) * 39'(s1_scale_q);
      s2_exp_q  <= s1_exp_q;
      s2_sign_q <= s1_sign_q;
      s2_nan_q  <= s1_nan_q || (inf && s1_none_q);
      s2_inf_q  <= inf;
    end
    if (valid_q[1]) begin
      automatic eighths_t n = normalise_coarse({s2_prod_q, 25'd0});
      s3_prod_q  <= n.value[63:25];
      s3_zeros_q <= n.zeros;
      s3_exp_q   <= s2_exp_q;
      s3_sign_q  <= s2_sign_q;
      s3_nan_q   <= s2_nan_q;
      s3_inf_q   <= s2_inf_q;
    end
    if (valid_q[2]) begin
      automatic eighths_t n = normalise_fine({s3_prod_q, 25'd0});
      s4_kept_q <= n.value[63:40];
      s4_up_q   <= n.value[39] && (n.value[38:25] != 14'd0 || n.value[40]);
      s4_exp_q  <= 11'({2'd0, s3_exp_q}) - 11'sd106 - 11'({5'd0, s3_zeros_q, n.zeros});
      s4_sign_q <= s3_sign_q;
      s4_nan_q  <= s3_nan_q;
      s4_inf_q  <= s3_inf_q;
    end
    if (valid_q[3]) begin
      y_q <= s4_nan_q ? Nan
           : s4_inf_q ? {s4_sign_q, 31'h7F80_0000}
           : !s4_kept_q[23] ? {s4_sign_q, 31'd0}
                            : range_check(s4_sign_q, {12'(s4_exp_q), s4_kept_q[22:0]} +
                                                     35'(s4_up_q));
    end
  end

endmodule
