// Packages: 1, 2, 3 and 4 dies give the same bits.
#include <algorithm>
#include <chrono>
#include <thread>

#include "driver/package.hpp"
#include "dies.hpp"
#include "import/synthetic.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

const std::filesystem::path kOwn = "models/jogak-stories.gguf";

bool present() {
  const bool there = std::filesystem::exists(kOwn);
  if (!there) MESSAGE("SKIPPED: no " << kOwn.string());
  return there;
}

void same_on(const std::filesystem::path& model, CompileOptions options, const std::vector<int>& dies, const std::vector<int>& prompt, int tokens) {
  const Bits one = bits_of(compiled(model, options), prompt, tokens);
  for (const int n : dies) {
    CAPTURE(n);
    options.dies = n;
    const Bits several = bits_of(compiled(model, options), prompt, tokens);
    CHECK(several.ids == one.ids);
    CHECK(same_bits(several.logits, one.logits));
    CHECK(several.cache == one.cache);
  }
}

const std::vector<int> kPrompt = {1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338, 401, 396, 267, 337};

}  // namespace

TEST_CASE("own model: tokens, logits and KV cache are those of one die") {
  if (!present()) return;
  for (const char* format : {"int8", "mxfp4", "int8c"})
    for (const char* config : {"nanoquad", "quad"}) {
      CAPTURE(format);
      CAPTURE(config);
      same_on(kOwn, {.config = config, .context = 64, .format = format}, {2, 4}, kPrompt, 6);
    }
}

TEST_CASE("stories260K: likewise, and with parts that are not even") {
  const auto model = shared_model("stories260K/stories260K.bin");
  if (model.empty()) return;
  same_on(model, {.config = "nanoquad", .context = 64}, {2, 3, 4}, kPrompt, 6);
  same_on(model, {.config = "quad", .context = 64, .format = "mxfp4"}, {2, 4}, kPrompt, 6);
}

TEST_CASE("a pipeline: layers of each die's own, the bits of one die") {
  if (present()) same_on(kOwn, {.config = "nanoquad", .context = 64, .parallel = "pipeline"}, {2, 3}, kPrompt, 4);
  const auto model = shared_model("stories260K/stories260K.bin");
  if (!model.empty()) same_on(model, {.config = "quad", .context = 64, .format = "int8c", .parallel = "pipeline"}, {2, 4}, kPrompt, 4);
}

TEST_CASE("a pipeline's launches overlap where that takes less time than one launch") {
  if (!present()) return;
  const Program one = compiled(kOwn, {.config = "quad", .context = 64}), two = compiled(kOwn, {.config = "quad", .context = 64, .dies = 2, .parallel = "pipeline"});
  Session alone(one, "model"), both(two, "model");
  const int chunk = both.language_model().overlap_rows;
  REQUIRE(chunk >= 2);
  REQUIRE(3 * chunk <= both.rows());
  for (const int tokens : {chunk, chunk + 1, 3 * chunk}) {
    CAPTURE(tokens);
    alone.reset(), both.reset(), both.clear_steps();
    const std::vector<int> ids(static_cast<std::size_t>(tokens), 403);
    const auto expected = alone.feed(ids), found = both.feed(ids);
    CHECK(same_bits({found.begin(), found.end()}, {expected.begin(), expected.end()}));
    CHECK(both.kv_cache() == alone.kv_cache());
    CHECK(both.steps().size() == (tokens == 3 * chunk ? 4 : 1));
  }
}

TEST_CASE("times of a launch are those of its slowest die, all of them") {
  const import::LlamaHyper four{.layers = 4, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 100};
  Session session(compile(import::synthetic_llama(four, 1), {.config = "quad", .dies = 3, .parallel = "pipeline"}).program, "cycle");
  session.start_timeline(0);
  session.limit_rows(4);
  session.feed(some_ids(13));
  std::uint64_t cycles = 0, rows = 0;
  for (const Step& s : session.steps()) {
    cycles += s.record[spec::Counter::cycles];
    CHECK(std::ranges::any_of(s.dies, [&](const LaunchRecord& die) {
      return std::ranges::all_of(spec::counters, [&](const spec::CounterInfo& c) { return c.exact || die.counters[c.index] == s.record.counters[c.index]; });
    }));
    for (const spec::CounterInfo& c : spec::counters) {
      std::uint64_t sum = 0;
      for (const LaunchRecord& die : s.dies) sum += die.counters[c.index];
      if (c.exact) CHECK(sum == s.record.counters[c.index]);
    }
  }
  for (const Timeline::Row& r : session.timeline()->rows()) {
    rows += r.cell.cycles;
    CHECK(r.cell.beats <= 2 * r.cell.cycles);  // of both channels of the port
  }
  CHECK(rows == cycles);
}

