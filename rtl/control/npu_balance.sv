// The issued balance of every semaphore: what signals have given and waits have taken in program
// order, 0 to SemaphoreMax. short_o and over_o judge a wait and a signal of n_i in the same cycle;
// move_i makes the change (is_wait_i: minus). While clear_i, entries clear_idx_i and clear_idx_i +
// 16 become 0.
module npu_balance
  import npu_types::*;
(
  input  logic               clk_i,
  input  logic               clear_i,
  input  logic [3:0]         clear_idx_i,
  input  logic [4:0]         sem_i,
  input  cnt_t               n_i,
  input  logic               is_wait_i,
  input  logic               move_i,
  output logic               short_o,
  output logic               over_o
);
  localparam int unsigned Half = npu_pkg::Semaphores / 2;

  // Two memories, so that clearing takes half as long.
  cnt_t low_q  [Half];
  cnt_t high_q [Half];
  cnt_t balance, next;
  logic [8:0] raised;
  logic       high;
  logic [3:0] entry;

  assign high    = sem_i[4];
  assign balance = high ? high_q[sem_i[3:0]] : low_q[sem_i[3:0]];
  assign raised  = {1'b0, balance} + {1'b0, n_i};
  assign short_o = balance < n_i;
  assign over_o  = raised > 9'(npu_pkg::SemaphoreMax);
  assign entry   = clear_i ? clear_idx_i : sem_i[3:0];
  assign next    = is_wait_i ? balance - n_i : raised[7:0];

  always_ff @(posedge clk_i) begin
    if (clear_i || (move_i && !high)) low_q[entry]  <= clear_i ? '0 : next;
    if (clear_i || (move_i && high))  high_q[entry] <= clear_i ? '0 : next;
  end
endmodule
