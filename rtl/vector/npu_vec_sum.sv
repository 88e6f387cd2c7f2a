// Sum of a row as num::tree_sum: aligned binary tree over the column index. Lanes
// without a column must give -0 (it changes nothing). A sum leaves for every beat
// with last_i, in order; rows follow each other without bubbles. single_i: every row
// is one beat, results come straight from the lane tree.
// Latency after the last beat, cycles of en_i: T = AddLat log2(Lanes) for rows of one
// beat; T + 3 AddLat + 3 up to eight beats; beyond, AddLat + 1 more per addition left
// (exact: npu_ve_cycles.hpp).
module npu_vec_sum
  import npu_pkg::*, npu_fp_pkg::*;
(
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                en_i,
  input  logic                single_i,
  input  logic                valid_i,
  input  logic                last_i,
  input  logic [Lanes*32-1:0] values_i,
  output logic                valid_o,
  output logic [31:0]         sum_o
);

  localparam int unsigned Levels = $clog2(Lanes);
  localparam int unsigned TreeLat = Levels * AddLat;

  logic [31:0]        node [Levels+1][Lanes];
  logic [TreeLat:0]   valid, last;
  logic [TreeLat-1:0] valid_q, last_q;

  assign valid = {valid_q, valid_i};
  assign last  = {last_q, last_i};
  for (genvar l = 0; l < Lanes; l++) begin : gen_leaf
    assign node[0][l] = values_i[l*32 +: 32];
  end
  for (genvar k = 0; k < Levels; k++) begin : gen_level
    for (genvar i = 0; i < Lanes; i++) begin : gen_node
      if (i < (Lanes >> (k + 1))) begin : gen_used
        logic unused_valid;
        npu_fp_add u_add (
          .clk_i,
          .en_i,
          .valid_i(valid[k*AddLat]),
          .a_i    (node[k][2*i]),
          .b_i    (node[k][2*i+1]),
          .valid_o(unused_valid),
          .y_o    (node[k+1][i])
        );
      end else begin : gen_unused
        assign node[k+1][i] = 32'd0;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      last_q  <= '0;
    end else if (en_i) begin
      valid_q <= valid[TreeLat-1:0];
      last_q  <= last[TreeLat-1:0];
    end
  end

  logic        pair_valid, pair_last, quad_valid, quad_last, eight_valid, eight_last, stack_valid;
  logic [31:0] pair, quad, eight, stack_sum;

  npu_vec_merge u_pair (
    .clk_i, .rst_ni, .en_i,
    .valid_i(valid[TreeLat] && !single_i),
    .last_i (last[TreeLat]),
    .value_i(node[Levels][0]),
    .valid_o(pair_valid),
    .last_o (pair_last),
    .value_o(pair)
  );

  npu_vec_merge u_quad (
    .clk_i, .rst_ni, .en_i,
    .valid_i(pair_valid),
    .last_i (pair_last),
    .value_i(pair),
    .valid_o(quad_valid),
    .last_o (quad_last),
    .value_o(quad)
  );

  npu_vec_merge u_eight (
    .clk_i, .rst_ni, .en_i,
    .valid_i(quad_valid),
    .last_i (quad_last),
    .value_i(quad),
    .valid_o(eight_valid),
    .last_o (eight_last),
    .value_o(eight)
  );

  npu_vec_stack u_stack (
    .clk_i, .rst_ni, .en_i,
    .valid_i(eight_valid),
    .last_i (eight_last),
    .value_i(eight),
    .valid_o(stack_valid),
    .sum_o  (stack_sum)
  );

  assign valid_o = single_i ? valid[TreeLat] : stack_valid;
  assign sum_o   = single_i ? node[Levels][0] : stack_sum;

endmodule
