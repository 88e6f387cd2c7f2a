// Register slice: two words, valid/ready on both sides, everything at either side from or to
// registers, so that no path crosses it. One word a cycle; in_ready_o depends on the fill level
// only. Latency: 1 cycle. Data registers have no reset.
module npu_slice #(
  parameter int unsigned Width = 8
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_data_i,
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_data_o
);
  logic [Width-1:0] data_q, spare_q;
  logic             valid_q, spare_valid_q;  // the spare word came when data_q could not move
  logic             move, push;

  assign in_ready_o  = !spare_valid_q;
  assign out_valid_o = valid_q;
  assign out_data_o  = data_q;
  assign push        = in_valid_i && in_ready_o;
  assign move        = !valid_q || out_ready_i;

  always_ff @(posedge clk_i) begin
    if (move && (push || spare_valid_q)) data_q <= spare_valid_q ? spare_q : in_data_i;
    if (push) spare_q <= in_data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q       <= 1'b0;
      spare_valid_q <= 1'b0;
    end else if (move) begin
      valid_q       <= push || spare_valid_q;
      spare_valid_q <= 1'b0;
    end else if (push) begin
      spare_valid_q <= 1'b1;
    end
  end
endmodule
