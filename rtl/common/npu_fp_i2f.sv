// y = float(a) for a signed integer of Width bits, round to nearest even, one
// result per cycle, latency npu_fp_pkg::I2fLat cycles of en_i.
// The valid bit has no reset: it is clear after one cycle with valid_i low and
// en_i high, which the reset phase of every user provides.
module npu_fp_i2f
  import npu_fp_pkg::*;
#(
  parameter int unsigned Width = 32  // 21..32
) (
  input  logic             clk_i,
  input  logic             en_i,
  input  logic             valid_i,
  input  logic [Width-1:0] a_i,
  output logic             valid_o,
  output logic [31:0]      y_o
);

  logic valid_q;
  logic [31:0] y_q;

  function automatic logic [31:0] convert(logic [31:0] a);
    logic [31:0] size, m;
    normal_t n;
    logic up;
    if (a == 32'd0) return 32'd0;
    size = a[31] ? -a : a;
    n = normalise(size);
    m = n.value;
    up = m[7] && (m[6:0] != 7'd0 || m[8]);
    return pack(a[31], 11'sd158 - 11'({6'd0, n.zeros}), m[31:8], up);
  endfunction

  always_ff @(posedge clk_i) begin
    if (en_i) begin
      valid_q <= valid_i;
      if (valid_i) y_q <= convert(32'($signed(a_i)));
    end
  end

  assign valid_o = valid_q;
  assign y_o = y_q;

endmodule
