// Packages of one configuration's chiplets: see verilated_machine.hpp; MAKE is the function it offers to the factory.
#define JOGAK_NPU_PATH npu_chiplet__DOT__u_npu__DOT__
#include "verilated_machine.hpp"

#include "cut.hpp"
#include "package.hpp"

namespace jogak::rtl {

namespace {

constexpr unsigned kLinks = 4;
constexpr std::size_t kFlitWords = link::kFlitBytes / 4;
constexpr u64 kTrainingCycles = 100'000;

// What a die needs of its package.
struct Time {
  std::function<void()> pass;                     // a cycle, for all dies
  unsigned access_cycles = 0;
  std::function<void(std::span<u8>)> tell = {};   // what this die's process knows, to all; empty: one process
};

// A die; time passes for its whole package.
class Die final : public Machine, public Chiplet {
 public:
  Die(const Options& options, Time time) : Machine(options), time_(std::move(time)) {}

  void write_csr(u32 offset, u32 value) override {
    const u64 begin = cycles();
    Machine::write_csr(offset, value);
    rest(begin);
  }
  u32 read_csr(u32 offset) override {
    const u64 begin = cycles();
    u32 value = Machine::read_csr(offset);
    rest(begin);
    if (time_.tell) time_.tell({reinterpret_cast<u8*>(&value), sizeof value});
    return value;
  }
  void peek(spec::Space space, std::size_t at, std::span<u8> bytes) const override {
    Machine::peek(space, at, bytes);
    if (time_.tell) time_.tell(bytes);
  }

  void wire_reset() {
    dut().phy_tx_ready_i = dut().phy_rx_valid_i = dut().side_hear_i = dut().phy_rx_clk_i = dut().phy_rx_rst_ni = 0;
    for (int i = 0; i < 2; ++i) edge_links();
    dut().phy_rx_rst_ni = (1u << kLinks) - 1;
    dut().rst_ni = 0;
    for (int i = 0; i < 4; ++i) edge();
    dut().rst_ni = 1;
    edge();
  }
  Simulator& machine() override { return *this; }
  void end_cycle() override { sample(), edge(); }
  void prepare(unsigned links_ready, unsigned side_hear) override {
    dut().phy_tx_ready_i = links_ready, dut().side_hear_i = side_hear;
    dut().eval();
  }
  void receive(unsigned link, const link::Wire* wire) override {
    const unsigned bit = 1u << link;
    dut().phy_rx_valid_i = static_cast<u8>((dut().phy_rx_valid_i & ~bit) | (wire != nullptr ? bit : 0));
    if (wire != nullptr) std::copy(wire->begin(), wire->end(), &dut().phy_rx_flit_i[link * kFlitWords]);
  }
  bool sends(unsigned link) override { return dut().phy_tx_valid_o >> link & 1; }
  link::Wire flit(unsigned link) override {
    link::Wire w;
    std::copy_n(&dut().phy_tx_flit_o[link * kFlitWords], kFlitWords, w.begin());
    return w;
  }
  link::Width width(unsigned link) override { return static_cast<link::Width>(dut().phy_tx_width_o >> 2 * link & 3); }
  bool hears(unsigned link) override { return dut().side_hear_o >> link & 1; }
  bool up(unsigned link) override { return dut().link_up_o >> link & 1; }
  // As npu_sems_probe keeps them: n, semaphore, valid from the least significant bit on, user after user.
  void waiting(unsigned die, std::vector<Waiting>& out) {
    constexpr unsigned kCount = 8, kSem = 6, kBits = kCount + kSem + 1, kUsers = 5;
    const auto& words = dut().rootp->npu_chiplet__DOT__u_npu__DOT__u_control__DOT__u_sems__DOT__u_probe__DOT__take_q;
    const auto field = [&](unsigned at, unsigned bits) {
      unsigned v = 0;
      for (unsigned b = 0; b < bits; ++b) v |= (words[(at + b) / 32] >> (at + b) % 32 & 1) << b;
      return v;
    };
    for (unsigned u = 0; u < kUsers; ++u)
      if (field(u * kBits + kCount + kSem, 1)) out.push_back({die, u, field(u * kBits + kCount, kSem), field(u * kBits, kCount)});
  }
  std::vector<u64> counters_now() {
    const auto c = counters();
    return {c.begin(), c.end()};
  }
  unsigned queued(spec::Engine engine) {
#define JOGAK_QUEUE(name) dut().rootp->npu_chiplet__DOT__u_npu__DOT__u_control__DOT__u_front_##name##__DOT__u_queue__DOT__count_q
    switch (engine) {
      case spec::Engine::ld: return JOGAK_QUEUE(ld);
      case spec::Engine::st: return JOGAK_QUEUE(st);
      case spec::Engine::mx: return JOGAK_QUEUE(mx);
      default: return JOGAK_QUEUE(ve);
    }
#undef JOGAK_QUEUE
  }
  u32 replays(unsigned link) override { return dut().link_replays_o[link]; }
  void sample_cycle() { sample(); }
  void edge_cycle() { edge(); }

