// Ends the commands of a DMA engine in order. last_i says that the last effect of the oldest
// command takes place in this cycle; done_o follows 1 cycle later. If err_i is set with it, the
// fault is reported first: hold_o asks the engine to stand still, fault_valid_o comes FaultDelay
// cycles later and done_o after it, so that the command is the oldest in flight in its front by
// then. Counts commands in flight for idle_o.
module npu_dma_retire
  import npu_pkg::*;
  import npu_dma_pkg::*;
(
  input  logic   clk_i,
  input  logic   rst_ni,
  input  logic   accept_i,
  input  logic   last_i,
  input  logic   err_i,
  input  fault_e err_code_i,
  input  addr_t  err_addr_i,
  output logic   hold_o,
  output logic   done_o,
  output logic   idle_o,
  output logic   fault_valid_o,
  output fault_e fault_code_o,
  output addr_t  fault_addr_o
);
  // More than the signals that can stand between two commands in a front.
  localparam int unsigned FaultDelay = 12;
  localparam int unsigned CountBits  = 8;

  logic [CountBits-1:0] in_flight_q;
  logic [3:0]           delay_q;
  logic                 hold_q, done_q;

  assign hold_o        = hold_q;
  assign done_o        = done_q;
  assign idle_o        = in_flight_q == '0;
  assign fault_valid_o = hold_q && delay_q == '0;

  always_ff @(posedge clk_i) begin
    // What counts is the last cycle before hold_q; last_i comes late.
    if (!hold_q) begin
      fault_code_o <= err_code_i;
      fault_addr_o <= err_addr_i;
      delay_q      <= 4'(FaultDelay);
    end else begin
      delay_q <= delay_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      in_flight_q <= '0;
      hold_q      <= 1'b0;
      done_q      <= 1'b0;
    end else begin
      if (last_i && err_i) hold_q <= 1'b1;
      else if (fault_valid_o) hold_q <= 1'b0;
      done_q <= (last_i && !err_i) || fault_valid_o;
      if (accept_i && !done_q) in_flight_q <= in_flight_q + 1'b1;
      else if (done_q && !accept_i) in_flight_q <= in_flight_q - 1'b1;
    end
  end
endmodule
