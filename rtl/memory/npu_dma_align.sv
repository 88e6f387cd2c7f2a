// Moves runs of bytes from port words of one alignment to port words of another. A run takes the
// words that its len bytes at lane src_i touch, and gives the words they touch at byte address
// dst_i, with one mask bit per halfword. A run costs one cycle per input word, and one more when
// its last output word holds bytes of the last input word's upper lanes only. The next run follows
// without a gap. An empty run (none) gives one word without mask bits. out_last_o marks the run's
// last word; out_user_o is the run's.
// Latency: 1 cycle from a run's acceptance to its first step; a word is given in the cycle in which
// it comes in (a register slice follows), so out_valid_o and in_ready_o depend on the other side.
module npu_dma_align
  import npu_dma_pkg::*;
#(
  parameter int unsigned DstBits  = 16,
  parameter int unsigned UserBits = 1
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        run_valid_i,
  output logic                        run_ready_o,
  input  logic                        run_none_i,
  input  logic [LaneBits-1:0]         run_src_i,
  input  logic [DstBits-1:0]          run_dst_i,
  input  logic [LenBits-1:0]          run_len_i,
  input  logic                        run_one_i,   // one_word of these
  input  logic [UserBits-1:0]         run_user_i,
  input  logic                        in_valid_i,
  output logic                        in_ready_o,
  input  logic [Lanes16*16-1:0]       in_data_i,
  output logic                        out_valid_o,
  input  logic                        out_ready_i,
  output logic [DstBits-WordBits-1:0] out_addr_o,
  output logic [Lanes16-1:0]          out_mask_o,
  output logic [Lanes16*16-1:0]       out_data_o,
  output logic                        out_last_o,
  output logic [UserBits-1:0]         out_user_o
);
  // Positions and lengths count halfwords from the first byte of the first input word, after
  // rotation.
  localparam int unsigned PosBits = LenBits + 1;
  localparam logic [PosBits-1:0] Word = PosBits'(Lanes16);

  logic                        active_q, none_q, skip;
  logic                        need_q, last_q;  // input is left; this is the last output word
  logic [LaneBits-1:0]         shift_q;    // lanes that the data move up
  logic [LaneBits:0]           begin_q;    // where the run begins in the next output word
  logic [PosBits-1:0]          out_end_q;  // where it ends, from the same place
  logic [PosBits-1:0]          in_end_q;   // halfwords of input left, from the next word on
  logic [DstBits-WordBits-1:0] addr_q;
  logic [UserBits-1:0]         user_q;
  logic [Lanes16*16-1:0]       rotated, carry_q;
  logic                        free, step, load;

  // A word before the run's first byte is not given.
  assign skip        = begin_q[LaneBits];
  assign free        = skip || out_ready_i;
  assign in_ready_o  = active_q && free && need_q;
  assign step        = active_q && free && (!need_q || in_valid_i);
  assign out_valid_o = active_q && !skip && (!need_q || in_valid_i);
  assign run_ready_o = !active_q || (step && last_q);
  assign load        = run_valid_i && run_ready_o;

  always_comb begin
    rotated = in_data_i;
    for (int unsigned b = 0; b < LaneBits; b++) begin
      if (shift_q[b]) begin
        rotated = (rotated << (16 << b)) | (rotated >> (Lanes16 * 16 - (16 << b)));
      end
    end
  end

  // Lanes of the run in this output word; lanes that come from this input word, not the one before.
  logic [Lanes16-1:0] mask, fresh;
  always_comb begin
    mask  = {Lanes16{1'b1}} << begin_q;
    if (last_q) mask = mask & ~({Lanes16{1'b1}} << out_end_q[LaneBits:0]);
    fresh = {Lanes16{1'b1}} << shift_q;
  end

  logic [LaneBits-1:0] dst_lane, shift;
  logic [LenBits-1:0]  halves;
  logic [LaneBits:0]   start;
  assign dst_lane = run_dst_i[WordBits-1:1];
  assign shift    = dst_lane - run_src_i;
  assign start    = {1'b0, run_src_i} + {1'b0, shift};
  assign halves   = {1'b0, run_len_i[LenBits-1:1]};

  always_ff @(posedge clk_i) begin
    if (load) begin
      none_q    <= run_none_i;
      user_q    <= run_user_i;
      shift_q   <= shift;
      begin_q   <= run_none_i ? '0 : start;
      out_end_q <= run_none_i ? '0 : PosBits'(halves) + PosBits'(start);
      last_q    <= run_none_i || run_one_i;
      need_q    <= !run_none_i;
      in_end_q  <= run_none_i ? '0 : PosBits'(halves) + PosBits'(run_src_i);
      addr_q    <= run_dst_i[DstBits-1:WordBits] - (DstBits - WordBits)'(start[LaneBits]);
    end else if (step) begin
      begin_q   <= begin_q[LaneBits] ? {1'b0, begin_q[LaneBits-1:0]} : '0;
      out_end_q <= out_end_q - Word;
      last_q    <= out_end_q <= PosBits'(2 * Lanes16);
      need_q    <= in_end_q > Word;
      in_end_q  <= in_end_q > Word ? in_end_q - Word : '0;
      addr_q    <= addr_q + 1'b1;
    end
    if (step) carry_q <= rotated;
  end

  assign out_addr_o = addr_q;
  assign out_mask_o = none_q ? '0 : mask;
  assign out_last_o = last_q;
  assign out_user_o = user_q;
  for (genvar i = 0; i < Lanes16; i++) begin : gen_out
    assign out_data_o[i*16 +: 16] = fresh[i] ? rotated[i*16 +: 16] : carry_q[i*16 +: 16];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) active_q <= 1'b0;
    else if (load) active_q <= 1'b1;
    else if (step && last_q) active_q <= 1'b0;
  end

  logic unused;
  assign unused = run_len_i[0] ^ run_dst_i[0];
endmodule
