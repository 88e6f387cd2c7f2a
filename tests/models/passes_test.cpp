// Optional passes: a program without one has the same bits and takes longer.
#include <algorithm>
#include <cstring>

#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

struct Outcome {
  std::vector<float> logits;
  std::vector<std::uint8_t> kv;
  std::uint64_t cycles = 0, instructions = 0;
};

// A launch of twelve tokens and one of one.
Outcome outcome(const ir::Graph& graph, const std::vector<std::string>& without, const std::string& backend, const std::string& format = "int8") {
  Session session(compile(graph, {.config = "nano", .context = 64, .format = format, .disabled = without}).program, backend);
  std::vector<int> ids(12);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int>(1 + i * 7);
  Outcome o;
  for (const std::vector<int>& tokens : {ids, {6}}) {
    const auto last = session.feed(tokens);
    o.logits.insert(o.logits.end(), last.begin(), last.end());
  }
  o.kv = session.kv_cache();
  for (const Step& s : session.steps()) o.cycles += s.record[spec::Counter::cycles], o.instructions += s.record[spec::Counter::instructions];
  return o;
}

void check_same(const Outcome& a, const Outcome& b) {
  REQUIRE(a.logits.size() == b.logits.size());
  CHECK(std::memcmp(a.logits.data(), b.logits.data(), a.logits.size() * 4) == 0);
  CHECK(a.kv == b.kv);
}

std::vector<std::string> optional_passes() {
  std::vector<std::string> names;
  for (const PassInfo& p : compiler_passes())
    if (p.optional) names.push_back(p.name);
  return names;
}

ir::Graph graph() {
  return import::synthetic_llama({.layers = 3, .width = 72, .heads = 4, .kv_heads = 2, .ffn = 160, .context = 64, .vocab = 301}, 5);
}

}  // namespace

TEST_CASE("without any optional pass, or without all: the same logits and KV cache") {
  for (const std::string& format : weight_formats()) {
    CAPTURE(format);
    const Outcome full = outcome(graph(), {}, "model", format);
    for (const std::string& name : optional_passes()) {
      CAPTURE(name);
      check_same(outcome(graph(), {name}, "model", format), full);
    }
    check_same(outcome(graph(), optional_passes(), "model", format), full);
  }
}

TEST_CASE("without an optional pass the RTL takes more cycles, to the same bits") {
  const auto names = driver::backends();
  if (std::find(names.begin(), names.end(), "rtl") == names.end()) {
    MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
    return;
  }
  const Outcome full = outcome(graph(), {}, "rtl");
  for (const std::string& name : optional_passes()) {
    const Outcome less = outcome(graph(), {name}, "rtl");
    CAPTURE(name);
    MESSAGE(name << ": " << less.cycles << " cycles for " << full.cycles);
    check_same(less, full);
    if (name == "ring-cache") {  // nothing slides here
      CHECK(less.cycles == full.cycles);
      continue;
    }
    if (name == "last-layer") {
      CHECK(less.cycles < 1.03 * full.cycles);
      continue;
    }
    CHECK(less.cycles > full.cycles);
    if (name == "hoist") CHECK(less.instructions > full.instructions);
  }
}

TEST_CASE("a pass that is unknown or needed is refused in one sentence that names the optional ones") {
  const auto refusal = [](const std::string& name) {
    try {
      (void)compile(graph(), {.disabled = {name}});
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(refusal("dance") == "compile: pass to leave out, found dance, expected one of weight-ring, double-kv, double-output, hoist, last-layer, ring-cache");
  CHECK(refusal("lower") == "compile: pass to leave out, found lower, which every program needs, expected one of weight-ring, double-kv, double-output, hoist, last-layer, ring-cache");
}

TEST_CASE("a program says what it was compiled without") {
  const auto abi = [](const std::vector<std::string>& without) { return nlohmann::json::parse(compile(graph(), {.disabled = without}).program.abi); };
  CHECK(abi({"hoist"}).at("without") == nlohmann::json{"hoist"});
  CHECK_FALSE(abi({}).contains("without"));
}
