// One read port and one write port over Depth words of Width bits. A read takes one cycle: rdata_o
// holds the word of the last cycle with ren_i, until the next one. A write stores the MaskBits-wide
// pieces whose wmask_i bit is set. A piece read in the cycle in which it is written is undefined
// (simulation gives it inverted; no block uses it), so no bypass is built. The other pieces of its
// word are read as they are: a RAM cell must not hold more than one piece if another may be in use.
// No reset.
// Latency: 1 cycle. An address at or above Depth must not be given with ren_i or wen_i.
module npu_ram #(
  parameter int unsigned Width    = 32,
  parameter int unsigned Depth    = 512,
  parameter int unsigned MaskBits = Width,
  localparam int unsigned AddrW   = Depth > 1 ? $clog2(Depth) : 1,
  localparam int unsigned MaskW   = Width / MaskBits
) (
  input  logic             clk_i,
  input  logic             ren_i,
  input  logic [AddrW-1:0] raddr_i,
  output logic [Width-1:0] rdata_o,
  input  logic             wen_i,
  input  logic [AddrW-1:0] waddr_i,
  input  logic [MaskW-1:0] wmask_i,
  input  logic [Width-1:0] wdata_i
);
  if (Width % MaskBits != 0) begin : gen_check
    $error("npu_ram: Width must be a multiple of MaskBits");
  end

  (* no_rw_check *) logic [Width-1:0] mem [Depth];

  always_ff @(posedge clk_i) begin
    if (ren_i) begin
      rdata_o <= mem[raddr_i];
`ifndef SYNTHESIS
      if (wen_i && waddr_i == raddr_i) begin
        for (int unsigned i = 0; i < MaskW; i++) begin
          if (wmask_i[i]) rdata_o[i*MaskBits +: MaskBits] <= ~mem[raddr_i][i*MaskBits +: MaskBits];
        end
      end
`endif
    end
  end

  always_ff @(posedge clk_i) begin
    if (wen_i) begin
      for (int unsigned i = 0; i < MaskW; i++) begin
        if (wmask_i[i]) mem[waddr_i][i*MaskBits +: MaskBits] <= wdata_i[i*MaskBits +: MaskBits];
      end
    end
  end
endmodule
