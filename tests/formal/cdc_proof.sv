// npu_cdc_fifo with two clocks that know nothing of each other: words come out once, in order and
// whole; and at every edge of a clock at most one bit of the pointer that crosses has changed, so a
// flip-flop that samples it while it changes finds the old or the new pointer, both of which are
// among the interleavings of edges that are proved here.
module cdc_proof (
  input  logic wclk_i,
  input  logic rclk_i,
  input  logic reset_clk_i,     // its first edge ends the reset
  input  logic mark_i,
  input  logic valid_i,
  input  logic data_i,
  input  logic ready_i,
  output logic bad_data_o,
  output logic bad_none_o,
  output logic bad_limit_o,
  output logic bad_refused_o,   // nothing inside for four edges of the writer, and yet not ready
  output logic bad_late_o       // something inside for four edges of the reader, and none offered
);
  logic start_q = 1'b0, in_ready, out_valid;
  logic out_data;
  logic [2:0] empty_q, some_q;
  logic [3:0] held;

  always_ff @(posedge reset_clk_i) start_q <= 1'b1;

  npu_cdc_fifo #(.Width(1), .Depth(4)) u_dut (
    .wclk_i, .wrst_ni(start_q), .in_valid_i(valid_i), .in_ready_o(in_ready), .in_data_i(data_i),
    .rclk_i, .rrst_ni(start_q), .out_valid_o(out_valid), .out_ready_i(ready_i),
    .out_data_o(out_data)
  );
  queue_watch #(.Width(1), .Limit(4)) u_watch (
    .wclk_i, .rclk_i, .rst_ni(start_q), .mark_i, .push_i(valid_i && in_ready), .in_data_i(data_i),
    .valid_i(start_q && out_valid), .pop_i(out_valid && ready_i), .out_data_i(out_data),
    .bad_data_o, .bad_none_o, .bad_limit_o, .held_o(held)
  );

  always_ff @(posedge wclk_i or negedge start_q) begin
    if (!start_q) empty_q <= '0;
    else if (held != '0) empty_q <= '0;
    else if (empty_q != 3'd4) empty_q <= empty_q + 1'b1;
  end
  always_ff @(posedge rclk_i or negedge start_q) begin
    if (!start_q) some_q <= '0;
    else if (held == '0 || out_valid) some_q <= '0;
    else if (some_q != 3'd4) some_q <= some_q + 1'b1;
  end
  assign bad_refused_o = empty_q == 3'd4 && held == '0 && !in_ready;
  assign bad_late_o    = some_q == 3'd4 && !out_valid;
endmodule
