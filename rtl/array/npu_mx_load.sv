// Tile loader: walks the stationary tiles of a command (nb outer, kb inner), reads one weight word
// a cycle (16 an int8 tile, 8 an e2m1 tile) and hands every tile's record to mover and foot. Takes
// the next command in the cycle of the last word, so commands follow without a gap. Of a sparse
// tile the indices come too: 4 words more, those of 8 rows before the weights of these rows.
//
// A tile goes to the bank that the tile before the previous one used. Each word waits until the
// last moving row of that tile (read at tile_end_i) has passed the word's cells. The tile's record
// appears with word Chase*, from when on the moving wave stays behind the loading. A word read in
// cycle L is at the array in cycle L + 2 (ld_*).
module npu_mx_load
  import npu_pkg::*;
  import npu_mx_pkg::*;
(
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             cmd_valid_i,
  input  mm_cmd_t          cmd_i,
  output logic             cmd_ready_o,
  input  logic             tile_end_i,       // last row of the tile in tile_end_bank_i is read
  input  logic             tile_end_bank_i,
  output logic             tile_valid_o,
  output tile_t            tile_o,
  input  logic             tile_full_i,
  output logic             w_ren_o,
  output logic [WRowW-1:0] w_row_o,
  input  logic [WordW-1:0] w_rdata_i,
  output logic             ld_valid_o,
  output ld_mode_e         ld_mode_o,
  output logic             ld_bank_o,
  output logic             ld_keep_o,        // sparse weights: indices have been loaded
  output logic [3:0]       ld_idx_o,
  output logic [WordW-1:0] ld_word_o
);
  // ---- command: granules are dropped, so strides are in words, blocks and rows ----------------
  ld_mode_e         mode_q;
  logic             sparse_q, e2m1_q, acc_q, ascale_q, free_q;
  logic [1:0]       wscale_q;
  logic [WRowW-1:0] w_q, wn_q, wk_q, wi_q;
  logic [CRowW:0]   ws_q;
  logic [BlkW-1:0]  a_q, am_q;
  logic [VRowW-1:0] o_q, om_q, on_q;
  logic [15:0]      m_q, kb_q, nb_q;

  // A word and how the array takes it.
  typedef struct packed {
    ld_mode_e   mode;
    logic [3:0] idx;
  } word_t;

  // ---- walk ----------------------------------------------------------------------------------
  logic             active_q, bank_q;
  logic [StepW-1:0] step_q;                   // word of the tile
  logic [15:0]      kleft_q, nleft_q;         // tiles left after this one
  logic [WRowW-1:0] base_q, off_q, off_n_q;   // first word; its distance from w; that of kb = 0
  logic [WRowW-1:0] ibase_q;                  // first word of indices
  logic [BlkW-1:0]  blk_q;
  logic [VRowW-1:0] row_q;
  logic             kfirst_q, first_q;        // kb = 0; first tile of the command

  logic [AgeW-1:0]  age_q [2];                // cycles since the bank's last row; 0: in use
  logic [AgeW-1:0]  run_q, age;               // the same for the tile being loaded
  logic [AgeW-1:0]  after_q, after1_q;        // the age that this word, the tile's next one wait for
  logic [AgeW-1:0]  grown;                    // age in the next cycle
  logic [AgeW-1:0]  age_up [2];               // age_q in the next cycle, if its tile goes on
  logic [1:0]       ended;                    // its tile ends now
  logic             old_q;                    // this word's bank has that age
  logic             old_here, old_step, old_tile, old_take;
  ld_mode_e         cmd_mode;
  logic             cmd_sparse;
  logic [StepW-1:0] words_m1, chase;
  word_t            word;
  logic [3:0]       order;
  logic             go, last_word, last_tile, take;

  // Words in the order row pair (quad, eight), slice: the moving wave meets them in this order.
  if (S == 1) begin : gen_whole
    assign order = word.idx;
  end else begin : gen_sliced
    logic [SlW-1:0] slice;
    assign slice = word.idx[SlW-1:0];
    always_comb begin
      unique case (word.mode)
        LdInt8:  order = {slice, word.idx[3:SlW]};
        LdE2m1:  order = {1'b0, slice, word.idx[2:SlW]};
        LdIndex: order = (S == 2) ? {2'b00, word.idx[0], word.idx[1]} : word.idx;
        default: order = word.idx;
      endcase
    end
  end

  always_comb begin
    unique case (mode_q)
      LdInt8:  {words_m1, chase} = {StepW'(WordsInt8 - 1), StepW'(ChaseInt8)};
      LdE2m1:  {words_m1, chase} = {StepW'(WordsE2m1 - 1), StepW'(ChaseE2m1)};
      default: {words_m1, chase} = {StepW'(WordsInt8 - 1), StepW'(ChaseCol)};
    endcase
    if (sparse_q) begin
      words_m1 = words_m1 + StepW'(WordsIndex);
      chase    = e2m1_q ? StepW'(ChaseSparseE2m1) : StepW'(ChaseSparseInt8);
    end
  end

  // The step-th word of a tile: of indices (row eight, slice) or of weights.
  function automatic word_t word_of(ld_mode_e mode, logic sparse, logic [StepW-1:0] step);
    logic [StepW-1:0] eight, rest;
    logic             later;
    if (!Sparse || !sparse) return '{mode: mode, idx: 4'(step)};
    eight = StepW'(S) + ((mode == LdE2m1) ? StepW'(WordsE2m1 * S / 4) : StepW'(WordsInt8 * S / 4));
    later = S == 2 && step >= eight;
    rest  = later ? step - eight : step;
    if (rest < StepW'(S)) return '{mode: LdIndex, idx: 4'(rest) | {2'b00, later, 1'b0}};
    return '{mode: mode, idx: 4'(later ? step - StepW'(2 * S) : step - StepW'(S))};
  endfunction
  assign word = word_of(mode_q, sparse_q, step_q);

  // The age that word step of a tile waits for.
  function automatic logic [AgeW-1:0] after_of(ld_mode_e mode, logic sparse,
                                               logic [StepW-1:0] step);
    logic [3:0] idx, first, sl;
    word_t      w;
    w     = word_of(mode, sparse, step);
    idx   = w.idx;
    first = (S > 1) ? idx >> SlW : idx;
    sl    = (S > 1) ? idx & 4'(S - 1) : '0;
    unique case (w.mode)
      LdIndex: return AgeW'(AfterIndex) + AgeW'({first, 3'b000}) + AgeW'(sl);
      LdInt8:  return AgeW'(AfterInt8) + AgeW'({first, 1'b0}) + AgeW'(sl);
      LdE2m1:  return AgeW'(AfterE2m1) + AgeW'({first, 2'b0}) + AgeW'(sl);
      default: return AgeW'(AfterCol) +
                      (AgeW'(idx) << 1 >> ((Cols == 8) ? 2 : (Cols == 16) ? 1 : 0));
    endcase
  endfunction

  assign age         = (step_q == '0) ? age_q[bank_q] : run_q;
  assign go          = active_q && old_q && (step_q != '0 || !tile_full_i);
  assign last_word   = go && step_q == words_m1;
  assign last_tile   = kleft_q == 16'd0 && nleft_q == 16'd0;
  assign cmd_ready_o = !active_q || (last_word && last_tile);
  assign take        = cmd_valid_i && cmd_ready_o;

  assign w_ren_o = go;
  assign w_row_o = (word.mode == LdIndex ? ibase_q : base_q) | WRowW'(order);

  // ---- record --------------------------------------------------------------------------------
  logic [CRowW:0] set;                        // tiles from w
  assign set = e2m1_q ? (CRowW+1)'(off_q >> 3) : (CRowW+1)'(off_q >> 4);
  assign tile_valid_o = go && step_q == chase;
  always_comb begin
    tile_o = '{
      bank: bank_q, free: free_q || !first_q, last: last_tile, rd: acc_q || !kfirst_q, m: m_q,
      a: blk_q, am: am_q, sparse: sparse_q, ascale: ascale_q, o: row_q, om: om_q,
      sc: ws_q + ((wscale_q == WSCALE_E8M0) ? set : set << 1), half: e2m1_q, wscale: wscale_q
    };
  end

  // ---- next tile -----------------------------------------------------------------------------
  logic [WRowW-1:0] off_d;
  assign off_d = (kleft_q != 16'd0) ? off_q + wk_q : off_n_q + wn_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      bank_q   <= 1'b0;
      step_q   <= '0;
    end else begin
      if (go) step_q <= last_word ? '0 : step_q + 1'b1;
      if (last_word) bank_q <= !bank_q;
      if (take) active_q <= 1'b1;
      else if (last_word && last_tile) active_q <= 1'b0;
    end
  end

  assign grown = (age == '1) ? age : age + 1'b1;
  always_ff @(posedge clk_i) run_q <= grown;
  for (genvar b = 0; b < 2; b++) begin : gen_age
    assign ended[b]  = tile_end_i && tile_end_bank_i == 1'(b);
    assign age_up[b] = age_q[b] + AgeW'(age_q[b] != '0 && age_q[b] != '1);
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) age_q[b] <= '1;
      else if (go && step_q == '0 && bank_q == 1'(b)) age_q[b] <= '0;
      else age_q[b] <= ended[b] ? AgeW'(1) : age_up[b];
    end
  end

  // The next cycle's word: this one again, the tile's next one, the next tile's or command's first.
  function automatic logic old_enough(logic [AgeW-1:0] of_bank, logic [AgeW-1:0] after);
    return of_bank >= after;
  endfunction
  // No word follows the end of a tile in the next cycle.
  assign old_here = (step_q == '0) ? old_enough(age_up[bank_q], after_q) && !ended[bank_q]
                                    : old_enough(grown, after_q);
  assign old_step = old_enough(grown, after1_q);
  assign old_tile = old_enough(age_up[!bank_q], after_of(mode_q, sparse_q, '0)) && !ended[!bank_q];
  assign old_take = old_enough(age_up[bank_q ^ active_q], after_of(cmd_mode, cmd_sparse, '0)) &&
                    !ended[bank_q ^ active_q];

  // Output rows that the previous command left in the same order can be read back at once.
  logic same_rows;
  assign same_rows = cmd_i.o[ColsLog +: VRowW] == o_q && cmd_i.om[ColsLog +: VRowW] == om_q &&
                     cmd_i.on[ColsLog +: VRowW] == on_q && cmd_i.m[15:0] == m_q &&
                     cmd_i.nb[15:0] == nb_q;

  assign cmd_sparse = Sparse && cmd_i.sparse;
  assign cmd_mode = cmd_i.colload ? LdCol : (cmd_i.wfmt == WFMT_E2M1) ? LdE2m1 : LdInt8;

  always_ff @(posedge clk_i) begin
    old_q <= go ? (last_word ? old_tile : old_step) : old_here;
    if (take) old_q <= old_take;
    if (go) after_q <= last_word ? after_of(mode_q, sparse_q, '0) : after1_q;
    if (go) after1_q <= after_of(mode_q, sparse_q, last_word ? StepW'(1) : step_q + StepW'(2));
    if (take) begin
      mode_q   <= cmd_mode;
      sparse_q <= cmd_sparse;
      after_q  <= after_of(cmd_mode, cmd_sparse, '0);
      after1_q <= after_of(cmd_mode, cmd_sparse, StepW'(1));
      e2m1_q   <= cmd_i.wfmt == WFMT_E2M1;
      acc_q    <= cmd_i.acc;
      ascale_q <= cmd_i.ascale;
      wscale_q <= cmd_i.wscale;
      free_q   <= !cmd_i.acc || same_rows;
      w_q      <= cmd_i.w[ColsLog+1 +: WRowW];
      wn_q     <= cmd_i.wn[ColsLog+1 +: WRowW];
      wk_q     <= cmd_i.wk[ColsLog+1 +: WRowW];
      if (Sparse) wi_q    <= cmd_i.wi[ColsLog+1 +: WRowW];
      if (Sparse) ibase_q <= cmd_i.wi[ColsLog+1 +: WRowW];
      ws_q     <= cmd_i.ws[ColsLog +: CRowW+1];
      a_q      <= cmd_i.a[5 +: BlkW];
      am_q     <= cmd_i.am[5 +: BlkW];
      o_q      <= cmd_i.o[ColsLog +: VRowW];
      om_q     <= cmd_i.om[ColsLog +: VRowW];
      on_q     <= cmd_i.on[ColsLog +: VRowW];
      m_q      <= cmd_i.m[15:0];
      kb_q     <= cmd_i.kb[15:0] - 16'd1;
      nb_q     <= cmd_i.nb[15:0];
      base_q   <= cmd_i.w[ColsLog+1 +: WRowW];
      off_q    <= '0;
      off_n_q  <= '0;
      blk_q    <= cmd_i.a[5 +: BlkW];
      row_q    <= cmd_i.o[ColsLog +: VRowW];
      kleft_q  <= cmd_i.kb[15:0] - 16'd1;
      nleft_q  <= cmd_i.nb[15:0] - 16'd1;
      kfirst_q <= 1'b1;
      first_q  <= 1'b1;
    end else if (last_word) begin
      off_q    <= off_d;
      base_q   <= w_q + off_d;
      if (Sparse) ibase_q <= wi_q + (e2m1_q ? off_d >> 1 : off_d >> 2);
      first_q  <= 1'b0;
      kfirst_q <= kleft_q == 16'd0;
      if (kleft_q != 16'd0) begin
        kleft_q <= kleft_q - 1'b1;
        blk_q   <= blk_q + (sparse_q ? BlkW'(2) : BlkW'(1));
      end else begin
        kleft_q <= kb_q;
        nleft_q <= nleft_q - 1'b1;
        off_n_q <= off_d;
        blk_q   <= a_q;
        row_q   <= row_q + on_q;
      end
    end
  end

  // ---- to the array: memory, register --------------------------------------------------------
  logic       valid1_q, valid2_q;
  ld_mode_e   mode1_q, mode2_q;
  logic       bank1_q, bank2_q, keep1_q, keep2_q;
  logic [3:0] idx1_q, idx2_q;
  logic [WordW-1:0] word_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {valid1_q, valid2_q} <= '0;
    else {valid1_q, valid2_q} <= {go, valid1_q};
  end
  always_ff @(posedge clk_i) begin
    if (go) {mode1_q, bank1_q, keep1_q, idx1_q} <= {word.mode, bank_q, sparse_q, word.idx};
    if (valid1_q) begin
      {mode2_q, bank2_q, keep2_q, idx2_q} <= {mode1_q, bank1_q, keep1_q, idx1_q};
      word_q <= w_rdata_i;
    end
  end
  assign ld_valid_o = valid2_q;
  assign ld_mode_o  = mode2_q;
  assign ld_bank_o  = bank2_q;
  assign ld_keep_o  = keep2_q;
  assign ld_idx_o   = idx2_q;
  assign ld_word_o  = word_q;

  // Byte addresses below a granule and above the memory are checked before the command gets here.
  logic unused;
  assign unused = ^cmd_i;

endmodule
