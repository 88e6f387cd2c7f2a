// The engine's vector-memory write port: result beats and row results.
// Beats wait in a queue of two. Row results (one word each, consecutive
// addresses) are collected and written one vmem row at a time. en_o is low while a
// beat or a row result could not be taken; it depends on registers only.
// Latency: a beat is presented one cycle after push_i; row results one cycle after
// the one that ends a vmem row or the command.
module npu_vec_out
  import npu_pkg::*;
#(
  localparam int unsigned RowW  = $clog2(VmemRows),
  localparam int unsigned ColW  = $clog2(Cols),
  localparam int unsigned Beats = Cols / Lanes,
  localparam int unsigned SubW  = Beats > 1 ? $clog2(Beats) : 1
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  // command
  input  logic                 start_i,
  input  logic                 reduces_i,  // with start_i: there are row results
  input  logic [RowW+ColW-1:0] r_i,        // with start_i: address of the first
  input  logic [15:0]          rows_i,     // with start_i
  output logic                 en_o,
  output logic                 empty_o,    // nothing to write, every row result written
  // beats
  input  logic                 push_i,
  input  logic [RowW-1:0]      row_i,
  input  logic [SubW-1:0]      sub_i,      // which beat of the row
  input  logic [Lanes-1:0]     mask_i,
  input  logic [Lanes*32-1:0]  data_i,
  // row results
  input  logic                 result_valid_i,
  input  logic [31:0]          result_i,
  // vector memory
  output logic                 wvalid_o,
  output logic [RowW-1:0]      wrow_o,
  output logic [Cols-1:0]      wmask_o,
  output logic [Cols*32-1:0]   wdata_o,
  input  logic                 wready_i
);

  typedef struct packed {
    logic [RowW-1:0]     row;
    logic [SubW-1:0]     sub;
    logic [Lanes-1:0]    mask;
    logic [Lanes*32-1:0] data;
  } beat_t;

  // Beats: in registers, since the memory's grant waits for the row.
  beat_t beat_q, behind_q;
  logic  beat_valid_q, behind_valid_q, behind_valid, beat_pop;

  assign behind_valid = !(beat_pop || !beat_valid_q) && (behind_valid_q || push_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      beat_valid_q   <= 1'b0;
      behind_valid_q <= 1'b0;
    end else begin
      if (beat_pop || !beat_valid_q) beat_valid_q <= behind_valid_q || push_i;
      behind_valid_q <= behind_valid;
    end
  end
  always_ff @(posedge clk_i) begin
    if (push_i) behind_q <= {row_i, sub_i, mask_i, data_i};
    if (behind_valid_q ? beat_pop : push_i && (beat_pop || !beat_valid_q)) begin
      beat_q <= behind_valid_q ? behind_q : {row_i, sub_i, mask_i, data_i};
    end
  end

  // Row results: full_q says that words_q waits for its write.
  logic                 en_q, full_q, full, owed_q, take;
  logic [15:0]          left_q;  // owed_q: not 0
  logic [RowW+ColW-1:0] addr_q;
  logic [RowW-1:0]      full_row_q;
  logic [31:0]          words_q [Cols];
  logic [Cols-1:0]      mask_q;

  assign take    = result_valid_i && en_o;
  assign full    = take ? left_q == 16'd1 || addr_q[ColW-1:0] == ColW'(Cols - 1)
                        : full_q && !wready_i;
  assign en_o    = en_q;
  assign empty_o = !beat_valid_q && !full_q && !owed_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      en_q   <= 1'b1;
      full_q <= 1'b0;
      owed_q <= 1'b0;
      left_q <= '0;
      mask_q <= '0;
    end else begin
      if (start_i) begin
        owed_q <= reduces_i;
        left_q <= rows_i;
      end else if (take) begin
        owed_q <= left_q != 16'd1;
        left_q <= left_q - 16'd1;
        mask_q[addr_q[ColW-1:0]] <= 1'b1;
      end else if (full_q && wready_i) begin
        mask_q <= '0;
      end
      full_q <= full;
      en_q   <= !behind_valid && !full;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      addr_q <= r_i;
    end else if (take) begin
      addr_q <= addr_q + 1'b1;
      full_row_q <= addr_q[RowW+ColW-1:ColW];
      words_q[addr_q[ColW-1:0]] <= result_i;
    end
  end

  assign wvalid_o = full_q || beat_valid_q;
  assign wrow_o   = full_q ? full_row_q : beat_q.row;
  assign beat_pop = wready_i && !full_q;
  for (genvar c = 0; c < Cols; c++) begin : gen_word
    localparam int unsigned Lane = c % Lanes;
    assign wdata_o[c*32 +: 32] = full_q ? words_q[c] : beat_q.data[Lane*32 +: 32];
    assign wmask_o[c] = full_q ? mask_q[c]
                               : beat_q.mask[Lane] && beat_q.sub == SubW'(c / Lanes);
  end

endmodule
