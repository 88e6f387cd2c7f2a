// Vector engine: executes one vec or qnt command at a time (docs/isa.md).
// Operands are read ahead into small queues; everything behind them advances
// together under `en`, which is low only while the write port is behind.
//
// Cycles from accepting a command to accepting the next, with all requests to
// vector memory granted, for N beats (rows * ceil(cols / Lanes)); npu_ve_cycles.hpp
// has the exact formula and the unit test checks it:
//   vec   N + 5 + FmaLat, + FuncLat with a function, + the latency of npu_vec_sum or
//         npu_vec_max + 1 with a reduction, + 1 per full vmem row of results;
//   qnt   N + beats of a group + 10 + FmaLat + FuncLat + log2(Lanes); N counts beats of
//         min(Lanes, 32) columns; one more for row scales.
// Beats follow each other without bubbles across rows. A b operand
// with stride 0 that is a word or fits a vmem row is read once.
// Rows of dst must not overlap rows read later in the same command.
module npu_ve
  import npu_pkg::*, npu_fp_pkg::*, npu_vec_pkg::*;
#(
  localparam int unsigned RowW  = $clog2(VmemRows),
  localparam int unsigned ColW  = $clog2(Cols),
  localparam int unsigned AddrW = RowW + ColW,
  localparam int unsigned DataW = Cols * 32,
  localparam int unsigned BlkW  = $clog2(AspmBytes / 32)
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               cmd_valid_i,
  input  npu_types::ve_cmd_t cmd_i,
  output logic               cmd_ready_o,
  output logic               done_o,
  output logic               idle_o,
  output npu_types::ve_ev_t  ev_o,
  // vector memory
  output logic               vea_rvalid_o,
  output logic [RowW-1:0]    vea_rrow_o,
  input  logic               vea_rready_i,
  input  logic               vea_rdvalid_i,
  input  logic [DataW-1:0]   vea_rdata_i,
  output logic               veb_rvalid_o,
  output logic [RowW-1:0]    veb_rrow_o,
  input  logic               veb_rready_i,
  input  logic               veb_rdvalid_i,
  input  logic [DataW-1:0]   veb_rdata_i,
  output logic               ve_wvalid_o,
  output logic [RowW-1:0]    ve_wrow_o,
  output logic [Cols-1:0]    ve_wmask_o,
  output logic [DataW-1:0]   ve_wdata_o,
  input  logic               ve_wready_i,
  // activation scratchpad
  output logic               q_wvalid_o,
  output logic [BlkW-1:0]    q_wblk_o,
  output logic [255:0]       q_wdata_o,
  output logic               q_wscale_en_o,
  output logic [15:0]        q_wscale_o
);

  localparam int unsigned VecBeats = Cols / Lanes;  // beats of a vmem row
  localparam int unsigned VecSubW  = VecBeats > 1 ? $clog2(VecBeats) : 1;
  localparam int unsigned LaneLat  = 1 + FmaLat;
  localparam int unsigned OutW     = RowW > BlkW ? RowW : BlkW;

  // ---- command ---------------------------------------------------------------

  logic    accept, finish, run_q, done_q;
  logic    qnt_q, by_row_q, wr_q, absa_q, nega_q, negb_q;
  vop_e    op_q;
  vfunc_e  func_q;
  vred_e   red_q;
  logic [31:0] s_q;

  // verilator lint_off UNUSEDSIGNAL
  vec_cmd_t v;  // of both kinds of command; addresses were checked, high bits are 0
  // verilator lint_on UNUSEDSIGNAL
  assign v      = cmd_i.vec;
  assign accept = cmd_valid_i && cmd_ready_o;

  always_ff @(posedge clk_i) begin
    if (accept) begin
      qnt_q    <= cmd_i.is_qnt;
      by_row_q <= cmd_i.qnt_row;
      wr_q     <= v.wr;
      absa_q   <= v.absa;
      nega_q   <= v.nega;
      negb_q   <= v.negb;
      op_q     <= vop_e'(v.op);
      func_q   <= vfunc_e'(v.func);
      red_q    <= vred_e'(v.red);
      s_q      <= v.s;
    end
  end

  // ---- operands --------------------------------------------------------------

  logic                    en, issue, qnt_ready;
  qnt_tag_t                in_tag;
  logic [Lanes*32-1:0]     vec_x, vec_y;
  logic [QntWidth*32-1:0]  in_values;

  npu_vec_read u_read (
    .clk_i,
    .rst_ni,
    .start_i     (accept),
    .cmd_i,
    .en_i        (en),
    .qnt_i       (qnt_q),
    .qnt_ready_i (qnt_ready),
    .valid_o     (issue),
    .x_o         (vec_x),
    .y_o         (vec_y),
    .qnt_tag_o   (in_tag),
    .qnt_values_o(in_values),
    .vea_rvalid_o,
    .vea_rrow_o,
    .vea_rready_i,
    .vea_rdvalid_i,
    .vea_rdata_i,
    .veb_rvalid_o,
    .veb_rrow_o,
    .veb_rready_i,
    .veb_rdvalid_i,
    .veb_rdata_i
  );

  // ---- quantiser front -------------------------------------------------------

  qnt_tag_t                held_tag;
  logic [QntWidth*32-1:0]  held_values;
  logic                    held_valid, scale_valid;
  logic [31:0]             held_recip, absmax;
  logic [15:0]             held_scale, scale;

  logic        reduced_valid, recip_valid;
  logic [31:0] recip_a;
  logic [31:0] recip_y [Lanes];  // lane 0's counts
  npu_vec_qnt u_qnt (
    .clk_i,
    .rst_ni,
    .en_i          (en),
    .ready_o       (qnt_ready),
    .valid_i       (issue && qnt_q),
    .tag_i         (in_tag),
    .values_i      (in_values),
    .absmax_valid_i(reduced_valid && qnt_q),
    .absmax_i      (absmax),
    .func_valid_o  (recip_valid),
    .func_a_o      (recip_a),
    .func_y_i      (recip_y[0]),
    .scale_valid_o (scale_valid),
    .scale_o       (scale),
    .valid_o       (held_valid),
    .tag_o         (held_tag),
    .values_o      (held_values),
    .recip_o       (held_recip),
    .beat_scale_o  (held_scale)
  );

  // ---- lanes -----------------------------------------------------------------

  logic [31:0]               y [Lanes];
  logic [31:0]               fma [Lanes];
  logic                      lane_valid, out_valid;
  logic [LaneLat+FuncLat:1]  flight_q;  // beats in the lanes, by age

  assign lane_valid = qnt_q ? held_valid : issue;
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [31:0] x_in;
    if (l < QntWidth) begin : gen_qnt
      assign x_in = qnt_q ? held_values[l*32 +: 32] : vec_x[l*32 +: 32];
    end else begin : gen_vec
      assign x_in = vec_x[l*32 +: 32];
    end
    npu_vec_lane u_lane (
      .clk_i,
      .en_i   (en),
      .valid_i(lane_valid),
      .op_i   (op_q),
      .func_i (func_q),
      .absa_i (absa_q),
      .nega_i (nega_q),
      .negb_i (negb_q),
      .x_i    (x_in),
      .y_i    (qnt_q ? held_recip : vec_y[l*32 +: 32]),
      .s_i    (s_q),
      .lend_i (l == 0 && qnt_q),
      .recip_valid_i(l == 0 && recip_valid),
      .recip_i(recip_a),
      .recip_o(recip_y[l]),
      .fma_o  (fma[l]),
      .y_o    (y[l])
    );
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) flight_q <= '0;
    else if (en) flight_q <= {flight_q[LaneLat+FuncLat-1:LaneLat+1],
                              flight_q[LaneLat] && func_q != VFUNC_NONE,
                              flight_q[LaneLat-1:1], lane_valid};
  end
  assign out_valid = func_q == VFUNC_NONE ? flight_q[LaneLat] : flight_q[LaneLat+FuncLat];

  // ---- results of vec --------------------------------------------------------

  logic                vec_out, out_row_last, out_last, result_valid;
  logic [VecSubW-1:0]  out_sub;
  logic [Lanes-1:0]    out_mask;
  logic [Lanes*32-1:0] lane_values, out_data;
  logic [31:0]         reduced, result;

  assign vec_out = out_valid && en && !qnt_q;
  for (genvar l = 0; l < Lanes; l++) begin : gen_out
    assign lane_values[l*32 +: 32] = y[l];
  end

  npu_vec_reduce u_reduce (
    .clk_i,
    .rst_ni,
    .en_i         (en),
    .start_i      (accept),
    .rows_i       (v.rows[15:0]),
    .cols_i       (v.cols[15:0]),
    .masked_i     (v.masked),
    .linc_i       (v.linc),
    .lim_i        (v.lim),
    .qnt_i        (qnt_q),
    .red_i        (red_q),
    .valid_i      (vec_out),
    .values_i     (lane_values),
    .mask_o       (out_mask),
    .values_o     (out_data),
    .sub_o        (out_sub),
    .row_last_o   (out_row_last),
    .last_o       (out_last),
    .qnt_valid_i  (issue && qnt_q),
    .qnt_last_i   (in_tag.group_last),
    .qnt_values_i (in_values),
    .absmax_o     (absmax),
    .valid_o      (reduced_valid),
    .result_o     (reduced)
  );

  assign result_valid = qnt_q ? scale_valid && by_row_q : reduced_valid;
  assign result       = qnt_q ? {scale, 16'd0} : reduced;

  // ---- results of qnt --------------------------------------------------------

  qnt_tag_t     tag_q [LaneLat+1];
  logic [15:0]  scale_q [LaneLat+1];
  logic         qnt_out;
  logic [QntWidth*32-1:0] products;

  assign tag_q[0]   = held_tag;
  assign scale_q[0] = held_scale;
  for (genvar i = 1; i <= LaneLat; i++) begin : gen_tag
    always_ff @(posedge clk_i) begin
      if (en && qnt_q) begin
        tag_q[i]   <= tag_q[i-1];
        scale_q[i] <= scale_q[i-1];
      end
    end
  end
  for (genvar l = 0; l < QntWidth; l++) begin : gen_product
    assign products[l*32 +: 32] = fma[l];
  end
  assign qnt_out = out_valid && en && qnt_q;

  // In vmem rows (vec) or blocks (qnt).
  logic [OutW-1:0] out_base_q, out_stride_q, out_addr_q;
  npu_vec_pack u_pack (
    .clk_i,
    .rst_ni,
    .valid_i   (qnt_out),
    .values_i  (products),
    .first_i   (tag_q[LaneLat].piece == '0),
    .piece_i   (tag_q[LaneLat].piece),
    .last_i    (tag_q[LaneLat].block_last),
    .blk_i     (out_addr_q[BlkW-1:0]),
    .scale_en_i(!by_row_q),
    .scale_i   (scale_q[LaneLat]),
    .q_wvalid_o,
    .q_wblk_o,
    .q_wdata_o,
    .q_wscale_en_o,
    .q_wscale_o
  );

  // ---- destination -----------------------------------------------------------

  logic            out_row_end, out_step;
  assign out_row_end = qnt_q ? qnt_out && tag_q[LaneLat].row_last : vec_out && out_row_last;
  assign out_step    = qnt_q ? qnt_out && tag_q[LaneLat].block_last
                             : vec_out && out_sub == VecSubW'(VecBeats - 1);

  always_ff @(posedge clk_i) begin
    if (accept) begin
      out_base_q   <= cmd_i.is_qnt ? OutW'(v.dst[5 +: BlkW]) : OutW'(v.dst[ColW +: RowW]);
      out_addr_q   <= cmd_i.is_qnt ? OutW'(v.dst[5 +: BlkW]) : OutW'(v.dst[ColW +: RowW]);
      out_stride_q <= cmd_i.is_qnt ? OutW'(v.ds[5 +: BlkW]) : OutW'(v.ds[ColW +: RowW]);
    end else if (out_row_end) begin
      out_base_q <= out_base_q + out_stride_q;
      out_addr_q <= out_base_q + out_stride_q;
    end else if (out_step) begin
      out_addr_q <= out_addr_q + 1'b1;
    end
  end

  logic out_empty;
  npu_vec_out u_write (
    .clk_i,
    .rst_ni,
    .start_i       (accept),
    .reduces_i     (cmd_i.is_qnt ? cmd_i.qnt_row : v.red != VRED_NONE),
    .r_i           (v.r[AddrW-1:0]),
    .rows_i        (v.rows[15:0]),
    .en_o          (en),
    .empty_o       (out_empty),
    .push_i        (vec_out && wr_q),
    .row_i         (out_addr_q[RowW-1:0]),
    .sub_i         (out_sub),
    .mask_i        (out_mask),
    .data_i        (out_data),
    .result_valid_i(result_valid),
    .result_i      (result),
    .wvalid_o      (ve_wvalid_o),
    .wrow_o        (ve_wrow_o),
    .wmask_o       (ve_wmask_o),
    .wdata_o       (ve_wdata_o),
    .wready_i      (ve_wready_i)
  );

  // ---- end -------------------------------------------------------------------

  assign finish      = run_q && done_q && out_empty;
  assign cmd_ready_o = !run_q || finish;
  assign done_o      = finish;
  assign idle_o      = !run_q;
  assign ev_o.busy   = run_q;
  assign ev_o.wait_mem = (vea_rvalid_o && !vea_rready_i) || (veb_rvalid_o && !veb_rready_i) ||
                         (ve_wvalid_o && !ve_wready_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_q  <= 1'b0;
      done_q <= 1'b0;
    end else begin
      if (accept) run_q <= 1'b1;
      else if (finish) run_q <= 1'b0;
      // done_q: the last beat has left the lanes
      if (accept) done_q <= 1'b0;
      else if ((vec_out && out_last) || (qnt_out && tag_q[LaneLat].last)) done_q <= 1'b1;
    end
  end

endmodule
