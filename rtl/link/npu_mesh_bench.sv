// Test top: routers of a mesh of X by Y dies, neighbours wired; every router's local port outside.
module npu_mesh_bench
  import npu_link_pkg::*;
#(
  parameter  int unsigned X = 3,
  parameter  int unsigned Y = 2,
  localparam int unsigned Dies = X * Y
) (
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic  [Dies-1:0]  in_valid_i,
  output logic  [Dies-1:0]  in_ready_o,
  input  word_t [Dies-1:0]  in_word_i,
  input  logic  [Dies-1:0]  in_first_i,
  input  logic  [Dies-1:0]  in_last_i,
  output logic  [Dies-1:0]  out_valid_o,
  input  logic  [Dies-1:0]  out_ready_i,
  output word_t [Dies-1:0]  out_word_o,
  output logic  [Dies-1:0]  out_first_o,
  output logic  [Dies-1:0]  out_last_o
);
  localparam int unsigned Ports = 5;
  logic  [Dies-1:0][Ports-1:0] iv, ir, ifirst, ilast, ov, ordy, ofirst, olast;
  word_t [Dies-1:0][Ports-1:0] iw, ow;

  for (genvar d = 0; d < Dies; d++) begin : gen_die
    npu_router u_router (
      .clk_i, .rst_ni, .x_i(4'(d % X)), .y_i(4'(d / X)),
      .in_valid_i(iv[d]), .in_ready_o(ir[d]), .in_word_i(iw[d]), .in_first_i(ifirst[d]),
      .in_last_i(ilast[d]), .out_valid_o(ov[d]), .out_ready_i(ordy[d]), .out_word_o(ow[d]),
      .out_first_o(ofirst[d]), .out_last_o(olast[d])
    );
    assign iv[d][0]       = in_valid_i[d];
    assign iw[d][0]       = in_word_i[d];
    assign ifirst[d][0]   = in_first_i[d];
    assign ilast[d][0]    = in_last_i[d];
    assign in_ready_o[d]  = ir[d][0];
    assign out_valid_o[d] = ov[d][0];
    assign out_word_o[d]  = ow[d][0];
    assign out_first_o[d] = ofirst[d][0];
    assign out_last_o[d]  = olast[d][0];
    assign ordy[d][0]     = out_ready_i[d];
    // East, west, north, south: the neighbour's port is the opposite one.
    for (genvar p = 1; p < Ports; p++) begin : gen_port
      localparam int unsigned Back = p % 2 == 1 ? p + 1 : p - 1;
      localparam bit There = p == 1 ? d % X < X - 1 : p == 2 ? d % X > 0 :
                             p == 3 ? d / X < Y - 1 : d / X > 0;
      localparam int Step = p == 1 ? 1 : p == 2 ? -1 : p == 3 ? int'(X) : -int'(X);
      if (There) begin : gen_wire
        localparam int unsigned N = unsigned'(int'(d) + Step);
        assign iv[d][p]     = ov[N][Back];
        assign iw[d][p]     = ow[N][Back];
        assign ifirst[d][p] = ofirst[N][Back];
        assign ilast[d][p]  = olast[N][Back];
        assign ordy[d][p]   = ir[N][Back];
      end else begin : gen_border
        assign iv[d][p]     = 1'b0;
        assign iw[d][p]     = '0;
        assign ifirst[d][p] = 1'b0;
        assign ilast[d][p]  = 1'b0;
        assign ordy[d][p]   = 1'b0;
      end
    end
  end
endmodule
