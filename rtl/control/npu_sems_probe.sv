// For simulation: who waits for which semaphore, readable from C++. Bound into every npu_sems of a
// model that has this file.
module npu_sems_probe #(
  parameter int unsigned Bits = 1
) (
  input logic            clk_i,
  input logic [Bits-1:0] take_i
);
  logic [Bits-1:0] take_q /*verilator public_flat_rd*/;
  always_ff @(posedge clk_i) if (take_i != take_q) take_q <= take_i;
endmodule

bind npu_sems npu_sems_probe #(.Bits($bits(take_i))) u_probe (.clk_i, .take_i);
