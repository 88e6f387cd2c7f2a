// The tiles on their way: written by the loader, read in order by the mover and, later, by the
// foot, which frees them. put_i needs !full_o; mover and foot pops need their *_valid_o. Latency: 1
// cycle.
module npu_mx_tiles
  import npu_mx_pkg::*;
(
  input  logic  clk_i,
  input  logic  rst_ni,
  input  logic  put_i,
  input  tile_t tile_i,
  output logic  full_o,
  output logic  mover_valid_o,
  output tile_t mover_o,
  input  logic  mover_pop_i,
  output tile_t foot_o,
  input  logic  foot_pop_i
);
  tile_t tiles [2**TilesLog];
  logic [TilesLog:0] put_q, mover_q, foot_q;

  assign full_o        = put_q == {!foot_q[TilesLog], foot_q[TilesLog-1:0]};
  assign mover_valid_o = put_q != mover_q;
  assign mover_o       = tiles[mover_q[TilesLog-1:0]];
  assign foot_o        = tiles[foot_q[TilesLog-1:0]];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      put_q   <= '0;
      mover_q <= '0;
      foot_q  <= '0;
    end else begin
      if (put_i) put_q <= put_q + 1'b1;
      if (mover_pop_i) mover_q <= mover_q + 1'b1;
      if (foot_pop_i) foot_q <= foot_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (put_i) tiles[put_q[TilesLog-1:0]] <= tile_i;
  end

endmodule
