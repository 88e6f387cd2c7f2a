// The index list of a gather: reads the words idx .. idx + n1 - 1 of vector memory, n2 times, and gives the
// byte offset of each, j * stride, with bad_o when that is above room. kill_i discards the rest of the list.
// Latency: 5 cycles from start_i to the first offset when the bank is free, then one every 2 cycles.
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

  logic             active_q;
  logic [WordW-1:0] first_q, word_q;
  logic [15:0]      n1_q, i1_q, i2_q;
  logic [31:0]      stride_q, room_q;
  logic             grant;
  // Stages: word on the bank's output; operand; product; checked offset.
  logic             read_q, opnd_valid_q, prod_valid_q, out_valid_q;
  logic [LaneW-1:0] lane_q;
  logic [31:0]      opnd_q, prod_index_q, index_q, offset_q;
  logic [63:0]      prod_q;
  logic             bad_q, opnd_ready, prod_ready, out_ready;

  assign out_ready   = !out_valid_q || out_ready_i;
  assign prod_ready  = !prod_valid_q || out_ready;
  assign opnd_ready  = !opnd_valid_q || prod_ready;
  // The word must find the operand register free, for it is on the bank's output for one cycle only.
  assign ix_rvalid_o = active_q && !read_q && opnd_ready && !kill_i;
  assign ix_rrow_o   = word_q[WordW-1:LaneW];
  assign grant       = ix_rvalid_o && ix_rready_i;
  assign out_valid_o = out_valid_q;
  assign bad_o       = bad_q;
  assign offset_o    = offset_q;
  assign index_o     = index_q;

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
    if (opnd_valid_q && prod_ready) begin
      prod_q       <= 64'(opnd_q) * 64'(stride_q);
      prod_index_q <= opnd_q;
    end
    if (prod_valid_q && out_ready) begin
      offset_q <= prod_q[31:0];
      index_q  <= prod_index_q;
      bad_q    <= prod_q[63:32] != '0 || prod_q[31:0] > room_q;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q     <= 1'b0;
      read_q       <= 1'b0;
      opnd_valid_q <= 1'b0;
      prod_valid_q <= 1'b0;
      out_valid_q  <= 1'b0;
    end else if (kill_i) begin
      active_q     <= start_i;
      read_q       <= 1'b0;
      opnd_valid_q <= 1'b0;
      prod_valid_q <= 1'b0;
      out_valid_q  <= 1'b0;
    end else begin
      if (start_i) active_q <= 1'b1;
      else if (grant && i1_q == '0 && i2_q == '0) active_q <= 1'b0;
      read_q <= grant;
      if (opnd_ready) opnd_valid_q <= read_q;
      if (prod_ready) prod_valid_q <= opnd_valid_q;
      if (out_ready) out_valid_q <= prod_valid_q;
    end
  end

  logic unused;
  assign unused = ^idx_i;
endmodule
