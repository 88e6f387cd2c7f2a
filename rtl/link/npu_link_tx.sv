// Sending side: keeps payloads until the other side has passed them on, makes flits and hands them
// to the physical layer. In order of rank: training flits while train_i, a request to send again,
// data, and a flit of nothing when an acknowledgement or a sign of life is due.
// Latency: payload to flit 3 cycles.
module npu_link_tx
  import npu_link_pkg::*;
#(
  parameter int unsigned IdleCycles = 32       // at least one flit in so many
) (
  input  logic     clk_i,
  input  logic     rst_ni,
  input  logic     in_valid_i,
  output logic     in_ready_o,
  output logic     hungry_o,      // every payload has been sent
  input  payload_t in_payload_i,
  // from the receiving side
  input  logic     ack_i,
  input  seq_t     ack_seq_i,
  input  logic     nak_i,
  input  seq_t     nak_seq_i,
  input  seq_t     passed_i,      // flits of the other direction that have been passed on
  input  logic     missing_i,     // ask for flit expect_i
  output logic     missing_sent_o,
  input  seq_t     expect_i,
  // from training
  input  logic     train_i,
  input  logic     resume_i,      // training has ended: send again what was not acknowledged
  input  train_t   hello_i,
  output logic     replay_o,      // a flit is sent again
  output logic     phy_valid_o,
  input  logic     phy_ready_i,
  output flit_t    phy_flit_o
);
  localparam int unsigned SlotW = $clog2(Window);
  localparam int unsigned IdleW = $clog2(IdleCycles + 1);

  seq_t       head, next, tail, told_q;
  logic       room, some, push, sent, again;
  logic       move, pick_valid;                // the pipeline takes a step; with a flit
  flit_kind_e pick;
  logic [IdleW-1:0] idle_q;

  npu_link_seq_tx #(.Depth(Window)) u_seq (
    .clk_i, .rst_ni,
    .push_i(push), .room_o(room), .some_o(some), .sent_i(sent),
    .head_o(head), .next_o(next), .tail_o(tail), .replay_o(again),
    .ack_i, .ack_seq_i, .nak_i, .nak_seq_i, .rewind_i(resume_i)
  );
  assign in_ready_o = room;
  assign hungry_o   = !some;
  assign push       = in_valid_i && room;

  // ---- choice: the flit's kind and numbers -------------------------------------------------------
  always_comb begin
    pick_valid = 1'b1;
    if (train_i) pick = FlitTrain;
    else if (missing_i) pick = FlitNak;
    else if (some) pick = FlitData;
    else begin
      pick       = FlitNull;
      pick_valid = told_q != passed_i || idle_q == '0;
    end
  end
  assign sent           = move && pick_valid && pick == FlitData;
  assign missing_sent_o = move && pick_valid && pick == FlitNak;
  assign replay_o       = sent && again;

  // ---- the kept payload, then the whole flit -----------------------------------------------------
  logic       kind_valid_q, flit_valid_q;
  flit_head_t head_q;
  flit_t      flit_q;
  payload_t   kept, payload;
  train_t     hello_q;

  npu_ram #(.Width(PayloadBits), .Depth(Window)) u_kept (
    .clk_i, .ren_i(sent), .raddr_i(next[SlotW-1:0]), .rdata_o(kept),
    .wen_i(push), .waddr_i(head[SlotW-1:0]), .wmask_i(1'b1), .wdata_i(in_payload_i)
  );

  assign move        = !flit_valid_q || phy_ready_i;
  assign phy_valid_o = flit_valid_q;
  assign phy_flit_o  = flit_q;
  always_comb begin
    unique case (head_q.kind)
      FlitData:  payload = kept;
      FlitTrain: payload = PayloadBits'(hello_q);
      default:   payload = '0;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (move) begin
      if (pick_valid) begin
        head_q  <= '{ack: passed_i, seq: pick == FlitNak ? expect_i : next, kind: pick};
        hello_q <= hello_i;
      end
      if (kind_valid_q) flit_q <= '{crc: crc({payload, head_q}), payload: payload, head: head_q};
    end
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      kind_valid_q <= 1'b0;
      flit_valid_q <= 1'b0;
      told_q       <= '0;
      idle_q       <= '0;
    end else begin
      if (idle_q != '0) idle_q <= idle_q - 1'b1;
      if (move) begin
        kind_valid_q <= pick_valid;
        flit_valid_q <= kind_valid_q;
        if (pick_valid) begin
          idle_q <= IdleW'(IdleCycles);
          told_q <= passed_i;
        end
      end
    end
  end

  logic unused;
  assign unused = ^{tail, head[SeqBits-1]};
endmodule
