// model-vs-cpu: how fast the exact model runs real shapes beside the engines people use on a CPU, int8 weights, one
// thread each, one after the other in one run, processor time. The engines are no part of the kit: cpu-references.sh builds them.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <array>

#include "common.hpp"
#include "encoder/compile.hpp"
#include "encoder/synthetic.hpp"
#include "error.hpp"
#include "import/gguf_writer.hpp"
#include "import/synthetic.hpp"
#include "loaded.hpp"

namespace jogak::bench {
namespace {

namespace fs = std::filesystem;

constexpr import::LlamaHyper kLlama{.layers = 12, .width = 768, .heads = 12, .kv_heads = 12, .ffn = 2048, .context = 512, .vocab = 32000};
constexpr int kPrompt = 128, kDecoded = 64;

struct Speed {
  double prefill = 0, decode = 0;  // tokens/s of one core
};

// Processor time of the command and what it prints; throws when it fails.
struct Ran {
  double seconds;
  std::string text;
};
Ran run_command(const std::string& command) {
  const auto children = [] {
    rusage used{};
    getrusage(RUSAGE_CHILDREN, &used);
    const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
  };
  const double before = children();
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw Error("bench", "model-vs-cpu", "no shell", "one to run " + command);
  std::string text;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
  if (pclose(pipe) != 0) throw Error("bench", "model-vs-cpu", command + " failed", "its figures");
  return {children() - before, text};
}

// Q8_0 with scale 2^-7 and arbitrary codes: speed does not depend on them.
std::vector<std::byte> q8_0(std::int64_t values, std::uint32_t& state) {
  std::vector<std::byte> data(static_cast<std::size_t>(values / 32) * 34);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>((state = state * 1664525u + 1013904223u) >> 24);
  for (std::size_t at = 0; at < data.size(); at += 34) data[at] = std::byte{0x00}, data[at + 1] = std::byte{0x20};
  return data;
}

// A file that the reference reads: the shape, no vocabulary.
void write_llama(const import::LlamaHyper& h, const fs::path& path) {
  import::GgufWriter w;
  write_hyper(w, h);
  w.u32("llama.vocab_size", static_cast<std::uint32_t>(h.vocab));
  w.text("tokenizer.ggml.model", "none");
  std::uint32_t state = 1;
  constexpr std::uint32_t kF32 = 0, kQ8_0 = 8;
  const auto matrix = [&](const std::string& name, int rows, int columns) {
    w.tensor(name, {static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns)}, kQ8_0, q8_0(std::int64_t{rows} * columns, state));
  };
  const auto norm = [&](const std::string& name) {
    const std::vector<float> ones(static_cast<std::size_t>(h.width), 1.0f);
    const auto bytes = std::as_bytes(std::span(ones));
    w.tensor(name, {ones.size()}, kF32, {bytes.begin(), bytes.end()});
  };
  matrix("token_embd.weight", h.vocab, h.width), norm("output_norm.weight");
  for (int l = 0; l < h.layers; ++l) {
    const std::string b = "blk." + std::to_string(l) + ".";
    norm(b + "attn_norm.weight"), norm(b + "ffn_norm.weight");
    for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output"}) matrix(b + name + ".weight", h.width, h.width);
    matrix(b + "ffn_gate.weight", h.ffn, h.width), matrix(b + "ffn_up.weight", h.ffn, h.width), matrix(b + "ffn_down.weight", h.width, h.ffn);
  }
  const std::vector<std::byte> file = w.file();
  std::ofstream out(path, std::ios::binary);
  if (!out.write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size())))
    throw Error("bench", "model-vs-cpu", "cannot write " + path.string(), "room for " + std::to_string(file.size()) + " bytes");
}

Speed llama_on_model(const std::string& config) {
  const Program program = compile(import::synthetic_llama(kLlama, 1), {.config = config, .context = 256, .format = "int8"}).program;
  Session session(program, "model");
  std::vector<int> prompt(kPrompt);
  for (std::size_t i = 0; i < prompt.size(); ++i) prompt[i] = static_cast<int>(i * 17 % 32000);
  double start = cpu_seconds();
  int next = best(session.feed(prompt));
  const double prefill = kPrompt / (cpu_seconds() - start);
  start = cpu_seconds();
  for (int i = 0; i < kDecoded; ++i) next = best(session.feed(std::span(&next, 1)));
  return {prefill, kDecoded / (cpu_seconds() - start)};
}

