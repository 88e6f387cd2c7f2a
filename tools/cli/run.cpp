// jogak run: a prompt on a model or program, on any backend.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>

#include "adapter.hpp"
#include "batch.hpp"
#include "board.hpp"
#include "cli.hpp"
#include "onnx.hpp"
#include "package_trace.hpp"
#include "draft.hpp"
#include "encoder.hpp"
#include "report.hpp"

namespace jogak::cli {
namespace {

constexpr std::size_t kTraceSpans = 2'000'000;

struct Arguments {
  std::string model, prompt, on = "model", trace, batch, lora, memory, package;
  CompileOptions options;
  OnnxArguments onnx;
  std::string tower, pooling;
  GenerateOptions generate{.tokens = 64};
  DraftOptions draft;
  bool json = false, profile = false, ignore_end = false;
};

std::string backend_names() {
  std::string names;
  for (const std::string& b : driver::backend_forms()) names += (names.empty() ? "" : ", ") + b;
  return names;
}

CompileOptions options_of(const Arguments& a, Given given) {
  CompileOptions options = a.options;
  take_package(options, a.package, given);
  return options;
}

void run(const Arguments& a, Given given) {
  CompileOptions options = options_of(a, given);
  // A board is what it is: without --config, models are compiled for it.
  std::string found;
  if (const driver::Status s = driver::machine_config(a.on, found); !s.ok()) throw Error(s.message());
  if (!given.config && !found.empty()) options.config = found;
  if (!a.lora.empty()) options.lora = std::max(options.lora, adapter_rank(a.lora));
  const Program program = load(a.model, options, given);
  need_several_dies("run", a.package, program.mesh.dies());
  const spec::Config& config = *spec::find_config(program.config.c_str());
  auto devices = open_dies(program, a.on);
  const bool several = devices.size() > 1;
  const auto package_trace = several && !a.trace.empty() ? record_package(program, devices, kTraceSpans) : nullptr;
  Session session(program, std::move(devices));
  if (!a.lora.empty()) session.load_adapter(pack_adapter(program, a.lora));
  if ((!several && !a.trace.empty()) || (a.profile && (session.device().backend == "rtl" || session.device().backend == "cycle" || session.device().backend == "systemc"))) session.start_timeline(several || a.trace.empty() ? 0 : kTraceSpans);
  const Draft draft = open_draft(a.draft, a.model, options, session);
  GenerateOptions generate = a.generate;
  generate.drafter = draft.drafter.get();
  generate.draft = a.draft.tokens;
  if (!a.json) std::cout << a.prompt << std::flush;
  const AbortOnInterrupt interrupt(session);
  const auto start = std::chrono::steady_clock::now();
  const Generation g = session.generate(a.prompt, generate, [&](const Token& t) {
    if (!a.json) std::cout << t.text << std::flush;
    return static_cast<bool>(std::cout);
  });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (a.json) {
    nlohmann::json j = {{"model", session.model().name}, {"config", program.config}, {"on", a.on}, {"prompt", a.prompt}, {"prompt_ids", g.prompt},
                        {"ids", g.ids}, {"text", g.text}, {"stop", name(g.stop)}, {"seconds", seconds}, {"launches", session.steps().size()}};
    if (draft.drafter) j["draft"] = {{"guesses", g.drafted}, {"kept", g.kept}};
    if (a.profile) j["profile"] = profile_json(session, config);
    std::cout << j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    std::cout << "\n" << std::flush;
    std::cerr << "jogak: " << g.prompt.size() << " + " << g.ids.size() << " tokens on " << a.on << " (" << program.config << ") in " << seconds
              << " s, stopped by " << name(g.stop) << "\n";
    if (draft.drafter) std::cerr << "jogak: " << g.kept << " of " << g.drafted << " guesses kept, " << session.steps().size() << " launches\n";
    if (a.profile) std::cerr << profile_text(session, config);
  }
  if (!a.trace.empty()) {
    write_atomically(a.trace, several ? package_trace->json() : session.timeline()->chrome_json());
    if (!(several ? package_trace->complete() : session.timeline()->complete())) std::cerr << "jogak: the trace holds the first " << kTraceSpans << (several ? " events only\n" : " commands only\n");
  }
}

}  // namespace

void add_run(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("run", "Run a program or a model on a simulator or a device");
  const auto a = std::make_shared<Arguments>();
  command->add_option("model", a->model, "Program file (.jgk), model file (.gguf, llama2.c's .bin, .onnx) or folder")->required();
  command->add_option("-p,--prompt", a->prompt, "Text to go on from");
  command->add_option("--lora", a->lora, "LoRA adapter: a folder with adapter_config.json and adapter_model.safetensors, or a .gguf file")->check(CLI::ExistingPath);
  command->add_option("--batch", a->batch, "File with a prompt a line: all of them, several a launch (--sequences, 8 if not said)")->check(CLI::ExistingFile);
  command->add_option("-n,--tokens", a->generate.tokens, "Most tokens to make (0: until the end)")
      ->check(CLI::NonNegativeNumber)->capture_default_str();
  command->add_option("--on", a->on, "Backend: " + backend_names())->capture_default_str();
  command->add_option("--memory", a->memory, "DRAM of the backends cycle, rtl and systemc: ideal, ddr4-3200, lpddr4-3200, lpddr4-4266, lpddr5-6400, hbm2, hbm3 (docs/memory.md)");
  command->add_option("--package", a->package, "A package's file: links, memories and clock of the backends cycle, rtl and systemc (docs/packages.md)")->check(CLI::ExistingFile);
  add_compile_options(*command, a->options);
  add_draft_options(*command, a->draft);
  command->add_option("--stop", a->generate.stop, "End before this text (repeatable)")->allow_extra_args(false);
  Sampling& sampling = a->generate.sampling;
  command->add_option("--temperature", sampling.temperature, "0: always the best token")->check(CLI::NonNegativeNumber)->capture_default_str();
  command->add_option("--top-p", sampling.top_p, "Sample from the most likely tokens that add up to this")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--seed", sampling.seed, "Of the sampling")->capture_default_str();
  command->add_flag("--ignore-end", a->ignore_end, "Go on after the end-of-text token");
  command->add_flag("--json", a->json, "One JSON object instead of text");
  command->add_flag("--profile", a->profile, "Counters, and on the RTL cycles by operator and stall");
  command->add_option("--trace", a->trace, "Write every command's start and end, in Chrome's trace format, of a package on all dies, with links and memories (backends with a clock)");
  add_onnx_options(*command, a->onnx);
  command->add_option("--compare", a->onnx.compare, "ONNX: what outputs must be, NAME=FILE.npy or FILE.npz; exit status 1 where they differ");
  command->add_option("--output", a->onnx.output, "ONNX: folder for the outputs, as .npy");
  command->add_option("--rtol", a->onnx.rtol, "ONNX: relative tolerance of --compare")->capture_default_str();
  command->add_option("--atol", a->onnx.atol, "ONNX: absolute tolerance of --compare")->capture_default_str();
  add_encoder_options(*command, a->tower, a->pooling, a->options);
  command->callback([a, command, &status] {
    if (!a->package.empty()) {
      if (!a->memory.empty()) throw Error("run", "options", "--memory with --package", "one of them: the file names the memories");
      if (a->on.find(':') != std::string::npos || !a->package.ends_with(".yaml")) throw Error("run", "--package", a->package + " with --on " + a->on, "a .yaml file and a backend alone");
      if (is_encoder_model(a->model) || is_onnx(a->model)) throw Error("run", "--package", a->package, "a decoder");
      a->on += ":" + a->package;
    }
    if (!a->memory.empty()) a->on += ":" + a->memory;
    if (is_encoder_model(a->model)) {
      a->onnx.model = a->model, a->onnx.on = a->on, a->onnx.json = a->json;
      status = run_encoder({.files = a->onnx, .options = a->options, .tower = a->tower, .prompt = a->prompt, .pooling = a->pooling});
      return;
    }
    if (is_onnx(a->model)) {
      a->onnx.on = a->on;
      a->onnx.json = a->json;
      status = run_onnx(with_model(a->onnx, a->model, a->options, command->count("--format") != 0));
      return;
    }
    a->generate.stop_at_end = !a->ignore_end;
    const Given given = given_by(*command);
    if (!a->batch.empty()) {
      for (const char* other : {"--prompt", "--draft", "--profile", "--trace"})
        if (command->count(other) != 0) throw Error("run", "options", std::string(other) + " with --batch", "one of them");
      return run_batch(a->model, options_of(*a, given), given, {a->batch, a->on, a->lora, a->package, a->generate, a->json});
    }
    run(*a, given);
  });
}

}  // namespace jogak::cli
