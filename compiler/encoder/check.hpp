// For tests: an encoder's program on the model with its race checker, memories full of noise at the start.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <span>

#include "program.hpp"
#include "sim/model/machine.hpp"

namespace jogak::encoder {

using Bytes = std::vector<std::uint8_t>;

template <class T>
Bytes bytes(const std::vector<T>& values) {
  Bytes b(values.size() * sizeof(T));
  std::memcpy(b.data(), values.data(), b.size());
  return b;
}

// Writes `inputs` to the symbols they are named by, runs `rows` rows, returns the contents of symbol `output`. Fails on a fault or a race.
inline Bytes checked_run(const Program& p, std::uint32_t rows, const std::map<std::string, Bytes>& inputs, const std::string& output,
                         model::Counters* counters = nullptr) {
  model::Machine machine(*spec::find_config(p.config.c_str()), {.check = true});
  machine.randomize(1);
  model::Launch launch{.code = p.code};
  std::uint64_t base = 0;
  for (std::size_t w = 0; w < p.window_bytes.size(); ++w) {
    if (p.window_bytes[w] == 0) continue;
    const auto memory = machine.dram().allocate(base, p.window_bytes[w]);
    std::fill(memory.begin(), memory.end(), std::uint8_t(0xff));  // NaN wherever nothing was written
    launch.windows[w] = {.base = base, .size = static_cast<std::uint32_t>(p.window_bytes[w]), .readable = true, .writable = w > 0};
    base += (p.window_bytes[w] + 4095) / 4096 * 4096;
  }
  const auto at = [&](std::uint32_t window, std::uint64_t offset, std::size_t size) { return machine.dram().find(launch.windows[window].base + offset, size); };
  for (const Segment& s : p.segments) std::memcpy(at(s.window, s.offset, s.bytes.size()), s.bytes.data(), s.bytes.size());
  for (const auto& [name, data] : inputs) {
    const Symbol* s = p.find(name);
    REQUIRE_MESSAGE(s, name);
    REQUIRE(data.size() <= s->bytes);
    std::memcpy(at(s->window, s->offset, data.size()), data.data(), data.size());
  }
  launch.args[0] = rows;
  const model::Result done = machine.launch(launch);
  INFO("fault " << static_cast<int>(done.fault.code) << " at " << done.fault.pc);
  REQUIRE(done.ok());
  for (const std::string& v : machine.violations()) FAIL_CHECK(v);
  if (counters) *counters = done.counters;
  const Symbol& s = *p.find(output);
  const auto* from = at(s.window, s.offset, s.bytes);
  return Bytes(from, from + s.bytes);
}

inline std::vector<float> random_rows(int rows, int width) {
  std::vector<float> x(static_cast<std::size_t>(rows * width));
  std::uint32_t state = 12345;
  for (float& v : x) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
  }
  return x;
}

// Rows behind the last layer.
inline std::vector<float> run_rows(const Program& p, const std::vector<float>& x, int rows, int width, model::Counters* counters = nullptr) {
  const std::size_t stride = p.find("x")->shape[1], n = static_cast<std::size_t>(rows), w = static_cast<std::size_t>(width);
  std::vector<float> padded(n * stride);
  for (std::size_t r = 0; r < n; ++r) std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(r * w), w, padded.begin() + static_cast<std::ptrdiff_t>(r * stride));
  const auto found = checked_run(p, static_cast<std::uint32_t>(rows), {{"x", bytes(padded)}}, "x", counters);
  std::vector<float> out(x.size());
  for (std::size_t r = 0; r < n; ++r) std::memcpy(out.data() + r * w, found.data() + r * stride * 4, w * 4);
  return out;
}

// Root mean square of the difference relative to that of the expected rows.
inline double error(const std::vector<float>& found, const std::vector<double>& expected) {
  double off = 0, whole = 0;
  for (std::size_t i = 0; i < found.size(); ++i) off += (found[i] - expected[i]) * (found[i] - expected[i]), whole += expected[i] * expected[i];
  return std::sqrt(off / whole);
}

}  // namespace jogak::encoder
