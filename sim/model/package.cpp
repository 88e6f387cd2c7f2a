#include "package.hpp"

#include <algorithm>
#include <cstring>

#include "error.hpp"
#include "race_network.hpp"
#include "remote.hpp"

namespace jogak::model {

// Where a die's remote stores go.
class Package::Port final : public Remote {
 public:
  Port(Package& package, u32 die) : package_(package), die_(die) {}

  bool write(u64 address, std::span<const u8> bytes) override {
    const RemotePlace place = remote_place(address);
    const u32 offset = place.offset;
    if (place.x >= package_.columns_ || place.y >= package_.rows_) return false;
    Machine& to = package_.machines_[place.x + place.y * package_.columns_];
    if (place.signals()) {
      const u32 n = place.amount();
      if (offset % 64 != 0 || n == 0 || n > spec::limit::semaphore_max || bytes.size() > to.config().port_bytes) return false;
      to.remote_signal(place.semaphore(), n);
      return true;
    }
    if (!reached(place.region)) return false;
    const auto space = static_cast<spec::Space>(place.region);
    const std::span<u8> memory = to.memories().bytes(space);
    if (offset + bytes.size() > memory.size()) return false;
    if (space == spec::Space::vmem && (offset % 4 != 0 || bytes.size() % 4 != 0)) return false;
    if (package_.watch_) package_.watch_(die_, address, bytes);
    std::memcpy(&memory[offset], bytes.data(), bytes.size());
    return true;
  }

 private:
  Package& package_;
  u32 die_;
};

Package::Package(const spec::Config& config, u32 columns, u32 rows, Options options) : columns_(columns), rows_(rows) {
  if (config.chiplets < 2) throw Error("package", "configuration " + std::string(config.name), "chiplets: 1, a chiplet without links", "one with links");
  if (columns == 0 || rows == 0 || columns > 16 || rows > 16 || columns * rows > config.chiplets)
    throw Error("package", "mesh", std::to_string(columns) + " x " + std::to_string(rows), "1 to " + std::to_string(config.chiplets) + " chiplets, 16 a side at most");
  if (options.record) throw Error("package", "option record", "given", "not given: another order of one die's engines is not one of the package");
  for (u32 i = 0; i < columns * rows; ++i) {
    machines_.emplace_back(config, options);
    ports_.push_back(std::make_unique<Port>(*this, i));
  }
  if (options.check) races_ = std::make_unique<RaceNetwork>(columns, rows);
  for (u32 i = 0; i < dies(); ++i) machines_[i].join(ports_[i].get(), races_.get(), i);
}
Package::~Package() = default;

std::vector<Result> Package::launch(std::span<const Launch> launches) {
  if (launches.size() != machines_.size())
    throw Error("package", "launches", std::to_string(launches.size()), std::to_string(machines_.size()) + ", one a die");
  std::vector<bool> done(machines_.size());
  for (Machine& m : machines_) m.clear_remote_signals();
  if (races_) races_->begin();
  for (u32 i = 0; i < dies(); ++i) machines_[i].begin(launches[i]);
  for (bool moved = true; moved;) {
    moved = false;
    for (u32 i = 0; i < dies(); ++i) {
      if (done[i]) continue;
      const u64 before = machines_[i].result().counters[spec::Counter::instructions];
      done[i] = machines_[i].advance(~u64(0));
      moved = moved || done[i] || machines_[i].result().counters[spec::Counter::instructions] != before;
    }
  }
  std::vector<Result> results;
  for (u32 i = 0; i < dies(); ++i) {
    results.push_back(machines_[i].result());
    if (!done[i]) results.back().fault = machines_[i].waits_for();
  }
  if (races_ && std::ranges::all_of(results, &Result::ok)) races_->end();
  return results;
}

}  // namespace jogak::model
