// jogak demo: a small language model on the RTL, its text as it comes, and the model of the machine beside it, bit by bit.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <iostream>

#include "cli.hpp"
#include "import/gguf.hpp"
#include "report.hpp"
#include "status.hpp"

namespace jogak::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string model, on, prompt = "Once upon a time";
  CompileOptions options;
  int tokens = 64;
  bool json = false;
};

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// What the two machines agreed on; the first difference ends the demo.
struct Agreement {
  int launches = 0;
  std::size_t logits = 0;

  void check(std::span<const float> found, std::span<const float> expected, const Session& machine, const Session& reference) {
    if (found.size() != expected.size() || std::memcmp(found.data(), expected.data(), found.size() * 4) != 0)
      throw Error("demo", "logits after token " + std::to_string(machine.position()), "other bits than the exact model's", "the same bits");
    const LaunchRecord &a = machine.steps().back().record, &b = reference.steps().back().record;
    for (const spec::CounterInfo& c : spec::counters)
      if (c.exact && a.counters[c.index] != b.counters[c.index])
        throw Error("demo", "counter " + std::string(c.name) + " after token " + std::to_string(machine.position()),
                    std::to_string(a.counters[c.index]), std::to_string(b.counters[c.index]));
    ++launches;
    logits += found.size();
  }
};

std::uint64_t cycles(const Session& s) {
  std::uint64_t sum = 0;
  for (const Step& step : s.steps()) sum += step.record[spec::Counter::cycles];
  return sum;
}

std::string status_text(const Session& s, int made, int wanted, double seconds) {
  char text[160];
  const double left = made == 0 ? 0 : seconds / made * (wanted - made);
  const std::uint64_t c = cycles(s);
  if (c == 0) std::snprintf(text, sizeof text, "%d of %d tokens, %.0f s left", made, wanted, left);
  else
    std::snprintf(text, sizeof text, "%d of %d tokens, %.2f million cycles, %.0f kHz simulated, %.0f s left", made, wanted,
                  static_cast<double>(c) * 1e-6, static_cast<double>(c) / seconds * 1e-3, left);
  return text;
}

class Demo {
 public:
  Demo(const Arguments& a, const Program& program)
      : a_(a), config_(*spec::find_config(program.config.c_str())), machine_(program, a.on), reference_(program, "model") {
    if (machine_.device().backend == "rtl") machine_.start_timeline(0);
  }

  void run() {
    const std::vector<int> prompt = machine_.tokenizer().encode(a_.prompt);
    Detokenizer text(machine_.tokenizer());
    {
      StatusLine status;  // before any text: it moves the cursor to a line's start
      for (const int id : prompt) say(text.put(id));
      const AbortOnInterrupt interrupt(machine_);
      step(prompt);
      while (next_ >= 0 && made_ < a_.tokens) {
        ++made_;
        ids_.push_back(next_);
        say(text.put(next_));
        status.show(status_text(machine_, made_, a_.tokens, seconds_));
        if (machine_.room() == 0 || made_ == a_.tokens) break;
        step(std::vector<int>{next_});
      }
      say(text.finish());
    }
    std::cout << (a_.json ? "" : "\n\n") << std::flush;
  }

  void report() const;
  void report_json() const;

 private:
  void say(const std::string& text) {
    text_ += text;
    if (!a_.json) std::cout << text << std::flush;
  }
  // The machine first; then the exact model, which is quick, on the same tokens.
  void step(const std::vector<int>& ids) {
    const auto begin = Clock::now();
    const std::span<const float> logits = machine_.feed(ids);
    seconds_ += since(begin);
    if (logits.empty()) throw Error("demo", "launch", "an interrupt", "a run to its end");
    // A prompt of several launches is compared at its last one.
    agreement_.check(logits, reference_.feed(ids), machine_, reference_);
    next_ = best(logits);
    if (next_ == machine_.tokenizer().eos() || next_ == machine_.tokenizer().bos()) next_ = -1;
  }

