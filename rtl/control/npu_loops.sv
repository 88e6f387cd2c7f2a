// The sequencer's loops, LoopDepth deep, and where fetching goes on. An instruction has two cycles
// at least: in the first one next_pc_o and foreseen_o are found, from the second one on they hold.
// fetch_pc_i is the instruction that memory gives, the one behind that at pc_i; foreseen_o says
// that it follows indeed, next_pc_o is what is to be fetched when the instruction at pc_i is
// complete: the one behind fetch_pc_i, or the one that follows instead. While fill_i there is no
// instruction at pc_i.
module npu_loops
  import npu_types::*;
(
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        clear_i,     // no loop is open, fetching begins at 0
  input  logic        fill_i,
  input  pc_t         fetch_pc_i,
  input  pc_t         pc_i,
  input  logic        is_loop_i,
  input  pc_t         end_i,
  input  logic [31:0] count_i,
  input  pc_t         limit_i,     // the program's instructions
  input  logic        advance_i,   // the instruction at pc_i is complete
  input  logic        take_in_i,   // the one that memory gives becomes the one at pc_i
  output logic        bad_o,       // fault loop
  output logic        foreseen_o,
  output pc_t         next_pc_o
);
  import npu_pkg::LoopDepth;

  localparam int unsigned DepthBits = $clog2(LoopDepth + 1);
  typedef logic [$clog2(LoopDepth)-1:0] level_t;

  pc_t         first_q [LoopDepth];
  pc_t         last_q  [LoopDepth];
  logic [31:0] left_q  [LoopDepth];
  logic [DepthBits-1:0] depth_q;
  level_t      top_q;              // depth_q - 1
  logic        at_end_q, again_q;  // of the instruction at pc_i
  logic        fetch_at_end, fetch_again, fetch_at_end_q, fetch_again_q;
  logic        foreseen, none, open;
  pc_t         back, back_q, plus_q, target_q;
  logic        turn_q;             // what memory gives is the last one of a loop that goes on

  assign bad_o = depth_q == DepthBits'(LoopDepth) || end_i <= pc_i ||
                 (depth_q == '0 ? end_i >= limit_i : end_i >= last_q[top_q]);
  assign none  = is_loop_i && count_i == '0;

  // The end of a loop is seen when its last instruction is fetched. What the instruction at pc_i
  // does to the innermost loop counts already, but for the end of that loop; then fetching begins
  // anew.
  always_comb begin
    fetch_at_end = depth_q != '0 && last_q[top_q] == fetch_pc_i;
    fetch_again  = left_q[top_q] != (at_end_q && !fill_i ? 32'd2 : 32'd1);
    back         = first_q[top_q];
    if (is_loop_i && !fill_i) begin
      fetch_at_end = end_i == fetch_pc_i;
      fetch_again  = count_i != 32'd1;
      back         = fetch_pc_i;
    end
  end

  assign foreseen  = fill_i || (!none && (!at_end_q || again_q));
  assign next_pc_o = !foreseen_o ? target_q : turn_q ? back_q : plus_q;

  always_ff @(posedge clk_i) begin
    fetch_at_end_q <= fetch_at_end;
    fetch_again_q  <= fetch_at_end && fetch_again;
    foreseen_o     <= foreseen || clear_i;
    turn_q         <= fetch_at_end && fetch_again && !clear_i;
    back_q         <= back;
    plus_q         <= clear_i ? '0 : fetch_pc_i + 16'd1;
    target_q       <= is_loop_i ? end_i + 16'd1 : pc_i + 16'd1;
    open           <= is_loop_i && !none;
    if (take_in_i) begin
      at_end_q <= fetch_at_end_q;
      again_q  <= fetch_again_q;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {depth_q, top_q} <= {DepthBits'(0), level_t'('1)};
    else if (clear_i) {depth_q, top_q} <= {DepthBits'(0), level_t'('1)};
    else if (advance_i && open) {depth_q, top_q} <= {depth_q + 1'b1, top_q + 1'b1};
    else if (advance_i && at_end_q && !again_q) {depth_q, top_q} <= {depth_q - 1'b1, top_q - 1'b1};
  end

  always_ff @(posedge clk_i) begin
    if (advance_i && open) begin
      first_q[level_t'(depth_q)] <= pc_i + 16'd1;
      last_q[level_t'(depth_q)]  <= end_i;
      left_q[level_t'(depth_q)]  <= count_i;
    end else if (advance_i && again_q) begin
      left_q[top_q] <= left_q[top_q] - 32'd1;
    end
  end
endmodule
