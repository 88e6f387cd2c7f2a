// Walks the box of a command and gives its runs in order (outer loop i2, inner i1), one a cycle;
// the next command is taken in the cycle after the last run. With gather the offset of each
// run comes from npu_dma_index; at the first index that is too large the command ends early with an
// empty run marked bad, and ix_kill_o discards what is left of the list. A box with a count of 0 is
// one empty run.
// Latency: the first run 1 cycle after the command.
module npu_dma_walk
  import npu_dma_pkg::*;
(
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        cmd_valid_i,
  output logic        cmd_ready_o,
  input  box_t        cmd_i,
  input  logic        ix_valid_i,
  output logic        ix_ready_o,
  input  logic        ix_bad_i,
  input  logic [31:0] ix_offset_i,
  output logic        ix_kill_o,
  output logic        run_valid_o,
  input  logic        run_ready_i,
  output run_t        run_o
);
  box_t                box_q;
  logic                active_q, none_q;
  addr_t               addr1_q, addr2_q;  // of this run without gather; of this i2
  logic [ChipBits-1:0] ca1_q, ca2_q;
  logic [15:0]         i1_q, i2_q;        // runs left in this row, rows left, both counted to 0
  logic                row_end_q;         // i1_q is 0
  logic [LenBits-1:0]  reach_q;           // a run's length - 1
  logic                accept, fire, box_end, bad;

  assign bad         = box_q.gather && !none_q && ix_bad_i;
  assign box_end     = none_q || bad || (row_end_q && i2_q == '0);
  assign run_valid_o = active_q && (!box_q.gather || none_q || ix_valid_i);
  assign fire        = run_valid_o && run_ready_i;
  assign ix_ready_o  = active_q && box_q.gather && !none_q && run_ready_i;
  assign ix_kill_o   = fire && bad;
  assign cmd_ready_o = !active_q;
  assign accept      = cmd_valid_i && cmd_ready_o;

  assign run_o = '{
    addr:  box_q.gather ? addr2_q + AddrBits'(ix_offset_i) : addr1_q,
    ca:    ca1_q,
    len:   box_q.len,
    reach: reach_q,
    space: box_q.space,
    last:  box_end,
    none:  none_q || bad,
    bad:   bad
  };

  addr_t               addr2_next;
  logic [ChipBits-1:0] ca2_next;
  assign addr2_next = addr2_q + AddrBits'(box_q.ds2);
  assign ca2_next   = ca2_q + box_q.cs2;

  always_ff @(posedge clk_i) begin
    if (accept) begin
      box_q   <= cmd_i;
      reach_q <= cmd_i.len - 1'b1;
      none_q  <= cmd_i.len == '0 || cmd_i.n1 == '0 || cmd_i.n2 == '0;
      addr1_q <= cmd_i.base;
      addr2_q <= cmd_i.base;
      ca1_q   <= cmd_i.ca;
      ca2_q   <= cmd_i.ca;
      i1_q    <= cmd_i.n1 - 1'b1;
      i2_q    <= cmd_i.n2 - 1'b1;
      row_end_q <= cmd_i.n1 == 16'd1;
    end else if (fire) begin
      if (row_end_q) begin
        addr1_q <= addr2_next;
        addr2_q <= addr2_next;
        ca1_q   <= ca2_next;
        ca2_q   <= ca2_next;
        i1_q    <= box_q.n1 - 1'b1;
        i2_q    <= i2_q - 1'b1;
        row_end_q <= box_q.n1 == 16'd1;
      end else begin
        addr1_q <= addr1_q + AddrBits'(box_q.ds1);
        ca1_q   <= ca1_q + box_q.cs1;
        i1_q    <= i1_q - 1'b1;
        row_end_q <= i1_q == 16'd1;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) active_q <= 1'b0;
    else if (accept) active_q <= 1'b1;
    else if (fire && box_end) active_q <= 1'b0;
  end

  logic unused;
  assign unused = ^{box_q.base, box_q.ca, box_q.n2};
endmodule
