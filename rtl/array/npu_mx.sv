// Matrix engine: mm commands (docs/isa.md) on resident tiles, in order; loading of the next tiles,
// of later commands too, overlaps with streaming. Memory ports never stall; memories answer one
// cycle later.
// done_o: one pulse a command, in the cycle after the write of its last row.
//
// Cycles (X: command accepted; S = 32 / Rows; W = 16 words an int8 tile, 8 an e2m1 tile, 4
// more a sparse one; constants
// from npu_mx_pkg; tile T uses bank T mod 2; E(T) = F(T) + (m-1) S is the read of its last row):
//   first word   L(T) = max(X + 1, N(T-1), E(T-2) + After)
//   next tile    N(T) = max(L(T) + W, E(T-2) + the largest of a word's After + W - its index)
//   first row    F(T) = max(cycle after word Chase, F(T-1) + max(m S, Hazard)), and E(T-1) + Hazard
//                where a command with acc set starts on rows that its predecessor may have written
//                in another order
//   done         E(last) + RowAt + WriteAt + 1
//   next command accepted in cycle N(last) - 1 or later
// mm_latency.hpp is this as code, exact, with the steady period of a tile.
module npu_mx
  import npu_pkg::*;
  import npu_mx_pkg::*;
(
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               cmd_valid_i,
  input  mm_cmd_t            cmd_i,
  output logic               cmd_ready_o,
  output logic               done_o,
  output logic               idle_o,
  output npu_types::mx_ev_t  ev_o,
  output logic               w_ren_o,
  output logic [WRowW-1:0]   w_row_o,
  input  logic [WordW-1:0]   w_rdata_i,
  output logic               sc_ren_o,
  output logic [CRowW-1:0]   sc_row_o,
  input  logic [WordW-1:0]   sc_rdata_i,
  output logic               a_ren_o,
  output logic [BlkW-1:0]    a_blk_o,
  input  logic [255:0]       a_rdata_i,
  input  logic [15:0]        a_rscale_i,
  output logic               v_rvalid_o,
  output logic [VRowW-1:0]   v_rrow_o,
  input  logic [32*Cols-1:0] v_rdata_i,
  output logic               v_wvalid_o,
  output logic [VRowW-1:0]   v_wrow_o,
  output logic [Cols-1:0]    v_wmask_o,
  output logic [32*Cols-1:0] v_wdata_o
);
  if (!(Rows inside {8, 16, 32}) || !(Cols inside {8, 16, 32})) begin : gen_check
    $error("npu_mx: array of %0d x %0d; rows and columns must be 8, 16 or 32", Rows, Cols);
  end

  logic tile_valid, tile_full, mover_valid, mover_pop, foot_pop, tile_end, tile_end_bank;
  tile_t tile, mover_tile, foot_tile;

  logic ld_valid, ld_bank, ld_keep;
  ld_mode_e ld_mode;
  logic [3:0] ld_idx;
  logic [WordW-1:0] ld_word;
  npu_mx_load u_load (
    .clk_i, .rst_ni, .cmd_valid_i, .cmd_i, .cmd_ready_o,
    .tile_end_i(tile_end), .tile_end_bank_i(tile_end_bank),
    .tile_valid_o(tile_valid), .tile_o(tile), .tile_full_i(tile_full),
    .w_ren_o, .w_row_o, .w_rdata_i,
    .ld_valid_o(ld_valid), .ld_mode_o(ld_mode), .ld_bank_o(ld_bank),
    .ld_keep_o(ld_keep), .ld_idx_o(ld_idx), .ld_word_o(ld_word)
  );

  npu_mx_tiles u_tiles (
    .clk_i, .rst_ni, .put_i(tile_valid), .tile_i(tile), .full_o(tile_full),
    .mover_valid_o(mover_valid), .mover_o(mover_tile), .mover_pop_i(mover_pop),
    .foot_o(foot_tile), .foot_pop_i(foot_pop)
  );

  logic streaming, scale_pop, mv_valid, mv_first, mv_last;
  logic [15:0] scale;
  logic [SelW-1:0] mv_sel;
  logic [MvRows*MvW-1:0] mv_bytes;
  npu_mx_move u_move (
    .clk_i, .rst_ni, .tile_valid_i(mover_valid), .tile_i(mover_tile), .tile_pop_o(mover_pop),
    .tile_end_o(tile_end), .tile_end_bank_o(tile_end_bank), .streaming_o(streaming),
    .a_ren_o, .a_blk_o, .a_rdata_i, .a_rscale_i, .scale_pop_i(scale_pop), .scale_o(scale),
    .mv_valid_o(mv_valid), .mv_first_o(mv_first), .mv_last_o(mv_last), .mv_sel_o(mv_sel),
    .mv_bytes_o(mv_bytes)
  );

  logic row;
  logic [Feet-1:0][31:0] isum;
  npu_array u_array (
    .clk_i, .rst_ni,
    .ld_valid_i(ld_valid), .ld_mode_i(ld_mode), .ld_bank_i(ld_bank),
    .ld_keep_i(ld_keep), .ld_idx_i(ld_idx), .ld_word_i(ld_word),
    .mv_valid_i(mv_valid), .mv_first_i(mv_first), .mv_last_i(mv_last), .mv_sel_i(mv_sel),
    .mv_bytes_i(mv_bytes), .row_o(row), .isum_o(isum)
  );

  npu_foot u_foot (
    .clk_i, .rst_ni, .row_i(row), .isum_i(isum), .tile_i(foot_tile), .tile_pop_o(foot_pop),
    .scale_pop_o(scale_pop), .scale_i(scale), .sc_ren_o, .sc_row_o, .sc_rdata_i,
    .v_rvalid_o, .v_rrow_o, .v_rdata_i, .v_wvalid_o, .v_wrow_o, .v_wdata_o, .done_o
  );
  assign v_wmask_o = '1;

  // ---- commands accepted and not done --------------------------------------------------------
  logic [5:0] open_q;
  logic       taken_q;  // one was accepted in the last cycle
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      open_q  <= '0;
      taken_q <= 1'b0;
    end else begin
      taken_q <= cmd_valid_i && cmd_ready_o;
      open_q  <= open_q + 6'(taken_q) - 6'(done_o);
    end
  end
  // Tiles not yet begun by the mover: commands in the loader and records ahead of the mover.
  assign idle_o         = open_q == '0 && !taken_q;
  assign ev_o.busy      = streaming;
  assign ev_o.wait_load = !streaming && (!cmd_ready_o || mover_valid);

endmodule
