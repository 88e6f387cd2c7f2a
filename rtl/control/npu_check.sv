// Resolves one engine command (register fields to values) and checks it in the documented order: align,
// shape, window, onchip. Holds the only multiplier of the control part, shared with alu mul.
//
// Cycles from start_i (in which the first four registers are read) to verdict_o, both counted:
// load, store 8; mm 9; vec 7; qnt 6. All checks run side by side, the order is applied at the verdict.
// Steps s = 0.. pick factors in cycle s + 1; the product is there in cycle s + 3 and the box sum it goes
// into in cycle s + 4. The amount for the exact counters follows the verdict by up to 4 cycles.
// mul: factors given with mul_valid_i (never while a check runs) give mul_p_o two cycles later.
module npu_check
  import npu_types::*;
(
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             cancel_i,
  // command, from the sequencer's decode stage; insn_i is held until the verdict has been taken
  input  logic             start_i,
  input  npu_pkg::insn_t   insn_i,
  output logic [3:0][5:0]  raddr_o,
  input  logic [3:0][31:0] rdata_i,
  output logic             verdict_o,
  output npu_pkg::fault_e  fault_o,
  output logic             empty_o,      // a count or the length is 0: nothing to execute
  // resolved command, valid with the verdict and until the next start
  output ld_cmd_t          ld_cmd_o,
  output st_cmd_t          st_cmd_o,
  output mx_cmd_t          mx_cmd_o,
  output ve_cmd_t          ve_cmd_o,
  // window named by the instruction
  output logic [2:0]       window_idx_o,
  input  window_t          window_i,
  // alu mul
  input  logic             mul_valid_i,
  input  logic [31:0]      mul_a_i,
  input  logic [31:0]      mul_b_i,
  output logic [31:0]      mul_p_o,
  output cmd_ev_t          count_o,
  output amount_ev_t       amount_o
);
  import npu_check_pkg::*;

  // ---- steps ---------------------------------------------------------------------------------------
  kind_e      kind;
  logic       busy_q;
  logic [3:0] cycle_q;    // cycles since start_i
  logic [3:0] last;       // the verdict's cycle
  logic [1:0] group;

  assign kind  = kind_of(insn_i[7:0]);
  assign last  = verdict_cycle(kind);
  assign group = busy_q ? cycle_q[1:0] : 2'd0;
  assign verdict_o = busy_q && cycle_q == last;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      cycle_q <= '0;
    end else if (cancel_i) begin
      busy_q  <= 1'b0;
    end else if (start_i) begin
      busy_q  <= 1'b1;
      cycle_q <= 4'd1;
    end else if (busy_q) begin
      busy_q  <= cycle_q != last;
      cycle_q <= cycle_q + 4'd1;
    end
  end

  // ---- operands -------------------------------------------------------------------------------------
  // Slots in the order of reading; npu_check_pkg says which field is in which.
  logic [31:0] slot_q [Slots];
  logic        read_now;

  assign raddr_o  = registers_of(insn_i, kind, group);
  assign read_now = start_i || (busy_q && cycle_q < 4'(Groups));

  always_ff @(posedge clk_i) begin
    if (read_now) begin
      for (int unsigned p = 0; p < 4; p++) slot_q[{group, 2'(p)}] <= rdata_i[p];
    end
  end

  // ---- multiplier -----------------------------------------------------------------------------------
  step_t       step;
  logic [31:0] x, y, x_q, y_q;
  logic [63:0] p_q;
  logic        x_valid, x_valid_q;

  assign step = step_of(kind, cycle_q - 4'd1);
  // The second factor pair of an amount needs the product of the first: cycle of the verdict.
  assign x_valid = mul_valid_i || (busy_q && step.valid);

  always_comb begin
    x = slot_q[step.x];
    y = slot_q[step.y];
    if (step.minus_one) x -= 32'd1;
    if (step.chained) x = p_q[31:0];
    if (mul_valid_i) begin
      x = mul_a_i;
      y = mul_b_i;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) x_valid_q <= 1'b0;
    else x_valid_q <= x_valid;
  end

  always_ff @(posedge clk_i) begin
    if (x_valid) begin
      x_q <= x;
      y_q <= y;
    end
    if (x_valid_q) p_q <= {32'd0, x_q} * {32'd0, y_q};
  end

  assign mul_p_o = p_q[31:0];

  // ---- box sums -------------------------------------------------------------------------------------
  // Sums of at most two products below 2^48 and small terms; larger products mean a shape fault.
  typedef logic [50:0] sum_t;
  sum_t acc_q, p;
  logic out_of_window_q, out_of_chip_q, rows_close_q, blocks_close_q;
  logic [31:0] room_q;
  logic [3:0]  acc_step, cmp_step;
  logic [31:0] blocks;

  assign p = {3'd0, p_q[47:0]};
  assign acc_step = cycle_q - 4'd3;
  assign cmp_step = cycle_q - 4'd4;
  assign blocks   = (slot_q[VCols] + 32'd31) >> 5;

  function automatic sum_t wide(logic [31:0] v);
    return {19'd0, v};
  endfunction

  // Word and byte addresses of one past the last element, per step.
  always_ff @(posedge clk_i) begin
    if (busy_q) begin
      unique case (kind)
        KindDma: begin
          unique case (acc_step)
            4'd0: acc_q <= (gather(insn_i) ? '0 : p) + wide(slot_q[DDa]) + wide(slot_q[DLen]);
            4'd2: acc_q <= p + wide(slot_q[DCa]) + wide(slot_q[DLen]);
            4'd1, 4'd3: acc_q <= acc_q + p;
            default: ;
          endcase
        end
        KindMm: begin
          unique case (acc_step)
            4'd0: acc_q <= p + wide(slot_q[MA]) + {14'd0, slot_q[MKb], 5'd0};
            4'd1: acc_q <= p + wide(slot_q[MO]) + sum_t'(npu_pkg::Cols);
            4'd2, 4'd4: acc_q <= acc_q + p;
            4'd3: acc_q <= p;
            default: ;
          endcase
        end
        default: begin
          unique case (acc_step)
            4'd0: acc_q <= p + wide(slot_q[VA]) + wide(slot_q[VCols]);
            4'd1: acc_q <= p + wide(slot_q[VDst]) +
                           (kind == KindQnt ? {14'd0, blocks, 5'd0} : wide(slot_q[VCols]));
            4'd2: acc_q <= p + wide(slot_q[VB]) +
                           (b_is_vector(insn_i) ? wide(slot_q[VCols]) : sum_t'(1));
            default: ;
          endcase
        end
      endcase
    end
  end

  // Results of boxes before the last one, and mm's distances between output rows.
  logic over;
  always_comb begin
    over = 1'b0;
    unique case (kind)
      KindDma: over = cmp_step == 4'd3 && acc_q > wide(space_bytes(space_of(insn_i)));
      KindMm: begin
        if (cmp_step == 4'd0) over = acc_q > sum_t'(npu_pkg::AspmBytes);
        if (cmp_step == 4'd2) over = acc_q > sum_t'(npu_pkg::VmemWords);
        if (cmp_step == 4'd4) begin
          over = acc_q + wide(slot_q[MW]) + sum_t'(tile_bytes(insn_i)) > sum_t'(npu_pkg::WspmBytes)
              || (has_wscale(insn_i) && (acc_q >> scale_shift(insn_i)) + wide(slot_q[MWs]) +
                  sum_t'(set_bytes(insn_i)) > sum_t'(npu_pkg::WscBytes));
        end
      end
      default: begin
        if (cmp_step == 4'd0) over = acc_q > sum_t'(npu_pkg::VmemWords);
        if (cmp_step == 4'd1) begin
          over = kind == KindQnt ? acc_q > sum_t'(npu_pkg::AspmBytes)
                                 : writes_dst(insn_i) && acc_q > sum_t'(npu_pkg::VmemWords);
        end
        if (cmp_step == 4'd2) over = reads_b(insn_i) && acc_q > sum_t'(npu_pkg::VmemWords);
      end
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      out_of_window_q <= 1'b0;
      out_of_chip_q   <= 1'b0;
    end else if (busy_q) begin
      out_of_chip_q <= out_of_chip_q || over;
      if (kind == KindDma && cmp_step == 4'd1) begin
        out_of_window_q <= acc_q > wide(window_i.size);
        room_q          <= window_i.size - acc_q[31:0];
      end
      if (kind == KindMm && acc_step == 4'd1) begin
        rows_close_q <= p + sum_t'(npu_pkg::Cols) > wide(slot_q[MOn]);
      end
      if (kind == KindMm && acc_step == 4'd2) begin
        blocks_close_q <= p + sum_t'(npu_pkg::Cols) > wide(slot_q[MOm]);
      end
    end
  end

  // ---- verdict --------------------------------------------------------------------------------------
  logic misaligned, misshaped, closed, list_over;

  always_comb begin
    misaligned = 1'b0;
    misshaped  = 1'b0;
    empty_o    = 1'b0;
    closed     = 1'b0;
    list_over  = 1'b0;
    unique case (kind)
      KindDma: begin
        misaligned = slot_q[DDa][0] | slot_q[DDs1][0] | slot_q[DDs2][0] | slot_q[DCa][0] |
                     slot_q[DCs1][0] | slot_q[DCs2][0] | slot_q[DLen][0] |
                     (space_of(insn_i) == npu_pkg::SPACE_VMEM &&
                      (slot_q[DCa][1] | slot_q[DCs1][1] | slot_q[DCs2][1] | slot_q[DLen][1]));
        misshaped  = slot_q[DLen] > npu_pkg::LenMax || too_many(slot_q[DN1]) ||
                     too_many(slot_q[DN2]);
        empty_o    = slot_q[DLen] == '0 || slot_q[DN1] == '0 || slot_q[DN2] == '0;
        closed     = is_store(insn_i) ? !window_i.writable : !window_i.readable;
        list_over  = gather(insn_i) && rows_over(slot_q[DIdx], slot_q[DN1]);
      end
      KindMm: begin
        misaligned = |slot_q[MA][4:0] || |slot_q[MAm][4:0] ||
                     off_tile(insn_i, slot_q[MW] | slot_q[MWn] | slot_q[MWk]) ||
                     (has_wscale(insn_i) && off_set(insn_i, slot_q[MWs])) ||
                     off_row(slot_q[MO] | slot_q[MOm] | slot_q[MOn]);
        misshaped  = too_many(slot_q[MM]) || too_many(slot_q[MKb]) || too_many(slot_q[MNb]) ||
                     (slot_q[MM] > 32'd1 && slot_q[MOm] < npu_pkg::Cols) ||
                     (slot_q[MNb] > 32'd1 && slot_q[MOn] < npu_pkg::Cols) ||
                     (slot_q[MM] > 32'd1 && slot_q[MNb] > 32'd1 && rows_close_q && blocks_close_q);
        empty_o    = slot_q[MM] == '0 || slot_q[MKb] == '0 || slot_q[MNb] == '0;
      end
      default: begin
        misaligned = off_row(slot_q[VA] | slot_q[VAs]) ||
                     (kind == KindQnt ? |slot_q[VDst][4:0] || |slot_q[VDs][4:0]
                                      : writes_dst(insn_i) && off_row(slot_q[VDst] | slot_q[VDs])) ||
                     (kind == KindVec && b_is_vector(insn_i) && off_row(slot_q[VB] | slot_q[VBs]));
        misshaped  = too_many(slot_q[VRows]) || too_many(slot_q[VCols]) ||
                     (kind == KindQnt ? by_row(insn_i) && slot_q[VCols] > npu_pkg::QuantColsMax
                                      : swaps(insn_i) && slot_q[VCols][0]);
        empty_o    = slot_q[VRows] == '0 || slot_q[VCols] == '0;
        list_over  = writes_r(insn_i, kind) && rows_over(slot_q[VR], slot_q[VRows]);
      end
    endcase
  end

  always_comb begin
    fault_o = npu_pkg::FAULT_NONE;
    if (misaligned) fault_o = npu_pkg::FAULT_ALIGN;
    else if (misshaped) fault_o = npu_pkg::FAULT_SHAPE;
    else if (!empty_o) begin
      if (kind == KindDma && (closed || out_of_window_q)) fault_o = npu_pkg::FAULT_WINDOW;
      else if (out_of_chip_q || over || list_over) fault_o = npu_pkg::FAULT_ONCHIP;
    end
  end

  assign window_idx_o = insn_i[10:8];

  // ---- resolved commands ----------------------------------------------------------------------------
  // verilator lint_off UNUSEDSIGNAL
  npu_pkg::load_insn_t  ld;
  npu_pkg::store_insn_t st;
  npu_pkg::mm_insn_t    mm;
  npu_pkg::vec_insn_t   ve;
  // verilator lint_on UNUSEDSIGNAL
  logic [DramBits-1:0]  dram_base;

  assign ld = insn_i;
  assign st = insn_i;
  assign mm = insn_i;
  assign ve = insn_i;
  assign dram_base = window_i.base + {8'd0, slot_q[DDa]};

  always_comb begin
    ld_cmd_o = '{dram_base: dram_base, room: room_q, cmd: '{
      idx: slot_q[DIdx], cs2: slot_q[DCs2], ds2: slot_q[DDs2], n2: slot_q[DN2], cs1: slot_q[DCs1],
      ds1: slot_q[DDs1], n1: slot_q[DN1], len: slot_q[DLen], ca: slot_q[DCa], da: slot_q[DDa],
      gather: ld.gather, space: ld.space, win: ld.win}};
    st_cmd_o = '{dram_base: dram_base, cmd: '{
      cs2: slot_q[DCs2], ds2: slot_q[DDs2], n2: slot_q[DN2], cs1: slot_q[DCs1],
      ds1: slot_q[DDs1], n1: slot_q[DN1], len: slot_q[DLen], ca: slot_q[DCa], da: slot_q[DDa],
      space: st.space, win: st.win}};
    mx_cmd_o = '{
      nb: slot_q[MNb], kb: slot_q[MKb], m: slot_q[MM], on: slot_q[MOn], om: slot_q[MOm],
      o: slot_q[MO], am: slot_q[MAm], a: slot_q[MA], wk: slot_q[MWk], wn: slot_q[MWn],
      ws: slot_q[MWs], w: slot_q[MW], colload: mm.colload, acc: mm.acc, ascale: mm.ascale,
      wscale: mm.wscale, wfmt: mm.wfmt};
    ve_cmd_o = '{is_qnt: 1'b0, qnt_row: 1'b0, vec: '{
      cols: slot_q[VCols], rows: slot_q[VRows], r: slot_q[VR], lim: slot_q[VLim], s: slot_q[VS],
      bs: slot_q[VBs], b: slot_q[VB], as: slot_q[VAs], a: slot_q[VA], ds: slot_q[VDs],
      dst: slot_q[VDst], linc: ve.linc, masked: ve.masked, swap: ve.swap, absa: ve.absa,
      negb: ve.negb, nega: ve.nega, wr: ve.wr, red: ve.red, func: ve.func, bmode: ve.bmode,
      op: ve.op}};
    if (kind == KindQnt) begin
      ve_cmd_o = '0;
      ve_cmd_o.is_qnt   = 1'b1;
      ve_cmd_o.qnt_row  = by_row(insn_i);
      ve_cmd_o.vec.cols = slot_q[VCols];
      ve_cmd_o.vec.rows = slot_q[VRows];
      ve_cmd_o.vec.r    = slot_q[VR];
      ve_cmd_o.vec.as   = slot_q[VAs];
      ve_cmd_o.vec.a    = slot_q[VA];
      ve_cmd_o.vec.ds   = slot_q[VDs];
      ve_cmd_o.vec.dst  = slot_q[VDst];
    end
  end

  // ---- amounts for the exact counters ----------------------------------------------------------------
  // Products of three factors are there two cycles after the verdict, those of two with it.
  logic       passed;
  logic [2:0] late1_q, late2_q;  // load, store, mm

  assign passed = verdict_o && fault_o == npu_pkg::FAULT_NONE;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      late1_q <= '0;
      late2_q <= '0;
    end else begin
      late1_q <= {passed && kind == KindDma && !is_store(insn_i),
                  passed && kind == KindDma && is_store(insn_i), passed && kind == KindMm};
      late2_q <= late1_q;
    end
  end

  assign amount_o = '{
    load_bytes: late2_q[2], store_bytes: late2_q[1], macs: late2_q[0],
    elems: passed && (kind == KindVec || kind == KindQnt),
    gather: passed && gather(insn_i) && slot_q[DLen] != '0, gather_rows: p_q[31:0], amount: p_q};

  assign count_o = '{
    load: passed && kind == KindDma && !is_store(insn_i),
    store: passed && kind == KindDma && is_store(insn_i),
    mm: passed && kind == KindMm, vec: passed && kind == KindVec, qnt: passed && kind == KindQnt};

endmodule
