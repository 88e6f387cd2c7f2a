// Central counting semaphores. Several requesters (engines, sequencer) may ask in one cycle, one is served:
// signals before takes, lower numbers first. Grants are combinational: a take is granted when the count of
// the last clock edge is at least n. A signal can be taken one cycle after its grant. clear_i begins a
// clearing pass of 16 cycles in which nothing is granted. Counts cannot wrap: the sequencer bounds the
// issued balance by 255 (npu_seq), and what is there beyond that is due to waits that stand in the
// engines' queues, QueueDepth of them at most for each.
module npu_sems
  import npu_types::*;
#(
  parameter int unsigned Users = Engines + 1,
  parameter int unsigned QueueDepth = 8
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                clear_i,
  input  sem_op_t [Users-1:0] sig_i,
  output logic    [Users-1:0] sig_grant_o,
  input  sem_op_t [Users-1:0] take_i,
  output logic    [Users-1:0] take_grant_o
);

  localparam int unsigned TotalBits = $clog2((1 + Engines * QueueDepth) * npu_pkg::SemaphoreMax + 1);
  localparam int unsigned Half = npu_pkg::Semaphores / 2;
  typedef logic [TotalBits-1:0] total_t;
  typedef logic [SemBits-2:0]   entry_t;

  // Two memories, so that clearing takes half as long.
  total_t low_q  [Half];
  total_t high_q [Half];
  entry_t sweep_q, entry;
  logic   sweeping_q;

  // What is written depends on the last user (the sequencer, whose requests come late) in the choice between
  // signal and take only: it is the one served when no other asks.
  logic   taken, add, write;
  sem_t   sem, sig_sem, take_sem;
  cnt_t   sig_n;
  total_t count, next, rest;
  total_t [Users-1:0] level, left;
  logic   [Users-1:0] enough;

  always_comb begin
    for (int unsigned u = 0; u < Users; u++) begin
      level[u] = take_i[u].sem[SemBits-1] ? high_q[entry_t'(take_i[u].sem)]
                                          : low_q[entry_t'(take_i[u].sem)];
      enough[u] = level[u] >= total_t'(take_i[u].n);
      left[u]   = level[u] - total_t'(take_i[u].n);
    end
  end

  always_comb begin
    sig_sem  = sig_i[Users-1].sem;
    sig_n    = sig_i[Users-1].n;
    take_sem = take_i[Users-1].sem;
    rest     = left[Users-1];
    for (int u = Users - 2; u >= 0; u--) begin
      if (sig_i[u].valid) begin
        sig_sem = sig_i[u].sem;
        sig_n   = sig_i[u].n;
      end
      if (take_i[u].valid && enough[u]) begin
        take_sem = take_i[u].sem;
        rest     = left[u];
      end
    end
    count = sig_sem[SemBits-1] ? high_q[entry_t'(sig_sem)] : low_q[entry_t'(sig_sem)];
  end

  always_comb begin
    taken = sweeping_q;
    add   = 1'b0;
    sig_grant_o  = '0;
    take_grant_o = '0;
    for (int unsigned u = 0; u < Users; u++) begin
      if (sig_i[u].valid && !taken) begin
        sig_grant_o[u] = 1'b1;
        taken = 1'b1;
        add   = 1'b1;
      end
    end
    for (int unsigned u = 0; u < Users; u++) begin
      if (take_i[u].valid && enough[u] && !taken) begin
        take_grant_o[u] = 1'b1;
        taken = 1'b1;
      end
    end
    sem  = add ? sig_sem : take_sem;
    next = add ? count + total_t'(sig_n) : rest;
  end

  assign write = taken || sweeping_q;
  assign entry = sweeping_q ? sweep_q : entry_t'(sem);

  always_ff @(posedge clk_i) begin
    if (write && (sweeping_q || !sem[SemBits-1])) low_q[entry]  <= sweeping_q ? '0 : next;
    if (write && (sweeping_q || sem[SemBits-1]))  high_q[entry] <= sweeping_q ? '0 : next;
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
