// exp, reciprocal or reciprocal square root of a canonical fp32 value, bit for
// bit num::fexp, frecip, frsqrt: one result per cycle, latency
// npu_fp_pkg::FuncLat cycles of en_i. func_i must not change while values are
// in flight. Multipliers: 24 x 32 by a constant (exp), 18 x 14, 18 x 18.
// Valid bits have no reset, see npu_fp_mul.
module npu_vec_func
  import npu_fp_pkg::*;
  import npu_func_pkg::*;
(
  input  logic            clk_i,
  input  logic            en_i,
  input  logic            valid_i,
  input  npu_pkg::vfunc_e func_i,
  input  logic [31:0]     a_i,
  output logic            valid_o,
  output logic [31:0]     y_o
);

  // What replaces the interpolated value.
  typedef enum logic [2:0] {
    Normal = 3'd0,
    GiveNan = 3'd1,
    GiveInf = 3'd2,
    GiveZero = 3'd3,
    GiveOne = 3'd4
  } give_e;

  logic [6:0] valid_q;

  // Stage 1: special cases; exp: |a| * log2(e).
  give_e s1_give_q;
  logic [31:0] s1_a_q;
  logic [55:0] s1_product_q;
  // Stage 2: table address, distance from the segment's centre, exponent.
  give_e s2_give_q;
  logic s2_sign_q;
  logic [8:0] s2_addr_q;
  logic signed [17:0] s2_r_q;
  logic signed [9:0] s2_k_q;
  // Stage 3: coefficients.
  give_e s3_give_q;
  logic s3_sign_q;
  logic signed [17:0] s3_r_q;
  logic signed [9:0] s3_k_q;
  logic [C0Width-1:0] s3_c0_q;
  logic signed [C1Width-1:0] s3_c1_q;
  logic [C2Width-1:0] s3_c2_q;
  // Stage 4: r * c2.
  give_e s4_give_q;
  logic s4_sign_q;
  logic signed [17:0] s4_r_q;
  logic signed [9:0] s4_k_q;
  logic [C0Width-1:0] s4_c0_q;
  logic signed [C1Width-1:0] s4_c1_q;
  logic signed [13:0] s4_curve_q;
  // Stage 5: slope.
  give_e s5_give_q;
  logic s5_sign_q;
  logic signed [17:0] s5_r_q;
  logic signed [9:0] s5_k_q;
  logic [C0Width-1:0] s5_c0_q;
  logic signed [17:0] s5_slope_q;
  // Stage 6: r * slope.
  give_e s6_give_q;
  logic s6_sign_q;
  logic signed [9:0] s6_k_q;
  logic [C0Width-1:0] s6_c0_q;
  logic signed [24:0] s6_rise_q;
  // Stage 7: result.
  logic [31:0] y_q;

  function automatic give_e classify(npu_pkg::vfunc_e func, logic [31:0] a);
    if (is_nan(a)) return GiveNan;
    unique case (func)
      npu_pkg::VFUNC_EXP: begin
        if (a[30:23] >= 8'd134) return a[31] ? GiveZero : GiveInf;
        return a[30:23] <= 8'd99 ? GiveOne : Normal;
      end
      npu_pkg::VFUNC_RSQRT: begin
        if (is_zero(a)) return GiveInf;
        if (a[31]) return GiveNan;
        return is_inf(a) ? GiveZero : Normal;
      end
      default: begin
        if (is_zero(a)) return GiveInf;
        return is_inf(a) ? GiveZero : Normal;
      end
    endcase
  endfunction

  // a * log2(e) with 25 fraction bits, rounded half up in magnitude.
  function automatic logic [33:0] exponent_of(logic [55:0] product, logic [7:0] exponent,
                                              logic negative);
    logic [34:0] shifted;
    logic [33:0] size;
    shifted = 35'(product >> (8'd155 - exponent));
    size = 34'((shifted + 35'd1) >> 1);
    return negative ? -size : size;
  endfunction

  function automatic logic [31:0] finish(give_e give, logic sign, logic signed [9:0] k,
                                         logic [24:0] y);
    logic signed [34:0] value;
    unique case (give)
      GiveNan: return Nan;
      GiveInf: return {sign, 31'h7F80_0000};
      GiveZero: return {sign, 31'd0};
      GiveOne: return One;
      default: begin
        value = {{2{k[9]}}, k, 23'd0} + {10'd0, y};
        return range_check(sign, value);
      end
    endcase
  endfunction

  always_ff @(posedge clk_i) begin
    if (en_i) valid_q <= {valid_q[5:0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_i) begin
      s1_give_q <= classify(func_i, a_i);
      s1_a_q <= a_i;
      if (func_i == npu_pkg::VFUNC_EXP) begin
        s1_product_q <= {32'd0, 1'b1, a_i[22:0]} * {24'd0, Log2e};
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[0]) begin
      automatic logic [33:0] t = exponent_of(s1_product_q, s1_a_q[30:23], s1_a_q[31]);
      automatic logic signed [9:0] e = {2'd0, s1_a_q[30:23]};
      s2_give_q <= s1_give_q;
      unique case (func_i)
        npu_pkg::VFUNC_EXP: begin
          s2_addr_q <= 9'(ExpBase) + {2'd0, t[24:18]};
          s2_r_q <= {!t[17], t[16:0]};
          s2_k_q <= {t[33], t[33:25]} + 10'sd126;
          s2_sign_q <= 1'b0;
        end
        npu_pkg::VFUNC_RSQRT: begin
          s2_addr_q <= (e[0] ? 9'(RsqrtEvenBase) : 9'(RsqrtOddBase)) + {2'd0, s1_a_q[22:16]};
          s2_r_q <= {!s1_a_q[15], s1_a_q[14:0], 2'd0};
          s2_k_q <= 10'sd189 - ((e + 10'sd1) >>> 1);
          s2_sign_q <= 1'b0;
        end
        default: begin
          s2_addr_q <= 9'(RecipBase) + {2'd0, s1_a_q[22:16]};
          s2_r_q <= {!s1_a_q[15], s1_a_q[14:0], 2'd0};
          s2_k_q <= 10'sd252 - e;
          s2_sign_q <= s1_a_q[31];
        end
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[1]) begin
      automatic func_entry_t entry = FuncRom[s2_addr_q];
      s3_give_q <= s2_give_q;
      s3_sign_q <= s2_sign_q;
      s3_r_q <= s2_r_q;
      s3_k_q <= s2_k_q;
      s3_c0_q <= entry.c0;
      s3_c1_q <= entry.c1;
      s3_c2_q <= entry.c2;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[2]) begin
      s4_give_q <= s3_give_q;
      s4_sign_q <= s3_sign_q;
      s4_r_q <= s3_r_q;
      s4_k_q <= s3_k_q;
      s4_c0_q <= s3_c0_q;
      s4_c1_q <= s3_c1_q;
      s4_curve_q <= 14'((32'(s3_r_q) * $signed({19'd0, s3_c2_q})) >>> 17);
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[3]) begin
      s5_give_q <= s4_give_q;
      s5_sign_q <= s4_sign_q;
      s5_r_q <= s4_r_q;
      s5_k_q <= s4_k_q;
      s5_c0_q <= s4_c0_q;
      s5_slope_q <= 18'((s4_c1_q + 22'(s4_curve_q)) >>> 4);
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[4]) begin
      s6_give_q <= s5_give_q;
      s6_sign_q <= s5_sign_q;
      s6_k_q <= s5_k_q;
      s6_c0_q <= s5_c0_q;
      s6_rise_q <= 25'((36'(s5_r_q) * 36'(s5_slope_q)) >>> 11);
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[5]) begin
      y_q <= finish(s6_give_q, s6_sign_q, s6_k_q,
                    25'(({1'b0, s6_c0_q} + 32'(s6_rise_q)) >> 7));
    end
  end

  assign valid_o = valid_q[6];
  assign y_o = y_q;

endmodule