 protected:
  void tick() override { time_.pass(); }
  // The links' receiving clocks are the dies' own.
  void rise() override {
    dut().clk_i = 1;
    dut().phy_rx_clk_i = (1u << kLinks) - 1;
    dut().eval();
    dut().phy_rx_clk_i = 0;
  }

 private:
  void edge_links() {
    dut().phy_rx_clk_i = (1u << kLinks) - 1;
    dut().eval();
    dut().phy_rx_clk_i = 0;
    dut().eval();
  }
  // Every access takes the same time, so that other processes know when it is over.
  void rest(u64 begin) {
    if (time_.access_cycles == 0) return;
    if (cycles() - begin > time_.access_cycles)
      throw Error("package", "register access", std::to_string(cycles() - begin) + " cycles", std::to_string(time_.access_cycles) + " at most (access_cycles)");
    while (cycles() - begin < time_.access_cycles) tick();
  }
  Time time_;
};

// A die of another process: time passes as for its own one, what is known comes from there.
class Elsewhere final : public Simulator {
 public:
  Elsewhere(const Options& options, Time time) : options_(options), time_(std::move(time)), store_(options.dram_bytes) {}

  const spec::Config& config() const override { return *spec::find_config(CONFIG_NAME); }
  std::span<u8> dram() override { return store_; }
  u64 dram_base() const override { return options_.dram_base; }
  void write_csr(u32, u32) override { pass(); }
  u32 read_csr(u32) override {
    pass();
    u32 value = 0;
    time_.tell({reinterpret_cast<u8*>(&value), sizeof value});
    return value;
  }
  void peek(spec::Space, std::size_t, std::span<u8> bytes) const override { time_.tell(bytes); }
  void poke(spec::Space, std::size_t, std::span<const u8>) override {}
  void reset() override {}
  u64 cycles() const override { return here("cycles"), 0; }
  bool irq() const override { return here("interrupt"), false; }
  bool run_until_irq(u64) override { return here("interrupt"), false; }
  void bus_error(u64, u64) override {}
  void clear_bus_errors() override {}
  void freeze_bus(bool) override {}
  void restart_memory() override {}
  void on_trace(std::function<void(const TraceEvent&)>) override {}
  void waves(const std::string&, u64, u64) override { here("waves"); }

