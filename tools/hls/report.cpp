#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "compile.hpp"
#include "error.hpp"
#include "hls/predict.hpp"
#include "import/synthetic.hpp"
#include "schedule/gemm.hpp"
#include "sim/model/machine.hpp"

namespace jogak::hls_report {

namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

// One launch on the exact model, estimated instruction by instruction. `place` fills the windows.
template <class Place>
Work estimate(std::string what, const spec::Config& config, std::span<const spec::Insn> code, std::span<const u64> windows, std::vector<u32> args, Place place) {
  constexpr u64 kPage = 4096;
  model::Machine machine(config);
  model::Launch launch{.code = code};
  std::copy(args.begin(), args.end(), launch.args.begin());
  u64 at = 0;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    launch.windows[i] = {.base = at, .size = static_cast<u32>(windows[i]), .readable = true, .writable = true};
    at += (windows[i] + kPage - 1) / kPage * kPage;
  }
  std::vector<std::uint8_t> memory(at);
  place([&](std::size_t window) { return std::span(memory).subspan(launch.windows[window].base, windows[window]); });
  machine.dram().attach(0, memory);
  hls_csim::Predictor predictor(config);
  machine.on_instruction([&](const model::Step& step) { predictor.step(step); });
  const model::Result result = machine.launch(launch);
  if (!result.ok()) throw Error("hls report", what + ", fault at pc " + std::to_string(result.fault.pc), std::to_string(static_cast<int>(result.fault.code)), "none");
  return {std::move(what), predictor.cycles(), result.counters[spec::Counter::macs]};
}

Work product(const spec::Config& config) {
  const int size = config.cols < 16 ? 256 : 512;
  const schedule::Gemm gemm{.config = config, .m = size, .n = size, .k = size};
  const std::string edge = std::to_string(size);
  const auto code = schedule::lower_gemm(gemm).program().code();
  const std::array<u64, 3> windows{gemm.b_bytes(), gemm.a_bytes(), gemm.c_bytes()};
  return estimate("matrix product " + edge + " x " + edge + " x " + edge + ", int8", config, code, windows, {}, [](const auto&) {});
}

Work decode(const spec::Config& config) {
  constexpr u32 kPosition = 200;
  const import::LlamaHyper shape{.layers = 6, .width = 288, .heads = 6, .kv_heads = 6, .ffn = 768, .context = 256, .vocab = 32000};
  const Program program = compile(import::synthetic_llama(shape, 1), {.config = config.name, .format = "int8"}).program;
  std::vector<u64> windows(program.window_bytes.begin(), program.window_bytes.end());
  while (!windows.empty() && windows.back() == 0) windows.pop_back();
  const std::string what = "decode step, 6 layers of width 288, 32,000 words, position " + std::to_string(kPosition) + ", int8";
  return estimate(what, config, program.code, windows, {kPosition, 1, 0, 1}, [&](const auto& window) {
    for (const Segment& s : program.segments) {
      auto to = window(s.window).begin() + static_cast<std::ptrdiff_t>(s.offset);
      s.pieces([&](std::span<const std::uint8_t> piece) { to = std::copy(piece.begin(), piece.end(), to); });
    }
  });
}

u64 block_rams(const std::vector<hls_csim::Ram>& rams) {
  u64 total = 0;
  for (const auto& ram : rams) total += ram.block_rams();
  return total;
}

std::string line(const char* format, auto... values) {
  std::array<char, 256> text;
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

}  // namespace

Report make(const std::string& name) {
  const spec::Config* config = spec::find_config(name.c_str());
  if (config == nullptr) throw Error("hls report", "configuration", name, "one of spec/configs");
  return {*config, hls_csim::resources(*config), {product(*config), decode(*config)}};
}

nlohmann::json json(const Report& r) {
  const auto& m = r.resources.dsp;
  nlohmann::json rams = nlohmann::json::array(), streams = nlohmann::json::array(), works = nlohmann::json::array();
  for (const auto& ram : r.resources.rams)
    rams.push_back({{"name", ram.name}, {"words", ram.words}, {"bytes", ram.bytes}, {"part", ram.part}, {"banks", ram.banks}, {"ram", ram.block_rams()}});
  for (const auto& s : r.resources.streams) streams.push_back({{"name", s.name}, {"bits", s.bits}, {"depth", s.depth}, {"lut", s.luts()}, {"ram", s.block_rams()}});
  for (const auto& w : r.works) works.push_back({{"what", w.what}, {"cycles", w.cycles}, {"macs", w.macs}});
  return {{"config", r.config.name},
          {"cells", u64(r.config.rows) * r.config.cols},
          {"dsp", {{"array", m.array}, {"foot", m.foot}, {"lanes", m.lanes}, {"quantiser", m.quantiser}, {"sequencer", m.sequencer}}},
          {"rams", rams},
          {"streams", streams},
          {"works", works}};
}

std::string text(const Report& r, double mhz) {
  const auto& m = r.resources.dsp;
  std::string out = line("HLS kernel, %s: estimated from its sources, no tool has confirmed it\n", r.config.name);
  out += line("  DSP blocks  %llu: array %llu, foot %llu, lanes %llu, quantiser %llu, sequencer %llu\n", m.total(), m.array, m.foot, m.lanes, m.quantiser, m.sequencer);
  out += line("  memories    %llu block RAMs of 36 kbit\n", block_rams(r.resources.rams));
  for (const auto& ram : r.resources.rams)
    out += line("    %-10s %u x %llu words of %u bytes, in RAMs of %u: %llu block RAMs\n", ram.name, ram.banks, ram.words, ram.bytes, ram.part, ram.block_rams());
  u64 luts = 0, blocks = 0;
  for (const auto& s : r.resources.streams) luts += s.luts(), blocks += s.block_rams();
  out += line("  streams     %zu: %llu LUTs as shift registers, or %llu block RAMs\n", r.resources.streams.size(), luts, blocks);
  for (const auto& w : r.works) {
    const double share = static_cast<double>(w.macs) / (static_cast<double>(r.config.rows * r.config.cols) * static_cast<double>(w.cycles));
    out += line("  %s:\n    %llu cycles, %.3f ms at %g MHz, %.1f %% of the array's peak\n", w.what.c_str(), w.cycles, static_cast<double>(w.cycles) / mhz / 1e3, mhz, 100 * share);
  }
  return out;
}

}  // namespace jogak::hls_report
