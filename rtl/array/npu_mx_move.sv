// Mover: streams the m rows of a tile, one block of 32 bytes every S cycles, as S slices of Rows
// bytes; for a sparse tile two blocks, the second one read S / 2 cycles later, as S slices of twice
// as many. The next tile's first row follows at once when its record is there and Hazard cycles lie
// between the starts (rows of neighbouring tiles are read, added to and written back in the same
// order); a command whose rows may collide with the previous one's in another order waits until
// that one's last row is Hazard cycles old.
// Block read in cycle F: slice s at the array in cycle F + 2 + s. Activation scales queue for the
// foot.
module npu_mx_move
  import npu_pkg::*;
  import npu_mx_pkg::*;
(
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic              tile_valid_i,
  input  tile_t             tile_i,
  output logic              tile_pop_o,
  output logic              tile_end_o,
  output logic              tile_end_bank_o,
  output logic              streaming_o,     // a slice is on its way to the array
  output logic              a_ren_o,
  output logic [BlkW-1:0]   a_blk_o,
  input  logic [255:0]      a_rdata_i,
  input  logic [15:0]       a_rscale_i,
  input  logic              scale_pop_i,
  output logic [15:0]       scale_o,         // of the oldest row not popped
  output logic              mv_valid_o,
  output logic              mv_first_o,
  output logic              mv_last_o,
  output logic [SelW-1:0]   mv_sel_o,
  output logic [MvRows*MvW-1:0] mv_bytes_o
);
  localparam int unsigned NearW  = $clog2(Hazard + 1);
  localparam int unsigned ScaleW = $clog2((Rows + Cols) / S + 2);

  // ---- rows: cycle F -------------------------------------------------------------------------
  logic [SlW-1:0]  sl_q;                     // cycles into the row; 0: a row may start
  logic [15:0]     left_q;                   // rows left of the tile
  logic [BlkW-1:0] blk_q, am_q, behind_q;    // behind_q: the row's second block
  logic            bank_q, ascale_q, sparse_q, second;
  logic [NearW-1:0] tile_age_q, row_age_q;    // cycles since tile, row started; stops at Hazard
  logic            tile_old_q, row_old_q;     // they are Hazard
  logic            none_q, one_q;             // left_q is 0, 1
  logic            slot, start, row, row_bank, row_ascale;

  assign slot  = sl_q == '0;
  assign start = slot && none_q && tile_valid_i && tile_old_q && (tile_i.free || row_old_q);
  assign row   = start || (slot && !none_q);
  assign row_bank   = start ? tile_i.bank : bank_q;
  assign row_ascale = start ? tile_i.ascale : ascale_q;

  assign tile_pop_o      = start;
  assign tile_end_o      = row && (start ? tile_i.m == 16'd1 : one_q);
  assign tile_end_bank_o = row_bank;
  assign streaming_o     = row || !slot;
  assign second          = Sparse && sparse_q && sl_q == SlW'(S / 2) && !slot;
  assign a_ren_o         = row || second;
  assign a_blk_o         = second ? behind_q : start ? tile_i.a : blk_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sl_q       <= '0;
      left_q     <= '0;
      tile_age_q <= NearW'(Hazard);
      row_age_q  <= NearW'(Hazard);
      {tile_old_q, row_old_q, none_q, one_q} <= 4'b1110;
    end else begin
      if (row || !slot) sl_q <= (sl_q == SlW'(S - 1)) ? '0 : sl_q + 1'b1;
      if (start) left_q <= tile_i.m - 1'b1;
      else if (row) left_q <= left_q - 1'b1;
      tile_old_q <= !start && tile_age_q >= NearW'(Hazard - 1);
      row_old_q  <= !row && row_age_q >= NearW'(Hazard - 1);
      if (start) {none_q, one_q} <= {tile_i.m == 16'd1, tile_i.m == 16'd2};
      else if (row) {none_q, one_q} <= {left_q == 16'd1, left_q == 16'd2};
      if (start) tile_age_q <= NearW'(1);
      else if (tile_age_q != NearW'(Hazard)) tile_age_q <= tile_age_q + 1'b1;
      if (row) row_age_q <= NearW'(1);
      else if (row_age_q != NearW'(Hazard)) row_age_q <= row_age_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start) begin
      am_q     <= tile_i.am;
      bank_q   <= tile_i.bank;
      sparse_q <= Sparse && tile_i.sparse;
      ascale_q <= tile_i.ascale;
    end
    if (row) blk_q <= a_blk_o + (start ? tile_i.am : am_q);
    if (Sparse && row) behind_q <= a_blk_o + 1'b1;
  end

  // ---- block and scale: cycle F + 1 ----------------------------------------------------------
  logic        row1_q, second1_q, bank1_q, ascale1_q;
  logic [15:0] scales [2**ScaleW];
  logic [ScaleW-1:0] put_q, get_q;
  assign scale_o = scales[get_q];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      row1_q    <= 1'b0;
      second1_q <= 1'b0;
      put_q  <= '0;
      get_q  <= '0;
    end else begin
      row1_q    <= row;
      second1_q <= second;
      if (row1_q) put_q <= put_q + 1'b1;
      if (scale_pop_i) get_q <= get_q + 1'b1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (row) {bank1_q, ascale1_q} <= {row_bank, row_ascale};
    if (row1_q) scales[put_q] <= ascale1_q ? a_rscale_i : 16'h3F80;  // bf16 1.0
  end

  // ---- slices: cycle F + 2 on ----------------------------------------------------------------
  logic            valid2_q;
  logic [SelW-1:0] sel2_q;
  logic [255:0]    block_q;
  logic            sparse2_q;

  if (S == 1) begin : gen_whole
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) valid2_q <= 1'b0;
      else valid2_q <= row1_q;
    end
    always_ff @(posedge clk_i) begin
      if (row1_q) {sel2_q, block_q} <= {bank1_q, a_rdata_i};
    end
    assign mv_first_o = 1'b1;
    assign mv_last_o  = 1'b1;
  end else begin : gen_sliced
    assign mv_first_o = sel2_q[SlW-1:0] == '0;
    assign mv_last_o  = sel2_q[SlW-1:0] == SlW'(S - 1);
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) valid2_q <= 1'b0;
      else if (row1_q) valid2_q <= 1'b1;
      else if (mv_last_o) valid2_q <= 1'b0;
    end
    always_ff @(posedge clk_i) begin
      if (row1_q) begin
        sel2_q  <= {bank1_q, SlW'(0)};
        block_q <= a_rdata_i;
      end else if (valid2_q) begin
        sel2_q  <= sel2_q + 1'b1;
        block_q <= second1_q ? a_rdata_i : sparse2_q ? block_q >> (16 * Rows) : block_q >> (8 * Rows);
      end
    end
  end
  assign mv_valid_o = valid2_q;
  assign mv_sel_o   = sel2_q;
  if (Sparse) begin : gen_groups
    for (genvar p = 0; p < MvRows; p++) begin : gen_pair
      assign mv_bytes_o[32*p +: 32] = sparse2_q ? block_q[32*p +: 32] : 32'(block_q[16*p +: 16]);
    end
    always_ff @(posedge clk_i) if (row1_q) sparse2_q <= sparse_q;
  end else begin : gen_bytes
    assign mv_bytes_o = block_q[8*Rows-1:0];
    assign sparse2_q  = 1'b0;
  end

  // The foot's half of the record.
  logic unused;
  assign unused = ^{tile_i, second1_q, sparse2_q};

endmodule
