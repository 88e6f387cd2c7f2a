// First-in first-out queue of Depth words (a power of two, at least 2) in a RAM, for long queues;
// valid/ready on both sides, in_ready_o depends on the fill level only. Latency: a word is at the
// output two cycles after it went in, then one a cycle.
module npu_ram_fifo #(
  parameter int unsigned Width  = 8,
  parameter int unsigned Depth  = 32
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_data_i,
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_data_o
);
  localparam int unsigned PtrW = $clog2(Depth);

  if (Depth != 2**PtrW || Depth < 2) begin : gen_check
    $error("npu_ram_fifo: Depth must be a power of two, at least 2");
  end

  logic [PtrW-1:0] wptr_q, rptr_q;  // read: on its way to the output
  logic          push, fetch, valid_q;
  logic [PtrW:0] used_q;          // words written and not yet on their way
  logic          full_q, some_q;  // what used_q says, ready in time

  assign in_ready_o  = !full_q;
  assign push        = in_valid_i && in_ready_o;
  assign fetch       = some_q && (!valid_q || out_ready_i);
  assign out_valid_o = valid_q;

  // A word is read in a later cycle than it is written, never in the same.
  npu_ram #(.Width(Width), .Depth(Depth)) u_ram (
    .clk_i,
    .ren_i  (fetch),
    .raddr_i(rptr_q),
    .rdata_o(out_data_o),
    .wen_i  (push),
    .waddr_i(wptr_q),
    .wmask_i(1'b1),
    .wdata_i(in_data_i)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wptr_q  <= '0;
      rptr_q  <= '0;
      valid_q <= 1'b0;
      used_q  <= '0;
      full_q  <= 1'b0;
      some_q  <= 1'b0;
    end else begin
      if (push) wptr_q <= wptr_q + 1'b1;
      if (fetch) rptr_q <= rptr_q + 1'b1;
      if (push && !fetch) begin
        used_q <= used_q + 1'b1;
        full_q <= used_q == (PtrW + 1)'(Depth - 1);
        some_q <= 1'b1;
      end else if (fetch && !push) begin
        used_q <= used_q - 1'b1;
        full_q <= 1'b0;
        some_q <= used_q != (PtrW + 1)'(1);
      end
      valid_q <= fetch || (valid_q && !out_ready_i);
    end
  end
endmodule
