// Watches words that cannot be counted in one place, by labels that travel with them: any word may
// be chosen as A, any later one as B. A comes out once and before B, and none comes out that did
// not go in; as any two words may be the chosen ones, none is lost (a later one would overtake it),
// doubled or overtaken.
module order_watch (
  input  logic       clk_i,
  input  logic       rst_ni,
  input  logic       choose_a_i,
  input  logic       choose_b_i,
  input  logic       push_i,
  output logic [1:0] label_o,      // of the word that is offered: A, B or neither
  input  logic       pop_i,
  input  logic [1:0] label_i,      // of the word that leaves
  output logic       bad_order_o,
  output logic       bad_twice_o,
  output logic       waits_o       // A is inside
);
  logic a_in_q, a_out_q, b_in_q, b_out_q;
  assign label_o     = {choose_b_i && a_in_q && !b_in_q, choose_a_i && !a_in_q};
  assign bad_order_o = pop_i && ((label_i[1] && !a_out_q) || label_i == 2'b11);
  assign bad_twice_o = pop_i && ((label_i[0] && (a_out_q || !a_in_q)) ||
                                 (label_i[1] && (b_out_q || !b_in_q)));
  assign waits_o     = a_in_q && !a_out_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {a_in_q, a_out_q, b_in_q, b_out_q} <= '0;
    else begin
      if (push_i && label_o[0]) a_in_q <= 1'b1;
      if (push_i && label_o[1]) b_in_q <= 1'b1;
      if (pop_i && label_i[0]) a_out_q <= 1'b1;
      if (pop_i && label_i[1]) b_out_q <= 1'b1;
    end
  end
endmodule
