// Weight scratchpad and its scales. Both are read in words of 2*Cols bytes, one cycle after w_ren_i
// or sc_ren_i, never stalled. The load engine writes PortBytes bytes at byte address
// ld_waddr_i*PortBytes of the data or (ld_wsel_sc_i) the scales; strobes come in pairs (halfwords).
// Latency: 1 cycle.
// A byte read in the cycle in which it is written is undefined.
module npu_wspm
  import npu_pkg::*;
#(
  localparam int unsigned RowBytes = 2 * Cols,
  localparam int unsigned RowW     = $clog2(WspmBytes / RowBytes),
  localparam int unsigned ScRowW   = $clog2(WscBytes / RowBytes),
  localparam int unsigned AddrW    = $clog2(WspmBytes / PortBytes)
) (
  input  logic                   clk_i,
  input  logic                   w_ren_i,
  input  logic [RowW-1:0]        w_row_i,
  output logic [RowBytes*8-1:0]  w_rdata_o,
  input  logic                   sc_ren_i,
  input  logic [ScRowW-1:0]      sc_row_i,
  output logic [RowBytes*8-1:0]  sc_rdata_o,
  input  logic                   ld_wvalid_i,
  output logic                   ld_wready_o,
  input  logic                   ld_wsel_sc_i,
  input  logic [AddrW-1:0]       ld_waddr_i,
  input  logic [PortBytes-1:0]   ld_wstrb_i,
  input  logic [PortBytes*8-1:0] ld_wdata_i
);
  localparam int unsigned ScAddrW = $clog2(WscBytes / PortBytes);

  logic [PortBytes/2-1:0] mask;
  for (genvar h = 0; h < PortBytes / 2; h++) begin : gen_mask
    assign mask[h] = ld_wstrb_i[2*h];
  end
  assign ld_wready_o = 1'b1;

  npu_spad #(.Bytes(WspmBytes), .RowBytes(RowBytes), .PortBytes(PortBytes)) u_data (
    .clk_i,
    .ren_i  (w_ren_i),
    .row_i  (w_row_i),
    .rdata_o(w_rdata_o),
    .wen_i  (ld_wvalid_i && !ld_wsel_sc_i),
    .waddr_i(ld_waddr_i),
    .wmask_i(mask),
    .wdata_i(ld_wdata_i)
  );

  npu_spad #(.Bytes(WscBytes), .RowBytes(RowBytes), .PortBytes(PortBytes)) u_scale (
    .clk_i,
    .ren_i  (sc_ren_i),
    .row_i  (sc_row_i),
    .rdata_o(sc_rdata_o),
    .wen_i  (ld_wvalid_i && ld_wsel_sc_i),
    .waddr_i(ld_waddr_i[ScAddrW-1:0]),
    .wmask_i(mask),
    .wdata_i(ld_wdata_i)
  );

  logic unused;
  assign unused = ^ld_wstrb_i;
endmodule
