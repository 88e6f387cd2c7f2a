// Systolic array of Rows x Cols cells, weight stationary. A cell holds two banks of S = 32 / Rows
// weights: one is used while the other is loaded; the bank travels with the moving data, so tiles
// follow each other without a gap. Moving bytes enter row r delayed by r and go right, sums go
// down, both one cell a cycle; a tag (bank, slice) per diagonal drives all cells. Column sums of
// the S slices are added and brought in step: column g*S + j of every foot g is at isum_o[g]
// (sign-extended, 21 bits) RowLead + j cycles after row_o.
//
// mv_*: one slice of a row a cycle, S cycles in a row; mv_first_i marks slice 0. row_o follows it
// RowAt - 2 cycles later. ld_*: one word of the stationary tile (ld_idx_i-th as npu_mx_load reads
// them) goes to all cells it belongs to at the end of the cycle; a slice that enters in the next
// cycle sees it. The caller keeps loading and moving apart (npu_mx_pkg: After*, Chase*).
//
// Where the configuration is sparse a pair of rows shares a group of four moving bytes and a cell
// has an index beside each weight, which chooses one of them. Dense rows are the group's first two
// bytes; loading dense weights sets the indices to match, ld_keep_i leaves them.
module npu_array
  import npu_pkg::*;
  import npu_mx_pkg::*;
