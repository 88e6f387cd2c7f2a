// An instruction and the values of its registers (slots in the order of npu_check_pkg) as the
// command its engine takes. base_i, room_i: the window's first byte, and what of it is left from
// the command's address. No state: the commands follow in the same cycle.
module npu_resolve
  import npu_types::*;
  import npu_check_pkg::*;
(
  input  npu_pkg::insn_t          insn_i,
  input  kind_e                   kind_i,
  input  logic [Slots-1:0][31:0]  slot_i,
  input  logic [DramBits-1:0]     base_i,
  input  logic [31:0]             room_i,
  output ld_cmd_t                 ld_cmd_o,
  output st_cmd_t                 st_cmd_o,
  output mx_cmd_t                 mx_cmd_o,
  output ve_cmd_t                 ve_cmd_o
);
  // verilator lint_off UNUSEDSIGNAL
  npu_pkg::load_insn_t  ld;
  npu_pkg::store_insn_t st;
  npu_pkg::mm_insn_t    mm;
  npu_pkg::vec_insn_t   ve;
  // verilator lint_on UNUSEDSIGNAL
  logic [DramBits-1:0]  dram_base;

  assign ld = insn_i;
  assign st = insn_i;
  assign mm = insn_i;
  assign ve = insn_i;
  logic [31:0] wi;
  if (npu_pkg::Sparse) begin : gen_indices
    assign wi = slot_i[MWi];
  end else begin : gen_no_indices
    assign wi = '0;
  end

  assign dram_base = base_i + {8'd0, slot_i[DDa]};

  always_comb begin
    ld_cmd_o = '{dram_base: dram_base, room: room_i, cmd: '{
      idx: slot_i[DIdx], cs2: slot_i[DCs2], ds2: slot_i[DDs2], n2: slot_i[DN2], cs1: slot_i[DCs1],
      ds1: slot_i[DDs1], n1: slot_i[DN1], len: slot_i[DLen], ca: slot_i[DCa], da: slot_i[DDa],
      gather: ld.gather, space: ld.space, win: ld.win}};
    st_cmd_o = '{dram_base: dram_base, cmd: '{
      cs2: slot_i[DCs2], ds2: slot_i[DDs2], n2: slot_i[DN2], cs1: slot_i[DCs1],
      ds1: slot_i[DDs1], n1: slot_i[DN1], len: slot_i[DLen], ca: slot_i[DCa], da: slot_i[DDa],
      space: st.space, win: st.win}};
    mx_cmd_o = '{wi: wi, sparse: is_sparse(insn_i),
      nb: slot_i[MNb], kb: slot_i[MKb], m: slot_i[MM], on: slot_i[MOn], om: slot_i[MOm],
      o: slot_i[MO], am: slot_i[MAm], a: slot_i[MA], wk: slot_i[MWk], wn: slot_i[MWn],
      ws: slot_i[MWs], w: slot_i[MW], colload: mm.colload, acc: mm.acc, ascale: mm.ascale,
      wscale: mm.wscale, wfmt: mm.wfmt};
    ve_cmd_o = '{is_qnt: 1'b0, qnt_row: 1'b0, qnt_pair: 1'b0, vec: '{
      cols: slot_i[VCols], rows: slot_i[VRows], r: slot_i[VR], lim: slot_i[VLim], s: slot_i[VS],
      bs: slot_i[VBs], b: slot_i[VB], as: slot_i[VAs], a: slot_i[VA], ds: slot_i[VDs],
      dst: slot_i[VDst], linc: ve.linc, masked: ve.masked, swap: ve.swap, absa: ve.absa,
      negb: ve.negb, nega: ve.nega, wr: ve.wr, red: ve.red, func: ve.func, bmode: ve.bmode,
      op: ve.op}};
    if (kind_i == KindQnt) begin
      // What qnt lacks was read from register 0, but for s, which is read last.
      ve_cmd_o.is_qnt   = 1'b1;
      ve_cmd_o.qnt_row  = by_row(insn_i);
      ve_cmd_o.qnt_pair = npu_pkg::Sparse && in_pairs(insn_i);
      ve_cmd_o.vec.s    = '0;
      {ve_cmd_o.vec.linc, ve_cmd_o.vec.masked, ve_cmd_o.vec.swap, ve_cmd_o.vec.absa,
       ve_cmd_o.vec.negb, ve_cmd_o.vec.nega, ve_cmd_o.vec.wr} = '0;
      ve_cmd_o.vec.red   = npu_pkg::vred_e'(0);
      ve_cmd_o.vec.func  = npu_pkg::vfunc_e'(0);
      ve_cmd_o.vec.bmode = npu_pkg::bmode_e'(0);
      ve_cmd_o.vec.op    = npu_pkg::vop_e'(0);
    end
  end
endmodule
