// One chiplet in time: the RTL's control, cycle by cycle, over a Stream of resolved instructions; no data. Counts are
// those of npu_counters for a run from launch to done.
//
//   Chip chip(config, {.read_latency = 64}, stream);
//   chip.launch({.code = address, .instructions = n});
//   while (chip.run(limit) == Chip::Stop::starved) ... append to the stream
#pragma once

#include "control.hpp"
#include "matrix.hpp"
#include "store.hpp"
#include "vector.hpp"

namespace jogak::cycle {

struct Event {
  u64 cycle;  // since launch
  u8 engine;
  bool start;
  u16 pc;
  u64 mx_busy, ld_beats, st_beats;  // counters so far
};

class Chip {
 public:
  enum class Stop { done, limit, starved };
  struct LaunchOptions {
    u64 code = 0;
    u32 instructions = 0;
    bool resident = false;
    bool keep = false;  // items and lists stay in the stream
  };

  // Throws Error for a configuration that the matrix engine is not made for; so does the constructor.
  static void check(const spec::Config& config);
  // network: of a chiplet of a package. memory.port_bytes is the configuration's; what is behind the port begins anew.
  Chip(const spec::Config& config, AxiPace::Options memory, Stream& stream, Network* network = nullptr);

  void launch(const LaunchOptions& options);
  // Until the run is over, cycle `limit` is reached, or the sequencer has no more items. Then items may be appended,
  // after Stream::clear() unless they are kept.
  Stop run(u64 limit);
  // Ends the run early: what was accepted is finished.
  void abort();
  // What is behind the memory's port, and answers by itself, has told something new.
  void memory_news() { memory_.look(); }

  // run(), cycle by cycle, for who drives several chips.
  // The sequencer wants an item now, and the stream has none.
  bool hungry();
  // One cycle. False: nothing moved, and nothing does by itself before next(), unless the network has news.
  bool step() { return tick(); }
  u64 next() const;
  // Nothing happens before cycle `to`.
  void skip_to(u64 to);
  bool over() const { return over_; }
  // Takes writes and signals of other chiplets.
  bool open(u64 cycle) const { return i64(cycle) >= kFirstLoad && !over_; }

  u64 cycle() const { return u64(now_); }
  // By index of spec::Counter; only those that time decides. Exact once the run is over.
  std::array<u64, 64> counters() const;
  u32 queued(u32 engine) const { return fronts_[engine].queued(); }
  void trace(std::vector<Event>* events) { events_ = events; }

 private:
  static constexpr i64 kFirstLoad = 18;  // npu_seq waits for the program from here on: registers are clean, arguments copied
  struct Sequencer {
    // launch: until the program is there. need: an item, taken in at `at`. act: halt.
    enum class State : u8 { launch, need, lds, push, sem, act, fault, idle };
    State state = State::launch;
    i64 at = 0;            // the cycle from which on it tries
    Item item{};
    Command command{};
    std::size_t next = 0;  // in the stream
  };
  // Bits: of each engine, its queue waits, is idle with its engine, its engine is busy; then the sequencer's.
  enum Level : u32 { Sem = 0, Idle = kEngines, Busy = 2 * kEngines, SeqQueue = 3 * kEngines, SeqSem, SeqFetch, Levels };

  bool tick();
  void look_at_fronts();
  void arbitrate();
  void arbitrate_vmem_writes();
  void arbitrate_aspm();
  void semaphores();
  void sequence(bool ready);
  void decode_after(i64 at);
  void decode(i64 taken_in);
  void engines();
  void fronts();
  const DmaCmd* accept_load();
  u32 engines_idle() const;
  u32 levels() const;
  void note_levels(u32 levels);
  void trace_engines();
  void kill();

  Sizes n_;
  Stream& stream_;
  AxiPace memory_;
  Network* network_;
  StorePort store_port_;
  ReadPort read_port_;
  ProgramLoad loader_;
  Semaphores sems_;
  std::array<Front, kEngines> fronts_;
  Load load_;
  Store store_;
  Matrix matrix_;
  Vector vector_;
  Sequencer seq_;
  bool stalls_;

  i64 now_ = 0;
  bool over_ = false, keep_ = false, kill_ = false, kill_next_ = false, fault_ = false, moved_ = false;
  std::size_t next_list_ = 0;
  std::vector<u32> list_;  // of the gather in the load engine

  // Of this cycle.
  bool grant_a_ = false, grant_b_ = false, grant_ix_ = false, grant_st_ = false, grant_ve_ = false, grant_ld_ = false;
  bool ld_waits_ = false;  // npu_vmem: load's write was not granted
  bool lds_asks_ = false;
  Network::Rx rx_ = Network::Rx::none;
  u32 accept_ = 0, done_ = 0;  // bits: engines
  // Of the fronts, as of their last step; bits: engines.
  bool fronts_moved_ = true;
  u32 offers_ = 0, empty_ = 0, waits_ = 0, restless_ = 0;
  SemOp sig_[kUsers], take_[kUsers];
  // Levels since then.
  u32 levels_now_ = 0;
  i64 levels_since_ = 0;
  std::array<u64, Levels> levels_{};
  u64 bank_waits_ = 0;
  std::vector<Event>* events_ = nullptr;
};

}  // namespace jogak::cycle
