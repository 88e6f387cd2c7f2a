// Programs on packages: their traces (docs/trace.md), and packages as files on the cycle model and on the RTL.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "driver/package.hpp"
#include "import/synthetic.hpp"
#include "package_trace.hpp"
#include "shared.hpp"

using namespace jogak;
using nlohmann::json;

namespace {

constexpr import::LlamaHyper kHyper{.layers = 2, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 96};
const std::vector<int> kTokens = {3, 1, 4, 1, 5};

Program program_for(int dies) { return compile(import::synthetic_llama(kHyper, 1), {.config = "nanoquad", .dies = dies}).program; }

bool has(const std::string& backend) {
  const auto all = driver::package_backends();
  return std::find(all.begin(), all.end(), backend) != all.end();
}

// A package of two dies whose links and memory are as given.
class File {
 public:
  explicit File(const std::string& link, const std::string& memory = "ideal", const std::string& as = "")
      : path_(std::filesystem::temp_directory_path() / ("jogak-dies-" + std::to_string(::getpid()) + "-" + std::to_string(made_++) + ".yaml")) {
    std::ofstream(path_) << "name: pair\nconfig: nanoquad\nmesh: [2, 1]\nlinks:\n  side: {type: ucie-s, " << link << "}\nmemories:\n  dram: {preset: " << memory << ", mib: 16}\ndies:\n"
                         << "  - {name: left, at: [0, 0], memory: dram, links: {east: side}" << as << "}\n  - {name: right, at: [1, 0], memory: dram, links: {west: side}}\n";
  }
  ~File() { std::filesystem::remove(path_); }
  std::string on(const std::string& backend) const { return backend + ":" + path_.string(); }

