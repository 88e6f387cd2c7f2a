// Flits of the die-to-die link and header words of packets.
//
// A flit is 68 bytes: a header, 64 bytes of payload, a CRC (the sizes of UCIe's 68 B format). The
// payload is a run of port words. A packet is a header word and, for a write, its data words;
// packets follow each other without regard to flits, and where none follows the rest of the flit is
// zero (a header word of kind none).
// verilator lint_off UNUSEDPARAM
package npu_link_pkg;
  import npu_pkg::*;

  localparam int unsigned PayloadBits = 512;
  localparam int unsigned WordBits    = 8 * PortBytes;
  localparam int unsigned FlitWords   = PayloadBits / WordBits;
  localparam int unsigned SeqBits     = 7;
  localparam int unsigned Window      = 64;  // flits that may be on their way: half of the numbers

  typedef logic [SeqBits-1:0]     seq_t;
  typedef logic [PayloadBits-1:0] payload_t;
  typedef logic [WordBits-1:0]    word_t;

  typedef enum logic [1:0] {
    FlitNull  = 2'd0,  // nothing but its header; seq: the number of the next data flit
    FlitData  = 2'd1,
    FlitNak   = 2'd2,  // seq: the number from which to send again
    FlitTrain = 2'd3   // payload: train_t in the low bits
  } flit_kind_e;

  typedef struct packed {
    seq_t       ack;   // data flits of the other direction that have left the receiver's buffer
    seq_t       seq;
    flit_kind_e kind;
  } flit_head_t;

  localparam int unsigned HeadBits = $bits(flit_head_t);
  localparam int unsigned CrcBits  = 16;
  localparam int unsigned FlitBits = HeadBits + PayloadBits + CrcBits;

  typedef struct packed {
    logic [CrcBits-1:0] crc;      // of what lies below
    payload_t           payload;
    flit_head_t         head;
  } flit_t;

  // What both ends of a link must agree on, and whether this end forgot everything (reset).
  typedef struct packed {
    logic        fresh;
    logic [7:0]  port_bytes;
    logic [7:0]  window;
    logic [31:0] magic;
  } train_t;

  localparam logic [31:0] Magic = 32'h4b4c_474a;  // the letters JGLK

  // Lanes in use.
  typedef enum logic [1:0] {
    WidthFull = 2'd0,
    WidthLow  = 2'd1,
    WidthHigh = 2'd2
  } width_e;

  // ---- packets ---------------------------------------------------------------------------------
  typedef enum logic [1:0] {
    PackNone   = 2'd0,
    PackWrite  = 2'd1,
    PackSignal = 2'd2
  } pack_kind_e;

  // A header word's low 64 bits. Write: words data words (minus 1) go to word addresses addr, addr
  // + 1, ... of space; of the first one bytes from head on count, of the last one bytes up to tail.
  // Signal: addr[12:5] is added to semaphore addr[4:0].
  typedef struct packed {
    logic [4:0]  zero;
    logic [5:0]  tail;
    logic [5:0]  head;
    logic [5:0]  words;
    logic [2:0]  space;
    logic [19:0] addr;
    logic [3:0]  src_y;
    logic [3:0]  src_x;
    logic [3:0]  dst_y;
    logic [3:0]  dst_x;
    pack_kind_e  kind;
  } pack_head_t;

  // ---- CRC -------------------------------------------------------------------------------------
  // x^16 + x^15 + x^2 + 1 = (x + 1)(x^15 + x + 1): finds any three wrong bits and any run of 16. Bit
  // 0 of the message comes first, bit 0 of the CRC (the weight of x^15) behind its last. CRC bit j
  // is the parity of the message bits in mask j, inverted, so that silence (all zero) is no flit.
  localparam int unsigned MessageBits = HeadBits + PayloadBits;
  typedef logic [CrcBits-1:0][MessageBits-1:0] crc_masks_t;

  function automatic crc_masks_t crc_masks();
    logic [CrcBits-1:0] power;
    power = 16'h8005;                       // x^16, the weight of the message's last bit
    for (int i = MessageBits - 1; i >= 0; i--) begin
      for (int j = 0; j < CrcBits; j++) crc_masks[j][i] = power[CrcBits-1-j];
      power = {power[CrcBits-2:0], 1'b0} ^ (power[CrcBits-1] ? 16'h8005 : 16'h0000);
    end
  endfunction

  localparam crc_masks_t CrcMasks = crc_masks();

  function automatic logic [CrcBits-1:0] crc(logic [MessageBits-1:0] message);
    for (int j = 0; j < CrcBits; j++) crc[j] = ~^(message & CrcMasks[j]);
  endfunction
endpackage
// verilator lint_on UNUSEDPARAM
