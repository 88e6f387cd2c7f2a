// Types between the parts of the load and store engines.
// verilator lint_off UNUSEDPARAM
package npu_dma_pkg;
  import npu_pkg::*;

  localparam int unsigned MaxBytes =
      (WspmBytes > AspmBytes ? WspmBytes : AspmBytes) > VmemBytes
          ? (WspmBytes > AspmBytes ? WspmBytes : AspmBytes) : VmemBytes;
  localparam int unsigned ChipBits = $clog2(MaxBytes);     // on-chip byte address
  localparam int unsigned LenBits  = $clog2(LenMax + 1);
  localparam int unsigned WordBits = $clog2(PortBytes);    // byte within a port word
  localparam int unsigned Lanes16  = PortBytes / 2;        // halfwords of a port word
  localparam int unsigned LaneBits = $clog2(Lanes16);
  // Bursts end at multiples of 2^CutBits bytes.
  localparam int unsigned CutBits  = $clog2(BurstBeats) + WordBits;
  localparam int unsigned AddrBits = npu_types::DramBits;

  typedef logic [AddrBits-1:0] addr_t;

  // A command without what differs between load and store.
  typedef struct packed {
    addr_t              base;
    logic               gather;
    logic [2:0]         space;
    logic [LenBits-1:0] len;
    logic [ChipBits-1:0] ca, cs1, cs2;
    logic [31:0]        ds1, ds2;
    logic [15:0]        n1, n2;
  } box_t;

  // One run of len bytes. last: of its command. none: moves nothing; bad: because its index is too
  // large.
  typedef struct packed {
    addr_t               addr;
    logic [ChipBits-1:0] ca;
    logic [LenBits-1:0]  len;
    logic [LenBits-1:0]  reach;  // len - 1
    logic [2:0]          space;
    logic                last;
    logic                none;
    logic                bad;
  } run_t;

  // Does a run of halves halfwords from lane src end in the first port word it touches, when its
  // first lane moves to dst?
  function automatic logic one_word(logic [LaneBits-1:0] src, logic [LaneBits-1:0] dst,
                                    logic [LenBits-2:0] halves);
    return {1'b0, halves} + LenBits'({dst < src, dst}) <= LenBits'(Lanes16);
  endfunction

  // One burst of a run, or (none) an empty run.
  typedef struct packed {
    addr_t      addr;   // of the first port word
    logic [7:0] len;    // beats - 1
    logic [WordBits-1:0] head;  // first byte of the first word, last byte of the last one
    logic [WordBits-1:0] tail;
    logic       first;  // of its run
    logic       last;   // of its command
    logic       none;
  } burst_t;
endpackage
// verilator lint_on UNUSEDPARAM
