// Cuts runs into bursts at multiples of 64*PortBytes bytes of DRAM address; one burst a cycle, also
// across runs. An empty run gives one burst marked none. Latency: 1 cycle.
module npu_dma_burst
  import npu_dma_pkg::*;
(
  input  logic   clk_i,
  input  logic   rst_ni,
  input  logic   run_valid_i,
  output logic   run_ready_o,
  input  run_t   run_i,
  output logic   burst_valid_o,
  input  logic   burst_ready_i,
  output burst_t burst_o,
  output run_t   burst_run_o  // the burst's run as it came in; addr only with burst_o.first
);
  localparam int unsigned BeatBits = CutBits - WordBits;
  localparam int unsigned CutsBits = LenBits + 1 - CutBits;

  run_t                run_q;
  logic                valid_q, first_q, fire;
  logic [LenBits:0]    last_byte;  // offset of the incoming run's last byte from the cut before it
  logic [CutsBits-1:0] cuts_q;     // bursts of the run behind this one
  logic                single_q;   // none
  logic [BeatBits-1:0] end_q;      // beat at which the run ends, from the last cut
  logic [WordBits-1:0] tail_q;     // byte of it

  assign last_byte = {1'b0, run_i.reach} + (LenBits + 1)'(run_i.addr[CutBits-1:0]);

  logic [BeatBits-1:0] first_beat, last_beat, beats;
  assign first_beat = run_q.addr[CutBits-1:WordBits];
  assign last_beat  = single_q ? end_q : '1;
  assign beats      = last_beat - first_beat;

  assign burst_valid_o = valid_q;
  assign burst_run_o   = run_q;
  assign burst_o = '{
    addr:  {run_q.addr[AddrBits-1:WordBits], WordBits'(0)},
    len:   8'(beats),
    head:  run_q.addr[WordBits-1:0],
    tail:  single_q ? tail_q : '1,
    first: first_q,
    last:  single_q && run_q.last,
    none:  run_q.none
  };
  assign fire        = valid_q && burst_ready_i;
  assign run_ready_o = !valid_q || (fire && single_q);

  always_ff @(posedge clk_i) begin
    if (run_valid_i && run_ready_o) begin
      run_q    <= run_i;
      first_q  <= 1'b1;
      cuts_q   <= last_byte[LenBits:CutBits];
      single_q <= run_i.none || last_byte[LenBits:CutBits] == '0;
      end_q    <= last_byte[CutBits-1:WordBits];
      tail_q   <= last_byte[WordBits-1:0];
    end else if (fire) begin
      run_q.addr <= {run_q.addr[AddrBits-1:CutBits] + 1'b1, CutBits'(0)};
      first_q    <= 1'b0;
      cuts_q     <= cuts_q - 1'b1;
      single_q   <= cuts_q == CutsBits'(1);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (run_valid_i && run_ready_o) valid_q <= 1'b1;
    else if (fire && single_q) valid_q <= 1'b0;
  end
endmodule
