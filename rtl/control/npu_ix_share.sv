// Vector memory's index read port, shared by the sequencer's lds (first) and the load engine's
// gather. Grants in the same cycle, data in the next: lds gets its word of the row, the load engine
// takes the row from vector memory's port in the cycle after its grant.
module npu_ix_share
  import npu_pkg::*;
#(
  localparam int unsigned WordW = $clog2(VmemWords),
  localparam int unsigned RowW  = $clog2(VmemRows),
  localparam int unsigned ColW  = $clog2(Cols),
  localparam int unsigned DataW = 32 * Cols
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             lds_valid_i,
  input  logic [WordW-1:0] lds_word_i,
  output logic             lds_ready_o,
  output logic             lds_dvalid_o,
  output logic [31:0]      lds_data_o,
  input  logic             ld_rvalid_i,
  input  logic [RowW-1:0]  ld_rrow_i,
  output logic             ld_rready_o,
  output logic             ix_rvalid_o,
  output logic [RowW-1:0]  ix_rrow_o,
  input  logic             ix_rready_i,
  input  logic             ix_rdvalid_i,
  input  logic [DataW-1:0] ix_rdata_i
);
  logic            lds_q;
  logic [ColW-1:0] col_q;

  assign ix_rvalid_o  = lds_valid_i || ld_rvalid_i;
  assign ix_rrow_o    = lds_valid_i ? lds_word_i[WordW-1:ColW] : ld_rrow_i;
  assign lds_ready_o  = lds_valid_i && ix_rready_i;
  assign ld_rready_o  = !lds_valid_i && ix_rready_i;
  assign lds_dvalid_o = ix_rdvalid_i && lds_q;
  assign lds_data_o   = ix_rdata_i[32*col_q +: 32];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) lds_q <= 1'b0;
    else lds_q <= lds_ready_o;
  end

  always_ff @(posedge clk_i) begin
    if (lds_ready_o) col_q <= lds_word_i[ColW-1:0];
  end
endmodule
