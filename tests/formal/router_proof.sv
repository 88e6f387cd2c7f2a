// One router of the mesh at (1, 1) under any lawful traffic: packets of any length at every port,
// whoever stalls. Lawful is what neighbours may send: x first, then y; that the outputs are lawful
// inputs of the neighbours is proved too, so it holds in the whole mesh: no packet ever turns from
// y to x, hence no circle of waiting packets. Words of source Src for output Dst (a pair that the
// test chooses; all pairs are alike but for the turns) come out once, in order and whole, never
// mixed with another packet's; and a packet waits for at most Wait others that end at its output.
module router_proof
  import npu_link_pkg::*;
#(
  parameter  int unsigned Src   = 1,
  parameter  int unsigned Dst   = 2,
  parameter  int unsigned Ports = 5,     // 3: without y
  parameter  int unsigned Wait  = Ports + 1  // one of each other input, and two that wait to leave
) (
  input  logic             clk_i,
  input  logic             choose_a_i,
  input  logic             choose_b_i,
  input  logic [Ports-1:0] valid_i,
  input  logic [Ports-1:0] last_i,
  input  logic [Ports-1:0][1:0] to_x_i,  // of a packet that begins
  input  logic [Ports-1:0][1:0] to_y_i,
  input  logic [Ports-1:0] ready_i,
  output logic bad_order_o,
  output logic bad_twice_o,
  output logic bad_frame_o,     // a packet without a begin, or two mixed
  output logic bad_turn_o,      // the neighbour gets what is not for it, or y before x
  output logic bad_hunger_o
);
  localparam logic [3:0] X = 4'd1, Y = 4'd1;
  logic start_q = 1'b0;
  always_ff @(posedge clk_i) start_q <= 1'b1;

  // ---- traffic ----------------------------------------------------------------------------------
  logic  [Ports-1:0] iv, ir, ifirst, ilast, ov, ofirst, olast;
  word_t [Ports-1:0] iw, ow;
  logic  [Ports-1:0][1:0] to_x, to_y;
  logic  [Ports-1:0][2:0] way_q;         // of the packet that is going in
  logic  [Ports-1:0][2:0] way;
  logic  [Ports-1:0] body_q;
  logic  [1:0] labels;                   // of order_watch

  function automatic logic [2:0] way_of(logic [1:0] x, logic [1:0] y);
    if (x > 2'd1) return 3'd1;
    if (x < 2'd1) return 3'd2;
    if (y > 2'd1) return 3'd3;
    return y < 2'd1 ? 3'd4 : 3'd0;
  endfunction

  always_comb begin
    for (int unsigned p = 0; p < Ports; p++) begin
      to_x[p] = to_x_i[p];
      to_y[p] = to_y_i[p];
      // From the east to the west or here; from the north and south only along y, never back.
      if (p == 1 && to_x[p] > 2'd1) to_x[p] = 2'd1;
      if (p == 2 && to_x[p] < 2'd1) to_x[p] = 2'd1;
      if (p > 2) to_x[p] = 2'd1;
      if (Ports == 3) to_y[p] = 2'd1;
      if (p == 3 && to_y[p] > 2'd1) to_y[p] = 2'd1;
      if (p == 4 && to_y[p] < 2'd1) to_y[p] = 2'd1;
      way[p]    = body_q[p] ? way_q[p] : way_of(to_x[p], to_y[p]);
      iv[p]     = valid_i[p];
      ifirst[p] = !body_q[p];
      ilast[p]  = last_i[p];
      // Bits that a head word does not use for its way carry the tag.
      iw[p]     = '0;
      iw[p][61:60] = {p > 2, p == Src};  // came along y; is of the chosen source
      iw[p][59:58] = p == Src && way[p] == 3'(Dst) ? labels : '0;
      iw[p][9:2]   = body_q[p] ? '0 : {2'b0, to_y[p], 2'b0, to_x[p]};
    end
  end
  for (genvar p = 0; p < Ports; p++) begin : gen_in
    always_ff @(posedge clk_i or negedge start_q) begin
      if (!start_q) body_q[p] <= 1'b0;
      else if (iv[p] && ir[p]) body_q[p] <= !ilast[p];
    end
    always_ff @(posedge clk_i) if (!body_q[p]) way_q[p] <= way[p];
  end

  npu_router #(.Ports(Ports)) u_dut (
    .clk_i, .rst_ni(start_q), .x_i(X), .y_i(Y), .in_valid_i(iv), .in_ready_o(ir), .in_word_i(iw),
    .in_first_i(ifirst), .in_last_i(ilast), .out_valid_o(ov), .out_ready_i(ready_i),
    .out_word_o(ow), .out_first_o(ofirst), .out_last_o(olast)
  );

  // ---- words of the chosen pair -----------------------------------------------------------------
  logic push, pop, ours;
  logic unused_waits;
  assign push = iv[Src] && ir[Src] && way[Src] == 3'(Dst);
  assign ours = ov[Dst] && ow[Dst][60];
  assign pop  = ours && ready_i[Dst];
  order_watch u_watch (
    .clk_i, .rst_ni(start_q), .choose_a_i, .choose_b_i, .push_i(push), .label_o(labels),
    .pop_i(pop), .label_i(ow[Dst][59:58]), .bad_order_o, .bad_twice_o, .waits_o(unused_waits)
  );

  // ---- packets at the output --------------------------------------------------------------------
  logic       inside_q;
  logic       source_q;
  logic [3:0] dst_x, dst_y;
  always_ff @(posedge clk_i or negedge start_q) begin
    if (!start_q) inside_q <= 1'b0;
    else if (ov[Dst] && ready_i[Dst]) inside_q <= !olast[Dst];
  end
  always_ff @(posedge clk_i) if (ov[Dst] && ready_i[Dst]) source_q <= ow[Dst][60];
  assign bad_frame_o = ov[Dst] && (ofirst[Dst] == inside_q ||
                                   (inside_q && ow[Dst][60] != source_q));
  assign {dst_y, dst_x} = ow[Dst][9:2];
  assign bad_turn_o = ov[Dst] && ofirst[Dst] &&
                      (Dst == 1 ? dst_x <= X || ow[Dst][61] :
                       Dst == 2 ? dst_x >= X || ow[Dst][61] :
                       Dst == 3 ? dst_x != X || dst_y <= Y :
                       Dst == 4 ? dst_x != X || dst_y >= Y : dst_x != X || dst_y != Y);

  // ---- turns: packets that end at the output while a first word of ours waits -------------------
  logic [3:0] others_q;
  logic [2:0] inside_src_q;        // words of Src inside the router, for whichever output
  logic       waits_q, begins, ends;
  logic [2:0] leaving;
  always_comb begin
    leaving = '0;
    for (int unsigned o = 0; o < Ports; o++) begin
      if (ov[o] && ready_i[o] && ow[o][60]) leaving = leaving + 1'b1;
    end
  end
  assign begins = push && ifirst[Src] && inside_src_q == '0;
  assign ends   = ov[Dst] && ready_i[Dst] && olast[Dst] && !ours;
  always_ff @(posedge clk_i or negedge start_q) begin
    if (!start_q) begin
      inside_src_q <= '0;
      waits_q      <= 1'b0;
      others_q     <= '0;
    end else begin
      inside_src_q <= inside_src_q + 3'(iv[Src] && ir[Src]) - leaving;
      if (begins) begin
        waits_q  <= 1'b1;
        others_q <= 4'(ends);
      end else if (waits_q) begin
        if (ours) waits_q <= 1'b0;
        if (ends) others_q <= others_q + 1'b1;
      end
    end
  end
  assign bad_hunger_o = waits_q && others_q == 4'(Wait + 1);
  logic unused;
  assign unused = ^ow;
endmodule
