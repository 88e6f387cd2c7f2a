// One AXI write port to two: addresses with the remote bit go to the network, others to memory.
// Data follow their addresses, answers come back in the order of the addresses. Latency: none.
module npu_net_split
  import npu_pkg::*;
#(
  parameter int unsigned Depth = 32      // bursts open
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             aw_valid_i,
  output logic             aw_ready_o,
  input  npu_axi_pkg::ax_t aw_i,
  input  logic             w_valid_i,
  output logic             w_ready_o,
  input  logic             w_last_i,
  output logic             b_valid_o,
  input  logic             b_ready_i,
  output npu_axi_pkg::b_t  b_o,
  // [0] memory, [1] network; addresses and data are the port's own
  output logic [1:0]       aw_valid_o,
  input  logic [1:0]       aw_ready_i,
  output logic [1:0]       w_valid_o,
  input  logic [1:0]       w_ready_i,
  input  logic [1:0]       b_valid_i,
  output logic [1:0]       b_ready_o,
  input  npu_axi_pkg::b_t [1:0] b_i
);
  logic way, room, w_room, b_room, push, w_way, w_open, b_way, b_open;

  assign way        = aw_i.addr[RemoteBit];
  assign room       = w_room && b_room;
  assign aw_ready_o = aw_ready_i[way] && room;
  assign push       = aw_valid_i && aw_ready_o;

  // verilator lint_off PINCONNECTEMPTY
  npu_fifo #(.Width(1), .Depth(Depth)) u_data (
    .clk_i, .rst_ni, .in_valid_i(push), .in_ready_o(w_room), .in_data_i(way),
    .out_valid_o(w_open), .out_ready_i(w_valid_i && w_ready_o && w_last_i), .out_data_o(w_way),
    .count_o()
  );
  npu_fifo #(.Width(1), .Depth(Depth)) u_answers (
    .clk_i, .rst_ni, .in_valid_i(push), .in_ready_o(b_room), .in_data_i(way),
    .out_valid_o(b_open), .out_ready_i(b_valid_o && b_ready_i), .out_data_o(b_way), .count_o()
  );
  // verilator lint_on PINCONNECTEMPTY

  assign w_ready_o = w_open && w_ready_i[w_way];
  assign b_valid_o = b_open && b_valid_i[b_way];
  assign b_o       = b_i[b_way];
  for (genvar d = 0; d < 2; d++) begin : gen_way
    assign aw_valid_o[d] = aw_valid_i && room && way == 1'(d);
    assign w_valid_o[d]  = w_valid_i && w_open && w_way == 1'(d);
    assign b_ready_o[d]  = b_ready_i && b_open && b_way == 1'(d);
  end

  logic unused;
  assign unused = ^aw_i;
endmodule
