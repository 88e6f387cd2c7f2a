// Tests of lowering: the same graph by the reference and by the machine.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "evaluate.hpp"
#include "lower.hpp"
#include "runtime/tensor_session.hpp"
#include "sim/model/machine.hpp"

namespace jogak::tensor {

inline std::vector<float> random_values(const Shape& shape, unsigned seed, float low = -2, float high = 2) {
  std::mt19937 gen(seed);
  std::uniform_real_distribution<float> d(low, high);
  std::vector<float> v(static_cast<std::size_t>(elements(shape)));
  for (float& x : v) x = d(gen);
  return v;
}

// Runs a program on the model with its race checker and in a second order of the engines; returns the outputs.
inline Tensors run_checked(const Program& p, const Tensors& inputs) {
  const spec::Config& config = *spec::find_config(p.config.c_str());
  model::Machine machine(config, {.check = true});
  model::Launch launch;
  std::uint64_t base = 0;
  for (std::size_t w = 0; w < p.window_bytes.size(); ++w) {
    if (p.window_bytes[w] == 0) continue;
    const auto memory = machine.dram().allocate(base, p.window_bytes[w]);
    std::fill(memory.begin(), memory.end(), std::uint8_t(0xff));  // NaN wherever nothing was written
    launch.windows[w] = {.base = base, .size = static_cast<std::uint32_t>(p.window_bytes[w]), .readable = true, .writable = true};
    base += (p.window_bytes[w] + 4095) / 4096 * 4096;
  }
  const auto write = [&](std::uint32_t window, std::uint64_t offset, const void* data, std::size_t bytes) {
    std::memcpy(machine.dram().find(launch.windows[window].base + offset, bytes), data, bytes);
  };
  machine.randomize(1);
  for (const Segment& s : p.segments) {
    const auto bytes = s.all();
    write(s.window, s.offset, bytes.data(), bytes.size());
  }
  for (const auto& [name, values] : inputs) {
    const Symbol* s = p.find("input/" + name);
    REQUIRE(s);
    write(s->window, s->offset, values.data(), values.size() * 4);
  }
  const auto parts = p.launches.empty() ? std::vector<CodePart>{{0, static_cast<std::uint32_t>(p.code.size())}} : p.launches;
  for (const CodePart& part : parts) {
    launch.code = std::span(p.code).subspan(part.first, part.count);
    const model::Result done = machine.launch(launch);
    INFO("fault " << static_cast<int>(done.fault.code) << " at " << part.first + done.fault.pc);
    REQUIRE(done.ok());
    REQUIRE(machine.violations() == std::vector<std::string>{});
  }
  Tensors out;
  for (const Symbol& s : p.symbols) {
    if (s.name.rfind("output/", 0) != 0) continue;
    auto& values = out[s.name.substr(7)];
    values.resize(s.bytes / 4);
    std::memcpy(values.data(), machine.dram().find(launch.windows[s.window].base + s.offset, s.bytes), s.bytes);
  }
  return out;
}

// Largest |found - expected| / max(|expected|, floor); infinities and NaN must be the same.
inline double worst(const std::vector<float>& found, const std::vector<float>& expected, double floor) {
  REQUIRE(found.size() == expected.size());
  double most = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double f = found[i], e = expected[i];
    if (std::isnan(e) || std::isinf(e)) {
      if (std::isnan(e) ? std::isnan(f) : f == e) continue;
      INFO("element " << i << " found " << f << " expected " << e);
      FAIL_CHECK("not the same");
      return INFINITY;
    }
    const double error = std::fabs(f - e) / std::max(std::fabs(e), floor);
    most = std::isnan(error) ? INFINITY : std::max(most, error);
  }
  return most;
}

struct Bound {
  double error = 0;        // 0: the same bits but for the sign of zero
  double floor = 1e-30;    // relative to at least this
};

// Compares all outputs on both small configurations; returns the worst error.
inline double compare(const Graph& g, const Tensors& inputs, const Bound& bound) {
  const Tensors expected = evaluate(g, inputs);
  double most = 0;
  for (const char* config : {"nano", "edge"}) {
    const Tensors found = run_checked(lower(g, {.config = config}), inputs);
    for (const auto& [name, values] : expected) {
      const double error = worst(found.at(name), values, bound.floor);
      INFO(std::string(config) << " output " << name << " worst error " << error);
      CHECK(error <= bound.error);
      most = std::max(most, error);
    }
  }
  return most;
}

}  // namespace jogak::tensor
