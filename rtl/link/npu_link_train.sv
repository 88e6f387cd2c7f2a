// Brings a link up and takes it down. hear: the last Enough flits were good. Either end tells the
// other over a wire that it hears (sideband, slow and safe); both hear: the link is up. Many bad
// flits in a row or silence: this end no longer hears, and both train again; what was on its way is
// sent again afterwards, so nothing is lost or doubled.
//
// While this end is not heard it tries all lanes, the lower half and the upper half in turn. An end
// that lost its memory (reset) while the other one has not, or one of another make, is refused.
module npu_link_train
  import npu_link_pkg::*;
#(
  parameter int unsigned TryCycles     = 1024,   // with one choice of lanes
  parameter int unsigned SilenceCycles = 1024
) (
  input  logic   clk_i,
  input  logic   rst_ni,
  input  logic   good_i,
  input  logic   bad_i,
  input  logic   hello_valid_i,
  input  train_t hello_i,
  input  logic   side_hear_i,    // the other end hears this one; from its clock
  output logic   side_hear_o,
  output logic   hear_o,         // flits other than those of training count
  output width_e width_o,        // lanes to send on
  output train_t hello_o,
  output logic   train_o,        // send training flits
  output logic   resume_o,       // one cycle: the link is up (again)
  output logic   up_o,
  output logic   lost_o,         // the other end forgot what was on its way; stays until reset
  output logic   mismatch_o      // the other end is of another make; stays until reset
);
  localparam int unsigned Enough  = 4;
  localparam int unsigned TooMany = 8;
  localparam int unsigned TryW     = $clog2(TryCycles + 1);
  localparam int unsigned SilenceW = $clog2(SilenceCycles + 1);

  logic [2:0] good_q;
  logic [3:0] bad_q;
  logic [SilenceW-1:0] silence_q;
  logic [TryW-1:0] try_q;
  logic [1:0] heard_q;           // two registers: the wire comes from another clock
  width_e     width_q;
  logic       hear_q, up_q, fresh_q, known_q, lost_q, mismatch_q, refused, other_make, both;
  logic       other_q;           // the flit before was of another make

  assign hello_o     = '{fresh: fresh_q, port_bytes: 8'(npu_pkg::PortBytes), window: 8'(Window),
                         magic: Magic};
  assign other_make  = hello_i.magic != Magic || hello_i.window != 8'(Window) ||
                       hello_i.port_bytes != 8'(npu_pkg::PortBytes);
  assign refused     = lost_q || mismatch_q;
  assign side_hear_o = hear_q && !refused;
  assign hear_o      = hear_q;
  assign both        = side_hear_o && heard_q[1];
  assign width_o     = width_q;
  assign up_o        = up_q;
  assign train_o     = !up_q;
  assign resume_o    = both && !up_q;
  assign lost_o      = lost_q;
  assign mismatch_o  = mismatch_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      good_q     <= '0;
      bad_q      <= '0;
      silence_q  <= '0;
      hear_q     <= 1'b0;
      known_q    <= 1'b0;
      lost_q     <= 1'b0;
      mismatch_q <= 1'b0;
      other_q    <= 1'b0;
    end else begin
      // A single one may be noise that passes for right.
      if (good_i || bad_i) other_q <= hello_valid_i && other_make;
      if (hello_valid_i) begin
        if (other_make && other_q) mismatch_q <= 1'b1;
        else if (!other_make && hello_i.fresh && known_q) lost_q <= 1'b1;
      end
      // It was up: what it sends from now on is not fresh.
      if (hear_q && good_i && !hello_valid_i) known_q <= 1'b1;
      if (good_i || bad_i) silence_q <= SilenceW'(SilenceCycles);
      else if (silence_q != '0) silence_q <= silence_q - 1'b1;
      if (good_i) begin
        bad_q <= '0;
        if (good_q != 3'(Enough)) good_q <= good_q + 1'b1;
        else hear_q <= 1'b1;
      end else if (bad_i) begin
        if (!hear_q) good_q <= '0;
        if (bad_q != 4'(TooMany)) bad_q <= bad_q + 1'b1;
      end
      if (hear_q && ((bad_i && bad_q == 4'(TooMany)) || silence_q == '0)) begin
        hear_q <= 1'b0;
        good_q <= '0;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      heard_q <= '0;
      up_q    <= 1'b0;
      fresh_q <= 1'b1;
      width_q <= WidthFull;
      try_q   <= TryW'(TryCycles);
    end else begin
      heard_q <= {heard_q[0], side_hear_i};
      up_q    <= both;
      if (up_q) fresh_q <= 1'b0;
      if (heard_q[1]) begin
        try_q <= TryW'(TryCycles);
      end else if (try_q != '0) begin
        try_q <= try_q - 1'b1;
      end else begin
        try_q   <= TryW'(TryCycles);
        width_q <= width_q == WidthHigh ? WidthFull : width_e'(width_q + 1'b1);
      end
    end
  end
endmodule
