// Scale of a quantised group and its reciprocal from the largest magnitude
// (num::quant_scale). One per cycle. Latency: MulLat + 1 + FuncLat cycles of en_i.
// The reciprocal comes from a function unit elsewhere, FuncLat after func_valid_o.
module npu_vec_scale
  import npu_fp_pkg::*;
(
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        en_i,
  input  logic        valid_i,
  input  logic [31:0] absmax_i,
  output logic        func_valid_o,
  output logic [31:0] func_a_o,
  input  logic [31:0] func_y_i,
  output logic        valid_o,
  output logic [15:0] scale_o,  // bf16
  output logic [31:0] recip_o   // +0 when every value quantises to 0
);

  localparam logic [31:0] Inv127 = 32'h3C01_0204;
  localparam logic [7:0]  TinyExp = 8'd27;  // scales below 2^-100 count as 0
  localparam logic [15:0] NanScale = 16'h7FC0;

  logic              mul_valid;
  logic [31:0]       product;
  logic              scale_valid_q;
  logic [15:0]       scale_q;
  logic [15:0]       delay_q [FuncLat];
  logic [FuncLat-1:0] valid_q;

  npu_fp_mul u_mul (
    .clk_i, .en_i, .valid_i,
    .a_i    (absmax_i),
    .b_i    (Inv127),
    .valid_o(mul_valid),
    .y_o    (product)
  );

  // Round up to bf16; the product is canonical and not negative.
  function automatic logic [15:0] round_up(logic [31:0] a);
    logic [15:0] s;
    if (is_nan(a) || is_inf(a)) return NanScale;
    s = a[31:16] + {15'd0, |a[15:0]};
    return s[14:7] < TinyExp ? 16'd0 : s;
  endfunction

  assign func_valid_o = scale_valid_q;
  assign func_a_o     = {scale_q, 16'd0};

  always_ff @(posedge clk_i) begin
    if (en_i) begin
      scale_valid_q <= mul_valid;
      if (mul_valid) scale_q <= round_up(product);
      if (scale_valid_q) delay_q[0] <= scale_q;
    end
  end
  for (genvar i = 1; i < FuncLat; i++) begin : gen_delay
    always_ff @(posedge clk_i) begin
      if (en_i && valid_q[i-1]) delay_q[i] <= delay_q[i-1];
    end
  end

  // Control goes its own way, with reset.
  logic [MulLat:0] front_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      front_q <= '0;
      valid_q <= '0;
    end else if (en_i) begin
      front_q <= {front_q[MulLat-1:0], valid_i};
      valid_q <= {valid_q[FuncLat-2:0], front_q[MulLat]};
    end
  end

  assign valid_o = valid_q[FuncLat-1];
  assign scale_o = delay_q[FuncLat-1];
  assign recip_o = (scale_o == 16'd0 || scale_o == NanScale) ? 32'd0 : func_y_i;

endmodule
