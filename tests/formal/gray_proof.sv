// The write pointer that npu_cdc_fifo sends to the other clock: from edge to edge of its own clock
// at most one bit changes. (The read pointer is made by the same code; the proof of the whole queue
// covers what follows from it.)
module gray_proof (
  input  logic clk_i,
  input  logic valid_i,
  input  logic ready_i,
  output logic bad_write_o,
  output logic bad_read_o
);
  logic start_q = 1'b0, unused_ready, unused_valid, unused_data;
  logic [2:0] wgray_q, rgray_q, wdiff, rdiff;

  always_ff @(posedge clk_i) start_q <= 1'b1;
  npu_cdc_fifo #(.Width(1), .Depth(4)) u_dut (
    .wclk_i(clk_i), .wrst_ni(start_q), .in_valid_i(valid_i), .in_ready_o(unused_ready),
    .in_data_i(1'b0), .rclk_i(clk_i), .rrst_ni(start_q), .out_valid_o(unused_valid),
    .out_ready_i(ready_i), .out_data_o(unused_data)
  );
  // What crosses, one edge later: the first register of the other side's synchroniser.
  always_ff @(posedge clk_i or negedge start_q) begin
    if (!start_q) begin
      wgray_q <= '0;
      rgray_q <= '0;
    end else begin
      wgray_q <= u_dut.wgray_q;
      rgray_q <= u_dut.rgray_q;
    end
  end
  assign wdiff       = wgray_q ^ u_dut.wgray_q;
  assign rdiff       = rgray_q ^ u_dut.rgray_q;
  assign bad_write_o = start_q && (wdiff & (wdiff - 1'b1)) != '0;
  assign bad_read_o  = start_q && (rdiff & (rdiff - 1'b1)) != '0;
endmodule
