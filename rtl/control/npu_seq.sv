// The sequencer: runs the program in instruction memory, in order. Holds registers, loops, the
// issued semaphore balance and the watchdog; hands checked commands, waits and signals to the
// engine fronts.
//
// start_i begins a run: 16 cycles to copy the arguments (and up to 64 before them if the last run
// ended just now: registers are cleared between runs), then it waits for loaded_i. kill_i ends it
// at once. idle_o: not running (halted, faulted or killed). A fault is reported by one pulse on
// fault_o. Cycles per instruction: alu, alui, loop, signal, wait 2 (plus waiting for a queue; 1
// more and waiting for the semaphore where they are the sequencer's own); alu mul 3; lds 4 and more
// when the port is taken; load, store 9, mm 10, vec 8, qnt 7, plus waiting for a full queue. In its
// first cycle (Decode) an instruction has its first two registers, is judged and computes; what it
// changes, it changes in its last one. Meanwhile memory gives the next instruction, whose first two
// registers are read in that last cycle. Behind a loop, one that runs 0 times too, fetching begins
// anew: 2 cycles more.
module npu_seq
  import npu_types::*;
(
  input  logic           clk_i,
  input  logic           rst_ni,
  input  logic           start_i,
  input  logic           kill_i,
  input  logic           loaded_i,
  input  logic [31:0]    code_len_i,
  input  logic [31:0]    watchdog_i,   // 0: no limit
  output logic [3:0]     arg_idx_o,
  input  logic [31:0]    arg_i,
  output logic [2:0]     window_idx_o,
  input  window_t        window_i,
  output logic           idle_o,
  output fault_t         fault_o,
  // instruction memory, data one cycle after imem_ren_o
  output logic           imem_ren_o,
  output logic [$clog2(npu_pkg::ImemWords)-1:0] imem_addr_o,
  input  npu_check_pkg::held_insn_t imem_rdata_i,
  // engine queues
  output logic [Engines-1:0] push_valid_o,
  input  logic [Engines-1:0] push_ready_i,
  output que_tag_t       push_tag_o,
  output ld_cmd_t        push_ld_o,
  output st_cmd_t        push_st_o,
  output mx_cmd_t        push_mx_o,
  output ve_cmd_t        push_ve_o,
  // semaphores
  output sem_op_t        take_o,
  input  logic           take_grant_i,
  output sem_op_t        sig_o,
  input  logic           sig_grant_i,
  // vector memory, one word
  output logic           lds_valid_o,
  output logic [$clog2(npu_pkg::VmemWords)-1:0] lds_word_o,
  input  logic           lds_ready_i,
  input  logic           lds_dvalid_i,
  input  logic [31:0]    lds_data_i,
  // events
  output seq_ev_t        ev_o,
  output cmd_ev_t        count_o,
  output amount_ev_t     amount_o
);
  import npu_pkg::*;

  typedef enum logic [3:0] {
    Idle, Clean, Copy, Load, Fill0, Fill1, Decode, Act, Mul1, Mul2, LdsAsk, LdsData, Check, Push,
    Skip
  } state_e;

  localparam logic [31:0] Imem = ImemWords;

  state_e state_q, state_d;
  pc_t    pc_q, next_pc;
  pc_t    fetch_pc_q;    // the instruction that memory gives now
  logic   advance;       // the instruction at pc_q is complete; the next one follows
  logic   foreseen;      // memory gives the next instruction now
  logic   take_in;       // the instruction that memory gives becomes the one at pc_q
  logic   fill, launch;  // there is no instruction at pc_q; nor one fetched
  fault_e fault;

  assign fill   = state_q == Fill0 || state_q == Fill1;
  assign launch = state_q == Clean || state_q == Copy || state_q == Load;

  // ---- decode -----------------------------------------------------------------------------------
  typedef struct packed {
    logic alu;      // but for mul
    logic store;
    logic mul;
    logic loop;
    logic lds;
    logic take;
    logic sig;
    logic halt;
  } ops_t;

  insn_t      insn_q;
  ops_t       ops_q, next_ops, next_ops_q;
  npu_check_pkg::kind_e kind_q, next_kind_q;
  // verilator lint_off UNUSEDSIGNAL
  alu_insn_t  alu, next_alu;
  loop_insn_t lp;
  wait_insn_t wt;  // signal has the same fields
  // verilator lint_on UNUSEDSIGNAL
  engine_e    engine;
  logic       to_seq;

  assign alu = insn_q;
  assign lp  = insn_q;
  assign wt  = insn_q;
  assign engine = engine_e'(wt.eng);
  assign to_seq = engine == ENGINE_SEQ;

  assign next_alu = imem_rdata_i.insn;
  always_comb begin
    next_ops = '0;
    unique case (next_alu.opcode)
      OP_ALU, OP_ALUI: begin
        next_ops.mul = next_alu.fn == ALU_FN_MUL;
        next_ops.alu = !next_ops.mul;
      end
      OP_LOOP:   next_ops.loop = 1'b1;
      OP_LDS:    next_ops.lds  = 1'b1;
      OP_WAIT:   next_ops.take = 1'b1;
      OP_SIGNAL: next_ops.sig  = 1'b1;
      OP_HALT:   next_ops.halt = 1'b1;
      OP_STORE:  next_ops.store = 1'b1;
      default: ;
    endcase
  end

  // ---- registers --------------------------------------------------------------------------------
  logic [1:0][5:0]  raddr, check_raddr, next_regs_q;
  logic [1:0][31:0] rdata;
  logic [31:0]      ra_q, rb_q;  // operands of the instruction at pc_q: registers, or b immediate
  logic             check_reads, clean, next_imm_q;
  logic             wen;
  logic [5:0]       waddr;
  logic [31:0]      wdata, alu_y, mul_p;
  logic [31:0]      y_q;         // what an alu or lds instruction writes
  logic [3:0]       arg_q;

  npu_regfile u_regs (
    .clk_i, .rst_ni, .sweep_i(state_q == Idle || state_q == Clean), .clean_o(clean),
    .raddr_i(raddr), .rdata_o(rdata), .wen_i(wen), .waddr_i(waddr), .wdata_i(wdata)
  );

  assign raddr = check_reads ? check_raddr : next_regs_q;

  always_ff @(posedge clk_i) begin
    next_regs_q <= imem_rdata_i.regs;
    next_ops_q  <= next_ops;
    next_imm_q  <= next_alu.opcode == OP_ALUI;
    next_kind_q <= npu_check_pkg::kind_of(next_alu.opcode);
    if (take_in) begin
      insn_q <= imem_rdata_i.insn;
      ops_q  <= next_ops_q;
      kind_q <= next_kind_q;
      // What is being written counts.
      ra_q   <= wen && waddr != '0 && waddr == next_regs_q[0] ? wdata : rdata[0];
      rb_q   <= next_imm_q ? imem_rdata_i.insn[55:24] :
                wen && waddr != '0 && waddr == next_regs_q[1] ? wdata : rdata[1];
    end
  end

  npu_alu u_alu (.fn_i(alu.fn), .a_i(ra_q), .b_i(rb_q), .y_o(alu_y));

  always_ff @(posedge clk_i) begin
    if (state_q == Decode && ops_q.alu) y_q <= alu_y;
    if (state_q == LdsData) y_q <= lds_data_i;
  end

  assign arg_idx_o = arg_q;
  assign wen   = state_q == Copy || state_q == Mul2 || (state_q == Act && (ops_q.alu || ops_q.lds));
  assign waddr = state_q == Copy ? {2'd0, arg_q} + 6'd1 : ops_q.lds ? insn_q[13:8] : alu.rd;
  assign wdata = state_q == Copy ? arg_i : state_q == Mul2 ? mul_p : y_q;

  // ---- command checks ---------------------------------------------------------------------------
  logic   verdict, empty, fail;
  fault_e check_fault;

  npu_check u_check (
    .clk_i, .rst_ni, .cancel_i(kill_i || fault != FAULT_NONE),
    .start_i(take_in), .insn_i(insn_q), .kind_i(kind_q), .next_i(imem_rdata_i.insn),
    .next_kind_i(next_kind_q), .store_i(ops_q.store), .next_store_i(next_ops_q.store),
    .reads_o(check_reads), .raddr_o(check_raddr), .rdata_i(rdata), .first_i({rb_q, ra_q}),
    .verdict_o(verdict), .fail_o(fail), .fault_o(check_fault), .empty_o(empty),
    .ld_cmd_o(push_ld_o), .st_cmd_o(push_st_o), .mx_cmd_o(push_mx_o), .ve_cmd_o(push_ve_o),
    .window_idx_o, .window_i,
    .mul_valid_i(state_q == Decode && ops_q.mul), .mul_p_o(mul_p),
    .count_o, .amount_o
  );

  // ---- loops ------------------------------------------------------------------------------------
  logic loop_bad;
  pc_t  limit_q;  // pc values that are in the program

  always_ff @(posedge clk_i) limit_q <= code_len_i > Imem ? pc_t'(Imem) : pc_t'(code_len_i);

  npu_loops u_loops (
    .clk_i, .rst_ni, .clear_i(launch), .fill_i(fill), .fetch_pc_i(fetch_pc_q), .pc_i(pc_q),
    .is_loop_i(ops_q.loop), .end_i(lp.end_), .count_i(ra_q), .limit_i(limit_q),
    .advance_i(advance), .take_in_i(take_in), .bad_o(loop_bad), .foreseen_o(foreseen),
    .next_pc_o(next_pc)
  );

  assign take_in = state_q == Fill1 || (advance && foreseen);

  // ---- issued semaphore balance -----------------------------------------------------------------
  // Remote semaphores have none: only other chiplets signal them, in their own time.
  logic short, over, remote;
  assign remote = wt.sem[SemBits-1];

  npu_balance u_balance (
    .clk_i, .clear_i(state_q == Copy), .clear_idx_i(arg_q), .sem_i(wt.sem[SemBits-2:0]),
    .n_i(wt.n), .is_wait_i(ops_q.take), .move_i(advance && (ops_q.take || ops_q.sig) && !remote),
    .short_o(short), .over_o(over)
  );

  // ---- execution --------------------------------------------------------------------------------
  logic [31:0] left_q;                 // instructions until the watchdog
  logic        limited_q, expired_q;
  logic        done_one, queue_ready, to_queue, hold_queue, hold_sem;
  logic        granted_q;              // its semaphore operation, in the last cycle
  logic        unknown_q, reserved_q, outside_q;  // of the instruction at pc_q
  logic [1:0]  queue_q;                // the engine whose queue it goes to
  fault_e      early, early_q;         // early_q: in the cycle behind Decode
  logic        bad_q;                  // it is a fault

  always_ff @(posedge clk_i) begin
    if (take_in) begin
      unknown_q  <= imem_rdata_i.unknown;
      reserved_q <= imem_rdata_i.reserved;
      outside_q  <= fetch_pc_q >= limit_q;
    end
    if (state_q == Decode) begin
      queue_q <= kind_q == npu_check_pkg::KindSeq ? engine[1:0] : 2'(engine_of(alu.opcode));
    end
  end

  // Faults that need no execution, in the documented order.
  always_comb begin
    early = FAULT_NONE;
    if ((ops_q.take && short && !remote) || (ops_q.sig && over)) early = FAULT_SEMAPHORE;
    if (remote && (ops_q.sig || (ops_q.take && Chiplets == 1))) early = FAULT_SEMAPHORE;
    if ((ops_q.take || ops_q.sig) && wt.n == '0) early = FAULT_RESERVED;
    if (ops_q.lds && ra_q >= VmemWords) early = FAULT_ONCHIP;
    if (ops_q.loop && loop_bad) early = FAULT_LOOP;
    if (reserved_q) early = FAULT_RESERVED;
    if (unknown_q) early = FAULT_OPCODE;
    if (outside_q) early = FAULT_LOOP;
    if (expired_q) early = FAULT_WATCHDOG;
  end

  assign queue_ready = push_ready_i[queue_q];
  assign to_queue    = (ops_q.take || ops_q.sig) && !to_seq;

  always_comb begin
    state_d = state_q;
    advance = 1'b0;
    done_one = 1'b0;
    fault = early_q;
    push_valid_o = '0;
    take_o = '{valid: 1'b0, sem: wt.sem, n: wt.n};
    sig_o  = '{valid: 1'b0, sem: wt.sem, n: wt.n};
    lds_valid_o = 1'b0;
    hold_queue = 1'b0;
    hold_sem = 1'b0;

    unique case (state_q)
      Idle: if (start_i) state_d = Clean;
      Clean: if (clean) state_d = Copy;
      Copy: if (arg_q == 4'(Args - 1)) state_d = Load;
      Load: if (loaded_i) state_d = Fill0;
      Fill0: state_d = Fill1;
      Fill1: state_d = Decode;
      Decode: begin
        state_d = Act;
        if (kind_q != npu_check_pkg::KindSeq) state_d = Check;
        if (ops_q.mul) state_d = Mul1;
        if (ops_q.lds) state_d = LdsAsk;
      end
      Act: begin
        if (!bad_q) begin
          take_o.valid = ops_q.take && to_seq && !granted_q;
          sig_o.valid  = ops_q.sig && to_seq && !granted_q;
          push_valid_o[queue_q] = to_queue;
          advance    = ops_q.alu || ops_q.lds || ops_q.loop || granted_q ||
                       (to_queue && queue_ready);
          hold_sem   = (ops_q.take || ops_q.sig) && to_seq && !granted_q;
          hold_queue = to_queue && !queue_ready;
          if (ops_q.halt) begin
            done_one = 1'b1;
            state_d = Idle;
          end
        end
      end
      Mul1: state_d = Mul2;
      Mul2: advance = 1'b1;
      LdsAsk: begin
        lds_valid_o = !bad_q;
        if (lds_ready_i) state_d = LdsData;
      end
      LdsData: if (lds_dvalid_i) state_d = Act;
      Check: begin
        if (verdict) begin
          state_d = empty ? Skip : Push;
          if (fail) fault = check_fault;
        end
      end
      Push: begin
        push_valid_o[queue_q] = 1'b1;
        advance = queue_ready;
        hold_queue = !queue_ready;
      end
      Skip: advance = 1'b1;
      default: state_d = Idle;
    endcase

    if (advance) begin
      state_d = foreseen ? Decode : Fill0;
      done_one = 1'b1;
    end
    if (fault != FAULT_NONE || kill_i) state_d = Idle;
  end

  assign lds_word_o  = ra_q[$clog2(VmemWords)-1:0];
  assign imem_ren_o  = advance || state_q == Load || state_q == Fill1;
  assign imem_addr_o = next_pc[$clog2(ImemWords)-1:0];
  assign idle_o      = state_q == Idle;
  assign push_tag_o  = '{kind: ops_q.take ? QueWait : ops_q.sig ? QueSignal : QueCmd, pc: pc_q,
                         sem: wt.sem, n: wt.n};
  assign fault_o     = '{valid: fault != FAULT_NONE && !kill_i, code: fault, pc: pc_q,
                         engine: ENGINE_SEQ, addr: '0};
  assign ev_o        = '{instruction: done_one, signal: advance && ops_q.sig,
                         wait_op: advance && ops_q.take, wait_queue: hold_queue,
                         wait_sem: hold_sem};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q    <= Idle;
      pc_q       <= '0;
      fetch_pc_q <= '0;
      arg_q      <= '0;
      left_q     <= '0;
      limited_q  <= 1'b0;
      expired_q  <= 1'b0;
      early_q    <= FAULT_NONE;
      bad_q      <= 1'b0;
      granted_q  <= 1'b0;
    end else begin
      state_q   <= state_d;
      granted_q <= take_grant_i || sig_grant_i;
      if (take_in) pc_q <= fetch_pc_q;
      if (imem_ren_o) fetch_pc_q <= next_pc;
      if (start_i) arg_q <= '0;
      else if (state_q == Copy) arg_q <= arg_q + 4'd1;
      if (start_i) left_q <= watchdog_i;
      else if (done_one) left_q <= left_q - 32'd1;
      if (start_i) limited_q <= watchdog_i != '0;
      expired_q <= limited_q && !start_i && (left_q == '0 || (done_one && left_q == 32'd1));
      early_q   <= state_q == Decode && !kill_i ? early : FAULT_NONE;
      bad_q     <= state_q == Decode && !kill_i && early != FAULT_NONE;
    end
  end
endmodule
