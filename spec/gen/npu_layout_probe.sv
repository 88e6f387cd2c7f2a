// Test only: what the RTL reads out of an instruction. The last fields of the instructions are shown, because
// a wrong width or order anywhere before them would move them.
module npu_layout_probe
  import npu_pkg::*;
(
  input  insn_t       insn_i,
  output fault_e      fault_o,
  output engine_e     engine_o,
  output logic [31:0] alui_imm_o,
  output logic [15:0] loop_end_o,
  output logic [7:0]  signal_n_o,
  output logic [5:0]  load_idx_o,
  output logic [5:0]  store_cs2_o,
  output logic [5:0]  mm_nb_o,
  output logic [5:0]  vec_cols_o,
  output logic        vec_linc_o,
  output logic [5:0]  qnt_cols_o
);
  // verilator lint_off UNUSEDSIGNAL
  alui_insn_t alui;
  loop_insn_t loop_insn;
  signal_insn_t sig;
  load_insn_t load;
  store_insn_t store;
  mm_insn_t mm;
  vec_insn_t vec;
  qnt_insn_t qnt;
  // verilator lint_on UNUSEDSIGNAL
  assign {alui, loop_insn, sig, load} = {4{insn_i}};
  assign {store, mm, vec, qnt} = {4{insn_i}};

  assign fault_o = insn_fault(insn_i);
  assign engine_o = engine_of(insn_i[7:0]);
  assign alui_imm_o = alui.imm;
  assign loop_end_o = loop_insn.end_;
  assign signal_n_o = sig.n;
  assign load_idx_o = load.idx;
  assign store_cs2_o = store.cs2;
  assign mm_nb_o = mm.nb;
  assign vec_cols_o = vec.cols;
  assign vec_linc_o = vec.linc;
  assign qnt_cols_o = qnt.cols;
endmodule
