// Vector memory: rows of Cols words, row r in bank r mod 4; every bank reads one row and writes one
// row a cycle. Reads are granted in the cycle of the request (rvalid and rready), the row is on
// rdata in the next cycle, marked by rdvalid. Three rows are read a cycle, of different banks: mx
// (always granted) before vea before the first of st, veb and ix, which share a multiplexer: st asks
// for a row in several cycles at most. Two are written: mx (always granted) before ve or ld, which
// share likewise; ld takes turns with ve. Writes store the words whose wmask bit is set. A word read
// in the cycle in which it is written is undefined; the row's other words are not. Latency: 1 cycle.
module npu_vmem
  import npu_pkg::*;
#(
  localparam int unsigned RowW  = $clog2(VmemRows),
  localparam int unsigned DataW = Cols * 32
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             mx_rvalid_i,
  input  logic [RowW-1:0]  mx_rrow_i,
  output logic             mx_rready_o,
  output logic             mx_rdvalid_o,
  output logic [DataW-1:0] mx_rdata_o,
  input  logic             vea_rvalid_i,
  input  logic [RowW-1:0]  vea_rrow_i,
  output logic             vea_rready_o,
  output logic             vea_rdvalid_o,
  output logic [DataW-1:0] vea_rdata_o,
  input  logic             veb_rvalid_i,
  input  logic [RowW-1:0]  veb_rrow_i,
  output logic             veb_rready_o,
  output logic             veb_rdvalid_o,
  output logic [DataW-1:0] veb_rdata_o,
  input  logic             st_rvalid_i,
  input  logic [RowW-1:0]  st_rrow_i,
  output logic             st_rready_o,
  output logic             st_rdvalid_o,
  output logic [DataW-1:0] st_rdata_o,
  input  logic             ix_rvalid_i,
  input  logic [RowW-1:0]  ix_rrow_i,
  output logic             ix_rready_o,
  output logic             ix_rdvalid_o,
  output logic [DataW-1:0] ix_rdata_o,
  input  logic             mx_wvalid_i,
  input  logic [RowW-1:0]  mx_wrow_i,
  input  logic [Cols-1:0]  mx_wmask_i,
  input  logic [DataW-1:0] mx_wdata_i,
  output logic             mx_wready_o,
  input  logic             ve_wvalid_i,
  input  logic [RowW-1:0]  ve_wrow_i,
  input  logic [Cols-1:0]  ve_wmask_i,
  input  logic [DataW-1:0] ve_wdata_i,
  output logic             ve_wready_o,
  input  logic             ld_wvalid_i,
  input  logic [RowW-1:0]  ld_wrow_i,
  input  logic [Cols-1:0]  ld_wmask_i,
  input  logic [DataW-1:0] ld_wdata_i,
  output logic             ld_wready_o
);
  localparam int unsigned Readers = 3;
  localparam int unsigned Writers = 2;

  // Multiplexers in order of priority, first highest.
  logic [Readers-1:0] rvalid, rgrant, rdvalid_q;
  logic [RowW-1:0]    rrow [Readers];
  logic [Writers-1:0] wvalid, wgrant;
  logic [RowW-1:0]    wrow [Writers];
  logic [1:0]         rbank_q [Readers];
  logic [DataW-1:0]   bank_rdata [4];
  logic               veb_turn, ix_turn, ld_turn;
  logic               veb_turn_q, ix_turn_q, ld_waits_q;
  logic [Cols-1:0]    ve_wmask;
  logic [DataW-1:0]   ve_wdata;

  assign veb_turn = !st_rvalid_i;
  assign ix_turn  = !st_rvalid_i && !veb_rvalid_i;
  assign rvalid   = {st_rvalid_i || veb_rvalid_i || ix_rvalid_i, vea_rvalid_i, mx_rvalid_i};
  assign rrow[0]  = mx_rrow_i;
  assign rrow[1]  = vea_rrow_i;
  assign rrow[2]  = st_rvalid_i ? st_rrow_i : veb_rvalid_i ? veb_rrow_i : ix_rrow_i;

  assign ld_turn  = ld_wvalid_i && (ld_waits_q || !ve_wvalid_i);
  assign wvalid   = {ve_wvalid_i || ld_wvalid_i, mx_wvalid_i};
  assign wrow[0]  = mx_wrow_i;
  assign wrow[1]  = ld_turn ? ld_wrow_i : ve_wrow_i;
  assign ve_wmask = ld_turn ? ld_wmask_i : ve_wmask_i;
  assign ve_wdata = ld_turn ? ld_wdata_i : ve_wdata_i;

  // A client is granted when no earlier one wants the same bank.
  always_comb begin
    for (int unsigned c = 0; c < Readers; c++) begin
      rgrant[c] = 1'b1;
      for (int unsigned e = 0; e < c; e++) begin
        if (rvalid[e] && rrow[e][1:0] == rrow[c][1:0]) rgrant[c] = 1'b0;
      end
    end
    for (int unsigned c = 0; c < Writers; c++) begin
      wgrant[c] = 1'b1;
      for (int unsigned e = 0; e < c; e++) begin
        if (wvalid[e] && wrow[e][1:0] == wrow[c][1:0]) wgrant[c] = 1'b0;
      end
    end
  end

  for (genvar b = 0; b < 4; b++) begin : gen_bank
    logic             ren, wen;
    logic [RowW-3:0]  raddr, waddr;  // row within the bank
    logic [Cols-1:0]  wmask;
    logic [DataW-1:0] wdata;
    // Who comes first here is granted: the address need not wait for the grants.
    always_comb begin
      ren   = 1'b0;
      raddr = rrow[Readers-1][RowW-1:2];
      for (int unsigned c = Readers; c > 0; c--) begin
        if (rvalid[c-1] && rrow[c-1][1:0] == 2'(b)) begin
          ren   = 1'b1;
          raddr = rrow[c-1][RowW-1:2];
        end
      end
    end
    logic to_mx;
    assign to_mx = mx_wvalid_i && mx_wrow_i[1:0] == 2'(b);
    assign wen   = to_mx || (wvalid[1] && wrow[1][1:0] == 2'(b));
    assign waddr = to_mx ? mx_wrow_i[RowW-1:2] : wrow[1][RowW-1:2];
    assign wmask = to_mx ? mx_wmask_i : ve_wmask;
    assign wdata = to_mx ? mx_wdata_i : ve_wdata;
    npu_ram #(.Width(DataW), .Depth(VmemRows / 4), .MaskBits(32)) u_ram (
      .clk_i,
      .ren_i  (ren),
      .raddr_i(raddr),
      .rdata_o(bank_rdata[b]),
      .wen_i  (wen),
      .waddr_i(waddr),
      .wmask_i(wmask),
      .wdata_i(wdata)
    );
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rdvalid_q  <= '0;
      ld_waits_q <= 1'b0;
    end else begin
      rdvalid_q  <= rvalid & rgrant;
      ld_waits_q <= ld_wvalid_i && !ld_wready_o;
    end
  end
  always_ff @(posedge clk_i) begin
    veb_turn_q <= veb_turn && veb_rvalid_i;
    ix_turn_q  <= ix_turn;
    for (int unsigned c = 0; c < Readers; c++) begin
      if (rvalid[c] && rgrant[c]) rbank_q[c] <= rrow[c][1:0];
    end
  end

  assign {vea_rready_o, mx_rready_o} = rgrant[1:0];
  assign st_rready_o  = rgrant[2];
  assign veb_rready_o = rgrant[2] && veb_turn;
  assign ix_rready_o  = rgrant[2] && ix_turn;
  assign {vea_rdvalid_o, mx_rdvalid_o} = rdvalid_q[1:0];
  assign st_rdvalid_o  = rdvalid_q[2] && !veb_turn_q && !ix_turn_q;
  assign veb_rdvalid_o = rdvalid_q[2] && veb_turn_q;
  assign ix_rdvalid_o  = rdvalid_q[2] && ix_turn_q;
  assign mx_wready_o   = wgrant[0];
  // While ve asks, only an ld that waits already is before it: no path from ld's request to ve.
  assign ve_wready_o   = !(mx_wvalid_i && mx_wrow_i[1:0] == ve_wrow_i[1:0]) && !ld_waits_q;
  assign ld_wready_o   = wgrant[1] && ld_turn;
  assign mx_rdata_o    = bank_rdata[rbank_q[0]];
  assign vea_rdata_o   = bank_rdata[rbank_q[1]];
  assign veb_rdata_o   = bank_rdata[rbank_q[2]];
  assign st_rdata_o    = veb_rdata_o;
  assign ix_rdata_o    = veb_rdata_o;
endmodule