// Small ones of a shape, with random weights.
void same_in(const import::LlamaHyper& hyper, const std::string& parallel, const std::string& format = "int8") {
  const std::vector<int> prompt = {3, 1, 4, 1, 5, 9, 2, 6};
  const Bits one = bits_of(compile(import::synthetic_llama(hyper, 1), {.config = "quad", .format = format}).program, prompt, 3);
  for (const int dies : {2, 4}) {
    CAPTURE(dies);
    const Bits several = bits_of(compile(import::synthetic_llama(hyper, 1), {.config = "quad", .format = format, .dies = dies, .parallel = parallel}).program, prompt, 3);
    CHECK(several.ids == one.ids);
    CHECK(same_bits(several.logits, one.logits));
    CHECK(several.cache == one.cache);
  }
}
const import::LlamaHyper kSmall{.layers = 4, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 96};

TEST_CASE("attention beside the feed-forward, biases of the feed-forward, neither gate nor rotary tables") {
  import::LlamaHyper beside = kSmall, biases = kSmall;
  beside.parallel = true;
  biases.layer_norm = biases.positions = biases.qkv_bias = biases.output_bias = biases.ffn_bias = true, biases.gated = false, biases.activation = ir::Activation::gelu_tanh;
  import::LlamaHyper phi = biases;
  phi.positions = false, phi.parallel = phi.head_bias = true, phi.rotary_dims = 8, phi.heads = phi.kv_heads = 4, phi.ffn = 160;
  for (const char* way : {"tensor", "pipeline"})
    for (const import::LlamaHyper& hyper : {beside, biases, phi})
      for (const char* format : {"int8", "int8c"}) {
        CAPTURE(way);
        CAPTURE(format);
        same_in(hyper, way, format);
      }
}

TEST_CASE("experts: each in parts on all dies, or layers of each die's own") {
  import::LlamaHyper hyper = kSmall;
  hyper.mixture.experts = 6, hyper.mixture.top = 3;
  same_in(hyper, "tensor");
  same_in(hyper, "pipeline");
  hyper.mixture.over_chosen = true, hyper.ffn = 160;
  same_in(hyper, "auto");
  hyper.expert_ffn = 96, hyper.shared_ffn = 64, hyper.shared_gate = true, hyper.dense = {true, false, false, true};
  same_in(hyper, "tensor");
}

