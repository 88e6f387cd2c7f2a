// Watches one direction of an AXI port: how many bursts are open, and whether the memory still
// answers. expired_o pulses after limit_i cycles in a row in which something was open or offered
// and the memory did nothing (limit_i 0: never); the count then starts again. Latency: 1 cycle.
module npu_bus_watch #(
  parameter int unsigned OpenBits = 8
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic [31:0] limit_i,
  input  logic        ask_i,       // address accepted
  input  logic        end_i,       // last answer of a burst taken
  input  logic        offered_i,   // a request waits to be accepted
  input  logic        answer_i,    // the memory accepts or delivers anything
  output logic        expired_o
);
  logic [OpenBits-1:0] open_q;
  logic [31:0] quiet_q;
  logic waiting, ask_q, end_q, offered_q, answer_q;  // of the last cycle

  assign waiting   = (open_q != '0 || offered_q) && !answer_q;
  assign expired_o = waiting && limit_i != '0 && quiet_q == limit_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      open_q <= '0;
      {ask_q, end_q, offered_q, answer_q} <= '0;
    end else begin
      {ask_q, end_q, offered_q, answer_q} <= {ask_i, end_i, offered_i, answer_i};
      if (ask_q != end_q) open_q <= ask_q ? open_q + 1'b1 : open_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) quiet_q <= '0;
    else if (!waiting || expired_o) quiet_q <= '0;
    else quiet_q <= quiet_q + 32'd1;
  end
endmodule
