// Payloads of the AXI4 channels. Fixed for every access: INCR bursts of full port words, one id, so
// answers come in order; addresses are multiples of PortBytes, and a burst stays within
// 64*PortBytes (so within 4 KiB).
package npu_axi_pkg;
  localparam int unsigned AddrBits = npu_types::DramBits;
  localparam int unsigned DataBits = npu_pkg::PortBytes * 8;

  typedef struct packed {
    logic [AddrBits-1:0] addr;
    logic [7:0]          len;  // beats - 1
  } ax_t;

  typedef struct packed {
    logic [DataBits-1:0] data;
    logic                last;
    logic [1:0]          resp;
  } r_t;

  typedef struct packed {
    logic [DataBits-1:0]           data;
    logic [npu_pkg::PortBytes-1:0] strb;
    logic                          last;
  } w_t;

  typedef struct packed {
    logic [1:0] resp;
  } b_t;
endpackage
