// Loads the program into instruction memory: len_i instructions (16 bytes each, at most ImemWords)
// from code_i, a multiple of 64. Bursts are cut at multiples of BurstBeats port beats, up to 8 in
// flight. start_i begins (resident_i: nothing to do); loaded_o stays high once all words are
// written, until the next start. kill_i stops further bursts; idle_o when nothing is outstanding.
// An error response gives one pulse on fault_o per response.
// Takes the memory latency plus one cycle per beat, and per instruction where a beat holds several.
module npu_fetch
  import npu_types::*;
  import npu_pkg::*;
(
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                start_i,
  input  logic                resident_i,
  input  logic                kill_i,
  input  logic [DramBits-1:0] code_i,
  input  logic [31:0]         len_i,
  output logic                loaded_o,
  output logic                idle_o,
  output fault_t              fault_o,
  output logic                ar_valid_o,
  input  logic                ar_ready_i,
  output npu_axi_pkg::ax_t    ar_o,
  input  logic                r_valid_i,
  output logic                r_ready_o,
  input  npu_axi_pkg::r_t     r_i,
  output logic                imem_wen_o,
  output logic [$clog2(ImemWords)-1:0] imem_waddr_o,
  output insn_t               imem_wdata_o
);
  localparam int unsigned InsnBytes = InsnBits / 8;
  localparam int unsigned BeatShift = $clog2(PortBytes);
  localparam int unsigned WordBits  = $clog2(ImemWords + 1);
  localparam int unsigned BeatBits  = $clog2(ImemWords * InsnBytes / PortBytes + 1) + 1;
  localparam int unsigned BurstBits = $clog2(BurstBeats);
  localparam int unsigned InFlight  = 8;
  localparam int unsigned FlightBits = $clog2(InFlight + 1);

  typedef logic [WordBits-1:0] word_t;
  typedef logic [BeatBits-1:0] beat_t;

  word_t words, want_q, got_q;
  beat_t beats, ask_q;                // beats still to be asked for
  logic [DramBits-1:0] addr_q;
  logic [FlightBits-1:0] flight_q;
  logic active_q, ar_fire, r_fire, r_end;
  logic [BurstBits:0] burst, burst_q, to_border;
  logic burst_ok_q;                   // burst_q is what ask_q and addr_q give

  assign words = len_i > ImemWords ? word_t'(ImemWords) : word_t'(len_i);
  assign beats = beat_t'((32'(words) * InsnBytes + PortBytes - 1) >> BeatShift);

  assign to_border = (BurstBits + 1)'(BurstBeats) - {1'b0, addr_q[BeatShift +: BurstBits]};
  assign burst = 32'(ask_q) < 32'(to_border) ? (BurstBits + 1)'(ask_q) : to_border;
  assign ar_valid_o = active_q && burst_ok_q && ask_q != '0 && flight_q != FlightBits'(InFlight);
  assign ar_o       = '{addr: addr_q, len: 8'(burst_q - 1'b1)};
  assign ar_fire    = ar_valid_o && ar_ready_i;
  assign r_fire     = r_valid_i && r_ready_o;
  assign r_end      = r_fire && r_i.last;

  // A burst once offered stays offered: kill only drops those behind it.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      ask_q    <= '0;
      flight_q <= '0;
      want_q   <= '0;
    end else if (start_i) begin
      active_q <= !resident_i && words != '0;
      ask_q    <= resident_i ? '0 : beats;
      want_q   <= resident_i ? '0 : words;
      flight_q <= '0;
    end else if (active_q) begin
      flight_q <= flight_q + FlightBits'(ar_fire) - FlightBits'(r_end);
      if (kill_i) ask_q <= (ar_valid_o && !ar_fire) ? beat_t'(burst_q) : '0;
      else if (ar_fire) ask_q <= ask_q - beat_t'(burst_q);
      if (ask_q == '0 && flight_q == '0 && (got_q == want_q || kill_i)) active_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) burst_ok_q <= 1'b0;
    else burst_ok_q <= !start_i && !ar_fire;
  end

  always_ff @(posedge clk_i) begin
    burst_q <= burst;
    if (start_i) addr_q <= code_i;
    else if (ar_fire) addr_q <= addr_q + (DramBits'(burst_q) << BeatShift);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) got_q <= '0;
    else if (start_i) got_q <= '0;
    else if (imem_wen_o) got_q <= got_q + 1'b1;
  end

  assign imem_waddr_o = got_q[$clog2(ImemWords)-1:0];
  assign idle_o   = !active_q;
  assign loaded_o = !active_q && got_q == want_q;
  assign fault_o  = '{valid: r_fire && r_i.resp != 2'b00, code: FAULT_BUS, pc: '0,
                      engine: ENGINE_SEQ, addr: code_i};

  if (PortBytes < InsnBytes) begin : gen_narrow
    // Several beats make an instruction.
    localparam int unsigned Parts = InsnBytes / PortBytes;
    logic [InsnBits-8*PortBytes-1:0] low_q;
    logic [$clog2(Parts)-1:0] part_q;

    assign r_ready_o    = active_q;
    assign imem_wen_o   = r_fire && part_q == '1;
    assign imem_wdata_o = {r_i.data, low_q};

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) part_q <= '0;
      else if (start_i) part_q <= '0;
      else if (r_fire) part_q <= part_q + 1'b1;
    end

    always_ff @(posedge clk_i) begin
      if (r_fire) low_q <= imem_wdata_o[InsnBits-1:8*PortBytes];
    end
  end else if (PortBytes == InsnBytes) begin : gen_equal
    assign r_ready_o    = active_q;
    assign imem_wen_o   = r_fire;
    assign imem_wdata_o = r_i.data;
  end else begin : gen_wide
    // A beat holds several instructions: kept and written one a cycle.
    localparam int unsigned Parts = PortBytes / InsnBytes;
    logic [8*PortBytes-1:0] beat_q;
    logic [$clog2(Parts)-1:0] part_q;
    logic full_q;

    assign r_ready_o    = active_q && !full_q;
    assign imem_wen_o   = full_q && got_q != want_q;
    assign imem_wdata_o = beat_q[InsnBits-1:0];

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        part_q <= '0;
        full_q <= 1'b0;
      end else if (start_i) begin
        part_q <= '0;
        full_q <= 1'b0;
      end else if (r_fire) begin
        full_q <= 1'b1;
      end else if (full_q) begin
        part_q <= part_q + 1'b1;
        full_q <= part_q != '1;
      end
    end

    always_ff @(posedge clk_i) begin
      if (r_fire) beat_q <= r_i.data;
      else if (full_q) beat_q <= {{InsnBits{1'b0}}, beat_q[8*PortBytes-1:InsnBits]};
    end
  end
endmodule
