// Distributed RAM that uses fewer than four address bits: the others are 1, which an open pin reads as, instead of 0,
// which a wire would have to bring to every one of them.
(* techmap_celltype = "TRELLIS_DPR16X4" *)
module open_address (input [3:0] DI, WAD, RAD, input WRE, WCK, output [3:0] DO);
  parameter WCKMUX = "WCK";
  parameter WREMUX = "WRE";
  parameter [63:0] INITVAL = 64'bx;
  parameter [3:0] _TECHMAP_CONSTMSK_WAD_ = 0;
  parameter [3:0] _TECHMAP_CONSTVAL_WAD_ = 0;
  parameter [3:0] _TECHMAP_CONSTMSK_RAD_ = 0;
  parameter [3:0] _TECHMAP_CONSTVAL_RAD_ = 0;
  localparam [3:0] Unused = _TECHMAP_CONSTMSK_WAD_ & _TECHMAP_CONSTMSK_RAD_ & ~_TECHMAP_CONSTVAL_WAD_ & ~_TECHMAP_CONSTVAL_RAD_;
  // Contents given at the start stand at the addresses that they had.
  wire _TECHMAP_FAIL_ = Unused === 4'b0 || INITVAL !== 64'bx;

  wire [3:0] write, read;
  genvar i;
  for (i = 0; i < 4; i = i + 1) begin : bits
    assign write[i] = Unused[i] ? 1'b1 : WAD[i];
    assign read[i]  = Unused[i] ? 1'bx : RAD[i];
  end
  TRELLIS_DPR16X4 #(.WCKMUX(WCKMUX), .WREMUX(WREMUX), .INITVAL(INITVAL)) _TECHMAP_REPLACE_ (
    .DI(DI), .WAD(write), .WRE(WRE), .WCK(WCK), .RAD(read), .DO(DO)
  );
endmodule
