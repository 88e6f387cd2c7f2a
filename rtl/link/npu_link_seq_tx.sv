// Numbers of the sending side of a link: which flits wait in the replay buffer and which is sent
// next. Flits tail_o .. head_o - 1 are kept; a new one may come while there are fewer than Depth.
//
// ack_i: the receiver has passed on everything below ack_seq_i. nak_i: send again from nak_seq_i on.
// rewind_i: send again whatever is kept. Numbers that name no kept flit are ignored.
module npu_link_seq_tx #(
  parameter  int unsigned Depth   = 64,             // a power of two
  localparam int unsigned SeqBits = $clog2(Depth) + 1
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               push_i,      // a new flit is kept; only while room_o
  output logic               room_o,
  output logic               some_o,      // a flit is to be sent: next_o
  input  logic               sent_i,      // it is
  output logic [SeqBits-1:0] head_o,
  output logic [SeqBits-1:0] next_o,
  output logic [SeqBits-1:0] tail_o,
  output logic               replay_o,    // next_o has been sent before
  input  logic               ack_i,
  input  logic [SeqBits-1:0] ack_seq_i,
  input  logic               nak_i,
  input  logic [SeqBits-1:0] nak_seq_i,
  input  logic               rewind_i
);
  typedef logic [SeqBits-1:0] seq_t;

  seq_t head_q, next_q, tail_q, sent_q;   // sent_q: one past the highest that was ever sent
  seq_t kept, acked, asked, next_d, tail_d;
  logic ack_ok, nak_ok;

  assign kept   = head_q - tail_q;
  assign acked  = ack_seq_i - tail_q;
  assign asked  = nak_seq_i - tail_q;
  // Nothing is acknowledged or asked for again before it was sent.
  assign ack_ok = ack_i && acked <= sent_q - tail_q;
  assign nak_ok = nak_i && asked <= sent_q - tail_q;

  assign room_o   = kept != seq_t'(Depth);
  assign some_o   = next_q != head_q;
  assign head_o   = head_q;
  assign next_o   = next_q;
  assign tail_o   = tail_q;
  assign replay_o = next_q != sent_q;

  assign tail_d = ack_ok ? ack_seq_i : tail_q;
  always_comb begin
    next_d = sent_i ? next_q + 1'b1 : next_q;
    if (nak_ok) next_d = nak_seq_i;
    if (rewind_i) next_d = tail_q;
    // What an acknowledgement covers need not be sent again.
    if (ack_ok && next_d - tail_q < acked) next_d = ack_seq_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_q <= '0;
      next_q <= '0;
      tail_q <= '0;
      sent_q <= '0;
    end else begin
      if (push_i) head_q <= head_q + 1'b1;
      next_q <= next_d;
      tail_q <= tail_d;
      if (sent_i && next_q == sent_q) sent_q <= sent_q + 1'b1;
    end
  end
endmodule
