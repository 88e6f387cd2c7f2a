// A package as a SystemC simulation, built as its file says (sim/package): a module for each chiplet, link and memory, and a host that
// launches them and waits for all.
//
//   Platform platform(spec, machines);             machines: of a model::Package, or one alone; by place
//   platform.begin(jobs);
//   while (!platform.run(100'000)) ...
//   platform.die(2).result();
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chiplet.hpp"
#include "dram_controller.hpp"
#include "sim/package/spec.hpp"
#include "traffic.hpp"
#include "values.hpp"

namespace jogak::systemc {

class Host;

class Platform {
 public:
  // ideal: of memories that are. Every link trains first. Throws Error for what cannot be simulated.
  Platform(const package::PackageSpec& spec, std::vector<model::Machine*> machines, const AxiPace::Options& ideal = {});
  // For packages whose file says "as: rtl" of a die: those are Verilated, with that memory. A run then begins a thousand cycles after begin().
  Platform(const package::PackageSpec& spec, model::Package& package, u64 memory_base, u64 memory_bytes, const AxiPace::Options& ideal = {});
  ~Platform();

  u32 dies() const { return u32(chiplets_.size()); }
  Chiplet& die(u32 index) { return *chiplets_.at(index); }
  Link* link(u32 from, u32 side) { return links_.at(from * kLinks + side).get(); }  // null at a border

  const dram::Dram* memory(u32 index) const { return memories_.at(index); }  // null: ideal, or somebody else's
  LinkUse use(u32 from, u32 side) const;  // since the platform was made; all 0 at a border

  // A launch a die, in the next cycle.
  void begin(const std::vector<Chiplet::Job>& jobs);
  // So many cycles; true: all runs are over.
  bool run(u64 cycles);
  void abort();
  u64 cycles() const { return next_; }  // that have passed

 private:
  struct Parts {
    model::Package* package = nullptr;
    u64 memory_base = 0, memory_bytes = 0;
  };
  Platform(const package::PackageSpec& spec, std::vector<model::Machine*> machines, const Parts& parts, const AxiPace::Options& ideal);
  std::unique_ptr<Chiplet> make(const package::PackageSpec& spec, u32 die, const Parts& parts, const AxiPace::Options& ideal);
  void build_links(const package::PackageSpec& spec);
  bool links_up() const;
  void settle();

  Simulation simulation_;
  Clock clock_;
  Values values_;
  std::unique_ptr<Traffic> traffic_;  // where some die is Verilated
  std::vector<std::unique_ptr<Chiplet>> chiplets_;
  std::vector<const dram::Dram*> memories_;  // by die
  std::vector<std::unique_ptr<DramController>> controllers_;
  std::vector<std::unique_ptr<Link>> links_;
  std::unique_ptr<Host> host_;
  u64 next_ = 0;  // cycle
  bool aborted_ = false;
};

}  // namespace jogak::systemc
