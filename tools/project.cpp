#include "project.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace jogak::tools {
namespace {

// First line that a command prints.
std::string first_line(const std::string& command) {
  std::array<char, 256> text{};
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::string line = fgets(text.data(), text.size(), pipe) == nullptr ? "" : text.data();
  pclose(pipe);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

}  // namespace

std::filesystem::path project_root() {
  namespace fs = std::filesystem;
  if (const char* root = std::getenv("JOGAK_ROOT")) return root;
  std::error_code error;
  const fs::path installed = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path() / "share" / "jogak";
  return !error && fs::exists(installed, error) ? installed : fs::path(JOGAK_SOURCE_DIR);
}

std::string commit() {
  const std::string root = project_root().string();
  if (root.find('\'') != std::string::npos) return "unknown";
  const std::string git = "git -C '" + root + "' ";
  const std::string hash = first_line(git + "rev-parse --short=12 HEAD 2>/dev/null");
  if (hash.empty()) return "unknown";
  return hash + (first_line(git + "status --porcelain -uno 2>/dev/null").empty() ? "" : "+");
}

}  // namespace jogak::tools
