// Run control: launch, first fault, abort, drain, done.
// start_o goes to every block one cycle after start_i. The run ends when sequencer, loader and all
// fronts are idle. An asynchronous fault or an abort raises kill_o for the rest of the run: the
// sequencer stops, queues are emptied, commands in flight finish. A bus that stays silent for a
// second time-out while it is drained is dead until reset: the run ends at once, later launches end
// at once with fault timeout.
module npu_run
  import npu_types::*;
  import npu_pkg::*;
(
  input  logic    clk_i,
  input  logic    rst_ni,
  input  logic    start_i,
  input  logic    abort_i,
  input  logic    clear_i,       // clear fault and abort flag, while idle
  output logic    start_o,
  output logic    kill_o,
  output logic    running_o,
  output logic    done_o,        // one pulse
  output status_t status_o,
  input  logic    idle_i,        // every block below is idle
  input  fault_t  seq_fault_i,
  input  fault_t  fetch_fault_i,
  input  fault_t  ld_fault_i,
  input  fault_t  st_fault_i,
  input  logic    read_expired_i,
  input  logic    write_expired_i,
  input  logic    fetching_i,
  input  pc_t     ld_pc_i,
  input  pc_t     st_pc_i
);
  typedef enum logic [1:0] { Idle, Start, Busy } state_e;

  state_e state_q, state_d;
  fault_t fault, fault_q, seq_fault_q;  // seq_fault_q: of the last cycle
  logic   kill_q, dead_q, aborted_q, late_q;
  logic   async, expired, dead;

  assign expired = read_expired_i || write_expired_i;
  assign async   = fetch_fault_i.valid || ld_fault_i.valid || st_fault_i.valid || expired;
  assign dead    = state_q == Busy && expired && late_q;

  always_comb begin
    fault = '0;
    if (state_q == Start && dead_q) begin
      fault = '{valid: 1'b1, code: FAULT_TIMEOUT, pc: '0, engine: ENGINE_SEQ, addr: '0};
    end else if (seq_fault_q.valid) begin
      fault = seq_fault_q;
    end else if (fetch_fault_i.valid) begin
      fault = fetch_fault_i;
    end else if (ld_fault_i.valid) begin
      fault = ld_fault_i;
    end else if (st_fault_i.valid) begin
      fault = st_fault_i;
    end else if (expired) begin
      fault = '{valid: 1'b1, code: FAULT_TIMEOUT, pc: '0, engine: ENGINE_ST, addr: '0};
      if (!read_expired_i) fault.pc = st_pc_i;
      else if (fetching_i) fault.engine = ENGINE_SEQ;
      else begin
        fault.engine = ENGINE_LD;
        fault.pc = ld_pc_i;
      end
    end
  end

  always_comb begin
    state_d = state_q;
    done_o  = 1'b0;
    unique case (state_q)
      Idle: if (start_i) state_d = Start;
      Start: state_d = Busy;
      default: if (dead || dead_q || (idle_i && !fault.valid)) begin
        state_d = Idle;
        done_o  = 1'b1;
      end
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q   <= Idle;
      fault_q   <= '0;
      seq_fault_q <= '0;
      kill_q    <= 1'b0;
      dead_q    <= 1'b0;
      late_q    <= 1'b0;
      aborted_q <= 1'b0;
    end else begin
      state_q     <= state_d;
      seq_fault_q <= seq_fault_i;
      if (dead) dead_q <= 1'b1;
      if (state_q == Idle) begin
        if (start_i || clear_i) begin
          fault_q   <= '0;
          aborted_q <= 1'b0;
        end
        kill_q <= 1'b0;
        late_q <= 1'b0;
      end else begin
        if (fault.valid && !fault_q.valid) fault_q <= fault;
        if (async || abort_i) kill_q <= 1'b1;
        if (expired) late_q <= 1'b1;
        if (abort_i) aborted_q <= 1'b1;
      end
    end
  end

  assign start_o   = state_q == Start && !dead_q;
  assign kill_o    = kill_q;
  assign running_o = state_q != Idle;
  assign status_o  = '{busy: running_o, bus_dead: dead_q, aborted: aborted_q, fault: fault_q};
endmodule
