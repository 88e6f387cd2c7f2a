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
  logic [2:0] valid_q;                        // cleared by cycles with valid_i low, as in reset

  // Stage 1: scale product, size of the integer.
  logic [18:0] s1_scale_q;
  logic [8:0]  s1_exp_q;                      // sum of the biased exponents
  logic [19:0] s1_size_q;
  logic        s1_sign_q, s1_nan_q, s1_inf_q, s1_zero_q, s1_none_q;
  // Stage 2: product.
  logic [38:0] s2_prod_q;
  logic [8:0]  s2_exp_q;
  logic        s2_sign_q, s2_nan_q, s2_inf_q;
  // Stage 3: leading one at bit 39.
  logic [39:0] s3_norm_q;
  logic signed [10:0] s3_exp_q;
  logic        s3_sign_q, s3_nan_q, s3_inf_q;
  logic [31:0] y_q;
  assign y_o = y_q;

  logic sa_max, sw_max, sa_zero, sw_zero;
  assign sa_max  = sa_i[14:7] == 8'hFF;
  assign sw_max  = sw_i[17:10] == 8'hFF;
  assign sa_zero = sa_i[14:7] == 8'd0;
  assign sw_zero = sw_i[17:10] == 8'd0;

  always_ff @(posedge clk_i) begin
    valid_q <= {valid_q[1:0], valid_i};
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
      automatic logic [39:0] m = {s2_prod_q, 1'b0};
      automatic logic [5:0] up;
      up[5] = m[39:8] == 32'd0;  m = up[5] ? m << 32 : m;
      up[4] = m[39:24] == 16'd0; m = up[4] ? m << 16 : m;
      up[3] = m[39:32] == 8'd0;  m = up[3] ? m << 8 : m;
      up[2] = m[39:36] == 4'd0;  m = up[2] ? m << 4 : m;
      up[1] = m[39:38] == 2'd0;  m = up[1] ? m << 2 : m;
      up[0] = !m[39];            m = up[0] ? m << 1 : m;
      s3_norm_q <= m;
      s3_exp_q  <= 11'({2'd0, s2_exp_q}) - 11'sd106 - 11'({5'd0, up});  // leading one: bit 38 - up
      s3_sign_q <= s2_sign_q;
      s3_nan_q  <= s2_nan_q;
      s3_inf_q  <= s2_inf_q;
    end
    if (valid_q[2]) begin
      automatic logic up = s3_norm_q[15] && (s3_norm_q[14:0] != 15'd0 || s3_norm_q[16]);
      automatic logic [23:0] frac = {1'b0, s3_norm_q[38:16]} + 24'(up);
      automatic logic signed [10:0] exp = s3_exp_q + 11'(frac[23]);
      y_q <= s3_nan_q ? Nan
           : (s3_inf_q || (exp >= 11'sd255 && s3_norm_q[39])) ? {s3_sign_q, 31'h7F80_0000}
           : (exp <= 11'sd0 || !s3_norm_q[39]) ? {s3_sign_q, 31'd0}
           : {s3_sign_q, exp[7:0], frac[22:0]};
    end
  end

endmodule
