// A multiplier, a block RAM and a queue behind three pins: the smallest design with every kind of resource.
module tiny (
  input  logic clk_i,
  input  logic serial_i,
  output logic serial_o
);
  logic [31:0] shift_q, product;
  logic [8:0] row_q;

  always_ff @(posedge clk_i) begin
    shift_q <= {shift_q[30:0], serial_i};
    row_q   <= row_q + 1'b1;
  end
  tiny_mac u_mac (.clk_i, .a_i(shift_q[15:0]), .b_i(shift_q[31:16]), .row_i(row_q), .sum_o(product));
  always_ff @(posedge clk_i) serial_o <= ^product;
endmodule

module tiny_mac (
  input  logic        clk_i,
  input  logic [15:0] a_i, b_i,
  input  logic [8:0]  row_i,
  output logic [31:0] sum_o
);
  logic [31:0] mem [512];
  logic [31:0] word_q, product_q;
  always_ff @(posedge clk_i) begin
    product_q <= 32'(a_i) * 32'(b_i);
    word_q    <= mem[row_i];
    if (a_i[0]) mem[b_i[8:0]] <= product_q;
    sum_o     <= word_q + product_q;
  end
endmodule
