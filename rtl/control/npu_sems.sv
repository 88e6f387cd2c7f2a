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

  logic   taken, add, write;
  sem_t   sem;
  cnt_t   n;
  total_t count, next;
  total_t [Users-1:0] level;

  always_comb begin
    for (int unsigned u = 0; u < Users; u++) begin
      level[u] = take_i[u].sem[SemBits-1] ? high_q[entry_t'(take_i[u].sem)]
                                          : low_q[entry_t'(take_i[u].sem)];
    end
  end

  always_comb begin
    taken = sweeping_q;
    add   = 1'b0;
    sem   = '0;
    n     = '0;
    sig_grant_o  = '0;
    take_grant_o = '0;
    for (int unsigned u = 0; u < Users; u++) begin
      if (sig_i[u].valid && !taken) begin
        sig_grant_o[u] = 1'b1;
        taken = 1'b1;
        add   = 1'b1;
        sem   = sig_i[u].sem;
        n     = sig_i[u].n;
      end
    end
    count = sem[SemBits-1] ? high_q[entry_t'(sem)] : low_q[entry_t'(sem)];
    for (int unsigned u = 0; u < Users; u++) begin
      if (take_i[u].valid && level[u] >= total_t'(take_i[u].n) && !taken) begin
        take_grant_o[u] = 1'b1;
        taken = 1'b1;
        sem   = take_i[u].sem;
        n     = take_i[u].n;
        count = level[u];
      end
    end
    next = add ? count + total_t'(n) : count - total_t'(n);
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
