// Cycles of the RTL by layer and operator.
#include <algorithm>

#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

bool has_rtl() {
  const auto names = driver::backends();
  const bool there = std::find(names.begin(), names.end(), "rtl") != names.end();
  if (!there) MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
  return there;
}

constexpr std::uint32_t kLayers = 4;
const import::LlamaHyper kSmall{.layers = kLayers, .width = 64, .heads = 2, .kv_heads = 2, .ffn = 160, .context = 64, .vocab = 96};

Program program(const CompileOptions& options) { return compile(import::synthetic_llama(kSmall, 5), options).program; }

// A launch of five tokens and one of one.
void two_launches(Session& session) {
  session.start_timeline(0);
  (void)session.feed(std::vector<int>{1, 2, 3, 4, 5});
  (void)session.feed(std::vector<int>{6});
}

LaunchRecord sum(const Session& session) {
  LaunchRecord all;
  for (const Step& s : session.steps()) all.add(s.record);
  return all;
}

const Timeline::Cell& layer(const std::vector<Timeline::Row>& rows, std::uint32_t index) {
  const auto at = std::find_if(rows.begin(), rows.end(), [&](const Timeline::Row& r) { return r.layer == index; });
  REQUIRE(at != rows.end());
  return at->cell;
}

// Bytes of a layer's weights decide how long its loads take.
std::uint64_t load_cycles(const Timeline& t, std::uint32_t index) {
  std::uint64_t cycles = 0;
  for (const Timeline::Row& r : t.rows())
    if (r.layer == index && r.op != "attention" && r.op != "norm_weights") cycles += r.cell.busy[0];
  return cycles;
}

void check_sums(const Session& session) {
  const Timeline& t = *session.timeline();
  const LaunchRecord total = sum(session);
  Timeline::Cell rows, layers, operators;
  for (const auto& r : t.rows()) rows.add(r.cell);
  for (const auto& r : t.layers()) layers.add(r.cell);
  for (const auto& [name, cell] : t.operators()) operators.add(cell);
  for (const Timeline::Cell* c : {&rows, &layers, &operators}) {
    CHECK(c->cycles == total[spec::Counter::cycles]);
    CHECK(c->spent[Timeline::kArray] == total[spec::Counter::mx_busy]);
    CHECK(c->beats == total[spec::Counter::ld_beats] + total[spec::Counter::st_beats]);
    std::uint64_t spent = 0;
    for (const std::uint64_t s : c->spent) spent += s;
    CHECK(spent == c->cycles);
    CHECK(c->busy == rows.busy);
  }
  CHECK_FALSE(t.operators().contains("(none)"));
  for (std::uint32_t i = 0; i < kLayers; ++i) {
    std::vector<std::string> names;
    for (const auto& r : t.rows())
      if (r.layer == i) names.push_back(r.op);
    CHECK(names == std::vector<std::string>{"norm_weights", "attn_norm", "attn_q", "attn_k", "attn_v", "attention", "attn_output", "ffn_norm",
                                            "ffn_gate_up", "ffn_down"});
  }
}

}  // namespace

TEST_CASE("every cycle belongs to one layer and operator, layers that share code take alike") {
  if (!has_rtl()) return;
  Session session(program({.config = "nano", .context = 64}), "rtl");
  two_launches(session);
  check_sums(session);
  const Timeline& t = *session.timeline();
  const auto layers = t.layers();
  CHECK(layers.front().op == "embed");
  CHECK(layers.back().op == Timeline::kLaunch);
  const LaunchRecord total = sum(session);
  CHECK(layers.back().cell.cycles * 20 < total[spec::Counter::cycles]);
  for (std::uint32_t i = 0; i < kLayers; ++i) {
    CAPTURE(i);
    const auto &a = layer(layers, i), &b = layer(layers, 1);
    CHECK(a.spent[Timeline::kArray] == b.spent[Timeline::kArray]);  // the same products
    CHECK(static_cast<double>(a.cycles) == doctest::Approx(static_cast<double>(b.cycles)).epsilon(0.1));
    CHECK(static_cast<double>(load_cycles(t, i)) == doctest::Approx(static_cast<double>(load_cycles(t, 1))).epsilon(0.15));
  }
}

TEST_CASE("layers of other formats show in their own rows, also where kinds alternate in one loop") {
  if (!has_rtl()) return;
  for (const std::vector<std::string>& rules : {std::vector<std::string>{"blk.2.=mxfp4", "blk.3.=mxfp4"}, {"blk.1.=mxfp4", "blk.3.=mxfp4"}}) {
    CAPTURE(rules.front());
    const bool second = rules.front().starts_with("blk.1");
    Session session(program({.config = "nano", .context = 64, .format_of = rules}), "rtl");
    two_launches(session);
    check_sums(session);
    const Timeline& t = *session.timeline();
    for (std::uint32_t i = 0; i < kLayers; ++i) {
      const bool narrow = second ? i % 2 == 1 : i >= 2;
      CAPTURE(i);
      const double share = static_cast<double>(load_cycles(t, i)) / static_cast<double>(load_cycles(t, second ? 2 : 1));
      if (narrow) CHECK(share < 0.75);  // half of the bytes
      else CHECK(share == doctest::Approx(1).epsilon(0.15));
    }
  }
}

TEST_CASE("the map says which layers a body of code serves, and what the loads ahead are for") {
  const Program p = program({.config = "nano", .context = 64, .format_of = {"blk.1.=mxfp4", "blk.3.=mxfp4"}});
  std::map<std::uint32_t, int> bodies;
  for (const MapEntry& e : p.map)
    if (e.op == "ffn_norm")
      for (const std::uint32_t l : e.layers) ++bodies[l];
  CHECK(bodies == std::map<std::uint32_t, int>{{0, 1}, {1, 1}, {2, 1}, {3, 1}});
  CHECK(p.weight_loads.size() == 4 * 6 + 1);
  CHECK(p.weight_loads.back().op == "output");
  CHECK(p.weight_loads.back().layer == kNoLayer);
  CHECK(from_bytes(to_bytes(p)) == p);
}
