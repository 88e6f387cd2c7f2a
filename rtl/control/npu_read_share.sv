// Two owners of one AXI read channel who are never active together: the program loader (owner while
// fetch_i) and the load engine. Combinational; read data go to both, valid to the owner.
module npu_read_share (
  input  logic             fetch_i,
  input  logic             f_ar_valid_i,
  output logic             f_ar_ready_o,
  input  npu_axi_pkg::ax_t f_ar_i,
  output logic             f_r_valid_o,
  input  logic             f_r_ready_i,
  input  logic             l_ar_valid_i,
  output logic             l_ar_ready_o,
  input  npu_axi_pkg::ax_t l_ar_i,
  output logic             l_r_valid_o,
  input  logic             l_r_ready_i,
  output logic             ar_valid_o,
  input  logic             ar_ready_i,
  output npu_axi_pkg::ax_t ar_o,
  input  logic             r_valid_i,
  output logic             r_ready_o
);
  assign ar_valid_o   = fetch_i ? f_ar_valid_i : l_ar_valid_i;
  assign ar_o         = fetch_i ? f_ar_i : l_ar_i;
  assign r_ready_o    = fetch_i ? f_r_ready_i : l_r_ready_i;
  assign f_ar_ready_o = fetch_i && ar_ready_i;
  assign l_ar_ready_o = !fetch_i && ar_ready_i;
  assign f_r_valid_o  = fetch_i && r_valid_i;
  assign l_r_valid_o  = !fetch_i && r_valid_i;
endmodule
