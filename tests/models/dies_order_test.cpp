// The order in which the dies of a package touch each other's memory, on the exact model with its race checker.
#include "checked_dies.hpp"
#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

Session checked(const Program& program, std::string* first = nullptr) { return Session(program, checked_dies(program, first)); }

// What is wrong with a program, with a prompt of so many rows: its first race, or the fault that ends it.
std::string verdict(const Program& program, int rows = 3) {
  std::string first;
  try {
    Session session = checked(program, &first);
    const std::vector<int> more = {8};
    std::vector<int> prompt;
    for (int i = 0; i < rows; ++i) prompt.push_back(5 + i);
    session.feed(prompt);
    session.feed(more);
    if (!session.language_model().pipeline()) return first;
    session.limit_rows(2);  // launches that overlap
    session.feed(prompt);
  } catch (const Error& e) {
    if (first.empty()) first = e.what();
  }
  return first;
}

import::LlamaHyper small(int experts = 0) {
  import::LlamaHyper hyper{.layers = 4, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 96};
  hyper.mixture.experts = experts, hyper.mixture.top = experts > 0 ? 3 : 0;
  return hyper;
}
Program small_program(const char* way, int dies, int experts = 0) {
  return compile(import::synthetic_llama(small(experts), 1), {.config = "nanoquad", .dies = dies, .parallel = way}).program;
}

bool is(const spec::Insn& insn, spec::Op op) { return spec::opcode_of(insn) == static_cast<std::uint8_t>(op); }
bool is_remote_wait(const spec::Insn& insn) { return is(insn, spec::Op::wait) && spec::decode<spec::Wait>(insn).sem >= spec::limit::semaphores; }
// To another die: a part of something, or a signal.
bool is_remote_store(const spec::Insn& insn) { return is(insn, spec::Op::store) && spec::decode<spec::Store>(insn).win >= kPeerWindow; }

// The verdict of the program without one instruction that `chosen` says yes to, for each of them.
std::vector<std::string> without_each(const Program& whole, bool (*chosen)(const spec::Insn&), int rows = 3) {
  std::vector<std::string> found;
  for (std::size_t pc = 0; pc < whole.code.size(); ++pc) {
    if (!chosen(whole.code[pc])) continue;
    Program program = whole;
    program.code[pc] = spec::encode(spec::Alu{});
    found.push_back(verdict(program, rows));
  }
  return found;
}

}  // namespace

TEST_CASE("no engine runs ahead of another, on its own die or another one") {
  const std::filesystem::path own = "models/jogak-stories.gguf";
  const std::vector<int> prompt = {1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338, 401, 396, 267, 337}, more = {421};
  if (std::filesystem::exists(own))
    for (const char* format : {"int8", "int8c"}) {
      Session session = checked(compiled(own, {.config = "nanoquad", .context = 64, .format = format, .dies = 4}));
      session.feed(prompt);
      session.feed(more);
    }
  for (const char* way : {"tensor", "pipeline"})
    for (const int dies : {2, 4})
      for (const int experts : {0, 4}) {
        CAPTURE(way);
        CAPTURE(dies);
        CAPTURE(experts);
        CHECK(verdict(small_program(way, dies, experts)) == "");
      }
  for (const int dies : {2, 4}) CHECK(verdict(small_program("experts", dies, 4)) == "");
}

TEST_CASE("no engine runs ahead of another: attention beside the feed-forward, biases") {
  import::LlamaHyper hyper = small();
  hyper.layer_norm = hyper.qkv_bias = hyper.output_bias = hyper.ffn_bias = true, hyper.gated = false, hyper.activation = ir::Activation::gelu_tanh;
  for (const bool beside : {false, true})
    for (const char* format : {"int8", "int8c"})
      for (const int dies : {2, 4}) {
        CAPTURE(beside);
        CAPTURE(format);
        CAPTURE(dies);
        hyper.parallel = beside;
        CHECK(verdict(compile(import::synthetic_llama(hyper, 1), {.config = "nanoquad", .format = format, .dies = dies, .parallel = "tensor"}).program) == "");
      }
}

TEST_CASE("without any one wait for another die it is a race, without a signal a die waits in vain: dies, engines and places are named") {
  for (const std::string way : {"tensor", "pipeline"})
    for (const int dies : {2, 4}) {
      CAPTURE(way);
      CAPTURE(dies);
      const Program whole = small_program(way.c_str(), dies);
      const auto races = without_each(whole, is_remote_wait);
      CHECK(races.size() >= 2);
      for (const std::string& race : races) {
        CAPTURE(race);
        CHECK(race.starts_with("die "));
        CHECK((race.ends_with(" without order") || race.ends_with(" has come")));
      }
      std::size_t in_vain = 0;
      for (const std::string& end : without_each(whole, is_remote_store)) in_vain += end.find("found fault timeout") != std::string::npos;
      CHECK(in_vain + (way == "pipeline" ? 1 : 0) >= races.size());  // there one signal has two waits, each in launches of its kind
    }
}

// On nanoquad results of 7 rows have places, of 21 of a launch on two dies: they are free for the next ones when another die says so.
TEST_CASE("experts whole on a die: without any one wait for another die it is a race") {
  import::LlamaHyper hyper{.layers = 1, .width = 256, .heads = 4, .kv_heads = 2, .ffn = 32, .context = 64, .vocab = 96};
  hyper.mixture = {.experts = 8, .top = 3};
  const Program whole = compile(import::synthetic_llama(hyper, 1), {.config = "nanoquad", .dies = 2, .parallel = "experts"}).program;
  CHECK(verdict(whole, 21) == "");
  const auto races = without_each(whole, is_remote_wait, 21);
  CHECK(races.size() == 5);  // attention, its output, results, room for more, columns of x
  for (const std::string& race : races) {
    CAPTURE(race);
    CHECK(race.starts_with("die "));
    CHECK((race.ends_with(" without order") || race.ends_with(" has come")));
  }
}
