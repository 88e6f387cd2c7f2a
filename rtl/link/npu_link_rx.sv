// Receiving side: checks flits, takes data in their order and keeps them until they are passed on.
// The buffer holds a whole window, so no flit is ever refused for want of room.
// Latency: flit to payload 4 cycles.
module npu_link_rx
  import npu_link_pkg::*;
#(
  parameter int unsigned RetryCycles = 256
) (
  input  logic     clk_i,
  input  logic     rst_ni,
  input  logic     phy_valid_i,
  input  flit_t    phy_flit_i,
  output logic     out_valid_o,
  input  logic     out_ready_i,
  output payload_t out_payload_o,
  // to the sending side
  output logic     ack_o,
  output seq_t     ack_seq_o,
  output logic     nak_o,
  output seq_t     nak_seq_o,
  output seq_t     passed_o,
  output logic     missing_o,
  input  logic     missing_sent_i,
  output seq_t     expect_o,
  // to training
  input  logic     resume_i,
  input  logic     hear_i,        // else only training counts: noise may pass for right
  output logic     good_o,        // a flit with a right CRC
  output logic     bad_o,
  output logic     hello_valid_o,
  output train_t   hello_o
);
  flit_t flit_q;
  logic  valid_q, checked_q, good_q, take, pass, room;
  flit_head_t head_q;
  payload_t   payload_q;
  seq_t       passed_q;

  always_ff @(posedge clk_i) begin
    if (phy_valid_i) flit_q <= phy_flit_i;
    if (valid_q) begin
      good_q    <= flit_q.crc == crc({flit_q.payload, flit_q.head});
      head_q    <= flit_q.head;
      payload_q <= flit_q.payload;
    end
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q   <= 1'b0;
      checked_q <= 1'b0;
    end else begin
      valid_q   <= phy_valid_i;
      checked_q <= valid_q;
    end
  end

  assign good_o        = checked_q && good_q;
  assign bad_o         = checked_q && !good_q;
  assign hello_valid_o = good_o && head_q.kind == FlitTrain;
  assign hello_o       = train_t'(payload_q[$bits(train_t)-1:0]);
  assign ack_o         = hear_i && good_o && head_q.kind != FlitTrain;
  assign ack_seq_o     = head_q.ack;
  assign nak_o         = hear_i && good_o && head_q.kind == FlitNak;
  assign nak_seq_o     = head_q.seq;

  npu_link_seq_rx #(.Depth(Window), .RetryCycles(RetryCycles)) u_seq (
    .clk_i, .rst_ni,
    .valid_i(checked_q && hear_i), .good_i(good_q), .data_i(head_q.kind == FlitData),
    .mark_i(head_q.kind == FlitNull), .seq_i(head_q.seq), .take_o(take), .expect_o,
    .nak_o(missing_o), .nak_sent_i(missing_sent_i), .forget_i(resume_i)
  );

  npu_ram_fifo #(.Width(PayloadBits), .Depth(Window)) u_buffer (
    .clk_i, .rst_ni,
    .in_valid_i(take), .in_ready_o(room), .in_data_i(payload_q),
    .out_valid_o, .out_ready_i, .out_data_o(out_payload_o)
  );
  assign pass     = out_valid_o && out_ready_i;
  assign passed_o = passed_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) passed_q <= '0;
    else if (pass) passed_q <= passed_q + 1'b1;
  end

`ifdef VERILATOR
  logic told_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      told_q <= 1'b0;
    end else if (take && !room) begin
      told_q <= 1'b1;
      if (!told_q) $error("npu_link_rx: a flit beyond the window");
    end
  end
`endif
  logic unused;
  assign unused = room;
endmodule
