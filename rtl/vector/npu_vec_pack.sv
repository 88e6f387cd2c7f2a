// Last step of qnt: products to int8 (nearest even, clamped to -127..127, NaN
// gives 0), collected to blocks of 32 bytes and written to the activation
// scratchpad. first_i starts a block, piece_i says which beat of it this is,
// last_i ends it; bytes without a beat are 0.
// Latency: the write is presented one cycle after the beat with last_i.
module npu_vec_pack
  import npu_pkg::*, npu_fp_pkg::*;
#(
  localparam int unsigned Width  = Lanes < Block ? Lanes : Block,  // values per beat
  localparam int unsigned Pieces = Block / Width,
  localparam int unsigned PieceW = Pieces > 1 ? $clog2(Pieces) : 1,
  localparam int unsigned BlkW   = $clog2(AspmBytes / 32)
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                valid_i,
  input  logic [Width*32-1:0] values_i,
  input  logic                first_i,
  input  logic [PieceW-1:0]   piece_i,
  input  logic                last_i,
  input  logic [BlkW-1:0]     blk_i,
  input  logic                scale_en_i,
  input  logic [15:0]         scale_i,
  output logic                q_wvalid_o,
  output logic [BlkW-1:0]     q_wblk_o,
  output logic [255:0]        q_wdata_o,
  output logic                q_wscale_en_o,
  output logic [15:0]         q_wscale_o
);

  // -(size + up) is ~size + !up; the addition does not wait for the rounding.
  function automatic logic [7:0] to_int8(logic [31:0] a);
    logic [7:0] fixed;    // one bit below the point
    logic [7:0] lost;     // whether a fraction shifted by so much leaves bits below a half
    logic [7:0] size;
    logic [2:0] distance;
    logic [7:0] base, next;
    logic up;
    if (is_nan(a) || a[30:23] < 8'd126) return 8'd0;
    distance = a[25:23] + 3'd2;
    fixed = 8'(({7'd0, 1'b1, a[22:0]} << distance) >> 23);
    for (int i = 0; i < 8; i++) lost[i] = (a[22:0] & (23'h7FFFFF >> i)) != 23'd0;
    size = {1'b0, fixed[7:1]};
    base = size ^ {8{a[31]}};
    next = base + 8'd1;
    up = fixed[0] && (lost[distance] || fixed[1]) && size != 8'd127;
    if (a[30:23] >= 8'd134) return a[31] ? 8'h81 : 8'h7F;
    return up ^ a[31] ? next : base;
  endfunction

  logic             valid_q;
  logic [7:0]       bytes_q [Block];
  logic [BlkW-1:0]  blk_q;
  logic             scale_en_q;
  logic [15:0]      scale_q;

  for (genvar i = 0; i < Block; i++) begin : gen_byte
    localparam int unsigned Lane = i % Width;
    always_ff @(posedge clk_i) begin
      if (valid_i) begin
        if (piece_i == PieceW'(i / Width)) bytes_q[i] <= to_int8(values_i[Lane*32 +: 32]);
        else if (first_i) bytes_q[i] <= 8'd0;
      end
    end
    assign q_wdata_o[i*8 +: 8] = bytes_q[i];
  end

  always_ff @(posedge clk_i) begin
    if (valid_i && last_i) begin
      blk_q      <= blk_i;
      scale_en_q <= scale_en_i;
      scale_q    <= scale_i;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= valid_i && last_i;
  end

  assign q_wvalid_o    = valid_q;
  assign q_wblk_o      = blk_q;
  assign q_wscale_en_o = scale_en_q;
  assign q_wscale_o    = scale_q;

endmodule
