#include "platform.hpp"

#include <algorithm>

#include "cycle_chiplet.hpp"
#include "error.hpp"
#include "host.hpp"
#if JOGAK_SYSTEMC_RTL
#include "rtl_chiplet.hpp"
#endif

int sc_main(int, char**) { return 0; }  // SystemC's library wants one; nobody calls it

namespace jogak::systemc {

namespace {

constexpr u64 kTrainingCycles = 100'000, kSettleCycles = 1'000'000;
constexpr u64 kPrepareCycles = 1000;  // in which registers of Verilated dies are written
constexpr const char* kSideNames[kLinks] = {"east", "west", "north", "south"};

u32 memory_access(const package::Die& d) {
  const dram::Options o = d.memory ? dram::parse_options(d.memory->timing) : dram::Options{};
  return o.preset == nullptr ? 0 : o.preset->access_bytes();
}

std::vector<model::Machine*> machines_of(model::Package& package) {
  std::vector<model::Machine*> machines;
  for (u32 d = 0; d < package.dies(); ++d) machines.push_back(&package.die(d));
  return machines;
}

}  // namespace

Platform::Platform(const package::PackageSpec& spec, std::vector<model::Machine*> machines, const AxiPace::Options& ideal)
    : Platform(spec, std::move(machines), Parts{}, ideal) {}

Platform::Platform(const package::PackageSpec& spec, model::Package& package, u64 memory_base, u64 memory_bytes, const AxiPace::Options& ideal)
    : Platform(spec, machines_of(package), Parts{&package, memory_base, memory_bytes}, ideal) {}

std::unique_ptr<Chiplet> Platform::make(const package::PackageSpec& spec, u32 d, const Parts& parts, const AxiPace::Options& ideal) {
  const package::Die& die = spec.dies[d];
  const std::string name = "chiplet_" + die.name;
  const Chiplet::Options o{clock_, die.x, die.y, spec.columns - 1, spec.rows - 1, memory_access(die), ideal};
  if (die.as != "rtl") {
    auto chiplet = std::make_unique<CycleChiplet>(name.c_str(), o, values_, d);
    if (traffic_) chiplet->carry(*traffic_);
    return chiplet;
  }
#if JOGAK_SYSTEMC_RTL
  if (parts.package == nullptr) throw Error("systemc platform", "die " + die.name, "it as rtl", "cycle, for this caller");
  values_.ignore(d);
  return std::make_unique<RtlChiplet>(name.c_str(), o, values_, d, RtlChiplet::Store{parts.memory_base, parts.memory_bytes});
#else
  (void)parts;
  throw Error("systemc platform", "die " + die.name, "it as rtl", "cycle: this build has no Verilated packages");
#endif
}

Platform::Platform(const package::PackageSpec& spec, std::vector<model::Machine*> machines, const Parts& parts, const AxiPace::Options& ideal)
    : clock_{spec.period_ps()}, values_(std::move(machines)), memories_(spec.dies.size()), links_(spec.dies.size() * kLinks) {
  if (values_.dies() != spec.dies.size())
    throw Error("systemc platform", "machines", std::to_string(values_.dies()), std::to_string(spec.dies.size()) + ", one a die");
  const Simulation::Enter in(simulation_);
  const auto verilated = [](const package::Die& d) { return d.as == "rtl"; };
  if (parts.package != nullptr && std::ranges::any_of(spec.dies, verilated)) traffic_ = std::make_unique<Traffic>(*parts.package, values_);
  for (u32 d = 0; d < spec.dies.size(); ++d) {
    const package::Die& die = spec.dies[d];
    chiplets_.push_back(make(spec, d, parts, ideal));
    SocketMemory* memory = chiplets_.back()->memory();
    if (memory == nullptr) continue;
    controllers_.push_back(std::make_unique<DramController>(("memory_" + die.name).c_str(), dram::parse_options(die.memory->timing)));
    memory->socket.bind(controllers_.back()->socket);
    memories_[d] = &controllers_.back()->dram();
  }
  build_links(spec);
  std::vector<Chiplet*> all;
  for (const auto& c : chiplets_) all.push_back(c.get());
  host_ = std::make_unique<Host>("host", std::move(all));
  while (next_ == 0 || (!links_up() && next_ < kTrainingCycles)) sc_core::sc_start(clock_.at(1)), ++next_;
  if (!links_up()) throw Error("systemc platform", "links", "some that do not train", "all up after " + std::to_string(kTrainingCycles) + " cycles");
}

Platform::~Platform() {
  const Simulation::Enter in(simulation_);
  host_.reset(), links_.clear(), controllers_.clear(), chiplets_.clear();
}

void Platform::build_links(const package::PackageSpec& spec) {
  for (u32 d = 0; d < spec.dies.size(); ++d) {
    for (u32 l = 0; l < kLinks; ++l) {
      const auto& kind = spec.dies[d].links[l];
      if (!kind) continue;
      const link::ChannelOptions o{kind->gb_per_s(), u64(kind->latency_ns * 1000), kind->bit_error_rate, 1 + 101 * (u64(d) * kLinks + l + 1)};
      auto& link = links_[d * kLinks + l] = std::make_unique<Link>(("link_" + spec.dies[d].name + "_" + kSideNames[l]).c_str(), clock_, o);
      const u32 neighbour = l == 0 ? d + 1 : l == 1 ? d - 1 : l == 2 ? d + spec.columns : d - spec.columns;
      if (spec.dies[neighbour].as == "rtl") link->receiver_checks();
      chiplets_[d]->out[l].bind(*link);
      chiplets_[neighbour]->in[l ^ 1].bind(*link);
    }
  }
}

LinkUse Platform::use(u32 from, u32 side) const {
  const auto& link = links_.at(from * kLinks + side);
  if (!link) return {};
  LinkUse use = chiplets_[from]->sent(side);
  use.flits = link->channel().flits();
  use.busy_cycles = u64(link->channel().busy_ps() / double(clock_.period_ps));
  return use;
}

bool Platform::links_up() const {
  for (const auto& c : chiplets_)
    if (!c->links_up()) return false;
  return true;
}

void Platform::begin(const std::vector<Chiplet::Job>& jobs) {
  if (jobs.size() != dies()) throw Error("systemc platform", "jobs", std::to_string(jobs.size()), std::to_string(dies()) + ", one a die");
  if (!host_->over()) throw Error("systemc platform", "begin", "a job in flight", "none");
  const Simulation::Enter in(simulation_);
  settle();
  for (u32 d = 0; d < dies(); ++d) values_.machine(d).clear_remote_signals();
  if (traffic_) traffic_->begin();
  for (u32 d = 0; d < dies(); ++d) chiplets_[d]->launch(jobs[d], next_ + (traffic_ ? kPrepareCycles : 0));
}

void Platform::settle() {
  const auto broken = [](const auto& c) { return c->result().fault.code != spec::Fault::none; };
  if (!aborted_ && std::ranges::none_of(chiplets_, broken)) return;
  aborted_ = false;
  for (const auto& c : chiplets_) c->discard(true);
  for (const u64 end = next_ + kSettleCycles; next_ < end;) {
    sc_core::sc_start(clock_.until(next_ + 1));
    ++next_;
    if (std::ranges::all_of(chiplets_, [](const auto& c) { return c->rests(); })) break;
  }
  for (const auto& c : chiplets_) c->discard(false);
}

bool Platform::run(u64 cycles) {
  const Simulation::Enter in(simulation_);
  if (host_->over()) return true;
  // What is due at the end of a stretch waits for the next one.
  sc_core::sc_start(clock_.until(next_ + cycles));
  next_ = clock_.now();
  if (!host_->over()) return false;
  ++next_;  // paused within a cycle, which is over
  return true;
}

void Platform::abort() {
  const Simulation::Enter in(simulation_);
  aborted_ = true;
  for (const auto& c : chiplets_) {
    if (c->over()) c->discard(true);
    else c->abort();
  }
}

}  // namespace jogak::systemc
