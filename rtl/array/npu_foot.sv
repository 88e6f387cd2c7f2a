// The feet of the array: scale, accumulate and write back one output row. Every foot serves S
// neighbouring columns on successive cycles: p = float(isum) * (sa * sw), row = acc + p
// (docs/isa.md). The scales of a tile are read when its first row gets here; the accumulator row is
// read ReadAt cycles after row_i and written WriteAt cycles after it; done_o is in the cycle after
// the last write of a command. Rows come at least S cycles apart; nothing stalls.
module npu_foot
  import npu_pkg::*;
  import npu_fp_pkg::*;
  import npu_mx_pkg::*;
(
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  row_i,
  input  logic [Feet-1:0][31:0] isum_i,      // column j of a foot: RowLead + j cycles after row_i
  input  tile_t                 tile_i,      // the oldest tile
  output logic                  tile_pop_o,
  output logic                  scale_pop_o,
  input  logic [15:0]           scale_i,
  output logic                  sc_ren_o,
  output logic [CRowW-1:0]      sc_row_o,
  input  logic [WordW-1:0]      sc_rdata_i,
  output logic                  v_rvalid_o,
  output logic [VRowW-1:0]      v_rrow_o,
  input  logic [32*Cols-1:0]    v_rdata_i,
  output logic                  v_wvalid_o,
  output logic [VRowW-1:0]      v_wrow_o,
  output logic [32*Cols-1:0]    v_wdata_o,
  output logic                  done_o
);
  // ---- rows in flight: entry k belongs to the row that came k cycles ago ----------------------
  logic [WriteAt:1] valid_q, rd_q, last_q;
  logic [WriteAt:0] valid;
  logic [VRowW-1:0] row_q [WriteAt+1];       // [0] unused
  logic [15:0]      left_q;                  // rows left of the tile
  logic [VRowW-1:0] next_q;
  logic             tile_first, tile_last, done_q;
  logic [VRowW-1:0] row;

  assign tile_first = left_q == 16'd0;
  assign tile_last  = tile_first ? tile_i.m == 16'd1 : left_q == 16'd1;
  assign row        = tile_first ? tile_i.o : next_q;
  assign tile_pop_o = row_i && tile_last;
  assign valid      = {valid_q, row_i};
  assign done_o     = done_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      left_q  <= '0;
      done_q  <= 1'b0;
    end else begin
      valid_q <= valid[WriteAt-1:0];
      if (row_i) left_q <= tile_first ? tile_i.m - 1'b1 : left_q - 1'b1;
      done_q <= valid[WriteAt] && last_q[WriteAt];
    end
  end
  always_ff @(posedge clk_i) begin
    if (row_i) next_q <= row + tile_i.om;
    if (valid != '0) begin
      rd_q   <= {rd_q[WriteAt-1:1], tile_i.rd};
      last_q <= {last_q[WriteAt-1:1], tile_i.last && tile_last};
      row_q[1] <= row;
      for (int k = 2; k <= WriteAt; k++) row_q[k] <= row_q[k-1];
    end
  end

  // A row keeps stage k of every foot busy in cycles k to k + S - 1.
  logic at_scale, at_mul, at_add;
  assign at_scale = |valid[2 +: S];
  assign at_mul   = |valid[RowLead +: S];
  assign at_add   = |valid[AddAt +: S];

  // ---- scales --------------------------------------------------------------------------------
  logic       set1_q, half1_q, low1_q, half2_q;
  logic [1:0] fmt1_q, fmt2_q;
  logic [S-1:0] code_q;                      // the foot's next entries are codes yet
  logic [15:0]  sa_q;
  assign sc_ren_o    = row_i && tile_first && tile_i.wscale != WSCALE_ONE;
  assign sc_row_o    = tile_i.sc[CRowW:1];
  assign scale_pop_o = valid[2];

  always_ff @(posedge clk_i) begin
    set1_q <= row_i && tile_first;
    if (row_i && tile_first) begin
      {fmt1_q, half1_q, low1_q} <= {tile_i.wscale, tile_i.half, !tile_i.sc[0]};
    end
    if (set1_q) {fmt2_q, half2_q} <= {fmt1_q, half1_q};
    if (set1_q) code_q <= '1;
    else if (at_scale) code_q <= code_q >> 1;
    if (valid[2]) sa_q <= scale_i;
  end

  // Sign, exponent and 10 bits of fraction of a stored fp16; half: times 0.5. The exponent of a
  // subnormal is 112 less the zeros before its leading one, and -up = ~up + 1.
  function automatic logic [18:0] decode_fp16(logic half, logic [15:0] code);
    logic [3:0] up;
    logic [8:0] m;                           // below the leading one
    logic [7:0] exponent;
    logic tiny;                              // subnormal or zero
    tiny = code[14:10] == 5'd0;
    up[3] = code[9:2] == 8'd0;
    up[2] = code[9:6] == 4'd0 && !up[3];
    up[1] = code[9:8] == 2'd0 && (code[7:6] != 2'd0 || (code[5:4] == 2'd0 && !up[3]));
    up[0] = !code[9] && (code[8] || (!code[7] && (code[6] || (!code[5] && (code[4] ||
            (!code[3] && (code[2] || !code[1])))))));
    m = code[8:0];
    if (up[3]) m = {m[0], 8'd0};
    if (up[2]) m = {m[4:0], 4'd0};
    if (up[1]) m = {m[6:0], 2'd0};
    if (up[0]) m = {m[7:0], 1'd0};
    exponent = (tiny ? {4'hF, ~up} : {3'd0, code[14:10]}) +
               (tiny == half ? 8'd112 : tiny ? 8'd113 : 8'd111);
    if (code[14:10] == 5'd31) exponent = 8'hFF;
    if (code[14:0] == 15'd0) exponent = 8'd0;
    return {code[15], exponent, tiny ? {m, 1'b0} : code[9:0]};
  endfunction

  // The same of any stored scale; too small becomes zero.
  function automatic logic [18:0] decode(logic [1:0] fmt, logic half, logic [15:0] code);
    logic [18:0] f;
    unique case (fmt)
      WSCALE_FP16: return decode_fp16(half, code);
      WSCALE_BF16: f = {code, 3'd0};
      WSCALE_E8M0: f = {1'b0, code[7:0], code[7:0] == 8'hFF, 9'd0};
      default:     f = {1'b0, 8'd127, 10'd0};
    endcase
    if (half && f[17:10] != 8'hFF && f[17:10] != 8'd0) f[17:10] = f[17:10] - 8'd1;
    return f;
  endfunction

  // ---- one foot ------------------------------------------------------------------------------
  for (genvar g = 0; g < Feet; g++) begin : gen_foot
    // Scales (codes until the tile's first row) and accumulators of the foot's columns, the current
    // column's lowest.
    logic [S-1:0][18:0] set_q;
    logic [S-1:0][31:0] acc_q;
    logic [S-1:0][31:0] out;
    logic [18:0] sw, sw_q;
    logic [31:0] product, sum;
    logic sum_valid;

    always_comb begin
      sw = set_q[0];
      if (code_q[0]) sw = decode(fmt2_q, half2_q, set_q[0][15:0]);
    end
    always_ff @(posedge clk_i) begin
      if (set1_q) begin
        for (int j = 0; j < S; j++) begin
          set_q[j] <= (fmt1_q != WSCALE_E8M0) ? 19'(sc_rdata_i[16*(g*S+j) +: 16])
                    : low1_q ? 19'(sc_rdata_i[8*(g*S+j) +: 8])
                             : 19'(sc_rdata_i[8*(Cols+g*S+j) +: 8]);
        end
      end else if (at_scale) begin
        set_q <= (set_q >> 19) | ((19*S)'(sw) << (19 * (S - 1)));
      end
      if (at_scale) sw_q <= sw;
      if (valid[ReadAt+1]) acc_q <= rd_q[ReadAt+1] ? v_rdata_i[32*S*g +: 32*S] : '0;
      else if (at_add) acc_q <= acc_q >> 32;
    end

    npu_foot_mul u_mul (.clk_i, .valid_i(at_mul), .isum_i(isum_i[g][20:0]), .sa_i(sa_q),
                        .sw_i(sw_q), .y_o(product));
    npu_fp_add u_add (.clk_i, .en_i(1'b1), .valid_i(at_add), .a_i(acc_q[0]), .b_i(product),
                      .valid_o(sum_valid), .y_o(sum));

    // Sums wait until the last column's is there.
    if (S > 1) begin : gen_collect
      logic [S-2:0][31:0] res_q;
      always_ff @(posedge clk_i) begin
        if (sum_valid) res_q <= (32*(S-1))'({sum, res_q} >> 32);
      end
      assign out = {sum, res_q};
    end else begin : gen_direct
      assign out = sum;
    end
    assign v_wdata_o[32*S*g +: 32*S] = out;

    logic unused;
    assign unused = ^{isum_i[g][31:21], sum_valid};
  end

  // ---- read, add, write ----------------------------------------------------------------------
  assign v_rvalid_o = valid[ReadAt] && rd_q[ReadAt];
  assign v_rrow_o   = row_q[ReadAt];
  assign v_wvalid_o = valid[WriteAt];
  assign v_wrow_o   = row_q[WriteAt];

  // The mover's half of the record.
  logic unused_tile;
  assign unused_tile = ^tile_i;

endmodule
