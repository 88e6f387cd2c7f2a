// What a multiply-accumulate costs at least: the yardstick of bench mac-area. An 8 x 8 bit product, a sum, and the
// registers of both, of the moving byte and of Weights weights, of which one is used.
module mac_cell #(
  parameter int unsigned Weights = 1,
  parameter int unsigned SumW    = 21,
  localparam int unsigned SelW   = Weights > 1 ? $clog2(Weights) : 1
) (
  input  logic            clk_i,
  input  logic            en_i,
  input  logic            load_i,
  input  logic [SelW-1:0] load_sel_i,
  input  logic [7:0]      weight_i,
  input  logic [SelW-1:0] sel_i,
  input  logic [7:0]      byte_i,
  input  logic [SumW-1:0] sum_i,
  output logic [7:0]      byte_o,
  output logic [SumW-1:0] sum_o
);
  logic [7:0]      weight_q [Weights];
  logic [7:0]      byte_q;
  logic [15:0]     product_q;
  logic [SumW-1:0] sum_q;

  always_ff @(posedge clk_i) begin
    if (en_i) begin
      byte_q    <= byte_i;
      product_q <= 16'($signed(byte_q)) * 16'($signed(weight_q[(Weights > 1) ? sel_i : '0]));
      sum_q     <= sum_i + SumW'($signed(product_q));
    end
  end
  for (genvar w = 0; w < Weights; w++) begin : gen_weight
    always_ff @(posedge clk_i) begin
      if (load_i && (Weights == 1 || load_sel_i == SelW'(w))) weight_q[w] <= weight_i;
    end
  end
  assign byte_o = byte_q;
  assign sum_o  = sum_q;
endmodule
