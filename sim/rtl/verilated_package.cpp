// Packages of one configuration's chiplets: see verilated_machine.hpp; MAKE is the function it offers to the factory.
#define JOGAK_NPU_PATH npu_chiplet__DOT__u_npu__DOT__
#include "verilated_machine.hpp"

#include "package.hpp"

namespace jogak::rtl {

namespace {

constexpr unsigned kLinks = 4;
constexpr std::size_t kFlitWords = link::kFlitBytes / 4;
constexpr u64 kTrainingCycles = 100'000;

// A die; time passes for its whole package.
class Die final : public Machine {
 public:
  Die(const Options& options, std::function<void()> pass) : Machine(options), pass_(std::move(pass)) {}

  void wire_reset() {
    dut().phy_tx_ready_i = dut().phy_rx_valid_i = dut().side_hear_i = dut().phy_rx_clk_i = dut().phy_rx_rst_ni = 0;
    for (int i = 0; i < 2; ++i) edge_links();
    dut().phy_rx_rst_ni = (1u << kLinks) - 1;
    dut().rst_ni = 0;
    for (int i = 0; i < 4; ++i) edge();
    dut().rst_ni = 1;
    edge();
  }
  void prepare(unsigned links_ready, unsigned side_hear) {
    dut().phy_tx_ready_i = links_ready, dut().side_hear_i = side_hear;
    dut().eval();
  }
  void receive(unsigned link, const link::Wire* wire) {
    const unsigned bit = 1u << link;
    dut().phy_rx_valid_i = static_cast<u8>((dut().phy_rx_valid_i & ~bit) | (wire != nullptr ? bit : 0));
    if (wire != nullptr) std::copy(wire->begin(), wire->end(), &dut().phy_rx_flit_i[link * kFlitWords]);
  }
  bool sends(unsigned link) { return dut().phy_tx_valid_o >> link & 1; }
  link::Wire flit(unsigned link) {
    link::Wire w;
    std::copy_n(&dut().phy_tx_flit_o[link * kFlitWords], kFlitWords, w.begin());
    return w;
  }
  link::Width width(unsigned link) { return static_cast<link::Width>(dut().phy_tx_width_o >> 2 * link & 3); }
  bool hears(unsigned link) { return dut().side_hear_o >> link & 1; }
  bool up(unsigned link) { return dut().link_up_o >> link & 1; }
  u32 replays(unsigned link) { return dut().link_replays_o[link]; }
  void sample_cycle() { sample(); }
  void edge_cycle() { edge(); }

 protected:
  void tick() override { pass_(); }
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
  std::function<void()> pass_;
};

class Package final : public PackageSimulator {
 public:
  explicit Package(const PackageOptions& o) : options_(o) {
    for (unsigned d = 0; d < o.columns * o.rows; ++d) {
      Options die = o.die;
      die.seed += d;
      dies_.push_back(std::make_unique<Die>(die, [this] { tick(); }));
      dies_.back()->wire_reset();
      for (unsigned l = 0; l < kLinks; ++l) {
        link::ChannelOptions c = o.link;
        c.seed += 101 * (d * kLinks + l + 1);
        channels_.emplace_back(c);
      }
    }
    for (u64 i = 0; i < kTrainingCycles && !links_up(); ++i) tick();
    if (!links_up()) throw Error("package", "links", "some that do not train", "all up after " + std::to_string(kTrainingCycles) + " cycles");
    for (unsigned d = 0; d < dies_.size(); ++d)
      dies_[d]->write_csr(spec::csr::place, d % o.columns | d / o.columns << 4 | (o.columns - 1) << 8 | (o.rows - 1) << 12);
  }

  unsigned dies() const override { return static_cast<unsigned>(dies_.size()); }
  Simulator& die(unsigned index) override { return *dies_.at(index); }
  u64 cycles() const override { return cycle_; }
  link::Channel& channel(unsigned from, unsigned link) override { return channels_.at(from * kLinks + link); }
  bool run_until_done(u64 cycles) override {
    const auto done = [&] { return std::ranges::all_of(dies_, [](const auto& d) { return d->irq(); }); };
    for (const u64 end = cycle_ + cycles; !done() && cycle_ < end;) tick();
    return done();
  }
  bool links_up() const override {
    for (unsigned d = 0; d < dies_.size(); ++d)
      for (unsigned l = 0; l < kLinks; ++l)
        if (neighbour(d, l) >= 0 && !dies_[d]->up(l)) return false;
    return true;
  }
  u64 replays() const override {
    u64 sum = 0;
    for (const auto& d : dies_)
      for (unsigned l = 0; l < kLinks; ++l) sum += d->replays(l);
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

  void tick() {
    const u64 now = ++cycle_ * options_.period_ps;
    for (unsigned d = 0; d < dies_.size(); ++d) {
      unsigned ready = 0, hear = 0;
      for (unsigned l = 0; l < kLinks; ++l) {
        const int n = neighbour(d, l);
        if (n < 0) continue;
        ready |= (channel(d, l).ready(now) ? 1u : 0u) << l;
        hear |= (dies_[static_cast<unsigned>(n)]->hears(l ^ 1) ? 1u : 0u) << l;
        const auto wire = channel(static_cast<unsigned>(n), l ^ 1).receive(now);
        dies_[d]->receive(l, wire ? &*wire : nullptr);
      }
      dies_[d]->prepare(ready, hear);
      for (unsigned l = 0; l < kLinks; ++l)
        if ((ready >> l & 1) != 0 && dies_[d]->sends(l)) channel(d, l).send(now, dies_[d]->flit(l), dies_[d]->width(l));
    }
    for (auto& d : dies_) d->sample_cycle();
    for (auto& d : dies_) d->edge_cycle();
  }

  PackageOptions options_;
  std::vector<std::unique_ptr<Die>> dies_;
  std::vector<link::Channel> channels_;
  u64 cycle_ = 0;
};

}  // namespace

std::unique_ptr<PackageSimulator> MAKE(const PackageOptions& options) { return std::make_unique<Package>(options); }

}  // namespace jogak::rtl
