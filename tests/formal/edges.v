// For designs with several clocks: a step of the proof may be an edge of any of them, or of none. A
// clock that is 1 in a step has its edge at the step's end.
(* techmap_celltype = "$dff" *)
module _dff_edge (CLK, D, Q);
  parameter WIDTH = 1;
  parameter CLK_POLARITY = 1;
  input CLK;
  input [WIDTH-1:0] D;
  output [WIDTH-1:0] Q;
  \$ff #(.WIDTH(WIDTH)) next (.D(CLK ? D : Q), .Q(Q));
endmodule

(* techmap_celltype = "$adff" *)
module _adff_edge (CLK, ARST, D, Q);
  parameter WIDTH = 1;
  parameter CLK_POLARITY = 1;
  parameter ARST_POLARITY = 0;
  parameter ARST_VALUE = 0;
  input CLK, ARST;
  input [WIDTH-1:0] D;
  output [WIDTH-1:0] Q;
  wire reset = ARST == ARST_POLARITY;
  wire [WIDTH-1:0] kept;
  assign Q = reset ? ARST_VALUE : kept;
  \$ff #(.WIDTH(WIDTH)) next (.D(reset ? ARST_VALUE : CLK ? D : kept), .Q(kept));
endmodule
