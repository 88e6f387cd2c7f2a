// Writes from the package's network beside the load engine's, at the same ports of the activation
// scratchpad and vector memory; where both ask, they take turns. Only chiplets with links have it.
// rx_*: words of PortBytes bytes at word addresses of a space (aspm, asc, vmem). Latency: none.
module npu_rx_share
  import npu_pkg::*;
#(
  localparam int unsigned RowW  = $clog2(VmemRows),
  localparam int unsigned AddrW = $clog2(AspmBytes / PortBytes),
  localparam int unsigned PortW = 8 * PortBytes
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  // load engine
  input  logic                 ld_as_valid_i,
  output logic                 ld_as_ready_o,
  input  logic                 ld_as_sel_sc_i,
  input  logic [AddrW-1:0]     ld_as_addr_i,
  input  logic [PortBytes-1:0] ld_as_strb_i,
  input  logic [PortW-1:0]     ld_as_data_i,
  input  logic                 ld_v_valid_i,
  output logic                 ld_v_ready_o,
  input  logic [RowW-1:0]      ld_v_row_i,
  input  logic [Cols-1:0]      ld_v_mask_i,
  input  logic [32*Cols-1:0]   ld_v_data_i,
  // network
  input  logic                 rx_valid_i,
  output logic                 rx_ready_o,
  input  logic [2:0]           rx_space_i,
  input  logic [19:0]          rx_addr_i,
  input  logic [PortBytes-1:0] rx_strb_i,
  input  logic [PortW-1:0]     rx_data_i,
  // memories
  output logic                 as_valid_o,
  input  logic                 as_ready_i,
  output logic                 as_sel_sc_o,
  output logic [AddrW-1:0]     as_addr_o,
  output logic [PortBytes-1:0] as_strb_o,
  output logic [PortW-1:0]     as_data_o,
  output logic                 v_valid_o,
  input  logic                 v_ready_i,
  output logic [RowW-1:0]      v_row_o,
  output logic [Cols-1:0]      v_mask_o,
  output logic [32*Cols-1:0]   v_data_o
);
  localparam int unsigned Pieces    = Cols * 4 / PortBytes;
  localparam int unsigned PieceBits = $clog2(Pieces);

  logic to_as, to_v, as_rx, v_rx;
  logic as_turn_q, v_turn_q;     // the load engine had the port last

  assign to_v  = rx_valid_i && rx_space_i == SPACE_VMEM;
  assign to_as = rx_valid_i && rx_space_i != SPACE_VMEM;
  assign as_rx = to_as && (!ld_as_valid_i || as_turn_q);
  assign v_rx  = to_v && (!ld_v_valid_i || v_turn_q);

  assign as_valid_o    = as_rx || ld_as_valid_i;
  assign as_sel_sc_o   = as_rx ? rx_space_i == SPACE_ASC : ld_as_sel_sc_i;
  assign as_addr_o     = as_rx ? rx_addr_i[AddrW-1:0] : ld_as_addr_i;
  assign as_strb_o     = as_rx ? rx_strb_i : ld_as_strb_i;
  assign as_data_o     = as_rx ? rx_data_i : ld_as_data_i;
  assign ld_as_ready_o = as_ready_i && !as_rx;

  assign v_valid_o     = v_rx || ld_v_valid_i;
  assign v_row_o       = v_rx ? rx_addr_i[PieceBits +: RowW] : ld_v_row_i;
  assign v_data_o      = v_rx ? {Pieces{rx_data_i}} : ld_v_data_i;
  assign ld_v_ready_o  = v_ready_i && !v_rx;
  for (genvar c = 0; c < Cols; c++) begin : gen_mask
    localparam int unsigned Piece = c * 4 / PortBytes;
    logic mine;
    assign mine = rx_strb_i[(c*4)%PortBytes] &&
                  (Pieces == 1 || rx_addr_i[PieceBits-1:0] == PieceBits'(Piece));
    assign v_mask_o[c] = v_rx ? mine : ld_v_mask_i[c];
  end

  assign rx_ready_o = (as_rx && as_ready_i) || (v_rx && v_ready_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      as_turn_q <= 1'b0;
      v_turn_q  <= 1'b0;
    end else begin
      if (as_valid_o && as_ready_i) as_turn_q <= !as_rx;
      if (v_valid_o && v_ready_i) v_turn_q <= !v_rx;
    end
  end

  logic unused;
  assign unused = ^rx_addr_i;
endmodule
