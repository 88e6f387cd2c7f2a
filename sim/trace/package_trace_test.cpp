// Traces of packages: read by a JSON reader, held to the schema of docs/trace.md, and the same from the RTL and from the cycle model.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "error.hpp"
#include "exchange_run.hpp"

using namespace jogak;
using nlohmann::json;

namespace {

// The schema; returns the events by kind ("X", "C", "M").
std::map<std::string, std::vector<json>> checked(const json& trace, const std::string& backend, unsigned dies, bool memory) {
  const json& other = trace.at("otherData");
  CHECK(other.at("schema") == "jogak-trace-1");
  CHECK(other.at("backend") == backend);
  CHECK(other.at("columns").get<unsigned>() * other.at("rows").get<unsigned>() == dies);
  CHECK(other.at("cycle_ps").get<unsigned>() > 0);
  std::map<std::string, std::vector<json>> events;
  std::set<std::pair<unsigned, unsigned>> threads;
  std::map<std::pair<unsigned, unsigned>, std::uint64_t> until;
  std::map<unsigned, std::set<std::string>> counted;
  for (const json& e : trace.at("traceEvents")) {
    const std::string kind = e.at("ph");
    const unsigned pid = e.at("pid");
    REQUIRE(pid < dies);
    events[kind].push_back(e);
    if (kind == "M") {
      if (e.at("name") == "thread_name") threads.insert({pid, e.at("tid")});
      else CHECK(e.at("args").at("name").get<std::string>().starts_with("die " + std::to_string(pid)));
    } else if (kind == "X") {
      const std::pair key{pid, e.at("tid").get<unsigned>()};
      REQUIRE(threads.contains(key));
      // Slices of a thread follow each other.
      REQUIRE(e.at("ts").get<std::uint64_t>() >= until[key]);
      until[key] = e.at("ts").get<std::uint64_t>() + e.at("dur").get<std::uint64_t>();
    } else {
      REQUIRE(kind == "C");
      counted[pid].insert(e.at("name"));
      for (const auto& [name, value] : e.at("args").items()) REQUIRE(value.is_number_unsigned());
    }
  }
  for (unsigned d = 0; d < dies; ++d) {
    for (unsigned engine = 0; engine < 4; ++engine) CHECK(threads.contains({d, engine}));
    for (const char* name : {"stalls", "work", "queues"}) CHECK(counted[d].contains(name));
    if (memory) CHECK(counted[d].contains("dram channel 0"));
  }
  return events;
}

std::uint64_t total(const std::vector<json>& counts, unsigned die, const std::string& track, const std::string& what) {
  std::uint64_t sum = 0;
  for (const json& e : counts)
    if (e.at("pid") == die && e.at("name") == track) sum += e.at("args").at(what).get<std::uint64_t>();
  return sum;
}

}  // namespace

TEST_CASE("trace: RTL and cycle model write the same slices, stalls with their reasons, links and DRAM channels") {
  trace::TracedExchange exchange({.memory = "ddr4-3200", .seed = 3, .link = {.gb_per_s = 34, .bit_error_rate = 1e-5}});
  const trace::PackageTrace rtl = exchange.on_rtl(), timed = exchange.on_cycle();
  const auto a = checked(json::parse(rtl.json()), "rtl", 4, true), b = checked(json::parse(timed.json()), "cycle", 4, true);
  CHECK(rtl.spans().size() > 200);
  auto sorted = [](std::vector<trace::PackageTrace::Span> s) {
    std::ranges::sort(s, {}, [](const auto& x) { return std::tuple(x.die, x.thread, x.begin, x.end, x.pc); });
    return s;
  };
  CHECK((sorted(rtl.spans()) == sorted(timed.spans())));
  std::uint64_t stalls = 0, damaged = 0;
  for (unsigned d = 0; d < 4; ++d) {
    CAPTURE(d);
    for (const char* reason : {"load: semaphore", "store: semaphore", "matrix: semaphore", "matrix: weights", "vector: semaphore", "vector: memory bank", "sequencer: queue full", "sequencer: semaphore", "sequencer: program"}) {
      CAPTURE(reason);
      CHECK(total(a.at("C"), d, "stalls", reason) == total(b.at("C"), d, "stalls", reason));
      stalls += total(a.at("C"), d, "stalls", reason);
    }
    for (const char* work : {"array", "vector", "read beats", "write beats"}) CHECK(total(a.at("C"), d, "work", work) == total(b.at("C"), d, "work", work));
    CHECK(total(a.at("C"), d, "dram channel 0", "reads") > 0);
    for (const char* what : {"reads", "writes", "activates"}) CHECK(total(a.at("C"), d, "dram channel 0", what) == total(b.at("C"), d, "dram channel 0", what));
    const char* const link = d % 2 == 0 ? "link east" : "link west";
    CHECK(total(a.at("C"), d, link, "flits") > 100);
    damaged += total(a.at("C"), d, link, "damaged");
  }
  CHECK(stalls > 1000);
  CHECK(damaged > 0);
}

