// First-in first-out queue of Depth words (any Depth >= 1), valid/ready on both sides; in_ready_o
// depends on the fill level only, so a full queue takes nothing in the cycle in which it gives. A
// word is at the output one cycle after it went in. Latency: 1 cycle. Data registers have no reset.
module npu_fifo #(
  parameter int unsigned Width  = 8,
  parameter int unsigned Depth  = 4,
  localparam int unsigned CountW = $clog2(Depth + 1)
) (
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic              in_valid_i,
  output logic              in_ready_o,
  input  logic [Width-1:0]  in_data_i,
  output logic              out_valid_o,
  input  logic              out_ready_i,
  output logic [Width-1:0]  out_data_o,
  output logic [CountW-1:0] count_o
);
  localparam int unsigned PtrW = Depth > 1 ? $clog2(Depth) : 1;
  localparam logic [PtrW-1:0] Last = PtrW'(Depth - 1);

  logic [Width-1:0]  mem [Depth];
  logic [PtrW-1:0]   wptr_q, rptr_q;
  logic [CountW-1:0] count_q;
  logic              push, pop, valid_q, full_q;  // what count_q says, ready in time

  assign in_ready_o  = !full_q;
  assign out_valid_o = valid_q;
  assign out_data_o  = mem[rptr_q];
  assign count_o     = count_q;
  assign push        = in_valid_i && in_ready_o;
  assign pop         = out_valid_o && out_ready_i;

  always_ff @(posedge clk_i) begin
    if (push) mem[wptr_q] <= in_data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wptr_q  <= '0;
      rptr_q  <= '0;
      count_q <= '0;
      valid_q <= 1'b0;
      full_q  <= 1'b0;
    end else begin
      if (push) wptr_q <= wptr_q == Last ? '0 : wptr_q + 1'b1;
      if (pop) rptr_q <= rptr_q == Last ? '0 : rptr_q + 1'b1;
      if (push && !pop) begin
        count_q <= count_q + 1'b1;
        valid_q <= 1'b1;
        full_q  <= count_q == CountW'(Depth - 1);
      end else if (pop && !push) begin
        count_q <= count_q - 1'b1;
        valid_q <= count_q != CountW'(1);
        full_q  <= 1'b0;
      end
    end
  end
endmodule
