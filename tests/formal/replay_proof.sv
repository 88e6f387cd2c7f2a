// Replay of the link: npu_link_seq_tx and npu_link_seq_rx over channels that damage, lose and delay
// flits as they like (they keep their order), with training again at any moment. Every word that
// is pushed is taken once, in order and whole; no more words are on their way than the window, and
// the receive buffer, which holds a window, never overflows. From every state, Calm quiet cycles
// (nothing damaged, everybody at work) bring a word over if there is one: replay never gets stuck.
//
// A flit of the forward channel: data or a mark (the number of the next flit); of the way back: an
// acknowledgement, with or without a request. Slots: flits that a channel holds at most.
module replay_proof #(
  parameter int unsigned Depth = 2,    // the window
  parameter int unsigned Retry = 3,
  parameter int unsigned Slots = 2,
  parameter int unsigned Calm  = 24
) (
  input  logic clk_i,
  input  logic mark_i,          // for queue_watch
  input  logic data_i,
  input  logic push_i,
  input  logic send_i,          // the forward channel takes a flit
  input  logic null_i,          // and, if there is no data, a mark
  input  logic [1:0] move_i,    // a channel brings its next flit
  input  logic [1:0] damage_i,
  input  logic [1:0] lose_i,
  input  logic answer_i,        // the way back takes a flit
  input  logic pass_i,          // the receiver passes a flit on
  input  logic train_i,         // both ends begin again
  output logic bad_data_o,
  output logic bad_none_o,
  output logic bad_window_o,
  output logic bad_buffer_o,
  output logic bad_stuck_o
);
  localparam int unsigned SeqBits = $clog2(Depth) + 1;
  localparam int unsigned SlotW   = $clog2(Slots + 1);
  localparam int unsigned CalmW   = $clog2(Calm + 1);
  typedef logic [SeqBits-1:0] seq_t;
  typedef struct packed {
    logic data;                 // forward: data, else a mark; back: a request
    logic bits;
    seq_t seq;
    seq_t ack;
  } flit_t;

  logic start_q = 1'b0;
  always_ff @(posedge clk_i) start_q <= 1'b1;

  // ---- both ends --------------------------------------------------------------------------------
  logic room, some, push, sent, taken, nak, nak_sent, unused_replay;
  seq_t head, next, tail, expected, passed_q;
  flit_t [1:0] in, out;
  logic  [1:0] put, got, whole;
  logic kept_q [Depth];

  assign push    = push_i && room;
  assign sent    = send_i && some && put[0];
  assign in[0]   = '{data: some, bits: kept_q[$clog2(Depth)'(next)], seq: next, ack: '0};
  assign in[1]   = '{data: nak, bits: 1'b0, seq: expected, ack: passed_q};
  assign nak_sent = put[1] && nak;

  npu_link_seq_tx #(.Depth(Depth)) u_tx (
    .clk_i, .rst_ni(start_q), .push_i(push), .room_o(room), .some_o(some), .sent_i(sent),
    .head_o(head), .next_o(next), .tail_o(tail), .replay_o(unused_replay),
    .ack_i(got[1] && whole[1]), .ack_seq_i(out[1].ack), .nak_i(got[1] && whole[1] && out[1].data),
    .nak_seq_i(out[1].seq), .rewind_i(train_i)
  );
  npu_link_seq_rx #(.Depth(Depth), .RetryCycles(Retry)) u_rx (
    .clk_i, .rst_ni(start_q), .valid_i(got[0]), .good_i(whole[0]), .data_i(out[0].data),
    .mark_i(!out[0].data), .seq_i(out[0].seq), .take_o(taken), .expect_o(expected), .nak_o(nak),
    .nak_sent_i(nak_sent), .forget_i(train_i)
  );
  always_ff @(posedge clk_i) if (push) kept_q[$clog2(Depth)'(head)] <= data_i;

  // ---- channels: queues -------------------------------------------------------------------------
  for (genvar c = 0; c < 2; c++) begin : gen_channel
    flit_t [Slots-1:0] slot_q;
    logic  [SlotW-1:0] used_q;
    assign out[c]   = slot_q[0];
    assign got[c]   = move_i[c] && used_q != '0 && !lose_i[c];
    assign whole[c] = !damage_i[c];
    assign put[c]   = used_q != SlotW'(Slots) && (c == 0 ? send_i && (some || null_i) : answer_i);
    always_ff @(posedge clk_i or negedge start_q) begin
      if (!start_q) used_q <= '0;
      else used_q <= used_q + SlotW'(put[c]) - SlotW'(move_i[c] && used_q != '0);
    end
    always_ff @(posedge clk_i) begin
      for (int unsigned s = 0; s < Slots; s++) begin
        if (move_i[c] && used_q != '0) begin
          if (put[c] && SlotW'(s + 1) == used_q) slot_q[s] <= in[c];
          else if (s + 1 < Slots) slot_q[s] <= slot_q[(s+1)%Slots];
        end else if (put[c] && SlotW'(s) == used_q) slot_q[s] <= in[c];
      end
    end
  end

  // ---- what must hold ---------------------------------------------------------------------------
  localparam int unsigned HeldW = $clog2(Depth + 1) + 1;
  logic [HeldW-1:0] held;
  seq_t buffered_q;
  logic pass, quiet;
  logic [CalmW-1:0] calm_q;

  queue_watch #(.Width(1), .Limit(Depth)) u_watch (
    .wclk_i(clk_i), .rclk_i(clk_i), .rst_ni(start_q), .mark_i, .push_i(push), .in_data_i(data_i),
    .valid_i(taken), .pop_i(taken), .out_data_i(out[0].bits), .bad_data_o, .bad_none_o,
    .bad_limit_o(bad_window_o), .held_o(held)
  );
  assign pass         = pass_i && buffered_q != '0;
  assign bad_buffer_o = taken && buffered_q == seq_t'(Depth);
  assign quiet        = &move_i && damage_i == '0 && lose_i == '0 && send_i && answer_i && pass_i &&
                        !train_i && null_i;
  assign bad_stuck_o  = calm_q == CalmW'(Calm);
  always_ff @(posedge clk_i or negedge start_q) begin
    if (!start_q) begin
      passed_q   <= '0;
      buffered_q <= '0;
      calm_q     <= '0;
    end else begin
      if (pass) passed_q <= passed_q + 1'b1;
      buffered_q <= buffered_q + seq_t'(taken) - seq_t'(pass);
      if (!quiet || held == '0 || taken) calm_q <= '0;
      else if (calm_q != CalmW'(Calm)) calm_q <= calm_q + 1'b1;
    end
  end
  logic unused;
  assign unused = ^{tail, out[0].ack, out[1].bits};
endmodule
