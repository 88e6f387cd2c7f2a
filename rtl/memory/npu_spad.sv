// A scratchpad of Bytes bytes with wide read words and narrow writes: reads give RowBytes bytes one
// cycle after ren_i, writes store PortBytes bytes (strobes per halfword: all on-chip DMA traffic is
// even). Reads and writes never stall. Latency: 1 cycle.
module npu_spad #(
  parameter int unsigned Bytes     = 65536,
  parameter int unsigned RowBytes  = 16,
  parameter int unsigned PortBytes = 8,
  localparam int unsigned RowW  = $clog2(Bytes / RowBytes),
  localparam int unsigned PortW = $clog2(Bytes / PortBytes)
) (
  input  logic                    clk_i,
  input  logic                    ren_i,
  input  logic [RowW-1:0]         row_i,
  output logic [RowBytes*8-1:0]   rdata_o,
  input  logic                    wen_i,
  input  logic [PortW-1:0]        waddr_i,
  input  logic [PortBytes/2-1:0]  wmask_i,
  input  logic [PortBytes*8-1:0]  wdata_i
);
  localparam int unsigned Pieces = RowBytes / PortBytes;

  if (RowBytes % PortBytes != 0) begin : gen_check
    $error("npu_spad: RowBytes must be a multiple of PortBytes");
  end

  logic [RowW-1:0] wrow;
  assign wrow = waddr_i[PortW-1 -: RowW];

  for (genvar p = 0; p < Pieces; p++) begin : gen_piece
    logic sel;
    if (Pieces > 1) begin : gen_sel
      assign sel = waddr_i[PortW-RowW-1:0] == (PortW - RowW)'(p);
    end else begin : gen_one
      assign sel = 1'b1;
    end
    npu_ram #(.Width(PortBytes * 8), .Depth(Bytes / RowBytes), .MaskBits(16)) u_ram (
      .clk_i,
      .ren_i,
      .raddr_i(row_i),
      .rdata_o(rdata_o[p*PortBytes*8 +: PortBytes*8]),
      .wen_i  (wen_i && sel),
      .waddr_i(wrow),
      .wmask_i,
      .wdata_i
    );
  end
endmodule
