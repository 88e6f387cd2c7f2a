// Reads one operand of a command from vector memory: for each row of the box its
// vmem rows in order, or with word_i one word per row. At most Depth rows wait in
// a queue, so that bank conflicts of a moment do not stop the lanes.
// With hold_i only the first row of the box is read and stays at the head.
// Latency: a row granted in cycle t is at data_o in cycle t + 2.
module npu_vec_fetch
  import npu_pkg::*;
#(
  localparam int unsigned RowW  = $clog2(VmemRows),
  localparam int unsigned ColW  = $clog2(Cols),
  localparam int unsigned DataW = Cols * 32
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 start_i,
  input  logic                 word_i,    // with start_i: one word per row
  input  logic                 hold_i,    // with start_i
  input  logic [RowW+ColW-1:0] base_i,    // with start_i: word address
  input  logic [RowW+ColW-1:0] stride_i,  // with start_i: words from row to row
  input  logic [15:0]          rows_i,
  input  logic [15:0]          cols_i,
  output logic                 rvalid_o,
  output logic [RowW-1:0]      rrow_o,
  input  logic                 rready_i,
  input  logic                 rdvalid_i,
  input  logic [DataW-1:0]     rdata_i,
  output logic                 valid_o,
  output logic [DataW-1:0]     data_o,
  output logic [ColW-1:0]      sel_o,     // which word of data_o, with word_i
  input  logic                 pop_i      // ignored with hold_i
);

  localparam int unsigned Depth = 4;

  logic                 hold_q, pop, grant, active, row_last, unused_last;
  logic [6:0]           unused_count;
  logic [RowW+ColW-1:0] base_q, addr_q, stride_q;
  logic [2:0]           used_q;  // rows in the queue or on their way
  logic [2:0]           count_q;
  logic [1:0]           wptr_q, rptr_q;
  logic [DataW-1:0]     mem [Depth];
  logic [ColW-1:0]      sel [Depth];
  logic [ColW-1:0]      sel_q;

  npu_vec_box u_box (
    .clk_i,
    .rst_ni,
    .start_i,
    .rows_i    (hold_i ? 16'd1 : rows_i),
    .cols_i    (word_i ? 16'd1 : cols_i),
    .width_i   (7'(Cols)),
    .step_i    (grant),
    .active_o  (active),
    .count_o   (unused_count),
    .row_last_o(row_last),
    .last_o    (unused_last)
  );

  assign rvalid_o = active && !used_q[2];
  assign rrow_o   = addr_q[RowW+ColW-1:ColW];
  assign grant    = rvalid_o && rready_i;
  assign pop      = pop_i && !hold_q;
  assign valid_o  = count_q != 3'd0;
  assign data_o   = mem[rptr_q];
  assign sel_o    = sel[rptr_q];

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      hold_q   <= hold_i;
      base_q   <= base_i;
      addr_q   <= base_i;
      stride_q <= stride_i;
    end else if (grant) begin
      addr_q <= row_last ? base_q + stride_q : addr_q + (RowW+ColW)'(Cols);
      if (row_last) base_q <= base_q + stride_q;
    end
    if (grant) sel_q <= addr_q[ColW-1:0];
    if (rdvalid_i) begin
      mem[wptr_q] <= rdata_i;
      sel[wptr_q] <= sel_q;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      used_q  <= '0;
      count_q <= '0;
      wptr_q  <= '0;
      rptr_q  <= '0;
    end else if (start_i) begin  // a held row may be left over
      used_q  <= '0;
      count_q <= '0;
      wptr_q  <= '0;
      rptr_q  <= '0;
    end else begin
      used_q  <= used_q + {2'd0, grant} - {2'd0, pop};
      count_q <= count_q + {2'd0, rdvalid_i} - {2'd0, pop};
      wptr_q  <= wptr_q + {1'd0, rdvalid_i};
      rptr_q  <= rptr_q + {1'd0, pop};
    end
  end

endmodule
