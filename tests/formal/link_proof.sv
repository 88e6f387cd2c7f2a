// Both ends of a link without their packers: npu_link_tx and npu_link_rx, twice, over channels that
// damage, lose and delay flits at will, in order; either end trains again whenever it likes. Side 0
// sends payloads, side 1 passes them on: once, in order, whole, never more on their way than the
// window, and no flit finds the receive buffer full. The package is read with a window of 2 and a
// short CRC (proofs.tsv); damage is a wrong bit of payload.
module link_proof
  import npu_link_pkg::*;
#(
  parameter int unsigned Slots = 2
) (
  input  logic clk_i,
  input  logic mark_i,
  input  logic data_i,
  input  logic push_i,
  input  logic pass_i,
  input  logic [1:0] up_i,      // training ends, or has not begun
  input  logic [1:0] hear_i,    // flits count, else all but training is ignored
  input  logic [1:0] ready_i,   // a channel takes a flit
  input  logic [1:0] move_i,    // and brings one
  input  logic [1:0] damage_i,
  input  logic [1:0] lose_i,
  output logic bad_data_o,
  output logic bad_none_o,
  output logic bad_window_o,
  output logic bad_buffer_o,
  output logic bad_back_o       // side 0 gets data that nobody sent
);
  localparam int unsigned SlotW = $clog2(Slots + 1);
  logic start_q = 1'b0;
  always_ff @(posedge clk_i) start_q <= 1'b1;

  logic  [1:0] up_q, train, resume, in_ready, out_valid, overrun, in_valid, out_ready;
  payload_t [1:0] in_payload, out_payload;
  flit_t [1:0] sent, came;
  logic  [1:0] sends, room, comes;

  assign train      = ~up_q;
  assign resume     = up_i & ~up_q;
  assign in_valid   = {1'b0, push_i};
  assign out_ready  = {pass_i, 1'b1};
  assign in_payload = {PayloadBits'(0), PayloadBits'(data_i)};
  always_ff @(posedge clk_i or negedge start_q) begin
    if (!start_q) up_q <= '0;
    else up_q <= up_i;
  end

  for (genvar s = 0; s < 2; s++) begin : gen_end
    logic ack, nak, missing, missing_sent, hungry, replay, good, bad, hello_valid;
    seq_t ack_seq, nak_seq, passed, expected;
    train_t hello;
    npu_link_tx #(.IdleCycles(3)) u_tx (
      .clk_i, .rst_ni(start_q), .in_valid_i(in_valid[s]), .in_ready_o(in_ready[s]),
      .hungry_o(hungry), .in_payload_i(in_payload[s]), .ack_i(ack), .ack_seq_i(ack_seq),
      .nak_i(nak), .nak_seq_i(nak_seq), .passed_i(passed), .missing_i(missing),
      .missing_sent_o(missing_sent), .expect_i(expected), .train_i(train[s]),
      .resume_i(resume[s]), .hello_i('0), .replay_o(replay), .phy_valid_o(sends[s]),
      .phy_ready_i(room[s]), .phy_flit_o(sent[s])
    );
    npu_link_rx #(.RetryCycles(3)) u_rx (
      .clk_i, .rst_ni(start_q), .phy_valid_i(comes[s]), .phy_flit_i(came[s]),
      .out_valid_o(out_valid[s]), .out_ready_i(out_ready[s]), .out_payload_o(out_payload[s]),
      .ack_o(ack), .ack_seq_o(ack_seq), .nak_o(nak), .nak_seq_o(nak_seq), .passed_o(passed),
      .missing_o(missing), .missing_sent_i(missing_sent), .expect_o(expected),
      .resume_i(resume[s]), .hear_i(hear_i[s]), .good_o(good), .bad_o(bad),
      .hello_valid_o(hello_valid), .hello_o(hello)
    );
    assign overrun[s] = u_rx.take && !u_rx.room;
    logic unused;
    assign unused = ^{hungry, replay, good, bad, hello_valid, hello};
  end

  // What side s sends, to the other one.
  for (genvar s = 0; s < 2; s++) begin : gen_channel
    flit_t [Slots-1:0] slot_q;
    logic  [SlotW-1:0] used_q;
    logic move, put;
    assign room[s]    = ready_i[s] && used_q != SlotW'(Slots);
    assign put        = room[s] && sends[s];
    assign move       = move_i[s] && used_q != '0;
    assign comes[1-s] = move && !lose_i[s];
    always_comb begin
      came[1-s] = slot_q[0];
      came[1-s].payload[0] = slot_q[0].payload[0] ^ damage_i[s];
    end
    always_ff @(posedge clk_i or negedge start_q) begin
      if (!start_q) used_q <= '0;
      else used_q <= used_q + SlotW'(put) - SlotW'(move);
    end
    always_ff @(posedge clk_i) begin
      for (int unsigned i = 0; i < Slots; i++) begin
        if (move) begin
          if (put && SlotW'(i + 1) == used_q) slot_q[i] <= sent[s];
          else if (i + 1 < Slots) slot_q[i] <= slot_q[(i+1)%Slots];
        end else if (put && SlotW'(i) == used_q) slot_q[i] <= sent[s];
      end
    end
  end

  localparam int unsigned HeldW = $clog2(Window + 1) + 1;
  logic [HeldW-1:0] unused_held;
  queue_watch #(.Width(1), .Limit(Window)) u_watch (
    .wclk_i(clk_i), .rclk_i(clk_i), .rst_ni(start_q), .mark_i, .push_i(push_i && in_ready[0]),
    .in_data_i(data_i), .valid_i(out_valid[1]), .pop_i(out_valid[1] && pass_i),
    .out_data_i(out_payload[1][0]), .bad_data_o, .bad_none_o, .bad_limit_o(bad_window_o),
    .held_o(unused_held)
  );
  assign bad_buffer_o = overrun != '0;
  assign bad_back_o   = out_valid[0];
  logic unused;
  assign unused = ^{out_payload, in_ready};
endmodule
