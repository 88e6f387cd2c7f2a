// A chiplet whose inside is the cycle model: control and network without data, values from the exact model.
#pragma once

#include <memory>
#include <optional>

#include "chiplet.hpp"
#include "sim/link/link_end.hpp"
#include "traffic.hpp"
#include "values.hpp"

namespace jogak::systemc {

class CycleChiplet final : public Chiplet {
 public:
  // Die `die` of values.
  CycleChiplet(const sc_core::sc_module_name& name, const Options& options, Values& values, u32 die);
  // Its words carry their data.
  void carry(Traffic& traffic) { traffic_ = &traffic; }
  ~CycleChiplet() override;

  void launch(const Job& job, u64 cycle) override;
  bool over() const override { return over_; }
  bool waits_in_vain() const override { return starves_; }
  bool links_up() const override;
  void abort() override;
  void discard(bool all) override { network_.discard(all); }
  bool rests() const override;
  LinkUse sent(u32 link) const override;
  void give_up() override {
    finish();
    wake_.notify(options_.clock.until(options_.clock.now() + 1));  // what is open is to be filled up
  }
  const model::Result& result() const override { return result_; }
  u64 local_cycle() const override { return chip_ ? chip_->cycle() : last_cycle_; }
  void trace(std::vector<cycle::Event>* events) override { events_ = events; }
  std::array<u64, 64> counters() const override { return chip_ ? chip_->counters() : result_.counters.values; }
  u32 queued(u32 engine) const override { return chip_ ? chip_->queued(engine) : 0; }
  SocketMemory* memory() override { return memory_.get(); }

 private:
  // One end of a link.
  struct End {
    explicit End(u32 port_bytes) : end({.port_bytes = port_bytes, .open = true}) {}
    link::LinkEnd end;
    u64 at = 1, due = 1;  // the next cycle, and the one before which nothing moves by itself
    u64 words = 0;  // of data
    std::optional<Traffic::Reader> reader;  // where somebody looks at the data
    bool steps = false;
    link::LinkEnd::Inputs inputs;
    std::optional<link::Wire> wire;
  };

  void end_of_elaboration() override;
  void run();
  void hear_memory();
  void step_chip(u64 now);
  void step_network(u64 now);
  bool gather(u32 link, u64 now);
  u64 next(u64 now) const;
  void finish();
  void ahead();

  Options options_;
  Values& values_;
  u32 die_;
  const spec::Config& config_;
  std::unique_ptr<SocketMemory> memory_;
  cycle::Network network_;
  std::array<std::unique_ptr<End>, kLinks> ends_;
  std::optional<cycle::Chip> chip_;  // while it runs
  std::vector<cycle::Event>* events_ = nullptr;
  model::Result result_;
  u64 start_ = 0, due_ = kNever, last_cycle_ = 0;
  Traffic* traffic_ = nullptr;
  u32 seen_ = 0;  // of the network, when it was stepped last
  bool over_ = true, starves_ = false, aborted_ = false, linked_ = false;
  sc_core::sc_event wake_;
  sc_core::sc_event_or_list events_of_others_;
};

}  // namespace jogak::systemc
