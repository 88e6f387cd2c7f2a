// Reads the port words that a store's runs touch, one a cycle, runs back to back, and hands them on
// in order.
// Latency: run to first word 3 cycles when the memory grants at once.
module npu_dma_fetch
  import npu_pkg::*;
  import npu_dma_pkg::*;
#(
  localparam int unsigned AspmAddrW = $clog2(AspmBytes / PortBytes),
  localparam int unsigned RowW      = $clog2(VmemRows)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   run_valid_i,
  output logic                   run_ready_o,
  input  logic [ChipBits-1:0]    run_ca_i,
  input  logic [LenBits-1:0]     run_len_i,
  input  logic [2:0]             run_space_i,
  output logic                   aspm_rvalid_o,
  input  logic                   aspm_rready_i,
  output logic                   aspm_rsel_sc_o,
  output logic [AspmAddrW-1:0]   aspm_raddr_o,
  input  logic                   aspm_rdvalid_i,
  input  logic [PortBytes*8-1:0] aspm_rdata_i,
  output logic                   vmem_rvalid_o,
  input  logic                   vmem_rready_i,
  output logic [RowW-1:0]        vmem_rrow_o,
  input  logic                   vmem_rdvalid_i,
  input  logic [Cols*32-1:0]     vmem_rdata_i,
  output logic                   out_valid_o,
  input  logic                   out_ready_i,
  output logic [PortBytes*8-1:0] out_data_o
);
  localparam int unsigned ChipWordBits = ChipBits - WordBits;
  localparam int unsigned CountBits    = LenBits - WordBits + 1;
  localparam int unsigned Pieces       = Cols * 4 / PortBytes;  // port words of a vector-memory row
  localparam int unsigned PieceBits    = $clog2(Pieces);
  localparam int unsigned Depth        = 4;  // words asked for and not yet handed on
  localparam int unsigned OwedBits     = $clog2(Depth + 1);

  logic                    active_q, active_d, grant, load;
  logic                    full_d, aspm_ask_q, vmem_ask_q;  // the requests, ready in time
  logic [ChipWordBits-1:0] addr_q;
  logic [CountBits-1:0]    left_q;  // words after this one
  logic [2:0]              space_q, space_d;
  logic [OwedBits-1:0]     owed_q;
  logic                    pop;
  logic [PortBytes*8-1:0]  vmem_piece;
  logic [LenBits:0]        last_byte;

  assign last_byte      = {1'b0, run_len_i} + (LenBits + 1)'(run_ca_i[WordBits-1:0]) - 1'b1;
  assign aspm_rvalid_o  = aspm_ask_q;
  assign vmem_rvalid_o  = vmem_ask_q;
  assign aspm_rsel_sc_o = space_q == SPACE_ASC;
  assign aspm_raddr_o   = addr_q[AspmAddrW-1:0];
  assign vmem_rrow_o    = addr_q[PieceBits +: RowW];
  assign grant          = (vmem_ask_q && vmem_rready_i) || (aspm_ask_q && aspm_rready_i);
  assign run_ready_o    = !active_q || (grant && left_q == '0);
  assign load           = run_valid_i && run_ready_o;
  assign pop            = out_valid_o && out_ready_i;
  assign active_d       = load || (active_q && !(grant && left_q == '0));
  assign space_d        = load ? run_space_i : space_q;
  assign full_d         = !pop && owed_q == (grant ? OwedBits'(Depth - 1) : OwedBits'(Depth));

  always_ff @(posedge clk_i) begin
    space_q <= space_d;
    if (load) begin
      addr_q  <= run_ca_i[ChipBits-1:WordBits];
      left_q  <= last_byte[LenBits:WordBits];
    end else if (grant) begin
      addr_q <= addr_q + 1'b1;
      left_q <= left_q - 1'b1;
    end
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q   <= 1'b0;
      aspm_ask_q <= 1'b0;
      vmem_ask_q <= 1'b0;
      owed_q     <= '0;
    end else begin
      active_q   <= active_d;
      aspm_ask_q <= active_d && !full_d && space_d != SPACE_VMEM;
      vmem_ask_q <= active_d && !full_d && space_d == SPACE_VMEM;
      if (grant && !pop) owed_q <= owed_q + 1'b1;
      else if (pop && !grant) owed_q <= owed_q - 1'b1;
    end
  end

  if (Pieces > 1) begin : gen_piece
    logic [PieceBits-1:0] piece_q;
    always_ff @(posedge clk_i) if (grant) piece_q <= addr_q[PieceBits-1:0];
    assign vmem_piece = vmem_rdata_i[piece_q*PortBytes*8 +: PortBytes*8];
  end else begin : gen_row
    assign vmem_piece = vmem_rdata_i;
  end

  logic in_ready;
  // verilator lint_off PINCONNECTEMPTY
  npu_fifo #(.Width(PortBytes * 8), .Depth(Depth)) u_words (
    .clk_i, .rst_ni,
    .in_valid_i(aspm_rdvalid_i || vmem_rdvalid_i), .in_ready_o(in_ready),
    .in_data_i(vmem_rdvalid_i ? vmem_piece : aspm_rdata_i),
    .out_valid_o, .out_ready_i, .out_data_o, .count_o()
  );
  // verilator lint_on PINCONNECTEMPTY

  logic unused;
  assign unused = ^{in_ready, last_byte[WordBits-1:0]};
endmodule