TEST_CASE("trace: a link that is down is a slice, names are quoted, an end without a start is refused") {
  trace::PackageTrace t({.backend = "test", .config = "nano\"quad", .columns = 2, .rows = 1});
  t.name(0, 7, "mm \"q\" \\");
  trace::DieSample s{.counters = std::vector<trace::u64>(64)};
  s.links[0] = {.there = true, .up = false, .flits = 0, .damaged = 0, .replays = 0};
  t.sample(0, 100, s);
  t.sample(1, 100, {.counters = std::vector<trace::u64>(64)});
  t.command(0, spec::Engine::mx, true, 7, 110);
  t.command(0, spec::Engine::mx, true, 8, 120);
  t.command(0, spec::Engine::mx, false, 7, 150);
  t.command(0, spec::Engine::mx, false, 8, 160);
  s.links[0].up = true;
  s.counters[static_cast<std::size_t>(spec::Counter::mx_wait_load)] = 40;
  t.sample(0, 200, s);
  const auto events = checked(json::parse(t.json()), "test", 2, false);
  CHECK(total(events.at("C"), 0, "stalls", "matrix: weights") == 40);
  REQUIRE(t.spans().size() == 3);
  CHECK((t.spans()[0] == trace::PackageTrace::Span{0, 2, 110, 150, "mm \"q\" \\", 7}));
  CHECK((t.spans()[1] == trace::PackageTrace::Span{0, 2, 150, 160, "matrix", 8}));
  CHECK((t.spans()[2] == trace::PackageTrace::Span{0, 16, 100, 200, "down", -1}));
  CHECK_THROWS_AS(t.command(1, spec::Engine::ld, false, 3, 9), const Error&);
  // A fault has killed a command; the next run begins with its own.
  t.command(0, spec::Engine::mx, true, 7, 300);
  t.end(320);
  t.command(0, spec::Engine::mx, true, 8, 400);
  t.command(0, spec::Engine::mx, false, 8, 410);
  REQUIRE(t.spans().size() == 5);
  CHECK((t.spans()[3] == trace::PackageTrace::Span{0, 2, 300, 320, "mm \"q\" \\", 7}));
  CHECK((t.spans()[4] == trace::PackageTrace::Span{0, 2, 400, 410, "matrix", 8}));
}

TEST_CASE("trace: counters begin again with every launch, and a trace keeps what it is told to") {
  trace::PackageTrace trace({.backend = "cycle", .config = "nanoquad"}), short_trace({.backend = "cycle", .config = "nanoquad", .keep = 4});
  trace::DieSample sample{.counters = std::vector<trace::u64>(64)};
  trace::u64& busy = sample.counters[static_cast<std::size_t>(spec::Counter::mx_busy)];
  const auto events = [](const trace::PackageTrace& t) { return json::parse(t.json()).at("traceEvents"); };
  for (trace::PackageTrace* t : {&trace, &short_trace}) {
    busy = 3;
    t->sample(0, 256, sample);
    t->begin_launch();
    busy = 5;
    t->command(0, spec::Engine::mx, true, 2, 300);
    t->command(0, spec::Engine::mx, false, 2, 320);
    t->sample(0, 512, sample);
    t->command(0, spec::Engine::ld, true, 3, 520);
    t->end(600);
  }
  REQUIRE(trace.spans().size() == 2);
  CHECK((trace.spans()[0].begin == 300 && trace.spans()[0].pc == 2));
  trace::u64 sum = 0;
  for (const json& e : events(trace))
    if (e.at("name") == "work") sum += e.at("args").at("array").get<trace::u64>();
  CHECK(sum == 8);
  CHECK(trace.complete());
  CHECK(!short_trace.complete());
  CHECK(short_trace.spans().size() == 1);
  CHECK(std::ranges::none_of(events(short_trace), [](const json& e) { return e.value("ts", 0) == 512; }));
}
