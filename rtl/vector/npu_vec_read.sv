// Operand side of the vector engine: reads a and b from vector memory and gives
// one beat a cycle to the lanes (vec: Lanes columns) or to the quantiser (qnt:
// QntWidth columns) while en_i and, for qnt, qnt_ready_i. Outputs are
// combinational from the heads of the operand queues.
// Latency: the first beat comes three cycles after start_i.
module npu_vec_read
  import npu_pkg::*, npu_vec_pkg::*;
#(
  localparam int unsigned RowW  = $clog2(VmemRows),
  localparam int unsigned ColW  = $clog2(Cols),
  localparam int unsigned AddrW = RowW + ColW,
  localparam int unsigned DataW = Cols * 32
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   start_i,
  // verilator lint_off UNUSEDSIGNAL
  input  npu_types::ve_cmd_t     cmd_i,  // with start_i; some fields are for others
  // verilator lint_on UNUSEDSIGNAL
  input  logic                   en_i,
  input  logic                   qnt_i,
  input  logic                   qnt_ready_i,
  output logic                   valid_o,
  output logic [Lanes*32-1:0]    x_o,
  output logic [Lanes*32-1:0]    y_o,
  output qnt_tag_t               qnt_tag_o,
  output logic [QntWidth*32-1:0] qnt_values_o,  // 0 where there is no column
  output logic                   vea_rvalid_o,
  output logic [RowW-1:0]        vea_rrow_o,
  input  logic                   vea_rready_i,
  input  logic                   vea_rdvalid_i,
  input  logic [DataW-1:0]       vea_rdata_i,
  output logic                   veb_rvalid_o,
  output logic [RowW-1:0]        veb_rrow_o,
  input  logic                   veb_rready_i,
  input  logic                   veb_rdvalid_i,
  input  logic [DataW-1:0]       veb_rdata_i
);

  localparam int unsigned VecBeats = Cols / Lanes;  // beats of a vmem row
  localparam int unsigned QntBeats = Cols / QntWidth;
  localparam int unsigned VecSubW  = VecBeats > 1 ? $clog2(VecBeats) : 1;
  localparam int unsigned SubW     = QntBeats > 1 ? $clog2(QntBeats) : 1;

  logic     by_row_q, pair_q, swap_q;
  bmode_e   bmode_q;
  logic [31:0] scalar_q;
  logic     b_word, b_hold, b_used;
  // verilator lint_off UNUSEDSIGNAL
  vec_cmd_t v;  // addresses were checked, high bits are 0
  // verilator lint_on UNUSEDSIGNAL
  assign v       = cmd_i.vec;
  assign b_word  = v.bmode == BMODE_ROW_SCALAR;
  assign b_hold  = v.bs == 32'd0 && (b_word || v.cols <= 32'(Cols));

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      by_row_q <= cmd_i.qnt_row;
      pair_q   <= Sparse && cmd_i.qnt_pair;
      swap_q   <= v.swap;
      bmode_q  <= cmd_i.is_qnt ? BMODE_SCALAR : bmode_e'(v.bmode);
      scalar_q <= v.b;
    end
  end

  // ---- operand queues --------------------------------------------------------

  logic             issue, a_valid, b_valid, a_pop, b_pop, b_rvalid;
  logic [DataW-1:0] a_data, b_data;
  logic [ColW-1:0]  b_sel, unused_sel;

  npu_vec_fetch u_a (
    .clk_i,
    .rst_ni,
    .start_i,
    .word_i   (1'b0),
    .hold_i   (1'b0),
    .base_i   (v.a[AddrW-1:0]),
    .stride_i (v.as[AddrW-1:0]),
    .rows_i   (v.rows[15:0]),
    .cols_i   (v.cols[15:0]),
    .rvalid_o (vea_rvalid_o),
    .rrow_o   (vea_rrow_o),
    .rready_i (vea_rready_i),
    .rdvalid_i(vea_rdvalid_i),
    .rdata_i  (vea_rdata_i),
    .valid_o  (a_valid),
    .data_o   (a_data),
    .sel_o    (unused_sel),
    .pop_i    (a_pop)
  );

  // Without b its queue walks like the others, but asks for nothing.
  assign b_used       = bmode_q != BMODE_SCALAR;
  assign veb_rvalid_o = b_rvalid && b_used;
  npu_vec_fetch u_b (
    .clk_i,
    .rst_ni,
    .start_i,
    .word_i   (b_word),
    .hold_i   (b_hold),
    .base_i   (v.b[AddrW-1:0]),
    .stride_i (v.bs[AddrW-1:0]),
    .rows_i   (v.rows[15:0]),
    .cols_i   (v.cols[15:0]),
    .rvalid_o (b_rvalid),
    .rrow_o   (veb_rrow_o),
    .rready_i (veb_rready_i && b_used),
    .rdvalid_i(veb_rdvalid_i),
    .rdata_i  (veb_rdata_i),
    .valid_o  (b_valid),
    .data_o   (b_data),
    .sel_o    (b_sel),
    .pop_i    (b_pop)
  );

  // ---- beats -----------------------------------------------------------------

  logic              active, row_last, last, vmem_row_end, block_last;
  logic [6:0]        count;
  logic [SubW-1:0]   sub_q;    // beat within the vmem row
  logic [PieceW-1:0] piece_q;  // beat within the block (qnt)
  logic              odd_q;    // second block of a pair

  npu_vec_box u_box (
    .clk_i,
    .rst_ni,
    .start_i,
    .rows_i    (v.rows[15:0]),
    .cols_i    (v.cols[15:0]),
    .width_i   (qnt_i ? 7'(QntWidth) : 7'(Lanes)),
    .step_i    (issue),
    .active_o  (active),
    .count_o   (count),
    .row_last_o(row_last),
    .last_o    (last)
  );

  assign issue = active && en_i && a_valid && (!b_used || b_valid) &&
                 (!qnt_i || qnt_ready_i);
  assign vmem_row_end = row_last ||
                        sub_q == (qnt_i ? SubW'(QntBeats - 1) : SubW'(VecBeats - 1));
  assign block_last   = row_last || piece_q == PieceW'(Pieces - 1);
  assign a_pop = issue && vmem_row_end;
  assign b_pop = issue && (bmode_q == BMODE_VECTOR ? vmem_row_end : row_last);

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      sub_q   <= '0;
      piece_q <= '0;
      odd_q   <= 1'b0;
    end else if (issue) begin
      sub_q   <= vmem_row_end ? '0 : sub_q + 1'b1;
      piece_q <= block_last ? '0 : piece_q + 1'b1;
      if (block_last) odd_q <= !row_last && !odd_q;
    end
  end

  assign valid_o   = issue;
  assign qnt_tag_o = '{piece: piece_q, block_last: block_last,
                       group_last: by_row_q ? row_last : block_last && (!pair_q || odd_q || row_last),
                       row_last: row_last, last: last};

  // ---- words of the beat -----------------------------------------------------

  logic [31:0] a_word [Cols];
  logic [31:0] b_word_of [Cols];
  for (genvar c = 0; c < Cols; c++) begin : gen_words
    assign a_word[c]    = a_data[c*32 +: 32];
    assign b_word_of[c] = b_data[c*32 +: 32];
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [31:0] y_vector;
    if (VecBeats > 1) begin : gen_part
      logic [ColW-1:0] at;
      assign at = {sub_q[VecSubW-1:0], {(ColW - VecSubW){1'b0}}};
      assign x_o[l*32 +: 32] = a_word[at + (swap_q ? ColW'(l ^ 1) : ColW'(l))];
      assign y_vector        = b_word_of[at + ColW'(l)];
    end else begin : gen_whole
      assign x_o[l*32 +: 32] = swap_q ? a_word[l ^ 1] : a_word[l];
      assign y_vector        = b_word_of[l];
    end
    assign y_o[l*32 +: 32] = bmode_q == BMODE_VECTOR ? y_vector
                           : bmode_q == BMODE_ROW_SCALAR ? b_word_of[b_sel] : scalar_q;
  end

  for (genvar l = 0; l < QntWidth; l++) begin : gen_qnt
    logic [31:0] value;
    if (QntBeats > 1) begin : gen_part
      logic [ColW-1:0] at;
      assign at    = {sub_q, {(ColW - SubW){1'b0}}};
      assign value = a_word[at + ColW'(l)];
    end else begin : gen_whole
      assign value = a_word[l];
    end
    assign qnt_values_o[l*32 +: 32] = 7'(l) < count ? value : 32'd0;
  end

endmodule
