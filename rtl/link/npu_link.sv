// One end of a die-to-die link: words of packets in and out, flits to and from the physical layer.
// Packets arrive whole, once and in their order, whatever the channel does to flits. phy_ready_i: a
// flit is taken; the receiving flits come with their own clock, one in every cycle at most.
// Counters: flits of each kind that software wants to know.
module npu_link
  import npu_link_pkg::*;
#(
  parameter int unsigned IdleCycles    = 32,
  parameter int unsigned RetryCycles   = 256,
  parameter int unsigned TryCycles     = 1024,
  parameter int unsigned SilenceCycles = 1024
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        in_valid_i,
  output logic        in_ready_o,
  input  word_t       in_word_i,
  input  logic        in_last_i,
  output logic        out_valid_o,
  input  logic        out_ready_i,
  output word_t       out_word_o,
  output logic        out_first_o,
  output logic        out_last_o,
  // physical layer
  output logic        phy_tx_valid_o,
  input  logic        phy_tx_ready_i,
  output flit_t       phy_tx_flit_o,
  output width_e      phy_tx_width_o,
  input  logic        phy_rx_clk_i,
  input  logic        phy_rx_rst_ni,
  input  logic        phy_rx_valid_i,
  input  flit_t       phy_rx_flit_i,
  input  logic        side_hear_i,
  output logic        side_hear_o,
  // state
  output logic        up_o,
  output logic        lost_o,
  output logic        mismatch_o,
  output logic [31:0] replays_o,
  output logic [31:0] errors_o,
  output logic [31:0] trainings_o
);
  payload_t tx_payload, rx_payload;
  logic     tx_valid, tx_ready, rx_valid, rx_ready;
  logic     ack, nak, missing, missing_sent, train, resume, good, bad, hello_valid, replay;
  logic     hungry, hear;
  seq_t     ack_seq, nak_seq, passed, expected;
  train_t   hello_in, hello_out;
  flit_t    flit;
  logic     flit_valid, unused_room;

  npu_link_pack u_pack (
    .clk_i, .rst_ni, .in_valid_i, .in_ready_o, .in_word_i, .in_last_i, .hungry_i(hungry),
    .out_valid_o(tx_valid), .out_ready_i(tx_ready), .out_payload_o(tx_payload)
  );
  npu_link_tx #(.IdleCycles(IdleCycles)) u_tx (
    .clk_i, .rst_ni, .in_valid_i(tx_valid), .in_ready_o(tx_ready), .hungry_o(hungry),
    .in_payload_i(tx_payload),
    .ack_i(ack), .ack_seq_i(ack_seq), .nak_i(nak), .nak_seq_i(nak_seq), .passed_i(passed),
    .missing_i(missing), .missing_sent_o(missing_sent), .expect_i(expected), .train_i(train),
    .resume_i(resume), .hello_i(hello_out), .replay_o(replay), .phy_valid_o(phy_tx_valid_o),
    .phy_ready_i(phy_tx_ready_i), .phy_flit_o(phy_tx_flit_o)
  );

  npu_cdc_fifo #(.Width(FlitBits), .Depth(8)) u_cross (
    .wclk_i(phy_rx_clk_i), .wrst_ni(phy_rx_rst_ni), .in_valid_i(phy_rx_valid_i),
    .in_ready_o(unused_room), .in_data_i(phy_rx_flit_i),
    .rclk_i(clk_i), .rrst_ni(rst_ni), .out_valid_o(flit_valid), .out_ready_i(1'b1),
    .out_data_o(flit)
  );
  npu_link_rx #(.RetryCycles(RetryCycles)) u_rx (
    .clk_i, .rst_ni, .phy_valid_i(flit_valid), .phy_flit_i(flit),
    .out_valid_o(rx_valid), .out_ready_i(rx_ready), .out_payload_o(rx_payload),
    .ack_o(ack), .ack_seq_o(ack_seq), .nak_o(nak), .nak_seq_o(nak_seq), .passed_o(passed),
    .missing_o(missing), .missing_sent_i(missing_sent), .expect_o(expected),
    .resume_i(resume), .hear_i(hear), .good_o(good), .bad_o(bad), .hello_valid_o(hello_valid), .hello_o(hello_in)
  );
  npu_link_unpack u_unpack (
    .clk_i, .rst_ni, .in_valid_i(rx_valid), .in_ready_o(rx_ready), .in_payload_i(rx_payload),
    .out_valid_o, .out_ready_i, .out_word_o, .out_first_o, .out_last_o
  );

  npu_link_train #(.TryCycles(TryCycles), .SilenceCycles(SilenceCycles)) u_train (
    .clk_i, .rst_ni, .good_i(good), .bad_i(bad), .hello_valid_i(hello_valid), .hello_i(hello_in),
    .side_hear_i, .side_hear_o, .hear_o(hear), .width_o(phy_tx_width_o), .hello_o(hello_out), .train_o(train),
    .resume_o(resume), .up_o, .lost_o, .mismatch_o
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      replays_o   <= '0;
      errors_o    <= '0;
      trainings_o <= '0;
    end else begin
      if (replay) replays_o <= replays_o + 1'b1;
      if (bad) errors_o <= errors_o + 1'b1;
      if (resume) trainings_o <= trainings_o + 1'b1;
    end
  end
endmodule
