// Facts and helpers shared by the floating-point cells: fp32 as bits, round to
// nearest even with unbounded exponent, then flush (docs/numerics.md).
package npu_fp_pkg;
  // No cell needs all names, no predicate all bits.
  // verilator lint_off UNUSEDPARAM
  // verilator lint_off UNUSEDSIGNAL

  // Cycles from an accepted operand to the result.
  localparam int unsigned MulLat = 3;
  localparam int unsigned AddLat = 3;
  localparam int unsigned FmaLat = 7;
  localparam int unsigned I2fLat = 1;
  localparam int unsigned FuncLat = 9;

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

  // The same of a value that is no subnormal and, if a NaN, the canonical one.
  function automatic logic [31:0] canonical_key(logic [31:0] a);
    if (a[30:22] == '1) return 32'hFFFF_FFFF;
    return a[31] ? {1'b0, ~a[30:0]} : {1'b1, a[30:0]};
  endfunction

  // a < b, as the borrow of a subtraction: carry chains are faster than comparators.
  function automatic logic less(logic [34:0] a, logic [34:0] b);
    logic [35:0] difference;
    difference = {1'b0, a} - {1'b0, b};
    return difference[35];
  endfunction

  // Leading zeros; 63 when only bit 0 may be set. tN: bit k * N says that the N bits from there on
  // are not all 0, so every step looks at one bit.
  function automatic logic [5:0] leading_zeros(logic [63:0] value);
    logic [63:0] t2, t4, t8, t16, t32;
    logic [31:0] a1, a2, a4, a8, a16;
    logic [15:0] b1, b2, b4, b8;
    logic [7:0] c1, c2, c4;
    logic [3:0] d1, d2;
    logic [1:0] e1;
    logic [5:0] n;
    t2  = value | (value >> 1);
    t4  = t2 | (t2 >> 2);
    t8  = t4 | (t4 >> 4);
    t16 = t8 | (t8 >> 8);
    t32 = t16 | (t16 >> 16);
    n[5] = !t32[32];
    a16 = n[5] ? t16[31:0] : t16[63:32];
    a8  = n[5] ? t8[31:0] : t8[63:32];
    a4  = n[5] ? t4[31:0] : t4[63:32];
    a2  = n[5] ? t2[31:0] : t2[63:32];
    a1  = n[5] ? value[31:0] : value[63:32];
    n[4] = !a16[16];
    b8 = n[4] ? a8[15:0] : a8[31:16];
    b4 = n[4] ? a4[15:0] : a4[31:16];
    b2 = n[4] ? a2[15:0] : a2[31:16];
    b1 = n[4] ? a1[15:0] : a1[31:16];
    n[3] = !b8[8];
    c4 = n[3] ? b4[7:0] : b4[15:8];
    c2 = n[3] ? b2[7:0] : b2[15:8];
    c1 = n[3] ? b1[7:0] : b1[15:8];
    n[2] = !c4[4];
    d2 = n[2] ? c2[3:0] : c2[7:4];
    d1 = n[2] ? c1[3:0] : c1[7:4];
    n[1] = !d2[2];
    e1 = n[1] ? d1[1:0] : d1[3:2];
    n[0] = !e1[1];
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
    logic signed [11:0] exponent;
    exponent = value[34:23];
    if (exponent >= 12'sd255) return {sign, 31'h7F80_0000};
    if (exponent <= 12'sd0) return {sign, 31'd0};
    return {sign, value[30:0]};
  endfunction

  // 1.x significand of 24 bits with biased exponent, rounded up or not.
  function automatic logic [31:0] pack(logic sign, logic signed [10:0] exponent,
                                       logic [23:0] kept, logic up);
    logic carry;
    carry = up && kept[22:0] == '1;
    if (exponent >= 11'sd255 || (exponent == 11'sd254 && carry)) return {sign, 31'h7F80_0000};
    if (exponent < 11'sd0 || (exponent == 11'sd0 && !carry)) return {sign, 31'd0};
    return {sign, {exponent[7:0], kept[22:0]} + 31'(up)};
  endfunction

  // a + b, or a - b where b is not larger. One adder for both: bit 0 makes the complement's carry.
  function automatic logic [50:0] add_or_subtract(logic [50:0] a, logic [50:0] b, logic minus);
    logic [51:0] twice;
    twice = {a, 1'b1} + ({b, 1'b0} ^ {52{minus}});
    return twice[51:1];
  endfunction

  // Product of two significands in two steps, so that a register stands between multipliers
  // (18 x 18 bits) and adder.
  typedef struct packed {
    logic [11:0] hh;
    logic [35:0] ll;
    logic [23:0] hl;
    logic [23:0] lh;
  } partial_t;

  function automatic partial_t multiply(logic [23:0] a, logic [23:0] b);
    partial_t p;
    p.ll = {18'd0, a[17:0]} * {18'd0, b[17:0]};
    p.hl = {18'd0, a[23:18]} * {6'd0, b[17:0]};
    p.lh = {6'd0, a[17:0]} * {18'd0, b[23:18]};
    p.hh = {6'd0, a[23:18]} * {6'd0, b[23:18]};
    return p;
  endfunction

  function automatic logic [47:0] product_of(partial_t p);
    logic [24:0] middle;
    middle = {1'b0, p.hl} + {1'b0, p.lh};
    return {{p.hh, p.ll[35:18]} + {5'd0, middle}, p.ll[17:0]};
  endfunction

endpackage
