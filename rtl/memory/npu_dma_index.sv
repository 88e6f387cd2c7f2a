// The index list of a gather: reads the words idx .. idx + n1 - 1 of vector memory, n2 times, and
// gives the byte offset of each, j * stride, with bad_o when that is above room. kill_i discards
// the rest of the list.
// Latency: 5 cycles from start_i to the first offset when the bank is free, then 4 every 5 cycles.
module npu_dma_index
  import npu_pkg::*;
#(
  localparam int unsigned RowW  = $clog2(VmemRows),
  localparam int unsigned LaneW = $clog2(Cols)
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               start_i,
  input  logic               kill_i,
  input  logic [31:0]        idx_i,
  input  logic [15:0]        n1_i,
  input  logic [15:0]        n2_i,
  input  logic [31:0]        stride_i,
  input  logic [31:0]        room_i,
  output logic               ix_rvalid_o,
  output logic [RowW-1:0]    ix_rrow_o,
  input  logic               ix_rready_i,
  input  logic [Cols*32-1:0] ix_rdata_i,
  output logic               out_valid_o,
  input  logic               out_ready_i,
  output logic               bad_o,
  output logic [31:0]        offset_o,
  output logic [31:0]        index_o
);
  localparam int unsigned WordW = RowW + LaneW;

  localparam int unsigned Depth = 4;  // words asked for whose offsets are not yet taken
  localparam int unsigned OwedW = $clog2(Depth + 1);
  localparam int unsigned PtrW  = $clog2(Depth);

  typedef struct packed {
    logic        bad;
    logic [31:0] offset;
    logic [31:0] index;
  } offset_t;

  logic             active_q, grant, pop;
  logic [WordW-1:0] first_q, word_q;
  logic [15:0]      n1_q, i1_q, i2_q;
  logic [31:0]      stride_q, room_q;
  // Stages: word on the bank's output; operand; product; queue. They never wait: the queue has room
  // for all.
  logic             read_q, opnd_valid_q, prod_valid_q;
  logic [LaneW-1:0] lane_q;
  logic [31:0]      opnd_q, prod_index_q;
  logic [63:0]      prod_q;
  offset_t          queue [Depth];
  offset_t          head;
  logic [PtrW-1:0]  wptr_q, rptr_q;
  logic             full_q;  // tells a full queue from an empty one
  logic [OwedW-1:0] owed_q;  // words from grant to pop

  assign ix_rvalid_o = active_q && owed_q != OwedW'(Depth);
  assign ix_rrow_o   = word_q[WordW-1:LaneW];
  assign grant       = ix_rvalid_o && ix_rready_i;
  assign out_valid_o = wptr_q != rptr_q || full_q;
  assign pop         = out_valid_o && out_ready_i;
  assign head        = queue[rptr_q];
  assign bad_o       = head.bad;
  assign offset_o    = head.offset;
  assign index_o     = head.index;

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      first_q  <= idx_i[WordW-1:0];
      word_q   <= idx_i[WordW-1:0];
      n1_q     <= n1_i - 1'b1;
      i1_q     <= n1_i - 1'b1;
      i2_q     <= n2_i - 1'b1;
      stride_q <= stride_i;
      room_q   <= room_i;
    end else if (grant) begin
      word_q <= i1_q == '0 ? first_q : word_q + 1'b1;
      i1_q   <= i1_q == '0 ? n1_q : i1_q - 1'b1;
      if (i1_q == '0) i2_q <= i2_q - 1'b1;
    end
    if (grant) lane_q <= word_q[LaneW-1:0];
    if (read_q) opnd_q <= ix_rdata_i[lane_q*32 +: 32];
    if (opnd_valid_q) begin
      prod_q       <= 64'(opnd_q) * 64'(stride_q);
      prod_index_q <= opnd_q;
    end
    if (prod_valid_q) begin
      queue[wptr_q] <= '{bad: prod_q[63:32] != '0 || prod_q[31:0] > room_q, offset: prod_q[31:0],
                         index: prod_index_q};
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {active_q, read_q, opnd_valid_q, prod_valid_q, full_q} <= '0;
      {wptr_q, rptr_q, owed_q} <= '0;
    end else if (kill_i) begin
      active_q <= start_i;
      {read_q, opnd_valid_q, prod_valid_q, full_q} <= '0;
      {wptr_q, rptr_q, owed_q} <= '0;
    end else begin
      if (start_i) active_q <= 1'b1;
      else if (grant && i1_q == '0 && i2_q == '0) active_q <= 1'b0;
      read_q       <= grant;
      opnd_valid_q <= read_q;
      prod_valid_q <= opnd_valid_q;
      if (prod_valid_q) wptr_q <= wptr_q + 1'b1;
      if (pop) rptr_q <= rptr_q + 1'b1;
      if (prod_valid_q != pop) full_q <= prod_valid_q && wptr_q + 1'b1 == rptr_q;
      if (grant && !pop) owed_q <= owed_q + 1'b1;
      else if (pop && !grant) owed_q <= owed_q - 1'b1;
    end
  end

  logic unused;
  assign unused = ^idx_i;
endmodule
