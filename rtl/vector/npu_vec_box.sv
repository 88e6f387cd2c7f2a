// Walks a box of rows_i x cols_i elements, row after row, in steps of width_i
// columns. start_i takes the box (also in the cycle of the last step); active_o
// from the next cycle until the last step. The outputs describe the step at hand;
// step_i goes to the next one. Counts of 0 are not allowed.
module npu_vec_box (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        start_i,
  input  logic [15:0] rows_i,
  input  logic [15:0] cols_i,
  input  logic [6:0]  width_i,
  input  logic        step_i,
  output logic        active_o,
  output logic [6:0]  count_o,     // columns of this step
  output logic        row_last_o,
  output logic        last_o
);

  logic        active_q;
  logic [15:0] rows_q, left_q, cols_q;

  assign row_last_o = left_q <= {9'd0, width_i};
  assign last_o     = row_last_o && rows_q == 16'd1;
  assign count_o    = row_last_o ? left_q[6:0] : width_i;
  assign active_o   = active_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) active_q <= 1'b0;
    else if (start_i) active_q <= 1'b1;
    else if (step_i && last_o) active_q <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      rows_q <= rows_i;
      cols_q <= cols_i;
      left_q <= cols_i;
    end else if (step_i) begin
      left_q <= row_last_o ? cols_q : left_q - {9'd0, width_i};
      if (row_last_o) rows_q <= rows_q - 16'd1;
    end
  end

endmodule
