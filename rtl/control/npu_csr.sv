// AXI4-Lite slave with the registers of spec/npu.yaml (12-bit addresses, 32-bit data, byte strobes).
// One write and one read in flight; address and data of a write are taken together; answers come one
// cycle later, always OKAY; unknown addresses read 0. rw registers keep their value while a run is busy.
// Reading the low half of a counter freezes its high half for the next read.
module npu_csr
  import npu_types::*;
  import npu_pkg::*;
(
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        aw_valid_i,
  output logic        aw_ready_o,
  // verilator lint_off UNUSEDSIGNAL
  // (addresses name words)
  input  logic [11:0] aw_addr_i,
  // verilator lint_on UNUSEDSIGNAL
  input  logic        w_valid_i,
  output logic        w_ready_o,
  input  logic [31:0] w_data_i,
  input  logic [3:0]  w_strb_i,
  output logic        b_valid_o,
  input  logic        b_ready_i,
  input  logic        ar_valid_i,
  output logic        ar_ready_o,
  // verilator lint_off UNUSEDSIGNAL
  input  logic [11:0] ar_addr_i,
  // verilator lint_on UNUSEDSIGNAL
  output logic        r_valid_o,
  input  logic        r_ready_i,
  output logic [31:0] r_data_o,
  // machine
  output logic        start_o,
  output logic        abort_o,
  output logic        clear_o,
  output launch_t     launch_o,
  input  logic [3:0]  arg_idx_i,
  output logic [31:0] arg_o,
  input  logic [2:0]  window_idx_i,
  output window_t     window_o,
  output logic [5:0]  counter_idx_o,
  input  logic [63:0] counter_i,
  input  status_t     status_i,
  input  logic        done_i,
  output logic        irq_o
);
  localparam logic [31:0] Letters = 32'h4b47_4f4a;  // "JOGK"

  logic        write, read;
  logic [9:0]  waddr, raddr;   // words
  logic [31:0] mask;

  assign write = aw_valid_i && w_valid_i && (!b_valid_o || b_ready_i);
  assign aw_ready_o = write;
  assign w_ready_o  = write;
  assign read  = ar_valid_i && (!r_valid_o || r_ready_i);
  assign ar_ready_o = read;
  assign waddr = aw_addr_i[11:2];
  assign raddr = ar_addr_i[11:2];
  assign mask  = {{8{w_strb_i[3]}}, {8{w_strb_i[2]}}, {8{w_strb_i[1]}}, {8{w_strb_i[0]}}};

  function automatic logic [9:0] word(logic [11:0] offset);
    return 10'(offset >> 2);
  endfunction

  function automatic logic [31:0] merge(logic [31:0] old);
    return (old & ~mask) | (w_data_i & mask);
  endfunction

  // ---- registers --------------------------------------------------------------------------------------
  logic        gie_q, ier_q, isr_q, done_q, ready_q;
  logic [31:0] flags_q, code_lo_q, code_hi_q, code_len_q, watchdog_q, timeout_q;
  logic [31:0] arg_q [Args];
  logic [31:0] base_lo_q [Windows];
  logic [7:0]  base_hi_q [Windows];
  logic [31:0] size_q [Windows];
  logic [1:0]  wflags_q [Windows];
  logic        free, is_arg, is_win, ctrl_write;
  logic [3:0]  arg_sel;
  logic [2:0]  win_sel;

  assign free    = write && !status_i.busy;
  assign is_arg  = waddr >= word(CsrArg) && waddr < word(CsrArg) + 10'(Args);
  assign arg_sel = waddr[3:0];
  assign is_win  = waddr >= word(CsrWinBaseLo) && waddr < word(CsrWinBaseLo) + 10'(4 * Windows);
  assign win_sel = waddr[4:2];
  assign ctrl_write = write && w_strb_i[0];

  assign start_o = ctrl_write && waddr == word(CsrApCtrl) && w_data_i[0] && !status_i.busy;
  assign abort_o = ctrl_write && waddr == word(CsrControl) && w_data_i[0];
  assign clear_o = ctrl_write && waddr == word(CsrControl) && w_data_i[1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      gie_q   <= 1'b0;
      ier_q   <= 1'b0;
      isr_q   <= 1'b0;
      done_q  <= 1'b0;
      ready_q <= 1'b0;
    end else begin
      if (ctrl_write && waddr == word(CsrApGie)) gie_q <= w_data_i[0];
      if (ctrl_write && waddr == word(CsrApIer)) ier_q <= w_data_i[0];
      if (done_i) isr_q <= 1'b1;
      else if (ctrl_write && waddr == word(CsrApIsr) && w_data_i[0]) isr_q <= 1'b0;
      if (done_i) begin
        done_q  <= 1'b1;
        ready_q <= 1'b1;
      end else if (start_o || (read && raddr == word(CsrApCtrl)) ||
                   (ctrl_write && waddr == word(CsrApCtrl) && w_data_i[4])) begin
        done_q  <= 1'b0;
        ready_q <= 1'b0;
      end
    end
  end

  // Configuration registers are 0 after reset: closed windows, no limits.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      flags_q    <= '0;
      code_lo_q  <= '0;
      code_hi_q  <= '0;
      code_len_q <= '0;
      watchdog_q <= '0;
      timeout_q  <= '0;
      arg_q      <= '{default: '0};
      base_lo_q  <= '{default: '0};
      base_hi_q  <= '{default: '0};
      size_q     <= '{default: '0};
      wflags_q   <= '{default: '0};
    end else if (free) begin
      if (waddr == word(CsrLaunchFlags)) flags_q <= merge(flags_q);
      if (waddr == word(CsrCodeLo)) code_lo_q <= merge(code_lo_q);
      if (waddr == word(CsrCodeHi)) code_hi_q <= merge(code_hi_q);
      if (waddr == word(CsrCodeLen)) code_len_q <= merge(code_len_q);
      if (waddr == word(CsrWatchdog)) watchdog_q <= merge(watchdog_q);
      if (waddr == word(CsrBusTimeout)) timeout_q <= merge(timeout_q);
      if (is_arg) arg_q[arg_sel] <= merge(arg_q[arg_sel]);
      if (is_win) begin
        unique case (waddr[1:0])
          2'd0: base_lo_q[win_sel] <= merge(base_lo_q[win_sel]);
          2'd1: base_hi_q[win_sel] <= 8'(merge({24'd0, base_hi_q[win_sel]}));
          2'd2: size_q[win_sel] <= merge(size_q[win_sel]);
          default: wflags_q[win_sel] <= 2'(merge({30'd0, wflags_q[win_sel]}));
        endcase
      end
    end
  end

  assign launch_o = '{code: {code_hi_q[7:0], code_lo_q[31:6], 6'd0}, len: code_len_q,
                      resident: flags_q[0], watchdog: watchdog_q, bus_timeout: timeout_q};
  assign arg_o    = arg_q[arg_idx_i];
  assign window_o = '{base: {base_hi_q[window_idx_i], base_lo_q[window_idx_i][31:6], 6'd0},
                      size: size_q[window_idx_i], writable: wflags_q[window_idx_i][1],
                      readable: wflags_q[window_idx_i][0]};
  assign irq_o    = gie_q && ier_q && isr_q;

  // ---- answers ------------------------------------------------------------------------------------------
  logic [31:0] value, frozen_q;
  logic        r_is_arg, r_is_win, r_is_counter;
  logic [6:0]  counter_word;

  assign r_is_arg = raddr >= word(CsrArg) && raddr < word(CsrArg) + 10'(Args);
  assign r_is_win = raddr >= word(CsrWinBaseLo) && raddr < word(CsrWinBaseLo) + 10'(4 * Windows);
  assign r_is_counter  = raddr >= word(CsrCounter) && raddr < word(CsrCounter) + 10'(2 * CsrCounterCount);
  assign counter_word  = 7'(raddr - word(CsrCounter));
  assign counter_idx_o = counter_word[6:1];

  always_comb begin
    unique case (raddr)
      word(CsrApCtrl): value = {28'd0, ready_q, !status_i.busy, done_q, status_i.busy};
      word(CsrApGie): value = {31'd0, gie_q};
      word(CsrApIer): value = {31'd0, ier_q};
      word(CsrApIsr): value = {31'd0, isr_q};
      word(CsrId): value = Letters;
      word(CsrIsaVersion): value = IsaVersion;
      word(CsrIsaHash): value = IsaHash;
      word(CsrConfigHash): value = ConfigHash;
      word(CsrStatus): value = {28'd0, status_i.aborted, status_i.bus_dead, status_i.fault.valid,
                                status_i.busy};
      word(CsrFaultCause): value = 32'(status_i.fault.code);
      word(CsrFaultPc): value = 32'(status_i.fault.pc);
      word(CsrFaultEngine): value = 32'(status_i.fault.engine);
      word(CsrFaultAddrLo): value = status_i.fault.addr[31:0];
      word(CsrFaultAddrHi): value = 32'(status_i.fault.addr[DramBits-1:32]);
      word(CsrLaunchFlags): value = flags_q;
      word(CsrCodeLo): value = code_lo_q;
      word(CsrCodeHi): value = code_hi_q;
      word(CsrCodeLen): value = code_len_q;
      word(CsrWatchdog): value = watchdog_q;
      word(CsrBusTimeout): value = timeout_q;
      default: begin
        value = '0;
        if (r_is_arg) value = arg_q[raddr[3:0]];
        if (r_is_win) begin
          unique case (raddr[1:0])
            2'd0: value = base_lo_q[raddr[4:2]];
            2'd1: value = 32'(base_hi_q[raddr[4:2]]);
            2'd2: value = size_q[raddr[4:2]];
            default: value = 32'(wflags_q[raddr[4:2]]);
          endcase
        end
        if (r_is_counter) value = counter_word[0] ? frozen_q : counter_i[31:0];
      end
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      b_valid_o <= 1'b0;
      r_valid_o <= 1'b0;
    end else begin
      if (write) b_valid_o <= 1'b1;
      else if (b_ready_i) b_valid_o <= 1'b0;
      if (read) r_valid_o <= 1'b1;
      else if (r_ready_i) r_valid_o <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (read) begin
      r_data_o <= value;
      if (r_is_counter && !counter_word[0]) frozen_q <= counter_i[63:32];
    end
  end
endmodule
