// Where a program's dies stand on a package: by what they send each other.
#include <unistd.h>

#include <fstream>

#include "driver/package.hpp"
#include "import/hf.hpp"
#include "import/synthetic.hpp"
#include "memory_plan.hpp"
#include "package/place.hpp"
#include "package/traffic.hpp"
#include "shared.hpp"
#include "sim/package/spec.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

const import::LlamaHyper kFour{.layers = 4, .width = 256, .heads = 4, .kv_heads = 2, .ffn = 256, .context = 64, .vocab = 64};

Program pipeline(const std::optional<package::Board>& board = {}) {
  return compile(import::synthetic_llama(kFour, 1), {.config = "quad", .dies = 4, .parallel = "pipeline", .board = board}).program;
}

// The same program with its dies elsewhere: that is a word of the launch ABI.
Program placed(Program program, const std::string& was, const std::string& is) {
  const std::size_t at = program.abi.find("\"places\":" + was);
  REQUIRE(at != std::string::npos);
  program.abi.replace(at + 9, was.size(), is);
  return program;
}

struct Bits {
  std::vector<float> logits;
  std::vector<std::uint8_t> cache;
  bool operator==(const Bits&) const = default;
};
struct Run {
  Bits bits;
  std::uint64_t token = 0, prefill = 0, carried = 0;  // cycles; bytes of all links
};
Run run(const Program& program, const std::string& on) {
  Session session(program, on);
  session.limit_rows(4);
  const std::vector<int> prompt = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9}, more = {7};
  Run r;
  session.feed(prompt);
  for (const Step& s : session.steps()) r.prefill += s.record[spec::Counter::cycles];
  const auto last = session.feed(more);
  r.bits = {{last.begin(), last.end()}, session.kv_cache()};
  r.token = session.steps().back().record[spec::Counter::cycles];
  for (std::size_t d = 0; d < session.dies(); ++d)
    for (const driver::LinkUse& l : session.links(d)) r.carried += l.payload_bytes;
  return r;
}

// The links of a square, of which one is slow.
struct File {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("jogak_placement_" + std::to_string(::getpid()) + ".yaml");
  explicit File(const std::string& south_link) {
    std::ofstream(path) << "name: lame\nconfig: quad\nmesh: [2, 2]\nlinks:\n  fast: {type: ucie-s}\n  slow: {type: on-board, latency_ns: 400}\n"
                        << "memories:\n  dram: {preset: ideal, mib: 64}\ndies:\n"
                        << "  - {name: a, at: [0, 0], memory: dram, links: {east: " << south_link << ", north: fast}}\n"
                        << "  - {name: b, at: [1, 0], memory: dram, links: {west: " << south_link << ", north: fast}}\n"
                        << "  - {name: c, at: [0, 1], memory: dram, links: {east: fast, south: fast}}\n"
                        << "  - {name: d, at: [1, 1], memory: dram, links: {west: fast, south: fast}}\n";
  }
  ~File() { std::filesystem::remove(path); }
};

// As tools/cli/board.cpp reads it.
package::Board board_of(const std::filesystem::path& file) {
  const package::PackageSpec spec = package::read_package(file);
  package::Board b{.name = spec.name, .mesh = {spec.columns, spec.rows}, .compute = {0, 1, 2, 3}};
  for (const package::Die& d : spec.dies) {
    auto& links = b.links.emplace_back();
    for (std::size_t side = 0; side < links.size(); ++side)
      if (const auto& l = d.links[side]) links[side] = {l->gb_per_s() * package::kPayload, l->latency_ns};
  }
  return b;
}

}  // namespace

TEST_CASE("the dies of a pipeline on a square stand so that each one's next is its neighbour: fewer bytes on the links, fewer cycles, the same bits") {
  const Program snake = pipeline(), rows = placed(snake, "[0,1,3,2]", "[0,1,2,3]");
  const Run chosen = run(snake, "cycle"), plain = run(rows, "cycle");
  CHECK(chosen.bits == plain.bits);
  CHECK(chosen.bits == run(snake, "model").bits);
  CHECK(chosen.bits == run(compile(import::synthetic_llama(kFour, 1), {.config = "quad"}).program, "model").bits);
  CHECK(chosen.token < plain.token);
  CHECK(chosen.prefill < plain.prefill);
  // x goes three hops instead of four; the last rows go four in either order.
  CHECK(chosen.carried < plain.carried * 9 / 10);
  const auto backends = driver::package_backends();
  if (std::ranges::find(backends, "systemc") != backends.end()) CHECK(run(snake, "systemc").token == chosen.token);
  MESSAGE("a token: " << chosen.token << " cycles, in order " << plain.token << "; a prompt: " << chosen.prefill << ", " << plain.prefill << "; bytes on links: " << chosen.carried << ", "
                      << plain.carried);
}

TEST_CASE("Verilated dies know their places: a pipeline that does not stand in order") {
  const auto backends = driver::package_backends();
  if (std::ranges::find(backends, "rtl") == backends.end()) return;
  const import::LlamaHyper small{.layers = 4, .width = 32, .heads = 2, .kv_heads = 2, .ffn = 32, .context = 32, .vocab = 32};
  const Program program = compile(import::synthetic_llama(small, 1), {.config = "nanoquad", .dies = 4, .parallel = "pipeline"}).program;
  CHECK(program.abi.find("\"places\":[0,1,3,2]") != std::string::npos);
  CHECK(run(program, "rtl").bits == run(compile(import::synthetic_llama(small, 1), {.config = "nanoquad"}).program, "model").bits);
}

