// Do mm's tiles, their scales or their indices go beyond their memory? extent_i is the sum of the two products
// of their box (big_i: it is too large for that), from the first tile at w_i to the last one, which
// has its scales at the extent shifted from ws_i, its indices at another shift of it from wi_i.
// Latency: 1 cycle.
module npu_check_tiles
  import npu_check_pkg::*;
(
  input  logic           clk_i,
  input  logic           valid_i,
  input  npu_pkg::insn_t insn_i,   // stays for the answer
  input  logic [34:0]    extent_i,
  input  logic           big_i,
  input  logic [31:0]    w_i,
  input  logic [31:0]    ws_i,
  input  logic [31:0]    wi_i,
  output logic           over_o
);
  logic        big_q, tiles_over, scales_over, indices_over;
  logic [35:0] tiles_q, scales_q, indices_q;  // the last tile, its scales, its indices

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      tiles_q  <= {1'b0, extent_i} + {4'd0, w_i};
      scales_q <= {1'b0, extent_i >> scale_shift(insn_i)} + {4'd0, ws_i};
      indices_q <= {1'b0, is_e2m1(insn_i) ? extent_i >> 1 : extent_i >> 2} + {4'd0, wi_i};
      big_q    <= big_i;
    end
  end

  assign tiles_over  = end_over(tiles_q, tile_bytes(insn_i), npu_pkg::WspmBytes);
  assign scales_over = end_over(scales_q, set_bytes(insn_i), npu_pkg::WscBytes);
  assign indices_over = end_over(indices_q, IndexBytes, npu_pkg::WspmBytes);
  assign over_o      = big_q || tiles_over || (has_wscale(insn_i) && scales_over) ||
                       (is_sparse(insn_i) && indices_over);
endmodule