// Tokens/s of llama-bench (llama.cpp) in processor time: what more repetitions cost, without the start.
double llama_bench(const fs::path& program, const fs::path& model, const std::string& test, int tokens) {
  constexpr int kMore = 4;
  const auto seconds = [&](int repetitions) {
    return run_command("'" + program.string() + "' -m '" + model.string() + "' -t 1 " + test + " -r " + std::to_string(repetitions) + " 2>/dev/null").seconds;
  };
  const double once = seconds(1);
  return kMore * tokens / (seconds(1 + kMore) - once);
}

Speed llama_on_cpu(const fs::path& program) {
  const fs::path file = fs::temp_directory_path() / ("jogak-model-vs-cpu-" + std::to_string(getpid()) + ".gguf");
  write_llama(kLlama, file);
  const Speed speed{llama_bench(program, file, "-p " + std::to_string(kPrompt) + " -n 0", kPrompt),
                    llama_bench(program, file, "-p 0 -n " + std::to_string(kDecoded), kDecoded)};
  fs::remove(file);
  return speed;
}

// Milliseconds of processor time of BERT-base over 128 tokens, hidden states in and out, best of three.
double bert_on_model(const std::string& config) {
  const encoder::Shape shape{.layers = 12, .width = 768, .heads = 12, .ffn = 3072, .context = kPrompt};
  const Program program = encoder::compile(encoder::synthetic(shape, ir::Format::int8, 1), config);
  const auto device = open_for(program, "model");
  Loaded loaded(*device, program);
  const Symbol& x = *program.find("x");
  std::vector<float> rows(x.bytes / sizeof(float));
  std::uint32_t state = 1;
  for (float& v : rows) v = static_cast<float>((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-23f - 1.0f;
  double best = 1e30;
  for (int round = 0; round < 3; ++round) {
    loaded.write(x.window, x.offset, std::span(reinterpret_cast<const std::uint8_t*>(rows.data()), x.bytes));
    const double start = cpu_seconds();
    (void)loaded.run(std::array{static_cast<std::uint32_t>(kPrompt)});
    best = std::min(best, cpu_seconds() - start);
  }
  return best * 1e3;
}

// The same shape in ONNX Runtime, quantised dynamically.
double bert_on_cpu(const fs::path& python) {
  const fs::path script = tools::project_root() / "tools" / "bench" / "bert_onnx.py";
  const Ran ran = run_command("'" + python.string() + "' '" + script.string() + "' " + std::to_string(kPrompt) + " 2>/dev/null");
  return nlohmann::json::parse(ran.text).at("seconds").get<double>() * 1e3;
}

void add(Report& report, const std::string& what, const std::string& config, double ours, double theirs, const std::string& unit) {
  report.add({.case_name = what + ", exact model", .config = config, .on = "model", .value = ours, .unit = unit});
  report.add({.case_name = what + ", reference on the same core", .config = "", .on = "cpu", .value = theirs, .unit = unit});
  report.add({.case_name = what, .config = config, .on = "model", .value = ours / theirs, .unit = "of the reference", .bar = 0.3, .aim = 1});
}

void compare_llama(const fs::path& references, const std::string& config, Report& report) {
  if (!fs::exists(references / "llama-bench")) return report.skip("no " + references.string() + ": tools/bench/cpu-references.sh makes it");
  const Speed cpu = llama_on_cpu(references / "llama-bench"), model = llama_on_model(config);
  add(report, "Llama of 110 M parameters, decode", config, model.decode, cpu.decode, "tokens/s");
  add(report, "Llama of 110 M parameters, prefill of 128", config, model.prefill, cpu.prefill, "tokens/s");
}

void compare_bert(const fs::path& references, const std::string& config, Report& report) {
  const fs::path python = references / "venv" / "bin" / "python";
  if (!fs::exists(python)) return report.skip("no " + python.string() + ": tools/bench/cpu-references.sh makes it");
  const double cpu = bert_on_cpu(python), model = bert_on_model(config);
  add(report, "BERT-base, 128 tokens", config, 1e3 / model, 1e3 / cpu, "runs/s");
}

void run(const Options& o, Report& report) {
  const fs::path references = tools::project_root() / "build" / "cpu-references";
  const std::string config = value_or(o.config, "edge");
  compare_llama(references, config, report);
  compare_bert(references, config, report);
}

const Register registered{"model-vs-cpu", "the exact model against llama.cpp and ONNX Runtime, int8, one core", run};

}  // namespace
}  // namespace jogak::bench
