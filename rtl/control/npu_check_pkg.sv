// Tables of npu_check: which register field goes to which operand slot, which products are formed
// in which step, and small predicates on instruction bits.
// verilator lint_off UNUSEDSIGNAL
// verilator lint_off UNUSEDPARAM
package npu_check_pkg;
  import npu_pkg::*;

  typedef enum logic [2:0] { KindSeq, KindDma, KindMm, KindVec, KindQnt } kind_e;

  // Registers are read two at a time, in the order in which sums and products need them; slot = 2 *
  // group + port. A count is in slot 0 or 2, mm's third one in 6, the start of a list of rows in 9.
  localparam int unsigned Slots  = Sparse ? 14 : 12;
  typedef logic [3:0] slot_t;

  localparam slot_t DN1 = 0, DDs1 = 1, DN2 = 2, DDs2 = 3, DLen = 4, DCs1 = 5, DDa = 6, DCs2 = 7,
                    DCa = 8, DIdx = 9;
  localparam slot_t MM = 0, MOm = 1, MNb = 2, MOn = 3, MO = 4, MWn = 5, MKb = 6, MWk = 7,
                    MA = 8, MAm = 9, MW = 10, MWs = 11, MWi = 12;
  localparam slot_t VRows = 0, VAs = 1, VCols = 2, VDs = 3, VA = 4, VBs = 5, VB = 6, VDst = 7,
                    VLim = 8, VR = 9, VS = 10;

  function automatic kind_e kind_of(logic [7:0] opcode);
    case (opcode)
      OP_LOAD, OP_STORE: return KindDma;
      OP_MM:             return KindMm;
      OP_VEC:            return KindVec;
      OP_QNT:            return KindQnt;
      default:           return KindSeq;
    endcase
  endfunction

  function automatic logic is_store(insn_t i);
    return i[7:0] == OP_STORE;
  endfunction

  // Register numbers on the two read ports, port 0 last.
  function automatic logic [1:0][5:0] registers_of(insn_t i, kind_e kind, logic store,
                                                   logic [2:0] group);
    load_insn_t  ld;
    store_insn_t st;
    mm_insn_t    mm;
    vec_insn_t   ve;
    qnt_insn_t   qn;
    ld = i;
    st = i;
    mm = i;
    ve = i;
    qn = i;
    unique case (kind)
      KindDma: begin
        if (store) begin
          unique case (group)
            3'd0:    return {st.ds1, st.n1};
            3'd1:    return {st.ds2, st.n2};
            3'd2:    return {st.cs1, st.len};
            3'd3:    return {st.cs2, st.da};
            default: return {6'd0, st.ca};
          endcase
        end
        unique case (group)
          3'd0:    return {ld.ds1, ld.n1};
          3'd1:    return {ld.ds2, ld.n2};
          3'd2:    return {ld.cs1, ld.len};
          3'd3:    return {ld.cs2, ld.da};
          default: return {ld.idx, ld.ca};
        endcase
      end
      KindMm: begin
        unique case (group)
          3'd0:    return {mm.om, mm.m};
          3'd1:    return {mm.on, mm.nb};
          3'd2:    return {mm.wn, mm.o};
          3'd3:    return {mm.wk, mm.kb};
          3'd4:    return {mm.am, mm.a};
          3'd5:    return {mm.ws, mm.w};
          default: return {6'd0, mm.wi};  // only where there is a slot for it
        endcase
      end
      KindVec: begin
        unique case (group)
          3'd0:    return {ve.as, ve.rows};
          3'd1:    return {ve.ds, ve.cols};
          3'd2:    return {ve.bs, ve.a};
          3'd3:    return {ve.dst, ve.b};
          3'd4:    return {ve.r, ve.lim};
          default: return {6'd0, ve.s};
        endcase
      end
      default: begin  // qnt
        unique case (group)
          3'd0:    return {qn.as, qn.rows};
          3'd1:    return {qn.ds, qn.cols};
          3'd2:    return {6'd0, qn.a};
          3'd3:    return {qn.dst, 6'd0};
          default: return {qn.r, 6'd0};
        endcase
      end
    endcase
  endfunction

  // The first two, of any instruction.
  function automatic logic [1:0][5:0] first_registers(insn_t i);
    // alu: rb, ra; alui: ra; loop: rc; lds: ra
    if (i[7:0] == OP_LOOP) return {6'd0, i[13:8]};
    if (i[7:0] == OP_LDS)  return {6'd0, i[19:14]};
    if (kind_of(i[7:0]) == KindSeq) return {i[29:24], i[23:18]};
    return registers_of(i, kind_of(i[7:0]), is_store(i), 3'd0);
  endfunction

  function automatic logic [3:0] groups_of(kind_e kind);
    if (Sparse && kind == KindMm) return 4'd7;
    return kind == KindMm || kind == KindVec ? 4'd6 : 4'd5;
  endfunction

  function automatic logic [3:0] verdict_cycle(kind_e kind);
    unique case (kind)
      KindDma: return 4'd7;
      KindMm:  return 4'd8;
      KindVec: return 4'd6;
      default: return 4'd5;
    endcase
  endfunction

  // One product: slot x (less one for a box) times slot y, or the last product times slot y.
  typedef struct packed {
    logic  valid;
    logic  minus_one;
    logic  chained;
    slot_t x;
    slot_t y;
  } step_t;

  localparam step_t NoStep = '0;

  function automatic step_t box(slot_t count, slot_t stride);
    return '{valid: 1'b1, minus_one: 1'b1, chained: 1'b0, x: count, y: stride};
  endfunction
  function automatic step_t amount(slot_t x, slot_t y);
    return '{valid: 1'b1, minus_one: 1'b0, chained: 1'b0, x: x, y: y};
  endfunction
  function automatic step_t chain(slot_t y);
    return '{valid: 1'b1, minus_one: 1'b0, chained: 1'b1, x: '0, y: y};
  endfunction

  function automatic step_t step_of(kind_e kind, logic [3:0] s);
    unique case (kind)
      KindDma: begin
        unique case (s)
          4'd0:    return box(DN1, DDs1);
          4'd1:    return box(DN2, DDs2);
          4'd2:    return box(DN1, DCs1);
          4'd3:    return box(DN2, DCs2);
          4'd4:    return amount(DN1, DN2);
          4'd6:    return chain(DLen);
          default: return NoStep;
        endcase
      end
      KindMm: begin
        unique case (s)
          4'd0:    return box(MM, MOm);
          4'd1:    return box(MNb, MOn);
          4'd2:    return box(MNb, MWn);
          4'd3:    return box(MKb, MWk);
          4'd4:    return box(MM, MAm);
          4'd5:    return amount(MM, MKb);
          4'd7:    return chain(MNb);
          default: return NoStep;
        endcase
      end
      KindVec: begin
        unique case (s)
          4'd0:    return box(VRows, VAs);
          4'd1:    return box(VRows, VDs);
          4'd2:    return box(VRows, VBs);
          4'd3:    return amount(VRows, VCols);
          default: return NoStep;
        endcase
      end
      default: begin
        unique case (s)
          4'd0:    return box(VRows, VAs);
          4'd1:    return box(VRows, VDs);
          4'd2:    return amount(VRows, VCols);
          default: return NoStep;
        endcase
      end
    endcase
  endfunction

  // One sum of the boxes' ends: the last product (skip: not), an address slot (0: none), one more
  // term.
  typedef enum logic [2:0] {
    TermNone, TermLen, TermRow, TermKb, TermCols, TermBlocks, TermOne, TermLast
  } term_e;

  typedef struct packed {
    logic  skip;
    slot_t address;
    term_e term;
  } sum_step_t;

  function automatic sum_step_t sum_of(kind_e kind, logic gathers, logic b_vector, logic [3:0] s);
    unique case (kind)
      KindDma: begin
        unique case (s)
          4'd0:    return '{skip: gathers, address: DLen, term: TermNone};
          4'd1:    return '{skip: 1'b0, address: DDa, term: TermLast};
          4'd2:    return '{skip: 1'b0, address: DCa, term: TermLen};
          default: return '{skip: 1'b0, address: '0, term: TermLast};
        endcase
      end
      KindMm: begin
        unique case (s)
          4'd0:    return '{skip: 1'b0, address: MO, term: TermRow};
          4'd2:    return '{skip: 1'b0, address: '0, term: TermNone};
          4'd4:    return '{skip: 1'b0, address: MA, term: TermKb};
          default: return '{skip: 1'b0, address: '0, term: TermLast};
        endcase
      end
      default: begin
        unique case (s)
          4'd0:    return '{skip: 1'b0, address: VA, term: TermCols};
          4'd1:    return '{skip: 1'b0, address: VDst,
                            term: kind == KindQnt ? TermBlocks : TermCols};
          default: return '{skip: 1'b0, address: VB, term: b_vector ? TermCols : TermOne};
        endcase
      end
    endcase
  endfunction

  // ---- predicates -------------------------------------------------------------------------------
  function automatic logic too_many(logic [31:0] count);
    return count > CountMax;
  endfunction

  // count (a legal one) words from word address first do not fit vector memory.
  function automatic logic rows_over(logic [31:0] first, logic [31:0] count);
    localparam int unsigned Bits = $clog2(VmemWords + 1) > 16 ? $clog2(VmemWords + 1) : 16;
    return first > VmemWords ||
           {1'b0, first[Bits-1:0]} + (Bits + 1)'(count[15:0]) > (Bits + 1)'(VmemWords);
  endfunction

  function automatic logic off_row(logic [31:0] words);
    return |words[$clog2(Cols)-1:0];
  endfunction

  function automatic logic [31:0] space_bytes(space_e space);
    unique case (space)
      SPACE_WSPM: return WspmBytes;
      SPACE_WSC:  return WscBytes;
      SPACE_ASPM: return AspmBytes;
      SPACE_ASC:  return AscBytes;
      default:    return VmemBytes;
    endcase
  endfunction

  function automatic space_e space_of(insn_t i);
    return space_e'(i[13:11]);  // the same bits in load and store
  endfunction

  // Of a load.
  function automatic logic gather(insn_t i);
    load_insn_t ld;
    ld = i;
    return ld.gather;
  endfunction

  function automatic logic has_wscale(insn_t i);
    mm_insn_t mm;
    mm = i;
    return mm.wscale != WSCALE_ONE;
  endfunction

  function automatic logic is_e2m1(insn_t i);
    mm_insn_t mm;
    mm = i;
    return mm.wfmt == WFMT_E2M1;
  endfunction

  function automatic logic is_sparse(insn_t i);
    mm_insn_t mm;
    mm = i;
    return Sparse && mm.sparse;
  endfunction

  function automatic logic is_e8m0(insn_t i);
    mm_insn_t mm;
    mm = i;
    return mm.wscale == WSCALE_E8M0;
  endfunction

  function automatic logic [31:0] tile_bytes(insn_t i);
    return is_e2m1(i) ? (Block / 2) * Cols : Block * Cols;
  endfunction

  function automatic logic [31:0] set_bytes(insn_t i);
    return is_e8m0(i) ? Cols : 2 * Cols;
  endfunction

  function automatic logic [2:0] scale_shift(insn_t i);
    return 3'd5 - {2'd0, is_e2m1(i)} - {2'd0, !is_e8m0(i)};
  endfunction

  function automatic logic off_tile(insn_t i, logic [31:0] bytes);
    return |(bytes & (tile_bytes(i) - 32'd1));
  endfunction

  localparam int unsigned IndexBytes = Block / 4 * Cols;  // of a sparse tile

  // The last bytes from first on go beyond a memory of size bytes.
  function automatic logic end_over(logic [35:0] first, logic [31:0] last, logic [31:0] size);
    return first > {4'd0, size - last};
  endfunction

  function automatic logic off_set(insn_t i, logic [31:0] bytes);
    return |(bytes & (set_bytes(i) - 32'd1));
  endfunction

  function automatic logic b_is_vector(insn_t i);
    vec_insn_t ve;
    ve = i;
    return ve.bmode == BMODE_VECTOR;
  endfunction

  function automatic logic reads_b(insn_t i);
    vec_insn_t ve;
    ve = i;
    return ve.bmode != BMODE_SCALAR;
  endfunction

  function automatic logic writes_dst(insn_t i);
    vec_insn_t ve;
    ve = i;
    return ve.wr;
  endfunction

  function automatic logic swaps(insn_t i);
    vec_insn_t ve;
    ve = i;
    return ve.swap;
  endfunction

  function automatic logic by_row(insn_t i);
    qnt_insn_t qn;
    qn = i;
    return qn.group == QGROUP_ROW;
  endfunction

  function automatic logic in_pairs(insn_t i);
    qnt_insn_t qn;
    qn = i;
    return qn.group == QGROUP_PAIR;
  endfunction

  function automatic logic writes_r(insn_t i, kind_e kind);
    vec_insn_t ve;
    ve = i;
    return kind == KindQnt ? by_row(i) : ve.red != VRED_NONE;
  endfunction

  // Engine instructions whose fields are each legal but not together.
  function automatic logic bad_together(insn_t i);
    mm_insn_t mm;
    mm = i;
    case (i[7:0])
      OP_STORE: return space_of(i) == SPACE_WSPM || space_of(i) == SPACE_WSC;
      OP_MM:    return (mm.colload && (mm.wfmt == WFMT_E2M1 || mm.sparse)) ||
                       (mm.sparse && !Sparse);
      OP_QNT:   return in_pairs(i) && !Sparse;
      default:  return 1'b0;
    endcase
  endfunction

  // Instruction memory keeps beside each instruction its first two register numbers, so that
  // nothing is decoded between it and the registers, and what is wrong with its bits.
  typedef struct packed {
    logic            unknown;   // fault opcode
    logic            reserved;  // fault reserved
    logic [1:0][5:0] regs;
    insn_t           insn;
  } held_insn_t;

  function automatic held_insn_t held(insn_t i);
    fault_e fault;
    fault = insn_fault(i);
    return '{unknown: fault == FAULT_OPCODE, reserved: fault == FAULT_RESERVED || bad_together(i),
             regs: first_registers(i), insn: i};
  endfunction

endpackage
// verilator lint_on UNUSEDPARAM
// verilator lint_on UNUSEDSIGNAL
