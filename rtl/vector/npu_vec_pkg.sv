// Types between the parts of the vector engine.
package npu_vec_pkg;

  // Beats of a quantised row: at most a block of 32 values, at most the lanes.
  localparam int unsigned QntWidth = npu_pkg::Lanes < npu_pkg::Block ? npu_pkg::Lanes
                                                                     : npu_pkg::Block;
  localparam int unsigned Pieces = npu_pkg::Block / QntWidth;  // beats of a block
  localparam int unsigned PieceW = Pieces > 1 ? $clog2(Pieces) : 1;

  // Place of a beat of a quantised row.
  typedef struct packed {
    logic [PieceW-1:0] piece;       // which beat of its block
    logic              block_last;
    logic              group_last;  // last with this scale
    logic              row_last;
    logic              last;        // of the command
  } qnt_tag_t;

endpackage
