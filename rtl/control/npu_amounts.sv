// What a command that has passed its checks adds to the exact counters. product_i is the checks'
// last product: with passed_i that of two factors (elements, rows gathered), two cycles later that
// of three (bytes, products). npu_counters takes one amount in two cycles.
module npu_amounts
  import npu_types::*;
  import npu_check_pkg::*;
(
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        passed_i,
  input  kind_e       kind_i,
  input  logic        store_i,
  input  logic        gather_i,   // with something to load
  input  logic [63:0] product_i,
  output cmd_ev_t     count_o,
  output amount_ev_t  amount_o
);
  logic [2:0] late1_q, late2_q;  // load, store, mm

  assign count_o = '{
    load: passed_i && kind_i == KindDma && !store_i,
    store: passed_i && kind_i == KindDma && store_i,
    mm: passed_i && kind_i == KindMm, vec: passed_i && kind_i == KindVec,
    qnt: passed_i && kind_i == KindQnt};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      late1_q <= '0;
      late2_q <= '0;
    end else begin
      late1_q <= {count_o.load, count_o.store, count_o.mm};
      late2_q <= late1_q;
    end
  end

  assign amount_o = '{
    load_bytes: late2_q[2], store_bytes: late2_q[1], macs: late2_q[0],
    elems: count_o.vec || count_o.qnt, gather: passed_i && gather_i,
    gather_rows: product_i[31:0], amount: product_i};
endmodule
