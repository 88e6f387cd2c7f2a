// Resolves one engine command (register fields to values) and checks it in the documented order:
// align, shape, window, onchip. Holds the only multiplier of the control part, shared with alu mul.
//
// Cycles from start_i (in which the sequencer reads the first two registers) to verdict_o, both
// counted: load, store 9; mm 10; vec 8; qnt 7. All checks run side by side, the order is applied at
// the verdict. Steps s = 0.. pick factors in cycle s + 1; the product is there in cycle s + 3 and
// the box sum it goes into in cycle s + 4. The amount for the exact counters comes with the verdict
// or two cycles later.
// mul: first_i with mul_valid_i gives mul_p_o two cycles later.
module npu_check
  import npu_types::*;
(
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             cancel_i,
  // command: insn_i and kind_i hold it from the cycle after start_i until the verdict has been
  // taken, next_i and next_kind_i are it in the cycle of start_i; nothing happens with KindSeq
  input  logic             start_i,
  input  npu_pkg::insn_t   insn_i,
  input  npu_check_pkg::kind_e kind_i,
  input  npu_pkg::insn_t   next_i,
  input  npu_check_pkg::kind_e next_kind_i,
  input  logic             store_i,      // insn_i is a store
  input  logic             next_store_i,
  output logic             reads_o,      // this cycle's register reads are raddr_o
  output logic [1:0][5:0]  raddr_o,
  input  logic [1:0][31:0] rdata_i,
  input  logic [1:0][31:0] first_i,      // the first two registers, in the cycle after start_i
  output logic             verdict_o,
  output logic             fail_o,       // with the verdict: fault_o is one
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
  input  logic             mul_valid_i,  // in the cycle after start_i
  output logic [31:0]      mul_p_o,
  output cmd_ev_t          count_o,
  output amount_ev_t       amount_o
);
  import npu_check_pkg::*;

  // ---- steps ------------------------------------------------------------------------------------
  kind_e      kind;
  logic       busy_q;
  logic [3:0] cycle_q;    // cycles since start_i
  logic [3:0] last;       // the cycle before the verdict's
  logic       decide, gathers;
  logic [2:0] group;

  assign kind  = kind_i;
  assign last  = verdict_cycle(kind);
  assign group = cycle_q[2:0];
  assign gathers = kind == KindDma && !store_i && gather(insn_i);
  assign decide = busy_q && cycle_q == last;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      cycle_q <= '0;
    end else if (cancel_i) begin
      busy_q  <= 1'b0;
    end else if (start_i) begin
      busy_q  <= next_kind_i != KindSeq;
      cycle_q <= 4'd1;
    end else if (busy_q) begin
      busy_q  <= cycle_q != last;
      cycle_q <= cycle_q + 4'd1;
    end
  end

  // ---- operands ---------------------------------------------------------------------------------
  // Slots in the order of reading; npu_check_pkg says which field is in which.
  logic [31:0] slot_q [Slots];
  logic        at_first_q;  // the cycle after start_i

  always_ff @(posedge clk_i) begin
    raddr_o <= start_i ? registers_of(next_i, next_kind_i, next_store_i, 3'd1)
                       : registers_of(insn_i, kind, store_i, group + 3'd1);
    reads_o <= start_i ? next_kind_i != KindSeq : busy_q && cycle_q + 4'd1 < groups_of(kind);
    at_first_q <= start_i;
  end

  always_ff @(posedge clk_i) begin
    if (reads_o) begin
      for (int unsigned p = 0; p < 2; p++) slot_q[{group, 1'(p)}] <= rdata_i[p];
    end
    if (at_first_q) {slot_q[1], slot_q[0]} <= first_i;
  end

  // ---- multiplier -------------------------------------------------------------------------------
  step_t       step;       // of this cycle; every kind begins with a box
  logic [31:0] x, y, x_q, y_q;
  logic [63:0] p_q;
  logic        x_valid, x_valid_q;

  always_ff @(posedge clk_i) begin
    step <= step_of(kind, cycle_q);
    if (start_i) step <= next_kind_i == KindSeq ? NoStep : box('0, '0);
  end

  // The second factor pair of an amount needs the product of the first: cycle of the verdict.
  assign x_valid = mul_valid_i || (busy_q && step.valid);

  always_comb begin
    // Only these slots are ever factors.
    unique case (step.x)
      4'd0:    x = slot_q[0];
      4'd2:    x = slot_q[2];
      default: x = slot_q[6];
    endcase
    unique case (step.y)
      4'd1:    y = slot_q[1];
      4'd2:    y = slot_q[2];
      4'd3:    y = slot_q[3];
      4'd4:    y = slot_q[4];
      4'd5:    y = slot_q[5];
      4'd6:    y = slot_q[6];
      4'd7:    y = slot_q[7];
      default: y = slot_q[9];
    endcase
    if (at_first_q) {y, x} = first_i;
    if (step.minus_one) x -= 32'd1;
    if (step.chained) x = p_q[31:0];
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

  // ---- box sums ---------------------------------------------------------------------------------
  // One sum of a product, an address and one more term a cycle; a sum of two products takes two. A
  // product of 2^34 or more is beyond every memory and window: a flag stands for it.
  typedef logic [35:0] sum_t;
  sum_t acc_q, p, product, address, term, acc;
  sum_step_t sum_q;
  logic big, big_q, joined;   // joined: the sum goes on from the last one
  logic out_of_window_q, out_of_chip_q, rows_close_q, blocks_close_q;
  logic [31:0] room_q;
  logic [26:0] blocks;
  logic [3:0]  acc_step, cmp_step;

  assign p   = {2'd0, p_q[33:0]};
  assign big = |p_q[63:34];
  always_ff @(posedge clk_i) begin
    acc_step <= start_i ? 4'(1 - 3) : acc_step + 4'd1;  // cycle_q - 3
    cmp_step <= start_i ? 4'(1 - 4) : acc_step;            // cycle_q - 4
  end
  assign blocks   = 27'((slot_q[VCols] + 32'd31) >> 5);

  function automatic sum_t wide(logic [31:0] v);
    return {4'd0, v};
  endfunction

  // What goes into this cycle's sum.
  always_ff @(posedge clk_i) begin
    sum_q <= sum_of(kind, gathers, b_is_vector(insn_i), acc_step + 4'd1);
  end

  always_comb begin
    unique case (sum_q.address)
      4'd4:    address = wide(slot_q[4]);
      4'd6:    address = wide(slot_q[6]);
      4'd7:    address = wide(slot_q[7]);
      4'd8:    address = wide(slot_q[8]);
      default: address = '0;
    endcase
    unique case (sum_q.term)
      TermLen:    term = wide(slot_q[DLen]);
      TermRow:    term = sum_t'(npu_pkg::Cols);
      TermKb:     term = is_sparse(insn_i) ? wide({slot_q[MKb][25:0], 6'd0})
                                           : wide({slot_q[MKb][26:0], 5'd0});
      TermCols:   term = wide(slot_q[VCols]);
      TermBlocks: term = {4'd0, blocks, 5'd0};
      TermOne:    term = sum_t'(1);
      TermLast:   term = acc_q;
      default:    term = '0;
    endcase
    joined  = sum_q.term == TermLast;
    product = sum_q.skip ? '0 : p;
    acc     = product + address + term;
  end

  // One past the last element, one cycle after its sum.
  always_ff @(posedge clk_i) begin
    if (busy_q) begin
      acc_q <= acc;
      big_q <= (big && !sum_q.skip) || (joined && big_q);
    end
  end

  // The box that is checked in this cycle: its end against its memory or window.
  logic        over, beyond;
  logic [31:0] limit_q;
  // verilator lint_off UNUSEDSIGNAL
  // (of what is left only the sign and 32 bits count)
  logic [36:0] left;
  // verilator lint_on UNUSEDSIGNAL

  // acc_step is the next cycle's cmp_step.
  always_ff @(posedge clk_i) begin
    limit_q <= npu_pkg::VmemWords;
    unique case (kind)
      KindDma: limit_q <= acc_step == 4'd1 ? window_i.size : space_bytes(space_of(insn_i));
      KindMm:  if (acc_step == 4'd4) limit_q <= npu_pkg::AspmBytes;
      KindQnt: if (acc_step == 4'd1) limit_q <= npu_pkg::AspmBytes;
      default: ;
    endcase
  end
  assign left   = {5'd0, limit_q} - {1'b0, acc_q};
  assign beyond = left[36] || big_q;

  logic tiles_over;
  logic [31:0] first_index;
  if (npu_pkg::Sparse) begin : gen_indices
    assign first_index = slot_q[MWi];
  end else begin : gen_no_indices
    assign first_index = '0;
  end
  npu_check_tiles u_tiles (
    .clk_i, .valid_i(busy_q), .insn_i, .extent_i(acc_q[34:0]), .big_i(big_q), .w_i(slot_q[MW]),
    .ws_i(slot_q[MWs]), .wi_i(first_index), .over_o(tiles_over)
  );

  always_comb begin
    over = 1'b0;
    unique case (kind)
      KindDma: over = cmp_step == 4'd3 && beyond;
      KindMm: begin
        if (cmp_step == 4'd1 || cmp_step == 4'd4) over = beyond;
        if (cmp_step == 4'd4 && tiles_over) over = 1'b1;
      end
      default: begin
        if (cmp_step == 4'd0) over = beyond;
        if (cmp_step == 4'd1) over = (kind == KindQnt || writes_dst(insn_i)) && beyond;
        if (cmp_step == 4'd2) over = reads_b(insn_i) && beyond;
      end
    endcase
  end

  // mm: the next output row, or block of columns, begins before the last one ends.
  logic [36:0] gap;
  logic        close;
  assign gap   = {5'd0, acc_step == 4'd0 ? slot_q[MOn] : slot_q[MOm]} - {1'b0, p};
  assign close = big || gap[36] || gap[35:0] < sum_t'(npu_pkg::Cols);

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      out_of_window_q <= 1'b0;
      out_of_chip_q   <= 1'b0;
    end else if (busy_q) begin
      out_of_chip_q <= out_of_chip_q || over;
      if (kind == KindDma && cmp_step == 4'd1) begin
        out_of_window_q <= beyond;
        room_q          <= left[31:0];
      end
      if (acc_step == 4'd0) rows_close_q <= close;
      if (acc_step == 4'd1) blocks_close_q <= close;
    end
  end

  // ---- verdict ----------------------------------------------------------------------------------
  logic misaligned, misshaped, empty, many, none, closed, rows_named, list_over;

  assign many = too_many(slot_q[0]) || too_many(slot_q[2]);
  assign none = slot_q[0] == '0 || slot_q[2] == '0;
  assign closed    = store_i ? !window_i.writable : !window_i.readable;
  assign list_over = rows_named && rows_over(slot_q[9], slot_q[0]);

  always_comb begin
    misaligned = 1'b0;
    misshaped  = 1'b0;
    empty      = none;
    rows_named = 1'b0;
    unique case (kind)
      KindDma: begin
        misaligned = slot_q[DDa][0] | slot_q[DDs1][0] | slot_q[DDs2][0] | slot_q[DCa][0] |
                     slot_q[DCs1][0] | slot_q[DCs2][0] | slot_q[DLen][0] |
                     (space_of(insn_i) == npu_pkg::SPACE_VMEM &&
                      (slot_q[DCa][1] | slot_q[DCs1][1] | slot_q[DCs2][1] | slot_q[DLen][1]));
        misshaped  = slot_q[DLen] > npu_pkg::LenMax || many;
        empty      = none || slot_q[DLen] == '0;
        rows_named = gathers;
      end
      KindMm: begin
        misaligned = |slot_q[MA][4:0] || |slot_q[MAm][4:0] ||
                     off_tile(insn_i, slot_q[MW] | slot_q[MWn] | slot_q[MWk]) ||
                     (has_wscale(insn_i) && off_set(insn_i, slot_q[MWs])) ||
                     (is_sparse(insn_i) && |first_index[$clog2(IndexBytes)-1:0]) ||
                     off_row(slot_q[MO] | slot_q[MOm] | slot_q[MOn]);
        misshaped  = many || too_many(slot_q[MKb]) ||
                     (slot_q[MM] > 32'd1 && slot_q[MOm] < npu_pkg::Cols) ||
                     (slot_q[MNb] > 32'd1 && slot_q[MOn] < npu_pkg::Cols) ||
                     (slot_q[MM] > 32'd1 && slot_q[MNb] > 32'd1 && rows_close_q && blocks_close_q);
        empty      = none || slot_q[MKb] == '0;
      end
      default: begin
        misaligned = off_row(slot_q[VA] | slot_q[VAs]) ||
                     (kind == KindQnt
                          ? |slot_q[VDst][4:0] || |slot_q[VDs][4:0]
                          : writes_dst(insn_i) && off_row(slot_q[VDst] | slot_q[VDs])) ||
                     (kind == KindVec && b_is_vector(insn_i) && off_row(slot_q[VB] | slot_q[VBs]));
        misshaped  = many ||
                     (kind == KindQnt ? by_row(insn_i) && slot_q[VCols] > npu_pkg::QuantColsMax
                                      : swaps(insn_i) && slot_q[VCols][0]);
        rows_named = writes_r(insn_i, kind);
      end
    endcase
  end

  // Each finding in a register, their order in the cycle of the verdict.
  logic misaligned_q, misshaped_q, closed_q, list_over_q;

  always_ff @(posedge clk_i) begin
    if (decide) begin
      misaligned_q <= misaligned;
      misshaped_q  <= misshaped;
      closed_q     <= kind == KindDma && closed;
      list_over_q  <= list_over;
      empty_o      <= empty;
    end
  end

  always_comb begin
    fault_o = npu_pkg::FAULT_NONE;
    if (misaligned_q) fault_o = npu_pkg::FAULT_ALIGN;
    else if (misshaped_q) fault_o = npu_pkg::FAULT_SHAPE;
    else if (!empty_o) begin
      if (closed_q || out_of_window_q) fault_o = npu_pkg::FAULT_WINDOW;
      else if (out_of_chip_q || list_over_q) fault_o = npu_pkg::FAULT_ONCHIP;
    end
  end
  assign fail_o = misaligned_q || misshaped_q ||
                  (!empty_o && (closed_q || out_of_window_q || out_of_chip_q || list_over_q));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) verdict_o <= 1'b0;
    else verdict_o <= decide && !cancel_i;
  end

  assign window_idx_o = insn_i[10:8];

  // ---- resolved command -------------------------------------------------------------------------
  logic [Slots-1:0][31:0] slots;
  for (genvar i = 0; i < Slots; i++) begin : gen_slots
    assign slots[i] = slot_q[i];
  end

  npu_resolve u_resolve (
    .insn_i, .kind_i(kind), .slot_i(slots), .base_i(window_i.base), .room_i(room_q),
    .ld_cmd_o, .st_cmd_o, .mx_cmd_o, .ve_cmd_o
  );

  npu_amounts u_amounts (
    .clk_i, .rst_ni, .passed_i(verdict_o && !fail_o), .kind_i(kind), .store_i,
    .gather_i(gathers && slot_q[DLen] != '0), .product_i(p_q), .count_o, .amount_o
  );
endmodule
