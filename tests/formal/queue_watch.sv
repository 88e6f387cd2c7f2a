// Watches a queue from outside: words go in (push) and come out (pop) with two clocks or one. One
// word, whichever mark_i picks, is remembered with its place; it must come out at this place and
// with its bits. As any word may be the one, all come out once, in order and whole. Limit: words
// that the queue may hold at most.
module queue_watch #(
  parameter  int unsigned Width = 2,
  parameter  int unsigned Limit = 4,
  localparam int unsigned CountW = $clog2(Limit + 1) + 1
) (
  input  logic             wclk_i,
  input  logic             rclk_i,
  input  logic             rst_ni,
  input  logic             mark_i,
  input  logic             push_i,
  input  logic [Width-1:0] in_data_i,
  input  logic             valid_i,
  input  logic             pop_i,
  input  logic [Width-1:0] out_data_i,
  output logic             bad_data_o,    // the marked word comes out with other bits
  output logic             bad_none_o,    // a word comes out and none is inside
  output logic             bad_limit_o,   // more inside than there is room for
  output logic [CountW-1:0] held_o
);
  typedef logic [CountW-1:0] count_t;
  count_t pushed_q, popped_q, place_q;
  logic   marked_q, gone_q;
  logic [Width-1:0] data_q;

  assign held_o    = pushed_q - popped_q;
  assign bad_none_o  = valid_i && held_o == '0;
  assign bad_limit_o = held_o > count_t'(Limit);
  assign bad_data_o  = pop_i && marked_q && !gone_q && popped_q == place_q && out_data_i != data_q;

  always_ff @(posedge wclk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      pushed_q <= '0;
      marked_q <= 1'b0;
      place_q  <= '0;
      data_q   <= '0;
    end else if (push_i) begin
      pushed_q <= pushed_q + 1'b1;
      if (mark_i && !marked_q) begin
        marked_q <= 1'b1;
        place_q  <= pushed_q;
        data_q   <= in_data_i;
      end
    end
  end
  always_ff @(posedge rclk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      popped_q <= '0;
      gone_q   <= 1'b0;
    end else if (pop_i) begin
      popped_q <= popped_q + 1'b1;
      if (marked_q && popped_q == place_q) gone_q <= 1'b1;
    end
  end
endmodule
