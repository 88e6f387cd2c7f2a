// A die's commands in time, as cycle models collect them, handed to who asked for them.
#pragma once

#include <array>
#include <vector>

#include "../device.hpp"
#include "sim/cycle/chip.hpp"
#include "sim/model/counters.hpp"
#include "sim/trace/package_trace.hpp"

namespace jogak::driver {

struct DieTrace {
  TraceCallback callback;
  std::vector<cycle::Event> events;
  std::array<std::uint64_t, model::kCounters> counters{};
  std::uint64_t total = 0;  // cycles of the runs before

  // The events since the last time, of a run that began at `start`; to the record too where there is one.
  void tell(trace::PackageTrace* record, std::uint32_t die, std::uint64_t start) {
    for (const cycle::Event& e : events) {
      if (record != nullptr) record->command(die, static_cast<spec::Engine>(e.engine), e.start, e.pc, e.cycle + start);
      if (!callback) continue;
      counters[std::size_t(spec::Counter::mx_busy)] = e.mx_busy;
      counters[std::size_t(spec::Counter::ld_beats)] = e.ld_beats;
      counters[std::size_t(spec::Counter::st_beats)] = e.st_beats;
      callback({total + e.cycle, static_cast<spec::Engine>(e.engine), e.start, e.pc, counters});
    }
    events.clear();
  }
};

}  // namespace jogak::driver
