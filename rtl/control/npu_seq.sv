// The sequencer: runs the program in instruction memory, in order. Holds registers, loops, the issued
// semaphore balance and the watchdog; hands checked commands, waits and signals to the engine fronts.
//
// start_i begins a run: 16 cycles to copy the arguments, then it waits for loaded_i. kill_i ends it at
// once. idle_o: not running (halted, faulted or killed). A fault is reported by one pulse on fault_o.
// Cycles per instruction: alu, alui, loop, signal, wait 1 (plus waiting for a queue or semaphore);
// alu mul 3; lds 3 and more when the port is taken; load, store 8, mm 9, vec 7, qnt 6, plus waiting
// for a full queue. While one instruction executes, the next one and its first two registers are read, and
// the one behind it is asked for. Behind a loop, one that runs 0 times too, fetching begins anew: 1
// cycle more.
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
    Idle, Copy, Load, Fill, Exec, Mul1, Mul2, LdsAsk, LdsData, Check, Push
  } state_e;

  localparam logic [31:0] Imem = ImemWords;

  state_e state_q, state_d;
  pc_t    pc_q, target;
  pc_t    fetch_pc_q, follow;  // the instruction that memory gives now; the one behind it, most likely
  logic   advance;       // the instruction at pc_q is complete; the next one follows
  logic   foreseen;      // memory gives the next instruction now
  logic   take_in;       // the instruction that memory gives becomes the one at pc_q
  pc_t    fetch_next;
  fault_e fault;

  // ---- decode -----------------------------------------------------------------------------------------
  insn_t      insn, insn_q;
  // verilator lint_off UNUSEDSIGNAL
  alu_insn_t  alu;
  loop_insn_t lp;
  wait_insn_t wt;  // signal has the same fields
  // verilator lint_on UNUSEDSIGNAL
  engine_e    engine;
  logic       to_seq;

  assign insn = insn_q;
  assign alu = insn;
  assign lp  = insn;
  assign wt  = insn;
  assign engine = engine_e'(wt.eng);
  assign to_seq = engine == ENGINE_SEQ;

  // ---- registers --------------------------------------------------------------------------------------
  logic [1:0][5:0]  raddr, check_raddr;
  logic [1:0][31:0] rdata;
  logic [31:0]      ra, rb, ra_q, rb_q;  // first registers of the instruction at pc_q
  logic [31:0]      wdata_q;             // what was written while they were read
  logic [1:0]       hit_q;               // and is one of them
  logic             check_reads;
  npu_check_pkg::kind_e next_kind;
  logic             wen;
  logic [5:0]       waddr;
  logic [31:0]      wdata, alu_a, alu_b, alu_y, mul_p;
  logic [3:0]       arg_q;

  npu_regfile u_regs (
    .clk_i, .rst_ni, .clear_i(start_i), .raddr_i(raddr), .rdata_o(rdata),
    .wen_i(wen), .waddr_i(waddr), .wdata_i(wdata)
  );

  assign next_kind = npu_check_pkg::kind_of(imem_rdata_i.insn[7:0]);
  assign raddr = check_reads ? check_raddr : imem_rdata_i.regs;

  always_ff @(posedge clk_i) begin
    if (take_in) begin
      insn_q  <= imem_rdata_i.insn;
      ra_q    <= rdata[0];
      rb_q    <= rdata[1];
      wdata_q <= wdata;
      for (int unsigned p = 0; p < 2; p++) hit_q[p] <= wen && waddr != '0 && waddr == raddr[p];
    end
  end

  assign ra = hit_q[0] ? wdata_q : ra_q;
  assign rb = hit_q[1] ? wdata_q : rb_q;
  assign alu_a = ra;
  assign alu_b = insn[7:0] == OP_ALUI ? insn[55:24] : rb;

  npu_alu u_alu (.fn_i(alu.fn), .a_i(alu_a), .b_i(alu_b), .y_o(alu_y));

  assign arg_idx_o = arg_q;
  always_comb begin
    wen   = 1'b0;
    waddr = alu.rd;
    wdata = alu_y;
    unique case (state_q)
      Copy: begin
        wen   = 1'b1;
        waddr = {2'd0, arg_q} + 6'd1;
        wdata = arg_i;
      end
      Exec: wen = advance && (insn[7:0] == OP_ALU || insn[7:0] == OP_ALUI);
      Mul2: begin
        wen   = 1'b1;
        wdata = mul_p;
      end
      LdsData: begin
        wen   = lds_dvalid_i;
        waddr = insn[13:8];
        wdata = lds_data_i;
      end
      default: ;
    endcase
  end

  // ---- command checks -----------------------------------------------------------------------------------
  logic   verdict, empty;
  fault_e check_fault;
  logic   is_mul;

  assign is_mul = (insn[7:0] == OP_ALU || insn[7:0] == OP_ALUI) && alu.fn == ALU_FN_MUL;

  npu_check u_check (
    .clk_i, .rst_ni, .cancel_i(kill_i || fault != FAULT_NONE),
    .start_i(take_in && next_kind != npu_check_pkg::KindSeq), .insn_i(insn), .reads_o(check_reads),
    .raddr_o(check_raddr), .rdata_i(rdata), .first_i({rb, ra}),
    .verdict_o(verdict), .fault_o(check_fault), .empty_o(empty),
    .ld_cmd_o(push_ld_o), .st_cmd_o(push_st_o), .mx_cmd_o(push_mx_o), .ve_cmd_o(push_ve_o),
    .window_idx_o, .window_i,
    .mul_valid_i(state_q == Exec && is_mul), .mul_a_i(alu_a), .mul_b_i(alu_b), .mul_p_o(mul_p),
    .count_o, .amount_o
  );

  // ---- loops --------------------------------------------------------------------------------------------
  localparam int unsigned DepthBits = $clog2(LoopDepth + 1);
  typedef logic [$clog2(LoopDepth)-1:0] level_t;

  pc_t         first_q [LoopDepth];
  pc_t         last_q  [LoopDepth];
  logic [31:0] left_q  [LoopDepth];
  logic [DepthBits-1:0] depth_q;
  level_t      top;
  logic        at_end_q, again_q, loop_bad, loop_open, is_loop;
  // at_end_q, again_q: of the instruction at pc_q
  logic        fetch_at_end, fetch_again;
  logic [31:0] limit;  // pc values that are in the program

  assign limit    = code_len_i > Imem ? Imem : code_len_i;
  assign top      = level_t'(depth_q - 1'b1);
  assign loop_bad = depth_q == DepthBits'(LoopDepth) || lp.end_ <= pc_q ||
                    (depth_q == '0 ? {16'd0, lp.end_} >= limit : lp.end_ >= last_q[top]);
  assign is_loop   = insn[7:0] == OP_LOOP;
  assign loop_open = advance && is_loop && ra != '0;

  // The end of a loop is seen when its last instruction is fetched. What the instruction at pc_q does to the
  // innermost loop counts already, but for the end of that loop; then fetching begins anew.
  always_comb begin
    fetch_at_end = depth_q != '0 && last_q[top] == fetch_pc_q;
    fetch_again  = left_q[top] != (at_end_q && state_q != Fill ? 32'd2 : 32'd1);
    follow       = fetch_pc_q + 16'd1;
    if (is_loop && state_q != Fill) begin
      fetch_at_end = lp.end_ == fetch_pc_q;
      fetch_again  = ra != 32'd1;
      if (fetch_at_end && fetch_again) follow = fetch_pc_q;
    end else if (fetch_at_end && fetch_again) begin
      follow = first_q[top];
    end
  end

  always_ff @(posedge clk_i) begin
    if (take_in) begin
      at_end_q <= fetch_at_end;
      again_q  <= fetch_at_end && fetch_again;
    end
  end

  assign target   = is_loop ? lp.end_ + 16'd1 : pc_q + 16'd1;  // where it is not foreseen
  assign foreseen = !(is_loop && ra == '0) && (!at_end_q || again_q);
  assign take_in  = state_q == Fill || (advance && foreseen);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) depth_q <= '0;
    else if (start_i) depth_q <= '0;
    else if (loop_open) depth_q <= depth_q + 1'b1;
    else if (advance && at_end_q && !again_q) depth_q <= depth_q - 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (loop_open) begin
      first_q[level_t'(depth_q)] <= pc_q + 16'd1;
      last_q[level_t'(depth_q)]  <= lp.end_;
      left_q[level_t'(depth_q)]  <= ra;
    end else if (advance && again_q) begin
      left_q[top] <= left_q[top] - 32'd1;
    end
  end

  // ---- issued semaphore balance -----------------------------------------------------------------------
  logic is_wait, is_signal, short, over;

  assign is_wait   = insn[7:0] == OP_WAIT;
  assign is_signal = insn[7:0] == OP_SIGNAL;

  npu_balance u_balance (
    .clk_i, .clear_i(state_q == Copy), .clear_idx_i(arg_q), .sem_i(wt.sem), .n_i(wt.n),
    .is_wait_i(is_wait), .move_i(advance && (is_wait || is_signal)), .short_o(short), .over_o(over)
  );

  // ---- execution ------------------------------------------------------------------------------------------
  logic [31:0] executed_q;
  logic        done_one, queue_ready, hold_queue, hold_sem;
  fault_e      early;
  logic        unknown_q, reserved_q, outside_q;  // of the instruction at pc_q
  logic        expired_q;

  always_ff @(posedge clk_i) begin
    if (take_in) begin
      unknown_q  <= imem_rdata_i.unknown;
      reserved_q <= imem_rdata_i.reserved;
      outside_q  <= {16'd0, fetch_pc_q} >= limit;
    end
  end

  // Faults that need no execution, in the documented order.
  always_comb begin
    early = unknown_q ? FAULT_OPCODE : reserved_q ? FAULT_RESERVED : FAULT_NONE;
    if (!unknown_q && !reserved_q) begin
      unique case (insn[7:0])
        OP_LOOP: if (loop_bad) early = FAULT_LOOP;
        OP_LDS: if (ra >= VmemWords) early = FAULT_ONCHIP;
        OP_WAIT: begin
          if (wt.n == '0) early = FAULT_RESERVED;
          else if (short) early = FAULT_SEMAPHORE;
        end
        OP_SIGNAL: begin
          if (wt.n == '0) early = FAULT_RESERVED;
          else if (over) early = FAULT_SEMAPHORE;
        end
        default: ;
      endcase
    end
    if (outside_q) early = FAULT_LOOP;
    if (expired_q) early = FAULT_WATCHDOG;
  end

  logic [1:0] cmd_engine;
  assign cmd_engine  = 2'(engine_of(insn[7:0]));
  assign queue_ready = state_q == Exec ? push_ready_i[engine[1:0]] : push_ready_i[cmd_engine];

  always_comb begin
    state_d = state_q;
    advance = 1'b0;
    done_one = 1'b0;
    fault = FAULT_NONE;
    push_valid_o = '0;
    take_o = '{valid: 1'b0, sem: wt.sem, n: wt.n};
    sig_o  = '{valid: 1'b0, sem: wt.sem, n: wt.n};
    lds_valid_o = 1'b0;
    hold_queue = 1'b0;
    hold_sem = 1'b0;

    unique case (state_q)
      Idle: if (start_i) state_d = Copy;
      Copy: if (arg_q == 4'(Args - 1)) state_d = Load;
      Load: if (loaded_i) state_d = Fill;
      Fill: state_d = Exec;
      Exec: begin
        if (early != FAULT_NONE) begin
          fault = early;
        end else begin
          unique case (insn[7:0])
            OP_HALT: begin
              done_one = 1'b1;
              state_d = Idle;
            end
            OP_ALU, OP_ALUI: begin
              advance = !is_mul;
              if (is_mul) state_d = Mul1;
            end
            OP_LOOP: advance = 1'b1;
            OP_LDS: state_d = LdsAsk;
            OP_WAIT: begin
              take_o.valid = to_seq;
              push_valid_o[engine[1:0]] = !to_seq;
              advance = to_seq ? take_grant_i : queue_ready;
              hold_sem = to_seq && !advance;
              hold_queue = !to_seq && !advance;
            end
            OP_SIGNAL: begin
              sig_o.valid = to_seq;
              push_valid_o[engine[1:0]] = !to_seq;
              advance = to_seq ? sig_grant_i : queue_ready;
              hold_sem = to_seq && !advance;
              hold_queue = !to_seq && !advance;
            end
            default: state_d = Check;
          endcase
        end
      end
      Mul1: state_d = Mul2;
      Mul2: advance = 1'b1;
      LdsAsk: begin
        lds_valid_o = 1'b1;
        if (lds_ready_i) state_d = LdsData;
      end
      LdsData: advance = lds_dvalid_i;
      Check, Push: begin
        if (state_q == Check && !verdict) begin
          // wait for the verdict
        end else if (state_q == Check && check_fault != FAULT_NONE) begin
          fault = check_fault;
        end else if (state_q == Check && empty) begin
          advance = 1'b1;
        end else begin
          push_valid_o[cmd_engine] = 1'b1;
          advance = queue_ready;
          hold_queue = !queue_ready;
          state_d = Push;
        end
      end
      default: state_d = Idle;
    endcase

    if (advance) begin
      state_d = foreseen ? Exec : Fill;
      done_one = 1'b1;
    end
    if (fault != FAULT_NONE || kill_i) state_d = Idle;
  end

  assign lds_word_o  = ra[$clog2(VmemWords)-1:0];
  assign fetch_next  = state_q == Load ? '0 : state_q == Fill || foreseen ? follow : target;
  assign imem_ren_o  = advance || state_q == Load || state_q == Fill;
  assign imem_addr_o = fetch_next[$clog2(ImemWords)-1:0];
  assign idle_o      = state_q == Idle;
  assign push_tag_o  = '{kind: is_wait ? QueWait : is_signal ? QueSignal : QueCmd, pc: pc_q,
                         sem: wt.sem, n: wt.n};
  assign fault_o     = '{valid: fault != FAULT_NONE && !kill_i, code: fault, pc: pc_q,
                         engine: ENGINE_SEQ, addr: '0};
  assign ev_o        = '{instruction: done_one, signal: advance && is_signal,
                         wait_op: advance && is_wait, wait_queue: hold_queue, wait_sem: hold_sem};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q    <= Idle;
      pc_q       <= '0;
      fetch_pc_q <= '0;
      arg_q      <= '0;
      executed_q <= '0;
      expired_q  <= 1'b0;
    end else begin
      state_q <= state_d;
      if (take_in) pc_q <= fetch_pc_q;
      if (imem_ren_o) fetch_pc_q <= fetch_next;
      if (start_i) arg_q <= '0;
      else if (state_q == Copy) arg_q <= arg_q + 4'd1;
      if (start_i) executed_q <= '0;
      else if (done_one) executed_q <= executed_q + 32'd1;
      expired_q <= !start_i && watchdog_i != '0 &&
                   (executed_q == watchdog_i || (done_one && executed_q + 32'd1 == watchdog_i));
    end
  end
endmodule