(
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  ld_valid_i,
  input  ld_mode_e              ld_mode_i,
  input  logic                  ld_bank_i,
  input  logic                  ld_keep_i,
  input  logic [3:0]            ld_idx_i,
  input  logic [WordW-1:0]      ld_word_i,
  input  logic                  mv_valid_i,
  input  logic                  mv_first_i,
  input  logic                  mv_last_i,
  input  logic [SelW-1:0]       mv_sel_i,    // bank, slice
  input  logic [MvRows*MvW-1:0] mv_bytes_i,
  output logic                  row_o,
  output logic [Feet-1:0][31:0] isum_o
);
  localparam int unsigned Diag  = Rows + Cols;        // product of the last diagonal: tag Diag - 2
  localparam int unsigned SumAt = Rows + 1;           // column 0's slice sum is at the bottom
  localparam int unsigned Tags  = SumAt + Cols;
  localparam int unsigned LiveW = $clog2(Tags + Cols + 1);
  localparam int unsigned CellW = Sparse ? 10 : 8;    // weight and, above it, index
  localparam int unsigned IndexAt = CellW - 2;

  typedef logic [20:0] psum_t;

  // ---- tags ----------------------------------------------------------------------------------
  logic [Tags-1:0] first_q, first, last_q, last;      // [d]: slice 0, slice S-1 is on diagonal d
  logic [LiveW-1:0] live_q;                           // cycles until nothing valid is left
  assign first = {first_q[Tags-2:0], mv_valid_i && mv_first_i};
  assign last  = {last_q[Tags-2:0], mv_valid_i && mv_last_i};
  assign row_o = first[RowAt - 2];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      first_q <= '0;
      last_q  <= '0;
      live_q  <= '0;
    end else if (mv_valid_i || live_q != '0) begin
      first_q <= first;
      last_q  <= last;
      live_q  <= mv_valid_i ? LiveW'(Tags + Cols) : live_q - 1'b1;
    end
  end

  // ---- cells ---------------------------------------------------------------------------------
  // One process, walked against the flow of data with blocking assignments: every right-hand side
  // is last cycle's value, as with registers written by <=, but simulation is several times faster.
  // Only isum_q leaves the process, so only isum_q is written by <=.
  logic [CellW*Rows-1:0] weight [Diag-1];             // of a diagonal's slice, by rows
  logic [MvW-1:0]      mv   [MvRows][Rows+Cols];  // [r][0]: input; r delays, then one a column
  logic [15:0]         prod [Rows][Cols];
  psum_t               psum [Rows][Cols];
  logic [SelW-1:0]     sel  [Diag-1];                 // [0]: input
  psum_t               acc  [Cols];
  psum_t               skew [Feet][Cols];             // foot g: (Feet - 1 - g) * S delays
  logic [Feet-1:0][31:0] isum_q;
  assign isum_o = isum_q;

  // verilator lint_off BLKSEQ
  always_ff @(posedge clk_i) begin
    if (mv_valid_i || live_q != '0) begin
      for (int g = 0; g < Feet; g++) begin
        automatic psum_t done = '0;
        for (int j = 0; j < S; j++) begin
          automatic int c = g * S + j;
          automatic psum_t sum = first_q[SumAt-1+c] ? psum[Rows-1][c] : acc[c] + psum[Rows-1][c];
          if (last_q[SumAt-1+c]) done = sum;
          acc[c] = sum;
        end
        if (g == Feet - 1) begin
          isum_q[g] <= 32'($signed(done));
        end else begin
          isum_q[g] <= 32'($signed(skew[g][(Feet-1-g)*S - 1]));
          for (int k = (Feet - 1 - g) * S - 1; k > 0; k--) skew[g][k] = skew[g][k-1];
          skew[g][0] = done;
        end
      end
      for (int r = Rows - 1; r > 0; r--) begin
        for (int c = 0; c < Cols; c++) psum[r][c] = psum[r-1][c] + 21'($signed(prod[r][c]));
      end
      for (int c = 0; c < Cols; c++) psum[0][c] = 21'($signed(prod[0][c]));
      sel[0] = mv_sel_i;
      for (int r = 0; r < MvRows; r++) mv[r][0] = mv_bytes_i[MvW*r +: MvW];
      for (int r = 0; r < Rows; r++) begin
        for (int c = 0; c < Cols; c++) begin
          automatic logic [MvW-1:0] bytes = mv[Sparse ? r / 2 : r][r+c];
          if (Sparse) bytes = bytes >> {weight[r+c][CellW*r+IndexAt +: 2], 3'b000};
          prod[r][c] = 16'($signed(bytes[7:0])) * 16'($signed(weight[r+c][CellW*r +: 8]));
        end
      end
      for (int r = 0; r < MvRows; r++) begin
        for (int k = (Sparse ? 2 * r + 1 : r) + Cols - 1; k > 0; k--) mv[r][k] = mv[r][k-1];
      end
      for (int d = Diag - 2; d > 0; d--) sel[d] = sel[d-1];
    end
  end
  // verilator lint_on BLKSEQ

  // ---- weights -------------------------------------------------------------------------------
  // The cells of a diagonal meet one tag, so their weights are one word of a small RAM; two RAMs
  // (one, where there is one slice), even slices and odd ones, because a word of a column may hold
  // two slices of a cell. Address: bank, slice / 2.
  localparam int unsigned Parts = (S > 1) ? 2 : 1;
  localparam int unsigned PartW = SelW - Parts + 1;   // address within a part
  localparam int unsigned PairW = $clog2(Rows / 2);

  // Twice the value of an e2m1 code.
  function automatic logic [7:0] e2m1(logic [3:0] code);
    logic [7:0] size;
    size = (code[2:1] == 2'd0) ? {7'd0, code[0]} : {6'd0, 1'b1, code[0]} << (code[2:1] - 2'd1);
    return code[3] ? -size : size;
  endfunction

  // Where the word goes: rows (int8: a pair, e2m1: two pairs, indices: eight) or columns (half a one
  // to two).
  logic             ld_column, ld_index;
  logic [PairW-1:0] ld_pair;                          // first row of the word / 2
  logic             ld_eight;                         // of indices: / 8
  logic [Rows-1:0]  ld_row;
  logic [Cols-1:0]  ld_col;
  logic [PartW-1:0] ld_addr;
  assign ld_column = ld_mode_i == LdCol;
  assign ld_index  = Sparse && ld_mode_i == LdIndex;
  if (S == 1) begin : gen_whole
    assign ld_pair = (ld_mode_i == LdE2m1) ? PairW'({ld_idx_i, 1'b0}) : ld_idx_i[PairW-1:0];
  end else begin : gen_sliced
    assign ld_pair = (ld_mode_i == LdE2m1) ? PairW'({ld_idx_i[3:SlW], 1'b0})
                                           : PairW'(ld_idx_i[3:SlW]);
  end
  assign ld_eight = (S == 2) ? ld_idx_i[1] : 1'b0;
  if (S == 4) begin : gen_halves  // half a column: slices 0 and 1, or 2 and 3
    assign ld_addr = {ld_bank_i, ld_idx_i[ld_column ? 0 : 1]};
  end else begin : gen_bank
    assign ld_addr = ld_bank_i;
  end
  always_comb begin
    for (int p = 0; p < Rows / 2; p++) begin
      ld_row[2*p +: 2] = {2{!ld_column && !ld_index &&
                            (ld_pair == PairW'(p) ||
                             (ld_mode_i == LdE2m1 && (p % 2) == 1 && ld_pair == PairW'(p - 1)))}};
    end
    for (int c = 0; c < Cols; c++) begin
      ld_col[c] = ld_column &&
                  (ld_idx_i == 4'(c * 16 / Cols) || (Cols == 8 && ld_idx_i == 4'(2*c + 1)));
    end
  end

  for (genvar d = 0; d < Diag - 1; d++) begin : gen_diagonal
    localparam int unsigned First = (d < Cols) ? 0 : d - Cols + 1;  // row of the first cell
    localparam int unsigned Cells = ((d < Rows) ? d : Rows - 1) - First + 1;
    logic [SelW-1:0]    at;
    logic [CellW*Cells-1:0] word [Parts];
    assign at = (d == 0) ? mv_sel_i : sel[d];
    for (genvar p = 0; p < Parts; p++) begin : gen_part
      logic [CellW*Cells-1:0] wt [2**PartW];
      always_ff @(posedge clk_i) begin
        if (ld_valid_i) begin
          automatic logic [CellW*Cells-1:0] merged = wt[ld_addr];
          for (int i = 0; i < Cells; i++) begin
            automatic int r = First + i;
            automatic int c = d - r;
            // Bytes of the word: by rows, and byte r of the column's slices p, p + 2.
            automatic int column = p * Rows + r;
            if (Cols == 8) column = column % 16;
            if (Cols == 32) column = column + (c % 2) * 32;
            if (ld_row[r] && (S == 1 || ld_idx_i[0] == 1'(p))) begin
              merged[CellW*i +: 8] = (ld_mode_i == LdE2m1)
                                         ? e2m1(ld_word_i[4*((r % 4)*Cols + c) +: 4])
                                         : ld_word_i[8*((r % 2)*Cols + c) +: 8];
              if (Sparse && !ld_keep_i) merged[CellW*i+IndexAt +: 2] = 2'(r % 2);
            end
            if (ld_index && ld_eight == 1'(r / 8) && (S == 1 || ld_idx_i[0] == 1'(p))) begin
              merged[CellW*i+IndexAt +: 2] = ld_word_i[2*((r % 8)*Cols + c) +: 2];
            end
            // A word of 8 columns is half a column: one slice of two.
            if (ld_col[c] && (S != 2 || Cols > 8 || ld_idx_i[0] == 1'(p))) begin
              merged[CellW*i +: 8] = ld_word_i[8*column +: 8];
              if (Sparse) merged[CellW*i+IndexAt +: 2] = 2'(r % 2);
            end
          end
          wt[ld_addr] <= merged;
        end
      end
      assign word[p] = wt[at[SelW-1 -: PartW]];
    end
    if (S > 1) begin : gen_pick
      assign weight[d][CellW*First +: CellW*Cells] = at[0] ? word[1] : word[0];
    end else begin : gen_only
      assign weight[d][CellW*First +: CellW*Cells] = word[0];
    end
    if (First > 0) begin : gen_below
      assign weight[d][CellW*First-1:0] = '0;
    end
    if (First + Cells < Rows) begin : gen_above
      assign weight[d][CellW*Rows-1:CellW*(First+Cells)] = '0;
    end
  end

endmodule