TEST_CASE("a program for a package is refused on anything else, and the other way round") {
  if (!present()) return;
  const auto message = [](auto&& action) -> std::string {
    try {
      action();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  const Program two = compiled(kOwn, {.config = "nanoquad", .context = 32, .dies = 2}), one = compiled(kOwn, {.config = "nanoquad", .context = 32});
  const auto devices = [](std::uint32_t columns, const std::string& config) {
    std::vector<std::unique_ptr<driver::Device>> dies;
    REQUIRE(driver::open_package({.config = config, .columns = columns, .memory_bytes = 1 << 22}, dies).ok());
    return dies;
  };
  CHECK(message([&] { Session(two, devices(3, "nanoquad")); }) == "program: machine, found a package of 3 dies, expected a package of 2 dies, for which it was compiled");
  CHECK(message([&] { Session(one, devices(2, "nanoquad")); }) == "program: machine, found a package of 2 dies, expected one die, for which it was compiled");
  CHECK(message([&] { Session(two, devices(1, "nanoquad")); }) == "program: machine, found one die, expected a package of 2 dies, for which it was compiled");
  CHECK(message([&] { Session(two, devices(2, "quad")); }).starts_with("device: configuration, found quad 0x"));
  for (const auto& [was, is] : {std::pair{"\"first_layers\":[0,0]", "\"first_layers\":[1,0]"}, {"\"first_layers\":[0,0]", "\"first_layers\":[0,3]"}, {"\"planes\":", "\"planes\":-"}}) {
    Program wrong = two;
    const std::size_t at = wrong.abi.find(was);
    REQUIRE(at != std::string::npos);
    wrong.abi.replace(at, std::string(was).size(), is);
    CHECK(message([&] { Session(wrong, devices(2, "nanoquad")); }).find("a first layer for each die in order") != std::string::npos);
  }
  CHECK(message([&] { compiled(kOwn, {.config = "nano", .dies = 2}); }) == "package: dies of nano, found 2, expected 1: this configuration has no links (quad has)");
  CHECK(message([&] { compiled(kOwn, {.config = "quad", .dies = 5}); }) == "package: dies of quad, found 5, expected 1 to 4");
  CHECK(message([&] { compiled(kOwn, {.config = "nanoquad", .dies = 4, .parallel = "pipeline"}); }) == "package: layers for a pipeline of 4 dies, found 3, expected one a die at least");
}

TEST_CASE("Verilated packages and the cycle model: the tokens of one die, in the same time") {
  const auto backends = driver::package_backends();
  if (!present() || std::find(backends.begin(), backends.end(), "rtl") == backends.end()) return;
  const std::vector<int> prompt = {1, 403, 407};
  const Bits one = bits_of(compiled(kOwn, {.config = "nanoquad", .context = 32}), prompt, 3);
  for (const int dies : {2, 4}) {
    CAPTURE(dies);
    const Program program = compiled(kOwn, {.config = "nanoquad", .context = 32, .dies = dies});
    std::vector<std::uint64_t> cycles;
    std::vector<std::string> machines = {"rtl", "cycle"};
    if (std::find(backends.begin(), backends.end(), "systemc") != backends.end()) machines.push_back("systemc");
    for (const std::string& on : machines) {
      CAPTURE(on);
      Session session(program, on);
      CHECK(session.generate(prompt, {.tokens = 3, .stop_at_end = false}).ids == one.ids);
      CHECK(session.kv_cache() == one.cache);
      CHECK(session.steps().back().dies.size() == static_cast<std::size_t>(dies));
      cycles.push_back(session.steps().back().record[spec::Counter::cycles]);
    }
    // The host starts one Verilated die after the other.
    CHECK(std::abs(double(cycles[0]) - double(cycles[1])) < 0.01 * double(cycles[0]));
    if (machines.size() > 2) CHECK(cycles[2] == cycles[1]);
  }
}

TEST_CASE("packages of HLS kernels: the tokens and the KV cache of one die") {
  if (!present()) return;
  const std::vector<int> prompt = {1, 403, 407};
  for (const char* parallel : {"tensor", "pipeline"})
    for (const int dies : {2, 4}) {
      if (dies > 2 && std::string(parallel) == "pipeline") continue;  // the own model has three layers
      CAPTURE(parallel);
      CAPTURE(dies);
      const Bits one = bits_of(compiled(kOwn, {.config = "nanoquad", .context = 32}), prompt, 3);
      Session session(compiled(kOwn, {.config = "nanoquad", .context = 32, .dies = dies, .parallel = parallel}), "hls");
      CHECK(session.generate(prompt, {.tokens = 3, .stop_at_end = false}).ids == one.ids);
      CHECK(session.kv_cache() == one.cache);
    }
}

TEST_CASE("a package's file is refused for programs of other packages") {
  const auto backends = driver::package_backends();
  if (std::find(backends.begin(), backends.end(), "systemc") == backends.end()) return;
  const auto refusal = [](const std::string& file, const std::string& config, std::uint32_t columns, std::uint32_t rows, std::uint64_t bytes) {
    std::vector<std::unique_ptr<driver::Device>> dies;
    return driver::open_package({.backend = "systemc:boards/packages/" + file, .config = config, .columns = columns, .rows = rows, .memory_bytes = bytes}, dies).message();
  };
  CHECK(refusal("nanoquad.yaml", "nanoquad", 2, 2, 1 << 20).empty());
  CHECK(refusal("nanoquad.yaml", "nanoquad", 2, 1, 1 << 20) == "package nanoquad: program, found one for 2 dies, expected one for its 4 compute dies (a, b, c, d)");
  CHECK(refusal("nanoquad.yaml", "quad", 2, 2, 1 << 20) == "package nanoquad: program, found one for quad, expected nanoquad");
  CHECK(refusal("nanoquad.yaml", "nanoquad", 2, 2, 1 << 21) == "package nanoquad: memory of die a, found 1048576 bytes, expected 2097152 at least");
}

TEST_CASE("Verilated packages: slow links with a long latency change times only") {
  const auto backends = driver::package_backends();
  if (!present() || std::find(backends.begin(), backends.end(), "rtl") == backends.end()) return;
  const std::vector<int> prompt = {1, 403};
  const Bits one = bits_of(compiled(kOwn, {.config = "nanoquad", .context = 32}), prompt, 2);
  const Program program = compiled(kOwn, {.config = "nanoquad", .context = 32, .dies = 4});
  std::vector<std::unique_ptr<driver::Device>> dies;
  REQUIRE(driver::open_package({.backend = "rtl", .config = "nanoquad", .columns = 2, .rows = 2, .memory_bytes = memory_of(program), .link_gb_per_s = 1,
                                .link_latency_ps = 300'000}, dies).ok());
  Session session(program, std::move(dies));
  CHECK(session.generate(prompt, {.tokens = 2, .stop_at_end = false}).ids == one.ids);
  CHECK(session.kv_cache() == one.cache);
}

// Only there do stores of one die really meet what another one does: the models run a die until it waits.
TEST_CASE("Verilated packages: experts, norms behind attention, a feed-forward beside it and layers of each die's own, with fast and slow links") {
  const auto backends = driver::package_backends();
  if (std::find(backends.begin(), backends.end(), "rtl") == backends.end()) return;
  import::LlamaHyper small{.layers = 2, .width = 32, .heads = 4, .kv_heads = 4, .ffn = 32, .context = 32, .vocab = 32};
  import::LlamaHyper experts = small, shared = small;
  experts.mixture.experts = 4, experts.mixture.top = 3;
  shared.mixture = experts.mixture, shared.shared_ffn = 32, shared.shared_gate = true, shared.dense = {true, false};
  struct Kind {
    ir::Graph graph;
    const char* parallel;
    std::uint32_t dies;
  };
  const Kind kinds[] = {{import::synthetic_llama(experts, 1), "tensor", 4}, {import::synthetic_llama(shared, 1), "tensor", 2},
                        {import::synthetic_llama(small, 1), "pipeline", 2}, {import::read_model("tests/models/golden/gemma2"), "tensor", 2},
                        {import::read_model("tests/models/golden/phi"), "tensor", 2}};
  const std::vector<int> prompt = {3, 1, 4};
  for (const Kind& kind : kinds) {
    CAPTURE(&kind - kinds);
    const Bits one = bits_of(compile(kind.graph, {.config = "nanoquad", .context = 32}).program, prompt, 2);
    const Program program = compile(kind.graph, {.config = "nanoquad", .context = 32, .dies = static_cast<int>(kind.dies), .parallel = kind.parallel}).program;
    for (const double speed : {64.0, 1.0}) {
      CAPTURE(speed);
      std::vector<std::unique_ptr<driver::Device>> dies;
      REQUIRE(driver::open_package({.backend = "rtl", .config = "nanoquad", .columns = program.mesh.columns, .rows = program.mesh.rows, .memory_bytes = memory_of(program),
                                    .link_gb_per_s = speed, .link_latency_ps = speed > 1 ? 2'000u : 300'000u}, dies).ok());
      Session session(program, std::move(dies));
      if (session.language_model().pipeline()) session.limit_rows(2);  // launches that overlap
      CHECK(session.generate(prompt, {.tokens = 2, .stop_at_end = false}).ids == one.ids);
      CHECK(session.kv_cache() == one.cache);
    }
  }
}

// Kinds of layers take turns, so that two dies have different ones.
const std::vector<std::string> kTurning = {"gemma2", "gemma3", "gpt_oss", "qwen2_sliding"};

TEST_CASE("every kind of decoder: the bits of one die, tensor-parallel or as a pipeline") {
  const std::vector<int> prompt = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
  for (const std::string name : {"gemma", "gemma2", "gemma3", "gpt2", "gpt_oss", "llama", "llama_yarn", "mistral", "phi", "phi3", "qwen2", "qwen2_sliding", "qwen2_moe",
                                 "qwen3", "qwen3_moe", "qwen3_moe_some"}) {
    CAPTURE(name);
    const ir::Graph graph = import::read_model("tests/models/golden/" + name);
    const Bits one = bits_of(compile(graph, {.config = "quad"}).program, prompt, 4);
    for (const char* way : {"tensor", "pipeline"}) {
      const bool pipeline = way == std::string("pipeline");
      CAPTURE(pipeline);
      if (pipeline && std::ranges::find(kTurning, name) != kTurning.end()) {
        CHECK_THROWS_WITH_AS(compile(graph, {.config = "quad", .dies = 2, .parallel = way}), doctest::Contains("the same kinds of layers in the same order on each"), Error);
        continue;
      }
      const Bits two = bits_of(compile(graph, {.config = "quad", .dies = 2, .parallel = way}).program, prompt, 4);
      CHECK(two.ids == one.ids);
      CHECK(same_bits(two.logits, one.logits));
      CHECK(two.cache == one.cache);
    }
  }
}

namespace {

// Two dies with a program in their memory.
std::vector<std::unique_ptr<driver::Device>> two_dies(const std::string& backend, const std::vector<spec::Insn>& code) {
  std::vector<std::unique_ptr<driver::Device>> dies;
  REQUIRE(driver::open_package({.backend = backend, .config = "nanoquad", .memory_bytes = 1 << 16}, dies).ok());
  REQUIRE(dies.size() == 2);
  for (const auto& d : dies) {
    std::uint64_t at = 0;
    REQUIRE(d->alloc(128, at).ok());
    REQUIRE(d->copy_in(at, {reinterpret_cast<const std::uint8_t*>(code.data()), code.size() * sizeof(spec::Insn)}).ok());
    REQUIRE(d->write_csr(spec::csr::code_lo, static_cast<std::uint32_t>(at)).ok());
    REQUIRE(d->write_csr(spec::csr::code_lo + 4, static_cast<std::uint32_t>(at >> 32)).ok());
    REQUIRE(d->write_csr(spec::csr::code_len, static_cast<std::uint32_t>(code.size())).ok());
  }
  return dies;
}
std::uint32_t read(driver::Device& d, std::uint32_t offset) {
  std::uint32_t value = 0;
  CHECK(d.read_csr(offset, value).ok());
  return value;
}

}  // namespace

TEST_CASE("dies of a package start together") {
  auto dies = two_dies("model", {spec::encode(spec::Halt{})});
  CHECK(dies[0]->start().ok());
  CHECK((read(*dies[0], spec::csr::ap_ctrl) & 1) == 1);
  CHECK(dies[0]->wait(0).message() == "package: wait for die 0, found dies that were not started, expected a start of each");
  CHECK(!dies[0]->start().ok());
  CHECK(dies[1]->start().ok());
  CHECK(dies[0]->wait(0).ok());
  CHECK(dies[1]->wait(0).ok());
  CHECK(driver::open_package({.backend = "uio", .config = "nanoquad"}, dies).message().starts_with("package: backend, found uio, expected one of model"));
  CHECK(driver::open_package({.config = "nanoquad", .columns = 3, .rows = 2}, dies).message().starts_with("package: mesh, found 3 x 2"));
  CHECK(driver::open_package({.config = "nano"}, dies).message().starts_with("package: configuration nano, found chiplets: 1"));
}

// Whoever aborts does not know how many have been started.
TEST_CASE("an abort ends all dies of a package: before the last one's start, or from another thread while they run") {
  constexpr std::uint32_t kAborted = 8;
  for (const std::string& backend : driver::package_backends()) {
    CAPTURE(backend);
    auto dies = two_dies(backend, {spec::encode(spec::Halt{})});
    CHECK(dies[0]->start().ok());
    CHECK(dies[1]->abort().ok());
    CHECK(dies[1]->start().ok());
    for (const auto& d : dies) {
      CHECK(d->wait(0).ok());
      if (backend != "rtl") CHECK((read(*d, spec::csr::status) & kAborted) != 0);  // those had halted when they were told
    }
    CHECK(dies[0]->start().ok());
    CHECK(dies[0]->abort().ok());
    CHECK(dies[0]->wait(0).ok());  // none runs
    for (const auto& d : dies) CHECK(d->start().ok());
    for (const auto& d : dies) {
      CHECK(d->wait(0).ok());
      CHECK((read(*d, spec::csr::status) & kAborted) == 0);
    }
    const spec::Insn all_ones = spec::encode(spec::Alui{.fn = spec::AluFn::sub, .rd = 20, .ra = 0, .imm = 1}), add = spec::encode(spec::Alui{.rd = 21, .ra = 21, .imm = 1});
    auto busy = two_dies(backend, {all_ones, spec::encode(spec::Loop{.rc = 20, .end = 4}), spec::encode(spec::Loop{.rc = 20, .end = 3}), add, add, spec::encode(spec::Halt{})});
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      (void)busy[1]->abort();
    });
    for (const auto& d : busy) CHECK(d->start().ok());
    for (const auto& d : busy) CHECK(d->wait(0).ok());
    other.join();
    for (const auto& d : busy) CHECK((read(*d, spec::csr::status) & kAborted) != 0);
  }
}

TEST_CASE("a fault of one die is told, not that the others wait for it") {
  Program p;
  p.config = "nanoquad", p.config_hash = spec::find_config("nanoquad")->hash;
  p.mesh = {2, 1};
  p.code = {spec::encode(spec::Loop{.rc = 1, .end = 1}), spec::encode(spec::Store{.space = spec::Space::wspm}),  // the argument is the die's number
            spec::encode(spec::Wait{.eng = spec::Engine::ve, .sem = 32, .n = 1}), spec::encode(spec::Halt{})};
  for (const std::string& backend : driver::package_backends()) {
    CAPTURE(backend);
    Dies dies(open_dies(p, backend), p);
    CHECK_THROWS_WITH_AS((void)dies.run({}), doctest::Contains("die 1 of 2: device: launch, found fault reserved"), Error);
  }
}

TEST_CASE("what the dies send each other: bytes of every link, and a prediction that the cycle model bears out") {
  const import::LlamaHyper hyper{.layers = 2, .width = 512, .heads = 8, .kv_heads = 4, .ffn = 1024, .context = 64, .vocab = 64};
  for (const char* way : {"tensor", "pipeline"})
    for (const int dies : {2, 4}) {
      if (dies > hyper.layers && std::string(way) == "pipeline") continue;
      CAPTURE(way);
      CAPTURE(dies);
      const Compiled c = compile(import::synthetic_llama(hyper, 1), {.config = "quad", .dies = dies, .parallel = way});
      Session session(c.program, "cycle");
      const std::vector<int> one = {7};
      session.feed(one);
      // Links: what the explanation says of a row and a layer, with signals (a word of 16 bytes each) on top.
      const auto number = [&](const std::string& before) {
        const auto at = c.explanation.find(before);
        REQUIRE_MESSAGE(at != std::string::npos, c.explanation);
        return std::stod(c.explanation.substr(at + before.size()));
      };
      CHECK(c.explanation.find("  bound: ") != std::string::npos);
      const double predicted = number("predicted: "), found = double(session.steps().back().record[spec::Counter::cycles]);
      CHECK(found / predicted < 1.25);
      CHECK(found / predicted > 0.95);
      const double said = number("link 0 > 1") / session.model().rows * (std::string(way) == "tensor" ? hyper.layers : 1);
      double carried = 0;
      for (const driver::LinkUse& l : session.links(0))
        if (l.to == 1) carried = double(l.payload_bytes);
      CHECK(carried >= said);
      CHECK(carried < said * 1.15 + 600);
      session.reset();
      session.clear_steps();
      session.feed(std::vector<int>(64, 7));
      double prefill = 0;
      for (const Step& s : session.steps()) prefill += double(s.record[spec::Counter::cycles]);
      const double expected = std::stod(c.explanation.substr(c.explanation.rfind(' ', c.explanation.find(" of a prefill") - 1)));
      MESSAGE(c.program.mesh.dies() << " dies: " << prefill << " cycles of 64 tokens, predicted " << expected << ", " << session.steps().size() << " launches");
      CHECK(prefill / expected < 1.3);
      CHECK(prefill / expected > 0.9);
    }
}
