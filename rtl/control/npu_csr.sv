// AXI4-Lite slave with the registers of spec/npu.yaml (12-bit addresses, 32-bit data, byte
// strobes). One write and one read in flight, at most one of each in three cycles; address and data
// of a write are taken together; answers come two cycles later, those of counters 6 or 7, always
// OKAY; unknown addresses read 0. rw registers keep their value while a run is busy. Reading the
// low half of a counter freezes its high half for the next read. rw registers are in small memories
// that are cleared in the 64 cycles after reset; until then nothing is taken.
module npu_csr
  import npu_types::*;
  import npu_pkg::*;
(
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        aw_valid_i,
  output logic        aw_ready_o,
  input  logic [11:0] aw_addr_i,
  input  logic        w_valid_i,
  output logic        w_ready_o,
  input  logic [31:0] w_data_i,
  input  logic [3:0]  w_strb_i,
  output logic        b_valid_o,
  input  logic        b_ready_i,
  input  logic        ar_valid_i,
  output logic        ar_ready_o,
  input  logic [11:0] ar_addr_i,
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
  output logic        counter_read_o,  // one pulse a read
  output logic [5:0]  counter_idx_o,
  input  logic        counter_valid_i,
  input  logic [63:0] counter_i,
  input  status_t     status_i,
  input  logic        done_i,
  output logic        irq_o,
  output logic [15:0] place_o,
  output logic        drain_o
);
  localparam logic [31:0] Letters = 32'h4b47_4f4a;  // "JOGK"

  logic        write, read, clearing;
  logic        counting_q;     // a counter is read
  // verilator lint_off UNUSEDSIGNAL
  // (addresses name words)
  logic [11:0] aw_addr_q, ar_addr_q;
  // verilator lint_on UNUSEDSIGNAL
  logic [31:0] w_data_q;
  logic [3:0]  w_strb_q;
  logic [9:0]  waddr, raddr;   // words
  logic [31:0] mask;

  // A request is taken in one cycle and carried out in the next: write, read. A write needs the
  // read port, so the two are never taken together.
  assign aw_ready_o = aw_valid_i && w_valid_i && !b_valid_o && !write && !clearing;
  assign w_ready_o  = aw_ready_o;
  assign ar_ready_o = ar_valid_i && !r_valid_o && !counting_q && !read && !aw_ready_o && !clearing;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {write, read} <= '0;
    else {write, read} <= {aw_ready_o, ar_ready_o};
  end
  always_ff @(posedge clk_i) begin
    if (aw_ready_o) {aw_addr_q, w_data_q, w_strb_q} <= {aw_addr_i, w_data_i, w_strb_i};
    if (ar_ready_o) ar_addr_q <= ar_addr_i;
  end

  assign waddr = aw_addr_q[11:2];
  assign raddr = ar_addr_q[11:2];
  assign mask  = {{8{w_strb_q[3]}}, {8{w_strb_q[2]}}, {8{w_strb_q[1]}}, {8{w_strb_q[0]}}};

  function automatic logic [9:0] word(logic [11:0] offset);
    return 10'(offset >> 2);
  endfunction

  // ---- registers --------------------------------------------------------------------------------
  logic       gie_q, ier_q, isr_q, done_q, ready_q;
  logic       free, is_arg, is_win, is_launch, ctrl_write;
  logic [5:0] clear_q;   // the entry that is cleared
  logic       cleared_q;

  assign clearing  = !cleared_q;
  assign free      = write && !status_i.busy;
  assign is_arg    = waddr >= word(CsrArg) && waddr < word(CsrArg) + 10'(Args);
  assign is_win    = waddr >= word(CsrWinBaseLo) && waddr < word(CsrWinBaseLo) + 10'(4 * Windows);
  assign is_launch = waddr >= word(CsrLaunchFlags) && waddr <= word(CsrPlace);
  assign ctrl_write = write && w_strb_q[0];

  assign start_o = ctrl_write && waddr == word(CsrApCtrl) && w_data_q[0] && !status_i.busy;
  assign abort_o = ctrl_write && waddr == word(CsrControl) && w_data_q[0];
  assign clear_o = ctrl_write && waddr == word(CsrControl) && w_data_q[1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      gie_q   <= 1'b0;
      ier_q   <= 1'b0;
      isr_q   <= 1'b0;
      done_q  <= 1'b0;
      ready_q <= 1'b0;
    end else begin
      if (ctrl_write && waddr == word(CsrApGie)) gie_q <= w_data_q[0];
      if (ctrl_write && waddr == word(CsrApIer)) ier_q <= w_data_q[0];
      if (done_i) isr_q <= 1'b1;
      else if (ctrl_write && waddr == word(CsrApIsr) && w_data_q[0]) isr_q <= 1'b0;
      if (done_i) begin
        done_q  <= 1'b1;
        ready_q <= 1'b1;
      end else if (start_o || (read && raddr == word(CsrApCtrl)) ||
                   (ctrl_write && waddr == word(CsrApCtrl) && w_data_q[4])) begin
        done_q  <= 1'b0;
        ready_q <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      clear_q   <= '0;
      cleared_q <= 1'b0;
    end else if (clearing) begin
      clear_q   <= clear_q + 1'b1;
      cleared_q <= clear_q == '1;
    end
  end

  // All rw registers as the host reads them: arguments from 0, launch registers from 16, windows
  // from 32. What the machine reads besides is kept a second time.
  logic [31:0] host_q [64];
  logic [31:0] arg_q [Args];
  logic [31:0] base_lo_q [Windows];
  logic [7:0]  base_hi_q [Windows];
  logic [31:0] size_q [Windows];
  logic [1:0]  wflags_q [Windows];
  logic        resident_q;
  logic [33:0] code_q;  // in units of 64 bytes
  logic [31:0] code_len_q, watchdog_q, timeout_q;
  logic [5:0]  hentry;
  logic [31:0] host, held, merged, kept;
  logic [5:0]  entry;
  logic        keep;

  assign hentry = write ? {waddr[6], waddr[4:0]} : {raddr[6], raddr[4:0]};
  assign host   = host_q[hentry];
  assign merged = (host & ~mask) | (w_data_q & mask);
  assign entry  = clearing ? clear_q : {waddr[6], waddr[4:0]};
  assign keep   = clearing || (free && (is_arg || is_win || is_launch));

  // Bits that a register has.
  always_comb begin
    held = '1;
    if (is_win && waddr[1:0] == 2'd1) held = 32'h0000_00ff;
    if (is_win && waddr[1:0] == 2'd3) held = 32'h0000_0003;
    if (clearing) held = '0;
  end
  assign kept = merged & held;

  always_ff @(posedge clk_i) begin
    if (keep) host_q[entry] <= kept;
    if (clearing || (free && is_arg)) arg_q[entry[3:0]] <= kept;
    if (clearing || (free && is_win)) begin
      if (clearing || waddr[1:0] == 2'd0) base_lo_q[entry[4:2]] <= kept;
      if (clearing || waddr[1:0] == 2'd1) base_hi_q[entry[4:2]] <= kept[7:0];
      if (clearing || waddr[1:0] == 2'd2) size_q[entry[4:2]] <= kept;
      if (clearing || waddr[1:0] == 2'd3) wflags_q[entry[4:2]] <= kept[1:0];
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      resident_q <= 1'b0;
      code_q     <= '0;
      code_len_q <= '0;
      watchdog_q <= '0;
      timeout_q  <= '0;
    end else if (free) begin
      if (waddr == word(CsrLaunchFlags)) resident_q <= kept[0];
      if (waddr == word(CsrCodeLo)) code_q[25:0] <= kept[31:6];
      if (waddr == word(CsrCodeHi)) code_q[33:26] <= kept[7:0];
      if (waddr == word(CsrCodeLen)) code_len_q <= kept;
      if (waddr == word(CsrWatchdog)) watchdog_q <= kept;
      if (waddr == word(CsrBusTimeout)) timeout_q <= kept;
    end
  end

  assign launch_o = '{code: {code_q, 6'd0}, len: code_len_q,
                      resident: resident_q, watchdog: watchdog_q, bus_timeout: timeout_q};
  assign arg_o    = arg_q[arg_idx_i];
  assign window_o = '{base: {base_hi_q[window_idx_i], base_lo_q[window_idx_i][31:6], 6'd0},
                      size: size_q[window_idx_i], writable: wflags_q[window_idx_i][1],
                      readable: wflags_q[window_idx_i][0]};
  assign irq_o    = gie_q && ier_q && isr_q;

  if (Chiplets > 1) begin : gen_place
    logic [16:0] place_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) place_q <= '0;
      else if (free && waddr == word(CsrPlace)) place_q <= kept[16:0];
    end
    assign {drain_o, place_o} = place_q;
  end else begin : gen_no_place
    assign {drain_o, place_o} = '0;
  end

  // ---- answers ----------------------------------------------------------------------------------
  logic [31:0] value, frozen_q;
  logic        r_is_kept, r_is_counter;
  logic [6:0]  counter_word;
  logic        count;      // a counter's low half is asked for
  logic        ask_q;      // in the cycle after count
  logic [5:0]  counter_q;

  assign r_is_kept = (raddr >= word(CsrArg) && raddr < word(CsrArg) + 10'(Args)) ||
                     (raddr >= word(CsrWinBaseLo) &&
                      raddr < word(CsrWinBaseLo) + 10'(4 * Windows)) ||
                     (raddr >= word(CsrLaunchFlags) && raddr <= word(CsrPlace));
  assign r_is_counter  = raddr >= word(CsrCounter) &&
                         raddr < word(CsrCounter) + 10'(2 * CsrCounterCount);
  assign counter_word  = 7'(raddr - word(CsrCounter));
  assign count         = read && r_is_counter && !counter_word[0];
  assign counter_idx_o  = counter_q;
  assign counter_read_o = ask_q;

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
      default: begin
        value = '0;
        if (r_is_kept) value = host;
        if (r_is_counter) value = frozen_q;
      end
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      b_valid_o <= 1'b0;
      r_valid_o <= 1'b0;
      counting_q <= 1'b0;
      ask_q      <= 1'b0;
    end else begin
      if (write) b_valid_o <= 1'b1;
      else if (b_ready_i) b_valid_o <= 1'b0;
      counting_q <= count || (counting_q && !counter_valid_i);
      ask_q      <= count;
      if ((read && !count) || counter_valid_i) r_valid_o <= 1'b1;
      else if (r_ready_i) r_valid_o <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (read) r_data_o <= value;
    if (count) counter_q <= counter_word[6:1];
    if (counter_valid_i) {frozen_q, r_data_o} <= counter_i;
  end
endmodule
