#include "dies.hpp"

#include <algorithm>
#include <numeric>
#include <cstring>

#include "driver/package.hpp"

namespace jogak {

std::vector<std::unique_ptr<driver::Device>> open_dies(const Program& program, const std::string& backend) {
  std::vector<std::unique_ptr<driver::Device>> devices;
  if (program.mesh.dies() == 1) {
    devices.push_back(open_for(program, backend));
    return devices;
  }
  const driver::Status s = driver::open_package({.backend = backend, .config = program.config, .columns = program.mesh.columns, .rows = program.mesh.rows,
                                                 .memory_bytes = memory_of(program)}, devices);
  if (!s.ok()) throw Error(s.message());
  return devices;
}

std::vector<std::unique_ptr<driver::Device>> alone(std::unique_ptr<driver::Device> device) {
  std::vector<std::unique_ptr<driver::Device>> devices;
  devices.push_back(std::move(device));
  return devices;
}

Dies::Dies(std::vector<std::unique_ptr<driver::Device>> devices, const Program& program, std::vector<std::uint32_t> places)
    : devices_(std::move(devices)), places_(std::move(places)) {
  require_dies(program, static_cast<std::uint32_t>(devices_.size()));
  std::vector<std::uint32_t> all(devices_.size());
  std::iota(all.begin(), all.end(), 0u);
  if (places_.empty()) places_ = all;
  if (!std::ranges::is_permutation(places_, all)) throw Error("package", "places of the dies", std::to_string(places_.size()) + " numbers", "each of " + std::to_string(all.size()) + " places once");
  for (std::uint32_t i = 0; i < devices_.size(); ++i) loaded_.push_back(std::make_unique<Loaded>(device(i), program, i, places_));
}

std::uint32_t Dies::die_at(std::uint32_t place) const {
  const auto at = std::ranges::find(places_, place);
  return at == places_.end() ? place : static_cast<std::uint32_t>(at - places_.begin());
}

void Dies::protect(std::uint32_t window) {
  for (const auto& l : loaded_) l->protect(window);
}
void Dies::write(std::uint32_t window, std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  for (const auto& l : loaded_) l->write(window, offset, bytes);
}
void Dies::read_row(const Symbol& symbol, std::size_t row, std::span<float> out) const {
  const std::size_t part = symbol.shape.at(1);
  std::vector<std::uint8_t> bytes;
  for (std::size_t die = 0; die * part < out.size(); ++die) {
    bytes.resize(std::min(out.size() - die * part, part) * 4);
    read(die, symbol.window, symbol.offset + row * part * 4, bytes);
    std::memcpy(&out[die * part], bytes.data(), bytes.size());
  }
}

std::vector<std::uint8_t> Dies::whole_cache(const LanguageModel& model, const Symbol& kv) const {
  if (count() > 1) return jogak::whole_cache(model, [&](std::size_t die, std::uint64_t at, std::span<std::uint8_t> to) { read(die, kv.window, kv.offset + at, to); });
  std::vector<std::uint8_t> bytes(kv.bytes);
  read(0, kv.window, kv.offset, bytes);
  return bytes;
}

void Dies::abort() {
  for (const auto& l : loaded_) l->abort();
}

// A die that waits for one that broke off has a fault too: the reason is told, not what follows from it.
std::vector<LaunchRecord> Dies::end(std::size_t launch) {
  std::vector<LaunchRecord> ends(count());
  std::string reason;
  bool waits = true;
  for (std::size_t d = 0; d < count(); ++d) {
    try {
      ends[d] = loaded_[d]->end(launch);
    } catch (const Error& e) {
      if (waits) reason = "die " + std::to_string(d) + " of " + std::to_string(count()) + ": " + e.what(), waits = loaded_[d]->waits_for_ever();
    }
  }
  if (!reason.empty()) throw Error(reason);
  return ends;
}

LaunchRecord Dies::run(std::span<const std::uint32_t> args) {
  if (count() == 1) return loaded_.front()->run(args);
  return run_each(std::vector(count(), std::vector(args.begin(), args.end())));
}

LaunchRecord Dies::run_each(std::vector<std::vector<std::uint32_t>> args) {
  for (std::size_t d = 0; d < count(); ++d) args.at(d).push_back(static_cast<std::uint32_t>(d));
  records_.assign(count(), {});
  LaunchRecord all;
  for (std::size_t launch = 0; launch < loaded_.front()->launches() && !all.aborted; ++launch) {
    for (std::size_t d = 0; d < count(); ++d) loaded_[d]->start(launch, args[d]);
    const std::vector<LaunchRecord> ends = end(launch);
    LaunchRecord together = *std::ranges::max_element(ends, {}, [](const LaunchRecord& r) { return r[spec::Counter::cycles]; });
    for (const spec::CounterInfo& c : spec::counters)
      if (c.exact) together.counters[c.index] = std::accumulate(ends.begin(), ends.end(), std::uint64_t(0), [&](std::uint64_t sum, const LaunchRecord& r) { return sum + r.counters[c.index]; });
    for (std::size_t d = 0; d < count(); ++d) {
      records_[d].add(ends[d]);
      together.aborted |= ends[d].aborted;
    }
    all.add(together);
  }
  return all;
}

void write_adapter(Dies& dies, const Program& program, std::span<const std::uint8_t> image) {
  const Symbol* place = program.find("adapter");
  if (place == nullptr) throw Error("session", "adapter", "a program without a place for one", "one compiled for adapters (--lora RANK)");
  const std::uint64_t bytes = place->bytes;
  if (image.size() != bytes * dies.count())
    throw Error("session", "adapter", std::to_string(image.size()) + " bytes", std::to_string(bytes * dies.count()) + ", packed for this program");
  for (std::size_t d = 0; d < dies.count(); ++d) dies.die(d).write(place->window, place->offset, image.subspan(d * bytes, bytes));
}

}  // namespace jogak
