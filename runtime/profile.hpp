// Where time went: cycles by layer and operator, where the device has a clock.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "loaded.hpp"

namespace jogak {

// Follows the commands of one program, launch by launch, and gives every cycle to one operator of one layer: that of the
// oldest matrix command in flight; without one, of the vector, load or store command; else of the next command to start.
// Loads ahead (kWeightLoads) hold up nobody by themselves: they count as load time of the operator that will use the
// weights, never as its cycles.
class Timeline {
 public:
  static constexpr std::size_t kEngines = 4;  // ld, st, mx, ve
  // What an operator's cycles were for; they add up to `cycles`. A device whose trace has no counters gives all time of
  // matrix commands to `array`.
  enum Spent : std::size_t {
    kArray,    // the array multiplies
    kTile,     // a matrix command runs, but waits for its tiles or drains
    kVector,   // no matrix command; the vector engine works
    kMemory,   // neither; a load or store is under way
    kControl,  // nothing is in flight
    kSpents
  };
  struct Cell {
    std::uint64_t cycles = 0;
    std::array<std::uint64_t, kSpents> spent{};
    std::uint64_t beats = 0;                    // of the memory port during these cycles
    std::array<std::uint64_t, kEngines> busy{}; // engines' cycles with a command of this operator in flight, whenever
    void add(const Cell& other);
    // The largest part of the cycles in which the array did not multiply.
    Spent stall() const;
  };
  struct Row {
    std::uint32_t layer = kNoLayer;
    std::string op;  // empty: the whole layer
    Cell cell;
  };
  struct Span {
    std::uint64_t begin, end;  // cycles
    spec::Engine engine;
    std::uint32_t pc;
    std::size_t row;
  };
  // Cycles before the first and after the last command of a launch.
  static constexpr const char* kLaunch = "(launch)";

  // keep: most spans to remember for a trace file; later ones only count.
  Timeline(const Program& program, std::size_t keep);
  void begin_launch();
  void event(const driver::TraceEvent& e);
  void end_launch(const LaunchRecord& record);

  // In program order: what precedes the layers, layer by layer, what follows, kLaunch. Only what had commands.
  std::vector<Row> rows() const;
  std::vector<Row> layers() const;  // operators of a layer added up
  std::map<std::string, Cell> operators() const;
  // In Chrome's trace format: a thread per engine, one microsecond per cycle.
  std::string chrome_json() const;
  bool complete() const { return spans_.size() < keep_; }

 private:
  struct Started {
    std::uint64_t cycle;
    std::uint32_t pc;
    std::size_t row;
    bool ahead;  // of kWeightLoads
  };
  struct Passes {  // of one engine in this launch
    std::map<std::uint32_t, std::size_t> count;  // first layer of a body -> passes begun
    std::uint32_t body = kNoLayer;
    std::size_t order = 0;
  };
  std::size_t row(std::uint32_t layer, const std::string& op);
  void make_rows();
  std::size_t row_of(const driver::TraceEvent& e, bool ahead);
  std::size_t row_of_piece(std::uint32_t pc);
  void advance(const driver::TraceEvent& e);
  std::size_t owner() const;
  Spent reason() const;

  std::vector<MapEntry> map_;
  std::vector<WeightLoads> loads_;
  std::vector<std::size_t> entry_;              // by pc
  std::vector<std::size_t> order_;              // by entry: the first one of the same operator and body
  std::vector<Row> rows_;
  std::map<std::pair<std::uint32_t, std::string>, std::size_t> index_;
  std::size_t keep_, launch_ = 0;

  // This launch.
  std::array<std::deque<Started>, kEngines> open_;
  std::array<std::uint64_t, kEngines> free_from_{};  // an engine's last end
  std::array<Passes, kEngines> passes_;
  std::size_t piece_run_ = 0, piece_ = 0, piece_entry_ = 0;
  std::uint32_t piece_pc_ = 0;
  bool any_piece_ = false, any_event_ = false;
  std::uint64_t last_ = 0, covered_ = 0, array_ = 0, beats_ = 0;
  Cell waiting_;  // cycles of the next command to start
  std::vector<Span> spans_;
};

}  // namespace jogak
