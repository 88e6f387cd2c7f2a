// npu_sems under any requests: a count kept beside it, of one semaphore (Sem), which grows with
// granted signals and falls with granted waits, is never below a wait that is granted, so no count
// is lost, doubled or negative, whoever asks in the same cycle; one operation a cycle; a request
// that can be served is served while the others are quiet, and a signal at once when none of a
// lower number asks. The package is read with few semaphores and small counts (see prove.py).
module sems_proof
  import npu_types::*;
#(
  parameter int unsigned Users = 3,
  parameter int unsigned Sem   = 1,
  parameter int unsigned Limit = 3       // the sequencer's bound on the issued balance
) (
  input  logic             clk_i,
  input  logic [Users-1:0] sig_ask_i,
  input  sem_t [Users-1:0] sig_sem_i,
  input  cnt_t [Users-1:0] sig_n_i,
  input  logic [Users-1:0] take_ask_i,
  input  sem_t [Users-1:0] take_sem_i,
  input  cnt_t [Users-1:0] take_n_i,
  output logic bad_negative_o,
  output logic bad_two_o,         // more than one operation in a cycle
  output logic bad_unasked_o,     // a grant to who does not ask
  output logic bad_signal_o,      // a signal waits though no lower one asks
  output logic bad_take_o         // a wait that can be served is not
);
  logic start_q = 1'b0, cleared_q, clearing;
  always_ff @(posedge clk_i) start_q <= 1'b1;

  // Requests stay until their grant; the launch's clearing comes first.
  sem_op_t [Users-1:0] sig_q, take_q;
  logic    [Users-1:0] sig_grant, take_grant;
  logic    ready;
  assign ready = cleared_q && !clearing;

  npu_sems #(.Users(Users), .QueueDepth(1)) u_dut (
    .clk_i, .rst_ni(start_q), .clear_i(start_q && !cleared_q), .sig_i(sig_q),
    .sig_grant_o(sig_grant), .take_i(take_q), .take_grant_o(take_grant), .clearing_o(clearing)
  );

  typedef logic [3:0] total_t;
  total_t total_q, total_d, promised_q, promised_d;  // granted; granted or asked for
  always_comb begin
    total_d = total_q;
    for (int unsigned u = 0; u < Users; u++) begin
      if (sig_grant[u] && sig_q[u].sem == sem_t'(Sem)) total_d = total_d + total_t'(sig_q[u].n);
      if (take_grant[u] && take_q[u].sem == sem_t'(Sem)) total_d = total_d - total_t'(take_q[u].n);
    end
  end

  // The bound: a signal of the watched semaphore is asked for only while there is room for it.
  logic [Users-1:0] sig_new;
  always_comb begin
    promised_d = promised_q;
    sig_new = '0;
    for (int unsigned u = 0; u < Users; u++) begin
      if (take_grant[u] && take_q[u].sem == sem_t'(Sem)) begin
        promised_d = promised_d - total_t'(take_q[u].n);
      end
    end
    for (int unsigned u = 0; u < Users; u++) begin
      sig_new[u] = ready && sig_ask_i[u] && (!sig_q[u].valid || sig_grant[u]) && sig_n_i[u] != '0;
      if (sig_new[u] && sig_sem_i[u] == sem_t'(Sem)) begin
        if (promised_d + total_t'(sig_n_i[u]) > total_t'(Limit)) sig_new[u] = 1'b0;
        else promised_d = promised_d + total_t'(sig_n_i[u]);
      end
    end
  end

  logic [2:0] quiet_q;    // cycles in which user 0's wait could be served, and nothing happened
  logic       could;
  assign could = take_q[0].valid && take_q[0].sem == sem_t'(Sem) &&
                 total_q >= total_t'(take_q[0].n);
  always_ff @(posedge clk_i or negedge start_q) begin
    if (!start_q) begin
      cleared_q  <= 1'b0;
      sig_q      <= '0;
      take_q     <= '0;
      total_q    <= '0;
      promised_q <= '0;
      quiet_q    <= '0;
    end else begin
      cleared_q <= 1'b1;
      total_q    <= total_d;
      promised_q <= promised_d;
      for (int unsigned u = 0; u < Users; u++) begin
        if (sig_new[u]) sig_q[u] <= '{valid: 1'b1, sem: sig_sem_i[u], n: sig_n_i[u]};
        else if (sig_grant[u]) sig_q[u].valid <= 1'b0;
        if (ready && take_ask_i[u] && (!take_q[u].valid || take_grant[u]) && take_n_i[u] != '0)
          take_q[u] <= '{valid: 1'b1, sem: take_sem_i[u], n: take_n_i[u]};
        else if (take_grant[u]) take_q[u].valid <= 1'b0;
      end
      if (!could || (sig_grant != '0) || (take_grant != '0)) quiet_q <= '0;
      else if (quiet_q != 3'd4) quiet_q <= quiet_q + 1'b1;
    end
  end

  logic [Users-1:0]   asks, takes, lowest;
  logic [2*Users-1:0] grants;
  always_comb begin
    bad_negative_o = 1'b0;
    for (int unsigned u = 0; u < Users; u++) begin
      asks[u]  = sig_q[u].valid;
      takes[u] = take_q[u].valid;
      if (take_grant[u] && take_q[u].sem == sem_t'(Sem) && take_q[u].n > total_q) begin
        bad_negative_o = 1'b1;
      end
    end
  end
  assign lowest        = asks & (~asks + 1'b1);
  assign grants        = {sig_grant, take_grant};
  assign bad_two_o     = ready && (grants & (grants - 1'b1)) != '0;
  assign bad_unasked_o = ready && ((sig_grant & ~asks) | (take_grant & ~takes)) != '0;
  assign bad_signal_o  = ready && sig_grant != lowest;
  assign bad_take_o    = quiet_q == 3'd4;
endmodule
