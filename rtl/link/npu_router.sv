// Router of a two-dimensional mesh, for words of packets: first along x, then along y, so that no
// circle of waiting packets can form. A packet holds its output from its first word to its last;
// outputs take the waiting inputs in turn. Two packets from one die to another keep their order,
// having one way. Ports: Local, then the neighbours; what enters at a port never leaves by it but
// at Local. Throughput: one word a cycle and output. Latency: 2 cycles.
module npu_router
  import npu_link_pkg::*;
#(
  parameter  int unsigned Ports = 5,
  localparam int unsigned Local = 0, East = 1, West = 2, North = 3, South = 4  // +x, -x, +y, -y
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic  [3:0]         x_i,       // this die's place
  input  logic  [3:0]         y_i,
  input  logic  [Ports-1:0]   in_valid_i,
  output logic  [Ports-1:0]   in_ready_o,
  input  word_t [Ports-1:0]   in_word_i,
  input  logic  [Ports-1:0]   in_first_i,
  input  logic  [Ports-1:0]   in_last_i,
  output logic  [Ports-1:0]   out_valid_o,
  input  logic  [Ports-1:0]   out_ready_i,
  output word_t [Ports-1:0]   out_word_o,
  output logic  [Ports-1:0]   out_first_o,
  output logic  [Ports-1:0]   out_last_o
);
  localparam int unsigned PortW = $clog2(Ports);
  typedef logic [PortW-1:0] port_t;

  typedef struct packed {
    word_t word;
    logic  first;
    logic  last;
  } item_t;

  item_t [Ports-1:0] item, chosen;
  logic  [Ports-1:0] valid, pop, slot_ready, feed;
  port_t [Ports-1:0] way, way_q;         // of each input's packet

  function automatic port_t way_of(logic [3:0] to_x, logic [3:0] to_y, logic [3:0] x,
                                   logic [3:0] y);
    if (to_x != x) return to_x > x ? port_t'(East) : port_t'(West);
    if (to_y != y) return to_y > y ? port_t'(North) : port_t'(South);
    return port_t'(Local);
  endfunction

  for (genvar p = 0; p < Ports; p++) begin : gen_in
    npu_slice #(.Width($bits(item_t))) u_slice (
      .clk_i, .rst_ni, .in_valid_i(in_valid_i[p]), .in_ready_o(in_ready_o[p]),
      .in_data_i({in_word_i[p], in_first_i[p], in_last_i[p]}),
      .out_valid_o(valid[p]), .out_ready_i(pop[p]), .out_data_o(item[p])
    );
    pack_head_t head;
    assign head   = item[p].word[$bits(pack_head_t)-1:0];
    assign way[p] = item[p].first ? way_of(head.dst_x, head.dst_y, x_i, y_i) : way_q[p];
    always_ff @(posedge clk_i) if (valid[p] && item[p].first) way_q[p] <= way[p];

    logic unused;
    assign unused = ^head;
  end

  // ---- outputs -----------------------------------------------------------------------------------
  logic  [Ports-1:0] held_q;             // a packet is under way, from input from_q
  port_t [Ports-1:0] from_q, from;

  for (genvar o = 0; o < Ports; o++) begin : gen_out
    logic [Ports-1:0] wants;
    for (genvar p = 0; p < Ports; p++) begin : gen_want
      assign wants[p] = valid[p] && way[p] == port_t'(o);
    end
    // The lowest above the one served last, else the lowest.
    always_comb begin
      from[o] = from_q[o];
      if (!held_q[o]) begin
        for (int p = Ports - 1; p >= 0; p--) if (wants[p]) from[o] = port_t'(p);
        for (int p = Ports - 1; p >= 0; p--) begin
          if (wants[p] && port_t'(p) > from_q[o]) from[o] = port_t'(p);
        end
      end
    end
    assign feed[o]   = wants[from[o]];
    assign chosen[o] = item[from[o]];
    npu_slice #(.Width($bits(item_t))) u_slice (
      .clk_i, .rst_ni, .in_valid_i(feed[o]), .in_ready_o(slot_ready[o]), .in_data_i(chosen[o]),
      .out_valid_o(out_valid_o[o]), .out_ready_i(out_ready_i[o]),
      .out_data_o({out_word_o[o], out_first_o[o], out_last_o[o]})
    );
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        held_q[o] <= 1'b0;
        from_q[o] <= '0;
      end else if (feed[o] && slot_ready[o]) begin
        held_q[o] <= !chosen[o].last;
        from_q[o] <= from[o];
      end
    end
  end

  always_comb begin
    for (int unsigned p = 0; p < Ports; p++) begin
      pop[p] = slot_ready[way[p]] && from[way[p]] == port_t'(p);
    end
  end
endmodule
