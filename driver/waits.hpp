// What registers tell of a job that does not end: which engines only wait for semaphores. Not which semaphores: no register has them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "npu_spec.hpp"

namespace jogak::driver {

// By two looks at the timing counters of a running machine, which read(offset) reads: an engine waits if it did in between and did nothing
// else. ", its store engine and sequencer wait for a semaphore" or, where none does or the machine has no such counters, "".
template <class Read>
std::string semaphore_waits(Read read, std::chrono::milliseconds between = std::chrono::milliseconds(2)) {
  using spec::Counter;
  struct Engine {
    const char* name;
    Counter waits, works;
  };
  constexpr std::array<Engine, 5> engines = {{{"load engine", Counter::ld_wait_sem, Counter::ld_busy}, {"store engine", Counter::st_wait_sem, Counter::st_busy},
                                              {"matrix engine", Counter::mx_wait_sem, Counter::mx_busy}, {"vector engine", Counter::ve_wait_sem, Counter::ve_busy},
                                              {"sequencer", Counter::seq_wait_sem, Counter::instructions}}};
  std::array<std::uint32_t, 2 * engines.size()> before{}, after{};
  const auto look = [&](auto& counts) {
    for (std::size_t i = 0; i < engines.size(); ++i) {
      counts[2 * i] = read(spec::csr::counter_at(static_cast<std::uint32_t>(engines[i].waits)));
      counts[2 * i + 1] = read(spec::csr::counter_at(static_cast<std::uint32_t>(engines[i].works)));
    }
  };
  look(before);
  std::this_thread::sleep_for(between);
  look(after);
  std::string names;
  int count = 0;
  for (std::size_t i = 0; i < engines.size(); ++i)
    if (after[2 * i] != before[2 * i] && after[2 * i + 1] == before[2 * i + 1]) names += (names.empty() ? "" : " and ") + std::string(engines[i].name), ++count;
  if (names.empty()) return "";
  return ", its " + names + (count == 1 ? " waits" : " wait") + " for a semaphore";
}

}  // namespace jogak::driver