 private:
  static inline int made_ = 0;
  std::filesystem::path path_;
};

struct Slice {
  std::string name;
  std::uint64_t pc, begin, end;
};
struct Traced {
  json whole;
  std::vector<std::map<std::string, std::uint64_t>> counters;  // by die: sums over the session, by name of spec::counters
  std::map<std::pair<unsigned, unsigned>, std::vector<Slice>> slices;  // by die and engine
  std::map<std::pair<unsigned, std::string>, std::map<std::string, std::uint64_t>> sums;  // of counter events, by die and name
  std::set<std::string> threads;
};

// Five tokens and one, in two launches.
Traced traced(int dies, const std::string& on) {
  const Program program = program_for(dies);
  auto devices = open_dies(program, on);
  const auto trace = record_package(program, devices);
  Session session(program, std::move(devices));
  (void)session.feed(kTokens);
  (void)session.feed(std::vector<int>{7});
  REQUIRE(session.steps().size() == 2);
  Traced t;
  t.whole = json::parse(trace->json());
  t.counters.resize(static_cast<std::size_t>(dies));
  for (const Step& s : session.steps())
    for (std::size_t d = 0; d < s.dies.size(); ++d)
      for (const spec::CounterInfo& c : spec::counters) t.counters[d][c.name] += s.dies[d].counters[c.index];
  for (const json& e : t.whole.at("traceEvents")) {
    const unsigned die = e.at("pid");
    REQUIRE(die < static_cast<unsigned>(dies));
    if (e.at("ph") == "X" && e.at("tid") < 4) t.slices[{die, e.at("tid")}].push_back({e.at("name"), e.at("args").at("pc"), e.at("ts"), e.at("ts").get<std::uint64_t>() + e.at("dur").get<std::uint64_t>()});
    if (e.at("ph") == "C")
      for (const auto& [name, value] : e.at("args").items()) t.sums[{die, e.at("name")}][name] += value.get<std::uint64_t>();
    if (e.at("ph") == "M" && e.at("name") == "thread_name") t.threads.insert(std::to_string(die) + " " + e.at("args").at("name").get<std::string>());
  }
  return t;
}

std::string message(auto&& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

std::uint64_t cycles_on(const Program& program, const std::string& on) {
  Session session(program, on);
  (void)session.feed(kTokens);
  return session.steps().back().record[spec::Counter::cycles];
}

}  // namespace

TEST_CASE("a package's run writes the trace of docs/trace.md: every die, engine and link, and what they counted") {
  for (const char* on : {"cycle", "rtl", "systemc"}) {
    if (!has(on)) continue;
    CAPTURE(on);
    const Traced t = traced(2, on);
    const json& other = t.whole.at("otherData");
    CHECK(other.at("schema") == "jogak-trace-1");
    CHECK(other.at("backend") == on);
    CHECK(other.at("config") == "nanoquad");
    CHECK((other.at("columns") == 2 && other.at("rows") == 1 && other.at("cycle_ps") == 1000));
    CHECK((t.threads.count("0 link east") == 1 && t.threads.count("1 link west") == 1 && t.threads.count("1 link east") == 0));
    for (unsigned d = 0; d < 2; ++d) {
      CAPTURE(d);
      for (unsigned e = 0; e < 4; ++e) {
        const auto& list = t.slices.at({d, e});
        CHECK(list.size() > 10);
        for (std::size_t i = 1; i < list.size(); ++i) REQUIRE(list[i].begin >= list[i - 1].end);
        for (const Slice& s : list) REQUIRE(s.name != std::array{"load", "store", "matrix", "vector"}[e]);
      }
      // Both launches, from their first cycle.
      CHECK(t.sums.at({d, "work"}).at("array") == t.counters[d].at("mx_busy"));
      CHECK(t.sums.at({d, "work"}).at("read beats") == t.counters[d].at("ld_beats"));
      CHECK(t.sums.at({d, "stalls"}).at("matrix: semaphore") == t.counters[d].at("mx_wait_sem"));
    }
    CHECK(t.sums.at({0, "link east"}).at("flits") > 0);
    CHECK(t.sums.at({1, "link west"}).at("flits") > 0);
  }
}

TEST_CASE("Verilated dies and the cycle model: the same commands in a program's trace, by name") {
  if (!has("rtl")) return;
  const Traced rtl = traced(2, "rtl"), cycle = traced(2, "cycle");
  for (const auto& [where, list] : rtl.slices) {
    const auto& same = cycle.slices.at(where);
    REQUIRE(list.size() == same.size());
    for (std::size_t i = 0; i < list.size(); ++i) CHECK((list[i].name == same[i].name && list[i].pc == same[i].pc));
  }
}

TEST_CASE("a backend without a clock is refused for traces and files, by name") {
  const Program program = program_for(2);
  const auto devices = open_dies(program, "model");
  CHECK(message([&] { record_package(program, devices); }) == "package: trace on model, found a machine without a clock, expected one with");
  CHECK(message([&] { record_package(program, open_dies(program_for(1), "cycle")); }) == "package: trace, found a device that is not of a package, expected the dies of one");
  CHECK(message([&] { open_dies(program, "model:boards/packages/quad.yaml"); }).starts_with("package: model, found boards/packages/quad.yaml behind it, expected nothing"));
}

TEST_CASE("a package's file gives links and memories of the cycle model and the RTL") {
  const Program program = program_for(2);
  const File fast("lanes: 16"), slow("lanes: 1, gt_per_s: 8, latency_ns: 100"), dram("lanes: 16", "ddr4-3200");
  std::map<std::string, std::uint64_t> plain;
  for (const char* on : {"cycle", "rtl"}) {
    if (!has(on)) continue;
    CAPTURE(on);
    plain[on] = cycles_on(program, on);
    CHECK(std::abs(double(cycles_on(program, fast.on(on))) - double(plain[on])) < 0.01 * double(plain[on]));  // that is what there is without a file
    CHECK(cycles_on(program, slow.on(on)) > plain[on] + 1000);
    const Traced t = traced(2, dram.on(on));
    CHECK(t.sums.at({1, "dram channel 0"}).at("reads") > 0);
    CHECK(message([&] { cycles_on(program_for(4), fast.on(on)); }) == "package pair: program, found one for 4 dies, expected one for its 2 compute dies (left, right)");
    const char* other = std::string(on) == "rtl" ? "cycle" : "rtl";
    const File mixed("lanes: 16", "ideal", std::string(", as: ") + other);
    CHECK(message([&] { cycles_on(program, mixed.on(on)); }) == "package pair: die left on " + std::string(on) + ", found it as " + other + ", expected as: " + on + ", or backend systemc");
  }
  if (!has("rtl")) return;
  const double a = double(cycles_on(program, slow.on("rtl"))), b = double(cycles_on(program, slow.on("cycle")));
  CHECK(std::abs(a - b) < 0.02 * a);
}

TEST_CASE("a trace has the places of the file's mesh, dies that only carry included") {
  if (!has("systemc")) return;
  const Program program = program_for(2);
  auto devices = open_dies(program, "systemc:boards/packages/memory-corner.yaml");
  const auto trace = record_package(program, devices);
  Session session(program, std::move(devices));
  (void)session.feed(kTokens);
  CHECK(trace->header().columns * trace->header().rows > 2);
  std::map<unsigned, std::set<std::string>> names;
  for (const auto& s : trace->spans())
    if (s.thread < trace::kEngines) names[s.die].insert(s.name);
  REQUIRE(names.size() == 2);
  for (const auto& [die, found] : names) {
    CHECK(found.size() > 5);
    CHECK(found.count("load") == 0);
  }
  CHECK(names.rbegin()->first > 1);  // the second one's place
}
