// Packets from the network to writes and signals, in their order: a signal is offered when every
// write before it has been taken. Throughput: a word a cycle. Latency: none.
module npu_net_rx
  import npu_pkg::*;
  import npu_link_pkg::*;
(
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 in_valid_i,
  output logic                 in_ready_o,
  input  word_t                in_word_i,
  input  logic                 in_first_i,
  input  logic                 in_last_i,
  output logic                 w_valid_o,
  input  logic                 w_ready_i,
  output logic [2:0]           w_space_o,
  output logic [19:0]          w_addr_o,
  output logic [PortBytes-1:0] w_strb_o,
  output word_t                w_data_o,
  output logic                 s_valid_o,
  input  logic                 s_ready_i,
  output logic [4:0]           s_sem_o,
  output logic [7:0]           s_n_o
);
  pack_head_t  head;
  logic [2:0]  space_q;
  logic [19:0] addr_q;
  logic [5:0]  from_q, to_q;      // bytes of the first and last word that count
  logic        begin_q;           // the next word is the first one of data

  assign head       = in_word_i[$bits(pack_head_t)-1:0];
  assign s_valid_o  = in_valid_i && in_first_i && head.kind == PackSignal;
  assign s_sem_o    = head.addr[4:0];
  assign s_n_o      = head.addr[12:5];
  assign w_valid_o  = in_valid_i && !in_first_i;
  assign w_space_o  = space_q;
  assign w_addr_o   = addr_q;
  assign w_data_o   = in_word_i;
  assign in_ready_o = in_first_i ? head.kind != PackSignal || s_ready_i : w_ready_i;

  localparam logic [PortBytes-1:0] All = '1;
  logic [PortBytes-1:0] from, up_to;
  assign from     = begin_q ? All << from_q : All;
  assign up_to    = in_last_i ? ~(All << 1 << to_q) : All;
  assign w_strb_o = from & up_to;

  always_ff @(posedge clk_i) begin
    if (in_valid_i && in_ready_o) begin
      if (in_first_i) begin
        space_q <= head.space;
        addr_q  <= head.addr;
        from_q  <= head.head;
        to_q    <= head.tail;
      end else begin
        addr_q  <= addr_q + 1'b1;
      end
    end
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin_q <= 1'b0;
    else if (in_valid_i && in_ready_o) begin_q <= in_first_i;
  end

  logic unused;
  assign unused = ^head;
endmodule
