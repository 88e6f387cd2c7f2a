// Activation scratchpad (blocks of 32 bytes) and one 16-bit scale per block.
// Matrix port: a_ren_i, a_blk_i give the block and its scale one cycle later; never stalls.
// Quantiser port: q_wvalid_i writes a whole block and, with q_wscale_en_i, its scale; never stalls.
// Load port: PortBytes bytes at byte address ld_waddr_i*PortBytes of the data or (ld_wsel_sc_i) the
// scales, waits while the quantiser writes. Store port: reads PortBytes bytes in the same way,
// waits while the matrix engine reads; data and st_rdvalid_o one cycle after the grant.
// A byte or scale read in the cycle in which it is written is undefined. Latency: 1 cycle.
module npu_aspm
  import npu_pkg::*;
#(
  localparam int unsigned BlkW  = $clog2(AspmBytes / 32),
  localparam int unsigned AddrW = $clog2(AspmBytes / PortBytes)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   a_ren_i,
  input  logic [BlkW-1:0]        a_blk_i,
  output logic [255:0]           a_rdata_o,
  output logic [15:0]            a_rscale_o,
  input  logic                   q_wvalid_i,
  input  logic [BlkW-1:0]        q_wblk_i,
  input  logic [255:0]           q_wdata_i,
  input  logic                   q_wscale_en_i,
  input  logic [15:0]            q_wscale_i,
  input  logic                   ld_wvalid_i,
  output logic                   ld_wready_o,
  input  logic                   ld_wsel_sc_i,
  input  logic [AddrW-1:0]       ld_waddr_i,
  input  logic [PortBytes-1:0]   ld_wstrb_i,
  input  logic [PortBytes*8-1:0] ld_wdata_i,
  input  logic                   st_rvalid_i,
  output logic                   st_rready_o,
  input  logic                   st_rsel_sc_i,
  input  logic [AddrW-1:0]       st_raddr_i,
  output logic                   st_rdvalid_o,
  output logic [PortBytes*8-1:0] st_rdata_o
);
  // The data lie in Rams memories side by side, each as wide as the smaller of a block and a port
  // word.
  localparam int unsigned Piece   = PortBytes < 32 ? PortBytes : 32;
  localparam int unsigned Wide    = PortBytes < 32 ? 32 : PortBytes;
  localparam int unsigned Rams    = Wide / Piece;
  localparam int unsigned Depth   = AspmBytes / Wide;
  localparam int unsigned DepthW  = $clog2(Depth);
  localparam int unsigned PerBlk  = 32 / Piece;         // memories that make up a block
  localparam int unsigned PerPort = PortBytes / Piece;  // memories that make up a port word
  localparam int unsigned SubBlkW = BlkW - DepthW;      // which block of a wide word
  localparam int unsigned SubPrtW = AddrW - DepthW;     // which port word of a wide word
  localparam int unsigned ScLane  = PortBytes / 2;      // scales in a port word
  localparam int unsigned ScLaneW = $clog2(ScLane);
  localparam int unsigned ScAddrW = $clog2(AscBytes / PortBytes);

  logic ld_data, ld_scale, st_grant;
  assign ld_wready_o = !(q_wvalid_i && (!ld_wsel_sc_i || q_wscale_en_i));
  assign ld_data     = ld_wvalid_i && ld_wready_o && !ld_wsel_sc_i;
  assign ld_scale    = ld_wvalid_i && ld_wready_o && ld_wsel_sc_i;
  assign st_rready_o = !a_ren_i;
  assign st_grant    = st_rvalid_i && st_rready_o;

  logic [PortBytes/2-1:0] ld_mask;
  for (genvar h = 0; h < PortBytes / 2; h++) begin : gen_mask
    assign ld_mask[h] = ld_wstrb_i[2*h];
  end

  logic [Wide*8-1:0] wide_rdata;
  logic [DepthW-1:0] raddr, waddr;
  assign raddr = a_ren_i ? a_blk_i[BlkW-1 -: DepthW] : st_raddr_i[AddrW-1 -: DepthW];
  assign waddr = q_wvalid_i ? q_wblk_i[BlkW-1 -: DepthW] : ld_waddr_i[AddrW-1 -: DepthW];

  for (genvar r = 0; r < Rams; r++) begin : gen_ram
    localparam int unsigned BlkIdx  = r / PerBlk;
    localparam int unsigned PortIdx = r / PerPort;
    logic q_sel, a_sel, ld_sel, st_sel;
    if (SubBlkW > 0) begin : gen_blk_sel
      assign q_sel = q_wblk_i[SubBlkW-1:0] == SubBlkW'(BlkIdx);
      assign a_sel = a_blk_i[SubBlkW-1:0] == SubBlkW'(BlkIdx);
    end else begin : gen_blk_all
      assign q_sel = 1'b1;
      assign a_sel = 1'b1;
    end
    if (SubPrtW > 0) begin : gen_port_sel
      assign ld_sel = ld_waddr_i[SubPrtW-1:0] == SubPrtW'(PortIdx);
      assign st_sel = st_raddr_i[SubPrtW-1:0] == SubPrtW'(PortIdx);
    end else begin : gen_port_all
      assign ld_sel = 1'b1;
      assign st_sel = 1'b1;
    end
    npu_ram #(.Width(Piece * 8), .Depth(Depth), .MaskBits(16)) u_ram (
      .clk_i,
      .ren_i  (a_ren_i ? a_sel : st_grant && !st_rsel_sc_i && st_sel),
      .raddr_i(raddr),
      .rdata_o(wide_rdata[r*Piece*8 +: Piece*8]),
      .wen_i  (q_wvalid_i ? q_sel : ld_data && ld_sel),
      .waddr_i(waddr),
      .wmask_i(q_wvalid_i ? '1 : ld_mask[(r%PerPort)*(Piece/2) +: Piece/2]),
      .wdata_i(q_wvalid_i ? q_wdata_i[(r%PerBlk)*Piece*8 +: Piece*8]
                          : ld_wdata_i[(r%PerPort)*Piece*8 +: Piece*8])
    );
  end

  // Scales: words of PortBytes bytes, so a load or store beat takes one cycle; a RAM for each scale
  // of a word, because the quantiser writes one while the matrix engine may read its neighbour.
  logic                   sc_q, sc_ren;
  logic [ScAddrW-1:0]     sc_raddr, sc_waddr;
  logic [PortBytes*8-1:0] sc_rdata;
  assign sc_q     = q_wvalid_i && q_wscale_en_i;
  assign sc_ren   = a_ren_i || (st_grant && st_rsel_sc_i);
  assign sc_raddr = a_ren_i ? a_blk_i[BlkW-1:ScLaneW] : st_raddr_i[ScAddrW-1:0];
  assign sc_waddr = sc_q ? q_wblk_i[BlkW-1:ScLaneW] : ld_waddr_i[ScAddrW-1:0];

  for (genvar s = 0; s < ScLane; s++) begin : gen_scale
    npu_ram #(.Width(16), .Depth(AscBytes / PortBytes)) u_ram (
      .clk_i,
      .ren_i  (sc_ren),
      .raddr_i(sc_raddr),
      .rdata_o(sc_rdata[s*16 +: 16]),
      .wen_i  (sc_q ? q_wblk_i[ScLaneW-1:0] == ScLaneW'(s) : ld_scale && ld_mask[s]),
      .waddr_i(sc_waddr),
      .wmask_i(1'b1),
      .wdata_i(sc_q ? q_wscale_i : ld_wdata_i[s*16 +: 16])
    );
  end

  // What was read last, to pick it out of the wide word.
  logic               st_sc_q;
  logic [ScLaneW-1:0] a_lane_q;
  always_ff @(posedge clk_i) begin
    if (a_ren_i) a_lane_q <= a_blk_i[ScLaneW-1:0];
    if (st_grant) st_sc_q <= st_rsel_sc_i;
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) st_rdvalid_o <= 1'b0;
    else st_rdvalid_o <= st_grant;
  end

  assign a_rscale_o = sc_rdata[a_lane_q*16 +: 16];
  if (SubBlkW > 0) begin : gen_a_pick
    logic [SubBlkW-1:0] a_sub_q;
    always_ff @(posedge clk_i) if (a_ren_i) a_sub_q <= a_blk_i[SubBlkW-1:0];
    assign a_rdata_o = wide_rdata[a_sub_q*256 +: 256];
  end else begin : gen_a_all
    assign a_rdata_o = wide_rdata;
  end
  logic [PortBytes*8-1:0] st_data;
  if (SubPrtW > 0) begin : gen_st_pick
    logic [SubPrtW-1:0] st_sub_q;
    always_ff @(posedge clk_i) if (st_grant) st_sub_q <= st_raddr_i[SubPrtW-1:0];
    assign st_data = wide_rdata[st_sub_q*PortBytes*8 +: PortBytes*8];
  end else begin : gen_st_all
    assign st_data = wide_rdata;
  end
  assign st_rdata_o = st_sc_q ? sc_rdata : st_data;

  logic unused;
  assign unused = ^{ld_wstrb_i, st_raddr_i, ld_waddr_i};
endmodule
