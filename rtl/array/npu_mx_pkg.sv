// Facts shared by the blocks of the matrix engine: sizes, latencies between blocks, the record of a
// tile. mm_latency.hpp states the same latencies for software; the unit test compares both.
package npu_mx_pkg;
  import npu_pkg::*;
  import npu_fp_pkg::*;
  // verilator lint_off UNUSEDPARAM
  // (no single block needs all of them)

  localparam int unsigned S     = (Rows > 32) ? 1 : 32 / Rows;  // slices of a block of 32
  localparam int unsigned Feet  = Cols / S;  // each serves S neighbouring columns
  localparam int unsigned SlW   = (S > 1) ? $clog2(S) : 1;
  localparam int unsigned SelW  = $clog2(2 * S);  // one of a cell's weights: bank, slice
  localparam int unsigned WordW = 16 * Cols;                    // weight and scale word

  localparam int unsigned WRowW = $clog2(WspmBytes / (2 * Cols));
  localparam int unsigned CRowW = $clog2(WscBytes / (2 * Cols));
  localparam int unsigned BlkW  = $clog2(AspmBytes / 32);
  localparam int unsigned VRowW = $clog2(VmemRows);
  localparam int unsigned ColsLog = $clog2(Cols);

  // ---- foot: cycles after row_o of the array -------------------------------------------------
  localparam int unsigned ProdLat = 5;                            // isum and scales to product
  localparam int unsigned RowLead = 3;  // first column's sums are at the foot
  localparam int unsigned AddAt   = RowLead + ProdLat;            // product meets accumulator
  localparam int unsigned ReadAt  = AddAt - 2;                    // vector-memory row is asked for
  localparam int unsigned WriteAt = AddAt + AddLat + S - 1;       // and written back
  // Least distance of two rows' starts if the later one reads what the earlier one wrote.
  localparam int unsigned Hazard  = WriteAt - ReadAt + 1;
  // From reading a moving row in aspm to row_o: two registers, product, the array's diagonal,
  // column sum.
  localparam int unsigned RowAt   = Rows + Cols + 3 - RowLead;

  // ---- loading -------------------------------------------------------------------------------
  // A word may be read After* cycles + (its first row + slice, or first column) after the last
  // moving row of the bank's previous tile was read: then that row's slice has passed all cells of
  // the word.
  localparam int unsigned AfterInt8 = Cols;                      // a word is 2 rows of k,
  localparam int unsigned AfterE2m1 = Cols + 2;                  // 4 rows,
  localparam int unsigned AfterCol  = S + Rows - 2 + ((Cols == 32) ? 1 : 0);  // 1/2 to 2 columns
  localparam int unsigned AfterIndex = Cols + 6;  // indices of 8 rows
  localparam int unsigned AgeW      = $clog2(Rows + Cols + S);   // counts up to the largest of all
  // Word after which the moving wave may follow the loading (it never overtakes).
  localparam int unsigned ChaseInt8 = (S == 4) ? Rows - 2 : 0;
  localparam int unsigned ChaseE2m1 = 0;
  localparam int unsigned ChaseCol  = (Cols == 8) ? Cols - 1 : 0;
  localparam int unsigned ChaseSparseInt8 = (S == 4) ? 10 : 4;
  localparam int unsigned ChaseSparseE2m1 = (S == 4) ? 4 : 2;
  localparam int unsigned WordsInt8 = 16;
  localparam int unsigned WordsE2m1 = 8;
  localparam int unsigned WordsIndex = 4;  // S of them before the weights of every 8 rows
  localparam int unsigned StepW     = Sparse ? 5 : 4;             // counts the words of a tile

  // What moves: a byte a row or, where indices choose among them, four bytes a pair of rows.
  localparam int unsigned MvRows = Sparse ? Rows / 2 : Rows;
  localparam int unsigned MvW    = Sparse ? 32 : 8;
  localparam int unsigned TilesLog  = 3;                          // tiles on their way: 2^TilesLog

  typedef enum logic [1:0] {LdInt8, LdE2m1, LdCol, LdIndex} ld_mode_e;

  // One tile: what mover and foot need of it.
  typedef struct packed {
    logic             bank;
    logic             free;     // first row needs no distance from the previous command
    logic             last;     // of its command
    logic             rd;       // accumulate onto vector memory
    logic [15:0]      m;
    logic [BlkW-1:0]  a;        // first block
    logic [BlkW-1:0]  am;
    logic             sparse;   // a row is two blocks
    logic             ascale;
    logic [VRowW-1:0] o;        // first output row
    logic [VRowW-1:0] om;
    logic [CRowW:0]   sc;       // scale set, counted in Cols bytes
    logic             half;     // e2m1: scales count half
    logic [1:0]       wscale;
  } tile_t;

endpackage