 private:
  void pass() {
    for (unsigned i = 0; i < time_.access_cycles; ++i) time_.pass();
  }
  [[noreturn]] static void here(const char* what) { throw Error("package", what, "a die of another process", "one of this process"); }
  Options options_;
  Time time_;
  std::vector<u8> store_;
};

class Package final : public PackageSimulator {
 public:
  explicit Package(const PackageOptions& o) : options_(o) {
    const unsigned count = o.columns * o.rows;
    if (o.transport != nullptr && (o.access_cycles == 0 || o.transport->ranks() > count || count % o.transport->ranks() != 0))
      throw Error("package", "processes", std::to_string(o.transport->ranks()) + " with access_cycles " + std::to_string(o.access_cycles),
                  "a divisor of " + std::to_string(count) + " dies, and access_cycles");
    for (unsigned d = 0; d < count; ++d) {
      Options die = o.die;
      die.seed += d;
      Time time{[this] { tick(); }, o.access_cycles, {}};
      if (o.transport != nullptr) time.tell = [this, d](std::span<u8> bytes) { options_.transport->broadcast(owner(d), bytes); };
      dies_.push_back(mine(d) ? std::make_unique<Die>(die, time) : nullptr);
      elsewhere_.push_back(mine(d) ? nullptr : std::make_unique<Elsewhere>(die, time));
      if (mine(d)) here_.push_back(d), dies_[d]->wire_reset();
      for (unsigned l = 0; l < kLinks; ++l) {
        link::ChannelOptions c = o.link;
        c.seed += 101 * (d * kLinks + l + 1);
        channels_.emplace_back(c);
      }
    }
    cut();
    for (u64 i = 0; i < kTrainingCycles && !links_up(); ++i) tick();
    if (!links_up()) throw Error("package", "links", "some that do not train", "all up after " + std::to_string(kTrainingCycles) + " cycles");
    for (unsigned d = 0; d < count; ++d)
      die(d).write_csr(spec::csr::place, d % o.columns | d / o.columns << 4 | (o.columns - 1) << 8 | (o.rows - 1) << 12);
  }

  unsigned dies() const override { return static_cast<unsigned>(dies_.size()); }
  bool mine(unsigned index) const override { return options_.transport == nullptr || owner(index) == options_.transport->rank(); }
  Simulator& die(unsigned index) override { return mine(index) ? static_cast<Simulator&>(*dies_.at(index)) : *elsewhere_.at(index); }
  u64 cycles() const override { return cycle_; }
  link::Channel& channel(unsigned from, unsigned link) override { return channels_.at(from * kLinks + link); }
  bool run_until_done(u64 cycles) override {
    const auto done = [&] { return none(std::ranges::count_if(here_, [&](unsigned d) { return !dies_[d]->irq(); })); };
    for (const u64 end = cycle_ + cycles; cycle_ < end; tick())
      if (cycle_ % options_.look_cycles == 0 && done()) return true;
    return done();
  }
  void pass(u64 cycles) override {
    for (; cycles > 0; --cycles) tick();
  }
  bool links_up() const override {
    long down = 0;
    for (const unsigned d : here_)
      for (unsigned l = 0; l < kLinks; ++l) down += !link_up(d, l);
    return none(down);
  }
  bool link_up(unsigned d, unsigned l) const override { return neighbour(d, l) < 0 || dies_.at(d)->up(l); }
  std::vector<Waiting> waiting() const override {
    std::vector<Waiting> all;
    for (const unsigned d : here_)
      if (!dies_[d]->irq()) dies_[d]->waiting(d, all);
    return all;
  }
  u64 replays() const override {
    u64 sum = 0;
    for (const unsigned d : here_)
      for (unsigned l = 0; l < kLinks; ++l) sum += dies_[d]->replays(l);
    return this->sum(sum);
  }
  u64 sum(u64 here) const override { return options_.transport == nullptr ? here : options_.transport->sum(here); }
  std::string together(const std::string& here) const override { return options_.transport == nullptr ? here : gathered(*options_.transport, here); }
  std::vector<u64> counters(unsigned d) override { return dies_.at(d)->counters_now(); }
  unsigned queued(unsigned d, spec::Engine engine) const override { return dies_.at(d)->queued(engine); }
  u64 link_replays(unsigned d, unsigned l) const override { return dies_.at(d)->replays(l); }
  u64 exchanges() const override {
    u64 sum = 0;
    for (const Cut& c : cuts_) sum += c.exchanges();
    return sum;
  }

