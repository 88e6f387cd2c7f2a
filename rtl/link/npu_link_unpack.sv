// Payloads to the words of packets; first and last word of each are marked. Throughput: one word a
// cycle; the zeros that fill up a payload take one cycle together. Latency: none.
module npu_link_unpack
  import npu_link_pkg::*;
(
  input  logic     clk_i,
  input  logic     rst_ni,
  input  logic     in_valid_i,
  output logic     in_ready_o,
  input  payload_t in_payload_i,
  output logic     out_valid_o,
  input  logic     out_ready_i,
  output word_t    out_word_o,
  output logic     out_first_o,
  output logic     out_last_o
);
  localparam int unsigned AtW = FlitWords > 1 ? $clog2(FlitWords) : 1;

  logic [AtW-1:0] at_q;
  logic [6:0]     left_q;  // data words of this packet still to come
  logic           none, end_of_payload, step;
  pack_head_t     head;

  assign out_word_o     = in_payload_i[at_q*WordBits +: WordBits];
  assign head           = out_word_o[$bits(pack_head_t)-1:0];
  assign out_first_o    = left_q == '0;
  assign none           = out_first_o && head.kind == PackNone;
  assign out_last_o     = out_first_o ? head.kind != PackWrite : left_q == 7'd1;
  assign out_valid_o    = in_valid_i && !none;
  assign step           = out_valid_o && out_ready_i;
  assign end_of_payload = none || at_q == AtW'(FlitWords - 1);
  assign in_ready_o     = (none || out_ready_i) && end_of_payload;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      at_q   <= '0;
      left_q <= '0;
    end else begin
      if (in_valid_i && in_ready_o) at_q <= '0;
      else if (step) at_q <= at_q + 1'b1;
      if (step && out_first_o) left_q <= head.kind == PackWrite ? {1'b0, head.words} + 1'b1 : '0;
      else if (step) left_q <= left_q - 1'b1;
    end
  end

  logic unused;
  assign unused = ^head;
endmodule
