// Words of packets to payloads: a payload goes when it is full, or ends with a packet's last word and
// the sender has nothing else to send.
// Throughput: one word a cycle. Latency: 1 cycle from the word that completes it.
module npu_link_pack
  import npu_link_pkg::*;
(
  input  logic     clk_i,
  input  logic     rst_ni,
  input  logic     in_valid_i,
  output logic     in_ready_o,
  input  word_t    in_word_i,
  input  logic     in_last_i,   // of its packet
  input  logic     hungry_i,
  output logic     out_valid_o,
  input  logic     out_ready_i,
  output payload_t out_payload_o
);
  localparam int unsigned CountW = $clog2(FlitWords + 1);

  logic [FlitWords-1:0][WordBits-1:0] words_q;
  logic [CountW-1:0] count_q, at;
  logic              ended_q, push, pop;

  assign out_valid_o   = (ended_q && hungry_i) || count_q == CountW'(FlitWords);
  assign out_payload_o = words_q;
  assign pop           = out_valid_o && out_ready_i;
  assign in_ready_o    = pop || count_q != CountW'(FlitWords);
  assign push          = in_valid_i && in_ready_o;
  assign at            = pop ? '0 : count_q;

  always_ff @(posedge clk_i) begin
    if (push) begin
      for (int w = 0; w < FlitWords; w++) begin
        if (at == CountW'(w)) words_q[w] <= in_word_i;
        else if (at == '0) words_q[w] <= '0;
      end
    end
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q <= '0;
      ended_q <= 1'b0;
    end else if (push) begin
      count_q <= at + 1'b1;
      ended_q <= in_last_i;
    end else if (pop) begin
      count_q <= '0;
      ended_q <= 1'b0;
    end
  end
endmodule
