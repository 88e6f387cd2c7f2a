// What the subcommands of jogak-cli share.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "compile.hpp"
#include "session.hpp"

namespace jogak::cli {

// Each adds its subcommand; the callback sets `status` (0 good, 1 failed) or throws jogak::Error.
void add_demo(CLI::App& app, int& status);
void add_compile(CLI::App& app, int& status);
void add_run(CLI::App& app, int& status);
void add_disasm(CLI::App& app, int& status);
void add_info(CLI::App& app, int& status);
void add_bench(CLI::App& app, int& status);
void add_report(CLI::App& app, int& status);
void add_serve(CLI::App& app, int& status);
void add_eval(CLI::App& app, int& status);

// The options of compile, wherever a model is compiled.
void add_compile_options(CLI::App& command, CompileOptions& options);

// Of the options of compile, which a command line names.
struct Given {
  bool config = false, dies = false;
};
Given given_by(const CLI::App& command);

// A .jgk file, or a model compiled with the options. A program file made for another configuration or number of dies than was given is refused.
Program load(const std::filesystem::path& path, const CompileOptions& options, Given given);
// Names of spec/configs, for messages: "nano, small, ...".
std::string config_names();
// models/<name> in the project.
std::filesystem::path project_model(const std::string& name);

// The old file or the whole new one.
void write_atomically(const std::filesystem::path& path, std::string_view text);

// Ctrl-C aborts the session while this lives; a second one ends the program.
class AbortOnInterrupt {
 public:
  explicit AbortOnInterrupt(Session& session);
  ~AbortOnInterrupt();
  AbortOnInterrupt(const AbortOnInterrupt&) = delete;
  AbortOnInterrupt& operator=(const AbortOnInterrupt&) = delete;
};

}  // namespace jogak::cli
