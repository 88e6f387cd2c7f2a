// What cannot be, at every door of a package: its file, the backends that read it, other machines, the compiler.
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "driver/package.hpp"
#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

const import::LlamaHyper kSmall{.layers = 2, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 96};

Program small(int dies) { return compile(import::synthetic_llama(kSmall, 1), {.config = "nanoquad", .dies = dies}).program; }

bool has(const std::string& backend) {
  const auto all = driver::package_backends();
  return std::find(all.begin(), all.end(), backend) != all.end();
}
const char* const kWithFiles[] = {"cycle", "rtl", "systemc"};

// boards/packages/nanoquad.yaml with texts in place of others, as a file.
class File {
 public:
  explicit File(const std::vector<std::pair<std::string, std::string>>& changes) {
    std::ifstream in("boards/packages/nanoquad.yaml");
    std::ostringstream all;
    all << in.rdbuf();
    std::string text = all.str();
    for (const auto& [from, to] : changes) {
      const auto at = text.find(from);
      REQUIRE_MESSAGE(at != std::string::npos, from);
      text.replace(at, from.size(), to);
    }
    std::ofstream(path_) << text;
  }
  ~File() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_ = std::filesystem::temp_directory_path() / ("jogak-refused-" + std::to_string(::getpid()) + ".yaml");
};

std::string opened(const std::string& backend, std::uint32_t columns, std::uint32_t rows) {
  std::vector<std::unique_ptr<driver::Device>> dies;
  return driver::open_package({.backend = backend, .config = "nanoquad", .columns = columns, .rows = rows, .memory_bytes = 1 << 20}, dies).message();
}

}  // namespace

TEST_CASE("every backend with files refuses what its file cannot be, by the names of its dies") {
  struct Case {
    std::vector<std::pair<std::string, std::string>> changes;
    std::string sentence;
  };
  const Case cases[] = {
      {{{"{west: side, north: side}", "{west: side}"}, {"{west: side, south: side}", "{west: side}"}},
       "package nanoquad, die d: way from die a, first along x, found no link to the north of die b, expected a die that can be reached"},
      {{{"{west: side, north: side}", "{north: side}"}}, "package nanoquad, die a: link to the east, found side without its other end, west of die b, expected both ends"},
      {{{"bit_error_rate: 0}", "bit_error_rate: 0}\n  other: {type: bow}"}, {"{west: side, north", "{west: other, north"}},
       "package nanoquad, die a: link to the east, found side, but other at its other end, west of die b, expected two ends of one kind"},
      {{{"at: [1, 0], memory", "at: [1, 0], base: 4096, memory"}}, "package nanoquad, die a: memory window, found 0 + 1048576, which overlaps that of die b, expected windows apart"},
      {{{"at: [1, 1]", "at: [0, 1]"}}, "package nanoquad, die d: place, found [0, 1], where die c is (their address windows would overlap), expected a free one"},
      {{{"preset: ideal", "preset: ideal, channels: 2"}}, "package nanoquad, memory ideal: channels, found it with an ideal memory, expected none"},
  };
  for (const Case& c : cases) {
    const File file(c.changes);
    for (const std::string backend : kWithFiles)
      if (has(backend)) CHECK(opened(backend + ":" + file.path(), 2, 2) == c.sentence);
  }
}

TEST_CASE("every backend refuses a program for fewer or more dies than it has") {
  for (const std::string backend : kWithFiles) {
    if (!has(backend)) continue;
    CAPTURE(backend);
    for (const std::uint32_t columns : {1u, 2u})
      CHECK(opened(backend + ":boards/packages/nanoquad.yaml", columns, 1) ==
            "package nanoquad: program, found one for " + std::to_string(columns) + " dies, expected one for its 4 compute dies (a, b, c, d)");
  }
  const Program two = small(2), four = small(4), one = small(1);
  for (const std::string& backend : driver::package_backends()) {
    CAPTURE(backend);
    const auto devices = [&](const Program& p) { return open_dies(p, backend); };
    CHECK(refusal([&] { Session(two, devices(four)); }) == "program: machine, found a package of 4 dies, expected a package of 2 dies, for which it was compiled");
    CHECK(refusal([&] { Session(four, devices(two)); }) == "program: machine, found a package of 2 dies, expected a package of 4 dies, for which it was compiled");
    CHECK(refusal([&] { Session(one, devices(two)); }) == "program: machine, found a package of 2 dies, expected one die, for which it was compiled");
  }
  // Machines that are one die, of whatever kind.
  for (const std::string& backend : driver::backends()) {
    if (has(backend)) continue;
    CAPTURE(backend);
    CHECK(refusal([&] { open_dies(two, backend); }).starts_with("package: backend, found " + backend + ", expected one of model, cycle"));
  }
  for (const std::string backend : {"uio:npu", "litex:localhost:1", "uart:/dev/null"}) CHECK(refusal([&] { open_dies(two, backend); }).starts_with("package: backend, found " + backend));
  CHECK(refusal([&] { Session(two, "model:boards/packages/nanoquad.yaml"); }).starts_with("package: model, found boards/packages/nanoquad.yaml behind it"));
}

TEST_CASE("memories and links that a backend has not are refused by name") {
  for (const std::string backend : kWithFiles) {
    if (!has(backend)) continue;
    CAPTURE(backend);
    CHECK(opened(backend + ":ideal:channels=2", 2, 1) == "memory: channels, found it with an ideal memory, expected none: it has a latency only");
    CHECK(opened(backend + ":ddr9", 2, 1).starts_with("memory: preset, found ddr9"));
    CHECK(opened(backend + ":ideal:mhz=500", 2, 1).empty());
  }
  const File two_kinds({{"bit_error_rate: 0}", "bit_error_rate: 0}\n  slow: {type: bow}"}, {"{west: side, north: side}", "{west: slow, north: side}"},
                        {"{west: side, south: side}", "{west: slow, south: side}"}, {"{east: side, north: side}", "{east: slow, north: side}"},
                        {"{east: side, south: side}", "{east: slow, south: side}"}});
  if (has("rtl")) CHECK(opened("rtl:" + two_kinds.path(), 2, 2) == "package nanoquad: links, found slow and side, expected one kind, for this machine");
  CHECK(opened("cycle:" + two_kinds.path(), 2, 2).empty());
}

TEST_CASE("the compiler refuses collectives that have no place, and packages that do not exist") {
  const auto compiled_on = [](import::LlamaHyper hyper, CompileOptions options) { return refusal([&] { compile(import::synthetic_llama(hyper, 1), options); }); };
  CHECK(compiled_on(kSmall, {.config = "nano", .dies = 2}) == "package: dies of nano, found 2, expected 1: this configuration has no links (quad has)");
  CHECK(compiled_on(kSmall, {.config = "quad", .dies = 5}) == "package: dies of quad, found 5, expected 1 to 4");
  CHECK(compiled_on(kSmall, {.config = "quad", .dies = 2, .parallel = "ring"}).starts_with("package: way to use the dies, found ring, expected auto, tensor"));
  CHECK(compiled_on(kSmall, {.config = "quad", .dies = 4, .parallel = "pipeline"}) == "package: layers for a pipeline of 4 dies, found 2, expected one a die at least");
  // A gather's place is x itself: too wide for the chip's memory, it is refused with what it would take.
  import::LlamaHyper wide = kSmall;
  wide.width = 8192, wide.heads = 64, wide.kv_heads = 8;
  CHECK(compiled_on(wide, {.config = "nanoquad", .dies = 4, .parallel = "tensor"}).find("of nanoquad") != std::string::npos);
}
