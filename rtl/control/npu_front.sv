// Engine front: the queue between sequencer and one engine. Waits and signals end here, the engine
// sees commands only. A signal fires when every command accepted before it is done; commands behind
// a signal may start before it fires. With stop_i the queue is emptied unexecuted (one entry a
// cycle), commands in flight finish and their signals fire.
// An accepted command leaves the queue in the cycle after its acceptance, so that nothing here
// depends on the engine's answer in the same cycle; no command is offered in that cycle.
// Latency: queue 1 cycle; a signal fires at the earliest 1 cycle after the done pulse it waits for.
// A done pulse comes 2 cycles after the acceptance or later.
module npu_front
  import npu_types::*;
#(
  parameter type cmd_t = logic,
  parameter cmd_t UsedBits = '1,  // the engine looks at these; the others are 0
  parameter int unsigned QueueDepth  = 8,
  parameter int unsigned RetireDepth = 8
) (
  input  logic      clk_i,
  input  logic      rst_ni,
  input  logic      stop_i,
  // from the sequencer
  input  logic      push_valid_i,
  output logic      push_ready_o,
  input  que_tag_t  push_tag_i,
  input  cmd_t      push_cmd_i,
  // to the engine
  output logic      cmd_valid_o,
  output cmd_t      cmd_o,
  input  logic      cmd_ready_i,
  input  logic      done_i,
  input  logic      engine_idle_i,
  // semaphores
  output sem_op_t   take_o,
  input  logic      take_grant_i,
  output sem_op_t   sig_o,
  input  logic      sig_grant_i,
  // state
  output pc_t       oldest_pc_o,  // the command that the next done pulse completes
  output logic      idle_o,
  output front_ev_t ev_o,
  output trace_t    trace_o
);

  typedef struct packed {
    que_tag_t tag;
    cmd_t     cmd;
  } entry_t;

  // A signal or a command in flight, in program order.
  typedef struct packed {
    logic is_signal;
    sem_t sem;
    cnt_t n;
  } retire_t;

  localparam int unsigned OwedBits = $clog2(RetireDepth + 2);

  entry_t  head;
  logic    head_valid, pop;
  retire_t retire_in, retire_head;
  logic    retire_in_valid, retire_ready, retire_valid, retire_pop;
  logic [OwedBits-1:0] owed_q, owed_d;
  logic    is_cmd, is_wait, is_signal, complete;
  logic    accepted_q;  // the head was accepted in the last cycle

  // verilator lint_off PINCONNECTEMPTY
  npu_fifo #(
    .Width($bits(entry_t)), .Depth(QueueDepth)
  ) u_queue (
    .clk_i, .rst_ni,
    .in_valid_i(push_valid_i), .in_ready_o(push_ready_o),
    .in_data_i({push_tag_i, push_cmd_i}),
    .out_valid_o(head_valid), .out_ready_i(pop), .out_data_o(head), .count_o()
  );

  npu_fifo #(
    .Width($bits(retire_t)), .Depth(RetireDepth)
  ) u_retire (
    .clk_i, .rst_ni,
    .in_valid_i(retire_in_valid), .in_ready_o(retire_ready), .in_data_i(retire_in),
    .out_valid_o(retire_valid), .out_ready_i(retire_pop), .out_data_o(retire_head), .count_o()
  );

  // pcs of the commands in flight; there are never more than entries in u_retire.
  npu_fifo #(
    .Width(PcBits), .Depth(RetireDepth)
  ) u_pc (
    .clk_i, .rst_ni,
    .in_valid_i(accepted_q), .in_ready_o(), .in_data_i(head.tag.pc),
    .out_valid_o(), .out_ready_i(done_i), .out_data_o(oldest_pc_o), .count_o()
  );
  // verilator lint_on PINCONNECTEMPTY

  assign is_cmd    = head_valid && head.tag.kind == QueCmd;
  assign is_wait   = head_valid && head.tag.kind == QueWait;
  assign is_signal = head_valid && head.tag.kind == QueSignal;

  assign cmd_valid_o = is_cmd && retire_ready && !stop_i && !accepted_q;
  assign cmd_o       = head.cmd & UsedBits;

  assign take_o = '{valid: is_wait && !stop_i, sem: head.tag.sem, n: head.tag.n};

  assign retire_in = '{is_signal: is_signal, sem: head.tag.sem, n: head.tag.n};
  assign retire_in_valid = accepted_q || (is_signal && !stop_i);
  assign pop = stop_i || accepted_q || take_grant_i || (is_signal && retire_ready);

  // Done pulses that came while a signal was still to be fired are owed to the commands behind it.
  assign complete   = retire_valid && !retire_head.is_signal && (done_i || owed_q != '0);
  assign retire_pop = sig_grant_i || complete;
  assign owed_d     = owed_q + OwedBits'(done_i) - OwedBits'(complete);
  assign sig_o      = '{valid: retire_valid && retire_head.is_signal, sem: retire_head.sem,
                        n: retire_head.n};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      owed_q     <= '0;
      accepted_q <= 1'b0;
    end else begin
      accepted_q <= cmd_valid_o && cmd_ready_i;
      if (done_i || complete) owed_q <= owed_d;
    end
  end

  assign idle_o   = !head_valid && !retire_valid && engine_idle_i;
  assign ev_o     = '{wait_sem: is_wait && !take_grant_i && !stop_i, idle: idle_o};
  assign trace_o  = '{start: accepted_q, start_pc: head.tag.pc, stop: done_i,
                      stop_pc: oldest_pc_o};

endmodule
