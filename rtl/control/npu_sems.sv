// Central counting semaphores. Any number of requesters (engines, sequencer) may signal and take in one
// cycle. take_grant_o is combinational: the count of the last clock edge is at least n; the count falls
// at the next edge. A signal can be taken one cycle after sig_i. Counts cannot wrap: the sequencer bounds
// the issued balance by 255 (npu_seq), and what is there beyond that is due to waits that stand in the
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
  input  sem_op_t [Users-1:0] take_i,
  output logic    [Users-1:0] take_grant_o
);

  localparam int unsigned TotalBits = $clog2((1 + Engines * QueueDepth) * npu_pkg::SemaphoreMax + 1);
  typedef logic [TotalBits-1:0] total_t;

  total_t count_q [npu_pkg::Semaphores];
  logic any;

  always_comb begin
    any = clear_i;
    for (int unsigned u = 0; u < Users; u++) begin
      take_grant_o[u] = take_i[u].valid && count_q[take_i[u].sem] >= total_t'(take_i[u].n);
      any |= sig_i[u].valid | take_grant_o[u];
    end
  end

  // Sum of all changes of one semaphore, modulo 2^TotalBits.
  function automatic total_t change(sem_t s, sem_op_t [Users-1:0] sig, sem_op_t [Users-1:0] take,
                                  logic [Users-1:0] grant);
    total_t sum;
    sum = '0;
    for (int unsigned u = 0; u < Users; u++) begin
      if (sig[u].valid && sig[u].sem == s) sum += total_t'(sig[u].n);
      if (grant[u] && take[u].sem == s) sum -= total_t'(take[u].n);
    end
    return sum;
  endfunction

  for (genvar s = 0; s < npu_pkg::Semaphores; s++) begin : gen_sem
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) count_q[s] <= '0;
      else if (any) begin
        count_q[s] <= clear_i ? '0 : count_q[s] + change(sem_t'(s), sig_i, take_i, take_grant_o);
      end
    end
  end

endmodule
