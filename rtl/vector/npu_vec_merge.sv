// Adds neighbouring partial sums of a row: 0 and 1, 2 and 3, ... A last one without
// neighbour passes (plus -0, which changes nothing). In order, any gaps, no bubbles
// between rows. Latency: AddLat cycles of en_i.
module npu_vec_merge
  import npu_fp_pkg::*;
(
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        en_i,
  input  logic        valid_i,
  input  logic        last_i,
  input  logic [31:0] value_i,
  output logic        valid_o,
  output logic        last_o,
  output logic [31:0] value_o
);

  logic              have_q, add, unused_valid;
  logic [31:0]       left_q;
  logic [AddLat-1:0] valid_q, last_q;

  assign add = valid_i && (have_q || last_i);

  npu_fp_add u_add (
    .clk_i,
    .en_i,
    .valid_i(add),
    .a_i    (have_q ? left_q : MinusZero),
    .b_i    (value_i),
    .valid_o(unused_valid),
    .y_o    (value_o)
  );

  always_ff @(posedge clk_i) begin
    if (en_i && valid_i && !add) left_q <= value_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      have_q  <= 1'b0;
      valid_q <= '0;
      last_q  <= '0;
    end else if (en_i) begin
      if (valid_i) have_q <= !add;
      valid_q <= {valid_q[AddLat-2:0], add};
      last_q  <= {last_q[AddLat-2:0], last_i};
    end
  end

  assign valid_o = valid_q[AddLat-1];
  assign last_o  = last_q[AddLat-1];

endmodule
