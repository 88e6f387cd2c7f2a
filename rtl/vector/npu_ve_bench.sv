// Test top: the vector engine with one port per command field, and its sizes.
module npu_ve_bench
  import npu_pkg::*;
#(
  localparam int unsigned RowW  = $clog2(VmemRows),
  localparam int unsigned DataW = Cols * 32,
  localparam int unsigned BlkW  = $clog2(AspmBytes / 32)
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             cmd_valid_i,
  input  logic             is_qnt_i,
  input  logic             qnt_row_i,
  input  logic             qnt_pair_i,
  input  logic [2:0]       op_i,
  input  logic [1:0]       bmode_i,
  input  logic [2:0]       func_i,
  input  logic [1:0]       red_i,
  input  logic [6:0]       flags_i,  // linc masked swap absa negb nega wr
  input  logic [31:0]      dst_i,
  input  logic [31:0]      ds_i,
  input  logic [31:0]      a_i,
  input  logic [31:0]      as_i,
  input  logic [31:0]      b_i,
  input  logic [31:0]      bs_i,
  input  logic [31:0]      s_i,
  input  logic [31:0]      lim_i,
  input  logic [31:0]      r_i,
  input  logic [31:0]      rows_i,
  input  logic [31:0]      cols_i,
  output logic             cmd_ready_o,
  output logic             done_o,
  output logic             idle_o,
  output logic             busy_o,
  output logic             wait_mem_o,
  output logic             vea_rvalid_o,
  output logic [RowW-1:0]  vea_rrow_o,
  input  logic             vea_rready_i,
  input  logic             vea_rdvalid_i,
  input  logic [DataW-1:0] vea_rdata_i,
  output logic             veb_rvalid_o,
  output logic [RowW-1:0]  veb_rrow_o,
  input  logic             veb_rready_i,
  input  logic             veb_rdvalid_i,
  input  logic [DataW-1:0] veb_rdata_i,
  output logic             ve_wvalid_o,
  output logic [RowW-1:0]  ve_wrow_o,
  output logic [Cols-1:0]  ve_wmask_o,
  output logic [DataW-1:0] ve_wdata_o,
  input  logic             ve_wready_i,
  output logic             q_wvalid_o,
  output logic [BlkW-1:0]  q_wblk_o,
  output logic [255:0]     q_wdata_o,
  output logic             q_wscale_en_o,
  output logic [15:0]      q_wscale_o,
  output logic [31:0]      cols_o,
  output logic [31:0]      lanes_o,
  output logic             pairs_o,   // there is qnt by pairs
  output logic [31:0]      vmem_words_o,
  output logic [31:0]      aspm_bytes_o
);
  npu_types::ve_cmd_t cmd;
  npu_types::ve_ev_t  ev;

  assign cmd.is_qnt  = is_qnt_i;
  assign cmd.qnt_row = qnt_row_i;
  assign cmd.qnt_pair = qnt_pair_i;
  assign cmd.vec = '{op: op_i, bmode: bmode_i, func: func_i, red: red_i, wr: flags_i[0],
                     nega: flags_i[1], negb: flags_i[2], absa: flags_i[3], swap: flags_i[4],
                     masked: flags_i[5], linc: flags_i[6], dst: dst_i, ds: ds_i, a: a_i,
                     as: as_i, b: b_i, bs: bs_i, s: s_i, lim: lim_i, r: r_i, rows: rows_i,
                     cols: cols_i};

  npu_ve u_ve (
    .cmd_i(cmd),
    .ev_o (ev),
    .*
  );

  assign busy_o       = ev.busy;
  assign wait_mem_o   = ev.wait_mem;
  assign cols_o       = Cols;
  assign lanes_o      = Lanes;
  assign pairs_o      = Sparse;
  assign vmem_words_o = VmemWords;
  assign aspm_bytes_o = AspmBytes;
endmodule
