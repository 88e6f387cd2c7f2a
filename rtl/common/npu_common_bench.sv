// Test top: queues of three depths, a register slice and a queue in a RAM on the same input, and a RAM
// with write mask.
module npu_common_bench #(
  localparam int unsigned Queues = 4
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic [Queues-1:0]  in_valid_i,
  output logic [Queues-1:0]  in_ready_o,
  input  logic [15:0]        in_data_i,
  output logic [Queues-1:0]  out_valid_o,
  input  logic [Queues-1:0]  out_ready_i,
  output logic [63:0]        out_data_o,
  output logic [23:0]        count_o,
  input  logic               long_valid_i,
  output logic               long_ready_o,
  output logic               long_valid_o,
  input  logic               long_ready_i,
  output logic [15:0]        long_data_o,
  input  logic               ren_i,
  input  logic [4:0]         raddr_i,
  output logic [31:0]        rdata_o,
  input  logic               wen_i,
  input  logic [4:0]         waddr_i,
  input  logic [3:0]         wmask_i,
  input  logic [31:0]        wdata_i
);
  for (genvar q = 0; q < Queues - 1; q++) begin : gen_queue
    localparam int unsigned Depth = q == 0 ? 1 : q == 1 ? 4 : 11;
    logic [$clog2(Depth+1)-1:0] count;
    npu_fifo #(.Width(16), .Depth(Depth)) u_fifo (
      .clk_i, .rst_ni,
      .in_valid_i(in_valid_i[q]), .in_ready_o(in_ready_o[q]), .in_data_i,
      .out_valid_o(out_valid_o[q]), .out_ready_i(out_ready_i[q]),
      .out_data_o(out_data_o[q*16 +: 16]),
      .count_o(count)
    );
    assign count_o[q*8 +: 8] = 8'(count);
  end

  npu_slice #(.Width(16)) u_slice (
    .clk_i, .rst_ni,
    .in_valid_i(in_valid_i[Queues-1]), .in_ready_o(in_ready_o[Queues-1]), .in_data_i,
    .out_valid_o(out_valid_o[Queues-1]), .out_ready_i(out_ready_i[Queues-1]),
    .out_data_o(out_data_o[(Queues-1)*16 +: 16])
  );

  npu_ram_fifo #(.Width(16), .Depth(8)) u_long (
    .clk_i, .rst_ni,
    .in_valid_i(long_valid_i), .in_ready_o(long_ready_o), .in_data_i,
    .out_valid_o(long_valid_o), .out_ready_i(long_ready_i), .out_data_o(long_data_o)
  );

  npu_ram #(.Width(32), .Depth(32), .MaskBits(8)) u_ram (
    .clk_i, .ren_i, .raddr_i, .rdata_o, .wen_i, .waddr_i, .wmask_i, .wdata_i);
endmodule
