// A program on what it was compiled for: one machine, or the dies of a package, which hold the same buffers and run it together.
#pragma once

#include <vector>

#include "language_model.hpp"
#include "loaded.hpp"

namespace jogak {

// Opens a backend with the program's configuration: a machine, or as many dies as the program's mesh has. Throws jogak::Error.
std::vector<std::unique_ptr<driver::Device>> open_dies(const Program& program, const std::string& backend);
// A machine by itself as such a list.
std::vector<std::unique_ptr<driver::Device>> alone(std::unique_ptr<driver::Device> device);

// Owns the devices and their memory. Methods throw jogak::Error.
class Dies {
 public:
  // Refuses fewer or more devices than the program's mesh has dies. Die i is the device places[i], or the i-th where there are no places.
  Dies(std::vector<std::unique_ptr<driver::Device>> devices, const Program& program, std::vector<std::uint32_t> places = {});

  std::size_t count() const { return loaded_.size(); }
  driver::Device& device(std::size_t die = 0) const { return *devices_.at(places_.at(die)); }
  std::uint32_t die_at(std::uint32_t place) const;  // the other way round; of a place beyond theirs, itself
  Loaded& die(std::size_t index) { return *loaded_.at(index); }

  void protect(std::uint32_t window);
  void write(std::uint32_t window, std::uint64_t offset, std::span<const std::uint8_t> bytes);  // on every die
  void read(std::size_t die, std::uint32_t window, std::uint64_t offset, std::span<std::uint8_t> bytes) const { loaded_.at(die)->read(window, offset, bytes); }

  // A row of floats, of which each die has as many as a row of `symbol` holds.
  void read_row(const Symbol& symbol, std::size_t row, std::span<float> out) const;
  // The KV cache at `kv`, put together as one machine would have it.
  std::vector<std::uint8_t> whole_cache(const LanguageModel& model, const Symbol& kv) const;

  // Runs the program once. Of several dies each is told its number by the argument behind `args`; the record counts all of them, with the
  // times of the slowest.
  LaunchRecord run(std::span<const std::uint32_t> args);
  // The same with arguments of each die's own.
  LaunchRecord run_each(std::vector<std::vector<std::uint32_t>> args);
  // The last launch's, die by die.
  const std::vector<LaunchRecord>& records() const { return records_; }
  void abort();

 private:
  std::vector<LaunchRecord> end(std::size_t launch);

  std::vector<std::unique_ptr<driver::Device>> devices_;
  std::vector<std::uint32_t> places_;
  std::vector<std::unique_ptr<Loaded>> loaded_;
  std::vector<LaunchRecord> records_;
};

// A LoRA adapter to its place, each die's part to its own; throws jogak::Error for a program without one, and for another size than its.
void write_adapter(Dies& dies, const Program& program, std::span<const std::uint8_t> image);

}  // namespace jogak
