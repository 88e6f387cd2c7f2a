#include "process.hpp"

#include <chrono>
#include <cstdio>

#include "error.hpp"
#include "tools/project.hpp"

namespace jogak::bench {

namespace fs = std::filesystem;

fs::path beside(const std::string& name) { return fs::read_symlink("/proc/self/exe").parent_path() / name; }

Output last_line(const std::string& command, const std::string& key) {
  const auto start = std::chrono::steady_clock::now();
  FILE* pipe = popen(("cd '" + tools::project_root().string() + "' && " + command).c_str(), "r");
  if (!pipe) throw Error("bench", "command " + command, "nothing started", "a process");
  Output out;
  char line[4096];
  while (std::fgets(line, sizeof line, pipe))
    if (std::string(line).find(key) != std::string::npos) out.text = line;
  out.status = pclose(pipe);
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return out;
}

}  // namespace jogak::bench
