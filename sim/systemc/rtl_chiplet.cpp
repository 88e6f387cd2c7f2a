#include "rtl_chiplet.hpp"

#include <algorithm>
#include <cstring>

#include "error.hpp"

namespace jogak::systemc {

namespace {

constexpr u64 kStartCycles = 2;  // from the write that starts a run to its cycle 0

}  // namespace

// What the Verilated machine owns: the module's socket.
class RtlChiplet::Behind final : public MemoryTiming {
 public:
  explicit Behind(SocketMemory& socket) : socket_(socket) {}
  u32 access_bytes() const override { return socket_.access_bytes(); }
  void access(u64 cycle, u64 addr, bool write, u64 id) override { socket_.access(cycle, addr, write, id); }
  void advance(u64 cycle) override {
    socket_.advance(cycle);
    done_.insert(done_.end(), socket_.done().begin(), socket_.done().end());
    socket_.done().clear();
  }
  // One that answers by itself is looked at in every cycle.
  u64 next() override {
    const u64 next = socket_.next();
    return socket_.foreign() ? 0 : next;
  }
  void restart() override { socket_.restart(); }

 private:
  SocketMemory& socket_;
};

RtlChiplet::RtlChiplet(const sc_core::sc_module_name& name, const Options& o, Values& values, u32 die, const Store& store)
    : Chiplet(name), options_(o), values_(values), die_(die), store_(store) {
  rtl::Options with;
  with.read_latency = o.ideal.read_latency, with.write_latency = o.ideal.write_latency;
  with.seed += die;
  with.dram_base = store.base, with.dram_bytes = store.bytes;
  if (o.memory_access != 0) {
    memory_ = std::make_unique<SocketMemory>("memory", o.clock, o.memory_access);
    with.memory = [this] { return std::make_unique<Behind>(*memory_); };
  }
  chiplet_ = rtl::make_chiplet(values.machine(die).config().name, with, [this] { cycle(); });
  chiplet_->machine().on_trace([this](const rtl::TraceEvent& e) {
    if (events_ != nullptr && !over_) events_->push_back({options_.clock.now() - start_, static_cast<std::uint8_t>(e.engine), e.start, static_cast<std::uint16_t>(e.pc), 0, 0, 0});
  });
  SC_HAS_PROCESS(RtlChiplet);
  SC_THREAD(run);
}
RtlChiplet::~RtlChiplet() = default;

bool RtlChiplet::links_up() const {
  for (u32 l = 0; l < kLinks; ++l)
    if (in[l].size() != 0 && !chiplet_->up(l)) return false;
  return true;
}

void RtlChiplet::launch(const Job& job, u64 cycle) {
  values_.begin(die_, job.launch);
  job_ = job;
  start_ = cycle;
  pending_ = true;
  over_ = abort_ = false;
  model::Machine& machine = values_.machine(die_);
  rtl::Simulator& rtl = chiplet_->machine();
  for (const auto space : {spec::Space::wspm, spec::Space::wsc, spec::Space::aspm, spec::Space::asc, spec::Space::vmem})
    rtl.poke(space, 0, machine.memories().bytes(space));
  const auto copy = [&](u64 at, std::span<const std::uint8_t> bytes) {
    if (at < store_.base || at + bytes.size() > store_.base + store_.bytes)
      throw Error(name(), "memory at " + std::to_string(at), std::to_string(bytes.size()) + " bytes", "some within the die's DRAM");
    std::ranges::copy(bytes, rtl.dram().begin() + std::ptrdiff_t(at - store_.base));
  };
  for (const model::Window& w : job.launch.windows)
    if (w.size != 0 && !model::is_remote(w.base)) copy(w.base, {machine.dram().find(w.base, w.size), w.size});
  copy(job.code, {reinterpret_cast<const std::uint8_t*>(job.launch.code.data()), job.launch.code.size_bytes()});
}

void RtlChiplet::run() {
  for (u32 l = 0; l < kLinks; ++l) links_ |= u32(in[l].size() != 0) << l;
  wait(options_.clock.at(1));
  for (;;) {
    if (!placed_ && links_up()) {
      placed_ = true;
      machine().write_csr(spec::csr::place, options_.x | options_.y << 4 | options_.last_x << 8 | options_.last_y << 12);
    } else if (pending_) {
      begin();
    } else if (!over_ && machine().irq()) {
      finish();
    } else {
      if (abort_) abort_ = false, machine().write_csr(spec::csr::control, 1);
      cycle();
    }
  }
}

// One cycle, and on to the next.
void RtlChiplet::cycle() {
  const u64 now = options_.clock.now();
  u32 ready = 0, hear = 0;
  for (u32 l = 0; l < kLinks; ++l) {
    if ((links_ >> l & 1) == 0) continue;
    ready |= u32(out[l]->ready(now)) << l;
    hear |= u32(in[l]->hear(now)) << l;
    const auto wire = in[l]->receive(now);
    chiplet_->receive(l, wire ? &*wire : nullptr);
  }
  chiplet_->prepare(ready, hear);
  for (u32 l = 0; l < kLinks; ++l)
    if ((ready >> l & 1) != 0 && chiplet_->sends(l)) out[l]->send(now, chiplet_->flit(l), chiplet_->width(l));
  chiplet_->end_cycle();
  for (u32 l = 0; l < kLinks; ++l)
    if ((links_ >> l & 1) != 0) out[l]->set_hear(now, chiplet_->hears(l));
  wait(options_.clock.at(1));
}

void RtlChiplet::begin() {
  sim::LaunchSetup setup{.code = job_.code, .code_len = u32(job_.launch.code.size())};
  setup.resident = job_.resident;
  setup.watchdog = job_.launch.watchdog;
  std::ranges::copy(job_.launch.args, setup.args.begin());
  for (u32 w = 0; w < setup.windows.size(); ++w) {
    const model::Window& from = job_.launch.windows[w];
    setup.windows[w] = {from.base, from.size, from.readable, from.writable};
  }
  sim::prepare(machine(), setup);
  if (options_.clock.now() + kStartCycles > start_) throw Error(name(), "launch", "registers written in cycle " + std::to_string(options_.clock.now()), "before " + std::to_string(start_));
  while (options_.clock.now() + kStartCycles < start_) cycle();
  machine().restart_memory();
  pending_ = false;
  sim::start(machine());
}

void RtlChiplet::finish() {
  const sim::RunResult r = sim::collect(machine());
  result_ = {};
  result_.fault.code = r.fault.code, result_.fault.pc = r.fault.pc, result_.fault.engine = r.fault.engine, result_.fault.address = r.fault.address;
  std::ranges::copy(r.counters, result_.counters.values.begin());
  while (!values_.executed(die_) && values_.advance(die_)) continue;  // the exact model's memories are of use to the next launch
  over_ = true;
  changed_.notify(sc_core::SC_ZERO_TIME);
}

}  // namespace jogak::systemc
