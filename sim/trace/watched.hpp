// DRAM whose counts are kept where a trace can read them, also after its machine is gone.
#pragma once

#include <memory>
#include <vector>

#include "sim/dram/dram.hpp"

namespace jogak::trace {

using Counts = std::shared_ptr<std::vector<dram::Counts>>;

class Watched final : public MemoryTiming {
 public:
  Watched(const dram::Options& options, Counts counts) : inner_(options), counts_(std::move(counts)) { note(); }

  std::uint32_t access_bytes() const override { return inner_.access_bytes(); }
  void access(std::uint64_t cycle, std::uint64_t addr, bool write, std::uint64_t id) override {
    inner_.access(cycle, addr, write, id);
    pass();
  }
  void advance(std::uint64_t cycle) override {
    inner_.advance(cycle);
    pass();
    note();
  }
  std::uint64_t next() override { return inner_.next(); }
  void restart() override {
    inner_.restart();
    done_.clear();
  }

 private:
  void pass() {
    done_.insert(done_.end(), inner_.done().begin(), inner_.done().end());
    inner_.done().clear();
  }
  void note() {
    counts_->resize(inner_.channels());
    for (std::uint32_t c = 0; c < inner_.channels(); ++c) (*counts_)[c] = inner_.counts(c);
  }
  dram::Dram inner_;
  Counts counts_;
};

// Memories of as many dies as they are made for, in this order; counts: one more entry for each.
inline MemoryFactory watched(const dram::Options& options, std::vector<Counts>& counts) {
  return [options, &counts] {
    counts.push_back(std::make_shared<std::vector<dram::Counts>>());
    return std::make_unique<Watched>(options, counts.back());
  };
}

}  // namespace jogak::trace
