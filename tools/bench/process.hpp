// Programs built beside this one, for benchmarks that run them.
#pragma once

#include <filesystem>
#include <string>

namespace jogak::bench {

std::filesystem::path beside(const std::string& name);

struct Output {
  std::string text;
  int status = 0;
  double seconds = 0;
};
// Runs a command in the project's folder; its last line that contains `key` is the text.
Output last_line(const std::string& command, const std::string& key);

}  // namespace jogak::bench
