// Types that cross block borders and are not part of the binary contract: queue entries, event levels
// for the counters, trace pulses. Sizes and command fields come from the generated npu_pkg.
// verilator lint_off UNUSEDPARAM
package npu_types;

  localparam int unsigned DramBits = 40;
  localparam int unsigned PcBits   = 16;
  localparam int unsigned SemBits  = 6;
  localparam int unsigned CountBits = 8;

  // Engines in the order of npu_pkg's engine field. Arrays over engines use these indices.
  localparam int unsigned Engines = 4;
  localparam int unsigned EngLd = 0;
  localparam int unsigned EngSt = 1;
  localparam int unsigned EngMx = 2;
  localparam int unsigned EngVe = 3;
  localparam int unsigned EngSeq = 4;

  typedef logic [PcBits-1:0]    pc_t;
  typedef logic [SemBits-1:0]   sem_t;
  typedef logic [CountBits-1:0] cnt_t;

  // ---- commands as engines see them --------------------------------------------------------------
  // Commands with a count or length of 0 never reach an engine.

  // dram_base = window base + da. room: with gather, an index j is legal while ds1 * j <= room.
  typedef struct packed {
    logic [DramBits-1:0] dram_base;
    logic [31:0]         room;
    npu_pkg::load_cmd_t  cmd;
  } ld_cmd_t;

  typedef struct packed {
    logic [DramBits-1:0] dram_base;
    npu_pkg::store_cmd_t cmd;
  } st_cmd_t;

  typedef npu_pkg::mm_cmd_t mx_cmd_t;

  // vec and qnt share one queue. With is_qnt, vec holds qnt's dst, ds, a, as, r, rows, cols and all
  // else in vec is 0; qnt_row and qnt_pair are qnt's group (one scale a row, one for two blocks).
  typedef struct packed {
    logic               is_qnt;
    logic               qnt_row;
    logic               qnt_pair;
    npu_pkg::vec_cmd_t  vec;
  } ve_cmd_t;

  // ---- queues --------------------------------------------------------------------------------------
  typedef enum logic [1:0] {
    QueCmd    = 2'd0,
    QueWait   = 2'd1,
    QueSignal = 2'd2
  } que_kind_e;

  // What every queue entry carries beside its payload.
  typedef struct packed {
    que_kind_e kind;
    pc_t       pc;
    sem_t      sem;
    cnt_t      n;
  } que_tag_t;

  // One semaphore operation: a request to take n, or n to add.
  typedef struct packed {
    logic valid;
    sem_t sem;
    cnt_t n;
  } sem_op_t;

  // ---- events: levels that are true in the cycles that the counters count ---------------------------
  typedef struct packed {
    logic busy;       // a command is in execution
    logic beat;       // a data beat moves this cycle
    logic burst;      // an address is accepted this cycle (one burst)
  } dma_ev_t;

  typedef struct packed {
    logic busy;       // the array takes a moving slice this cycle
    logic wait_load;  // the mover waits for shadow weights
  } mx_ev_t;

  typedef struct packed {
    logic busy;       // a command is in execution
    logic wait_mem;   // a lane beat waits for a vector-memory bank
  } ve_ev_t;

  // From a front: its engine's queue head waits for a semaphore; nothing queued and nothing running.
  typedef struct packed {
    logic wait_sem;
    logic idle;
  } front_ev_t;

  typedef struct packed {
    logic instruction;   // one instruction executed
    logic signal;
    logic wait_op;
    logic wait_queue;    // held by a full queue
    logic wait_sem;      // held by its own semaphore wait
  } seq_ev_t;

  // A command has passed its checks.
  typedef struct packed {
    logic load;
    logic store;
    logic mm;
    logic vec;
    logic qnt;
  } cmd_ev_t;

  // gather_rows comes in the cycle of gather, amount in the cycle of one of the other flags.
  typedef struct packed {
    logic        macs;         // amount counts m * kb * nb
    logic        load_bytes;
    logic        store_bytes;
    logic        elems;
    logic        gather;
    logic [31:0] gather_rows;
    logic [63:0] amount;
  } amount_ev_t;

  // ---- faults and trace ------------------------------------------------------------------------------
  typedef struct packed {
    logic                valid;
    npu_pkg::fault_e     code;
    pc_t                 pc;
    npu_pkg::engine_e    engine;
    logic [DramBits-1:0] addr;
  } fault_t;

  // Pulses of one engine: a command is accepted, a command is complete and visible.
  typedef struct packed {
    logic start;
    pc_t  start_pc;
    logic stop;
    pc_t  stop_pc;
  } trace_t;

  // ---- host side -------------------------------------------------------------------------------------
  typedef struct packed {
    logic [DramBits-1:0] base;
    logic [31:0]         size;
    logic                writable;
    logic                readable;
  } window_t;

  typedef struct packed {
    logic [DramBits-1:0] code;
    logic [31:0]         len;        // instructions
    logic                resident;   // the program is already in instruction memory
    logic [31:0]         watchdog;
    logic [31:0]         bus_timeout;
  } launch_t;

  typedef struct packed {
    logic   busy;
    logic   bus_dead;
    logic   aborted;
    fault_t fault;
  } status_t;

endpackage
// verilator lint_on UNUSEDPARAM