 private:
  // The die at the other end of a link, -1 at a border; its link there is the opposite one.
  int neighbour(unsigned d, unsigned link) const {
    const unsigned x = d % options_.columns, y = d / options_.columns;
    switch (link) {
      case 0: return x + 1 < options_.columns ? static_cast<int>(d + 1) : -1;
      case 1: return x > 0 ? static_cast<int>(d - 1) : -1;
      case 2: return y + 1 < options_.rows ? static_cast<int>(d + options_.columns) : -1;
      default: return y > 0 ? static_cast<int>(d - options_.columns) : -1;
    }
  }

  unsigned owner(unsigned d) const { return d * options_.transport->ranks() / (options_.columns * options_.rows); }
  bool none(long here) const { return (options_.transport == nullptr ? static_cast<u64>(here) : options_.transport->sum(static_cast<u64>(here))) == 0; }

  // The links between this process's dies and others', by process.
  void cut() {
    if (options_.transport == nullptr) return;
    for (unsigned peer = 0; peer < options_.transport->ranks(); ++peer) {
      Cut c(peer, options_.link, options_.period_ps);
      for (const unsigned d : here_)
        for (unsigned l = 0; l < kLinks; ++l)
          if (const int n = neighbour(d, l); n >= 0 && peer != options_.transport->rank() && owner(static_cast<unsigned>(n)) == peer)
            c.add({d, l, static_cast<unsigned>(n), &channel(d, l), &channel(static_cast<unsigned>(n), l ^ 1)});
      if (!c.ends().empty()) cuts_.push_back(c);
    }
  }
  bool heard(unsigned d, unsigned l, unsigned n) const {
    if (mine(n)) return dies_[n]->hears(l ^ 1);
    return std::ranges::find(cuts_, owner(n), &Cut::peer)->heard(d, l);
  }
  void meet() {
    const auto hears = [this](unsigned d, unsigned l) { return dies_[d]->hears(l); };
    for (Cut& c : cuts_) {
      c.watch(hears);
      if (c.due(cycle_)) c.exchange(*options_.transport, cycle_, hears, [this](unsigned d, unsigned l) { return dies_[d]->up(l); });
    }
  }

  void tick() {
    const u64 now = ++cycle_ * options_.period_ps;
    meet();
    for (const unsigned d : here_) {
      unsigned ready = 0, hear = 0;
      for (unsigned l = 0; l < kLinks; ++l) {
        const int n = neighbour(d, l);
        if (n < 0) continue;
        ready |= (channel(d, l).ready(now) ? 1u : 0u) << l;
        hear |= (heard(d, l, static_cast<unsigned>(n)) ? 1u : 0u) << l;
        const auto wire = channel(static_cast<unsigned>(n), l ^ 1).receive(now);
        dies_[d]->receive(l, wire ? &*wire : nullptr);
      }
      dies_[d]->prepare(ready, hear);
      for (unsigned l = 0; l < kLinks; ++l)
        if ((ready >> l & 1) != 0 && dies_[d]->sends(l)) channel(d, l).send(now, dies_[d]->flit(l), dies_[d]->width(l));
    }
    for (const unsigned d : here_) dies_[d]->sample_cycle();
    for (const unsigned d : here_) dies_[d]->edge_cycle();
  }

  PackageOptions options_;
  std::vector<std::unique_ptr<Die>> dies_;                // null: of another process
  std::vector<std::unique_ptr<Elsewhere>> elsewhere_;     // null: of this one
  std::vector<unsigned> here_;                            // the dies of this process
  std::vector<link::Channel> channels_;                   // of all; those between others stay empty
  std::vector<Cut> cuts_;
  u64 cycle_ = 0;
};

}  // namespace

std::unique_ptr<PackageSimulator> MAKE(const PackageOptions& options) { return std::make_unique<Package>(options); }

std::unique_ptr<Chiplet> MAKE_CHIPLET(const Options& options, std::function<void()> pass) {
  auto die = std::make_unique<Die>(options, Time{std::move(pass), 0, {}});
  die->wire_reset();
  return die;
}

}  // namespace jogak::rtl
