// Finishes the sum of a row from partial sums of equal size, one adder: node j of a
// level joins node j + 1 when j is even, a last node without neighbour rises until
// it has one. Partial sums come at least eight beats apart except a row's last; T of
// them cost T cycles and SumLat for each of T - 1 additions, 6 T - 5, and the row has at
// least 8 T - 7 beats: no bubbles between rows; at most eight wait in the queue
// (measured over all row lengths).
// Latency: 3 cycles of en_i for a row of one partial sum, else 3 plus SumLat for every
// addition after the last partial sum.
module npu_vec_stack
  import npu_fp_pkg::*;
(
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        en_i,
  input  logic        valid_i,
  input  logic        last_i,
  input  logic [31:0] value_i,
  output logic        valid_o,
  output logic [31:0] sum_o
);

  localparam int unsigned IndexW = 13;  // up to 65535 columns, eight beats of a lane each
  localparam int unsigned SumLat = AddLat + 1;  // operands are registered

  // A node's place: index within its level, level, whether it holds the row's end.
  typedef struct packed {
    logic [IndexW-1:0] index;
    logic [3:0]        level;
    logic              last;
  } place_t;

  // A node without neighbour is its own parent.
  function automatic place_t rise(place_t p);
    place_t r;
    r = p;
    if (p.last && p.index != '0) begin
      if (r.index[7:0] == 8'd0) begin r.index = r.index >> 8; r.level = r.level + 4'd8; end
      if (r.index[3:0] == 4'd0) begin r.index = r.index >> 4; r.level = r.level + 4'd4; end
      if (r.index[1:0] == 2'd0) begin r.index = r.index >> 2; r.level = r.level + 4'd2; end
      if (!r.index[0]) begin r.index = r.index >> 1; r.level = r.level + 4'd1; end
    end
    return r;
  endfunction

  logic              queue_valid, queue_last, pop;
  logic              unused_ready, unused_valid;
  logic [31:0]       queue_value;
  logic [4:0]        unused_count;
  logic [IndexW-1:0] index_q;   // of the next partial sum out of the queue
  logic              next_valid_q;
  place_t            next_place_q;  // of the partial sum at hand, already risen
  logic [31:0]       next_q;
  logic              adding_q;
  logic [2:0]        wait_q;
  place_t            parent_q;  // of the sum being made; risen after its first cycle
  logic [31:0]       kept_q [16];
  logic              add_q;
  logic [31:0]       left_q, right_q;
  logic              sum_valid_q;
  logic [31:0]       sum_q;

  npu_fifo #(.Width(33), .Depth(16)) u_queue (
    .clk_i,
    .rst_ni,
    .in_valid_i (valid_i && en_i),
    .in_ready_o (unused_ready),
    .in_data_i  ({last_i, value_i}),
    .out_valid_o(queue_valid),
    .out_ready_i(pop),
    .out_data_o ({queue_last, queue_value}),
    .count_o    (unused_count)
  );

  // The node at hand: a finished addition first, else the next partial sum.
  logic        arrived, take, take_next;
  place_t      place, parent;
  logic [31:0] value, added;
  logic        is_sum, is_right;
  assign arrived  = adding_q && wait_q == 3'd0;
  assign take_next = next_valid_q && !adding_q;
  assign pop      = en_i && queue_valid && (!next_valid_q || take_next);
  assign take     = arrived || take_next;
  assign place    = adding_q ? parent_q : next_place_q;
  assign value    = adding_q ? added : next_q;
  assign is_sum   = place.last && place.index == '0;
  assign is_right = place.index[0];
  assign parent   = '{index: place.index >> 1, level: place.level + 4'd1, last: place.last};

  npu_fp_add u_add (
    .clk_i,
    .en_i,
    .valid_i(add_q),
    .a_i    (left_q),
    .b_i    (right_q),
    .valid_o(unused_valid),
    .y_o    (added)
  );

  always_ff @(posedge clk_i) begin
    if (pop) begin
      next_place_q <= rise('{index: index_q, level: 4'd0, last: queue_last});
      next_q       <= queue_value;
    end
    if (en_i && add_q) parent_q <= rise(parent_q);
    if (en_i && take) begin
      if (is_sum) sum_q <= value;
      else if (is_right) begin
        parent_q <= parent;
        left_q   <= kept_q[place.level];
        right_q  <= value;
      end else kept_q[place.level] <= value;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      index_q     <= '0;
      next_valid_q <= 1'b0;
      adding_q    <= 1'b0;
      add_q       <= 1'b0;
      wait_q      <= '0;
      sum_valid_q <= 1'b0;
    end else if (en_i) begin
      if (pop) index_q <= queue_last ? '0 : index_q + 1'b1;
      next_valid_q <= pop || (next_valid_q && !take_next);
      if (take) adding_q <= is_right;
      add_q <= take && is_right;
      if (take && is_right) wait_q <= 3'(SumLat - 1);
      else if (wait_q != 3'd0) wait_q <= wait_q - 3'd1;
      sum_valid_q <= take && is_sum;
    end
  end

  assign valid_o = sum_valid_q;
  assign sum_o   = sum_q;

endmodule
