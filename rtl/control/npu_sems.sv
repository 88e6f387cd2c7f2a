// Central counting semaphores. Several requesters (engines, sequencer) may ask in one cycle, one is
// served: signals before takes, lower numbers first. A signal is granted in the cycle in which it
// asks, and can be taken 2 cycles later. A take asks for a cycle at least before it is granted, and
// none is granted in the cycle behind another one. A request stays as it is until its grant; one
// that a kill withdraws may be granted for one more cycle, and counts mean nothing from then on.
// clear_i begins a clearing pass of 16 cycles in which nothing is granted. With Links the other half
// of the numbers, remote semaphores, are there too. Counts cannot wrap: the
// sequencer bounds the issued balance by 255 (npu_seq), and what is there beyond that is due to
// waits that stand in the engines' queues, QueueDepth of them at most for each.
module npu_sems
  import npu_types::*;
#(
  parameter int unsigned Users = Engines + 1,
  parameter int unsigned QueueDepth = 8,
  parameter bit          Links = 1'b0
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                clear_i,
  input  sem_op_t [Users-1:0] sig_i,
  output logic    [Users-1:0] sig_grant_o,
  input  sem_op_t [Users-1:0] take_i,
  output logic    [Users-1:0] take_grant_o,
  output logic                clearing_o
);

  localparam int unsigned TotalBits =
      $clog2((1 + Engines * QueueDepth) * npu_pkg::SemaphoreMax + 1);
  localparam int unsigned Half = npu_pkg::Semaphores / 2;
  localparam int unsigned EntryBits = $clog2(Half);
  localparam int unsigned Banks = Links ? 4 : 2;
  typedef logic [TotalBits-1:0] total_t;
  typedef logic [EntryBits-1:0] entry_t;

  // Several memories, so that clearing takes less long.
  total_t [Banks-1:0] at_op;             // the counts that op_q names
  total_t [Banks-1:0][Users-1:0] at_take;
  entry_t sweep_q, entry;
  logic   sweeping_q;

  // The operation granted in the last cycle changes its count in this one.
  typedef struct packed {
    logic add;
    sem_t sem;
    cnt_t n;
  } op_t;

  op_t    sig_op, take_op, op_q;
  logic   granted_q, took_q, write;
  logic   [Users-1:0] sigs, takes;
  total_t count, next;
  total_t [Users-1:0] level;
  logic   [Users-1:0] enough, enough_q;

  function automatic logic [$clog2(Banks)-1:0] bank(sem_t sem);
    return ($clog2(Banks))'(sem >> EntryBits);
  endfunction

  assign count = at_op[bank(op_q.sem)];
  assign next  = op_q.add ? count + total_t'(op_q.n) : count - total_t'(op_q.n);

  // What every user finds at the end of this cycle.
  always_comb begin
    for (int unsigned u = 0; u < Users; u++) begin
      level[u] = at_take[bank(take_i[u].sem)][u];
      if (granted_q && op_q.sem == take_i[u].sem) level[u] = next;
      enough[u] = take_i[u].valid && level[u] >= total_t'(take_i[u].n);
    end
  end

  always_comb begin
    // What enough_q says is older than a take of the last cycle; it holds for requests that stay.
    for (int unsigned u = 0; u < Users; u++) begin
      sigs[u]  = sig_i[u].valid && !sweeping_q;
      takes[u] = enough_q[u] && !took_q && !sweeping_q;
    end
    // The lowest of each; the sequencer's, who comes late, is the one served when no other asks.
    sig_grant_o  = sigs & (~sigs + 1'b1);
    take_grant_o = sigs == '0 ? takes & (~takes + 1'b1) : '0;
    sig_op  = '{add: 1'b1, sem: sig_i[Users-1].sem, n: sig_i[Users-1].n};
    take_op = '{add: 1'b0, sem: take_i[Users-1].sem, n: take_i[Users-1].n};
    for (int u = Users - 2; u >= 0; u--) begin
      if (sigs[u]) sig_op = '{add: 1'b1, sem: sig_i[u].sem, n: sig_i[u].n};
      if (takes[u]) take_op = '{add: 1'b0, sem: take_i[u].sem, n: take_i[u].n};
    end
  end

  assign clearing_o = sweeping_q;
  assign write = granted_q || sweeping_q;
  assign entry = sweeping_q ? sweep_q : entry_t'(op_q.sem);

  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    total_t total_q [Half];
    assign at_op[b] = total_q[entry_t'(op_q.sem)];
    for (genvar u = 0; u < Users; u++) begin : gen_take
      assign at_take[b][u] = total_q[entry_t'(take_i[u].sem)];
    end
    always_ff @(posedge clk_i) begin
      if (write && (sweeping_q || bank(op_q.sem) == b)) total_q[entry] <= sweeping_q ? '0 : next;
    end
  end
  always_ff @(posedge clk_i) op_q <= sigs != '0 ? sig_op : take_op;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      granted_q <= 1'b0;
      took_q    <= 1'b0;
      enough_q  <= '0;
    end else begin
      granted_q <= |sig_grant_o || |take_grant_o;
      took_q    <= |take_grant_o;
      enough_q  <= enough;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sweeping_q <= 1'b0;
      sweep_q    <= '0;
    end else if (clear_i) begin
      sweeping_q <= 1'b1;
      sweep_q    <= '0;
    end else if (sweeping_q) begin
      sweeping_q <= sweep_q != '1;
      sweep_q    <= sweep_q + 1'b1;
    end
  end

endmodule