  const Arguments& a_;
  const spec::Config& config_;
  Session machine_, reference_;
  Agreement agreement_;
  double seconds_ = 0;  // of the machine alone
  int next_ = -1, made_ = 0;
  std::vector<int> ids_;
  std::string text_;
};

void Demo::report() const {
  const bool kv = machine_.kv_cache() == reference_.kv_cache();
  if (!kv) throw Error("demo", "KV cache at the end", "other bits than the exact model's", "the same bits");
  const ModelInfo& m = machine_.model();
  const bool timed = machine_.device().timed;
  std::cout << "model    " << m.name << ": " << m.layers << " layers, width " << m.width << ", vocabulary " << m.vocab << ", context " << m.context << "\n"
            << "machine  " << config_.name << ": " << config_.rows << " x " << config_.cols << " array, " << config_.lanes << " vector lanes, "
            << config_.port_bytes * 8 << " bit memory port; " << machine_.device().description << "\n"
            << "same     " << ids_.size() << " tokens: all " << agreement_.logits << " logits of " << agreement_.launches
            << " launches, the exact counters and the KV cache have the bits of the exact model\n";
  char speed[160];
  std::snprintf(speed, sizeof speed, "time     %.1f s, %.2f tokens/s", seconds_, static_cast<double>(ids_.size()) / seconds_);
  std::cout << speed;
  if (timed) {
    std::snprintf(speed, sizeof speed, "; %.2f million cycles simulated at %.0f kHz", static_cast<double>(cycles(machine_)) * 1e-6,
                  static_cast<double>(cycles(machine_)) / seconds_ * 1e-3);
    std::cout << speed;
  }
  std::cout << "\n\n" << profile_text(machine_, config_);
}

void Demo::report_json() const {
  const nlohmann::json j = {{"model", machine_.model().name}, {"config", config_.name}, {"on", a_.on}, {"prompt", a_.prompt}, {"ids", ids_}, {"text", text_},
                            {"same_bits", machine_.kv_cache() == reference_.kv_cache()}, {"logits_compared", agreement_.logits},
                            {"seconds", seconds_}, {"cycles", cycles(machine_)}, {"profile", profile_json(machine_, config_)}};
  std::cout << j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

// The cycle-accurate machine where it was built.
std::string default_backend() {
  const auto names = driver::backends();
  return std::find(names.begin(), names.end(), "rtl") != names.end() ? "rtl" : "model";
}

void demo(const Arguments& a) {
  const std::filesystem::path path = a.model.empty() ? project_model("jogak-stories.gguf") : std::filesystem::path(a.model);
  const auto start = Clock::now();
  const Compiled compiled = compile(import::read_model(path), a.options);
  if (!a.json) {
    char text[200];
    std::snprintf(text, sizeof text, "compiled %s for %s in %.2f s: %zu instructions\n\n", path.filename().string().c_str(),
                  compiled.program.config.c_str(), since(start), compiled.program.code.size());
    std::cout << text << std::flush;
  }
  Demo d(a, compiled.program);
  d.run();
  if (a.json) d.report_json();
  else d.report();
}

}  // namespace

void add_demo(CLI::App& app, int&) {
  auto* command = app.add_subcommand("demo", "Show the machine at work: compile a model, run it, check every bit");
  const auto a = std::make_shared<Arguments>();
  a->on = default_backend();
  command->add_option("--tokens", a->tokens, "Most tokens to make")->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("-p,--prompt", a->prompt, "Text to go on from")->capture_default_str();
  command->add_option("--on", a->on, "Backend to show: rtl, or model where there is no Verilator")->capture_default_str();
  command->add_option("--model", a->model, "Another model file (default: the project's own)");
  add_compile_options(*command, a->options);
  command->add_flag("--json", a->json, "One JSON object instead of text");
  command->callback([a] { demo(*a); });
}

}  // namespace jogak::cli
