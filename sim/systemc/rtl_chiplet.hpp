// A chiplet whose inside is its Verilated RTL, with the bytes of its memory; a thread, as register accesses take time.
#pragma once

#include <memory>

#include "chiplet.hpp"
#include "sim/rtl/package.hpp"
#include "values.hpp"

namespace jogak::systemc {

class RtlChiplet final : public Chiplet {
 public:
  // Begins every launch with the memories of the exact model's die, which executes the same program for the dies around.
  struct Store {
    u64 base = 0, bytes = 0;  // of the die's DRAM, in its own addresses
  };
  RtlChiplet(const sc_core::sc_module_name& name, const Options& options, Values& values, u32 die, const Store& store);
  ~RtlChiplet() override;

  void launch(const Job& job, u64 cycle) override;
  bool over() const override { return over_; }
  bool waits_in_vain() const override { return false; }
  bool links_up() const override;
  void abort() override { abort_ = true; }
  void discard(bool) override {}
  bool rests() const override { return true; }
  LinkUse sent(u32 link) const override { return {0, 0, 0, chiplet_->replays(link)}; }
  void give_up() override {}
  const model::Result& result() const override { return result_; }
  u64 local_cycle() const override { return options_.clock.now() - start_; }
  void trace(std::vector<cycle::Event>* events) override { events_ = events; }
  SocketMemory* memory() override { return memory_.get(); }
  rtl::Simulator& machine() { return chiplet_->machine(); }

 private:
  class Behind;
  void run();
  void cycle();
  void begin();
  void finish();

  Options options_;
  Values& values_;
  u32 die_;
  Store store_;
  std::unique_ptr<SocketMemory> memory_;
  std::unique_ptr<rtl::Chiplet> chiplet_;
  u32 links_ = 0;  // bits: there is a neighbour
  Job job_;
  std::vector<cycle::Event>* events_ = nullptr;
  model::Result result_;
  u64 start_ = 0;
  bool over_ = true, pending_ = false, placed_ = false, abort_ = false;
};

}  // namespace jogak::systemc
