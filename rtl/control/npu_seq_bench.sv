// npu_seq with instruction memory for its test: plain ports, the payload of the addressed queue as
// bits.
module npu_seq_bench
  import npu_types::*;
  import npu_pkg::*;
(
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         start_i,
  input  logic         kill_i,
  input  logic         loaded_i,
  input  logic [31:0]  code_len_i,
  input  logic [31:0]  watchdog_i,
  input  logic         code_wen_i,
  input  logic [$clog2(ImemWords)-1:0] code_addr_i,
  input  logic [127:0] code_data_i,
  output logic [3:0]   arg_idx_o,
  input  logic [31:0]  arg_i,
  output logic [2:0]   window_idx_o,
  input  logic [39:0]  window_base_i,
  input  logic [31:0]  window_size_i,
  input  logic [1:0]   window_flags_i,
  output logic         idle_o,
  output logic         fault_o,
  output logic [7:0]   fault_code_o,
  output logic [15:0]  fault_pc_o,
  output logic [3:0]   push_valid_o,
  input  logic [3:0]   push_ready_i,
  output logic [1:0]   push_kind_o,
  output logic [15:0]  push_pc_o,
  output logic [5:0]   push_sem_o,
  output logic [7:0]   push_n_o,
  output logic [511:0] push_data_o,
  output logic         take_o,
  input  logic         take_grant_i,
  output logic         sig_o,
  input  logic         sig_grant_i,
  output logic         lds_valid_o,
  output logic [31:0]  lds_word_o,
  input  logic         lds_ready_i,
  input  logic         lds_dvalid_i,
  input  logic [31:0]  lds_data_i,
  output logic [2:0]   executed_o,  // instruction, signal, wait
  output logic [4:0]   passed_o,    // load, store, mm, vec, qnt
  output logic [4:0]   amount_kind_o,
  output logic [63:0]  amount_o,
  output logic [31:0]  gather_rows_o
);
  logic imem_ren;
  logic [$clog2(ImemWords)-1:0] imem_addr;
  npu_check_pkg::held_insn_t imem_rdata;
  window_t window;
  fault_t fault;
  que_tag_t tag;
  ld_cmd_t ld;
  st_cmd_t st;
  mx_cmd_t mx;
  ve_cmd_t ve;
  sem_op_t take, sig;
  seq_ev_t ev;
  cmd_ev_t count;
  amount_ev_t amount;
  logic [$clog2(VmemWords)-1:0] lds_word;
  logic [1:0] unused;

  npu_ram #(.Width($bits(imem_rdata)), .Depth(ImemWords)) u_imem (
    .clk_i, .ren_i(imem_ren), .raddr_i(imem_addr), .rdata_o(imem_rdata),
    .wen_i(code_wen_i), .waddr_i(code_addr_i), .wmask_i('1),
    .wdata_i(npu_check_pkg::held(code_data_i))
  );

  npu_seq u_seq (
    .clk_i, .rst_ni, .start_i, .kill_i, .loaded_i, .code_len_i, .watchdog_i,
    .arg_idx_o, .arg_i, .window_idx_o, .window_i(window), .idle_o, .fault_o(fault),
    .imem_ren_o(imem_ren), .imem_addr_o(imem_addr), .imem_rdata_i(imem_rdata),
    .push_valid_o, .push_ready_i, .push_tag_o(tag), .push_ld_o(ld), .push_st_o(st), .push_mx_o(mx),
    .push_ve_o(ve), .take_o(take), .take_grant_i, .sig_o(sig), .sig_grant_i,
    .lds_valid_o, .lds_word_o(lds_word), .lds_ready_i, .lds_dvalid_i, .lds_data_i,
    .ev_o(ev), .count_o(count), .amount_o(amount)
  );

  assign window = '{base: window_base_i, size: window_size_i, writable: window_flags_i[1],
                    readable: window_flags_i[0]};
  assign fault_o      = fault.valid;
  assign fault_code_o = 8'(fault.code);
  assign fault_pc_o   = fault.pc;
  assign push_kind_o  = tag.kind;
  assign push_pc_o    = tag.pc;
  assign push_sem_o   = push_valid_o == '0 ? (take.valid ? take.sem : sig.sem) : tag.sem;
  assign push_n_o     = push_valid_o == '0 ? (take.valid ? take.n : sig.n) : tag.n;
  assign take_o       = take.valid;
  assign sig_o        = sig.valid;
  assign lds_word_o   = 32'(lds_word);
  assign executed_o   = {ev.instruction, ev.signal, ev.wait_op};
  assign passed_o     = {count.load, count.store, count.mm, count.vec, count.qnt};
  assign amount_kind_o = {amount.load_bytes, amount.store_bytes, amount.macs, amount.elems,
                          amount.gather};
  assign amount_o      = amount.amount;
  assign gather_rows_o = amount.gather_rows;
  assign unused        = {ev.wait_queue, ev.wait_sem} & {fault.addr[0], fault.engine[0]};

  always_comb begin
    push_data_o = '0;
    if (push_valid_o[EngLd]) push_data_o = 512'(ld);
    if (push_valid_o[EngSt]) push_data_o = 512'(st);
    if (push_valid_o[EngMx]) push_data_o = 512'(mx);
    if (push_valid_o[EngVe]) push_data_o = 512'(ve);
  end
endmodule
