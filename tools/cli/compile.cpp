// jogak compile: a model file becomes a program file.
#include <iostream>

#include "cli.hpp"
#include "import/gguf.hpp"

namespace jogak::cli {
namespace {

struct Arguments {
  std::string model, out;
  CompileOptions options;
  bool explain = false, json = false;
};

std::uint64_t bytes_of_segments(const Program& p) {
  std::uint64_t bytes = 0;
  for (const Segment& s : p.segments) bytes += s.bytes.size();
  return bytes;
}

void report_json(const Arguments& a, const Compiled& c, std::size_t file_bytes) {
  const auto abi = nlohmann::json::parse(c.program.abi);
  nlohmann::json passes = nlohmann::json::array();
  for (const PassTime& p : c.passes) passes.push_back({{"name", p.name}, {"seconds", p.seconds}});
  const nlohmann::json j = {{"model", a.model}, {"program", a.out}, {"config", c.program.config}, {"instructions", c.program.code.size()},
                            {"code_bytes", c.program.code.size() * sizeof(spec::Insn)}, {"weight_bytes", bytes_of_segments(c.program)},
                            {"file_bytes", file_bytes}, {"context", abi.at("context")}, {"rows", abi.at("rows")}, {"passes", passes},
                            {"explanation", c.explanation}};
  std::cout << j.dump() << "\n";
}

void report(const Arguments& a, const Compiled& c, std::size_t file_bytes) {
  const auto abi = nlohmann::json::parse(c.program.abi);
  std::cout << a.out << ": " << c.program.code.size() << " instructions (" << c.program.code.size() * sizeof(spec::Insn) << " bytes), "
            << bytes_of_segments(c.program) << " bytes of weights, " << file_bytes << " bytes in all; " << c.program.config << ", context "
            << abi.at("context") << ", " << abi.at("rows") << " rows a launch\n";
  if (!a.explain) return;
  std::cout << c.explanation;
  for (const PassTime& p : c.passes) {
    char line[80];
    std::snprintf(line, sizeof line, "  pass %-10s %8.3f s\n", p.name.c_str(), p.seconds);
    std::cout << line;
  }
}

}  // namespace

void add_compile(CLI::App& app, int&) {
  auto* command = app.add_subcommand("compile", "Model file (GGUF, llama2.c) to program file");
  const auto a = std::make_shared<Arguments>();
  command->add_option("model", a->model, "Model file: .gguf, or llama2.c's .bin with its tokenizer beside it")->required();
  command->add_option("-o,--output", a->out, "Program file (.jgk)")->required();
  add_compile_options(*command, a->options);
  command->add_option("--without", a->options.disabled, "Leave out an optional pass, by name (repeatable)");
  command->add_flag("--explain", a->explain, "Say what bounds each part, and how long each pass took");
  command->add_flag("--json", a->json, "One JSON object instead of text");
  command->callback([a] {
    const Compiled c = compile(import::read_model(a->model), a->options);
    write_program(c.program, a->out);
    const std::size_t file_bytes = std::filesystem::file_size(a->out);
    if (a->json) report_json(*a, c, file_bytes);
    else report(*a, c, file_bytes);
  });
}

}  // namespace jogak::cli
