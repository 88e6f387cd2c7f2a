// Bursts to other chiplets' memory as packets. An AXI write port with, beside each address, which
// bytes of the burst's first and last word count (awuser). What names no chiplet or memory of the
// package is taken and answered with an error, as a bus does.
// Latency: address to header word 1 cycle. Throughput: a word a cycle, 2 cycles more a burst.
module npu_net_tx
  import npu_pkg::*;
  import npu_link_pkg::*;
#(
  localparam int unsigned ByteBits = $clog2(PortBytes)
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic [15:0]             place_i,   // own x, y; the mesh's last column, last row
  input  logic                    aw_valid_i,
  output logic                    aw_ready_o,
  input  npu_axi_pkg::ax_t        aw_i,
  input  logic [2*ByteBits-1:0]   aw_user_i,
  input  logic                    w_valid_i,
  output logic                    w_ready_o,
  input  npu_axi_pkg::w_t         w_i,
  output logic                    b_valid_o,
  input  logic                    b_ready_i,
  output npu_axi_pkg::b_t         b_o,
  output logic                    out_valid_o,
  input  logic                    out_ready_i,
  output word_t                   out_word_o,
  output logic                    out_first_o,
  output logic                    out_last_o
);
  typedef enum logic [2:0] { Idle, Head, Data, Drop, Answer } state_e;

  state_e           state_q;
  npu_axi_pkg::ax_t aw_q;
  logic [ByteBits-1:0] head_q, tail_q;
  logic             bad_q, signal;

  // ---- the address -------------------------------------------------------------------------------
  logic [3:0]  x, y, region;
  logic [26:0] offset;
  logic [26:0] limit;                     // bytes of the memory
  logic [27:0] end_byte;
  logic        there, in_memory, whole, good_signal;

  assign y        = aw_q.addr[RemoteYBit +: 4];
  assign x        = aw_q.addr[RemoteXBit +: 4];
  assign region   = aw_q.addr[RemoteRegionBit +: 4];
  assign offset   = aw_q.addr[26:0];
  assign there    = x <= place_i[11:8] && y <= place_i[15:12];
  assign signal   = region == 4'(RemoteSignals);
  assign end_byte = {1'b0, offset} + {(28 - ByteBits)'(aw_q.len), ByteBits'(0)} +
                      28'(tail_q);
  always_comb begin
    unique case (region)
      4'(SPACE_ASPM): limit = 27'(AspmBytes);
      4'(SPACE_ASC):  limit = 27'(AscBytes);
      4'(SPACE_VMEM): limit = 27'(VmemBytes);
      default:        limit = '0;
    endcase
  end
  assign in_memory   = end_byte < {1'b0, limit};
  // Vector memory is written in words of 4 bytes.
  assign whole       = region != 4'(SPACE_VMEM) || (head_q[1:0] == 2'd0 && tail_q[1:0] == 2'd3);
  assign good_signal = aw_q.len == '0 && offset[5:0] == '0 && head_q == '0 &&
                       offset[18:11] != '0 && offset[26:19] == '0;

  // ---- packet ------------------------------------------------------------------------------------
  pack_head_t head;
  always_comb begin
    head = '{zero: '0, tail: 6'(tail_q), head: 6'(head_q), words: aw_q.len[5:0], space: region[2:0],
             addr: 20'(offset >> ByteBits), src_y: place_i[7:4], src_x: place_i[3:0],
             dst_y: y, dst_x: x, kind: PackWrite};
    if (signal) begin
      {head.tail, head.head, head.words, head.space} = '0;
      head.kind = PackSignal;
      head.addr = 20'(offset >> 6);
    end
  end

  logic good;
  assign good        = there && (signal ? good_signal : in_memory && whole);
  assign aw_ready_o  = state_q == Idle;
  assign out_valid_o = (state_q == Head && good) || (state_q == Data && w_valid_i);
  assign out_word_o  = state_q == Head ? WordBits'(head) : w_i.data;
  assign out_first_o = state_q == Head;
  assign out_last_o  = state_q == Head ? signal : w_i.last;
  assign w_ready_o   = state_q == Drop || (state_q == Data && out_ready_i);
  assign b_valid_o   = state_q == Answer;
  assign b_o.resp    = {bad_q, 1'b0};

  always_ff @(posedge clk_i) begin
    if (aw_valid_i && aw_ready_o) begin
      aw_q             <= aw_i;
      {tail_q, head_q} <= aw_user_i;
    end
    if (state_q == Head) bad_q <= !good;
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= Idle;
    end else begin
      unique case (state_q)
        Idle: if (aw_valid_i) state_q <= Head;
        Head: begin
          if (!good) state_q <= Drop;
          else if (out_ready_i) state_q <= signal ? Drop : Data;
        end
        Data, Drop: if (w_valid_i && w_ready_o && w_i.last) state_q <= Answer;
        default: if (b_ready_i) state_q <= Idle;
      endcase
    end
  end

  logic unused;
  assign unused = ^{aw_q, w_i.strb};
endmodule
