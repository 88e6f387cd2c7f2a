// Numbers of the receiving side of a link: takes data flits in their order, each once, and asks for
// those that are missing.
//
// valid_i: a flit has arrived; good_i: its CRC is right; data_i or mark_i: it is a data flit, or one
// that names the next data flit's number. take_o, in the same cycle: this data flit is the next one.
// nak_o asks for flit expect_o until nak_sent_i; again when the answer was seen to begin without it,
// and when none has come for RetryCycles.
module npu_link_seq_rx #(
  parameter  int unsigned Depth       = 64,        // a power of two
  parameter  int unsigned RetryCycles = 256,
  localparam int unsigned SeqBits     = $clog2(Depth) + 1
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               valid_i,
  input  logic               good_i,
  input  logic               data_i,
  input  logic               mark_i,
  input  logic [SeqBits-1:0] seq_i,
  output logic               take_o,
  output logic [SeqBits-1:0] expect_o,
  output logic               nak_o,
  input  logic               nak_sent_i,
  input  logic               forget_i    // the link has been trained again: no answer is under way
);
  localparam int unsigned TimerBits = $clog2(RetryCycles + 1);
  typedef logic [SeqBits-1:0] seq_t;

  seq_t expect_q, ahead, last_q;
  logic [TimerBits-1:0] timer_q;
  logic waiting_q, nak_q, seen, gap, met, restarted;

  assign ahead    = seq_i - expect_q;
  assign seen     = valid_i && good_i && (data_i || mark_i);
  assign take_o   = seen && data_i && ahead == '0;
  assign met      = seen && ahead == '0;                  // nothing is missing
  assign gap      = (valid_i && !good_i) || (seen && ahead != '0 && ahead <= seq_t'(Depth));
  // Numbers go back when the other side starts again; that it is past the flit means that it was
  // damaged once more.
  assign restarted = seen && ahead != '0 && ahead <= seq_t'(Depth) && ahead <= last_q;
  assign expect_o = expect_q;
  assign nak_o    = nak_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      expect_q  <= '0;
      waiting_q <= 1'b0;
      nak_q     <= 1'b0;
      timer_q   <= '0;
      last_q    <= '0;
    end else begin
      if (take_o) expect_q <= expect_q + 1'b1;
      if (nak_sent_i) nak_q <= 1'b0;
      timer_q <= timer_q - 1'b1;
      if (met || forget_i) begin
        waiting_q <= 1'b0;
        nak_q     <= 1'b0;
        last_q    <= '0;
      end else if ((gap && !waiting_q) || (waiting_q && (restarted || timer_q == '0))) begin
        waiting_q <= 1'b1;
        nak_q     <= 1'b1;
        timer_q   <= TimerBits'(RetryCycles);
        last_q    <= seen ? ahead : '0;
      end else if (seen && data_i && ahead <= seq_t'(Depth)) begin
        last_q    <= ahead;
      end
    end
  end
endmodule
