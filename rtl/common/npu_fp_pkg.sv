// Facts and helpers shared by the floating-point cells: fp32 as bits, round to
// nearest even with unbounded exponent, then flush (docs/numerics.md).
package npu_fp_pkg;
  // No cell needs all names, no predicate all bits.
  // verilator lint_off UNUSEDPARAM
  // verilator lint_off UNUSEDSIGNAL

  // Cycles from an accepted operand to the result.
  localparam int unsigned MulLat = 3;
  localparam int unsigned AddLat = 4;
  localparam int unsigned FmaLat = 8;
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

  // A value with its leading one first, and how far it was moved (31: nothing, or only bit 0, set).
  typedef struct packed {
    logic [4:0]  zeros;
    logic [31:0] value;
  } normal_t;

  // Every step decides from few bits of the value as it has become, so that the steps overlap.
  function automatic normal_t normalise(logic [31:0] value);
    logic [7:0] any;  // of four bits each
    logic [3:0] half;
    normal_t n;
    for (int i = 0; i < 8; i++) any[i] = value[4*i +: 4] != 4'd0;
    n.zeros[4] = any[7:4] == 4'd0;
    half = n.zeros[4] ? any[3:0] : any[7:4];
    n.value = n.zeros[4] ? {value[15:0], 16'd0} : value;
    n.zeros[3] = half[3:2] == 2'd0;
    n.zeros[2] = n.zeros[3] ? !half[1] : !half[3];
    if (n.zeros[3]) n.value = {n.value[23:0], 8'd0};
    if (n.zeros[2]) n.value = {n.value[27:0], 4'd0};
    n.zeros[1] = n.value[31:30] == 2'd0;
    if (n.zeros[1]) n.value = {n.value[29:0], 2'd0};
    n.zeros[0] = !n.value[31];
    if (n.zeros[0]) n.value = {n.value[30:0], 1'd0};
    return n;
  endfunction

  // The same of 64 bits in two halves: by multiples of 8, then by less.
  typedef struct packed {
    logic [2:0]  zeros;
    logic [63:0] value;
  } eighths_t;

  function automatic eighths_t normalise_coarse(logic [63:0] value);
    logic [7:0] any;  // of eight bits each
    logic [3:0] half;
    eighths_t n;
    for (int i = 0; i < 8; i++) any[i] = value[8*i +: 8] != 8'd0;
    n.zeros[2] = any[7:4] == 4'd0;
    half = n.zeros[2] ? any[3:0] : any[7:4];
    n.value = n.zeros[2] ? {value[31:0], 32'd0} : value;
    n.zeros[1] = half[3:2] == 2'd0;
    n.zeros[0] = n.zeros[1] ? !half[1] : !half[3];
    if (n.zeros[1]) n.value = {n.value[47:0], 16'd0};
    if (n.zeros[0]) n.value = {n.value[55:0], 8'd0};
    return n;
  endfunction

  function automatic eighths_t normalise_fine(logic [63:0] value);
    eighths_t n;
    n.value = value;
    n.zeros[2] = n.value[63:60] == 4'd0;
    if (n.zeros[2]) n.value = {n.value[59:0], 4'd0};
    n.zeros[1] = n.value[63:62] == 2'd0;
    if (n.zeros[1]) n.value = {n.value[61:0], 2'd0};
    n.zeros[0] = !n.value[63];
    if (n.zeros[0]) n.value = {n.value[62:0], 1'd0};
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
