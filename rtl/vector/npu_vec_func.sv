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

  // What goes beside the value.
  typedef struct packed {
    give_e             give;
    logic              sign;
    logic signed [9:0] k;     // exponent
  } side_t;

  logic [FuncLat-1:0] valid_q;

  // Stage 1: special cases; exp: partial products of |a| * log2(e).
  give_e s1_give_q;
  logic [31:0] s1_a_q;
  logic [17:0] s1_ll_q;  // from bit 18 on
  logic [31:0] s1_lh_q;
  logic [23:0] s1_hl_q;
  logic [19:0] s1_hh_q;
  // Stage 2: product.
  give_e s2_give_q;
  logic [31:0] s2_a_q;
  logic [5:0] s2_shift_q;
  logic [33:0] s2_product_q;  // from bit 22 on
  // Stage 3: table address, distance from the segment's centre, exponent (exp: less 126).
  side_t s3_side_q;
  logic [8:0] s3_addr_q;
  logic signed [17:0] s3_r_q;
  // Stage 4: coefficients, out of the table.
  side_t s4_side_q;
  logic signed [17:0] s4_r_q;
  logic [C0Width-1:0] s4_c0_q;
  logic signed [C1Width-1:0] s4_c1_q;
  logic [C2Width-1:0] s4_c2_q;
  // Stage 5: coefficients, out of a register (a RAM's output is late in its cycle).
  side_t s5_side_q;
  logic signed [17:0] s5_r_q;
  logic [C0Width-1:0] s5_c0_q;
  logic signed [C1Width-1:0] s5_c1_q;
  logic [C2Width-1:0] s5_c2_q;
  // Stage 6: r * c2.
  side_t s6_side_q;
  logic signed [17:0] s6_r_q;
  logic [C0Width-1:0] s6_c0_q;
  logic signed [C1Width-1:0] s6_c1_q;
  logic signed [13:0] s6_curve_q;
  // Stage 7: slope.
  side_t s7_side_q;
  logic signed [17:0] s7_r_q;
  logic [C0Width-1:0] s7_c0_q;
  logic signed [17:0] s7_slope_q;
  // Stage 8: r * slope.
  side_t s8_side_q;
  logic [C0Width-1:0] s8_c0_q;
  logic signed [24:0] s8_rise_q;
  // Stage 9: result.
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

  // a * log2(e) with 25 fraction bits, rounded half up in magnitude: -(n + half) is ~n + !half.
  function automatic logic [33:0] exponent_of(logic [33:0] product, logic [5:0] shift,
                                              logic negative);
    logic [34:0] shifted;
    shifted = {1'b0, product} >> shift;
    return (shifted[34:1] ^ {34{negative}}) + {33'd0, shifted[0] ^ negative};
  endfunction

  function automatic logic [31:0] finish(side_t side, logic [24:0] y);
    unique case (side.give)
      GiveNan: return Nan;
      GiveInf: return {side.sign, 31'h7F80_0000};
      GiveZero: return {side.sign, 31'd0};
      GiveOne: return One;
      default: return range_check(side.sign, {{2{side.k[9]}}, side.k, 23'd0} + {10'd0, y});
    endcase
  endfunction

  always_ff @(posedge clk_i) begin
    if (en_i) valid_q <= {valid_q[FuncLat-2:0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_i) begin
      s1_give_q <= classify(func_i, a_i);
      s1_a_q <= a_i;
      if (func_i == npu_pkg::VFUNC_EXP) begin
        s1_ll_q <= 18'(({18'd0, a_i[17:0]} * {18'd0, Log2e[17:0]}) >> 18);
        s1_lh_q <= {14'd0, a_i[17:0]} * {18'd0, Log2e[31:18]};
        s1_hl_q <= {18'd0, 1'b1, a_i[22:18]} * {6'd0, Log2e[17:0]};
        s1_hh_q <= {14'd0, 1'b1, a_i[22:18]} * {6'd0, Log2e[31:18]};
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[0]) begin
      automatic logic [32:0] middle = {1'b0, s1_lh_q} + {9'd0, s1_hl_q};
      s2_give_q <= s1_give_q;
      s2_a_q <= s1_a_q;
      s2_shift_q <= 6'(8'd133 - s1_a_q[30:23]);
      if (func_i == npu_pkg::VFUNC_EXP) begin
        s2_product_q <= 34'(({s1_hh_q, s1_ll_q} + {5'd0, middle}) >> 4);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[1]) begin
      automatic logic [33:0] t = exponent_of(s2_product_q, s2_shift_q, s2_a_q[31]);
      automatic logic signed [9:0] e = {2'd0, s2_a_q[30:23]};
      s3_side_q.give <= s2_give_q;
      s3_side_q.sign <= 1'b0;
      unique case (func_i)
        npu_pkg::VFUNC_EXP: begin
          s3_addr_q <= 9'(ExpBase) + {2'd0, t[24:18]};
          s3_r_q <= {!t[17], t[16:0]};
          s3_side_q.k <= {t[33], t[33:25]};
        end
        npu_pkg::VFUNC_RSQRT: begin
          s3_addr_q <= (e[0] ? 9'(RsqrtEvenBase) : 9'(RsqrtOddBase)) + {2'd0, s2_a_q[22:16]};
          s3_r_q <= {!s2_a_q[15], s2_a_q[14:0], 2'd0};
          s3_side_q.k <= 10'sd189 - ((e + 10'sd1) >>> 1);
        end
        default: begin
          s3_addr_q <= 9'(RecipBase) + {2'd0, s2_a_q[22:16]};
          s3_r_q <= {!s2_a_q[15], s2_a_q[14:0], 2'd0};
          s3_side_q.k <= 10'sd252 - e;
          s3_side_q.sign <= s2_a_q[31];
        end
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[2]) begin
      automatic func_entry_t entry = FuncRom[s3_addr_q];
      s4_side_q.give <= s3_side_q.give;
      s4_side_q.sign <= s3_side_q.sign;
      s4_side_q.k <= s3_side_q.k + (func_i == npu_pkg::VFUNC_EXP ? 10'sd126 : 10'sd0);
      s4_r_q <= s3_r_q;
      s4_c0_q <= entry.c0;
      s4_c1_q <= entry.c1;
      s4_c2_q <= entry.c2;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[3]) begin
      s5_side_q <= s4_side_q;
      s5_r_q <= s4_r_q;
      s5_c0_q <= s4_c0_q;
      s5_c1_q <= s4_c1_q;
      s5_c2_q <= s4_c2_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[4]) begin
      s6_side_q <= s5_side_q;
      s6_r_q <= s5_r_q;
      s6_c0_q <= s5_c0_q;
      s6_c1_q <= s5_c1_q;
      s6_curve_q <= 14'((32'(s5_r_q) * $signed({19'd0, s5_c2_q})) >>> 17);
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[5]) begin
      s7_side_q <= s6_side_q;
      s7_r_q <= s6_r_q;
      s7_c0_q <= s6_c0_q;
      s7_slope_q <= 18'((s6_c1_q + 22'(s6_curve_q)) >>> 4);
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[6]) begin
      s8_side_q <= s7_side_q;
      s8_c0_q <= s7_c0_q;
      s8_rise_q <= 25'((36'(s7_r_q) * 36'(s7_slope_q)) >>> 11);
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i && valid_q[7]) begin
      y_q <= finish(s8_side_q, 25'(({1'b0, s8_c0_q} + 32'(s8_rise_q)) >> 7));
    end
  end

  assign valid_o = valid_q[FuncLat-1];
  assign y_o = y_q;

endmodule
