// sparse: a product whose weights have been pruned, by whole tiles or 2:4, against the same product with all of them: cycles and energy.
#include <algorithm>
#include <random>

#include "common.hpp"
#include "compiler/passes/quantize.hpp"
#include "compiler/schedule/sparse_gemm.hpp"
#include "pair.hpp"
#include "tools/ppa/energy.hpp"

namespace jogak::bench {
namespace {

// Weights [size][size] of which the tiles (32 values of k by `cols` columns) not in `share` are zero; chosen at random, exactly so many.
ir::Tensor pruned(int size, int cols, double share, std::mt19937_64& random) {
  const int wide = size / cols, deep = size / 32;
  std::vector<int> order(static_cast<std::size_t>(wide * deep));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::shuffle(order.begin(), order.end(), random);
  std::vector<bool> kept(order.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(share * static_cast<double>(order.size()) + 0.5); ++i) kept[static_cast<std::size_t>(order[i])] = true;
  std::vector<float> w(static_cast<std::size_t>(size) * static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < w.size(); ++i) {
    const int n = static_cast<int>(i) / size, k = static_cast<int>(i) % size;
    if (kept[static_cast<std::size_t>(n / cols * deep + k / 32)]) w[i] = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(w.data());
  return {"b", {size, size}, ir::DType::f32, ir::Bytes(bytes, bytes + w.size() * 4)};
}

double joules(const spec::Config& c, const Measured& m, bool two_of_four = false) {
  ppa::Machine machine{.shape = {.rows = double(c.rows), .cols = double(c.cols), .lanes = double(c.lanes), .port_bytes = double(c.port_bytes), .wspm = double(c.wspm_bytes),
                                 .aspm = double(c.aspm_bytes), .vmem = double(c.vmem_bytes), .imem_words = double(c.imem_words)}};
  ppa::Activity activity;
  for (const auto& counter : spec::counters) activity.counters[counter.name] = static_cast<double>(m.rtl[static_cast<spec::Counter>(counter.index)]);
  if (two_of_four) activity.sparse_macs = activity.at("macs");
  const ppa::AreaModel area(ppa::project_constants());
  const ppa::EnergyModel energy(area);
  return energy.run(machine, activity, energy.nominal(machine), true).joules(false);
}

struct Run {
  Measured measured;
  std::vector<std::uint8_t> c;
};

Run multiply(const schedule::Gemm& g, const std::vector<std::byte>& b, const emit::Emitter& code, std::uint64_t seed) {
  Pair pair(g.config, code.program().code(), {b.size(), g.a_bytes(), g.c_bytes()});
  std::transform(b.begin(), b.end(), pair.window(0).begin(), [](std::byte x) { return static_cast<std::uint8_t>(x); });
  std::mt19937_64 random(seed);
  const auto a = pair.window(1);
  const auto codes = static_cast<std::size_t>(g.m) * static_cast<std::size_t>(g.k);
  for (std::size_t i = 0; i < codes; ++i) a[i] = static_cast<std::uint8_t>(random() % 255 + 129);  // -127 .. 127
  for (std::size_t i = codes; i < a.size(); i += 2) a[i] = static_cast<std::uint8_t>(random() % 128), a[i + 1] = 0x3c;  // bf16 about 0.01
  Run r{pair.measure({}), {}};
  pair.advance({});
  r.c.assign(pair.window(2).begin(), pair.window(2).end());
  return r;
}

void tiles(const Options& o, Report& report) {
  const spec::Config& config = config_of(o);
  const std::string name = config.name;
  const int size = config.cols < 16 ? 256 : 512, cols = static_cast<int>(config.cols);
  for (const ir::Format format : {ir::Format::int8, ir::Format::mxfp4}) {
    if (!o.format.empty() && o.format != ir::name(format)) continue;
    const schedule::Gemm g{.config = config, .m = size, .n = size, .k = size, .format = format};
    std::mt19937_64 random(o.seed);
    const ir::QMatrix b = passes::quantize(pruned(size, cols, 0.2, random), format);
    const auto lists = schedule::kept_blocks(b, cols);
    const Run dense = multiply(g, schedule::pack_b(g, b), schedule::lower_gemm(g), o.seed);
    const Run sparse = multiply(g, schedule::pack_sparse_b(g, b, lists), schedule::lower_sparse_gemm(g, lists), o.seed);
    const double all = static_cast<double>(size / cols) * size / 32, kept = static_cast<double>(schedule::kept_count(lists));
    std::uint64_t different = dense.measured.differences + sparse.measured.differences;
    for (std::size_t i = 0; i < dense.c.size(); ++i) different += dense.c[i] != sparse.c[i];
    const std::string what = std::to_string(size) + "^3, " + ir::name(format) + ", " + std::to_string(static_cast<int>(kept)) + " of " + std::to_string(static_cast<int>(all)) + " tiles";
    const auto cycles = [](const Run& r) { return static_cast<double>(r.measured.cycles); };
    report.add({.case_name = what + ": dense", .config = name, .on = "rtl", .value = cycles(dense), .unit = "cycles"});
    report.add({.case_name = what + ": sparse", .config = name, .on = "rtl", .value = cycles(sparse), .unit = "cycles"});
    report.add({.case_name = what + ": cycles", .config = name, .on = "rtl", .value = cycles(sparse) / cycles(dense), .unit = "of dense", .bar = 0.35, .less = true});
    report.add({.case_name = what + ": energy", .config = name, .on = "rtl", .value = joules(config, sparse.measured) / joules(config, dense.measured), .unit = "of dense",
                .bar = 0.5, .less = true});
    report.add({.case_name = what + ": model and RTL, sparse and dense result", .config = name, .on = "rtl", .value = static_cast<double>(different), .unit = "differences",
                .bar = 0, .less = true});
  }
}

// One run of 2:4 weights as they are, with their zeros, and one of what is stored of them. Their results differ by rounding: a scale serves 64
// values of k in one and 32 in the other.
void pairs(const Options& o, Report& report) {
  const spec::Config& config = config_of(o, "edge24");
  const std::string name = config.name;
  const auto built = rtl::built_configs();
  if (!config.sparse || std::find(built.begin(), built.end(), name) == built.end())
    return report.skip("2:4: " + name + (config.sparse ? " is not among JOGAK_RTL_CONFIGS" : " has no selection in its array"));
  const int size = config.cols < 16 ? 256 : 512;
  for (const ir::Format format : {ir::Format::int8, ir::Format::mxfp4}) {
    if (!o.format.empty() && o.format != ir::name(format)) continue;
    std::mt19937_64 random(o.seed);
    std::vector<float> w(static_cast<std::size_t>(size) * static_cast<std::size_t>(size));
    for (float& x : w) x = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
    passes::prune_row(w);
    const auto* bytes = reinterpret_cast<const std::byte*>(w.data());
    const ir::Tensor b{"b", {size, size}, ir::DType::f32, ir::Bytes(bytes, bytes + w.size() * 4)};
    const auto chosen = passes::compress(b);
    schedule::Gemm g{.config = config, .m = size, .n = size, .k = size, .format = format};
    const Run dense = multiply(g, schedule::pack_b(g, passes::quantize(b, format)), schedule::lower_gemm(g), o.seed);
    g.two_of_four = true;
    const Run sparse = multiply(g, schedule::pack_b(g, passes::quantize(chosen->stored, format), *chosen), schedule::lower_gemm(g), o.seed);
    const std::string what = std::to_string(size) + "^3, " + ir::name(format) + ", 2:4";
    const auto cycles = [](const Run& r) { return static_cast<double>(r.measured.cycles); };
    report.add({.case_name = what + ": dense", .config = name, .on = "rtl", .value = cycles(dense), .unit = "cycles"});
    report.add({.case_name = what + ": sparse", .config = name, .on = "rtl", .value = cycles(sparse), .unit = "cycles"});
    report.add({.case_name = what + ": cycles", .config = name, .on = "rtl", .value = cycles(sparse) / cycles(dense), .unit = "of dense", .bar = 0.60, .less = true});
    report.add({.case_name = what + ": energy", .config = name, .on = "rtl", .value = joules(config, sparse.measured, true) / joules(config, dense.measured),
                .unit = "of dense", .bar = 0.80, .less = true});
    report.add({.case_name = what + ": model and RTL", .config = name, .on = "rtl", .value = static_cast<double>(dense.measured.differences + sparse.measured.differences),
                .unit = "differences", .bar = 0, .less = true});
  }
}

void run(const Options& o, Report& report) {
  tiles(o, report);
  pairs(o, report);
}

const Register registered{"sparse", "zero tiles of weights skipped at 20 % density, 2:4 sparse weights: cycles and energy against dense", run};

}  // namespace
}  // namespace jogak::bench