TEST_CASE("a slow link of a package's file is avoided") {
  const File file("slow");
  const Program chosen = pipeline(board_of(file.path)), unaware = pipeline();
  const std::string on = "cycle:" + file.path.string();
  const Run best = run(chosen, on), other = run(unaware, on);
  CHECK(best.bits == other.bits);
  CHECK(best.token + 400 < other.token);
  MESSAGE("a token: " << best.token << " cycles, without the file " << other.token << "; a prompt: " << best.prefill << ", " << other.prefill);
  const File even("fast");
  CHECK(pipeline(board_of(even.path)).abi == unaware.abi);
}

TEST_CASE("whoever sends everybody the same has nothing to gain, and stands in order") {
  const Compiled c = compile(import::synthetic_llama(kFour, 1), {.config = "quad", .dies = 4, .parallel = "tensor"});
  CHECK(c.program.abi.find("\"places\":[0,1,2,3]") != std::string::npos);
  CHECK(c.explanation.find("  placement: dies 0 1 2 3 are the package's 0 1 2 3 (by place)\n") != std::string::npos);
  const Compiled p = compile(import::synthetic_llama(kFour, 1), {.config = "quad", .dies = 4, .parallel = "pipeline"});
  CHECK(p.explanation.find("  placement: dies 0 1 2 3 are the package's 0 1 3 2 (by place); ") != std::string::npos);
  for (const char* link : {"  link 0 > 1 ", "  link 1 > 2 ", "  link 2 > 3 ", "  link 3 > 0 "}) CHECK_MESSAGE(p.explanation.find(link) != std::string::npos, p.explanation);  // by die, as profiles name them
  CHECK(p.explanation.find("  link 1 > 3 ") == std::string::npos);
  package::Board beside = package::board_of(3);  // one that only carries between two
  beside.compute = {0, 2};
  const Compiled two = compile(import::synthetic_llama(kFour, 1), {.config = "quad", .dies = 2, .parallel = "pipeline", .board = beside});
  for (const char* link : {"  link 0 > 2 ", "  link 2 > 1 "}) CHECK_MESSAGE(two.explanation.find(link) != std::string::npos, two.explanation);
}

// Layers with a sliding window and without take turns, so that the second die of a pipeline would need another code.
TEST_CASE("by itself the compiler takes no way that the decoder does not allow, however much faster it would be") {
  const ir::Graph graph = import::read_model("tests/models/golden/gemma2");
  package::Board slow = package::board_of(2);
  slow.name = "slow";
  for (auto& links : slow.links) links.fill({0.001, 10'000});
  const Compiled c = compile(graph, {.config = "quad", .dies = 2, .board = slow});
  CHECK(c.program.abi.find("\"parallel\":\"tensor\"") != std::string::npos);
  CHECK(c.explanation.find("pipeline: package: layers of die 1, found others than those of die 0") != std::string::npos);
  import::LlamaHyper dense_first = kFour;  // the first die of a pipeline would have no experts at all
  dense_first.mixture = {.experts = 4, .top = 2}, dense_first.dense = {true, true, false, false};
  const ir::Graph some = import::synthetic_llama(dense_first, 1);
  CHECK(refusal([&] { compile(some, {.config = "quad", .dies = 2, .parallel = "pipeline"}); }).starts_with("package: layers of die 1, found others than those of die 0"));
  CHECK(compile(some, {.config = "quad", .dies = 2, .board = slow}).explanation.find("  taken: ") != std::string::npos);
  CHECK(compile(import::read_model("tests/models/golden/mistral"), {.config = "quad", .dies = 2, .board = slow}).program.abi.find("\"parallel\":\"pipeline\"") != std::string::npos);
}

TEST_CASE("the plan of a config.json for dies, each way, is that of the program") {
  const std::filesystem::path folder = "tests/models/golden/qwen3_moe";
  for (const char* way : {"tensor", "experts", "pipeline"}) {
    CAPTURE(way);
    const CompileOptions options{.config = "quad", .context = 64, .dies = 2, .parallel = way};
    const Program p = compiled(folder, options);
    const MemoryPlan plan = plan_memory(import::read_hf_shape(folder / "config.json"), options);
    REQUIRE(plan.windows.size() == 4);
    for (std::size_t w = 0; w < plan.windows.size(); ++w) CHECK(plan.windows[w] == p.window_bytes[w]);
    CHECK(plan.instructions == p.code.size());
    CHECK(plan.text().find(way == std::string("pipeline") ? "first of 2 dies" : "each of 2 dies") != std::string::npos);
  }
}

TEST_CASE("places that are none, and a board of other dies, are refused by name") {
  for (const char* places : {"[0,1,3,3]", "[0,1,2,4]", "[0,1,2]"})
    CHECK_THROWS_WITH_AS(Session(placed(pipeline(), "[0,1,3,2]", places), "model"), doctest::Contains("package: places of the dies, found "), Error);
  const File file("fast");
  CHECK_THROWS_WITH_AS(compile(import::synthetic_llama(kFour, 1), {.config = "quad", .dies = 2, .board = board_of(file.path)}),
                       doctest::Contains("package lame: program, found one for 2 dies, expected one for its 4 compute dies (--dies)"), Error);
}
