// Maximum of unsigned keys over the lanes and the beats of a row or group: binary
// tree, then a running maximum that starts at init_i. A lane without a column must
// give key 0. A result leaves for every beat with last_i; no bubbles between rows.
// Latency: log2(Lanes) + 1 cycles of en_i after the last beat.
module npu_vec_max
  import npu_pkg::*;
(
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                en_i,
  input  logic                valid_i,
  input  logic                last_i,
  input  logic [31:0]         init_i,
  input  logic [Lanes*32-1:0] keys_i,
  output logic                valid_o,
  output logic [31:0]         max_o
);

  localparam int unsigned Stages = $clog2(Lanes);

  function automatic logic [31:0] larger(logic [31:0] a, logic [31:0] b);
    return npu_fp_pkg::less(35'(b), 35'(a)) ? a : b;
  endfunction

  // node[s]: what is left after s stages; unused places read 0.
  logic [31:0] node [Stages+1][Lanes];
  logic [Stages:0] valid, last;
  logic [Stages:1] valid_q, last_q;

  assign valid = {valid_q, valid_i};
  assign last  = {last_q, last_i};
  for (genvar l = 0; l < Lanes; l++) begin : gen_leaf
    assign node[0][l] = keys_i[l*32 +: 32];
  end

  for (genvar s = 0; s < Stages; s++) begin : gen_stage
    for (genvar i = 0; i < Lanes; i++) begin : gen_node
      if (i < (Lanes >> (s + 1))) begin : gen_used
        logic [31:0] node_q;
        always_ff @(posedge clk_i) begin
          if (en_i && valid[s]) node_q <= larger(node[s][2*i], node[s][2*i+1]);
        end
        assign node[s+1][i] = node_q;
      end else begin : gen_unused
        assign node[s+1][i] = 32'd0;
      end
    end
  end

  logic        first_q, done_q;
  logic [31:0] run_q, run;
  assign run = larger(first_q ? init_i : run_q, node[Stages][0]);

  always_ff @(posedge clk_i) begin
    if (en_i && valid[Stages]) run_q <= run;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      last_q  <= '0;
      first_q <= 1'b1;
      done_q  <= 1'b0;
    end else if (en_i) begin
      valid_q <= valid[Stages-1:0];
      last_q  <= last[Stages-1:0];
      done_q  <= valid[Stages] && last[Stages];
      if (valid[Stages]) first_q <= last[Stages];
    end
  end

  assign valid_o = done_q;
  assign max_o   = run_q;

endmodule
