// Front of the quantiser: holds the beats of a group (32 columns, or a row of at
// most 256) until the group's scale is known, then gives them out again with the
// reciprocal of the scale. The caller finds each group's largest magnitude.
// ready_o depends on registers only; it promises room for one beat.
// Beats leave in order, one a cycle, when their scale has come:
// MulLat + 1 + FuncLat + 1 cycles of en_i after absmax_valid_i.
module npu_vec_qnt
  import npu_pkg::*, npu_vec_pkg::*;
(
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   en_i,
  // beats in; columns that do not exist must be 0
  output logic                   ready_o,
  input  logic                   valid_i,
  input  qnt_tag_t               tag_i,
  input  logic [QntWidth*32-1:0] values_i,
  // largest magnitude, one per group
  input  logic                   absmax_valid_i,
  input  logic [31:0]            absmax_i,
  // function unit for reciprocals
  output logic                   func_valid_o,
  output logic [31:0]            func_a_o,
  input  logic [31:0]            func_y_i,
  // scale, one per group, when it is known
  output logic                   scale_valid_o,
  output logic [15:0]            scale_o,
  // beats out
  output logic                   valid_o,
  output qnt_tag_t               tag_o,
  output logic [QntWidth*32-1:0] values_o,
  output logic [31:0]            recip_o,
  output logic [15:0]            beat_scale_o
);

  localparam int unsigned RowBeats = QuantColsMax / QntWidth;
  // A row, and what comes while its scale is being made, so that rows follow without a gap.
  localparam int unsigned Depth = 2**$clog2(RowBeats + 24);
  localparam int unsigned Groups = 32;  // scales that may be outstanding

  logic        beat_ready, beat_valid, group_valid, pop, group_pop, unused_ready;
  logic [31:0] recip;
  logic [$clog2(Groups+1)-1:0] unused_groups;
  logic [$clog2(Groups+1)-1:0] open_q;  // groups taken in and not yet given out

  npu_ram_fifo #(.Width(QntWidth * 32 + $bits(qnt_tag_t)), .Depth(Depth)) u_beats (
    .clk_i,
    .rst_ni,
    .in_valid_i (valid_i && en_i),
    .in_ready_o (beat_ready),
    .in_data_i  ({tag_i, values_i}),
    .out_valid_o(beat_valid),
    .out_ready_i(pop),
    .out_data_o ({tag_o, values_o})
  );

  npu_vec_scale u_scale (
    .clk_i,
    .rst_ni,
    .en_i,
    .valid_i (absmax_valid_i),
    .absmax_i,
    .func_valid_o,
    .func_a_o,
    .func_y_i,
    .valid_o (scale_valid_o),
    .scale_o,
    .recip_o (recip)
  );

  npu_fifo #(.Width(48), .Depth(Groups)) u_groups (
    .clk_i,
    .rst_ni,
    .in_valid_i (scale_valid_o && en_i),
    .in_ready_o (unused_ready),
    .in_data_i  ({scale_o, recip}),
    .out_valid_o(group_valid),
    .out_ready_i(group_pop),
    .out_data_o ({beat_scale_o, recip_o}),
    .count_o    (unused_groups)
  );

  assign ready_o   = beat_ready && open_q != ($clog2(Groups+1))'(Groups);
  assign valid_o   = group_valid && beat_valid;
  assign pop       = valid_o && en_i;
  assign group_pop = pop && tag_o.group_last;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      open_q <= '0;
    end else begin
      open_q <= open_q + ($clog2(Groups+1))'(valid_i && en_i && tag_i.group_last) -
                ($clog2(Groups+1))'(group_pop);
    end
  end

endmodule
