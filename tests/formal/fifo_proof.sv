// npu_fifo, npu_ram_fifo and npu_slice as queues: whoever offers and takes when, words come out
// once, in order and whole; a queue with room takes, one with a word offers it in time. Kind: 0
// npu_fifo, 1 npu_ram_fifo, 2 npu_slice. Late: cycles until a word must be offered.
module fifo_proof #(
  parameter int unsigned Kind  = 0,
  parameter int unsigned Depth = 3,
  parameter int unsigned Room  = 3,    // words that fit, whoever holds them
  parameter int unsigned Late  = 1
) (
  input  logic clk_i,
  input  logic mark_i,
  input  logic valid_i,
  input  logic [1:0] data_i,
  input  logic ready_i,
  output logic bad_data_o,
  output logic bad_none_o,
  output logic bad_limit_o,
  output logic bad_refused_o,   // not full and yet not ready
  output logic bad_late_o
);
  localparam int unsigned CountW = $clog2(Room + 1) + 1;
  logic start_q = 1'b0, in_ready, out_valid, push, pop;
  logic [1:0] out_data, waited_q;
  logic [CountW-1:0] held;

  always_ff @(posedge clk_i) start_q <= 1'b1;

  if (Kind == 0) begin : gen_fifo
    logic [$clog2(Depth+1)-1:0] unused_count;
    npu_fifo #(.Width(2), .Depth(Depth)) u_dut (
      .clk_i, .rst_ni(start_q), .in_valid_i(valid_i), .in_ready_o(in_ready), .in_data_i(data_i),
      .out_valid_o(out_valid), .out_ready_i(ready_i), .out_data_o(out_data), .count_o(unused_count)
    );
  end else if (Kind == 1) begin : gen_ram
    npu_ram_fifo #(.Width(2), .Depth(Depth)) u_dut (
      .clk_i, .rst_ni(start_q), .in_valid_i(valid_i), .in_ready_o(in_ready), .in_data_i(data_i),
      .out_valid_o(out_valid), .out_ready_i(ready_i), .out_data_o(out_data)
    );
  end else begin : gen_slice
    npu_slice #(.Width(2)) u_dut (
      .clk_i, .rst_ni(start_q), .in_valid_i(valid_i), .in_ready_o(in_ready), .in_data_i(data_i),
      .out_valid_o(out_valid), .out_ready_i(ready_i), .out_data_o(out_data)
    );
  end
  assign push = valid_i && in_ready;
  assign pop  = out_valid && ready_i;

  queue_watch #(.Width(2), .Limit(Room)) u_watch (
    .wclk_i(clk_i), .rclk_i(clk_i), .rst_ni(start_q), .mark_i, .push_i(push), .in_data_i(data_i),
    .valid_i(out_valid), .pop_i(pop), .out_data_i(out_data), .bad_data_o, .bad_none_o,
    .bad_limit_o, .held_o(held)
  );

  always_ff @(posedge clk_i or negedge start_q) begin
    if (!start_q) waited_q <= '0;
    else if (out_valid || held == '0) waited_q <= '0;
    else if (waited_q != '1) waited_q <= waited_q + 1'b1;
  end
  assign bad_late_o    = !out_valid && held != '0 && waited_q >= 2'(Late);
  assign bad_refused_o = start_q && !in_ready && held < CountW'(Depth);
endmodule
