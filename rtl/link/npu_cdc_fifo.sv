// Queue of Depth words (a power of two, at least 4) from one clock to another; pointers cross as Gray
// code through two registers. Latency: 3 cycles of the reading clock, one less or more by phase.
// Either side's reset must reach the other.
module npu_cdc_fifo #(
  parameter  int unsigned Width = 8,
  parameter  int unsigned Depth = 8,
  localparam int unsigned PtrW  = $clog2(Depth)
) (
  input  logic             wclk_i,
  input  logic             wrst_ni,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_data_i,
  input  logic             rclk_i,
  input  logic             rrst_ni,
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_data_o
);
  typedef logic [PtrW:0] ptr_t;
  localparam ptr_t Full = ptr_t'(3) << (PtrW - 1);  // Gray codes of pointers Depth apart

  function automatic ptr_t gray(ptr_t p);
    return p ^ (p >> 1);
  endfunction

  logic [Width-1:0] mem [Depth];
  ptr_t wptr_q, wgray_q, rptr_q, rgray_q;
  ptr_t rgray_meta_q, rgray_sync_q, wgray_meta_q, wgray_sync_q;
  ptr_t wptr, rptr;
  logic push, pop;

  assign in_ready_o  = wgray_q != (rgray_sync_q ^ Full);
  assign push        = in_valid_i && in_ready_o;
  assign wptr        = wptr_q + 1'b1;
  assign out_valid_o = rgray_q != wgray_sync_q;
  assign out_data_o  = mem[rptr_q[PtrW-1:0]];
  assign pop         = out_valid_o && out_ready_i;
  assign rptr        = rptr_q + 1'b1;

  always_ff @(posedge wclk_i) begin
    if (push) mem[wptr_q[PtrW-1:0]] <= in_data_i;
  end
  always_ff @(posedge wclk_i or negedge wrst_ni) begin
    if (!wrst_ni) begin
      wptr_q       <= '0;
      wgray_q      <= '0;
      rgray_meta_q <= '0;
      rgray_sync_q <= '0;
    end else begin
      if (push) begin
        wptr_q  <= wptr;
        wgray_q <= gray(wptr);
      end
      rgray_meta_q <= rgray_q;
      rgray_sync_q <= rgray_meta_q;
    end
  end
  always_ff @(posedge rclk_i or negedge rrst_ni) begin
    if (!rrst_ni) begin
      rptr_q       <= '0;
      rgray_q      <= '0;
      wgray_meta_q <= '0;
      wgray_sync_q <= '0;
    end else begin
      if (pop) begin
        rptr_q  <= rptr;
        rgray_q <= gray(rptr);
      end
      wgray_meta_q <= wgray_q;
      wgray_sync_q <= wgray_meta_q;
    end
  end
endmodule
