// Behind the lanes of a vec command: masks the columns at and past the limit,
// says which columns exist, and reduces rows (sum or maximum). For qnt it finds
// the largest magnitude of a group instead.
// mask_o, values_o and what describes the beat belong to valid_i, in the same
// cycle. Latency of results: one more than that of npu_vec_sum or npu_vec_max.
module npu_vec_reduce
  import npu_pkg::*, npu_fp_pkg::*, npu_vec_pkg::*;
#(
  localparam int unsigned VecBeats = Cols / Lanes,
  localparam int unsigned SubW     = VecBeats > 1 ? $clog2(VecBeats) : 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   en_i,
  input  logic                   start_i,
  input  logic [15:0]            rows_i,    // these five with start_i
  input  logic [15:0]            cols_i,
  input  logic                   masked_i,
  input  logic                   linc_i,
  input  logic [31:0]            lim_i,
  input  logic                   qnt_i,
  input  vred_e                  red_i,
  // beats out of the lanes; valid_i only with en_i
  input  logic                   valid_i,
  input  logic [Lanes*32-1:0]    values_i,
  output logic [Lanes-1:0]       mask_o,    // columns that exist
  output logic [Lanes*32-1:0]    values_o,
  output logic [SubW-1:0]        sub_o,     // which beat of its vmem row
  output logic                   row_last_o,
  output logic                   last_o,
  // beats of qnt on their way in; columns that do not exist are 0
  input  logic                   qnt_valid_i,
  input  logic                   qnt_last_i,
  // verilator lint_off UNUSEDSIGNAL
  input  logic [QntWidth*32-1:0] qnt_values_i,  // (the signs do not matter)
  // verilator lint_on UNUSEDSIGNAL
  output logic [31:0]            absmax_o,  // with valid_o
  // one per row (vec) or group (qnt)
  output logic                   valid_o,
  output logic [31:0]            result_o
);

  localparam logic [17:0] NoLimit = 18'h1_0000;

  logic              unused_active, linc_q, single_q;
  logic [6:0]        count;
  logic [17:0]       row_open_q, open_q;  // columns before the limit: of the row, from here on
  logic [17:0]       first_open;
  logic [SubW-1:0]   sub_q;

  npu_vec_box u_box (
    .clk_i,
    .rst_ni,
    .start_i,
    .rows_i,
    .cols_i,
    .width_i   (7'(Lanes)),
    .step_i    (valid_i),
    .active_o  (unused_active),
    .count_o   (count),
    .row_last_o,
    .last_o
  );

  assign first_open = masked_i && lim_i[31:16] == 16'd0 ? {2'd0, lim_i[15:0]}
                                                                : NoLimit;
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      linc_q     <= masked_i && linc_i;
      single_q   <= cols_i <= 16'(Lanes);
      row_open_q <= first_open;
      open_q     <= first_open;
      sub_q      <= '0;
    end else if (valid_i) begin
      if (row_last_o) begin
        row_open_q <= row_open_q + {17'd0, linc_q};
        open_q     <= row_open_q + {17'd0, linc_q};
        sub_q      <= '0;
      end else begin
        open_q <= open_q > 18'(Lanes) ? open_q - 18'(Lanes) : 18'd0;
        sub_q  <= sub_q == SubW'(VecBeats - 1) ? '0 : sub_q + 1'b1;
      end
    end
  end
  assign sub_o = sub_q;

  // Operands of the reductions, one cycle behind the beat.
  logic [Lanes*32-1:0] sum_in_q, max_in_q;
  logic                sum_in_valid_q, max_in_valid_q, sum_last_q, max_last_q;
  logic                to_sum, to_max;
  logic [31:0]         masked_value;
  assign masked_value = red_i == VRED_MAX ? Lowest : 32'd0;
  assign to_sum = valid_i && red_i == VRED_SUM;
  assign to_max = qnt_i ? qnt_valid_i : valid_i && red_i == VRED_MAX;
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [31:0] value, key;
    assign value     = 18'(l) < open_q ? values_i[l*32 +: 32] : masked_value;
    assign mask_o[l] = 7'(l) < count;
    assign values_o[l*32 +: 32] = value;
    if (l < QntWidth) begin : gen_qnt
      assign key = qnt_i ? {1'b0, qnt_values_i[l*32 +: 31]}
                 : mask_o[l] ? canonical_key(value) : 32'd0;
    end else begin : gen_vec
      assign key = !qnt_i && mask_o[l] ? canonical_key(value) : 32'd0;
    end
    always_ff @(posedge clk_i) begin
      if (en_i && to_sum) sum_in_q[l*32 +: 32] <= mask_o[l] ? value : MinusZero;
      if (en_i && to_max) max_in_q[l*32 +: 32] <= key;
    end
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sum_in_valid_q <= 1'b0;
      max_in_valid_q <= 1'b0;
      sum_last_q     <= 1'b0;
      max_last_q     <= 1'b0;
    end else if (en_i) begin
      sum_in_valid_q <= to_sum;
      max_in_valid_q <= to_max;
      sum_last_q     <= row_last_o;
      max_last_q     <= qnt_i ? qnt_last_i : row_last_o;
    end
  end

  logic        sum_valid, max_valid;
  logic [31:0] sum, max_key, max_value;

  npu_vec_sum u_sum (
    .clk_i,
    .rst_ni,
    .en_i,
    .single_i(single_q),
    .valid_i (sum_in_valid_q),
    .last_i  (sum_last_q),
    .values_i(sum_in_q),
    .valid_o (sum_valid),
    .sum_o   (sum)
  );

  npu_vec_max u_max (
    .clk_i,
    .rst_ni,
    .en_i,
    .valid_i(max_in_valid_q),
    .last_i (max_last_q),
    .init_i (qnt_i ? 32'd0 : order_key(Lowest)),
    .keys_i (max_in_q),
    .valid_o(max_valid),
    .max_o  (max_key)
  );

  assign max_value = max_key == order_key(Nan) ? Nan
                   : max_key[31] ? {1'b0, max_key[30:0]} : {1'b1, ~max_key[30:0]};
  assign absmax_o  = max_key;
  assign valid_o   = qnt_i || red_i == VRED_MAX ? max_valid : red_i == VRED_SUM && sum_valid;
  assign result_o  = red_i == VRED_MAX ? max_value : sum;

endmodule
