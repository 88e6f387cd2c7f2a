// jogak disasm: a program file as text that the assembler takes back.
#include <iostream>
#include <sstream>

#include "cli.hpp"
#include "runtime/asm.hpp"

namespace jogak::cli {
namespace {

void print(const Program& p) {
  std::cout << "# " << p.config << ", " << p.code.size() << " instructions\n";
  std::istringstream lines(disassemble(p.code));
  std::string line;
  std::uint32_t pc = 0;
  for (std::size_t at = 0; std::getline(lines, line); ++pc) {
    for (; at < p.map.size() && p.map[at].first <= pc; ++at)
      std::cout << "# " << p.map[at].first << ".." << p.map[at].last << " " << describe(p.map[at]) << "\n";
    std::cout << line << "\n";
  }
}

void print_json(const Program& p) {
  nlohmann::json list = nlohmann::json::array();
  for (std::uint32_t pc = 0; pc < p.code.size(); ++pc) {
    const MapEntry* e = p.at(pc);
    char word[40];
    std::snprintf(word, sizeof word, "0x%016llx%016llx", static_cast<unsigned long long>(p.code[pc].hi), static_cast<unsigned long long>(p.code[pc].lo));
    list.push_back({{"pc", pc}, {"text", disassemble(p.code[pc])}, {"bits", word}, {"op", e == nullptr ? "" : e->op}});
  }
  std::cout << nlohmann::json{{"config", p.config}, {"code", list}}.dump() << "\n";
}

}  // namespace

void add_disasm(CLI::App& app, int&) {
  auto* command = app.add_subcommand("disasm", "Print a program file as text");
  const auto path = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("program", *path, "Program file (.jgk)")->required();
  command->add_flag("--json", *json, "One JSON object instead of text");
  command->callback([path, json] {
    const Program program = read_program(*path);
    if (*json) print_json(program);
    else print(program);
  });
}

}  // namespace jogak::cli
