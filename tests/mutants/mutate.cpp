// Copies RTL files with every mutant of a table built in, off by default.
//   mutate <table> <from folder> <to folder> <file>...
// A line of the table: file, text that stands in it exactly once, what it becomes; tabs between. What ends with a
// semicolon is a statement, all else an expression; where the new text has an @, it is meant as it is and @ is true
// for the mutant's number (from 1) only. The numbers come from C++: unsigned jogak_mutant.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "error.hpp"
#include "table.hpp"

namespace {

using jogak::Error;

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) throw Error("mutate", "file", path.string(), "one that can be read");
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

std::string mutated(const jogak::mutants::Mutant& m, std::size_t number) {
  const std::string on = "($c32(\"jogak_mutant\") == 32'd" + std::to_string(number) + ")";
  if (const std::size_t at = m.after.find('@'); at != std::string::npos) {
    return m.after.substr(0, at) + on + m.after.substr(at + 1);
  }
  if (m.before.back() == ';') {
    return "begin if " + on + " begin " + m.after + " end else begin " + m.before + " end end";
  }
  return "(" + on + " ? (" + m.after + ") : (" + m.before + "))";
}

void apply(std::string& text, const jogak::mutants::Mutant& m, std::size_t number) {
  const std::size_t at = text.find(m.before);
  if (at == std::string::npos || text.find(m.before, at + 1) != std::string::npos) {
    throw Error("mutate", m.file + ": \"" + m.before + "\"", at == std::string::npos ? "nowhere" : "more than once",
                "once");
  }
  text.replace(at, m.before.size(), mutated(m, number));
}

void run(int argc, char** argv) {
  if (argc < 5) throw Error("mutate", "arguments", std::to_string(argc - 1), "table, from, to, files");
  const std::vector<jogak::mutants::Mutant> table = jogak::mutants::read_table(argv[1]);
  const std::filesystem::path from = argv[2], to = argv[3];
  std::map<std::string, std::string> texts;
  for (int i = 4; i < argc; ++i) texts[argv[i]] = read(from / argv[i]);
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (!texts.contains(table[i].file)) throw Error("mutate", "file of mutant", table[i].file, "one of rtl/files.f");
    apply(texts[table[i].file], table[i], i + 1);
  }
  for (const auto& [file, text] : texts) {
    std::filesystem::create_directories((to / file).parent_path());
    std::ofstream(to / file) << text;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc, argv);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
