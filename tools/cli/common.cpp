#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "cli.hpp"
#include "import/gguf.hpp"
#include "tools/project.hpp"

namespace jogak::cli {

namespace fs = std::filesystem;

void add_compile_options(CLI::App& command, CompileOptions& options) {
  command.add_option("--config", options.config, "Machine: " + config_names())->capture_default_str();
  command.add_option("--context", options.context, "Tokens of a conversation (0: the model's, at most 4096)")->check(CLI::Range(0, 1 << 20));
  command.add_option("--rows", options.max_rows, "Most tokens of one launch")->check(CLI::Range(1, 1 << 16))->capture_default_str();
  command.add_option("--sequences", options.sequences, "Most sequences of one launch (above 1: a program for serve and run --batch)")->check(CLI::Range(1, 256))->capture_default_str();
  command.add_option("--dies", options.dies, "Chiplets of a package that run the program together (configurations with links: quad, nanoquad)")->check(CLI::Range(1, 16))->capture_default_str();
  command.add_option("--parallel", options.parallel, "How they do: tensor (each layer on all dies), experts (likewise, but each expert on one), pipeline (layers of their own)")->check(CLI::IsMember({"auto", "tensor", "experts", "pipeline"}))->capture_default_str();
  command.add_option("--lora-rank", options.lora, "Highest rank of the LoRA adapters that the program can take (0: none)")->check(CLI::Range(0, 256));
  command.add_option("--kv-tokens", options.kv_tokens, "With --sequences: tokens of all sequences that the KV cache holds (0: the context of each)")->check(CLI::NonNegativeNumber);
  command.add_option("--format", options.format, "Of float weights: int8 (blocks of 32 as Q8_0), int8c (one scale per output channel), mxfp4, mxint8 (a power of two per 32)")
      ->check(CLI::IsMember(weight_formats()))->capture_default_str();
  command.add_option("--without", options.disabled, "PASS[,PASS]: leave out optional passes (see compile --passes)")->delimiter(',');
  command.add_option("--format-of", options.format_of, "NAME=FORMAT: another format for the matrix NAME, or for those whose name contains it (repeatable)");
}

std::string config_names() {
  std::string names;
  for (const spec::Config& c : spec::configs) names += (names.empty() ? "" : ", ") + std::string(c.name);
  return names;
}

Given given_by(const CLI::App& command) { return {.config = command.count("--config") != 0, .dies = command.count("--dies") != 0}; }

Program load(const fs::path& path, const CompileOptions& options, Given given) {
  if (path.extension() != ".jgk") return compile(import::read_model(path), options).program;
  Program program = read_program(path);
  if (given.config && program.config != options.config)
    throw Error("program " + path.filename().string(), "configuration", program.config, options.config + " (as --config says)");
  if (given.dies && program.mesh.dies() != static_cast<std::uint32_t>(options.dies))
    throw Error("program " + path.filename().string(), "dies", std::to_string(program.mesh.dies()), std::to_string(options.dies) + " (as --dies says)");
  return program;
}

fs::path project_model(const std::string& name) {
  const fs::path path = tools::project_root() / "models" / name;
  if (!fs::exists(path)) throw Error("model", "file " + path.string(), "nothing", "the project's models folder (JOGAK_ROOT names the project)");
  return path;
}

void write_atomically(const fs::path& path, std::string_view text) {
  const fs::path temporary = path.string() + ".tmp" + std::to_string(::getpid());
  std::ofstream out(temporary, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  std::error_code error;
  if (out) fs::rename(temporary, path, error);
  if (!out || error) {
    fs::remove(temporary, error);
    throw Error("output", "file " + path.string(), "a write error", "a folder that can be written");
  }
}

namespace {
// Signal handlers reach nothing else.
std::atomic<Session*> current = nullptr;
extern "C" void on_interrupt(int signal) {
  if (Session* session = current.exchange(nullptr)) session->abort();
  else std::_Exit(128 + signal);
}
}  // namespace

AbortOnInterrupt::AbortOnInterrupt(Session& session) {
  current = &session;
  std::signal(SIGINT, on_interrupt);
}
AbortOnInterrupt::~AbortOnInterrupt() {
  std::signal(SIGINT, SIG_DFL);
  current = nullptr;
}

}  // namespace jogak::cli
