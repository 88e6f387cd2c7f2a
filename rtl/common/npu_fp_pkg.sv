// Facts and helpers shared by the floating-point cells: fp32 as bits, round to
// nearest even with unbounded exponent, then flush (docs/numerics.md).
package npu_fp_pkg;
  // No cell needs all names, no predicate all bits.
  // verilator lint_off UNUSEDPARAM
  // verilator lint_off UNUSEDSIGNAL

  // Cycles from an accepted operand to the result.
  localparam int unsigned MulLat = 3;
  localparam int unsigned AddLat = 3;
  localparam int unsigned FmaLat = 4;
  localparam int unsigned I2fLat = 1;
  localparam int unsigned FuncLat = 7;

  localparam logic [31:0] Nan = 32'h7FC0_0000;
  localparam logic [31:0] One = 32'h3F80_0000;
  localparam logic [31:0] MinusZero = 32'h8000_0000;  // the neutral addend
  localparam logic [31:0] Lowest = 32'hFF7F_FFFF;     // -FLT_MAX

  function automatic logic is_nan(logic [31:0] a);
    return a[30:0] > 31'h7F80_0000;
  endfunction

  function automatic logic is_inf(logic [31:0] a);
    return a[30:0] == 31'h7F80_0000;
  endfunction

  // Subnormals are zeros.
  function automatic logic is_zero(logic [31:0] a);
    return a[30:23] == 8'd0;
  endfunction

  // 24-bit significand, 0 for zeros.
  function automatic logic [23:0] significand(logic [31:0] a);
    return is_zero(a) ? 24'd0 : {1'b1, a[22:0]};
  endfunction

  // Unsigned keys in the order of the values: -0 below +0, NaN on top.
  function automatic logic [31:0] order_key(logic [31:0] a);
    logic [30:0] size;
    if (is_nan(a)) return 32'hFFFF_FFFF;
    size = is_zero(a) ? 31'd0 : a[30:0];
    return a[31] ? {1'b0, ~size} : {1'b1, size};
  endfunction

  // Leading zeros; 63 when only bit 0 may be set.
  function automatic logic [5:0] leading_zeros(logic [63:0] value);
    logic [63:0] m;
    logic [5:0] n;
    m = value;
    n = 6'd0;
    if (m[63:32] == 32'd0) begin n[5] = 1'b1; m = {m[31:0], 32'd0}; end
    if (m[63:48] == 16'd0) begin n[4] = 1'b1; m = {m[47:0], 16'd0}; end
    if (m[63:56] == 8'd0) begin n[3] = 1'b1; m = {m[55:0], 8'd0}; end
    if (m[63:60] == 4'd0) begin n[2] = 1'b1; m = {m[59:0], 4'd0}; end
    if (m[63:62] == 2'd0) begin n[1] = 1'b1; m = {m[61:0], 2'd0}; end
    if (!m[63]) n[0] = 1'b1;
    return n;
  endfunction

  // value >> distance, lost bits gathered in bit 0.
  function automatic logic [63:0] shift_right_sticky(logic [63:0] value, logic [5:0] distance);
    logic [63:0] m;
    logic lost;
    m = value;
    lost = 1'b0;
    if (distance[5]) begin lost = lost | (|m[31:0]); m = {32'd0, m[63:32]}; end
    if (distance[4]) begin lost = lost | (|m[15:0]); m = {16'd0, m[63:16]}; end
    if (distance[3]) begin lost = lost | (|m[7:0]); m = {8'd0, m[63:8]}; end
    if (distance[2]) begin lost = lost | (|m[3:0]); m = {4'd0, m[63:4]}; end
    if (distance[1]) begin lost = lost | (|m[1:0]); m = {2'd0, m[63:2]}; end
    if (distance[0]) begin lost = lost | m[0]; m = {1'd0, m[63:1]}; end
    return {m[63:1], m[0] | lost};
  endfunction

  // value = (exponent field << 23) with the rounded significand added; it may
  // lie outside the format: infinity above, signed zero below.
  function automatic logic [31:0] range_check(logic sign, logic signed [34:0] value);
    if (value >= 35'sh7F80_0000) return {sign, 31'h7F80_0000};
    if (value < 35'sh0080_0000) return {sign, 31'd0};
    return {sign, value[30:0]};
  endfunction

  // 1.x significand of 24 bits with biased exponent, rounded up or not.
  function automatic logic [31:0] pack(logic sign, logic signed [10:0] exponent,
                                       logic [23:0] kept, logic up);
    logic signed [34:0] value;
    logic signed [10:0] above;
    above = exponent - 11'sd1;
    value = {above[10], above, 23'd0} + {11'd0, kept} + {34'd0, up};
    return range_check(sign, value);
  endfunction

endpackage
