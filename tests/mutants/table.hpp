// The table of mutants: see mutate.cpp.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "error.hpp"

namespace jogak::mutants {

struct Mutant {
  std::string file, before, after;
};

inline std::vector<Mutant> read_table(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Error("mutants", "table", path, "one that can be read");
  std::vector<Mutant> table;
  for (std::string line; std::getline(in, line);) {
    const std::size_t one = line.find('\t'), two = line.find('\t', one + 1);
    if (two == std::string::npos)
      throw Error("mutants", "line " + std::to_string(table.size() + 1), line, "file, text, new text");
    table.push_back({line.substr(0, one), line.substr(one + 1, two - one - 1), line.substr(two + 1)});
  }
  return table;
}

}  // namespace jogak::mutants
